"""A data set of one's own in MNIST's files: what is read, and what broken files say."""

import gzip
import hashlib
import re
import struct
import tracemalloc
from pathlib import Path

import pytest
import torch

from course_lib.data import DataError, load_idx, load_mnist
from course_lib.data.mnist import FOLDER

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
N = 40


def idx(numbers: torch.Tensor, kind: int = 8, shape: tuple[int, ...] | None = None) -> bytes:
    """An IDX file of these bytes; its header may say something else."""
    shape = tuple(numbers.shape) if shape is None else shape
    return struct.pack(f">HBB{len(shape)}I", 0, kind, len(shape), *shape) + bytes(numbers.flatten().tolist())


def clothes(n: int = N, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """n images [n, 28, 28] of noise and their labels [n], all ten classes among them."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (n, 28, 28), generator=generator, dtype=torch.uint8)
    return images, torch.arange(n, dtype=torch.uint8) % 10


def write(folder: Path, n: int) -> None:
    """A data set as Fashion-MNIST is published: n training images, half as many for testing."""
    folder.mkdir(exist_ok=True)
    for seed, part in enumerate(("train", "t10k")):
        images, labels = clothes(n // (seed + 1), seed)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))


@pytest.fixture
def folder(tmp_path) -> Path:
    write(tmp_path, N)
    return tmp_path


def rewrite(folder: Path, name: str, content: bytes) -> None:
    (folder / f"{name}.gz").write_bytes(gzip.compress(content))


def problem(folder: Path, **options) -> str:
    """What is said of a data set that is not read."""
    with pytest.raises(DataError) as caught:
        load_idx(folder, "train", **options)
    return str(caught.value)


def test_reads_what_was_written(folder):
    for seed, split in enumerate(("train", "test")):
        images, labels = clothes(N // (seed + 1), seed)
        data = load_idx(folder, split)
        assert torch.equal(data.images, images) and torch.equal(data.labels, labels.long())
        assert data.images.dtype == torch.uint8 and data.labels.dtype == torch.int64
    assert load_idx(str(folder)).flat().shape == (N, 784)


def test_reads_the_bundled_files_as_load_mnist_does():
    own, bundled = load_idx(FOLDER, "test"), load_mnist("test")  # verified by its SHA256SUMS, too
    assert torch.equal(own.images, bundled.images) and torch.equal(own.labels, bundled.labels)


def test_reads_what_torchvision_reads(folder):
    datasets = pytest.importorskip("torchvision.datasets")
    raw = folder / "FashionMNIST" / "raw"  # where torchvision keeps them, unpacked
    raw.mkdir(parents=True)
    for path in folder.glob("*.gz"):
        (raw / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    for split in ("train", "test"):
        theirs, ours = datasets.FashionMNIST(folder, train=split == "train"), load_idx(raw, split)
        assert torch.equal(ours.images, theirs.data) and torch.equal(ours.labels, theirs.targets)


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("mark", ["-", "."])
def test_each_name_under_which_the_files_are_found(tmp_path, mark, ending):
    for stem, kind, numbers in zip(("images", "labels"), ("3", "1"), clothes(), strict=True):
        content = idx(numbers)
        (tmp_path / f"train-{stem}{mark}idx{kind}-ubyte{ending}").write_bytes(
            gzip.compress(content) if ending else content)
    if (mark, ending) != ("-", ""):
        (tmp_path / IMAGES).mkdir()  # some archives unpack to folders of these names, too
    assert torch.equal(load_idx(tmp_path).images, clothes()[0])


def test_no_such_folder_split_or_file(folder):
    assert "nowhere is not a folder: name the one that holds" in problem(folder / "nowhere")
    with pytest.raises(ValueError, match="unknown split 'valid': use 'train' or 'test'"):
        load_idx(folder, "valid")
    (folder / f"{LABELS}.gz").unlink()
    assert "has no file train-labels-idx1-ubyte: put it there, under this name or as train-labels.idx1" in problem(
        folder)
    assert len(load_idx(folder, "test")) == N // 2


TWO_DIMENSIONS = idx(torch.zeros(4, 4, dtype=torch.uint8))
BROKEN = {
    "a web page": (b"<html>404", "no IDX file, it begins with b'<htm': is it a web page"),
    "nothing at all": (b"", "no IDX file"),
    "floats": (idx(clothes()[0], kind=13), "holds 32-bit floats: write it anew with bytes"),
    "unknown type": (idx(clothes()[0], kind=7), "no IDX file"),
    "labels": (idx(clothes()[1]), "have the two files been swapped? This one holds labels"),
    "two dimensions": (TWO_DIMENSIONS, "in 2 dimensions; images have 3: get"),
    "half a header": (idx(clothes()[0])[:9], "cut short within its header"),
    "no images": (idx(torch.zeros(0, 28, 28)), "is empty, its header says 0 x 28 x 28 bytes"),
    "a byte too few": (idx(clothes()[0])[:-1], "cut short: its header says 40 x 28 x 28 bytes, and there are 31,359"),
    "a byte too many": (idx(clothes()[0]) + b"\0", "longer than its header says"),
    "a huge header": (idx(clothes()[0], shape=(2**32 - 1,) * 3), "header is damaged: its header says 4,294,967,295 x"),
    "other pixels": (idx(torch.zeros(N, 32, 30, dtype=torch.uint8)), "32 x 30 pixels; the course's models take 28"),
    "fewer images": (idx(clothes(30)[0]), "holds 30 images and train-labels-idx1-ubyte.gz 40 labels"),
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(("content", "says"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named_with_what_is_wrong(folder, content, says, zipped):
    if zipped:
        rewrite(folder, IMAGES, content)
    else:
        (folder / IMAGES).write_bytes(content)  # is taken before the zipped one
    message = problem(folder)
    assert message.startswith(str(folder / IMAGES)) and says in message, message


def test_a_huge_header_asks_for_no_memory(folder):
    many = 10_000_000_000 // 784  # 10 GB, which a file of 12 MB could just unpack to
    content = gzip.compress(idx(clothes()[0], shape=(many, 28, 28)))
    (folder / f"{IMAGES}.gz").write_bytes(content + b"\0" * 12_000_000)  # padding, as gzip allows it
    tracemalloc.start()
    message, (_, most) = problem(folder), tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "is cut short: its header says 12,755,102 x 28 x 28 bytes, and there are 31,360" in message and most < 3e7


def test_labels_out_of_range(folder):
    labels = clothes()[1] + 1
    rewrite(folder, LABELS, idx(labels))
    assert "has a label 10, and 10 classes go from 0 to 9: say classes=11" in problem(folder)
    assert torch.equal(load_idx(folder, classes=11).labels, labels.long())


def test_gzip_and_its_ending_belong_together(folder):
    zipped = folder / f"{IMAGES}.gz"
    content = zipped.read_bytes()
    zipped.write_bytes(gzip.decompress(content))
    assert "is no gzip file" in problem(folder) and "take the .gz off its name" in problem(folder)
    zipped.unlink()
    (folder / IMAGES).write_bytes(content)
    assert f"{folder / IMAGES} is a gzip file: add .gz to its name" in problem(folder)


@pytest.mark.parametrize("damage", [lambda c: c[:-9], lambda c: c[:200], lambda c: c[:-8] + b"\1\2\3\4" + c[-4:],
                                    lambda c: c[:50] + bytes(50) + c[100:]])
def test_a_gzip_file_that_is_cut_or_altered(folder, damage):
    path = folder / f"{IMAGES}.gz"
    path.write_bytes(damage(path.read_bytes()))
    assert f"{path} is cut short or damaged (" in problem(folder)


def test_sums_that_are_given_or_lie_there(folder):
    names = [f"{IMAGES}.gz", f"{LABELS}.gz"]
    right = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    assert len(load_idx(folder, sha256={name: digest.upper() for name, digest in right.items()})) == N
    (folder / "SHA256SUMS").write_text("".join(f"{digest} *{name}\n" for name, digest in right.items()),
                                       encoding="utf-8")  # as sha256sum writes it, on some systems with a star
    assert len(load_idx(folder)) == N
    wrong = right | {names[1]: "0" * 64}
    assert f"{names[1]} has SHA-256 {right[names[1]]}, not {'0' * 64}: it was damaged or changed" in problem(
        folder, sha256=wrong)
    rewrite(folder, IMAGES, idx(clothes(seed=5)[0]))
    assert f"{names[0]} has SHA-256" in problem(folder)
    assert f"{names[1]} is not among the files whose SHA-256 is given" in problem(
        folder, sha256={names[0]: hashlib.sha256((folder / names[0]).read_bytes()).hexdigest()})
    (folder / "SHA256SUMS").write_text("<html>\n", encoding="utf-8")
    assert "SHA256SUMS has a line that is no SHA-256 and file name, '<html>'" in problem(folder)


def test_a_family_learns_them_as_the_page_says(tmp_path, monkeypatch, capsys):
    write(tmp_path / "fashion", 130)
    monkeypatch.chdir(tmp_path)
    page = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    names = {}
    exec(code.replace("steps=4680", "steps=2"), names)
    assert names["experiment"].steps == 2 and (tmp_path / "own.pt").is_file()
    batch = names["experiment"].images[names["experiment"].batches.order]
    assert torch.equal(batch.sort(0).values, clothes(130)[0].flatten(1).sort(0).values)
    assert re.fullmatch(r"test ELBO: -\d+\.\d+ nats", capsys.readouterr().out.strip())
