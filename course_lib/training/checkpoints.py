"""Trained weights that come with the course: one file of numbers and one card that says how they came about.

`data/checkpoints/NAME.safetensors` holds weights and nothing that could run; `NAME.json` beside it is the card. What is
loaded is first held against the card's SHA-256.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from course_lib.files import CourseFileError, require_folder, whole_file
from course_lib.training.registry import shipped

FOLDER = Path(__file__).resolve().parents[2] / "data" / "checkpoints"
WEIGHTS = ".safetensors"


class CheckpointError(CourseFileError):
    """A shipped file is missing or is not what was shipped. The message says which, and how to mend it."""


@dataclass(frozen=True)
class Card:
    """How shipped weights came about.

    Attributes:
        command: makes them again, up to rounding that differs between processors.
        experiment: name of the `Experiment` that trained them.
        hyperparameters: its values, by name.
        seed, steps: where it began, and how many updates it did.
        minutes: that one thread of a processor took for them; about as many on the clock of a quiet machine.
        digest: of the experiment at the end; the same only on a like processor.
        metrics: `Experiment.evaluate(thorough=True)` of the weights as they are in the file.
        sha256: of the file.
    """

    command: str
    experiment: str
    hyperparameters: dict[str, Any]
    seed: int
    steps: int
    minutes: float
    digest: str
    metrics: dict[str, float]
    sha256: str


def round_weights(model: nn.Module) -> None:
    """Round a network's parameters and buffers, in place, to what fits into 16 bits: what a file will hold.

    Sixteen bits keep three digits of each weight and make the file half as large.
    """
    model.load_state_dict({name: value.half().to(value.dtype) for name, value in model.state_dict().items()})


def write(path: Path, model: nn.Module, card: Card) -> Card:
    """Write weights, rounded to 16 bits, and the card beside them; both get their names when both are whole.

    Args:
        path: ends in .safetensors; the card's name ends in .json instead.
        card: its sha256 is replaced by the file's; the card so completed is returned.

    Raises:
        ValueError: weights that are NaN or infinite, or too large for 16 bits.
        OSError: one of the two cannot be written; the old ones are still there.
    """
    weights = {name: value.detach().half().contiguous() for name, value in model.state_dict().items()}
    for name, value in weights.items():
        if not value.isfinite().all():
            raise ValueError(f"{name} holds numbers that are not finite in 16 bits: the training went wrong")
    content = save(weights)
    card = dataclasses.replace(card, sha256=hashlib.sha256(content).hexdigest())
    text = json.dumps(dataclasses.asdict(card), indent=1, ensure_ascii=False) + "\n"
    with whole_file(path) as weights_file, whole_file(path.with_suffix(".json")) as card_file:
        weights_file.write_bytes(content)
        card_file.write_bytes(text.encode())
    return card


def read(name: str, folder: Path = FOLDER) -> tuple[dict[str, Tensor], Card]:
    """The float32 weights by name, of any shape, and the card, of `NAME.safetensors`.

    Raises:
        CheckpointError: a file is missing, cut short or altered, the card cannot be read, or the folder is not there.
    """
    require_folder(folder, CheckpointError)
    path = folder / f"{name}{WEIGHTS}"
    card_path = path.with_suffix(".json")
    if name in shipped():
        back = (f"put it back (`git checkout -- data/checkpoints/{name}.*`, or unpack the course again), or train it "
                f"anew: `python -m course_lib checkpoints {name}`")
    else:
        back = f"the course ships {', '.join(shipped())}"
    for needed in (path, card_path):
        if not needed.is_file():
            raise CheckpointError(f"the checkpoint {needed} is missing: {back}")
    try:
        card = Card(**json.loads(card_path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{card_path} is no card of a checkpoint ({error}): {back}") from error
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise CheckpointError(f"{path} is not the file that its card speaks of (its SHA-256 differs): {back}")
    try:
        weights = load(content)
    except SafetensorError as error:
        raise CheckpointError(f"{path} cannot be read ({error}): {back}") from error
    return {key: value.to(torch.float32) for key, value in weights.items()}, card
