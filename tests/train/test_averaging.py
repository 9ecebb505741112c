"""The average of a network's weights; its updates are compared with PyTorch's in test_golden_training.py."""

import numpy as np
import pytest

from netcalc.backend import Network
from netcalc.train.averaging import WeightAverage
from netcalc.train.configurable import OptionError

from helpers import graph_of

SPEC = """input: [2, 4, 4]
layers:
  - conv: {filters: 3, kernel: 3}
  - batchnorm
  - linear: {units: 2, trainable: false}
"""
TRAINED = {"conv1.weight", "conv1.bias", "batchnorm1.weight", "batchnorm1.bias"}


def moved(decay: float = 0.75) -> tuple[Network, WeightAverage]:
    """A network whose weights went from 1 to 3, and its average."""
    network = Network(graph_of(SPEC))
    for array in network.parameters().values():
        array[...] = 1
    average = WeightAverage(network, decay=decay)
    for array in network.parameters().values():
        array[...] = 3
    average.update()
    return network, average


def test_the_average_follows_the_weights() -> None:
    network, average = moved()
    assert average.state().keys() == TRAINED
    for array in average.state().values():
        np.testing.assert_array_equal(array, 1.5)
    average.update()
    assert all((array == 1.875).all() for array in average.state().values())
    assert all((array == 3).all() for array in network.parameters().values())


def test_the_network_has_the_averages_for_a_while() -> None:
    network, average = moved()
    own = network.parameters()
    with average.applied():
        assert {name for name, array in own.items() if (array == 1.5).all()} == TRAINED
        assert {name for name, array in own.items() if (array == 3).all()} == own.keys() - TRAINED
    assert all((array == 3).all() for array in own.values())
    assert all((array == 1.5).all() for array in average.state().values())


def test_a_saved_average_goes_on() -> None:
    _, average = moved()
    _, other = moved(decay=0.5)
    other.load_state({name: array.copy() for name, array in average.state().items()})
    assert all((array == 1.5).all() for array in other.state().values())
    with pytest.raises(ValueError, match="the average of the weights lacks batchnorm1.bias"):
        other.load_state({"conv1.weight": np.zeros(3)})


def test_its_decay_is_below_1() -> None:
    with pytest.raises(OptionError, match="ema: decay is a number from 0 to below 1, not 1"):
        moved(decay=1)


def test_an_error_inside_gives_the_weights_back() -> None:
    network, average = moved()

    def fail() -> None:
        with average.applied():
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fail()
    assert all((array == 3).all() for array in network.parameters().values())
