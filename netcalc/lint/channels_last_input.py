"""N705: an image whose channels come last."""

from collections.abc import Iterator

from netcalc.layers.axes import channels_first
from netcalc.lint.batch_axis import COLOURS, MOST_COLOURS
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule
from netcalc.tensor import Shape


class ChannelsLastInput(Rule):
    """An input of height, width and 1 or 3 channels is read by a layer that takes channels first.

    With one channel it is found where the other two sizes are alike. A `permute:` before the first
    layer is the other way to mend it.

    Why:
        Sizes are channels, height, width. Read in another order the rows of a picture become its channels,
        and a window runs over its width and its colours: the network is another one.

    Example:
        input: [32, 32, 3]
        layers:
          - conv: {filters: 16, kernel: 3, pad: 1}
          - relu

    Fix:
        input: [3, 32, 32]
        layers:
          - conv: {filters: 16, kernel: 3, pad: 1}
          - relu
    """

    code = "N705"
    name = "channels-last-input"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for given in net.graph.inputs:
            shape, rank = given.type.shape, len(given.type.shape)
            readers = [
                node
                for node in net.graph.readers[given.name]
                if node.layer.reads_axes(rank) == channels_first(rank)
            ]
            if readers and _is_channels_last(shape):
                height, width, channels = shape
                message = f"the {given.type} of {given.name} look like an image with its channels last"
                help = f"write input: [{channels}, {height}, {width}]; channels come first"
                yield Finding(readers[0], message, help=help)


def _is_channels_last(shape: Shape) -> bool:
    """Whether a shape is that of a channels-last image."""
    if len(shape) != 3 or shape[2] not in COLOURS or min(shape[:2]) <= MOST_COLOURS:
        return False
    return shape[2] != 1 or shape[0] == shape[1]
