"""What a hyperparameter may be; tests/test_contract.py tries it on every family."""

import pytest
from tiny_experiment import Tiny, TinyHyperparameters


def test_unknown_hyperparameters_are_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="unknown hyperparameter 'hiden': did you mean 'hidden'"):
        Tiny().set(hiden=8)
    with pytest.raises(ValueError, match="known: lr_d, lr_g"):
        Tiny().set(zzz=8)


@pytest.mark.parametrize(("name", "value"), [("lr_d", 0.0), ("lr_d", float("nan")), ("hidden", 65), ("noise", "pink")])
def test_values_outside_the_declared_range_are_refused(name, value):
    experiment = Tiny()
    before = experiment.digest()
    with pytest.raises(ValueError, match=name):
        experiment.set(**{name: value})
    assert experiment.digest() == before


@pytest.mark.parametrize(("name", "value"), [("hidden", 8.0), ("hidden", True), ("noise", 3), ("saturating", 1)])
def test_values_of_another_type_are_refused(name, value):
    with pytest.raises(TypeError, match=name):
        TinyHyperparameters(**{name: value})


def test_a_whole_number_will_do_for_a_float():
    assert TinyHyperparameters(smooth=0).smooth == 0.0
