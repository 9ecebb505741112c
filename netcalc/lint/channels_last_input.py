"""N705: an image whose channels come last."""

from collections.abc import Iterator

from netcalc.graph.images import image_channels_last
from netcalc.layers.axes import channels_first
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


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
            image = image_channels_last(shape)
            if readers and image:
                sizes = ", ".join(map(str, image))
                message = f"the {given.type} of {given.name} look like an image with its channels last"
                help = f"write input: [{sizes}]; channels come first"
                yield Finding(readers[0], message, help=help)
