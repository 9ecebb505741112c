"""Convolutions in a plan: the algorithms, one a file, the rule that chooses among them, the operation.

The reference is `kernels/convolution.py`, which sums over the kernel's cells as the formula does. The
algorithms here are fast, for images N,H,W,C. Each states its formula and source on top of its file:

| file | algorithm | taken for |
|---|---|---|
| `direct.py` | a matrix product | 1x1 kernels at stride 1 |
| `winograd.py` | minimal filtering: F(4x4,3x3), F(2x2,3x3), F(2x2,5x5) | 3x3, 5x5 at stride 1, float32 |
| `depthwise.py` | one fused multiply and add along the channels | a filter for each channel |
| `planar.py` | columns of planes, then a product | images as they come, of up to 4 channels |
| `im2col.py` | columns of pixels, then a product | everything else: strides, dilation, other kernels |

`choice.py` is the rule; docs/inference.md gives the measurements behind it. In float64, which is chosen
for accuracy, only plain sums of products are used. `algorithm.py` is the interface: an algorithm yields
NumPy calls on views. `operation.py` runs it for one layer, with the batch norm folded into the weights.
"""
