"""`python -m course_lib checkpoints`: train what the course ships."""

from __future__ import annotations

import argparse

from course_lib.authoring.handout import require_course
from course_lib.commands.errors import Parser, UsageError
from course_lib.commands.train import add_train


def add_checkpoints(commands: argparse._SubParsersAction) -> None:
    """`checkpoints [NAME …]`."""
    add = commands.add_parser("checkpoints", help="train what the course ships, where it is missing or out of date")
    add.add_argument("names", nargs="*", metavar="NAME", help="train these anew, whether they are there or not")
    add.set_defaults(run=checkpoints)


def checkpoints(arguments: argparse.Namespace) -> int:
    """Train the shipped checkpoints that were named, or else those that are missing or not of today's list, into the
    course's folder."""
    require_course()
    import torch

    from course_lib.training.checkpoints import FOLDER, WEIGHTS, CheckpointError, read
    from course_lib.training.experiment import Experiment
    from course_lib.training.registry import experiment_class, shipped

    commands = shipped()
    for name in arguments.names:
        if name not in commands:
            raise UsageError(f"there is no checkpoint {name!r}; known: {', '.join(commands)}")
    for model in sorted({commands[name].split()[0] for name in arguments.names or commands}):
        if experiment_class(model).evaluate is Experiment.evaluate:
            raise UsageError(f"{model} has no evaluate(), so a card could not say how good it is")
    torch.set_num_threads(1)  # as fast as more for networks this small, and the same everywhere
    unfinished = FOLDER / "unfinished"  # ignored by git, and not handed out
    unfinished.mkdir(parents=True, exist_ok=True)
    parser = Parser()
    add_train(parser.add_subparsers())
    for name in arguments.names or commands:
        command = f"python -m course_lib train {commands[name]}"
        try:
            _, card = read(name)
            if not arguments.names and card.command == command:
                print(f"{name}: is there")
                continue
        except CheckpointError:
            pass
        state = unfinished / f"{name}.pt"  # a run that was broken off goes on from here
        print(f"{name}: {command}", flush=True)
        resume = ["--resume", str(state)] if state.exists() else []
        options = parser.parse_args(["train", *commands[name].split(), "--log-every", "500", "--save", str(state),
                                     "--save", str(FOLDER / f"{name}{WEIGHTS}"), *resume])
        code = options.run(options)
        if code:
            return code
        state.unlink()
    return 0
