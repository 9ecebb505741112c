"""Record PyTorch's losses, schedules and training, from inputs and parameters that netcalc can draw too.

training.json, beside this script, holds in the order of training_cases.py
- `losses`: each loss in float64, its value and the figures of seeded.py of its gradient,
- `schedules`: each step's factor of the learning rate,
- `trajectories`: for some steps of a training in float64 the loss and each parameter's figures; where weights are
  averaged also those of the averages at the end,
- `curves`: all losses of the trainings of whole networks, in float64 and in float32.

A run with the same versions writes the same file:

    pip install torch==2.13.0 numpy pyyaml
    PYTHONPATH=. python tests/golden/make_training.py
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from seeded import figures
from training_cases import (
    CURVES,
    LOSS_CASES,
    SCHEDULE_CASES,
    TRAJECTORIES,
    LossCase,
    ScheduleCase,
    TrainingCase,
)


class Residual(nn.Module):
    """The network RESIDUAL of training_cases.py."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.stem_norm = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.conv1, self.norm1 = nn.Conv2d(8, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16)
        self.conv2, self.norm2 = nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        self.project, self.project_norm = nn.Conv2d(8, 16, 1, 2, bias=False), nn.BatchNorm2d(16)
        self.classifier = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        """N,3,12,12 to N,10."""
        x = self.stem_norm(self.stem(x)).relu()
        main = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu()))
        x = (main + self.project_norm(self.project(x))).relu()
        y: Tensor = self.classifier(x.mean((2, 3)))
        return y


class Decoder(nn.Module):
    """A layer of the network GPT of training_cases.py."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(16), nn.MultiheadAttention(16, 2, batch_first=True)
        self.norm2, self.up, self.down = nn.LayerNorm(16), nn.Linear(16, 32), nn.Linear(32, 16)

    def forward(self, x: Tensor) -> Tensor:
        """N,T,16 to N,T,16."""
        z, mask = self.norm1(x), torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        x = x + self.attention(z, z, z, attn_mask=mask, need_weights=False)[0]
        y: Tensor = x + self.down(functional.gelu(self.up(self.norm2(x))))
        return y


class Transformer(nn.Module):
    """The network GPT of training_cases.py."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(256, 16)
        self.positions = nn.ParameterList([torch.zeros(16, 16)])
        self.decoders, self.norm = nn.Sequential(Decoder(), Decoder()), nn.LayerNorm(16)

    def forward(self, tokens: Tensor) -> Tensor:
        """N,16 to N,16,256."""
        x = self.decoders(self.words(tokens.long()) + self.positions[0])
        y: Tensor = self.norm(x) @ self.words.weight.T
        return y


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "small": lambda: nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Tanh(), nn.Linear(8, 5)),
    "residual": Residual,
    "gpt": Transformer,
    "lenet5": lambda: nn.Sequential(
        nn.Conv2d(1, 20, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(20, 50, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(2450, 500), nn.ReLU(), nn.Linear(500, 10),
    ),
}  # fmt: skip


def loss_of(case: LossCase, outputs: Tensor, targets: Tensor) -> Tensor:
    """The loss that netcalc's is named after."""
    options = dict(case.options)
    if case.loss == "cross_entropy":
        weights = torch.tensor(options["weights"], dtype=outputs.dtype) if "weights" in options else None
        classes_second = outputs.movedim(-1, 1) if outputs.dim() == 3 else outputs
        return functional.cross_entropy(
            classes_second, targets, weights, ignore_index=options.get("ignored", -100),
            label_smoothing=options.get("label_smoothing", 0.0),
        )  # fmt: skip
    if case.loss == "hinge":
        power = 2 if options.get("squared") else 1
        return functional.multi_margin_loss(outputs, targets, p=power, margin=options.get("margin", 1.0))
    if case.loss == "bce":
        weight = torch.tensor(options.get("positive_weight", 1.0), dtype=outputs.dtype)
        return functional.binary_cross_entropy_with_logits(outputs, targets, pos_weight=weight)
    if case.loss == "huber":
        return functional.huber_loss(outputs, targets, delta=options.get("delta", 1.0))
    return {"mse": functional.mse_loss, "l1": functional.l1_loss}[case.loss](outputs, targets)


def record_loss(case: LossCase) -> list[Any]:
    """The loss, and the figures of its gradient."""
    outputs = torch.from_numpy(case.outputs).requires_grad_()
    loss = loss_of(case, outputs, torch.from_numpy(case.targets))
    loss.backward()
    assert outputs.grad is not None
    return [loss.item(), figures(outputs.grad.numpy())]


def scheduler_of(case: ScheduleCase, optimiser: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
    """The scheduler that netcalc's schedule is named after; the optimiser's learning rates are the highest."""
    given, each = case.options, case.steps_per_epoch
    warmup = round(given.get("warmup", 0) * each)
    rates = [group["lr"] for group in optimiser.param_groups]
    after: lr_scheduler.LRScheduler
    if case.schedule == "one_cycle":
        start, final = given.get("start", 0.04), given.get("final", 4e-6)
        shape = "linear" if given.get("shape") == "linear" else "cos"
        return lr_scheduler.OneCycleLR(
            optimiser, rates, case.steps, pct_start=given.get("rise", 0.3), anneal_strategy=shape,
            cycle_momentum=False, div_factor=1 / start, final_div_factor=start / final,
        )  # fmt: skip
    if case.schedule == "step":
        decay = given.get("decay", 0.1)
        if "at" in given:
            after = lr_scheduler.MultiStepLR(optimiser, [epoch * each for epoch in given["at"]], decay)
        else:
            after = lr_scheduler.StepLR(optimiser, given["every"] * each, decay)
    elif case.schedule == "cosine":
        # its lowest rate is one for all groups, a factor here: each group's is what it would be
        after = lr_scheduler.LambdaLR(optimiser, cosine(case, warmup))
    else:
        after = lr_scheduler.ConstantLR(optimiser, factor=1.0)
    if not warmup:
        return after
    before = lr_scheduler.LinearLR(optimiser, given.get("warmup_start", 0.01), total_iters=warmup)
    return lr_scheduler.SequentialLR(optimiser, [before, after], [warmup])


def cosine(case: ScheduleCase, warmup: int) -> Callable[[int], float]:
    """The factors that CosineAnnealingLR gives a learning rate of 1."""
    one = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    steps = case.steps - warmup
    scheduler = lr_scheduler.CosineAnnealingLR(one, steps, case.options.get("final", 0.0))
    factors = []
    for _ in range(steps + 1):
        factors.append(scheduler.get_last_lr()[0])
        one.step()
        scheduler.step()
    return factors.__getitem__


def record_schedule(case: ScheduleCase) -> list[float]:
    """The factor of each step."""
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, factors = scheduler_of(case, optimiser), []
    for step in range(case.steps):
        factors.append(float(f"{scheduler.get_last_lr()[0]:.13g}"))
        optimiser.step()
        if step + 1 < case.steps:
            scheduler.step()
    return factors


def optimiser_of(case: TrainingCase, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    """The optimiser that netcalc's is named after."""
    given = {name: value for name, value in case.options.items() if name not in ("weight_decay", "decay_all")}
    betas = {"betas": (given.pop("beta1", 0.9), given.pop("beta2", 0.999))}
    if case.optimiser in ("momentum", "nesterov"):
        given = {"momentum": 0.9, "nesterov": case.optimiser == "nesterov", **given}
        return torch.optim.SGD(groups, **given, foreach=False)
    if case.optimiser == "adam":
        decoupled = given.pop("decoupled", False)
        return torch.optim.Adam(groups, **given, **betas, decoupled_weight_decay=decoupled, foreach=False)
    if case.optimiser == "adamw":
        return torch.optim.AdamW(groups, **given, **betas, foreach=False)
    classes = {"sgd": torch.optim.SGD, "adagrad": torch.optim.Adagrad, "rmsprop": torch.optim.RMSprop}
    return classes[case.optimiser](groups, **given, foreach=False)


def groups_of(case: TrainingCase, named: dict[str, nn.Parameter]) -> list[dict[str, Any]]:
    """A group for each parameter: biases, norms and positions do not decay unless all do."""
    decay = case.options.get("weight_decay", 0.01 if case.optimiser == "adamw" else 0.0)
    groups = []
    for name, tensor in named.items():
        rate = case.options["lr"]
        for pattern, factor in case.factors.items():
            if name.startswith(f"{pattern}.") or name.endswith(pattern.removeprefix("*")):
                rate = case.options["lr"] * factor
        decays = (tensor.dim() > 1 and name != "positions.weight") or case.options.get("decay_all", False)
        groups.append({"params": [tensor], "lr": rate, "weight_decay": decay if decays else 0.0})
    return groups


def train(case: TrainingCase, dtype: torch.dtype) -> dict[str, Any]:
    """Every loss; at the recorded steps the figures of all parameters; of the averages those at the end."""
    model = NETWORKS[case.network]().to(dtype)
    learned = [
        f"{node.full_name}.{spec.name}"
        for node in case.graph.nodes
        for spec in node.params
        if spec.trainable and node.shared is None
    ]
    named = dict(zip(learned, model.parameters(), strict=True))
    with torch.no_grad():
        for name, tensor in named.items():
            tensor.copy_(torch.from_numpy(case.parameter(name, tuple(tensor.shape))))
    optimiser = optimiser_of(case, groups_of(case, named))
    scheduler = scheduler_of(ScheduleCase(case.schedule, case.schedule_options, case.steps), optimiser)
    averaged = None
    if case.average is not None:
        averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(case.average))
        averaged.update_parameters(model)
    losses, at = [], {}
    for step in range(case.steps):
        optimiser.zero_grad()
        total = 0.0
        for part in range(case.accumulate):
            x, labels = map(torch.from_numpy, case.batch(step * case.accumulate + part))
            loss = (
                functional.cross_entropy(model(x.to(dtype)).flatten(0, -2), labels.flatten())
                / case.accumulate
            )
            loss.backward()
            total += loss.item()
        if case.clip_norm is not None:
            nn.utils.clip_grad_norm_(model.parameters(), case.clip_norm, foreach=False)
        if case.clip_value is not None:
            nn.utils.clip_grad_value_(model.parameters(), case.clip_value, foreach=False)
        optimiser.step()
        if step + 1 < case.steps:
            scheduler.step()
        if averaged is not None:
            averaged.update_parameters(model)
        losses.append(float(f"{total:.13g}"))
        if step + 1 in case.recorded_steps:
            at[step + 1] = [figures(tensor.detach().numpy()) for tensor in named.values()]
    averages = [figures(tensor.detach().numpy()) for tensor in averaged.parameters()] if averaged else []
    return {"losses": losses, "parameters": at, "averages": averages}


def trajectory(case: TrainingCase) -> dict[str, Any]:
    """A training's record without the losses between the recorded steps."""
    found = train(case, torch.float64)
    return {**found, "losses": [found["losses"][step - 1] for step in case.recorded_steps]}


def curve(case: TrainingCase) -> dict[str, list[float]]:
    """The losses in both precisions; float32 with the digits that it has."""
    single = train(case, torch.float32)["losses"]
    return {
        "float64": train(case, torch.float64)["losses"],
        "float32": [float(f"{loss:.9g}") for loss in single],
    }


def main() -> None:
    """Write the file, a line a case."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    parts: dict[str, list[Any]] = {
        "losses": [record_loss(case) for case in LOSS_CASES],
        "schedules": [record_schedule(case) for case in SCHEDULE_CASES],
        "trajectories": [trajectory(case) for case in TRAJECTORIES],
        "curves": [curve(case) for case in CURVES],
    }
    source = "PyTorch {}, recorded by make_training.py".format(torch.__version__.split("+")[0])
    lines = [f'"source": {json.dumps(source)}']
    for name, entries in parts.items():
        rows = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
        lines.append(f'"{name}": [\n{rows}\n]')
    text = "{" + ",\n".join(lines) + "}\n"
    Path(__file__).with_name("training.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
