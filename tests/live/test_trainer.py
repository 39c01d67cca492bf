"""The thread: order and effect of commands, replay by digest, errors, and that no thread is left behind."""

import random
import threading
import time

import numpy as np
import pytest
import torch
from tiny_experiment import Exploding, Tiny

from course_lib.live import Trainer
from course_lib.live.history import History

PATIENCE = 60  # seconds; machines are noisy, and only order and effect are asserted


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.005)


def threads():
    return [t for t in threading.enumerate() if t.name == "course-trainer"]


@pytest.fixture
def trainer():
    trainer = Trainer(Tiny())
    yield trainer
    trainer.close()
    until(lambda: not threads())


def test_states_follow_the_commands(trainer):
    assert trainer.state == "idle"
    trainer.start()
    until(lambda: trainer.steps > 20)
    assert trainer.state == "running"
    trainer.pause()
    trainer.wait(PATIENCE)
    assert trainer.state == "paused"
    stood = trainer.steps
    trainer.step()
    trainer.wait(PATIENCE)
    assert (trainer.state, trainer.steps) == ("paused", stood + 1)
    trainer.reset()
    trainer.wait(PATIENCE)
    assert (trainer.state, trainer.steps) == ("idle", 0)
    trainer.close()
    assert trainer.state == "closed"
    trainer.start()
    assert trainer.state == "closed" and trainer.steps == 0


def test_the_thread_ends_by_itself_after_a_pause(trainer):
    trainer.start()
    until(lambda: trainer.steps > 5)
    trainer.pause()
    until(lambda: not threads())
    trainer.run(3)
    assert trainer.state == "paused"


def test_live_equals_the_plain_loop(trainer):
    trainer.run(120)
    plain = Tiny()
    for _ in range(120):
        plain.step()
    assert trainer.ask(lambda e: e.digest()) == plain.digest()


def test_a_change_takes_effect_and_is_logged_with_its_step(trainer):
    trainer.run(10)
    trainer.set(lr_d=0.05)
    trainer.run(10)
    assert trainer.ask(lambda e: e.opt_d.param_groups[0]["lr"]) == 0.05
    assert [(c.step, c.values) for c in trainer.sessions[-1].changes] == [(10, {"lr_d": 0.05})]
    assert trainer.changed == "learning rate of D 0.002 → 0.05 at step 10"
    trainer.set(lr_d=0.05)
    trainer.wait(PATIENCE)
    assert len(trainer.sessions[-1].changes) == 1, "setting what is already so is no change"


REASONS = {
    "reset": (lambda t: t.reset(), "reset"),
    "a restart": (lambda t: t.set(hidden=8), "hidden units 16 → 8 at step 5: began anew"),
    "nobody watching": (lambda t: (t.start(), t.pause("no page was watching")), "no page was watching"),
    "a replay": (lambda t: t.replay(), "the replay has caught up"),
}


@pytest.mark.parametrize("then", ["start", "step", "run"])
@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_is_told_until_something_else_happens(trainer, reason, then):
    do, words = REASONS[reason]
    trainer.run(5)
    do(trainer)
    trainer.wait(PATIENCE)
    assert trainer.changed == words
    trainer.refresh()  # a page that opens is nothing that happened
    trainer.wait(PATIENCE)
    assert trainer.changed == words
    getattr(trainer, then)(*[3] * (then == "run"))
    until(lambda: trainer.changed == "")
    trainer.pause()
    trainer.wait(PATIENCE)
    assert trainer.changed == ""


def test_a_change_is_told_again_when_a_reason_is_gone(trainer):
    trainer.run(10)
    trainer.set(lr_d=0.05)
    trainer.start()
    trainer.pause("no page was watching")
    trainer.wait(PATIENCE)
    assert trainer.changed == "no page was watching"
    trainer.run(1)
    assert trainer.changed == "learning rate of D 0.002 → 0.05 at step 10"
    trainer.reset()
    trainer.run(1)
    assert trainer.changed == "", "the change belongs to the session before"


def test_an_error_tells_no_older_reason():
    trainer = Trainer(Exploding())
    trainer.replay()
    with pytest.raises(RuntimeError, match="fuse"):
        trainer.run(40)
    assert trainer.changed == ""
    trainer.close()


def test_an_unknown_or_forbidden_value_is_refused_at_once(trainer):
    with pytest.raises(ValueError, match="did you mean 'lr_d'"):
        trainer.set(lr_dd=0.1)
    with pytest.raises(ValueError, match="between"):
        trainer.set(lr_d=7.0)
    trainer.run(1)


def test_a_restart_begins_a_new_session_and_goes_on_running(trainer):
    trainer.start()
    until(lambda: trainer.steps > 10)
    trainer.set(hidden=8)
    until(lambda: len(trainer.sessions) == 2 and trainer.steps > 3)
    assert trainer.state == "running"
    assert "hidden units 16 → 8" in trainer.sessions[-1].because
    assert trainer.ask(lambda e: e.g[0].out_features) == 8


def random_session(trainer, rng):
    for _ in range(40):
        command = rng.choice(["set", "set", "set", "run", "run", "step", "start", "pause", "reset", "restart"])
        if command == "set":
            trainer.set(**rng.choice([{"lr_d": rng.uniform(1e-4, 1e-2)}, {"d_steps": rng.randint(1, 5)},
                                      {"noise": rng.choice(["normal", "uniform"])},
                                      {"saturating": rng.random() < 0.5}]))
        elif command == "restart":
            trainer.set(hidden=rng.randint(4, 16))
        elif command == "run":
            trainer.run(rng.randint(1, 15))
        elif command == "start":
            trainer.start()
            time.sleep(0.02)
        else:
            getattr(trainer, command)()
    trainer.pause()
    trainer.wait(PATIENCE)


@pytest.mark.parametrize("seed", range(4))
def test_any_session_replays_to_the_same_digest(trainer, seed):
    random_session(trainer, random.Random(seed))
    trainer.set(lr_g=0.0123)  # a last change with no update after it counts too
    trainer.wait(PATIENCE)
    digest, steps, session = trainer.ask(lambda e: e.digest()), trainer.steps, trainer.sessions[-1]
    trainer.replay()
    trainer.wait(PATIENCE)
    assert trainer.steps == steps
    assert trainer.ask(lambda e: e.digest()) == digest
    elsewhere = Tiny(seed=5)
    session.replay(elsewhere, steps)
    assert elsewhere.digest() == digest


def test_a_session_that_begins_in_the_middle_replays_twice():
    experiment = Tiny()
    for _ in range(20):
        experiment.step()
    trainer = Trainer(experiment)
    trainer.run(30)
    digest = trainer.ask(lambda e: e.digest())
    for _ in range(2):
        trainer.replay()
        trainer.wait(PATIENCE)
        assert trainer.steps == 50 and trainer.ask(lambda e: e.digest()) == digest
    trainer.close()


def test_a_change_during_a_replay_begins_another_history(trainer):
    trainer.run(10)
    trainer.set(lr_d=0.01)
    trainer.run(2000)
    trainer.set(lr_d=0.02)
    trainer.replay()
    until(lambda: 20 < trainer.steps < 2000)
    trainer.set(lr_d=0.03)
    trainer.pause()
    trainer.wait(PATIENCE)
    assert [c.values["lr_d"] for c in trainer.sessions[-1].changes] == [0.01, 0.03]
    steps, digest = trainer.steps, trainer.ask(lambda e: e.digest())
    trainer.replay()
    trainer.wait(PATIENCE)
    assert trainer.steps == steps and trainer.ask(lambda e: e.digest()) == digest


def test_an_error_is_kept_raised_again_and_ended_by_reset():
    seen = []
    trainer = Trainer(Exploding(), observe=lambda urgent: seen.append(trainer.state))
    with pytest.raises(RuntimeError, match="fuse"):
        trainer.run(100)
    assert (trainer.state, trainer.steps) == ("error", 29) and seen[-1] == "error"
    for again in (lambda: trainer.wait(PATIENCE), lambda: trainer.run(1)):
        with pytest.raises(RuntimeError, match="fuse"):
            again()
    until(lambda: not threads())
    trainer.reset()
    trainer.run(5)
    assert (trainer.state, trainer.steps) == ("paused", 5)
    trainer.close()
    until(lambda: not threads())


def test_an_observer_that_fails_stops_training_and_is_told():
    def observe(urgent):
        raise KeyError("no such picture")

    trainer = Trainer(Tiny(), observe=observe)
    with pytest.raises(KeyError, match="no such picture"):
        trainer.run(5)
    assert trainer.state == "error"
    trainer.close()


def test_done_at_the_limit():
    trainer = Trainer(Tiny(), limit=25)
    trainer.run(1000)
    assert (trainer.state, trainer.steps) == ("done", 25)
    trainer.start()
    trainer.wait(PATIENCE)
    assert trainer.steps == 25
    trainer.reset()
    trainer.run(5)
    assert (trainer.state, trainer.steps) == ("paused", 5)
    trainer.close()


def test_commands_from_many_threads_leave_it_working(trainer):
    def storm(seed):
        rng = random.Random(seed)
        for _ in range(100):
            rng.choice([trainer.start, trainer.pause, trainer.step, trainer.reset, trainer.refresh, trainer.replay,
                        lambda: trainer.set(lr_d=rng.uniform(1e-4, 1e-2)),
                        lambda: trainer.set(hidden=rng.randint(4, 64))])()

    handlers = [threading.Thread(target=storm, args=(seed,)) for seed in range(4)]
    for handler in handlers:
        handler.start()
    for handler in handlers:
        handler.join()
    assert len(threads()) == 1
    trainer.reset()
    trainer.run(7)
    assert trainer.steps == 7


def test_slow_motion_changes_the_pace_and_nothing_else(trainer):
    trainer.pace(20)
    begin = time.monotonic()
    trainer.run(10)
    assert time.monotonic() - begin > 0.4, "10 updates, 9 pauses of 1/20 s"
    trainer.pace(0.01)
    trainer.start()
    trainer.pause()  # must not wait 100 s for the next update
    trainer.wait(PATIENCE)
    trainer.pace(float("inf"))
    trainer.run(30)
    plain = Tiny()
    for _ in range(trainer.steps):
        plain.step()
    assert trainer.steps >= 40 and trainer.ask(lambda e: e.digest()) == plain.digest()


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_the_number_of_torch_threads_is_as_before(two_threads, trainer):
    trainer.run(3)
    assert trainer.ask(lambda e: torch.get_num_threads()) == 1
    trainer.close()
    assert torch.get_num_threads() == 2
    fresh = []
    thread = threading.Thread(target=lambda: fresh.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert fresh == [2]


def test_history_is_bounded_and_keeps_the_mean():
    history = History()
    for step in range(5000):
        history.append(step + 1, {"loss": torch.tensor(float(step))})
    arrays = history.arrays()
    assert len(arrays["step"]) == len(arrays["loss"]) <= History.CAPACITY + 1
    assert np.all(np.diff(arrays["step"]) > 0)
    assert np.allclose(arrays["step"] - 1, arrays["loss"])


def test_history_shows_every_step_while_there_are_few():
    history = History()
    for step in range(5):
        history.append(step + 1, {"a": torch.tensor(1.0)} | ({"b": torch.tensor(2.0)} if step > 2 else {}))
    arrays = history.arrays()
    assert arrays["step"].tolist() == [1, 2, 3, 4, 5]
    assert np.isnan(arrays["b"][:3]).all() and arrays["b"][3:].tolist() == [2.0, 2.0]
