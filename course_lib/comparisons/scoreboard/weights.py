"""Weights of some of the runs, so that what the record says of them can be measured again in seconds."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save

from course_lib.comparisons.runs import Setting
from course_lib.comparisons.scoreboard.family import Family
from course_lib.comparisons.scoreboard.registry import made
from course_lib.files import CourseFileError, atomic_write

FOLDER = Path(__file__).resolve().parents[3] / "data" / "records" / "scoreboard"
KEPT = {("sprites", "PixelCNN"), ("sprites", "VAE"), ("sprites", "RBM"), ("sprites", "diffusion"),
        ("digits8", "MADE"), ("digits8", "masked diffusion"), ("digits8", "conditional GAN"),
        ("digits8", "flow matching"), ("mnist", "Row LSTM")}  # of each the first seed after the short time


def is_kept(setting: Setting) -> bool:
    """Whether the weights of a run are to be kept."""
    first = setting["budget"] == "short" and setting["seed"] == 0
    return first and (setting["data"], setting["family"]) in KEPT


def path_of(setting: Setting, folder: Path = FOLDER) -> Path:
    """Where they are."""
    name = f"{setting['data']}_{setting['family']}".lower().replace(" ", "_")
    return folder / f"{name}.safetensors"


def keep(family: Family, setting: Setting, folder: Path = FOLDER) -> None:
    """Write the weights of a trained family, in 32 bits. Raises OSError if they cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.contiguous() for name, value in family.network.state_dict().items()}
    atomic_write(path_of(setting, folder), save(weights, {name: str(value) for name, value in setting.items()}))


def kept(setting: Setting, folder: Path = FOLDER) -> Family:
    """The family of a run, with the weights that it had at its end.

    Raises:
        CourseFileError: they are missing, damaged, or of another network.
    """
    family, path = made(setting["family"], setting["data"], setting["steps"], setting["seed"]), path_of(setting, folder)
    try:
        family.network.load_state_dict(load(path.read_bytes()))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise CourseFileError(f"{path} does not hold the weights of {setting['family']} on {setting['data']} ({error})"
                              ": put it back (`git checkout`), or make it anew (`make scoreboard`)") from error
    family.network.requires_grad_(False).eval()
    return family
