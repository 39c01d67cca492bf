"""Models that come trained with the course."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from course_lib.training import checkpoints
from course_lib.training.checkpoints import Card, CheckpointError
from course_lib.training.experiment import Experiment
from course_lib.training.registry import experiment_class


def pretrained_experiment(name: str, folder: Path = checkpoints.FOLDER) -> tuple[Experiment, Card]:
    """The experiment of a shipped checkpoint with its trained model, to be evaluated or drawn; its optimiser is fresh.

    Raises:
        CheckpointError: a file is missing or damaged, or is not of this version of the course.
    """
    weights, card = checkpoints.read(name, folder)
    try:
        kind = experiment_class(card.experiment)
        experiment = kind(kind.Hyperparameters(**card.hyperparameters), card.seed)
        experiment.components()["model"].load_state_dict(weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"the checkpoint {name} does not fit this version of the course ({error})") from error
    return experiment, card


def load_pretrained(name: str, folder: Path = checkpoints.FOLDER) -> tuple[nn.Module, Card]:
    """A shipped model and its card: `vae, card = load_pretrained("vae_z20")`. Its parameters ask for no gradients.

    Raises:
        CheckpointError: a file is missing or damaged, or is not of this version of the course.
    """
    experiment, card = pretrained_experiment(name, folder)
    return experiment.components()["model"].requires_grad_(False).eval(), card
