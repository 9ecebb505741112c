"""What a layer says of itself, against what its kernel does: linear, bounded, rectifying, its axes, positions."""

import random

import numpy as np
import pytest

from netcalc.backend.kernels.base import Array
from netcalc.tensor import TensorType

from cases import Case
from test_kernels import SMALL, inputs, network, run


def named(cases: list[Case]) -> pytest.MarkDecorator:
    assert cases
    return pytest.mark.parametrize("case", cases, ids=str)


@named([case for case in SMALL if case.layer.linear and getattr(case.layer, "running", True)])
def test_a_linear_layer_maps_sums_to_sums(case: Case) -> None:
    (name, x), *_ = inputs(case).items()
    made, z = network(case), np.cos(np.arange(x.size)).reshape(x.shape)

    def f(value: Array) -> Array:
        return made.run({name: value}).outputs["y"]

    np.testing.assert_allclose(f(x + z) + f(0 * x), f(x) + f(z), atol=1e-9)


@named([case for case in SMALL if case.layer.family == "activation"])
def test_bounds_and_what_is_cut_off(case: Case) -> None:
    (name, x), *_ = inputs(case).items()
    far = run(case, {name: x * 1e4})
    assert (np.abs(far).max() <= 6) == case.layer.bounded
    assert (not run(case, {name: -np.abs(x) - 4}).any()) >= case.layer.rectifies


def reshapes(count: int) -> list[Case]:
    """The same elements in shapes that do not nest."""
    choose = random.Random(4)
    found = []
    while len(found) < count:
        sizes = [tuple(choose.choice((1, 2, 3, 4, 6)) for _ in range(choose.randint(1, 4))) for _ in range(2)]
        if np.prod(sizes[0]) == np.prod(sizes[1]):
            found.append(Case("reshape", {"shape": sizes[1]}, (sizes[0],)))
    return found


@named([case for case in SMALL if case.layer.view is not None and len(case.inputs) == 1] + reshapes(60))
def test_axes_run_along_those_that_they_came_from(case: Case) -> None:
    (name, x), *_ = inputs(case, batch=1).items()
    shape = case.inputs[0]
    found = case.layer.source_axes(case.types[0])
    for source, size in enumerate(shape):
        along = np.arange(size).reshape([-1 if axis == source else 1 for axis in range(len(shape))])
        y = run(case, {name: np.broadcast_to(along, shape)[np.newaxis].astype(x.dtype)})[0]
        for axis, sources in enumerate(found):
            varies = y.shape[axis] > 1 and bool(np.ptp(y, axis=axis).any())
            assert (source in sources) >= varies
            assert varies or y.shape[axis] == 1 or size == 1 or source not in sources
    assert len(found) == len(case.layer.infer((case.types[0],)).shape)


SEQUENCES = [
    case
    for case in SMALL
    if case.layer.family in ("attention", "recurrent", "linear", "activation")
    and len(case.inputs) == 1
    and len(case.inputs[0]) == 2
    and case.kind not in ("pooled_attention", "softmax", "log_softmax")
    and not getattr(case.layer, "last", False)
]


@named(SEQUENCES)
def test_positions_are_told_where_their_order_matters(case: Case) -> None:
    (name, x), *_ = inputs(case).items()
    turned = run(case, {name: x[:, ::-1]})
    same = np.allclose(turned[:, ::-1], run(case, {name: x}), atol=1e-9)
    assert same != case.layer.tells_positions(case.types)


def types_of(case: Case) -> tuple[TensorType, TensorType]:
    return case.types[0], case.layer.infer(case.types)


@named([case for case in SMALL if case.layer.is_identity(*types_of(case))])
def test_an_identity_gives_its_input(case: Case) -> None:
    (name, x), *_ = inputs(case).items()
    np.testing.assert_array_equal(run(case, {name: x}), x)


@named([case for case in SMALL if case.layer.rearranges])
def test_what_rearranges_gives_elements_of_its_input_or_a_constant(case: Case) -> None:
    (name, x), *_ = inputs(case).items()
    constant = getattr(case.layer, "value", 0.0)
    assert np.isin(run(case, {name: x}), [*x.flat, constant]).all()


@named([case for case in SMALL if case.layer.weighted])
def test_outputs_run_along_an_axis_of_the_weights(case: Case) -> None:
    x, y = types_of(case)
    weight, axis = case.layer.params((x,))[0], case.layer.output_axis
    assert axis is not None
    groups = getattr(case.layer, "groups", 1) if axis else 1
    assert weight.shape[axis] * groups == y.shape[case.layer.channel_axis]


@named([case for case in SMALL if case.layer.overwrites_input])
def test_what_overwrites_its_input_is_of_its_shape(case: Case) -> None:
    x, y = types_of(case)
    assert x == y


@named([case for case in SMALL if case.layer.sliding_window() is not None])
def test_a_sliding_window_covers_its_outputs(case: Case) -> None:
    (x, y), window = types_of(case), case.layer.sliding_window()
    assert window is not None
    ceil = getattr(case.layer, "ceil", False)
    assert window.output_sizes(x.shape[1:], ceil) == y.shape[1:]
    assert window.windows() == case.layer.window((x,))
