"""Old names: they work, they say what they are called now, and nobody in the course uses them any more."""

import importlib
import subprocess
import sys

import pytest
import torch

from course_lib import deprecated
from course_lib.experiments.gan1d import TEXTBOOK, GAN1DExperiment
from course_lib.models.autoencoder import Autoencoder
from course_lib.models.gan1d import Generator
from course_lib.models.pixelrnn import RowLSTM
from course_lib.training.experiment import Experiment

OLD = [(module, name) for module, names in deprecated.NAMES.items() for name in names]


@pytest.mark.parametrize(("module", "name"), OLD)
def test_an_old_name_gives_what_it_stands_for_today_and_says_so(module, name):
    home, today = deprecated.NAMES[module][name]
    wanted = getattr(importlib.import_module(home), today) if today else importlib.import_module(home)
    with pytest.warns(FutureWarning, match=f"{name} is now .*{today}; the old name works until version 2.0"):
        assert getattr(importlib.import_module(module), name) is wanted


@pytest.mark.parametrize("module", deprecated.NAMES)
def test_a_name_that_never_was_is_no_attribute(module):
    with pytest.raises(AttributeError, match="no attribute"):
        _ = importlib.import_module(module).nothing


def test_a_module_that_never_was_is_not_found():
    with pytest.raises(ModuleNotFoundError, match=r"experiments\.nothing"):
        importlib.import_module("course_lib.experiments.nothing")


def test_old_members_and_keywords_work_and_say_so():
    experiment = GAN1DExperiment()
    with pytest.warns(FutureWarning, match=r"GAN1DExperiment.rng is now .generator"):
        assert experiment.rng is experiment.generator
    with pytest.warns(FutureWarning, match=r"draw_real is now .real_batch"):
        assert experiment.draw_real().shape == (32, 1)
    with pytest.warns(FutureWarning, match=r"changed is now .replace"):
        assert TEXTBOOK.changed(noise="normal") == TEXTBOOK.replace(noise="normal")
    with pytest.warns(FutureWarning, match=r"RowLSTM\(rng=…\) is now generator=…"):
        old = RowLSTM((3, 3), rng=torch.Generator().manual_seed(1))
    new = RowLSTM((3, 3), generator=torch.Generator().manual_seed(1))
    assert all(torch.equal(a, b) for a, b in zip(old.parameters(), new.parameters(), strict=True))
    with pytest.warns(FutureWarning, match=r"Autoencoder\(pixels=…\) is now n_pixels=…"):
        coder = Autoencoder(2, (4,), pixels=9, generator=torch.Generator())
    with pytest.warns(FutureWarning, match=r"Autoencoder.pixels is now .n_pixels"):
        assert coder.pixels == coder.n_pixels == 9 and coder.encode(torch.zeros(1, 9)).shape == (1, 2)
    with pytest.raises(TypeError, match="rgn"):
        Generator(hidden_size=4, init="pytorch", rgn=torch.Generator())
    assert "rng" not in vars(experiment) and isinstance(vars(Experiment)["rng"], property)


def test_the_course_itself_uses_none():
    code = ("import warnings; warnings.simplefilter('error', FutureWarning)\n"
            "import importlib, pkgutil, course_lib\n"
            "for m in pkgutil.walk_packages(course_lib.__path__, 'course_lib.'):\n"
            "    if not m.name.endswith('__main__'): importlib.import_module(m.name)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
