"""An experiment's own bookkeeping, on a tiny one; what every family must keep besides is in tests/test_contract.py."""

import copy

import pytest
import torch
from tiny_experiment import Tiny, TinyHyperparameters, trained


def test_a_state_that_was_loaded_stays_as_it_was():
    state = copy.deepcopy(trained(10).state_dict())
    digests = []
    for _ in range(2):
        experiment = Tiny()
        experiment.load_state_dict(state)
        digests.append(experiment.digest())
        experiment.step()
    assert digests[0] == digests[1]


def test_a_class_that_was_renamed_reads_and_writes_its_old_name_and_digest():
    class Renamed(Tiny):
        saved_as = "Tiny"

    class Descendant(Renamed):
        pass

    old = trained(5)
    renamed = Renamed()
    renamed.load_state_dict(old.state_dict())
    assert renamed.state_dict()["experiment"] == "Tiny" and renamed.digest() == old.digest()
    with pytest.raises(ValueError, match="state of a Tiny, not of a Descendant"):
        Descendant().load_state_dict(old.state_dict())


def test_set_goes_on_or_begins_anew_as_declared():
    experiment = trained(5)
    assert experiment.set(lr_d=0.01) is False
    assert experiment.steps == 5 and experiment.opt_d.param_groups[0]["lr"] == 0.01
    assert experiment.set(hidden=8) is True
    assert experiment.steps == 0 and experiment.digest() == Tiny(TinyHyperparameters(hidden=8, lr_d=0.01)).digest()
    experiment.step()
    assert experiment.set(hidden=8) is False, "the same value needs no restart"


CHANGES = {
    "a weight": lambda e: next(e.g.parameters()).data[0].add_(1e-7),
    "a moment of the optimiser": lambda e: e.opt_d.state_dict()["state"][0]["exp_avg"].add_(1e-7),
    "a learning rate": lambda e: e.opt_g.param_groups[0].update(lr=0.5),
    "the generator": lambda e: torch.rand(1, generator=e.draws),
    "a hyperparameter": lambda e: e.set(smooth=0.1),
    "the seed": lambda e: setattr(e, "seed", 1),
    "the number of steps": lambda e: setattr(e, "steps", 6),
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_digest_hears_of(what):
    experiment = trained(5)
    before = experiment.digest()
    assert before == trained(5).digest()
    CHANGES[what](experiment)
    assert experiment.digest() != before
