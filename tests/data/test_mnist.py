"""MNIST: what is loaded, the views of it, and what a damaged file says."""

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from course_lib.data import MNIST, DataError, load_mnist
from course_lib.data.idx import read_sums
from course_lib.data.mnist import FOLDER, SHA256


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def copy(tmp_path):
    """The data folder, to be damaged."""
    return shutil.copytree(FOLDER, tmp_path / "mnist")


@pytest.mark.parametrize(("split", "size", "first_labels", "sevens"),
                         [("train", 60_000, [5, 0, 4, 1, 9], 6265), ("test", 10_000, [7, 2, 1, 0, 4], 1028)])
def test_is_the_published_data_set(split, size, first_labels, sevens):
    data = load_mnist(split)
    assert data.images.shape == (size, 28, 28) and data.images.dtype == torch.uint8
    assert data.labels.dtype == torch.int64 and data.labels[:5].tolist() == first_labels
    assert (data.labels == 7).sum() == sevens  # the counts that LeCun's page gives
    assert (data.images.max(), data.images.min()) == (255, 0)


def test_is_loaded_once():
    assert load_mnist("test") is load_mnist("test")


def test_unknown_split():
    with pytest.raises(ValueError, match="unknown split 'valid': use 'train' or 'test'"):
        load_mnist("valid")


def test_float_views():
    data = load_mnist("test")[:100]
    assert torch.equal(data.floats(), data.images / 255)
    signed = data.floats(-1, 1)
    assert (signed.min(), signed.max()) == (-1, 1)
    torch.testing.assert_close((signed + 1) / 2, data.floats())
    assert torch.equal(data.flat(), data.floats().view(100, 784))
    assert data.images.max() == 255  # the bytes are shared and were not changed


def test_binarized_by_threshold_and_by_chance(generator):
    data = load_mnist("test")[:100]
    assert torch.equal(data.binarized(threshold=0.25), (data.images > 63).float())
    draws = torch.stack([data.binarized(generator) for _ in range(200)])
    assert set(draws.unique().tolist()) == {0, 1}
    assert not torch.equal(draws[0], draws[1])  # dynamic: anew at each call
    error = draws.mean(dim=0) - data.floats()
    assert error.abs().mean() < 0.01 and abs(error.mean()) < 1e-3  # each pixel is ink as often as it is grey
    again = data.binarized(torch.Generator().manual_seed(0))
    assert torch.equal(again, draws[0])  # static: the same seed gives the same picture


def test_subsets_are_balanced_shuffled_and_reproducible(generator):
    data = load_mnist("train")
    subset = data.balanced(20, generator)
    assert torch.bincount(subset.labels).tolist() == [20] * 10
    assert not torch.equal(subset.labels, subset.labels.sort().values)
    assert torch.equal(subset.images, data.balanced(20, torch.Generator().manual_seed(0)).images)
    seven = data[data.labels == 7]
    assert len(seven.balanced(5, generator)) == 5
    with pytest.raises(ValueError, match="class 7 has 6265 images, 7000 were asked for"):
        seven.balanced(7000, generator)


def test_halved_is_the_mean_of_blocks():
    images = torch.tensor([[[0, 255, 10, 10], [255, 0, 10, 11], [1, 2, 0, 0], [3, 4, 0, 0]]], dtype=torch.uint8)
    small = MNIST(images, torch.zeros(1)).halved()
    assert small.images.tolist() == [[[128, 10], [2, 0]]]  # 127.5 and 2.5 are rounded to even
    assert load_mnist("test").halved().images.shape == (10_000, 14, 14)


def test_missing_file_is_named_with_its_mend(copy):
    (copy / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz is missing: put the file back"):
        load_mnist("test", folder=copy)
    assert len(load_mnist("train", folder=copy)) == 60_000  # the other half of the data is not held up


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100_000])


def alter_a_pixel(path: Path) -> None:
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[5000] ^= 1
    path.write_bytes(gzip.compress(bytes(content), compresslevel=1))


def put_a_page_there(path: Path) -> None:
    path.write_text("<html>404 not found</html>", encoding="utf-8")


@pytest.mark.parametrize("damage", [cut, alter_a_pixel, put_a_page_there])
def test_a_damaged_file_is_named_with_its_mend(copy, damage):
    damage(copy / "t10k-images-idx3-ubyte.gz")
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz is not the file that was shipped .* put the file"):
        load_mnist("test", folder=copy)


def test_the_listed_sums_are_those_that_are_verified():
    assert read_sums(FOLDER) == SHA256


def test_installed_without_its_data(tmp_path):
    shutil.copytree(FOLDER.parents[1] / "course_lib", tmp_path / "course_lib")
    done = subprocess.run([sys.executable, "-c", "from course_lib.data import load_mnist; load_mnist()"], cwd=tmp_path,
                          capture_output=True, text=True, timeout=120, env={"PYTHONPATH": str(tmp_path), "PATH": ""})
    assert "DataError" in done.stderr and "pip install -e ." in done.stderr


def test_parts_and_ink():
    some = load_mnist("train")[:9_000]
    parts = some.split(4_000)
    assert [len(part) for part in parts] == [4_000, 4_000, 1_000] and len(some[:0].split(10)) == 1
    assert torch.equal(torch.cat([part.flat() for part in parts]), some.flat())
    assert some.ink().dtype == torch.bool and torch.equal(some.ink(0.3), some.floats() > 0.3)
    grey = some.floats()
    drawn = torch.bernoulli(grey, generator=torch.Generator().manual_seed(7))
    assert torch.equal(some.binarized(torch.Generator().manual_seed(7)), drawn)  # as if all had been drawn at once
    assert torch.equal(some.binarized(), (grey > 0.5).float())
