"""Old names that half-done notebooks still use: they work until version 2.0, and say what they are called now.

A module that is gone, or one that is there but whose names have changed, has its old names in `NAMES`: for each the
module and the name of today, or the empty name for the module itself. Modules that are gone are found by `Gone`, which
`course_lib` installs; those that are there say `__getattr__ = old_names(__name__)`.
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, TypeVar

Kind = TypeVar("Kind")

NAMES: dict[str, dict[str, tuple[str, str]]] = {
    "course_lib.experiments": {
        "digits8": ("course_lib.comparisons.digits8", ""),
        "knob": ("course_lib.training", "hyperparameter"),
        **{name: ("course_lib.training", name) for name in ("Experiment", "Hyperparameters", "load", "run", "save")},
    },
    "course_lib.checkpoints": {name: ("course_lib.training.checkpoints", name)
                               for name in ("Card", "CheckpointError", "FOLDER", "read", "round_weights", "write")},
    "course_lib.experiments.trained": {
        "trained": ("course_lib.training.pretrained", "load_pretrained"),
        "trained_experiment": ("course_lib.training.pretrained", "pretrained_experiment"),
    },
    "course_lib.handout": {name: ("course_lib.authoring.handout", name)
                           for name in ("COURSE", "copy_notebooks", "student_zip", "work_folder")},
    "course_lib.teach.tree": {"families": ("course_lib.teach.tree", "leaves")},
    "course_lib.plots": {name: (f"course_lib.chapters.nb{number}.plots", name) for number, names in {
        "00": ("tree",), "02": ("bumps", "clouds", "em_moment"), "02b": ("beliefs", "tables", "trellis"),
        "03": ("bound_and_densities", "divergences_and_densities"),
        "03b": ("estimates", "powers"), "03c": ("gap_maps", "proposal", "running", "two_gaussians"),
        "04": ("digit_maps", "manifold"), "05b": ("strip",), "06": ("pulls",),
        "07": ("kernel_masks", "line_and_density", "sight"), "07b": ("wave_and_density",),
        "08": ("judged_path", "pair_sheet"),
        "09b": ("around_modes", "loss_against_quality", "shares_along"), "09c": ("paired_draws",),
        "10": ("stretched",), "10b": ("convergence",), "10c": ("densities",),
    }.items() for name in names},
    "course_lib.experiments.gan1d": {name: ("course_lib.comparisons.gan1d_seeds", name)
                                     for name in ("Scores", "score", "train_many")},
    "course_lib.experiments.digits8": {name: ("course_lib.comparisons.digits8", name) for name in (
        "Measured", "flat_digits", "frequencies", "measure", "table", "train_denoiser", "train_generator",
        "train_made", "train_rbm")},
    "course_lib.experiments.family": {name: ("course_lib.comparisons.gan_family", name)
                                      for name in ("Member", "family_table", "on_the_ring", "shipped")},
    "course_lib.experiments.judged": {name: ("course_lib.training.image_scores", name) for name in (
        "IMAGES", "features_and_probabilities", "reference_features", "scores", "stand_ins")},
    "course_lib.experiments.ring_seeds": {
        "Course": ("course_lib.comparisons.ring_seeds", "TrainingCurve"),
        "play": ("course_lib.comparisons.ring_seeds", "train_and_record"),
        **{name: ("course_lib.comparisons.ring_seeds", name) for name in ("recorded", "score")},
    },
    "course_lib.experiments.infogan": {"made_of": ("course_lib.experiments.infogan", "sample_codes"),
                                       "pulled": ("course_lib.experiments.infogan", "traversal_effect")},
    "course_lib.experiments.translator": {
        "TranslatorExperiment": ("course_lib.experiments.image_to_image", "ImageToImageExperiment"),
        "TranslatorHyperparameters": ("course_lib.experiments.image_to_image", "ImageToImageHyperparameters"),
        "likeness": ("course_lib.experiments.image_to_image", "likeness"),
    },
    "course_lib.models.translator": {
        "Translator": ("course_lib.models.image_to_image", "UNetGenerator"),
        **{name: ("course_lib.models.image_to_image", name)
           for name in ("Discriminator", "coarse", "noise", "outline")},
    },
    "course_lib.live": {"Pad": ("course_lib.live", "SketchPad")},
    "course_lib.experiments.images": {
        "Batches": ("course_lib.training.batches", "EpochSampler"),
        "arithmetic": ("course_lib.training.precision", "arithmetic"),
        "autocast": ("course_lib.training.precision", "autocast"),
        "decayed": ("course_lib.training.optim", "linear_decay"),
        "fastest_precision": ("course_lib.training.precision", "fastest_precision"),
        "length_of_training": ("course_lib.training.optim", "length_of_training"),
    },
}


def old_names(module: str) -> Callable[[str], Any]:
    """A module's `__getattr__`, which gives what an old name stands for today, with a `FutureWarning`."""
    def look_up(name: str) -> Any:
        if name not in NAMES[module]:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        home, today = NAMES[module][name]
        now = f"{home}.{today}".rstrip(".")
        warnings.warn(f"{module}.{name} is now {now}; the old name works until version 2.0", FutureWarning,
                      stacklevel=2)
        there = importlib.import_module(home)
        return getattr(there, today) if today else there

    return look_up


def old_members(**renamed: str) -> Callable[[type[Kind]], type[Kind]]:
    """A decorator that lets a class's attributes and methods be asked for under their old names, `old="today"`, too."""
    def decorate(kind: type[Kind]) -> type[Kind]:
        for old, today in renamed.items():
            setattr(kind, old, property(functools.partial(_member, old, today)))
        return kind

    return decorate


def _member(old: str, today: str, owner: Any) -> Any:
    warnings.warn(f"{type(owner).__name__}.{old} is now .{today}; the old name works until version 2.0", FutureWarning,
                  stacklevel=2)
    return getattr(owner, today)


def old_keywords(**renamed: str) -> Callable[[type[Kind]], type[Kind]]:
    """A decorator that lets a class's constructor be called with its old keywords, `old="today"`, too."""
    def decorate(kind: type[Kind]) -> type[Kind]:
        constructor = kind.__init__

        @functools.wraps(constructor)
        def construct(self: Any, *arguments: Any, **options: Any) -> None:
            for old, today in renamed.items():
                if old in options:
                    warnings.warn(f"{kind.__name__}({old}=…) is now {today}=…; the old name works until version 2.0",
                                  FutureWarning, stacklevel=2)
                    options[today] = options.pop(old)
            constructor(self, *arguments, **options)

        kind.__init__ = construct
        return kind

    return decorate


takes_rng = old_keywords(rng="generator")


class Gone(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of `NAMES` that have no file any more; asked last, after all places where files are."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None,
                  ) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self) if name in NAMES else None

    def exec_module(self, module: ModuleType) -> None:
        module.__getattr__ = old_names(module.__name__)


def install() -> None:
    """Let old modules be imported."""
    if not any(isinstance(finder, Gone) for finder in sys.meta_path):
        sys.meta_path.append(Gone())
