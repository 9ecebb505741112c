"""The networks that are counted, in PyTorch and in Keras. Each has a spec of the same network for netcalc.

In Keras ResNet-50 is the one of keras.applications, ViT and Swin those of keras_hub.
"""

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

# This module of torchvision fails where PyTorch is not the build that torchvision was compiled for.
sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("unused"))

FOLDER = Path(__file__).parent
SPECS = {
    "resnet50": "resnet50",
    "vit_b_16": "vit_b_16",
    "swin_t": "swin_t",
    "lstm": str(FOLDER / "lstm.yaml"),
    "siamese": str(FOLDER / "siamese.yaml"),
    "tied": str(FOLDER / "tied.yaml"),
}
"""For each network what netcalc reads: a bundled architecture's name or a file."""
BROKEN = "broken"
"""A network whose shapes do not fit; each tool is asked what it says of it."""

WORDS, TIME, WIDTH = 10_000, 35, 650
NAMES = {"lstm": ("words",), "siamese": ("left", "right"), "tied": ("words",)}
"""The arguments of `forward`, where they are not `x`."""


def pytorch_inputs(name: str) -> tuple[Any, ...]:
    """One sample of what a network reads."""
    import torch

    if name in ("lstm", "tied"):
        return (torch.randint(WORDS, (1, TIME)),)
    if name == "siamese":
        return (torch.rand(1, 1, 105, 105), torch.rand(1, 1, 105, 105))
    return (torch.rand(1, 3, 32, 32) if name == BROKEN else torch.rand(1, 3, 224, 224),)


def pytorch_model(name: str) -> Any:
    """The network in PyTorch, in evaluation mode."""
    return _PYTORCH.get(name, lambda: _torchvision(name))().eval()


def keras_model(name: str) -> Any:
    """The network in Keras."""
    return _KERAS[name]()


def _torchvision(name: str) -> Any:
    import torchvision

    return getattr(torchvision.models, name)(weights=None)


def _pytorch_lstm() -> Any:
    from torch import Tensor, nn

    class LanguageModel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(WORDS, WIDTH)
            self.lstm = nn.LSTM(WIDTH, WIDTH, num_layers=2, batch_first=True)
            self.head = nn.Linear(WIDTH, WORDS)

        def forward(self, words: Tensor) -> Tensor:
            states, _ = self.lstm(self.embedding(words))
            return self.head(states)

    return LanguageModel()


def _pytorch_siamese() -> Any:
    from torch import Tensor, nn

    class Siamese(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tower = nn.Sequential(
                nn.Conv2d(1, 64, 10), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(64, 128, 7), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(128, 128, 4), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(128, 256, 4), nn.ReLU(), nn.Flatten(),
                nn.Linear(9216, 4096), nn.Sigmoid(),
            )  # fmt: skip
            self.head = nn.Linear(4096, 1)

        def forward(self, left: Tensor, right: Tensor) -> Tensor:
            return self.head((self.tower(left) - self.tower(right)).abs()).sigmoid()

    return Siamese()


def _pytorch_tied() -> Any:
    from torch import Tensor, nn

    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(WORDS, WIDTH)
            self.hidden = nn.Linear(WIDTH, WIDTH)
            self.decoder = nn.Linear(WIDTH, WORDS, bias=False)
            self.decoder.weight = self.embedding.weight

        def forward(self, words: Tensor) -> Tensor:
            return self.decoder(self.hidden(self.embedding(words)).tanh())

    return Tied()


def _pytorch_broken() -> Any:
    from torch import Tensor, nn

    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wide = nn.Conv2d(3, 64, 3, padding=1)
            self.narrow = nn.Conv2d(64, 32, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            wide = self.wide(x)
            return wide + self.narrow(wide)

    return Broken()


_PYTORCH: dict[str, Callable[[], Any]] = {
    "lstm": _pytorch_lstm,
    "siamese": _pytorch_siamese,
    "tied": _pytorch_tied,
    BROKEN: _pytorch_broken,
}


def _keras_resnet50() -> Any:
    import keras

    return keras.applications.ResNet50(weights=None)


def _keras_vit() -> Any:
    from keras_hub.models import ViTBackbone, ViTImageClassifier

    backbone = ViTBackbone(
        image_shape=(224, 224, 3), patch_size=16, num_layers=12, num_heads=12, hidden_dim=768, mlp_dim=3072
    )
    return ViTImageClassifier(backbone=backbone, num_classes=1000, preprocessor=None)


def _keras_swin() -> Any:
    from keras_hub.models import SwinTransformerBackbone, SwinTransformerImageClassifier

    backbone = SwinTransformerBackbone(
        image_shape=(224, 224, 3), patch_size=4, embed_dim=96, depths=(2, 2, 6, 2), num_heads=(3, 6, 12, 24),
        window_size=7,
    )  # fmt: skip
    return SwinTransformerImageClassifier(backbone=backbone, num_classes=1000, preprocessor=None)


def _keras_lstm() -> Any:
    from keras import Input, Sequential, layers

    return Sequential(
        [
            Input((TIME,)),
            layers.Embedding(WORDS, WIDTH),
            layers.LSTM(WIDTH, return_sequences=True),
            layers.LSTM(WIDTH, return_sequences=True),
            layers.Dense(WORDS),
        ]
    )


def _keras_siamese() -> Any:
    from keras import Input, Model, Sequential, layers, ops

    tower = Sequential(
        [
            Input((105, 105, 1)),
            layers.Conv2D(64, 10, activation="relu"), layers.MaxPooling2D(),
            layers.Conv2D(128, 7, activation="relu"), layers.MaxPooling2D(),
            layers.Conv2D(128, 4, activation="relu"), layers.MaxPooling2D(),
            layers.Conv2D(256, 4, activation="relu"), layers.Flatten(),
            layers.Dense(4096, activation="sigmoid"),
        ]
    )  # fmt: skip
    left, right = Input((105, 105, 1)), Input((105, 105, 1))
    distance = ops.absolute(layers.subtract([tower(left), tower(right)]))
    return Model([left, right], layers.Dense(1, activation="sigmoid")(distance))


def _keras_tied() -> Any:
    from keras import Input, Model, layers

    words = Input((TIME,), dtype="int32")
    table = layers.ReversibleEmbedding(WORDS, WIDTH)
    hidden = layers.Dense(WIDTH, activation="tanh")(table(words))
    return Model(words, table(hidden, reverse=True))


def _keras_broken() -> Any:
    from keras import Input, Model, layers

    image = Input((32, 32, 3))
    wide = layers.Conv2D(64, 3, padding="same")(image)
    return Model(image, layers.add([wide, layers.Conv2D(32, 3, padding="same")(wide)]))


_KERAS: dict[str, Callable[[], Any]] = {
    "resnet50": _keras_resnet50,
    "vit_b_16": _keras_vit,
    "swin_t": _keras_swin,
    "lstm": _keras_lstm,
    "siamese": _keras_siamese,
    "tied": _keras_tied,
    BROKEN: _keras_broken,
}
