"""How many positions along an axis strided windows read, against listing them."""

from itertools import product

from netcalc.layers.geometry import output_size, positions_read


def test_positions_are_those_that_some_window_reads() -> None:
    for size, kernel, stride, before, dilation in product(
        range(1, 12), range(1, 5), range(1, 6), range(4), (1, 2, 3)
    ):
        if size + 2 * before < dilation * (kernel - 1) + 1:
            continue
        outputs = output_size(size, kernel, stride, (before, before), dilation)
        cells = (stride * u + dilation * k - before for u in range(outputs) for k in range(kernel))
        listed = len({cell for cell in cells if 0 <= cell < size})
        counted = positions_read(size, outputs, kernel, stride, before, dilation)
        if dilation == 1:
            assert counted == listed
        assert listed - dilation * kernel <= counted <= listed
