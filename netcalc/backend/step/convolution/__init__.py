"""Convolutions in a training step: the algorithms, one a file, and the operation that chooses.

The reference is `kernels/convolution.py`. The algorithms here are fast, for rows H,C,W,N, and each serves
forward and for the input's gradient:

| file | algorithm | taken for |
|---|---|---|
| `depthwise.py` | products and sums cell by cell, or along rows | a channel a group, images |
| `winograd.py` | minimal filtering, F(2x2,3x3) | 3x3 at stride 1, one group, from 32 channels on, float32 |
| `columns.py` | columns along the rows, then products | all else: groups, signals, volumes |

`operation.py` chooses and computes the weights' gradient, which is always a product of columns.
"""
