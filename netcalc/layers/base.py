"""The rules of every layer: its output's shape, its parameters, its cost, its window.

A layer is a frozen value whose fields are the YAML options. Its rules are plain integer arithmetic
on dimensions, without the batch axis; they touch no array.
"""

from collections.abc import Mapping
from functools import cached_property
from math import prod
from typing import Any, ClassVar, NamedTuple, Self

from netcalc.layers import axes
from netcalc.layers.axes import Axes
from netcalc.layers.errors import LayerError
from netcalc.layers.geometry import POINTWISE, SlidingWindow, Window
from netcalc.layers.operators import Operators
from netcalc.layers.options import Option
from netcalc.layers.saved import Extra, Saved, View
from netcalc.tensor import Shape, TensorType


class ParamSpec(NamedTuple):
    """One array a layer owns. `initialiser` names a rule of the backend; vectors never take weight decay."""

    name: str
    shape: Shape
    initialiser: str
    buffer: bool = False
    """Stored with the parameters, such as running statistics: no gradient goes to it."""
    frozen: bool = False
    """It stays as it is, running statistics too: the spec says `trainable: false`."""
    decays: bool = True  # unless it is a vector: false for a scale or bias of more axes

    @property
    def trainable(self) -> bool:
        """Whether a gradient goes to it."""
        return not (self.buffer or self.frozen)

    @property
    def numel(self) -> int:
        return prod(self.shape)


class Cost(NamedTuple):
    """What one sample costs."""

    macs: int = 0
    """Multiply-accumulates inside dot products, the bias left out."""
    other_ops: int = 0
    """Every other arithmetic operation or comparison."""


_FIRST = ("filters", "units", "kernel", "stride", "dilation", "pad")
"""The options that go first, in the order in which people say them; `pad: same` needs those before it."""


class Layer:
    """A kind of layer. Subclasses declare their options as fields and state their rules.

    Rules take the types of the inputs, `xs`, and where they need it that of the output, `y`.
    It is no dataclass, which compiles code for each class: that would double the time of start-up.
    """

    kind: ClassVar[str]
    family: ClassVar[str]
    also: ClassVar[tuple[str, ...]] = ()
    """The names that other frameworks have for it; what PyTorch has is tested against it."""
    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    """The fewest and the most inputs; None is no limit."""
    main: ClassVar[str | None] = None
    """The option that a spec may give alone: `linear: 10`. No other one is required."""
    options: ClassVar[Mapping[str, Option[Any]]] = {}
    instead: ClassVar[Mapping[str, str]] = {}
    """What to write in place of options that it has in other frameworks and not here."""
    saves: ClassVar[Saved]
    """What it saves for backward, where that does not depend on its options and sizes."""
    view: ClassVar[View | None] = None
    """How its output is a view of its input, where it is one."""
    in_place: ClassVar[bool] = False
    """Whether it can write over its input: where PyTorch's module has the option `inplace`."""
    transposes: ClassVar[bool] = False
    """Whether PyTorch gives the gradients of its weights as views of others, which cannot be added to."""
    fusible: ClassVar[bool] = False
    """Whether it can be fused into the kernel before or after, without memory traffic."""
    reads_tokens: ClassVar[bool] = False
    """Whether its input holds token numbers, each the number of a row of its table."""
    rearranges: ClassVar[bool] = False
    """Whether it only moves elements, drops some or adds constants, so that whole numbers stay whole."""
    keeps_layout: ClassVar[bool] = False
    """Whether it runs as well on an array whose channels are last in memory, and gives its output so."""
    overwrites_input: ClassVar[bool] = False
    """Whether its output can take its input's place in memory: activations and dropout."""
    output_axis: ClassVar[int | None] = None
    """The axis of its weights that its outputs run along; None where it is no learned linear map."""
    channel_axis: ClassVar[int] = 0
    """The axis of its output that its filters, units or channels run along."""
    mixes_tokens: ClassVar[bool] = False
    """Whether it relates the positions of a sequence to each other: attention and recurrence."""
    linear: ClassVar[bool] = False
    """Whether it is a linear map in inference, a constant shift aside."""
    pools: ClassVar[bool] = False
    """Whether it makes one value of many without weights: pooling and reduction."""
    bounded: ClassVar[bool] = False
    """Whether its output lies between two bounds, whatever comes in."""
    gives_probabilities: ClassVar[bool] = False
    """Whether its output lies between 0 and 1 and is read as probabilities: softmax and sigmoid."""
    rectifies: ClassVar[bool] = False
    """Whether it sets what is negative to zero."""
    normalises_channels: ClassVar[bool] = False
    """Whether it takes the mean off each channel, and with it what the layer before adds to the channel."""
    sigmoidal: ClassVar[bool] = False
    """Whether it is a smooth S-shaped curve between two bounds."""

    def __init_subclass__(cls) -> None:
        own = {option.name: option for option in vars(cls).values() if isinstance(option, Option)}
        inherited = {**cls.options, **own}
        cls.options = {name: inherited.pop(name) for name in _FIRST if name in inherited} | inherited

    def __init__(self, xs: tuple[TensorType, ...] = (), /, **given: Any) -> None:
        """A layer with some options, on inputs of the types `xs`; most kinds do not depend on them."""
        for name in given:
            if name not in self.options:
                raise LayerError(f"{self.kind} has no option {name!r}", option=name)
        for name, option in self.options.items():
            if name in given:
                self.__dict__[name] = option.parse(given[name])
            elif option.required:
                raise LayerError(f"{self.kind} needs {name}", option=name)
            else:
                self.__dict__[name] = option.default

    def with_options(self, **values: Any) -> Self:
        """This layer with other values of some options, each as a layer holds it."""
        layer = object.__new__(type(self))
        layer.__dict__.update({name: self.__dict__[name] for name in self.options}, **values)
        return layer

    @property
    def weighted(self) -> bool:
        """Whether it is a learned linear map: a convolution or a linear layer."""
        return self.output_axis is not None

    @property
    def moves_statistics(self) -> bool:
        """Whether it normalises by the batch in training and by running statistics in inference."""
        return False

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        """The output's type; raises LayerError where the inputs do not fit."""
        raise NotImplementedError

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        """The arrays it owns, learnable or running."""
        return ()

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        """What one sample costs."""
        return Cost()

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """What it saves for backward; `needs` says for each input whether it needs a gradient."""
        return self.saves

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators | None:
        """The operators it runs; None where a single one reads all inputs and makes the output."""
        return None

    def backward_workspace(
        self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]
    ) -> Extra | None:
        """The peak memory of its backward, without the gradients of its output and its inputs.

        None where that follows from its operators.
        """
        return None

    def saved_frozen(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """What it saves where its parameters are frozen: as much, unless a layer saves less."""
        return self.saved(xs, y, needs)

    def view_in(self, training: bool) -> View | None:
        """How its output is a view of its input, in training or in inference."""
        return self.view

    def is_identity(self, x: TensorType, y: TensorType) -> bool:
        """Whether it always gives its input unchanged in inference."""
        return False

    def mixes_samples(self, training: bool) -> bool:
        """Whether a sample's output depends on the batch that it is in, so that no batch may be split.

        By statistics of the batch, or by random numbers that are drawn for all of it.
        """
        return False

    def passes_gradient(self, x: TensorType, y: TensorType) -> bool:
        """Whether an input's gradient is the output's, or a part of it, and takes no computation."""
        return self.view_in(training=True) is not None and x.numel == y.numel

    def gives_view(self, x: TensorType) -> bool:
        """Whether PyTorch gives a gradient that it computes for an input as a view of another tensor."""
        return False

    def backward_macs(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> int:
        """Multiply-adds of one sample's gradients: a product's macs for each operand that needs one.

        The operands are the input and the weights unless a layer says otherwise.
        """
        return self.cost(xs, y).macs * (1 + any(needs))

    def weight_macs(self, xs: tuple[TensorType, ...], y: TensorType) -> int:
        """Those of `backward_macs` that give the gradients of the weights; none where these are frozen."""
        return self.cost(xs, y).macs

    def masked_macs(self, xs: tuple[TensorType, ...], y: TensorType) -> int:
        """Those of `cost` that a mask makes needless: a kernel can skip them, forward and backward."""
        return 0

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...] | None:
        """What each output reads along each spatial axis; None where that is the whole input."""
        return None

    def sliding_window(self) -> SlidingWindow | None:
        """The window that it slides over its padded input; None where it has none of one size."""
        return None

    def elements_read(self, x: TensorType, y: TensorType) -> int:
        """How many elements of its first input it reads: those that its windows reach."""
        return x.numel

    def reads_axes(self, rank: int) -> Axes | None:
        """What the axes of its inputs are, where it takes them to be certain ones."""
        return None

    def likely_axes(self, rank: int) -> Axes | None:
        """What they most likely are, where no other layer is certain."""
        return None

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        """What its output's axes are, given those of its inputs: the same unless there are more or fewer."""
        rank = len(y.shape)
        return next((given for given in names if len(given) == rank), axes.channels_first(rank))

    def source_axes(self, x: TensorType) -> tuple[frozenset[int], ...]:
        """For each axis of the output, the axes of the first input that it runs along."""
        axes, rank = len(self.infer((x,)).shape), len(x.shape)
        return tuple(frozenset((axis,)) if axes == rank else frozenset(range(rank)) for axis in range(axes))

    def tells_positions(self, xs: tuple[TensorType, ...]) -> bool:
        """Whether its output depends on the positions of elements along the sequence or the map."""
        return False

    def settings(self) -> dict[str, Any]:
        """The options that differ from their defaults."""
        own, options = self.__dict__, self.options.items()
        return {name: own[name] for name, option in options if not option.is_default(own[name])}

    @cached_property
    def _key(self) -> tuple[Any, ...]:
        return (type(self), *(self.__dict__[name] for name in self.options))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layer) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a layer is immutable: {name} cannot be set")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.settings().items())})"


class SpatialLayer(Layer):
    """A layer that reads channels and spatial axes: C,W or C,H,W or C,D,H,W."""

    def __init__(self, xs: tuple[TensorType, ...], /, **given: Any) -> None:
        """Options that say one number for all spatial axes get one for each axis of the input."""
        super().__init__(xs, **given)
        axes = spatial_axes(self.kind, xs[0])
        for name, option in self.options.items():
            self.__dict__[name] = option.per_axis(self.__dict__[name], axes, self.__dict__)
        for name, option in self.options.items():
            option.parse(self.__dict__[name])

    def reads_axes(self, rank: int) -> Axes | None:
        return axes.channels_first(rank)


def spatial_axes(kind: str, x: TensorType) -> int:
    """How many spatial axes an input has; raises LayerError unless there are one to three."""
    axes = len(x.shape) - 1
    if axes not in (1, 2, 3):
        what = "a vector" if axes == 0 else f"a tensor of rank {len(x.shape)}"
        raise LayerError(f"{kind} reads channels and one to three spatial axes, not {what} of {x}")
    return axes


def pointwise(x: TensorType) -> tuple[Window, ...]:
    """The windows of a layer whose outputs each read the input at their own position."""
    return (POINTWISE,) * (len(x.shape) - 1)


def channels_and_space(x: TensorType) -> tuple[int, Shape]:
    """The channels and the spatial sizes of a channel-first tensor."""
    return x.shape[0], x.shape[1:]
