"""Record what whole networks need in memory in PyTorch, the measure of `netcalc memory`.

Every network is measured four ways, in float32, eager, on the CPU; figures are bytes, parameters,
buffers and optimiser state left out.

- `inference`: the most that lives in a forward run in evaluation mode without gradients, by this rule: what
  each operator of PyTorch (ATen, as a dispatch mode sees it) reads and makes is recorded; storages live from
  the operator that makes them to the last that reads them, the network's inputs from the start, its
  outputs to the end; while an operator runs, what it reads and what it makes both live. So names that
  Python holds inside `forward` do not count, and what a kernel takes for itself is not seen.
- `kept`: the storages of the tensors that autograd saves in a forward in training mode and the loss,
  each once, the inputs and targets among them where they are saved.
- `step`: the most that lives at once in zero_grad, forward, loss and backward, of storages that these make,
  tracked from making to release with weak references. The output is handed to the loss without a name.
  Autograd adds up gradients out of place while a dispatch mode looks on; the sums that are in place
  otherwise, as the profiler shows them, are made in place here too.
- `update`: the same in the optimiser's step, the gradients of the weights among it: Adam's loop over single
  tensors (`foreach=False`, the default on the CPU), its second step, so that its state is there before.
  The loss, one number, still has a name.

The loss is cross-entropy. Attention runs without the fused inference kernel of
torch.nn.MultiheadAttention, whose inside nobody sees. Every entry is
[name, options of the network, input shapes without the batch, batch, figures]. Every layer that makes an
output of its own is measured alone too: [kind, options, input shapes, batch, `inference`]. And every layer's
backward pass: [kind, options, input shapes, batch, the most that lives in it], of storages that forward and
backward make, the gradient of the output and those of all inputs and parameters among them. A run with the
same versions writes the same file, memory.json beside this script:

    pip install torch==2.13.0 torchvision==0.28.0
    python tests/golden/make_memory.py
"""

import gc
import json
import sys
import types
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

sys.modules["torchvision._meta_registrations"] = types.ModuleType("absent")  # needs compiled operators

import torchvision  # noqa: E402
from make_parameters import attended  # noqa: E402
from make_saved import BATCHES, Saved, UNet, example, layers  # noqa: E402
from torchvision.models.video import mvit  # noqa: E402

Shape = tuple[int, ...]


class Network(NamedTuple):
    """A network by netcalc's name, its inputs without the batch, and what builds it here."""

    name: str
    inputs: tuple[Shape, ...]
    batch: int = 2
    build: Callable[[], nn.Module] | None = None
    """torchvision's of this name unless given."""
    options: Mapping[str, Any] = types.MappingProxyType({})
    """Arguments of netcalc's spec."""
    entries: int = 0
    """How many words there are, where inputs are numbers of words."""


class GPT2(nn.Module):
    """GPT-2 (Radford et al. 2019), its head tied to the token embedding."""

    def __init__(self, width: int = 768, depth: int = 12, heads: int = 12, dropout: float = 0.1) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(50257, width), nn.Embedding(1024, width)
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Decoder(width, heads, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 50257, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Logits of the next word at each position."""
        x = self.drop(self.tokens(tokens) + self.positions(positions))
        for block in self.blocks:
            x = block(x)
        y: Tensor = self.head(self.norm(x))
        return y


class Decoder(nn.Module):
    """A block of GPT-2, with PyTorch's attention."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Attend to what stands before, then mix the features of each position."""
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        z = self.norm1(x)
        x = x + self.drop(self.attention(z, z, z, need_weights=False, attn_mask=mask, is_causal=True)[0])
        z = functional.gelu(self.widen(self.norm2(x)), approximate="tanh")
        return x + self.drop(self.narrow(z))


class WordModel(nn.Module):
    """A recurrent language model whose head is tied to its embedding (Press and Wolf 2017)."""

    def __init__(self, recurrent: type[nn.RNNBase], words: int, width: int, layers: int = 1) -> None:
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.recurrent = recurrent(width, width, layers, batch_first=True)
        self.head = nn.Linear(width, words, bias=False)
        self.head.weight = self.words.weight

    def forward(self, words: Tensor) -> Tensor:
        """Logits of the next word at each position."""
        y: Tensor = self.head(self.recurrent(self.words(words))[0])
        return y


def small(side: int) -> tuple[Shape, ...]:
    """An image of three channels."""
    return ((3, side, side),)


def vision_transformer(name: str, side: int) -> Callable[[], nn.Module]:
    """torchvision's, for images of another size."""
    return lambda: torchvision.models.get_model(name, weights=None, image_size=side)


def multiscale_transformer(name: str, frames: int, side: int) -> Callable[[], nn.Module]:
    """torchvision's, for films of another size."""
    make, sizes = mvit._mvit, {"spatial_size": (side, side), "temporal_size": frames}

    def build() -> nn.Module:
        with patch.object(mvit, "_mvit", lambda *given, **options: make(*given, **(options | sizes))):
            return torchvision.models.get_model(name, weights=None)

    return build


def without_auxiliary(name: str) -> Callable[[], nn.Module]:
    """torchvision's Inception without the classifiers on the way."""
    options = {"weights": None, "aux_logits": False, "init_weights": False, "transform_input": False}
    return lambda: torchvision.models.get_model(name, **options)


NETWORKS = (
    # not among the networks whose kept bytes make_saved.py records
    Network("googlenet", small(96), build=without_auxiliary("googlenet")),
    Network("mnasnet1_0", small(96)),
    Network("resnext50_32x4d", small(96)),
    Network("wide_resnet50_2", small(64)),
    Network("resnet34", small(64)),
    Network("regnet_x_400mf", small(96)),
    Network("regnet_y_800mf", small(96)),
    Network("regnet_y_1_6gf", small(64)),
    Network("efficientnet_b1", small(96)),
    Network("efficientnet_v2_s", small(96)),
    Network("mobilenet_v3_small", small(96)),
    Network("squeezenet1_0", small(96)),
    Network("vgg11_bn", small(224), batch=2),
    Network("vgg13", small(224), batch=1),
    Network("shufflenet_v2_x0_5", small(96)),
    Network("densenet169", small(64)),
    Network("inception_v3", small(139), build=without_auxiliary("inception_v3")),
    Network("convnext_small", small(64)),
    Network("vit_b_32", small(224)),
    Network("swin_s", small(96)),
    Network("swin_v2_t", small(64)),
    Network("r3d_18", ((3, 8, 48, 48),)),
    Network("mc3_18", ((3, 8, 48, 48),)),
    Network("r2plus1d_18", ((3, 8, 48, 48),)),
    Network("s3d", ((3, 16, 224, 224),), batch=1),
    Network("swin3d_t", ((3, 8, 64, 64),)),
    Network("mvit_v1_b", ((3, 8, 96, 96),), build=multiscale_transformer("mvit_v1_b", 8, 96)),
    Network("mvit_v2_s", ((3, 8, 96, 96),), build=multiscale_transformer("mvit_v2_s", 8, 96)),
    Network("gpt2_small", ((64,), (64,)), build=GPT2, options={"length": 64}, entries=64),
    Network("lstm_words", ((32,),), build=lambda: WordModel(nn.LSTM, 5000, 128, 2), entries=5000),
    Network("gru_words", ((32,),), build=lambda: WordModel(nn.GRU, 5000, 128), entries=5000),
    # and those
    Network("alexnet", small(227)),
    Network("resnet18", small(112), batch=4),
    Network("resnet50", small(64)),
    Network("densenet121", small(96)),
    Network("mobilenet_v2", small(96), batch=4),
    Network("mobilenet_v3_large", small(96)),
    Network("efficientnet_b0", small(96)),
    Network("unet", ((1, 188, 188),), batch=1, build=UNet),
    Network("convnext_tiny", small(96)),
    Network("vit_b_16", small(64), build=vision_transformer("vit_b_16", 64)),
    Network("squeezenet1_1", small(96)),
    Network("shufflenet_v2_x1_0", small(96)),
    Network("regnet_y_400mf", small(96)),
    Network("swin_t", small(96)),
    Network("maxvit_t", small(224)),
)


def built(case: Network) -> nn.Module:
    """A network as netcalc's spec has it."""
    torch.manual_seed(0)
    module = case.build() if case.build else torchvision.models.get_model(case.name, weights=None)
    if case.name.startswith(
        ("alexnet", "vgg")
    ):  # whose specs have no pool there; at these sizes it only copies
        module.avgpool = nn.Identity()
    for part in module.modules():
        if isinstance(part, torchvision.ops.StochasticDepth) and case.name.startswith("efficientnet"):
            part.p = 0.0  # EfficientNet's spec drops no branches
        if isinstance(part, nn.Dropout) and case.name == "alexnet":
            part.p = 0.0
    return module


def examples(case: Network) -> list[Tensor]:
    """A batch of each input."""
    if case.entries:
        return [torch.randint(0, case.entries, (case.batch, *shape)) for shape in case.inputs]
    return [torch.rand(case.batch, *shape) for shape in case.inputs]


def loss_of(y: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy, over the last axis of T x V."""
    return functional.cross_entropy(y.flatten(0, 1) if y.dim() == 3 else y, target)


def target_of(y: Tensor) -> Tensor:
    """A class for each sample, word or pixel."""
    if y.dim() == 4:
        return torch.zeros(y.shape[0], *y.shape[2:], dtype=torch.long)
    return torch.zeros(y.numel() // y.shape[-1], dtype=torch.long)


class Operator(NamedTuple):
    """What an operator reads and makes, by number."""

    name: str
    reads: tuple[int, ...]
    makes: tuple[int, ...]


class Operators(TorchDispatchMode):
    """The operators that run inside the `with`, and the storages they read and make."""

    def __init__(self, weights: Iterable[Tensor], given: Iterable[Tensor]) -> None:
        super().__init__()
        self.weights = {tensor.untyped_storage()._cdata for tensor in weights}
        self.numbers: dict[int, int] = {}
        self.sizes: list[int] = []
        self.held: list[Any] = []  # so that no address is given out again
        self.ran: list[Operator] = []
        self.given = [self.number(tensor) for tensor in given]

    def __torch_dispatch__(self, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        read = [x for x in tree_leaves((args, kwargs or {})) if isinstance(x, Tensor)]
        results = operator(*args, **(kwargs or {}))
        made = [x for x in tree_leaves(results) if isinstance(x, Tensor)]
        reads = self.numbered(read)
        makes = tuple(number for number in self.numbered(made) if number not in reads)
        self.ran.append(Operator(str(operator), reads, makes))
        return results

    def numbered(self, tensors: Iterable[Tensor]) -> tuple[int, ...]:
        return tuple({
            self.number(x): None for x in tensors if x.untyped_storage()._cdata not in self.weights
        })  # fmt: skip

    def number(self, tensor: Tensor) -> int:
        storage = tensor.untyped_storage()
        if storage._cdata not in self.numbers:
            self.numbers[storage._cdata] = len(self.sizes)
            self.sizes.append(storage.nbytes())
            self.held.append(storage)
        return self.numbers[storage._cdata]

    def peak(self, outputs: Iterable[Tensor]) -> tuple[int, str]:
        """The most that lives, and the operator at which it does."""
        end = len(self.ran)
        last = {number: place for place, ran in enumerate(self.ran) for number in (*ran.reads, *ran.makes)}
        last |= dict.fromkeys(self.numbered(outputs), end)
        live = {number for number in self.given if number in last}
        most, where = 0, ""
        for place, ran in enumerate(self.ran):
            live.update(ran.makes)
            now = sum(self.sizes[number] for number in live)
            if now > most:
                most, where = now, f"{place} {ran.name}"
            live = {number for number in live if last[number] > place}
        return most, where


def inference(module: nn.Module, xs: list[Tensor]) -> tuple[int, str]:
    """The most that lives in a forward run, by the rule above."""
    own = (*module.parameters(), *module.buffers())
    torch.backends.mha.set_fastpath_enabled(False)
    with torch.no_grad(), Operators(own, xs) as operators:
        y = module.eval()(*xs)
    return operators.peak([y])


SUMS = ("add", "add_")


def sums_of(loss: Tensor) -> list[str]:
    """Which of the sums of the backward pass are in place where no dispatch mode looks on, in order."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        loss.backward()
    found = [event for event in profile.events() if event.name in ("aten::add", "aten::add_")]
    return [event.name.removeprefix("aten::") for event in found if not is_inside_operator(event)]


def is_inside_operator(event: Any) -> bool:
    """Whether another operator of PyTorch called it."""
    return event.cpu_parent is not None and event.cpu_parent.name.startswith("aten::")


class Living(TorchDispatchMode):
    """Bytes of the storages that operators make inside the `with`, now and at their highest."""

    def __init__(self, known: Iterable[Tensor], sums: Sequence[str]) -> None:
        super().__init__()
        self.sums = iter(sums)
        self.goes_back = False
        self.seen = weakref.WeakSet[Any]()
        self.known = {tensor.untyped_storage()._cdata for tensor in known}
        self.now = self.highest = 0

    def __torch_dispatch__(self, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = operator.overloadpacket.__name__
        if self.goes_back and name in SUMS and next(self.sums) != name:
            operator = torch.ops.aten.add_.Tensor  # autograd adds in place unless a dispatch mode looks on
        results = operator(*args, **(kwargs or {}))
        for result in tree_leaves(results):
            if isinstance(result, Tensor):
                self.count(result.untyped_storage())
        return results

    def count(self, storage: Any) -> None:
        """A storage, until it is gone."""
        if storage._cdata in self.known or storage in self.seen:
            return
        self.seen.add(storage)
        self.now += storage.nbytes()
        self.highest = max(self.highest, self.now)
        weakref.finalize(storage, self.lose, storage.nbytes())

    def lose(self, nbytes: int) -> None:
        """A storage is gone."""
        self.now -= nbytes

    def taken(self) -> int:
        """The most since this was asked last."""
        highest, self.highest = self.highest, self.now
        return highest


def training(module: nn.Module, xs: list[Tensor], target: Tensor) -> dict[str, int]:
    """What a step keeps, and the most that lives in it before the update and in it."""
    module.train()
    with Saved() as saved:
        loss_of(module(*xs), target)
    kept = sum(saved.without(module).values())
    del saved
    adam = torch.optim.Adam(module.parameters(), lr=1e-6, foreach=False)
    sums = sums_of(loss_of(module(*xs), target))
    adam.step()
    adam.zero_grad(set_to_none=True)
    state = [x for each in adam.state.values() for x in each.values() if isinstance(x, Tensor)]
    gc.collect()
    with Living((*xs, target, *module.parameters(), *module.buffers(), *state), sums) as living:
        loss = loss_of(module(*xs), target)
        living.goes_back = True
        loss.backward()
        step, living.goes_back = living.taken(), False
        adam.step()
        update = living.taken()
    return {"kept": kept, "step": step, "update": update}


def record(case: Network) -> list[Any]:
    """A network's entry, as the file has it."""
    module, xs = built(case), examples(case)
    most, where = inference(module, xs)
    with torch.no_grad():
        target = target_of(module(*xs))
    figures = {"inference": most, **training(module, xs, target)}
    print(case.name, figures, where, file=sys.stderr)
    return [case.name, dict(case.options), case.inputs, case.batch, figures]


def record_layers() -> Iterator[list[Any]]:
    """Each layer that makes an output of its own: kind, options, input shapes, batch, inference peak."""
    for case in layers():
        options: dict[str, Any] = {}
        if case.kind in ("rnn", "lstm", "gru", "multi_head_attention"):
            case.module.batch_first = True
        if isinstance(case.module, nn.MultiheadAttention):
            options = {"need_weights": False, "is_causal": case.options.get("causal", False)}
        xs = [example(case.kind, (BATCHES[0], *shape)) for shape in case.inputs]
        module = case.module.eval() if isinstance(case.module, nn.Module) else case.module
        own = (*module.parameters(), *module.buffers()) if isinstance(module, nn.Module) else ()
        torch.backends.mha.set_fastpath_enabled(False)
        with torch.no_grad(), Operators(own, xs) as operators:
            y = module(*attended(case, xs), **options)
        output = y[0] if isinstance(y, tuple) else y
        if not set(operators.numbered([output])) & set(operators.given):
            yield [case.kind, case.options, case.inputs, BATCHES[0], operators.peak([output])[0]]


class HandedBack(torch.autograd.Function):
    """A number that stands for what follows a tensor, whose gradient backward makes."""

    @staticmethod
    def forward(context: Any, y: Tensor) -> Tensor:
        """Nothing is kept of y."""
        context.shape = y.shape
        return torch.zeros(())

    @staticmethod
    def backward(context: Any, _: Tensor) -> Tensor:
        """Ones."""
        return torch.ones(context.shape)


def record_backwards() -> Iterator[list[Any]]:
    """Each layer in training whose output has a gradient."""
    for case in layers():
        module, options = case.module, dict[str, Any]()
        if isinstance(module, nn.Module):
            module.train()
        for name, value in (("inplace", False), ("batch_first", True)):
            if hasattr(module, name):
                setattr(module, name, value)
        if isinstance(module, nn.MultiheadAttention):
            options = {"need_weights": False, "is_causal": case.options.get("causal", False)}
        xs = [example(case.kind, (BATCHES[0], *shape)) for shape in case.inputs]
        xs = [x.requires_grad_() if x.is_floating_point() else x for x in xs]
        own = (*module.parameters(), *module.buffers()) if isinstance(module, nn.Module) else ()
        wanted = [x for x in (*xs, *own) if x.requires_grad]
        if not wanted or not tree_leaves(module(*attended(case, xs), **options))[0].requires_grad:
            continue
        with Living((*xs, *own), ()) as living:
            end = HandedBack.apply(tree_leaves(module(*attended(case, xs), **options))[0])
            gc.collect()
            living.taken()
            gradients = torch.autograd.grad(end, wanted, allow_unused=True)
            highest = living.taken() - 2 * end.nbytes  # the number and its own gradient
        del gradients, end
        yield [case.kind, case.options, case.inputs, BATCHES[0], highest]


def main() -> None:
    """Record every network, or those that are named, and write the file."""
    torch.set_num_threads(1)
    path = Path(__file__).with_name("memory.json")
    known = {each[0]: each for each in json.loads(path.read_text())["networks"]} if sys.argv[1:] else {}
    versions = [module.__version__.split("+")[0] for module in (torch, torchvision)]
    source = "PyTorch {}, torchvision {}, recorded by make_memory.py".format(*versions)
    torch.backends.mkldnn.enabled = False
    alone, back = (
        ",\n".join(json.dumps(each, separators=(",", ":")) for each in found)
        for found in (record_layers(), record_backwards())
    )
    for case in NETWORKS:
        if not sys.argv[1:] or case.name in sys.argv[1:]:
            # the recurrent networks without oneDNN, whose LSTM keeps a workspace of its own
            torch.backends.mkldnn.enabled = not case.entries
            known[case.name] = record(case)
            listed = (known[each.name] for each in NETWORKS if each.name in known)
            lines = ",\n".join(json.dumps(each, separators=(",", ":")) for each in listed)
            parts = f'"layers":[\n{alone}\n],"ways_back":[\n{back}\n],"networks":[\n{lines}\n]'
            text = f'{{"source":{json.dumps(source)},{parts}}}\n'
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
