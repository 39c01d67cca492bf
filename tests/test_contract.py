"""What every registered family keeps, whatever it trains: whoever drives an `Experiment` relies on this and no more.

A family that is registered is tried here without a line about it; `SMALL` only makes it quick.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from one_device import MixedDevices, OneDevice
from torch import nn

from course_lib.data.plane import SPIRAL, WAVE
from course_lib.live.trainer import Trainer
from course_lib.training import image_scores, load, save, step
from course_lib.training.experiment import Diverged, Experiment
from course_lib.training.hyperparameters import Field
from course_lib.training.phases import PhasedExperiment
from course_lib.training.registry import experiment_class, families
from course_lib.training.step import AdversarialExperiment, LossExperiment

SMALL: dict[str, dict[str, Any]] = {  # a family without a row has its defaults
    "autoencoder": {"width": 16, "batch_size": 8},
    "bigan": {"width": 4, "batch_size": 4, "regression": 1.0},
    "classifier": {"batch_size": 8},
    "conditional": {"width": 4, "batch_size": 4, "dropout": 0.3},
    "coupled": {"width": 4, "batch_size": 4, "dropout": 0.3, "shared": 1},
    "dcgan": {"width": 4, "batch_size": 4, "dropout": 0.3},
    "diffusion2d": {"data": "clusters", "width": 16, "batch_size": 32},
    "flow": {"n_couplings": 2, "width": 16, "batch_size": 64},
    "flow_matching": {"width": 4, "batch_size": 4},
    "flow_matching2d": {"data": "clusters", "width": 16, "batch_size": 32},
    "in_context": {"channels": 8, "batch_size": 4},
    "infogan": {"width": 4, "batch_size": 4, "dropout": 0.3},
    "latent_flow": {"width": 8, "batch_size": 8, "sampling_steps": 2},
    "masked_diffusion": {"data": "bars", "layers": 1, "heads": 1, "batch_size": 4, "sampling_steps": 3},
    "mmd2d": {"batch_size": 32},
    "pixelrnn": {"data": "sprites", "channels": 4, "batch_size": 4},
    "image_to_image": {"width": 4, "batch_size": 4, "adversarial": 0.1},
    "transformer": {"data": "sprites", "layers": 1, "heads": 1, "batch_size": 4},
    "vae": {"width": 16, "batch_size": 8},
    "vq_vae": {"width": 4, "batch_size": 4, "bits": 3},
    "vq_vae_prior": {"layers": 1, "heads": 1, "batch_size": 4},
}
BESIDE: dict[tuple[str, str], dict[str, Any]] = {  # what must be set, too, before a hyperparameter means anything
    ("gan2d", "penalty"): {"variant": "WGAN-GP"},
    ("gan2d", "clip"): {"variant": "WGAN"},
    ("gan2d", "drawing"): {"data": "drawn"},
    ("diffusion2d", "drawing"): {"data": "drawn"},
    ("flow_matching2d", "drawing"): {"data": "drawn"},
    ("critic1d", "clip"): {"limit": "clip"},
    ("vq_vae", "restarts"): {"batch_size": 44, "bits": 1},  # the idle entry is below its limit at step 9
}
TEXTS = {(name, "drawing"): (WAVE, SPIRAL) for name in ("gan2d", "diffusion2d", "flow_matching2d")}  # any text
LARGE = "the networks and batches of dcgan, which is tried with it"
SLOW = {  # ends that are left out, and why
    **{(name, "width", 128): LARGE for name in ("bigan", "conditional", "coupled", "infogan", "image_to_image")},
    **{(name, "batch_size", 512): LARGE for name in ("bigan", "conditional", "coupled", "infogan", "image_to_image")},
}
ONLY_SHOWN = {("latent_flow", "w"), ("latent_flow", "sampling_steps"),  # they change what is drawn of a trained model
              ("masked_diffusion", "sampling_steps")}
LAZY = 8  # steps: by then every penalty has been due, and all is measured that is measured now and then
LENGTHS = {"total_steps": 9, "warmup_steps": 100}  # that make a difference in the steps after LAZY
DEAR = ("bigan", "classifier", "conditional", "coupled", "dcgan", "flow_matching", "infogan",  # to evaluate
        "image_to_image", "latent_flow", "vq_vae", "vq_vae_prior")
FEW = 100
UNDEFINED = {("gan2d", "modes"), ("gan2d", "near")}  # metrics that are NaN where the data have no modes

NAMES = tuple(families())
EACH = pytest.mark.parametrize("name", NAMES)
FIELDS = [(name, field) for name in NAMES for field in experiment_class(name).Hyperparameters.fields()]
DEVICES = ("cpu", *(["cuda"] if torch.cuda.is_available() else []))


@pytest.fixture(params=DEVICES, autouse=True)
def device(request, monkeypatch) -> str:
    """Where the experiments of a test lie; on a GPU one product must give the same bits each time."""
    monkeypatch.setenv("COURSE_DEVICE", request.param)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    return request.param


@pytest.fixture(autouse=True)
def few_images(monkeypatch) -> None:
    """Images are judged by the hundred, where a family shows thousands to a network of convolutions."""
    monkeypatch.setattr(image_scores, "IMAGES", FEW)
    for name in DEAR:
        module = sys.modules[experiment_class(name).__module__]
        for reader in {"load_mnist", "held_out_images"} & set(vars(module)):
            monkeypatch.setattr(module, reader, functools.partial(first_few, getattr(module, reader)))
        for count in {"IMAGES", "COUNTED"} & set(vars(module)):
            monkeypatch.setattr(module, count, FEW)


def first_few(read: Callable[[str], Any], part: str) -> Any:
    return read(part) if part == "train" else read(part)[:FEW]


def experiment(name: str, seed: int = 0, device: str | None = None, **changes: Any) -> Experiment:
    kind = experiment_class(name)
    return kind(kind.Hyperparameters().replace(**{**SMALL.get(name, {}), **changes}), seed, device)


def train(e: Experiment, steps: int) -> list[dict[str, float]]:
    return [{k: float(v) for k, v in e.step().items()} for _ in range(steps)]


def learned(e: Experiment) -> list[torch.Tensor]:
    """All parameters and buffers that training moves."""
    return [value.detach().cpu().clone() for part in e.components().values() if isinstance(part, nn.Module)
            for value in part.state_dict().values()]


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def ends(name: str, field: str) -> tuple[Any, ...]:
    """The values that a hyperparameter is tried with: all choices, or both ends of its range."""
    hyperparameters = experiment_class(name).Hyperparameters
    declared, usual = hyperparameters.fields()[field], getattr(hyperparameters(), field)
    if declared.choices is not None:
        return declared.choices
    if isinstance(usual, bool):
        return (False, True)
    if isinstance(usual, str):
        return TEXTS[name, field]
    return tuple(type(usual)(end) for end in (declared.low, declared.high))


def beside(name: str, field: str) -> dict[str, Any]:
    return BESIDE.get((name, field), {})


# The run.


@EACH
def test_the_seed_decides_the_run_and_nothing_else_does(name):
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    first, other = experiment(name, 3), experiment(name, 4)
    train(first, 3), train(other, 3)
    assert torch.equal(torch.get_rng_state(), before[0]), "torch's own generator was used"
    assert np.array_equal(np.random.get_state()[1], before[1]) and random.getstate() == before[2]
    again = experiment(name, 3)
    torch.rand(5), np.random.rand(5), random.random()
    train(again, 3)
    assert first.digest() == again.digest() != other.digest()


@EACH
def test_a_run_that_was_saved_and_killed_goes_on_to_the_same_digest(name, tmp_path):
    late = {"total_steps": 4} if (name, "total_steps") in FIELDS else {}
    whole, part = experiment(name, 2, **late), experiment(name, 2, **late)
    train(whole, 4), train(part, 2)
    save(part, tmp_path / "run.pt")
    seconds = part.seconds
    del part
    resumed = experiment_class(name)(seed=99)
    load(resumed, tmp_path / "run.pt")
    assert (resumed.steps, resumed.seed, resumed.seconds) == (2, 2, seconds) and seconds > 0
    resumed.snapshot(), train(resumed, 2)
    assert resumed.digest() == whole.digest() and resumed.seconds > seconds


@EACH
def test_a_snapshot_neither_disturbs_training_nor_flickers(name):
    watched, alone = experiment(name), experiment(name)
    for _ in range(2):
        first, second = watched.snapshot(), watched.snapshot()
        assert all(np.array_equal(first[key], second[key]) and np.isfinite(first[key]).all() for key in first)
        train(watched, 1)
    train(alone, 2)
    assert watched.digest() == alone.digest()


@EACH
def test_metrics_are_detached_numbers_that_keep_their_names(name):
    e = experiment(name)
    first, second = e.step(), e.step()
    assert first and list(first) == list(second)
    assert all(m.ndim == 0 and not m.requires_grad for m in (*first.values(), *second.values()))


@EACH
def test_a_diverged_run_is_called_diverged(name):
    e = experiment(name)
    train(e, 1)
    for part in e.components().values():
        for parameter in part.parameters() if isinstance(part, nn.Module) else ():
            parameter.data.fill_(float("nan"))
    trainer = Trainer(e, observe=lambda urgent: e.snapshot())
    with contextlib.suppress(Diverged):  # some families train on, with metrics that are NaN
        trainer.run(2)
    assert trainer.state in ("paused", "error") and isinstance(trainer.error, Diverged | None)
    trainer.reset()
    trainer.run(2)
    trainer.close()
    assert all(x.isfinite().all() for x in learned(e))


@EACH
def test_an_evaluation_is_finite_the_same_each_time_and_disturbs_nothing(name):
    e = experiment(name)
    train(e, 1)
    before, metrics = e.digest(), e.evaluate(thorough=False)
    assert all(isinstance(value, (float, int)) and np.isfinite(value) for value in metrics.values())
    assert e.evaluate(thorough=False) == metrics and e.digest() == before


@pytest.mark.parametrize(("name", "other"), list(zip(NAMES, (*NAMES[1:], NAMES[0]), strict=True)))
def test_the_state_of_another_experiment_is_refused(name, other):
    e, state = experiment(name), experiment(other).state_dict()
    before = e.digest()
    kinds = f"state of a {state['experiment']}, not of a {e.state_dict()['experiment']}"
    with pytest.raises(ValueError, match=kinds):
        e.load_state_dict(state)
    assert e.digest() == before


@pytest.mark.parametrize("name", [name for name in NAMES if issubclass(experiment_class(name), PhasedExperiment)])
def test_slow_motion_leads_where_full_speed_does(name):
    more = {"d_steps": 2} if (name, "d_steps") in FIELDS else {}
    whole, walked, mixed = (experiment(name, 2, **more) for _ in range(3))
    expected, metrics = train(whole, 2), []
    while walked.steps < 2:
        told = walked.advance()
        walked.walk()
        if walked.steps == 0:
            walked.snapshot()
        metrics += [] if told is None else [{k: float(v) for k, v in told.items()}]
    mixed.advance(), mixed.advance()
    with pytest.raises(RuntimeError, match="middle of a step: finish it first"):
        mixed.state_dict()
    train(mixed, 2)  # the first one finishes the step under way
    assert metrics == expected and walked.digest() == mixed.digest() == whole.digest()
    mixed.advance(), mixed.reset(2)
    assert mixed.done == 0 and mixed.digest() == experiment(name, 2, **more).digest()


GAMES = pytest.mark.parametrize("name", [n for n in NAMES if issubclass(experiment_class(n), AdversarialExperiment)])


@GAMES
def test_the_turn_of_one_player_leaves_no_gradient_in_the_other(name):
    e, seen = experiment(name), {}

    def keep(player):
        return lambda *_: seen.update({player: [[None if p.grad is None else p.grad.clone() for p in n.parameters()]
                                                for n in (e.G, e.D)]})

    e.optimizer_d.register_step_pre_hook(keep("D"))
    e.optimizer_g.register_step_pre_hook(keep("G"))
    e.step()
    (g_in_d, d_in_d), (g_in_g, d_in_g) = seen["D"], seen["G"]
    assert all(gradient is None for gradient in g_in_d)
    assert all(torch.equal(now, before) for now, before in zip(d_in_g, d_in_d, strict=True))
    assert all(gradient is not None for gradient in (*g_in_g, *d_in_d))
    assert all(p.requires_grad for n in (e.G, e.D) for p in n.parameters())


@GAMES
def test_each_player_moves_in_its_own_turn_alone(name):
    e = experiment(name)
    moved = {"D": set(), "G": set()}
    while e.steps == 0:
        phase, before = e.phases()[e.done], {n: [p.detach().clone() for p in getattr(e, n).parameters()] for n in "GD"}
        e.advance()
        for n in "GD":
            if not same(before[n], list(getattr(e, n).parameters())):
                moved[n].add((phase.player, phase.name))
    assert moved == {"D": {("D", "update")}, "G": {("G", "update")}}


# Hyperparameters.


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_a_hyperparameter_trains_and_draws_at_both_ends(name, field):
    for value in ends(name, field):
        if (name, field, value) in SLOW:
            continue
        e = experiment(name, **{**beside(name, field), field: value})
        for metrics in train(e, 3):
            assert not [m for m in metrics if np.isnan(metrics[m]) and (name, m) not in UNDEFINED], (value, metrics)
        assert all(x.isfinite().all() for x in learned(e)), f"{field} = {value!r} led to numbers that are not finite"
        assert all(np.isfinite(a).all() for a in e.snapshot().values()), f"{field} = {value!r} cannot be drawn"


def test_what_is_slow_is_there():
    assert all(field in experiment_class(name).Hyperparameters.fields() and value in ends(name, field) and reason
               for (name, field, value), reason in SLOW.items())


def others(name: str, field: str, now: Any) -> list[Any]:
    """Other values: all other choices, the next whole number, or the end of a range."""
    if field in LENGTHS:
        return [LENGTHS[field]]
    if type(now) is int:
        return [now + 1 if now + 1 in range(*ends(name, field)) else now - 1]
    values = [value for value in ends(name, field) if value != now]
    return values[:1] if isinstance(now, float) else values


@functools.cache
def begun(name: str, device: str, settings: tuple[tuple[str, Any], ...],
          ) -> tuple[Experiment, dict[str, Any], list[torch.Tensor]]:
    """An experiment to be used again, its state after LAZY steps, and what it has learned two steps later."""
    e = experiment(name, device=device, **dict(settings))
    train(e, LAZY)
    state = copy.deepcopy(e.state_dict())
    train(e, 2)
    return e, state, learned(e)


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_a_hyperparameter_changes_what_is_trained_or_begins_anew_and_is_saved(name, field, device):
    settings = beside(name, field)
    e, state, unchanged = begun(name, device, tuple(settings.items()))
    declared = e.hyperparameters.fields()[field]
    for value in others(name, field, state["hyperparameters"][field]):
        e.load_state_dict(state)
        shown = e.snapshot() if (name, field) in ONLY_SHOWN else {}
        assert e.set(**{field: value}) == declared.restart
        if declared.restart:
            assert e.digest() == experiment(name, **{**settings, field: value}).digest()
        else:
            assert e.steps == LAZY
        if shown:
            now = e.snapshot()
            assert any((now[key] != shown[key]).any() for key in shown), f"{field} = {value!r} changes no picture"
        train(e, 1)
        half_way = copy.deepcopy(e.state_dict())
        train(e, 1)
        whole = e.digest()
        assert declared.restart or shown or not same(learned(e), unchanged), f"{field} = {value!r} changes nothing"
        e.load_state_dict(half_way)
        train(e, 1)
        assert e.digest() == whole


@EACH
def test_hyperparameters_say_what_they_are(name):
    for field, declared in experiment_class(name).Hyperparameters.fields().items():
        assert declared.label and declared.help.endswith("."), field
        assert not declared.log or declared.low > 0, field


def wrong(declared: Field, usual: Any) -> list[tuple[Any, type[Exception]]]:
    """Values that must be refused, and how."""
    if isinstance(usual, bool):
        return [(1, TypeError), ("yes", TypeError)]
    if isinstance(usual, str):
        return [(3, TypeError), *([("no such choice", ValueError)] if declared.choices else [])]
    beyond = [(declared.low - 1, ValueError), (declared.high + 1, ValueError)]
    return [("many", TypeError), (True, TypeError), *beyond,
            (float("nan"), ValueError) if isinstance(usual, float) else (0.5, TypeError)]


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_wrong_values_are_refused_by_name(name, field):
    hyperparameters = experiment_class(name).Hyperparameters()
    for value, error in wrong(hyperparameters.fields()[field], getattr(hyperparameters, field)):
        with pytest.raises(error, match=f"^{field} must "):
            hyperparameters.replace(**{field: value})
    slip = field[0] + field
    with pytest.raises(ValueError, match=f"unknown hyperparameter '{slip}': did you mean '{field}'"):
        hyperparameters.replace(**{slip: 1})


# The device.


@EACH
def test_no_operation_mixes_devices(name):
    """Steps, a picture and an evaluation on torch's meta device, made as strict as a GPU. And a seed means the same
    noise there: as many random numbers are drawn, from the CPU's generator, as for a run on the CPU."""
    here = experiment(name, device="cpu")
    train(here, 2)
    with OneDevice():
        there = experiment(name, device="meta")
        train(there, 2)
        assert torch.equal(here.components()["rng"].get_state(), there.components()["rng"].get_state())
        there.snapshot(), there.evaluate(thorough=False)
    networks = [part for part in there.components().values() if isinstance(part, nn.Module)]
    assert all(x.is_meta for network in networks for x in network.parameters())


def branches(name: str, field: str) -> list[Any]:
    """Other values that may lead through other code: choices, and what is 0 and so switched off, or is not."""
    if field in (*LENGTHS, "precision"):  # there is no autocast for the meta device
        return []
    hyperparameters = experiment_class(name).Hyperparameters
    declared, now = hyperparameters.fields()[field], SMALL.get(name, {}).get(field, getattr(hyperparameters(), field))
    return [value for value in ends(name, field) if value != now] if declared.choices or not declared.low else []


@pytest.mark.parametrize(("name", "field"), [pair for pair in FIELDS if branches(*pair)])
def test_no_operation_mixes_devices_in_any_branch(name, field):
    for value in branches(name, field):
        with OneDevice():
            train(experiment(name, device="meta", **{**beside(name, field), field: value}), 1)


@pytest.mark.parametrize("name", [name for name in NAMES if issubclass(experiment_class(name), LossExperiment)])
def test_a_batch_that_is_not_moved_is_found(name, monkeypatch):
    monkeypatch.setattr(step, "to_device", lambda batch, device: batch)
    with OneDevice(), pytest.raises(MixedDevices):
        experiment(name, device="meta").step()
