"""`COURSE_MAX_RATE`, the limit of a live lab's full speed: when an update is due, by a clock that the tests turn."""

import math
import time
from types import SimpleNamespace

import pytest
from tiny_experiment import Tiny

from course_lib.live import Curve, LiveLab, Trainer, pacing
from course_lib.live.mailbox import Mailbox
from course_lib.live.pacing import Pace
from course_lib.mode import max_rate
from course_lib.training import run

VIEWS = [Curve("loss_d", "loss_g")]


class Clock:
    """Stands still until somebody waits by it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def wait(self, seconds: float) -> bool:
        """Nobody interrupts."""
        self.now += seconds
        return False


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pacing, "time", SimpleNamespace(monotonic=lambda: clock.now, thread_time=time.thread_time))
    monkeypatch.setattr(Mailbox, "wait_for_command", lambda self, seconds: clock.wait(seconds))
    return clock


@pytest.fixture
def lab(monkeypatch):
    monkeypatch.delenv("COURSE_HEADLESS", raising=False)
    made = []
    yield lambda: made.append(LiveLab(Tiny(), VIEWS)) or made[-1]
    for lab in made:
        lab.close()


def plain(steps: int) -> str:
    experiment = Tiny()
    for _ in run(experiment, steps, progress=False):
        pass
    return experiment.digest()


def seconds_for(updates: int, pace: Pace, clock: Clock, each: float = 0.0) -> float:
    """How long so many updates take, each of which takes the time `each` by itself."""
    begin = clock.now
    for _ in range(updates):
        assert pace.in_time(clock.wait)
        clock.now += each
    return clock.now - begin


@pytest.mark.parametrize(("limit", "chosen", "rate"), [
    (math.inf, math.inf, math.inf), (math.inf, 20, 20), (30, math.inf, 30), (30, 10, 10), (30, 100, 30)])
def test_neither_full_speed_nor_slow_motion_exceeds_the_limit(clock, limit, chosen, rate):
    pace = Pace(limit)
    pace.set(chosen)
    assert seconds_for(61, pace, clock) == pytest.approx(60 / rate)


@pytest.mark.parametrize(("each", "seconds"), [(0.01, 2.0 + 0.01), (0.1, 6.1)])
def test_what_an_update_takes_by_itself_is_part_of_its_time(clock, each, seconds):
    assert seconds_for(61, Pace(30), clock, each) == pytest.approx(seconds)


def test_a_wait_that_is_interrupted_is_no_update_and_waited_for_again(clock):
    pace = Pace(0.01)
    assert pace.in_time(clock.wait)
    assert not pace.in_time(lambda seconds: True)
    begin = clock.now
    assert pace.in_time(clock.wait) and clock.now - begin == pytest.approx(100)


def test_a_lab_keeps_to_it_with_the_digest_of_full_speed_and_of_the_plain_loop(monkeypatch, clock, lab):
    rates = []
    monkeypatch.setenv("COURSE_MAX_RATE", "30")
    limited = lab()
    limited.trainer.ask(lambda e: None)
    begin = clock.now
    limited._canvas.push = lambda status, arrays, urgent: rates.append(status["rate"])
    limited.trainer.run(61)
    assert clock.now - begin == pytest.approx(60 / 30)
    told = [rate for rate in rates if rate]
    assert told and all(abs(rate - 30) <= 1 / pacing.RateMeter.WINDOW for rate in told), "what was reached is told"
    limited.trainer.replay()
    limited.trainer.wait(60)
    monkeypatch.delenv("COURSE_MAX_RATE")
    free = lab()
    begin = clock.now
    free.trainer.run(61)
    assert clock.now == begin
    assert limited.digest() == free.digest() == plain(61)


def test_headless_it_is_not_looked_at(monkeypatch):
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    for told in ("0.001", "fast"):
        monkeypatch.setenv("COURSE_MAX_RATE", told)
        assert LiveLab(Tiny(), VIEWS, headless_steps=20).digest() == plain(20)


def test_a_trainer_made_by_hand_has_no_limit_of_its_own(monkeypatch, clock):
    monkeypatch.setenv("COURSE_MAX_RATE", "30")
    trainer, begin = Trainer(Tiny()), clock.now
    trainer.run(20)
    trainer.close()
    assert clock.now == begin


@pytest.mark.parametrize(("told", "offered"), [
    (None, ["full", "100 steps/s", "30 steps/s", "10 steps/s", "3 steps/s"]),
    ("30", ["full: 30 steps/s", "10 steps/s", "3 steps/s"]),
    ("12.5", ["full: 12.5 steps/s", "10 steps/s", "3 steps/s"]),
    ("2", ["full: 2 steps/s"])])
def test_the_speed_control_offers_what_can_be_had_and_says_what_full_speed_is(monkeypatch, lab, told, offered):
    if told is None:
        monkeypatch.delenv("COURSE_MAX_RATE", raising=False)
    else:
        monkeypatch.setenv("COURSE_MAX_RATE", told)
    speed = lab()._boxes[0]
    assert [words for words, _ in speed.options] == offered and speed.label == offered[0]
    assert speed.tooltip.startswith("Slow motion" if told is None else f"Full speed is {told} updates a second at most")
    for words, _ in speed.options:
        speed.label = words


@pytest.mark.parametrize("told", ["0", "-3", "nan", "inf", "fast", "30 steps/s", "30,5"])
def test_a_limit_that_is_none_is_told_when_a_lab_is_made(monkeypatch, lab, told):
    monkeypatch.setenv("COURSE_MAX_RATE", told)
    with pytest.raises(ValueError, match="COURSE_MAX_RATE must be a number of updates a second above 0") as raised:
        lab()
    assert repr(told) in str(raised.value) and "unset it" in str(raised.value)


@pytest.mark.parametrize(("told", "rate"), [("30", 30), (" 0.5\n", 0.5), ("1e2", 100), ("", math.inf), (" ", math.inf)])
def test_a_limit_is_read_from_the_environment(monkeypatch, told, rate):
    monkeypatch.setenv("COURSE_MAX_RATE", told)
    assert max_rate() == rate
