"""Input sizes that probably are an image in another layout: with its batch, or with its channels last."""

from netcalc.tensor import Shape, format_shape

COLOURS, MOST_COLOURS = (1, 3), 4
"""The channels of grey and colour images, and a bound that height and width exceed."""


def image_in_batch(shape: Shape) -> Shape:
    """The shape of one image of a batch, channels first; empty where a shape is no batch of images."""
    if len(shape) != 4:
        return ()
    _, *sizes = shape
    if sizes[0] in COLOURS and min(sizes[1:]) > MOST_COLOURS:
        return tuple(sizes)
    is_last = sizes[2] in COLOURS and sizes[0] == sizes[1] > MOST_COLOURS
    return (sizes[2], *sizes[:2]) if is_last else ()


def image_channels_last(shape: Shape) -> Shape:
    """The shape, channels first, of an image whose channels are last; empty where it is none."""
    if len(shape) != 3 or shape[2] not in COLOURS or min(shape[:2]) <= MOST_COLOURS:
        return ()
    return (shape[2], *shape[:2]) if shape[2] != 1 or shape[0] == shape[1] else ()


def likely_sizes(name: str, shape: Shape, option: str | None = None) -> str | None:
    """What to write instead of sizes that look like an image in another layout, in a spec or an option."""
    batched, turned = image_in_batch(shape), image_channels_last(shape)
    if not batched and not turned:
        return None
    sizes = f"[{', '.join(map(str, batched or turned))}]"
    if option is not None:
        sizes = f"{option} {format_shape(batched or turned)}"
    doubt = "is the batch in it? Sizes leave it out" if batched else "are the channels last? They come first"
    return f"{name} is {format_shape(shape)}: {doubt}, write {sizes}"
