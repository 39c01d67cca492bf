"""What a cell no longer needs goes back to the system."""

import gc
import importlib
from types import SimpleNamespace

import pytest
from IPython.core.events import EventManager, available_events

import course_lib.teach
from course_lib import memory

linux = pytest.mark.skipif(memory.resident() is None, reason="the system does not say how much a process holds")


class Ring:
    """Like a figure: it refers to itself, and holds a picture."""

    def __init__(self) -> None:
        self.me, self.picture = self, bytearray(b"1" * 2**20)


@linux
def test_rings_are_freed_and_their_memory_is_returned():
    memory.tidy()
    before = memory.resident()
    gc.disable()  # it would find them by chance
    try:
        for _ in range(100):
            Ring()
        assert memory.resident() > before + 80 * 2**20
        memory.tidy()
    finally:
        gc.enable()
    assert memory.resident() < before + 20 * 2**20


@linux
def test_nothing_is_done_where_little_has_grown(monkeypatch):
    monkeypatch.setattr(memory, "_held", memory.resident())
    monkeypatch.setattr(gc, "collect", lambda: pytest.fail("a collection for nothing"))
    memory.tidy()


def test_a_system_that_does_not_say_is_left_alone(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_STATM", tmp_path / "none")
    monkeypatch.setattr(gc, "collect", lambda: pytest.fail("a collection without need"))
    assert memory.resident() is None
    memory.tidy()


def test_every_cell_of_a_notebook_is_followed_by_it(monkeypatch):
    events = EventManager(SimpleNamespace(), available_events)
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(events=events))
    done = []
    monkeypatch.setattr(memory, "tidy", lambda: done.append(1))
    memory.tidy_after_cells()
    memory.tidy_after_cells()  # a module that is imported anew
    events.trigger("post_run_cell", None)
    assert done == [1]



def test_importing_what_every_notebook_imports_asks_for_it(monkeypatch):
    asked = []
    monkeypatch.setattr(memory, "tidy_after_cells", lambda: asked.append(1))
    importlib.reload(course_lib.teach)
    assert asked == [1]
