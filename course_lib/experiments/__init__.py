"""Each model wired to its data and optimisers in one place, and the one loop that trains them."""

from course_lib.experiments.base import Experiment, Hyperparameters, knob, load, run, save

__all__ = ["Experiment", "Hyperparameters", "knob", "load", "run", "save"]
