"""`train gan1d` draws what was learned, and films the training."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

from course_lib.commands.errors import as_usage_error, integer
from course_lib.commands.outputs import check_ending
from course_lib.commands.run import Run
from course_lib.experiments.gan1d import GAN1DExperiment
from course_lib.files import Draft, named, whole_file
from course_lib.measure import histogram_density
from course_lib.models.gan1d import real_data
from course_lib.plots import gan1d
from course_lib.plots.animation import ENDINGS, AnimationWriter
from course_lib.plots.animation import check_ending as check_film
from course_lib.training.experiment import snapshot_generator

PLOT_ENDINGS = (".png", ".svg", ".pdf")


def add_pictures(parser: argparse.ArgumentParser) -> None:
    """The options that say where the plot and the film go."""
    add = parser.add_argument
    add("--plot-path", type=Path, default=Path("gan1d.png"), metavar="FILE",
        help=f"where the last plot goes: {', '.join(PLOT_ENDINGS)} (default gan1d.png)")
    add("--anim-path", type=Path, metavar="FILE", help="film the training: .mp4 (needs course_lib[video]) or .gif")
    add("--anim-every", type=integer(1), default=1, metavar="N", help="steps between frames (default 1)")


class Pictures:
    """The plot and the film that were asked for.

    Attributes:
        paths: the files that will be written.

    Raises:
        UsageError: a name with an ending that cannot be written.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.plot, self.film, self.every = arguments.plot_path, arguments.anim_path, arguments.anim_every
        check_ending(self.plot, PLOT_ENDINGS)
        if self.film is not None:
            check_ending(self.film, ENDINGS)
            as_usage_error(check_film, self.film)
        self.paths = [self.plot, *([] if self.film is None else [self.film])]

    def begin(self, experiment: GAN1DExperiment, run: Run, at_end: ExitStack) -> Callable[[], None]:
        """Open the film; returns what is to be done after each step."""
        self.experiment, self.run, self.filming = experiment, run, None
        if self.film is not None:
            self.filming = Filming(self.film, experiment)
            at_end.callback(self.filming.drop)
        return self.after_step

    def after_step(self) -> None:
        """Add a frame, if it is time for one."""
        if self._is_filming() and self.experiment.steps % self.every == 0:
            self.run.attempt(self.film, partial(self.filming.add, self.experiment))

    def end(self) -> None:
        """Keep the film, and draw."""
        if self._is_filming():
            self.run.attempt(self.film, self.filming.keep)
        self.run.attempt(self.plot, partial(draw, self.experiment, self.plot))

    def _is_filming(self) -> bool:
        return self.filming is not None and self.film not in self.run.failed


class Filming:
    """A film of D(x), real and generated density, which gets its name when it is whole."""

    def __init__(self, path: Path, experiment: GAN1DExperiment) -> None:
        drawn = experiment.snapshot()
        figure = gan1d(drawn["grid"], drawn["decision"], drawn["real_density"], drawn["generated_density"],
                       title=f"step {experiment.steps}")
        self.axes = figure.axes[0]
        self.draft = Draft(path)
        try:
            self.film = AnimationWriter(self.draft.path, figure, [*self.axes.lines, self.axes.title])
        except BaseException:
            self.draft.drop()
            raise

    def add(self, experiment: GAN1DExperiment) -> None:
        """The experiment's picture as it is now."""
        drawn = experiment.snapshot()
        decision, _, generated = self.axes.lines
        decision.set_ydata(drawn["decision"])
        generated.set_ydata(drawn["generated_density"])
        self.axes.set_title(f"step {experiment.steps}")
        with named(self.draft.given, self.draft.path):
            self.film.add()

    def keep(self) -> None:
        with named(self.draft.given, self.draft.path):
            self.film.close()
        self.draft.keep()

    def drop(self) -> None:
        """Remove what was not kept."""
        with suppress(OSError):
            self.film.close()
        self.draft.drop()


def draw(experiment: GAN1DExperiment, path: Path) -> None:
    """The last plot."""
    with whole_file(path) as temporary:
        final_plot(experiment).savefig(temporary)


def final_plot(experiment: GAN1DExperiment) -> Any:
    """D(x), and 10,000 real and generated numbers as histograms of 100 bins on [−8, 8]."""
    real = real_data(10_000, snapshot_generator()).squeeze(-1).numpy()
    x, real_density = histogram_density(real, -8, 8, 100)
    _, generated_density = histogram_density(experiment.samples(10_000), -8, 8, 100)
    return gan1d(x, experiment.decision(x), real_density, generated_density,
                 title=f"1-D GAN after {experiment.steps} steps")
