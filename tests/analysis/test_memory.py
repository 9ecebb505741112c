"""Memory of training: by hand on small networks, by law on the zoo."""

import pytest

from netcalc import load
from netcalc.analysis import analyze
from netcalc.analysis.allocations import Bytes
from netcalc.analysis.losses import LossName
from netcalc.analysis.memory import Checkpoint, TrainingMemory, inference, training, training_peak
from netcalc.graph import Graph

from helpers import graph_of
from random_graphs import random_graph

NETWORKS = (
    "alexnet",
    "resnet18",
    "densenet121",
    "googlenet",
    "unet",
    "vit_b_16",
    "gpt2",
    "shufflenet_v2_x1_0",
)
WAYS: tuple[Checkpoint, ...] = ("none", "sqrt", 1, 2)
CHAIN = """
input: [10]
layers:
  - linear: {name: a, units: 100, bias: false}
  - relu: {name: s}
  - linear: {name: b, units: 20, bias: false}
"""


def totals(graph: Graph, **options: object) -> list[tuple[str, str | None, int]]:
    """Each event's phase, layer and bytes of one sample, weights and their gradients left out."""
    trained = training(graph, **{"loss": "none", **options})  # type: ignore[arg-type]
    return [
        (
            event.phase,
            None if event.layer is None else graph.nodes[event.layer].full_name,
            event.parts.total.per_sample,
        )
        for event in trained.timeline
    ]


def test_a_chain_by_hand() -> None:
    """The input is kept by a, the activation's output by itself and b; it works in place on a's."""
    forward = [("forward", "a", 440), ("forward", "s", 440), ("forward", "b", 520)]
    back = [
        ("backward", "b", 440 + 80 + 400),
        ("backward", "s", 440 + 400 + 400),
        ("backward", "a", 40 + 400),
        ("update", None, 0),
    ]
    assert totals(graph_of(CHAIN)) == forward + back


def test_weights_and_their_gradients_by_hand() -> None:
    trained = training(graph_of(CHAIN), optimiser="adam", loss="none")
    assert trained.weights.parameters == 3000 * 4
    assert trained.weights.state == 2 * 3000 * 4 + 2 * 4
    assert [event.parts.weight_gradients.fixed for event in trained.timeline] == [
        0,
        0,
        0,
        8000,
        8000,
        12000,
        12000,
    ]
    b, a = 2000 * 4, 1000 * 4
    assert trained.timeline[-1].parts.temporary == Bytes(2 * b + a)  # the roots of b, its denominator, a's
    assert trained.peak(7) == trained.weights.total + 12_000 + 2 * b + a
    assert training(graph_of(CHAIN), loss="none").peak(7) == 12_000 + 8000 + 7 * 1240
    assert training_peak(graph_of(CHAIN), 7) == training(graph_of(CHAIN)).peak(7)


def standing(trained: TrainingMemory) -> int:
    """Bytes of weights, their gradients and the optimiser's state."""
    return trained.weights.total + trained.timeline[-1].parts.weight_gradients.fixed


def test_mixed_precision_takes_sixteen_bytes_a_weight() -> None:
    """Adam in mixed precision, as ZeRO (Rajbhandari et al. 2020) counts it: 2 + 2 + 4 + 4 + 4."""
    graph = graph_of(CHAIN)
    assert standing(training(graph, "float16", "adam")) == 16 * 3000 + 2 * 4
    assert standing(training(graph, "bfloat16", "adam", mixed=False)) == 8 * 3000 + 2 * 4
    assert training(graph, "float64", "momentum").weights.state == 8 * 3000


def test_a_residual_adds_gradients_where_they_lie() -> None:
    """The sum hands its gradient to both branches; the skip's is added to once the other is used up."""
    text = """
    input: [10]
    layers:
      - linear: {name: a, units: 100}
      - residual: {main: [{linear: {name: b, units: 50}}, {linear: {name: c, units: 100}}]}
    """
    assert totals(graph_of(text))[4:] == [
        ("backward", "add1", 40 + 400 + 200 + 400),
        ("backward", "main.c", 40 + 400 + 200 + 400 + 200),
        ("backward", "main.b", 40 + 400 + 400 + 200 + 400),
        ("backward", "a", 40 + 400),
        ("update", None, 0),
    ]


def test_a_gradient_that_others_see_is_not_added_to() -> None:
    """What x + x gives back comes twice, so that their sum is a new one."""
    text = """
    input: [10]
    layers:
      - linear: {name: a, units: 100}
      - add: {name: twice, from: [a, a]}
    """
    assert totals(graph_of(text))[2:4] == [("backward", "twice", 40 + 400), ("backward", "twice", 40 + 800)]


@pytest.mark.parametrize(
    ("kind", "third"),
    [("linear: {units: 50", True), ("conv: {filters: 50, kernel: 1", False)],
    ids=["a view", "in place"],
)
def test_shared_weights_have_one_gradient(kind: str, third: bool) -> None:
    """The second stands beside the first; a linear layer's is a view, so that their sum is a third."""
    text = f"""
    input: {[50] if third else [50, 1]}
    layers:
      - {kind}, name: a, bias: false}}
      - {kind}, share: a, bias: false}}
      - {kind}, share: a, bias: false}}
    """
    events = training(graph_of(text), loss="none").timeline[3:]
    taken = [1, 2, 3, 2, 1] if third else [1, 2, 2, 1]
    assert [event.parts.weight_gradients.fixed for event in events] == [10_000 * times for times in taken]


@pytest.mark.parametrize("loss", ["cross_entropy", "mse", "none"])
def test_the_loss_by_hand(loss: LossName) -> None:
    """20 scores: their logarithms and the gradients of those; or as many values that are wanted."""
    trained = training(graph_of(CHAIN), loss=loss)
    highest = [event.parts.total.at(3) for event in trained.timeline if event.phase == "loss"]
    forward = 3 * 440
    if loss == "cross_entropy":
        logs = 4 + 3 * 80  # one number beside them
        assert trained.loss_saved.at(3) == 3 * 8 + logs
        assert highest == [3 * (8 + 80) + forward + logs, 3 * (8 + 80) + forward + 2 * logs]
    elif loss == "mse":
        assert trained.loss_saved.at(3) == 3 * 2 * 80
        assert highest == [forward + 3 * 2 * 80, forward + 3 * 3 * 80]
    else:
        assert (trained.loss_saved.at(3), highest) == (0, [])


def test_which_outputs_have_a_loss_by_themselves() -> None:
    text = """
    input: [3, 8, 8]
    outputs: [image, scores, words, one]
    layers:
      - conv: {name: image, filters: 4, kernel: 1}
      - flatten: {name: words, start: 1, from: image}
      - flatten: {name: vector, from: image}
      - linear: {name: scores, units: 10}
      - linear: {name: one, units: 1}
    """
    found = training(graph_of(text))
    assert {(loss.output, loss.name) for loss in found.losses} == {
        ("scores", "cross_entropy"),
        ("words", "cross_entropy"),
    }
    assert len(training(graph_of(text), loss="mse").losses) == 4
    with pytest.raises(ValueError, match="loss is one of auto, cross_entropy, mse, none, not 'hinge'"):
        training(graph_of(text), loss="hinge")  # type: ignore[arg-type]


def test_nothing_is_saved_where_no_gradient_goes() -> None:
    """Before the first weights, and on branches that no output depends on."""
    text = """
    input: [4, 8, 8]
    outputs: [out]
    layers:
      - maxpool: {name: pool, kernel: 2}
      - conv: {name: out, filters: 2, kernel: 1}
      - conv: {name: unused, from: pool, filters: 2, kernel: 1}
    """
    trained = training(graph_of(text))
    assert [layer.saved for layer in trained.layers] == [Bytes(), Bytes(per_sample=4 * 16 * 4), Bytes()]
    assert [layer.backward_macs for layer in trained.layers] == [0, 4 * 2 * 16, 0]


@pytest.mark.parametrize("seed", [166, 272, 284, *range(40)])
def test_a_layer_releases_no_more_than_it_saved(seed: int) -> None:
    """While a layer runs back, all that those before it keep beside the tensors is still there."""
    graph = random_graph(seed)
    trained = training(graph)
    beside = [trained.saved_tensors[node.full_name].each.nbytes(4) for node in graph.nodes]
    ran_back = {event.layer for event in trained.timeline if event.phase == "backward"}
    for event in trained.timeline:
        if event.phase == "backward":
            assert event.layer is not None
            others = sum(beside[layer] for layer in range(event.layer) if layer in ran_back)
            assert event.parts.kept.per_sample >= others


def test_only_a_constant_factor_is_saved() -> None:
    text = """
    inputs: {x: [4], mask: [4]}
    layers:
      - linear: {name: a, from: x, units: 4}
      - multiply: {name: masked, from: [a, mask]}
    """
    trained = training(graph_of(text))
    assert trained.saved_tensors["masked"].inputs == (1,)


def test_a_product_with_a_constant_has_one_gradient() -> None:
    text = """
    inputs: {x: [2, 4], table: [4, 3]}
    layers:
      - linear: {name: a, from: x, units: 4}
      - matmul: {name: product, from: [a, table]}
    """
    trained = training(graph_of(text))
    assert trained.layers[1].backward_macs == 2 * 4 * 3
    assert trained.layers[1].saved == Bytes(per_sample=4 * 3 * 4)


@pytest.mark.parametrize(
    ("shape", "layer", "macs"),
    [
        ("[1, 6]", "lstm: 6", 288), ("[5, 6]", "rnn: {units: 4}", 264),
        ("[5, 6]", "gru: {units: 4, bidirectional: true, layers: 2}", 4368),
        ("[5, 6]", "lstm: {units: 7, last: true, bidirectional: true}", 5208),
    ],
)  # fmt: skip
def test_the_state_before_the_first_step_has_no_gradient(shape: str, layer: str, macs: int) -> None:
    """Multiply-adds as PyTorch's FlopCounterMode finds them."""
    trained = training(graph_of(f"input: {shape}\nlayers:\n  - {layer}\n"))
    assert trained.backward_macs == macs


def test_tokens_are_wide() -> None:
    text = "input: [10]\nlayers:\n  - embedding: {entries: 7, width: 1}\n"
    assert training(graph_of(text)).saved == Bytes(per_sample=80)
    assert inference(graph_of(text), "float16").live == ((0, Bytes(per_sample=100)),)


def test_the_first_layer_has_no_input_gradient() -> None:
    alexnet = training(load("alexnet"))
    assert round(1 + alexnet.backward_macs / alexnet.forward_macs, 2) == 2.90
    groups = "input: [8, 9, 9]\nlayers:\n  - conv: {filters: 8, kernel: 1}\n  - conv: {filters: 16, kernel: 3, groups: 4}\n"
    first, second = training(graph_of(groups)).layers
    assert first.backward_macs == 64 * 81
    assert second.backward_macs == 2 * 16 * 2 * 9 * 49


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_everything_is_given_back(name: str, way: Checkpoint) -> None:
    graph = load(name)
    trained = training(graph, checkpoint=way)
    assert trained.timeline[-1].phase == "update"
    learned = analyze(graph).totals.params * 4
    assert trained.timeline[-1].parts.total == Bytes(fixed=learned)
    assert all(part >= 0 for event in trained.timeline for size in event.parts for part in size)
    assert [segment.start for segment in trained.segments[1:]] == [s.stop for s in trained.segments[:-1]]
    assert (trained.segments[0].start, trained.segments[-1].stop) == (0, len(graph.nodes))


@pytest.mark.parametrize("name", NETWORKS)
def test_checkpoints_take_less_and_run_once_more(name: str) -> None:
    graph = load(name)
    whole, root = training(graph), training(graph, checkpoint="sqrt")
    assert root.peak(64) < whole.peak(64)
    again = [event.layer for event in root.timeline if event.phase == "again"]
    assert sorted(again) == list(range(root.segments[-1].start))
    assert whole.recomputed_macs == 0 < root.recomputed_macs < root.forward_macs or name == "alexnet"
    assert root.backward_macs == whole.backward_macs


def test_checkpoints_by_hand() -> None:
    """The block's inside is forgotten and made again; what goes in stays, and nobody writes over what comes out."""
    text = """
    input: [10]
    blocks:
      pair(): [{linear: {name: a, units: 100}}, {linear: {name: b, units: 30}}]
    layers:
      - pair
      - relu: {name: s}
      - linear: {name: c, units: 5}
    """
    assert totals(graph_of(text), checkpoint=1) == [
        ("forward", "pair1.a", 40 + 400),
        ("forward", "pair1.b", 40 + 400 + 120),
        ("forward", "s", 40 + 120 + 120),
        ("forward", "c", 40 + 120 + 20),
        ("backward", "c", 40 + 120 + 20 + 120),
        ("backward", "s", 40 + 120 + 120 + 120),
        ("again", "pair1.a", 40 + 120 + 400),
        ("again", "pair1.b", 40 + 120 + 400 + 120),
        ("backward", "pair1.b", 40 + 120 + 400 + 400),
        ("backward", "pair1.a", 40 + 400),
        ("update", None, 0),
    ]


def test_a_block_of_one_layer_is_not_forgotten() -> None:
    assert not any(segment.recomputed for segment in training(load("vgg16"), checkpoint=1).segments)


@pytest.mark.parametrize("name", ["alexnet", "resnet18", "gpt2"])
@pytest.mark.parametrize("limit", [2**28, 2**30, 24 * 2**30, 10**12 + 7])
def test_one_more_than_the_largest_batch_does_not_fit(name: str, limit: int) -> None:
    trained = training(load(name), optimiser="adam")
    batch = trained.largest_batch(limit)
    assert batch is not None
    assert trained.peak(batch + 1) > limit
    assert batch == 0 or trained.peak(batch) <= limit


def test_wrong_arguments() -> None:
    graph = graph_of(CHAIN)
    with pytest.raises(ValueError, match="batch is a whole number"):
        training_peak(graph, 0)
    with pytest.raises(ValueError, match="training is in one of float64"):
        training_peak(graph, 1, "int8")
    with pytest.raises(ValueError, match="optimiser is one of sgd"):
        training_peak(graph, 1, optimiser="lion")
    with pytest.raises(ValueError, match="0 is neither none, sqrt, block"):
        training(graph, checkpoint=0)
    with pytest.raises(ValueError, match="dtype is one of"):
        inference(graph, "float8")
