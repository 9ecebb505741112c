"""Augmentation: pictures changed at random, each epoch anew, a batch at a time.

What happens to a sample is drawn from seed, epoch and its number (`netcalc.train.draws`): it does not depend
on the batch, the order or the thread that it is computed in. Pictures are N,C,H,W, floats from 0 to 1, before
they are normalised.
"""

from netcalc.train.augmentation.chain import AUGMENTATIONS, Augmentation, parsed

__all__ = ["AUGMENTATIONS", "Augmentation", "parsed"]
