"""`python -m course_lib train …`: training on the command line.

All that can be wrong with a request is told before training starts. The heavy imports stand inside the functions, so
that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_lib.console import tell
from course_lib.files import Draft, check_writable, explain, named, whole_file
from course_lib.stopping import Note, handled

if TYPE_CHECKING:
    from torch import Tensor

    from course_lib.experiments import Experiment
    from course_lib.experiments.gan1d import GAN1DExperiment

WEIGHTS = ".safetensors"
PLOT_ENDINGS = (".png", ".svg", ".pdf")
NOT_WRITTEN = 1  # the exit code when a file could not be written, also after Ctrl-C
INTERRUPTED = 130  # what a shell reports for a command that Ctrl-C ended
SAVE_EVERY = 500  # steps: what a killed run loses at most


class UsageError(Exception):
    """A mistake of the user, told in one line."""


MODELS = {  # those that need no options of their own
    "vae": ("a variational autoencoder of MNIST", "Prints the means over a batch of the ELBO, its two terms (nats), "
            "and how loud the noise in the code is."),
    "autoencoder": ("a plain autoencoder of MNIST", "Prints the squared error of an image, mean over a batch."),
    "dcgan": ("a generative adversarial network of convolutions on MNIST", "Prints the losses of D and G in nats, D's "
              "mean probabilities for real and generated images, and the norm of G's gradient."),
    "conditional": ("a conditional GAN on MNIST, which draws the digit that it is asked for", "Prints what dcgan "
                    "prints."),
    "infogan": ("an InfoGAN on MNIST, whose code can be read from its images", "Prints what dcgan prints; both losses "
                "hold the information term."),
    "coupled": ("two GANs on two kinds of images of MNIST, with shared layers", "Prints the losses of D and G in nats, "
                "sums over both kinds."),
    "bigan": ("a GAN of MNIST with an encoder", "Prints the losses of D and of G and E in nats, half the squared "
              "distance of z and E(G(z)) if it counts, and the norm of E's gradient."),
    "translator": ("a network that makes MNIST's images of coarse ones, or of outlines", "Prints the squared error of "
                   "a pixel and, if D's verdict counts, both losses in nats."),
    "gan2d": ("a GAN in the plane: vanilla, R1, WGAN or WGAN-GP", "Prints both losses, the gap between D's scores, KL "
              "and JS by cells (nats), modes covered and the share of points near one."),
    "pixelrnn": ("a model of MNIST or of sprites that predicts one pixel after the other", "Prints the mean −log p(x) "
                 "of a batch in nats, the same in bits per pixel, and the length of the gradient."),
    "classifier": ("the judge: a small convolutional network on MNIST", "Prints the cross-entropy in nats."),
}


def add_train(commands: argparse._SubParsersAction) -> None:
    """`train MODEL`: one parser per model."""
    train = commands.add_parser("train", help="train a model", description="Train a model.")
    models = train.add_subparsers(dest="model", metavar="model", required=True)
    add_train_gan1d(models)
    for name, (what, prints) in MODELS.items():
        model = models.add_parser(name, help=what, description=f"Train {what}. {prints}")
        add_shared(model, num_steps=4680, log_every=100)
        model.set_defaults(run=train_model)


def add_shared(model: argparse.ArgumentParser, num_steps: int, log_every: int) -> None:
    """The options that every model has."""
    add = model.add_argument
    add("--num-steps", type=integer(1), default=num_steps, metavar="N",
        help=f"steps of the run in all, those before --resume included (default {num_steps})")
    add("--set", action="append", default=[], type=assignment, metavar="NAME=VALUE", dest="assignments",
        help="any hyperparameter, such as batch_size=64; may be repeated")
    add("--seed", type=integer(0, 2**32 - 1), metavar="N", help="decides all random numbers (default 0)")
    add("--log-every", type=integer(1), default=log_every, metavar="N",
        help=f"steps between lines (default {log_every})")
    add("--save", type=Path, action="append", default=[], metavar="FILE",
        help=f"write a checkpoint here, every {SAVE_EVERY} steps and at the end; or, if the name ends in {WEIGHTS}, "
             "only the trained weights, at the end, with a card beside them. May be repeated")
    add("--resume", type=Path, metavar="FILE", help="go on from this checkpoint, with its hyperparameters and seed")


def add_train_gan1d(models: argparse._SubParsersAction) -> None:
    """`train gan1d`: the 1-D GAN."""
    gan1d = models.add_parser(
        "gan1d", help="a GAN that learns N(4, 0.5²)",
        description="Train a GAN that learns the normal distribution with mean 4 and standard deviation 0.5. "
                    "Prints 'step: loss of D  loss of G' and draws what was learned.")
    add_shared(gan1d, num_steps=5000, log_every=10)
    add = gan1d.add_argument
    add("--hidden-size", type=int, metavar="N", help="units of the generator's hidden layer (default 4)")
    add("--batch-size", type=int, metavar="N", help="numbers a step sees (default 8, or 32 if recommended)")
    add("--minibatch", action=argparse.BooleanOptionalAction, help="use minibatch discrimination")
    add("--setting", choices=("textbook", "recommended"),
        help="values to start from: the textbook's (default), or those that recover the data most often")
    add("--plot-path", type=Path, default=Path("gan1d.png"), metavar="FILE",
        help=f"where the last plot goes: {', '.join(PLOT_ENDINGS)} (default gan1d.png)")
    add("--anim-path", type=Path, metavar="FILE", help="film the training: .mp4 (needs imageio-ffmpeg) or .gif")
    add("--anim-every", type=integer(1), default=1, metavar="N", help="steps between frames (default 1)")
    gan1d.set_defaults(run=train_gan1d)


def train_gan1d(arguments: argparse.Namespace) -> int:
    """Train, print, film, draw and save the 1-D GAN; all that can be wrong with the request is told before."""
    check_ending(arguments.plot_path, PLOT_ENDINGS)
    if any(path.suffix == WEIGHTS for path in arguments.save):
        raise UsageError(f"the 1-D GAN trains in seconds and writes no {WEIGHTS}: use another name for --save")
    films = [] if arguments.anim_path is None else [arguments.anim_path]
    if films:
        from course_lib.animation import ENDINGS
        from course_lib.animation import check_ending as check_film

        check_ending(arguments.anim_path, ENDINGS)
        told(check_film, arguments.anim_path)
    check_outputs([arguments.plot_path, *films, *arguments.save])
    experiment = resumed(arguments) if arguments.resume else new_gan1d(arguments)

    run = Run()
    with handled(run.stop), ExitStack() as at_end:
        filming = None
        if films:
            filming = Filming(arguments.anim_path, experiment)
            at_end.callback(filming.drop)

        def filmed() -> None:
            if filming is not None and arguments.anim_path not in run.failed \
                    and experiment.steps % arguments.anim_every == 0:
                run.attempt(arguments.anim_path, partial(filming.add, experiment))

        train(experiment, arguments, run, lambda m: f"{m['loss_d']:.4f}  {m['loss_g']:.4f}", filmed)
        if filming is not None and arguments.anim_path not in run.failed:
            run.attempt(arguments.anim_path, filming.keep)
        run.attempt(arguments.plot_path, partial(draw, experiment, arguments.plot_path))
    return run.report(experiment, [arguments.plot_path, *films, *arguments.save])


def train_model(arguments: argparse.Namespace) -> int:
    """Train, print and save one of `MODELS`."""
    weights = [path for path in arguments.save if path.suffix == WEIGHTS]
    check_outputs([*arguments.save, *(path.with_suffix(".json") for path in weights)])
    from course_lib.experiments.trained import EXPERIMENTS

    if arguments.resume:
        experiment = resumed(arguments)
    else:
        kind = EXPERIMENTS[arguments.model]
        start = kind.Hyperparameters()
        experiment = kind(told(start.changed, **asked_for(arguments, start)), arguments.seed or 0)
    run = Run()
    with handled(run.stop):
        train(experiment, arguments, run, lambda m: "  ".join(f"{name} {value:.4f}" for name, value in m.items()))
    if run.finished and weights:
        write_weights(arguments.model, experiment, run, weights)
    return run.report(experiment, [path for path in arguments.save if run.finished or path not in weights])


class Run:
    """How a run on the command line went: what ended it, and which of its files could not be written.

    Attributes:
        stop: the signal that ended it, if one did.
        failed: for each file that could not be written, why.
        broken: the error of the output that the lines are printed to, if there was one.
    """

    def __init__(self) -> None:
        self.stop = Note()
        self.failed: dict[Path, str] = {}
        self.broken: OSError | None = None

    @property
    def finished(self) -> bool:
        return self.stop.number is None and self.broken is None

    def attempt(self, path: Path, write: Callable[[], Any], mistakes: type[Exception] = OSError) -> None:
        """Write one file. If that fails it is told, once, and the other files are written all the same."""
        try:
            write()
        except (OSError, mistakes) as error:
            if path not in self.failed:
                tell(f"could not write {explain(error) if isinstance(error, OSError) else f'{path}: {error}'}")
            self.failed[path] = str(error)
        else:
            self.failed.pop(path, None)

    def report(self, experiment: Experiment, paths: Sequence[Path]) -> int:
        """The last line, where the run stands and the files it wrote; returns the exit code."""
        written = [str(path) for path in paths if path not in self.failed]
        wrote = f"; wrote {', '.join(written)}" if written else ""
        tell(f"step {experiment.steps}, digest {experiment.digest()}{wrote}")
        if self.broken is not None:
            raise self.broken
        return NOT_WRITTEN if self.failed else self.stop.code


def train(experiment: Experiment, arguments: argparse.Namespace, run: Run, line: Callable[[dict[str, Tensor]], str],
          after_step: Callable[[], None] = lambda: None) -> None:
    """The run that was asked for: prints `line(metrics)`, saves what can be resumed, and ends early if it is told to.

    After Ctrl-C, or where nothing can be printed any more, the experiment is whole: it is shown and kept.
    """
    from tqdm.auto import tqdm

    from course_lib.experiments import run as steps
    from course_lib.experiments import save

    progress = sys.stdout.isatty() and sys.stderr.isatty()
    states = [path for path in arguments.save if path.suffix != WEIGHTS]

    def save_states() -> None:
        for path in states:
            run.attempt(path, partial(save, experiment, path))

    try:
        for metrics in steps(experiment, arguments.num_steps - experiment.steps, progress=progress):
            if experiment.steps % arguments.log_every == 0:
                tqdm.write(f"{experiment.steps}: {line(metrics)}")
                sys.stdout.flush()  # so that a log file can be followed
            after_step()
            if experiment.steps % SAVE_EVERY == 0:
                save_states()
            if run.stop.number is not None:
                break
    except KeyboardInterrupt:  # within a step, which was finished
        run.stop(signal.SIGINT)
    except OSError as error:  # of printing: a full disk, or nobody who reads on
        run.broken = error
    if run.stop.number is not None:
        tell(f"stopped by {run.stop.word}")
    save_states()


def write_weights(model: str, experiment: Experiment, run: Run, paths: Sequence[Path]) -> None:
    """The trained weights with their card, whose metrics are those of the weights as they are in the file."""
    from course_lib.checkpoints import Card, round_weights, write

    digest, network = experiment.digest(), experiment.parts()["model"]
    options = options_of(model, experiment)
    before = copy.deepcopy(network.state_dict())
    round_weights(network)
    metrics = {name: round(value, 4) for name, value in experiment.evaluate(thorough=True).items()}
    card = Card(command=f"python -m course_lib train {options}", experiment=model,
                hyperparameters=dataclasses.asdict(experiment.hyperparameters), seed=experiment.seed,
                steps=experiment.steps, minutes=round(experiment.seconds / 60, 1), digest=digest, metrics=metrics,
                sha256="")
    for path in paths:
        run.attempt(path, partial(write, path, network, card), ValueError)
    network.load_state_dict(before)
    print("  ".join(f"{name} {value}" for name, value in metrics.items()))


def options_of(model: str, experiment: Experiment) -> str:
    """The options of `train` that lead to this experiment: what differs from the defaults, in order of the alphabet."""
    h, defaults = experiment.hyperparameters, type(experiment.hyperparameters)()
    seed = [f"--seed {experiment.seed}"] if experiment.seed else []
    changed = [f"--set {name}={getattr(h, name)}" for name in sorted(h.knobs())
               if getattr(h, name) != getattr(defaults, name)]
    return " ".join([model, f"--num-steps {experiment.steps}", *seed, *changed])


def make_checkpoints(arguments: argparse.Namespace) -> int:
    """Train the shipped checkpoints that were named, or else those that are missing or not of today's list."""
    import torch

    from course_lib.checkpoints import COMMANDS, FOLDER, CheckpointError, read

    for name in arguments.names:
        if name not in COMMANDS:
            raise UsageError(f"there is no checkpoint {name!r}; known: {', '.join(COMMANDS)}")
    torch.set_num_threads(1)  # as fast as more for networks this small, and the same everywhere
    unfinished = FOLDER / "unfinished"  # ignored by git, and not handed out
    unfinished.mkdir(parents=True, exist_ok=True)
    parser = argparse.ArgumentParser()
    add_train(parser.add_subparsers())
    for name in arguments.names or COMMANDS:
        try:
            _, card = read(name)
            if not arguments.names and card.command == f"python -m course_lib train {COMMANDS[name]}":
                print(f"{name}: is there")
                continue
        except CheckpointError:
            pass
        state = unfinished / f"{name}.pt"  # a run that was broken off goes on from here
        print(f"{name}: python -m course_lib train {COMMANDS[name]}", flush=True)
        resume = ["--resume", str(state)] if state.exists() else []
        options = parser.parse_args(["train", *COMMANDS[name].split(), "--log-every", "500", "--save", str(state),
                                     "--save", str(FOLDER / f"{name}{WEIGHTS}"), *resume])
        code = options.run(options)
        if code:
            return code
        state.unlink()
    return 0


def new_gan1d(arguments: argparse.Namespace) -> GAN1DExperiment:
    """The experiment that the options ask for."""
    from course_lib.experiments.gan1d import TEXTBOOK, GAN1DExperiment, GAN1DHyperparameters

    start = GAN1DHyperparameters() if arguments.setting == "recommended" else TEXTBOOK
    return GAN1DExperiment(told(start.changed, **asked_for(arguments, start)), arguments.seed or 0)


def resumed(arguments: argparse.Namespace) -> Experiment:
    """The experiment of the checkpoint; options that say otherwise, and a run already done, are mistakes."""
    from course_lib.experiments import load
    from course_lib.experiments.trained import EXPERIMENTS

    if getattr(arguments, "setting", None) is not None:
        raise UsageError("--resume takes its values from the checkpoint: leave out --setting")
    experiment = EXPERIMENTS[arguments.model]()
    try:
        load(experiment, arguments.resume)
    except OSError as error:
        raise UsageError(f"{arguments.resume}: {error.strerror or error}") from error
    except Exception as error:  # whatever a file that is no checkpoint makes the loader stumble over
        raise UsageError(f"{arguments.resume} is no checkpoint of this model") from error
    asked = asked_for(arguments, experiment.hyperparameters)
    if told(experiment.hyperparameters.changed, **asked) != experiment.hyperparameters:
        raise UsageError(f"{arguments.resume} was trained with other values than "
                         + ", ".join(f"{name}={value}" for name, value in asked.items()))
    if arguments.seed not in (None, experiment.seed):
        raise UsageError(f"{arguments.resume} was trained with seed {experiment.seed}, not {arguments.seed}")
    only_weights = experiment.steps == arguments.num_steps and any(p.suffix == WEIGHTS for p in arguments.save)
    if experiment.steps >= arguments.num_steps and not only_weights:
        raise UsageError(f"{arguments.resume} is at step {experiment.steps} already: --num-steps must be more")
    return experiment


def asked_for(arguments: argparse.Namespace, start: Any) -> dict[str, Any]:
    """The hyperparameters that were given on the command line, each of the type that `start` has there."""
    given = {name: getattr(arguments, name) for name in ("hidden_size", "batch_size", "minibatch")
             if getattr(arguments, name, None) is not None}
    for name, text in arguments.assignments:
        given[name] = told(parsed, name, text, getattr(start, name, ""))
    return given


def parsed(name: str, text: str, like: Any) -> Any:
    """Text as a value of the type of `like`. Raises ValueError."""
    kind = type(like)
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{name} must be true or false, not {text!r}")
        return text.lower() == "true"
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{name} must be {kind.__name__}, not {text!r}") from None


class Filming:
    """A film of D(x), real and generated density, which gets its name when it is whole."""

    def __init__(self, path: Path, experiment: GAN1DExperiment) -> None:
        from course_lib.animation import Film
        from course_lib.plots import gan1d

        drawn = experiment.snapshot()
        figure = gan1d(drawn["grid"], drawn["decision"], drawn["real_density"], drawn["generated_density"],
                       title=f"step {experiment.steps}")
        self.axes = figure.axes[0]
        self.draft = Draft(path)
        try:
            self.film = Film(self.draft.path, figure, [*self.axes.lines, self.axes.title])
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
    import torch

    from course_lib.experiments.gan1d import SNAPSHOT_SEED
    from course_lib.measure import histogram_density
    from course_lib.models.gan1d import real_data
    from course_lib.plots import gan1d

    real = real_data(10_000, torch.Generator().manual_seed(SNAPSHOT_SEED)).squeeze(-1).numpy()
    x, real_density = histogram_density(real, -8, 8, 100)
    _, generated_density = histogram_density(experiment.samples(10_000), -8, 8, 100)
    return gan1d(x, experiment.decision(x), real_density, generated_density,
                        title=f"1-D GAN after {experiment.steps} steps")


def integer(low: int, high: int | None = None) -> Callable[[str], int]:
    """A parser of whole numbers from `low` on, for argparse."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from None
        if value < low or (high is not None and value > high):
            upwards = f"at least {low}" if high is None else f"between {low} and {high}"
            raise argparse.ArgumentTypeError(f"must be {upwards}, not {value}")
        return value

    return parse


def assignment(text: str) -> tuple[str, str]:
    """A parser of NAME=VALUE, for argparse."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, not {text!r}")
    return name, value


def told(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function whose ValueError or TypeError is a mistake of the user."""
    try:
        return function(*args, **kwargs)
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from error


def check_ending(path: Path, endings: Sequence[str]) -> None:
    """Raises UsageError if the name ends in none of `endings`."""
    if path.suffix.lower() not in endings:
        raise UsageError(f"{path}: the name must end in {' or '.join(endings)}")


def check_outputs(paths: Sequence[Path]) -> None:
    """Raises UsageError if one of the files that a command is to write cannot be written, or is named twice."""
    seen = set()
    for path in paths:
        try:
            check_writable(path)
            printed_to = path.exists() and any(os.path.samestat(path.stat(), os.fstat(n)) for n in _printed_to())
        except OSError as error:
            raise UsageError(f"cannot write {explain(error)}") from error
        if printed_to:
            raise UsageError(f"cannot write {path}: this is where the command prints; name another file")
        if (real := os.path.normcase(os.path.realpath(path))) in seen:
            raise UsageError(f"cannot write {path} twice: give each output a name of its own")
        seen.add(real)


def _printed_to() -> Iterator[int]:
    """The open files that stand behind stdout and stderr."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError):  # None, or no file
            yield stream.fileno()
