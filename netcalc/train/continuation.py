"""How a language model continues a row of tokens: each time by the token of the highest score."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from netcalc.backend import Network
from netcalc.backend.errors import refuse
from netcalc.backend.inputs import token_inputs
from netcalc.backend.kernels.base import Array
from netcalc.backend.ranking import best_classes
from netcalc.graph import Graph
from netcalc.layers.softmax import Softmax
from netcalc.tensor import format_shape
from netcalc.train.forward import Forward

_TOLERANCE = 1e-3


class NextToken(NamedTuple):
    """A token that follows, and its probability."""

    token: int
    probability: float


def require_language_model(graph: Graph) -> None:
    """Raise ExecutionError unless one input is a row of tokens, and the output scores of the next ones."""
    names, output = [given.name for given in graph.inputs], graph.outputs[0]
    given, scores = graph.inputs[0].type.shape, graph.types[output].shape
    is_row = len(names) == len(given) == 1 and bool(token_inputs(graph))
    if not is_row or len(scores) != 2 or scores[0] != given[0]:
        refuse(
            "E944",
            f"{graph.name} continues no tokens: its input is {format_shape(given)}, its output {output} "
            f"{format_shape(scores)}, not scores of the next token at each",
        )


def continued(network: Network, tokens: Sequence[int], count: int) -> Iterator[NextToken]:
    """The `count` tokens that follow, each the best by its score (greedy decoding).

    A row shorter than the network's input is filled up behind its end, a longer one cut at its beginning.
    Raises ExecutionError for tokens that the network does not have, and where the filling changes what is
    predicted, since the network reads ahead.
    """
    graph = network.graph
    require_language_model(graph)
    ((name, entries),) = token_inputs(graph).items()
    for token in tokens:
        if not 0 <= token < entries:
            refuse("E944", f"there is no token {token}: the embedding of {name} has {entries:,} entries")
    row = [*tokens]
    with Forward(network) as forward:
        for number in range(count):
            scores = _scores(forward, graph, name, row, filler=0)
            if number == 0 and entries > 1:
                _require_same(graph, scores, _scores(forward, graph, name, row, filler=1))
            best = best_classes(scores[None], 1, are_probabilities=_are_probabilities(graph))
            ((token, probability),) = best[0]
            if token >= entries:
                refuse("E944", f"the token {token} follows, which the embedding of {name} does not have")
            row.append(token)
            yield NextToken(token, probability)


def _scores(forward: Forward, graph: Graph, name: str, row: Sequence[int], filler: int) -> Array:
    """The scores of the token after a row."""
    (length,) = graph.inputs[0].type.shape
    window = row[-length:]
    x = np.full((1, length), filler)
    x[0, : len(window)] = window
    scores: Array = forward({name: x})[graph.outputs[0]][0, len(window) - 1]
    return scores


def _require_same(graph: Graph, scores: Array, others: Array) -> None:
    """Raise ExecutionError where scores depend on what comes behind them."""
    if not np.allclose(scores, others, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True):
        refuse(
            "E944",
            f"{graph.name} reads tokens ahead, so that none can be predicted one by one",
            help="give its attention `causal: true`",
        )


def _are_probabilities(graph: Graph) -> bool:
    return type(graph.node(graph.outputs[0]).layer) is Softmax
