"""Models that come trained with the course."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from course_lib import checkpoints
from course_lib.checkpoints import Card, CheckpointError
from course_lib.experiments.autoencoder import AutoencoderExperiment
from course_lib.experiments.base import Experiment
from course_lib.experiments.bigan import BiGANExperiment
from course_lib.experiments.classifier import ClassifierExperiment
from course_lib.experiments.conditional import ConditionalExperiment
from course_lib.experiments.coupled import CoupledExperiment
from course_lib.experiments.dcgan import DCGANExperiment
from course_lib.experiments.gan1d import GAN1DExperiment
from course_lib.experiments.gan2d import GAN2DExperiment
from course_lib.experiments.infogan import InfoGANExperiment
from course_lib.experiments.pixelrnn import PixelExperiment
from course_lib.experiments.translator import TranslatorExperiment
from course_lib.experiments.vae import VAEExperiment

EXPERIMENTS: dict[str, type[Experiment]] = {  # by the name that the command line and cards know them by
    "gan1d": GAN1DExperiment, "gan2d": GAN2DExperiment, "classifier": ClassifierExperiment,
    "autoencoder": AutoencoderExperiment, "vae": VAEExperiment, "dcgan": DCGANExperiment, "pixelrnn": PixelExperiment,
    "conditional": ConditionalExperiment, "infogan": InfoGANExperiment,
    "bigan": BiGANExperiment, "coupled": CoupledExperiment, "translator": TranslatorExperiment,
}


def trained_experiment(name: str, folder: Path = checkpoints.FOLDER) -> tuple[Experiment, Card]:
    """The experiment of a shipped checkpoint with its trained model, to be evaluated or drawn; its optimiser is fresh.

    Raises:
        CheckpointError: a file is missing or damaged, or is not of this version of the course.
    """
    weights, card = checkpoints.read(name, folder)
    try:
        kind = EXPERIMENTS[card.experiment]
        experiment = kind(kind.Hyperparameters(**card.hyperparameters), card.seed)
        experiment.parts()["model"].load_state_dict(weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"the checkpoint {name} does not fit this version of the course ({error})") from error
    return experiment, card


def trained(name: str, folder: Path = checkpoints.FOLDER) -> tuple[nn.Module, Card]:
    """A shipped model and its card: `vae, card = trained("vae_z20")`. Its parameters ask for no gradients.

    Raises:
        CheckpointError: a file is missing or damaged, or is not of this version of the course.
    """
    experiment, card = trained_experiment(name, folder)
    return experiment.parts()["model"].requires_grad_(False).eval(), card
