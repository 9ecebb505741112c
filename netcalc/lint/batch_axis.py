"""N703: a batch axis in the input."""

from collections.abc import Iterator

from netcalc.graph.images import image_in_batch
from netcalc.lint.net import Net
from netcalc.lint.rule import Finding, Rule


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
            image = image_in_batch(shape)
            if image and readers:
                sizes = ", ".join(map(str, image))
                message = f"the {given.type} of {given.name} look like a batch of {shape[0]} images"
                yield Finding(readers[0], message, help=f"write input: [{sizes}]; sizes leave the batch out")
