"""A lab's recorded session: its frames are those of a live lab, and its page holds them within bounds."""

import base64
import json
import re
import struct
import zlib

import numpy as np
import pytest
from every_view import ALL
from tiny_experiment import Everything, Exploding, Tiny

from course_lib.live import Bars, Curve, Density, HeatMap, ImageGrid, LiveLab, recording
from course_lib.live.history import History
from course_lib.live.recording import FRAMES, Recording
from course_lib.training import run

VIEWS = [Density("real", "generated", grid="x", lines=("decision",)), Curve("loss_d", "loss_g")]
MANY = [*VIEWS, ALL["layers"], ALL["mesh"], ImageGrid("images"), ImageGrid("colored"), Bars("counts"),
        HeatMap("heat", extent=(-2, 2, -2, 2), limits="limits")]


@pytest.fixture
def recorded(monkeypatch):
    """Makes a headless lab that is recorded; returns it and the HTML that it leaves."""
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    monkeypatch.setenv("COURSE_RECORD_LABS", "1")

    def make(experiment, views, steps):
        lab = LiveLab(experiment, views, headless_steps=steps)
        return lab, lab._still()[0]["text/html"]

    return make


def unpack(layout, data):
    types = {"float32": np.float32, "uint8": np.uint8}
    return {name: np.frombuffer(data, types[kind], int(np.prod(shape)), offset).reshape(shape)
            for name, (kind, shape, offset) in layout.items()}


def session(page):
    """What `player.js` reads of a page: the session, and the arrays of each frame."""
    data = zlib.decompress(base64.b64decode(re.search(r'class="course-session">([\w+/=]+)</script>', page)[1]))
    begin = 4 + struct.unpack("<I", data[:4])[0]
    told, data = json.loads(data[4:begin]), bytearray(data[begin:])
    for run_ in told["runs"]:
        where = slice(run_["offset"], run_["offset"] + run_["length"])
        body = np.frombuffer(bytes(data[where]), np.uint8).copy()
        if run_["width"] > 1:
            body = body.reshape(run_["width"], -1).T
        else:
            for i in range(run_["stride"], len(body)):
                body[i] = (int(body[i]) + int(body[i - run_["stride"]])) % 256
        data[where] = body.tobytes()
    return told, [unpack(frame["layout"], bytes(data)) for frame in told["frames"]]


def sent_live(monkeypatch, views, experiment, steps):
    """The frames that a live lab sends after each of these numbers of updates, as its page gets them."""
    monkeypatch.delenv("COURSE_HEADLESS")
    lab, sent = LiveLab(experiment, views), {}
    lab._canvas.send = lambda message, buffers: sent.update({message["status"]["steps"]: (message, buffers[0])})
    for step in steps:
        if step > lab.trainer.steps:
            lab.trainer.run(step - lab.trainer.steps)
        else:
            lab._observe(urgent=True)  # as a page asks for its first frame
    lab.close()
    return [sent[step] for step in steps]


@pytest.mark.parametrize("steps", [4, 60, 130])
def test_first_and_last_frame_are_there_and_the_others_lie_evenly_between(recorded, steps):
    told, _ = session(recorded(Tiny(), VIEWS, steps)[1])
    at = [frame["steps"] for frame in told["frames"]]
    assert at[0] == 0 and at[-1] == steps and len(at) == min(steps + 1, FRAMES)
    assert np.ptp(np.diff(at)) <= 1


def test_the_frames_are_those_that_a_live_lab_sends(recorded, monkeypatch):
    """Rounded as the views say: curves, images and short arrays not at all."""
    told, frames = session(recorded(Everything(), MANY, 8)[1])
    assert told["views"] == json.loads(json.dumps([view.spec() for view in MANY]))
    live = sent_live(monkeypatch, MANY, Everything(), range(9))
    for frame, arrays, (message, data) in zip(told["frames"], frames, live, strict=True):
        assert frame["steps"] == message["status"]["steps"] and frame["words"] == message["status"]["words"]
        assert {name: kind[:2] for name, kind in frame["layout"].items()} == {
            name: kind[:2] for name, kind in message["layout"].items()}
        for name, array in unpack(message["layout"], data).items():
            if name.startswith("metric:") or array.dtype == np.uint8 or array.size <= recording.SMALL:
                np.testing.assert_array_equal(arrays[name], array)
            else:
                np.testing.assert_allclose(arrays[name], array, rtol=2.0**-9 if name == "heat" else 2.0**-11)
    assert not np.array_equal(frames[-1]["x"], unpack(live[-1][0]["layout"], live[-1][1])["x"]), "this is rounded"


def test_recording_changes_neither_the_training_nor_the_other_outputs(recorded, monkeypatch):
    lab, page = recorded(Tiny(), VIEWS, 60)
    plain = Tiny()
    for _ in run(plain, 60, progress=False):
        pass
    assert lab.digest() == plain.digest()
    monkeypatch.delenv("COURSE_RECORD_LABS")
    unrecorded = LiveLab(Tiny(), VIEWS, headless_steps=60)._still()
    assert "course-player" in page and "course-player" not in unrecorded[0]["text/html"]
    data, metadata = lab._still()
    assert (data | {"text/html": ""}, metadata) == (unrecorded[0] | {"text/html": ""}, unrecorded[1])


def test_a_live_lab_is_not_recorded(recorded, monkeypatch):
    monkeypatch.delenv("COURSE_HEADLESS")
    lab = LiveLab(Tiny(), VIEWS)
    try:
        assert lab._recording is None and "course-player" not in lab._still()[0]["text/html"]
    finally:
        lab.close()


def test_what_comes_again_or_begins_a_later_array_is_stored_once(recorded):
    told, _ = session(recorded(Tiny(), VIEWS, 50)[1])
    places = {name: {frame["layout"][name][2] for frame in told["frames"]} for name in told["frames"][0]["layout"]}
    assert len(places["x"]) == len(places["real"]) == len(places["metric:loss_d"]) == 1 < len(places["generated"])
    assert [frame["layout"]["metric:loss_d"][1] for frame in told["frames"]] == [[i] for i in range(51)]


@pytest.mark.parametrize("name", ["</script><script>alert(1)</script>", "<!--", '"><b onclick="x">', "a & b’s é"])
def test_words_are_only_words(recorded, name):
    views = [Density("real", "generated", grid="x", title=name, labels={"generated": name}),
             Curve("loss_d", labels={"loss_d": name}, title=name, xlabel=name)]
    _, page = recorded(Tiny(), views, 3)
    _, plain = recorded(Tiny(), [Density("real", "generated", grid="x", title="t"), Curve("loss_d", title="t")], 3)
    for mark in ("<script", "</script", "<b ", "<!--"):
        assert page.count(mark) == plain.count(mark)
    assert session(page)[0]["views"][1]["title"] == name


class Turning(Tiny):
    """Turns a knob of its own before its fourth update."""

    def training_step(self):
        if self.steps == 3:
            self.set(lr_d=0.05)
        return super().training_step()


def test_a_turned_knob_is_told_from_its_step_on(recorded):
    told, _ = session(recorded(Turning(), VIEWS, 6)[1])
    said = [frame["changed"] for frame in told["frames"]]
    assert said == [""] * 4 + ["learning rate of D 0.002 → 0.05 at step 3"] * 3


class Large(Tiny):
    """Has pictures of noise, which nothing compresses."""

    def snapshot(self):
        noise = np.random.default_rng(self.steps).integers(0, 256, (20, 28, 28), dtype=np.uint8)
        noise[0, 0] = np.linspace(0, 255, 28)
        return super().snapshot() | {"noise": noise, "fixed": noise[:1, :1] * 0}


def test_a_page_keeps_to_its_budget_by_fewer_greys_and_fewer_frames(recorded):
    _, page = recorded(Large(), [ImageGrid("noise")], 60)
    told, frames = session(page)
    at = [frame["steps"] for frame in told["frames"]]
    assert recording.BUDGET * 0.8 < len(page) <= recording.BUDGET
    assert at[0] == 0 and at[-1] == 60 and 10 < len(at) < 60 and np.ptp(np.diff(at)) <= 1
    exact = Large().snapshot()["noise"].astype(int)
    assert np.abs(frames[0]["noise"] - exact).max() <= 5 and len(np.unique(frames[0]["noise"])) == 32
    np.testing.assert_array_equal(frames[0]["noise"][exact % 255 == 0], exact[exact % 255 == 0])


def test_first_and_last_frame_stay_whatever_the_budget(recorded, monkeypatch):
    monkeypatch.setattr(recording, "BUDGET", 1000)
    assert [frame["steps"] for frame in session(recorded(Tiny(), VIEWS, 20)[1])[0]["frames"]] == [0, 20]


def test_its_numbers_stand_in_a_table(recorded):
    views = [Curve("loss_d", "loss_g", labels={"loss_d": "D <", "loss_g": "G"}), VIEWS[0], ImageGrid("images")]
    told, frames = session(page := recorded(Everything(), views, 4)[1])
    rows = re.findall(r"<tr>(.*?)</tr>", page)
    head, *body = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    assert head == ["step", "D &lt;", "G", "density"], "what always says the same has no column"
    assert [row[0] for row in body] == ["0", "1", "2", "3", "4"] and body[0][1] == ""
    assert float(body[-1][1].replace("−", "-")) == pytest.approx(frames[-1]["metric:loss_d"][-1], rel=5e-3)
    assert body[2][3] == told["frames"][2]["words"][1][0]


def test_what_training_raises_is_raised(recorded):
    with pytest.raises(RuntimeError, match="fuse"):
        recorded(Exploding(), VIEWS, 50)


def test_an_experiment_that_was_trained_before_is_recorded_from_there():
    experiment = Tiny()
    for _ in run(experiment, 5, progress=False):
        pass
    made = Recording(experiment, VIEWS[:1], 3)
    for _ in run(experiment, 3, progress=False):
        made.look(History())
    assert [frame["steps"] for frame in session(made.page(""))[0]["frames"]] == [5, 6, 7, 8]

