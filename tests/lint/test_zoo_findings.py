"""What the rules say of the bundled networks: listed, explained, and silent on modern ones."""

import importlib.util
from types import ModuleType

import pytest

from netcalc import load
from netcalc.lint import check

from helpers import TESTS

MODERN = "resnet18 resnet50 resnext50_32x4d densenet121 mobilenet_v2 mnasnet1_0 efficientnet_b0 efficientnet_v2_s regnet_y_400mf shufflenet_v2_x1_0 squeezenet1_1 inception_v3 googlenet convnext_tiny swin_t swin_v2_t vit_b_16 maxvit_t mvit_v2_s s3d r3d_18 unet gpt2_small bert_base".split()


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = TESTS.parent / "docs" / "make_findings.py"
    spec = importlib.util.spec_from_file_location("make_findings", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current_and_every_warning_explained(script: ModuleType) -> None:
    assert script.PAGE.read_text() == script.page(), "run python docs/make_findings.py"


@pytest.mark.parametrize("name", MODERN)
def test_modern_networks_have_no_warning(name: str) -> None:
    verdict = check(load(name))
    assert verdict.count("error") == verdict.count("warning") == 0
    assert all(claim.diagnostic is None for claim in verdict.figure_checks)


def test_history_is_true() -> None:
    """Each finding of LeNet, AlexNet and VGG, with its figures worked out here."""
    found = {
        name: {one.rule.code: one for one in check(load(name)).violations}
        for name in ("lenet5", "lenet5-1998", "alexnet", "vgg16", "vgg16_bn")
    }
    assert found["alexnet"].keys() == {"N101", "N201", "N502"}
    assert (56 - 3) % 2 == 1  # pool1: 3x3 at stride 2 on 56
    assert "last 1 of 56" in found["alexnet"]["N101"].diagnostic.message
    field = 11 + 2 * 4 + 4 * 8 + 2 * 16 + 3 * 2 * 16 - 16  # conv1, pool1, conv2, pool2, conv3 to conv5
    assert f"{field}x{field} of 227x227" in found["alexnet"]["N201"].diagnostic.message
    assert f"{256 * 36 * 4096 + 4096:,} of 61,100,840" in found["alexnet"]["N502"].diagnostic.message
    assert found["vgg16"].keys() == {"N201", "N502"}
    assert f"{512 * 49 * 4096 + 4096:,} of 138,357,544" in found["vgg16"]["N502"].diagnostic.message
    assert found["vgg16_bn"].keys() == {"N201", "N401", "N502"}
    assert f"{50 * 49 * 500 + 500:,} of 1,256,080" in found["lenet5"]["N502"].diagnostic.message
    assert {one.diagnostic.severity for one in found["lenet5-1998"].values()} == {"note"}
