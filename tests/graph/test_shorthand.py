"""A kind's main option, given alone: `linear: 128`."""

import pytest

from netcalc.diagnostics import GraphError
from netcalc.layers import LAYERS

from cases import CASES
from helpers import graph_of

WITH_MAIN = {kind: layer.main for kind, layer in LAYERS.items() if layer.main is not None}


def test_the_kinds_that_people_write_short_have_a_main_option() -> None:
    assert len(WITH_MAIN) >= 30
    assert (WITH_MAIN["linear"], WITH_MAIN["dropout"], WITH_MAIN["maxpool"]) == ("units", "rate", "kernel")
    assert "conv" not in WITH_MAIN


@pytest.mark.parametrize("kind", WITH_MAIN)
def test_the_main_option_is_enough(kind: str) -> None:
    layer = LAYERS[kind]
    assert layer.arity[0] == 1  # `from:` could not be given beside it
    assert {name for name, option in layer.options.items() if option.required} <= {layer.main}


def text_of(value: object) -> str:
    return f"[{', '.join(map(text_of, value))}]" if isinstance(value, tuple) else str(value).lower()


@pytest.mark.parametrize("kind", WITH_MAIN)
def test_short_and_long_are_one(kind: str) -> None:
    main = WITH_MAIN[kind]
    cases = [case for case in CASES if case.kind == kind]
    assert cases
    for case in cases:
        value = text_of(case.options.get(main, LAYERS[kind].options[main].default))
        inputs = "".join(f"  in{number}: {list(shape)}\n" for number, shape in enumerate(case.inputs))
        long, short = (
            f"inputs:\n{inputs}layers:\n  - identity: {{from: in0}}\n  - {item}\n"
            for item in (f"{kind}: {{{main}: {value}}}", f"{kind}: {value}")
        )
        try:
            expected = graph_of(long)
        except GraphError as error:
            with pytest.raises(GraphError) as caught:
                graph_of(short)
            assert [d.message for d in caught.value.diagnostics] == [d.message for d in error.diagnostics]
        else:
            assert graph_of(short).nodes[-1].layer == expected.nodes[-1].layer


def test_a_block_with_one_required_argument() -> None:
    head = "input: [3]\nblocks:\n  unit(n, act='relu'): [{linear: $n}, $act]\n  two(a, b): [relu]\n  none(a=1): [relu]\nlayers:\n"
    assert [node.output.shape for node in graph_of(f"{head}  - unit: 7\n  - unit: $(2 + 3)\n").nodes] == [
        (7,), (7,), (5,), (5,),
    ]  # fmt: skip
    for item in ("two: 3", "none: 3"):
        with pytest.raises(GraphError, match="has no main option"):
            graph_of(f"{head}  - {item}\n")


def test_an_expression_as_kind_and_as_value() -> None:
    graph = graph_of(
        "input: [8]\nargs: {act: leaky_relu, slope: 0.25}\nlayers:\n  - $act: $slope\n  - $act: 0.1\n"
    )
    assert [node.layer.settings()["slope"] for node in graph.nodes] == [0.25, 0.1]
