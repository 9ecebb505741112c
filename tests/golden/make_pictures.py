"""Record what torchvision's preprocessing makes of a small picture: run with torch and torchvision.

    python tests/golden/make_pictures.py

Writes pictures.json: for each case the sizes and some pixels of the normalised tensor.
"""

import json
import sys
import types
from pathlib import Path

import numpy as np
from PIL import Image

sys.modules["torchvision._meta_registrations"] = types.ModuleType("torchvision._meta_registrations")
from torchvision import transforms  # noqa: E402

CASES = [
    # width, height, resize, crop, mean, std
    (40, 30, 24, (20, 20), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    (30, 41, 16, (16, 16), [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
    (17, 17, 33, (32, 32), [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]),
    (50, 20, 21, (21, 15), [0.1, 0.2, 0.3], [0.4, 0.5, 0.6]),
]


def picture(width: int, height: int) -> Image.Image:
    """A picture that both sides draw: waves of differing length in each channel."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [127.5 + 127.5 * np.sin(x / (3 + c) + y / (5 - c)) for c in range(3)]
    return Image.fromarray(np.stack(waves, -1).astype(np.uint8))


if __name__ == "__main__":
    recorded = []
    for width, height, resize, crop, mean, std in CASES:
        steps = [
            transforms.Resize(resize),
            transforms.CenterCrop(crop),
            transforms.ToTensor(),
            transforms.Normalize(mean, std),
        ]
        result = transforms.Compose(steps)(picture(width, height)).numpy()
        recorded.append(
            {"picture": [width, height], "resize": resize, "crop": crop, "mean": mean, "std": std,
             "shape": result.shape, "pixels": [round(float(v), 6) for v in result.ravel()[::37]]}
        )  # fmt: skip
    text = "[\n" + ",\n".join(json.dumps(case) for case in recorded) + "\n]\n"
    (Path(__file__).parent / "pictures.json").write_text(text)
