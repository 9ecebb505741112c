"""Data that cannot be trained on: refused before the first step, with the file and the place."""

import gzip
import io
import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from netcalc.diagnostics import ExecutionError
from netcalc.train.data import ChannelStatistics, Reading, open_data, require_finite, require_fit, split
from netcalc.train.data import content as content_module

from data_files import idx_bytes, pictures, refused, write_classes, write_mnist
from helpers import graph_of


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            lambda good: good[:-1],
            "is cut off: 20x28x28 numbers of 1 bytes make 15,696 bytes, there are 15,695",
        ),
        (lambda good: good + b"x", "goes on after its end"),
        (lambda good: good[:10], "ends in its header, after 10 of 16 bytes"),
        (lambda good: b"", "it is empty"),
        (
            lambda good: b"\0\0\x08\x03" + b"\xff" * 12 + good[16:],
            "is cut off: 4294967295x4294967295x4294967295",
        ),
        (lambda good: gzip.compress(good)[:-20], "ends in the middle of its gzip, after [1-9]"),
        (lambda good: gzip.compress(good)[:40], "ends in the middle of its gzip"),
        (
            lambda good: gzip.compress(good)[:-8] + b"12345678",
            "is a damaged gzip, after 15,696 inflated bytes: CRC",
        ),
        (lambda good: gzip.compress(good)[:100] + b"\xff" * 200, "gzip"),
        (lambda good: gzip.compress(gzip.compress(good)), "is not an IDX file: it begins with 1f 8b 08"),
    ],
)
def test_idx_that_is_damaged(tmp_path: Path, content: Callable[[bytes], bytes], words: str) -> None:
    write_mnist(tmp_path / "m")
    path = tmp_path / "m" / "train-images-idx3-ubyte"
    path.write_bytes(content(path.read_bytes()))
    refused(path, "E906", words, "idx")


def test_idx_whose_labels_do_not_fit(tmp_path: Path) -> None:
    write_mnist(tmp_path / "m")
    path, labels = (tmp_path / "m" / f"train-{what}-ubyte" for what in ("images-idx3", "labels-idx1"))
    labels.write_bytes(idx_bytes(np.arange(19)))
    refused(path, "E921", "has 20 samples in x and 19 labels")
    labels.write_bytes(idx_bytes(np.zeros((20, 2))))
    with pytest.raises(ExecutionError, match="E922.*labels-idx1-ubyte has labels of 20x2, not one a sample"):
        open_data(path)
    labels.write_bytes(idx_bytes(np.array([*range(19), -3]), "i1"))
    refused(path, "E922", "sample 19 of .* has the label -3")
    labels.unlink()
    refused(path, "E920", "has no file of labels beside it")
    with pytest.raises(ExecutionError, match="has for one part 1 IDX files of samples and 0 of labels"):
        open_data(tmp_path / "m")
    with pytest.raises(ExecutionError, match="has no test part"):
        open_data(tmp_path / "m", reading=Reading("test"))


def test_a_gzip_that_grows_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_module, "MAX_INFLATED", 2**23)
    (tmp_path / "bomb").write_bytes(gzip.compress(bytes(2**24)))
    refused(tmp_path / "bomb", "E906", r"inflates to more than 0.0078125 GiB", "text")


@pytest.mark.parametrize(
    ("arrays", "code", "words"),
    [
        ({"x": np.zeros((3, 2)), "y": np.arange(4)}, "E921", "has 3 samples in x and 4 labels"),
        ({"x": np.zeros((3, 2))}, "E920", "has no labels: an array 'y' beside x"),
        ({"y": np.arange(3)}, "E920", "has no samples: an array 'x' beside 'y'"),
        ({"x": np.zeros((0, 2)), "y": np.arange(0)}, "E920", "has no samples"),
        ({"x": np.float64(1), "y": np.arange(2)}, "E921", "has no samples in x and 2 labels"),
        ({"x": np.zeros((2, 2)), "y": np.int64(1)}, "E922", "are one number, not one a sample"),
        ({"x": np.array(["a", "b"]), "y": np.arange(2)}, "E921", "holds <U1 in x, not numbers"),
        ({"x": np.zeros((2, 2)), "y": np.array(["a", "b"])}, "E922", "the labels of .* are <U1, not numbers"),
        ({"x": np.zeros((2, 2)), "y": np.array([0, -1])}, "E922", "sample 1 of .* has the label -1"),
        (
            {"x": np.zeros((2, 2)), "y": np.array([2**40, 1])},
            "E922",
            "sample 0 of .* has the label 1099511627776",
        ),
        (
            {"x_train": np.zeros((2, 2)), "y_test": np.arange(2)},
            "E920",
            "has no labels: an array 'y' beside x",
        ),
    ],
)
def test_npz_that_lacks_something(tmp_path: Path, arrays: dict[str, Any], code: str, words: str) -> None:
    refused(npz(tmp_path / "d.npz", **arrays), code, words)


def test_npz_that_is_damaged(tmp_path: Path) -> None:
    good = npz(tmp_path / "good.npz", x=np.zeros((3, 2)), y=np.arange(3)).read_bytes()
    path = tmp_path / "d.npz"
    path.write_bytes(good[:-30])
    refused(path, "E906", "is not a sound data file: File is not a zip file")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the name that comes twice
        with zipfile.ZipFile(path, "w") as archive:
            for name in ("x.npy", "y.npy", "x.npy"):
                content = io.BytesIO()
                np.save(content, np.arange(3))
                archive.writestr(name, content.getvalue())
    refused(path, "E906", "x is in it twice")
    np.savez(path, x=np.array([{}], object), y=np.arange(1))
    refused(path, "E906", "x holds pickled objects")
    path.write_bytes(good.replace(b"(3, 2)", b"(9, 9)"))
    refused(path, "E906", "says it holds 648 bytes, there are 48")


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_npz_whose_array_says_it_is_huge(tmp_path: Path, how: int) -> None:
    content = io.BytesIO()
    np.save(content, np.zeros(3))
    with zipfile.ZipFile(tmp_path / "d.npz", "w", how) as archive:
        archive.writestr("y.npy", content.getvalue())
        archive.writestr("x.npy", content.getvalue().replace(b"(3,), }" + b" " * 12, b"(3000000000000,), }"))
    refused(tmp_path / "d.npz", "E906", "x(.npy)? says it holds 24,000,000,000,000 bytes, there are 24")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,label\n1,2,0\n3,x,1\n", "column 'b' in line 3 of .* holds 'x', which is no number"),
        ("a,b,label\n1,2,0\n3,,1\n", "column 'b' in line 3 of .* is empty"),
        ("1,2,0\n3,4,5,1\n", "line 2 of .* has 4 cells, the first line has 3"),
        ("1,2,0\n3,1\n", "line 2 of .* has 2 cells, the first line has 3"),
        ("1,2,0\n3,4,5,1\n3,4\n", "line 2 of .* has 4 cells"),
        ("1,2,0\n3,4,\n", "sample 1 of .* has no label"),
        ("1,2,-1\n3,4,0\n", "sample 0 of .* has the label -1"),
        ("a,b,label\n", "has no samples|no known format|not rows"),
    ],
)
def test_csv_with_a_wrong_cell(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(ExecutionError, match=words):
        open_data(tmp_path / "d.csv", "csv")


def test_csv_without_the_column(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a,b,c\n1,2,0\n")
    refused(
        tmp_path / "d.csv", "E920", "has no column 'd'; its 3 columns are a, b, c", None, Reading(label="d")
    )
    refused(tmp_path / "d.csv", "E920", "has no column '4'", None, Reading(label="4"))


def test_tokens_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"abc")
    refused(tmp_path / "t", "E906", "has 3 bytes, which are no whole number of 16-bit tokens", "uint16")
    refused(tmp_path / "t", "E921", "has 3 tokens; a sample of 256 and its labels take 257")
    with pytest.raises(ExecutionError, match="a sample has 1 token or more, not 0"):
        open_data(tmp_path / "t", reading=Reading(context=0))
    refused(tmp_path / "t", "E921", "a sample of 3 and its labels take 4", None, Reading(context=3))
    np.save(tmp_path / "t.npy", np.array([3, 1, -1, 2]))
    refused(tmp_path / "t.npy", "E922", "token 2 of .* is -1", None, Reading(context=2))
    np.save(tmp_path / "t.npy", np.zeros((3, 4)))
    refused(tmp_path / "t.npy", "E920", "holds float64 on 2 axes; tokens are whole numbers on one")


def test_folders_of_pictures_that_are_wrong(tmp_path: Path) -> None:
    root = tmp_path / "d"
    write_classes(root)
    (root / "empty").mkdir()
    refused(root, "E920", "the folder .*empty of the class empty is empty")
    (root / "empty").rmdir()
    (root / "cat" / "notes.txt").write_text("no picture")
    refused_file(root, "E906", "notes.txt cannot be read as a picture: it is none of PNG")
    (root / "cat" / "notes.txt").unlink()
    (root / "x.png").write_bytes(b"x")
    refused_file(root, "E920", "x.png is in no folder of a class")
    (root / "x.png").unlink()
    Image.new("RGB", (9, 8)).save(root / "dog" / "z.png")
    refused(root, "E921", "have different sizes, 8 x 8 and 9 x 8 pixels: .*0.png and .*z.png")
    (root / "dog" / "z.png").unlink()
    (root / "cat" / "round").symlink_to(root / "cat")
    refused_file(root, "E920", "cat/round leads back into itself")
    (root / "cat" / "round").unlink()
    (root / "cat" / "round").symlink_to(root / "cat" / "round")
    refused_file(root, "E906", "round cannot be read")


def refused_file(root: Path, code: str, words: str) -> None:
    with pytest.raises(ExecutionError, match=words) as caught:
        open_data(root)
    assert caught.value.diagnostics[0].code == code


def test_a_picture_that_is_cut_off_is_found_before_training(tmp_path: Path) -> None:
    write_classes(tmp_path / "d", size=64)
    path = tmp_path / "d" / "dog" / "4.png"
    path.write_bytes(path.read_bytes()[:5000])
    data = open_data(tmp_path / "d")  # its header is sound
    for look in (require_finite, ChannelStatistics.of):
        with pytest.raises(ExecutionError, match=r"E906.*4\.png cannot be read as a picture"):
            look(data)


def test_a_picture_with_too_many_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_classes(tmp_path / "d")
    monkeypatch.setattr("netcalc.backend.images.MAX_PIXELS", 63)
    refused_file(tmp_path / "d", "E906", "8 x 8 pixels are beyond 63")
    monkeypatch.undo()
    with pytest.raises(ExecutionError, match="pictures of 3x65536x65536 are beyond 89,478,485 pixels"):
        open_data(tmp_path / "d", reading=Reading(shape=(3, 65536, 65536)))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no", "there is no data file"),
        (".", "holds no data that is known: it is empty"),
        ("f\0", "embedded null byte"),
    ],
)
def test_paths_that_lead_nowhere(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(ExecutionError, match=words):
        open_data(os.path.join(tmp_path, name))


def test_what_is_asked_for_and_is_not_there(tmp_path: Path) -> None:
    x, y = pictures()
    path = npz(tmp_path / "d.npz", x=x, y=y)
    refused(path, "E920", "has no parts: its arrays are x, y", None, Reading("test"))
    refused(path, "E920", "holds no tokens", None, Reading(context=3))
    refused(path, "E920", "is no folder of pictures", None, Reading(resize=3))
    refused(path, "E921", "samples of .* are 28x28, 3x28x28 are asked for", None, Reading(shape=(3, 28, 28)))
    refused(path, "E920", "is no CSV, which alone has a column of labels", None, Reading(label="y"))
    refused(tmp_path, "E920", "is a folder, csv is a format of files", "csv")
    write_classes(tmp_path / "folder")
    for reading in (Reading(context=3), Reading(label="y")):
        refused(tmp_path / "folder", "E920", "holds no tokens|is no CSV", None, reading)
    tokens = tmp_path / "tokens.npy"
    np.save(tokens, np.array([1, 2, 2**63, 3], np.uint64))
    refused(
        tokens,
        "E922",
        "token 2 of .* is 9223372036854775808, no number of a vocabulary",
        None,
        Reading(context=2),
    )
    write_mnist(tmp_path / "mnist")
    for labels in (tmp_path / "mnist").glob("*labels*"):
        refused(labels, "E920", "has no file of labels beside it")
        with pytest.raises(ExecutionError, match="has no file of labels beside it"):
            open_data(f"{tmp_path}/mnist/./{labels.name}")


NET = "input: [1, 28, 28]\nlayers:\n  - flatten\n  - linear: {units: 10, name: scores}\n"


def test_data_that_does_not_fit_a_network(tmp_path: Path) -> None:
    x, y = pictures()
    graph = graph_of(NET)

    def fit(words: str, text: str = NET, shape: Any = None, **arrays: Any) -> None:
        data = open_data(npz(tmp_path / "d.npz", **arrays), reading=Reading(shape=shape))
        with pytest.raises(ExecutionError, match=words):
            require_fit(data, graph_of(text))

    grey = (1, 28, 28)
    require_fit(open_data(npz(tmp_path / "d.npz", x=x[:, None], y=y)), graph)
    swapped = open_data(npz(tmp_path / "d.npz", x=x[..., None], y=y))
    with pytest.raises(ExecutionError, match="samples of .* are 28x28x1") as caught:
        require_fit(swapped, graph)
    assert "x.transpose(0, 3, 1, 2)" in str(caught.value.diagnostics[0].help)
    fit("samples of .* are 28x28, the input input of .* is 1x28x28", x=x, y=y)
    fit(
        "are float64, that of sample 3 is 0.5; classes have whole",
        shape=grey,
        x=x,
        y=np.where(np.arange(20) == 3, 0.5, 1),
    )
    fit("are float64, that of sample 0 is 1; classes have whole", shape=grey, x=x, y=np.ones(20))
    fit(
        "sample 12 of .* has the label 10; the output scores has 10 scores, 0 to 9, and .* has 11 classes",
        shape=grey,
        x=x,
        y=np.where(np.arange(20) == 12, 10, y),
    )
    fit(
        "a label of .* is an array of 2, not the number of a class", shape=grey, x=x, y=np.zeros((20, 2), int)
    )
    fit("has the inputs left, right, the inputs of .* are input", left=x, right=x, y=y)
    fit(
        "the output relu1 is 4x28x28, not a score for each class",
        NET.replace("flatten", "conv: {filters: 4, kernel: 3, pad: 1}").replace(
            "linear: {units: 10, name: scores}", "relu"
        ),
        shape=grey,
        x=x,
        y=y,
    )


def test_numbers_for_a_regression(tmp_path: Path) -> None:
    graph = graph_of("input: [2]\nlayers:\n  - linear: 3\n")
    data = open_data(npz(tmp_path / "d.npz", x=np.zeros((4, 2)), y=np.zeros((4, 3))))
    require_fit(data, graph, "numbers")
    data = open_data(npz(tmp_path / "d.npz", x=np.zeros((4, 2)), y=np.zeros(4)))
    with pytest.raises(ExecutionError, match=r"a label of .* has 1 number \(1\), the output linear1 has 3"):
        require_fit(data, graph, "numbers")
    data = open_data(npz(tmp_path / "d.npz", x=np.zeros((4, 2)), y=np.full((4, 3), np.inf)))
    with pytest.raises(ExecutionError, match="E923.*the label of sample 0"):
        require_fit(data, graph, "numbers")


def test_tokens_beyond_the_embedding(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.array([1, 2, 3, 9, 4, 5, 6]))
    data = open_data(tmp_path / "t.npy", reading=Reading(context=3))
    text = "input: [3]\nlayers:\n  - embedding: {entries: ENTRIES, width: 4}\n  - linear: OUT\n"
    require_fit(data, graph_of(text.replace("ENTRIES", "10").replace("OUT", "10")))
    with pytest.raises(
        ExecutionError, match=r"token 3 of .* is 9: the embedding of input has 8 entries, 0 to 7"
    ):
        require_fit(data, graph_of(text.replace("ENTRIES", "8").replace("OUT", "10")))
    with pytest.raises(ExecutionError, match=r"token 3 of .* is 9: the output linear1 has 3x8"):
        require_fit(data, graph_of(text.replace("ENTRIES", "10").replace("OUT", "8")))
    with pytest.raises(ExecutionError, match="holds tokens, and no embedding of .* reads input"):
        require_fit(data, graph_of("input: [3]\nlayers:\n  - linear: 10\n"))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite(tmp_path: Path, value: float) -> None:
    x = np.zeros((50, 3, 4, 4), np.float32)
    x[37, 2, 1, 3] = value
    data = open_data(npz(tmp_path / "d.npz", x=x, y=np.arange(50)))
    with pytest.raises(ExecutionError, match=rf"E923.*sample 37 of .*d.npz has {value} in x\[2, 1, 3\]"):
        require_finite(data)
    with pytest.raises(ExecutionError, match=r"E923.*sample 37 of .*d.npz"):
        ChannelStatistics.of(data)
    require_finite(data, np.arange(37))


def test_splits_that_leave_nothing(tmp_path: Path) -> None:
    data = open_data(npz(tmp_path / "d.npz", x=np.zeros((6, 2)), y=np.array([0, 0, 0, 1, 1, 2])))
    for fraction, words in (
        (0.05, "leave one part empty"),
        (1, "leave one part empty"),
        (0.8, "would leave a class without a sample for training: its 3 classes have from 1 samples"),
    ):
        with pytest.raises(ExecutionError, match=words):
            split(data, fraction)


MAPS = "input: [1, 4, 4]\nlayers:\n  - conv: {filters: 3, kernel: 1, name: scores}\n"


def test_labels_of_places_fit_scores_of_places(tmp_path: Path) -> None:
    labels = np.arange(20 * 16).reshape(20, 4, 4) % 3
    x = np.zeros((20, 1, 4, 4))
    fits = open_data(npz(tmp_path / "d.npz", x=x, y=labels))
    require_fit(fits, graph_of(MAPS))
    labels[7, 1, 2] = 255
    data = open_data(npz(tmp_path / "d.npz", x=x, y=labels))
    with pytest.raises(ExecutionError, match=r"sample 7 of .* has the label 255 at \[1, 2\]") as caught:
        require_fit(data, graph_of(MAPS))
    assert caught.value.diagnostics[0].help == "a loss with ignored=255 leaves such labels out"
    require_fit(data, graph_of(MAPS), ignored=255)
    with pytest.raises(ExecutionError, match="a label of .* is an array of 4x4, not the number of a class"):
        require_fit(data, graph_of("input: [1, 4, 4]\nlayers:\n  - flatten\n  - linear: 3\n"))
    small = open_data(npz(tmp_path / "s.npz", x=x, y=labels[:, :2]))
    with pytest.raises(
        ExecutionError, match="a label of .* is an array of 2x4, not a number for each place of 4x4"
    ):
        require_fit(small, graph_of(MAPS))


def test_truth_values_are_two_classes(tmp_path: Path) -> None:
    data = open_data(npz(tmp_path / "d.npz", x=np.zeros((20, 1, 28, 28)), y=np.arange(20) % 2 == 0))
    require_fit(data, graph_of(NET))
    assert data.batch(np.arange(2)).labels.tolist() == [1, 0]


def test_numbers_beyond_the_type_that_is_computed_in(tmp_path: Path) -> None:
    x = np.zeros((20, 3))
    x[4, 1] = -1e39
    data = open_data(npz(tmp_path / "d.npz", x=x, y=np.zeros(20, int)))
    with pytest.raises(
        ExecutionError, match=r"sample 4 of .* has -1e\+39 in x\[1\], which is beyond float32"
    ):
        require_finite(data)
    require_finite(data, dtype=np.float64)
