"""Record what whole networks give in PyTorch from parameters that netcalc can draw too.

networks.npz, beside this script, holds for each net of network_cases.py its output in float32, thinned where
it is large, and as figures of seeded.py `y`, the output; for some nets also `inputs`, the gradient of the
input, and `parameters`, those of every parameter in netcalc's order; and in training `statistics`, all
running statistics after the run. Everything is from float64.

The numbers go to PyTorch's modules in the order in which they run, which is netcalc's, and every name and
shape inside a module has to be the layer's. A run with the same versions writes the same file:

    pip install torch==2.13.0 torchvision==0.28.0 numpy pyyaml
    PYTHONPATH=. python tests/golden/make_networks.py
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from network_modules import build
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.swin_transformer import ShiftedWindowAttention

from netcalc.graph import Graph

from network_cases import NETWORKS, NetworkCase, thinned
from seeded import Array, Shape, figures, upstream

WHOLE = (nn.MultiheadAttention, ShiftedWindowAttention, nn.RNNBase)
"""Modules that run on their parts' parameters without calling the parts."""
NOT_OURS = ("num_batches_tracked", "relative_position_index")
Tensors = dict[str, Tensor]


def owned(module: nn.Module) -> Tensors:
    """The tensors that a module itself computes with, by its names for them."""
    if isinstance(module, WHOLE):
        state = module.state_dict(keep_vars=True)
    else:
        state = {**module._parameters, **module._buffers}
    return {name: tensor for name, tensor in state.items() if tensor is not None and name not in NOT_OURS}


def layers_as_run(module: nn.Module, xs: list[Tensor]) -> list[Tensors]:
    """The tensors of each layer, in the order in which they are run."""
    seen: dict[nn.Module, Tensors] = {}

    def note(part: nn.Module, _: object) -> None:
        if owned(part) and (isinstance(part, WHOLE) or not list(part.children())):
            seen.setdefault(part, owned(part))

    hooks = [part.register_forward_pre_hook(note) for part in module.modules()]
    with torch.no_grad():
        module(*xs)
    for hook in hooks:
        hook.remove()
    return list(seen.values())


def bare_parameters(module: nn.Module) -> Iterator[Tensors]:
    """Those that belong to no layer: class tokens, positions, layer scales."""
    for part in module.modules():
        if list(part.children()) and not isinstance(part, WHOLE):
            for tensor in part.parameters(recurse=False):
                yield {"weight": tensor}


def tensors_in_order(graph: Graph, module: nn.Module, xs: list[Tensor]) -> list[tuple[str, Tensor]]:
    """Every tensor with netcalc's name for it inside its layer, in netcalc's order."""
    layers, bare = iter(layers_as_run(module, xs)), bare_parameters(module)
    ordered = []
    for node in graph.nodes:
        if node.params and node.shared is None:
            tensors = next(bare if node.layer.kind == "parameter" else layers)
            ours = {spec.name: without_ones(spec.shape) for spec in node.params}
            theirs = {name: without_ones(tuple(tensor.shape)) for name, tensor in tensors.items()}
            if ours != theirs:
                raise ValueError(f"{node.full_name} has {ours}, what PyTorch runs in its place {theirs}")
            ordered += [(spec.name, tensors[spec.name]) for spec in node.params]
    if list(layers) or list(bare):
        raise ValueError("PyTorch has more layers")
    return ordered


def without_ones(shape: Shape) -> Shape:
    """A shape without its axes of size 1, which class tokens have one more of in PyTorch."""
    return tuple(size for size in shape if size != 1)


def given_inputs(case: NetworkCase, graph: Graph) -> list[Tensor]:
    """What the network reads."""
    arrays = [torch.from_numpy(case.given(input.name, input.type.shape)) for input in graph.inputs]
    return [x.long() for x in arrays] if case.tokens else [x.double().requires_grad_() for x in arrays]


def record(case: NetworkCase) -> dict[str, Array]:
    """Run a network, backward too where wanted, and return what is written down."""
    graph = case.graph
    module = build(Path(case.spec).stem).double().eval()
    xs = given_inputs(case, graph)
    ordered = tensors_in_order(graph, module, xs)
    shapes = [spec.shape for node in graph.nodes if node.shared is None for spec in node.params]
    for number, ((name, tensor), shape) in enumerate(zip(ordered, shapes, strict=True)):
        values = case.parameter(number, name, shape)
        tensor.data.copy_(torch.from_numpy(values).reshape(tensor.shape))
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:  # fused ones hide products
        y: Tensor = module.train(case.training)(*xs)
    results = {"logits": thinned(y.detach().numpy()).astype(np.float32), "y": recorded([y])}
    if case.gradients:
        y.backward(torch.from_numpy(upstream(case.name, tuple(y.shape))).double())
        learned = [tensor.grad for _, tensor in ordered if isinstance(tensor, nn.Parameter)]
        results |= {
            "inputs": recorded([x.grad for x in xs if x.grad is not None]),
            "parameters": recorded(learned),
        }
    if case.training:
        running = [tensor for _, tensor in ordered if not isinstance(tensor, nn.Parameter)]
        results["statistics"] = recorded(running)
    first, second, *_ = y.detach().unbind()
    apart = float((first - second).norm() / first.norm())
    params = sum(parameter.numel() for parameter in module.parameters())
    print(f"{case.name}: {tuple(y.shape)}, deviation {float(first.std()):.3g}, samples apart by {apart:.2f}")
    print(f"  {params} parameters, {counter.get_total_flops() // 2 // len(y)} multiply-adds")
    return results


def recorded(tensors: list[Tensor]) -> Array:
    """A row of figures for each tensor."""
    return np.array([figures(tensor.detach().numpy()) for tensor in tensors])


def main() -> None:
    """Record every network and write the file."""
    torch.set_num_threads(1)
    found = {f"{case.name}/{what}": array for case in NETWORKS for what, array in record(case).items()}
    path = Path(__file__).with_name("networks.npz")
    np.savez_compressed(path, allow_pickle=False, **found)
    print(f"{len(NETWORKS)} networks, {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
