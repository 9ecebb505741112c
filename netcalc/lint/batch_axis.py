"""N703: a batch axis in the input."""

from collections.abc import Iterator

from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule
from netcalc.tensor import Shape

COLOURS, MOST_COLOURS = (1, 3), 4
"""The channels of grey and colour images, and a bound that height and width exceed."""


class BatchAxis(Rule):
    """An input has four sizes of which the second is 1 or 3: an image with its batch in front.

    Or the last one is, where the two before it are alike: the same with its channels last.

    Why:
        Sizes in a spec leave the batch out. Read as one more axis, the batch becomes the channels and the
        colours the depth of a volume: the network is another one. `--batch` gives the batch.

    Example:
        input: [32, 3, 64, 64]
        layers:
          - conv: {filters: 16, kernel: 3, pad: 1}
          - relu

    Fix:
        input: [3, 64, 64]
        layers:
          - conv: {filters: 16, kernel: 3, pad: 1}
          - relu
    """

    code = "N703"
    name = "batch-axis"
    severity = "warning"

    def check(self, net: Net) -> Iterator[Finding]:
        for given in net.graph.inputs:
            shape, readers = given.type.shape, net.graph.readers[given.name]
            image = _image(shape)
            if image and readers:
                sizes = ", ".join(map(str, image))
                message = f"the {given.type} of {given.name} look like a batch of {shape[0]} images"
                yield Finding(readers[0], message, help=f"write input: [{sizes}]; sizes leave the batch out")


def _image(shape: Shape) -> Shape:
    """The shape of one image of a batch, channels first; empty where a shape is no batch of images."""
    if len(shape) != 4:
        return ()
    _, *sizes = shape
    if sizes[0] in COLOURS and min(sizes[1:]) > MOST_COLOURS:
        return tuple(sizes)
    is_last = sizes[2] in COLOURS and sizes[0] == sizes[1] > MOST_COLOURS
    return (sizes[2], *sizes[:2]) if is_last else ()
