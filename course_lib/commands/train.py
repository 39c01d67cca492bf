"""`python -m course_lib train …`: training on the command line.

Models come from the register of families, and the options of each from what its hyperparameters declare. All that can
be wrong with a request is told before training starts. The heavy imports stand inside the functions, so that `--help`
answers at once.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_lib.commands.console import tell
from course_lib.commands.errors import NOT_DONE, Parser, UsageError, as_usage_error, integer
from course_lib.commands.outputs import SAVE_EVERY, check_outputs
from course_lib.commands.stopping import handled
from course_lib.training.registry import Family, experiment_class, families

if TYPE_CHECKING:
    from course_lib.commands.run import Run
    from course_lib.training.experiment import Experiment
    from course_lib.training.hyperparameters import Field, Hyperparameters

OPTION = "hyperparameter "  # before a hyperparameter's name in the namespace: one of them is called `model`


def add_train(commands: argparse._SubParsersAction) -> None:
    """`train MODEL`: one parser per family."""
    train = commands.add_parser("train", help="train a model", description="Train a model.")
    models = train.add_subparsers(dest="model", metavar="model", required=True, parser_class=FamilyParser)
    for family in families().values():
        models.add_parser(family.name, help=family.summary, description=f"Train {family.summary}. {family.prints}",
                          family=family, aliases=[family.formerly] if family.formerly else [])


class FamilyParser(Parser):
    """The options of one family; those of its hyperparameters are made when they are needed, since that takes torch."""

    def __init__(self, *, family: Family, **given: Any) -> None:
        super().__init__(**given)
        self.family, self.is_whole = family, False
        is_gan1d = family.name == "gan1d"
        add_shared(self, num_steps=5000 if is_gan1d else 4680, log_every=10 if is_gan1d else 100)
        self.set_defaults(run=train_model, model=family.name)  # also where it was asked for by its old name

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None,
                         ) -> tuple[argparse.Namespace, list[str]]:
        if not self.is_whole:
            self.is_whole = True
            if self.family.name == "gan1d":
                from course_lib.commands.gan1d_pictures import add_pictures

                self.add_argument("--setting", choices=("textbook", "recommended"), help="values to start from: the "
                                  "textbook's (default), or those that recover the data most often")
                add_pictures(self)
            add_hyperparameters(self, start_of(self.family.name, None))
        return super().parse_known_args(args, namespace)


def add_shared(parser: argparse.ArgumentParser, num_steps: int, log_every: int) -> None:
    """The options that every model has."""
    add = parser.add_argument
    add("--num-steps", type=integer(1), default=num_steps, metavar="N",
        help=f"steps of the run in all, those before --resume included (default {num_steps})")
    add("--set", action="append", default=[], type=assignment, metavar="NAME=VALUE", dest="assignments",
        help="any hyperparameter, such as batch_size=64, as by its own option; may be repeated")
    add("--seed", type=integer(0, 2**32 - 1), metavar="N", help="decides all random numbers (default 0)")
    add("--device", metavar="NAME", help="where to compute: cpu, cuda, mps, or auto, which takes the fastest that "
                                         "works (default: COURSE_DEVICE, else cpu)")
    add("--log-every", type=integer(1), default=log_every, metavar="N",
        help=f"steps between lines (default {log_every})")
    add("--save", type=Path, action="append", default=[], metavar="FILE",
        help=f"write a checkpoint here, every {SAVE_EVERY} steps and at the end; or, if the name ends in .safetensors, "
             "only the trained weights, at the end, with a card beside them. May be repeated")
    add("--resume", type=Path, metavar="FILE", help="go on from this checkpoint, with its hyperparameters and seed")


def add_hyperparameters(parser: argparse.ArgumentParser, start: Hyperparameters) -> None:
    """An option for each hyperparameter, as it declares itself."""
    group = parser.add_argument_group("hyperparameters")
    for name, declared in start.fields().items():
        value, option = getattr(start, name), f"--{name.replace('_', '-')}"
        about = {"dest": OPTION + name, "default": None, "help": described(declared, value).replace("%", "%%")}
        if isinstance(value, bool):
            group.add_argument(option, action=argparse.BooleanOptionalAction, **about)
        else:
            group.add_argument(option, type=value_like(name, value), choices=declared.choices, **about,
                               metavar="NAME" if isinstance(value, str) else "N" if isinstance(value, int) else "X")


def described(declared: Field, value: Any) -> str:
    """What `--help` says of a hyperparameter: its label, what it does, what it may be, and its default."""
    if declared.choices is not None:
        range_ = ", ".join(declared.choices) + "; "
    elif declared.low is not None:
        range_ = f"{declared.low:g} to {declared.high:g}{' ' + declared.unit if declared.unit else ''}; "
    else:
        range_ = ""
    shown = value if len(str(value)) <= 40 else "…"
    return f"{declared.label}: {declared.help} ({range_}default {shown})"


def value_like(name: str, like: Any) -> Callable[[str], Any]:
    """A parser of values of the type of `like`, for argparse."""
    def parse(text: str) -> Any:
        try:
            return parsed(name, text, like)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse


def train_model(arguments: argparse.Namespace) -> int:
    """Train, print and save one model. Of processes that share its steps, the first alone prints and writes."""
    from course_lib.training.parallel import ProcessLost, rank, together

    try:
        with ExitStack() as stack:
            as_usage_error(stack.enter_context, together())
            if rank() > 0:
                arguments.save = []
                nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
                for redirect in (redirect_stdout, redirect_stderr):
                    stack.enter_context(redirect(nowhere))
            return _train_model(arguments)
    except ProcessLost as lost:
        tell(f"stopped: {lost}; what was saved so far is whole")
        return NOT_DONE


def _train_model(arguments: argparse.Namespace) -> int:
    from course_lib.commands.run import Run, train
    from course_lib.training.checkpoints import WEIGHTS
    from course_lib.training.parallel import rank, require_shareable

    weights = [path for path in arguments.save if path.suffix == WEIGHTS]
    pictures = None
    if arguments.model == "gan1d" and rank() == 0:
        from course_lib.commands.gan1d_pictures import Pictures

        pictures = Pictures(arguments)
    files = [*([] if pictures is None else pictures.paths), *arguments.save]
    check_outputs([*files, *(path.with_suffix(".json") for path in weights)])
    experiment = resumed(arguments) if arguments.resume else new(arguments)
    as_usage_error(require_shareable, experiment)
    if weights and "model" not in experiment.components():
        raise UsageError(f"{arguments.model} has no one network to be used later, and writes no {WEIGHTS}: use another "
                         "name for --save")
    run = Run()
    with handled(run.stop), ExitStack() as at_end:
        after_step = (lambda: None) if pictures is None else pictures.begin(experiment, run, at_end)
        train(experiment, arguments, run, line_of(arguments.model), after_step)
        if pictures is not None:
            pictures.end()
    if run.finished and weights:
        write_weights(arguments.model, experiment, run, weights)
    return run.report(experiment, [path for path in files if run.finished or path not in weights])


def line_of(model: str) -> Callable[[dict[str, Any]], str]:
    """How a model's metrics are printed; those of the 1-D GAN without their names, as its tutorial does."""
    if model == "gan1d":
        return lambda metrics: f"{metrics['loss_d']:.4f}  {metrics['loss_g']:.4f}"
    return lambda metrics: "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())


def write_weights(model: str, experiment: Experiment, run: Run, paths: Sequence[Path]) -> None:
    """The trained weights with their card, whose metrics are those of the weights as they are in the file."""
    from course_lib.training.checkpoints import Card, round_weights, write

    digest, network = experiment.digest(), experiment.components()["model"]
    options = options_of(model, experiment)
    before = copy.deepcopy(network.state_dict())
    round_weights(network)
    metrics = {name: round(value, 4) for name, value in experiment.evaluate(thorough=True).items()}
    card = Card(command=f"python -m course_lib train {options}", experiment=model,
                hyperparameters=dataclasses.asdict(experiment.hyperparameters), seed=experiment.seed,
                steps=experiment.steps, minutes=float(f"{experiment.seconds / 60:.3g}"), digest=digest, metrics=metrics,
                sha256="")
    for path in paths:
        run.attempt(path, partial(write, path, network, card), ValueError)
    network.load_state_dict(before)
    print("  ".join(f"{name} {value}" for name, value in metrics.items()))


def options_of(model: str, experiment: Experiment) -> str:
    """The options of `train` that lead to this experiment: what differs from the defaults, in order of the alphabet."""
    h, defaults = experiment.hyperparameters, type(experiment.hyperparameters)()
    seed = [f"--seed {experiment.seed}"] if experiment.seed else []
    changed = [f"--set {name}={getattr(h, name)}" for name in sorted(h.fields())
               if getattr(h, name) != getattr(defaults, name)]
    return " ".join([model, f"--num-steps {experiment.steps}", *seed, *changed])


def start_of(model: str, setting: str | None) -> Hyperparameters:
    """The values that options change: the defaults, or for the 1-D GAN the textbook's."""
    kind = experiment_class(model)
    if model == "gan1d" and setting != "recommended":
        from course_lib.experiments.gan1d import TEXTBOOK

        return TEXTBOOK
    return kind.Hyperparameters()


def new(arguments: argparse.Namespace) -> Experiment:
    """The experiment that the options ask for."""
    start = start_of(arguments.model, getattr(arguments, "setting", None))
    hyperparameters = as_usage_error(start.replace, **overrides(arguments, start))
    return as_usage_error(experiment_class(arguments.model), hyperparameters, arguments.seed or 0, arguments.device)


def resumed(arguments: argparse.Namespace) -> Experiment:
    """The experiment of the checkpoint; options that say otherwise, and a run already done, are mistakes."""
    from course_lib.training.checkpoints import WEIGHTS
    from course_lib.training.loop import load

    if getattr(arguments, "setting", None) is not None:
        raise UsageError("--resume takes its values from the checkpoint: leave out --setting")
    experiment = as_usage_error(experiment_class(arguments.model), device=arguments.device)
    try:
        load(experiment, arguments.resume)
    except OSError as error:
        raise UsageError(f"{arguments.resume}: {error.strerror or error}") from error
    except Exception as error:  # whatever a file that is no checkpoint makes the loader stumble over
        raise UsageError(f"{arguments.resume} is no checkpoint of this model") from error
    asked = overrides(arguments, experiment.hyperparameters)
    if as_usage_error(experiment.hyperparameters.replace, **asked) != experiment.hyperparameters:
        raise UsageError(f"{arguments.resume} was trained with other values than "
                         + ", ".join(f"{name}={value}" for name, value in asked.items()))
    if arguments.seed not in (None, experiment.seed):
        raise UsageError(f"{arguments.resume} was trained with seed {experiment.seed}, not {arguments.seed}")
    only_weights = experiment.steps == arguments.num_steps and any(p.suffix == WEIGHTS for p in arguments.save)
    if experiment.steps >= arguments.num_steps and not only_weights:
        raise UsageError(f"{arguments.resume} is at step {experiment.steps} already: --num-steps must be more")
    return experiment


def overrides(arguments: argparse.Namespace, start: Hyperparameters) -> dict[str, Any]:
    """The hyperparameters that were given on the command line, each of the type that `start` has there."""
    given = {name.removeprefix(OPTION): value for name, value in vars(arguments).items()
             if name.startswith(OPTION) and value is not None}
    for name, text in arguments.assignments:
        given[name] = as_usage_error(parsed, name, text, getattr(start, name, ""))
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


def assignment(text: str) -> tuple[str, str]:
    """A parser of NAME=VALUE, for argparse."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, not {text!r}")
    return name, value
