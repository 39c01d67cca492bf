"""Where a run is computed: by name, by `COURSE_DEVICE`, or found; never a part of which run it is."""

import pytest
import torch
from tiny_experiment import Tiny

from course_lib.training import device
from course_lib.training.device import probe, resolve_device

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def nothing_asked_for(monkeypatch):
    monkeypatch.delenv("COURSE_DEVICE", raising=False)
    probe.cache_clear()
    yield
    probe.cache_clear()


@pytest.fixture
def machine(monkeypatch):
    """A machine on which these kinds of device work."""
    def having(*kinds):
        monkeypatch.setattr(device, "works", lambda tried: tried.type in (*kinds, "cpu"))
    return having


def test_the_cpu_is_used_unless_another_is_asked_for(machine, capsys):
    machine("cuda", "mps")
    assert resolve_device() == resolve_device("cpu") == resolve_device(CPU) == Tiny().device == CPU
    assert resolve_device("cuda") == torch.device("cuda") and resolve_device("cuda:1") == torch.device("cuda:1")
    assert capsys.readouterr().out == ""


def test_the_environment_asks_where_nobody_else_does(machine, monkeypatch):
    machine("mps")
    monkeypatch.setenv("COURSE_DEVICE", "mps")
    assert resolve_device() == torch.device("mps") and resolve_device("cpu") == CPU
    monkeypatch.setenv("COURSE_DEVICE", "")
    assert resolve_device() == CPU
    monkeypatch.setenv("COURSE_DEVICE", "abacus")
    with pytest.raises(ValueError, match="abacus"):
        Tiny()


@pytest.mark.parametrize("name", ["abacus", "gpu", "cuda0", "cuda:x", " cpu"])
def test_an_unknown_name_is_told_with_those_that_are_known(name):
    with pytest.raises(ValueError, match=f"the device must be one of cpu, cuda, mps, auto, not '{name}'"):
        resolve_device(name)


@pytest.mark.parametrize("name", ["cuda", "mps", "cuda:3", torch.device("cuda")])
def test_a_device_that_is_not_there_is_told_before_anything_is_built(machine, name):
    machine()
    with pytest.raises(ValueError, match=f"this machine has no {name} that torch can use: choose cpu, or auto"):
        Tiny(device=name)


@pytest.mark.parametrize(("kinds", "chosen", "told"), [
    (("cuda", "mps"), "cuda", "device: cuda\n"),
    (("mps",), "mps", "device: mps\n"),
    ((), "cpu", "device: cpu (neither CUDA nor MPS works here)\n"),
])
def test_auto_takes_the_fastest_kind_and_says_so_once(machine, capsys, kinds, chosen, told):
    machine(*kinds)
    assert [resolve_device("auto").type for _ in range(3)] == [chosen] * 3
    assert capsys.readouterr().out == told


def test_a_device_works_if_a_product_comes_out_right_there():
    assert device.works(CPU)
    assert device.works(torch.device("cuda")) == torch.cuda.is_available()
    assert not device.works(torch.device("meta")), "shapes without numbers"


def test_the_digest_leaves_the_device_out():
    here, there = Tiny(), Tiny()
    there.device = torch.device("cuda")
    assert here.digest() == there.digest() and "device" not in here.state_dict()
