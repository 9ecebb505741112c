"""Random numbers for samples: each is a function of seed, epoch, sample and stream alone.

They do not depend on the batch that a sample is in, on the order of batches or on who computes them. The
generator is Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
(SC 2011): ten rounds of multiplications turn a counter and a key into four words of 32 bits.
"""

import numpy as np

from netcalc.backend.kernels.base import Array

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_WORD = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)

ORDER, SPLIT = 2**32 - 1, 2**32 - 2
"""The streams of shuffling and splitting; augmentations have their positions in their list."""

Words = tuple[Array, Array, Array, Array]


def philox(counter: Words, key: tuple[int, int]) -> Words:
    """Four words of 32 bits, held as uint64, for each counter of four such words."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        first, second = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1 = (second >> _HALF) ^ c1 ^ np.uint64(k0), second & _WORD
        c2, c3 = (first >> _HALF) ^ c3 ^ np.uint64(k1), first & _WORD
        k0, k1 = (k0 + _KEY_STEPS[0]) % 2**32, (k1 + _KEY_STEPS[1]) % 2**32
    return c0, c1, c2, c3


class Draws:
    """The random numbers of some samples in one stream, drawn one block after another.

    `indices` are the samples' numbers (N,); `seed` and `epoch` are whole numbers from 0.
    """

    def __init__(self, seed: int, epoch: int, indices: Array, stream: int) -> None:
        first, second = np.random.SeedSequence([seed, epoch]).generate_state(2)
        self._key = int(first), int(second)
        self._indices = np.asarray(indices, np.uint64)
        self._stream = np.uint64(stream)
        self._block = 0

    def words(self) -> Array:
        """Two whole numbers of 64 bits a sample: (2, N)."""
        low, high = self._indices & _WORD, self._indices >> _HALF
        block, stream = (np.full_like(low, number) for number in (self._block, self._stream))
        self._block += 1
        w0, w1, w2, w3 = philox((low, high, block, stream), self._key)
        return np.stack([w0 << _HALF | w1, w2 << _HALF | w3])

    def uniform(self, count: int) -> Array:
        """Numbers from 0 inclusive to 1 exclusive in float64: (count, N)."""
        blocks = [self.words() for _ in range(-(-count // 2))]
        numbers: Array = (np.concatenate(blocks)[:count] >> np.uint64(11)) * 2.0**-53
        return numbers

    def integers(self, most: int) -> Array:
        """Whole numbers from 0 to `most`, both included: (N,)."""
        numbers: Array = (self.uniform(1)[0] * (most + 1)).astype(np.int64)
        return numbers


def shuffled(indices: Array, seed: int, epoch: int) -> Array:
    """The samples in the order of an epoch: sorted by a random word each."""
    words = Draws(seed, epoch, indices, ORDER).words()[0]
    order: Array = indices[np.argsort(words, kind="stable")]
    return order
