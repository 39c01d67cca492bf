"""Packed arrays, and the window of unacknowledged frames."""

import numpy as np
import pytest

from course_lib.live.frames import SendWindow, pack


def unpack(layout, data):
    types = {"float32": np.float32, "uint8": np.uint8}
    return {name: np.frombuffer(data, types[kind], int(np.prod(shape)), offset).reshape(shape)
            for name, (kind, shape, offset) in layout.items()}


def test_what_is_packed_comes_out_again():
    arrays = {
        "grid": np.linspace(0, 1, 7),
        "images": np.arange(2 * 3 * 5, dtype=np.uint8).reshape(2, 3, 5),
        "points": np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)[::-1],
        "flags": np.array([True, False]),
        "empty": np.empty(0),
        "nan": np.array([np.nan, np.inf]),
    }
    layout, data = pack(arrays)
    assert all(offset % 4 == 0 for _, _, offset in layout.values()) and len(data) % 4 == 0
    for name, array in unpack(layout, data).items():
        assert array.shape == arrays[name].shape
        np.testing.assert_allclose(array, arrays[name].astype(array.dtype), rtol=1e-6)
    assert layout["images"][0] == "uint8"


def test_the_window_is_bounded_and_tries_again_after_half_a_second():
    window = SendWindow()
    for i in range(SendWindow.SIZE):
        assert window.may_send(0.1 * i)
        number, ask = window.send(0.1 * i)
    assert ask, "a full window asks for an acknowledgement"
    full = 0.1 * (SendWindow.SIZE - 1)
    assert not window.may_send(full + 0.4)
    assert window.may_send(full + 0.5)
    window.acknowledge(number)
    assert window.may_send(full + 0.1)


def test_only_every_fifth_frame_is_acknowledged_unless_urgent_or_rare():
    window = SendWindow()
    window.send(0.0, urgent=True)
    asked = [window.send(0.01 * i)[1] for i in range(1, 9)]
    assert asked == [False, False, False, True, False, False, False, False]
    assert window.send(0.2, urgent=True)[1]
    assert [window.send(now)[1] for now in (10.0, 11.5, 13.0)] == [True] * 3


def silent(window, start, end, beats=True):
    """Frames from start to end that nobody acknowledges; returns when they were found abandoned."""
    for now in np.arange(start, end, 0.1):
        if window.may_send(now):
            window.send(now)
        asked = window.wants_beat(now)
        if beats and asked:
            window.beat(now + 0.01)
        if window.abandoned(now + 0.02):
            return now
    return None


def test_silence_means_abandoned_only_while_the_kernel_is_alive():
    assert 5 <= silent(SendWindow(), 0.0, 20.0) < 6
    assert silent(SendWindow(), 0.0, 60.0, beats=False) is None, "a long cell holds acknowledgements back"


def test_patience_begins_anew_when_a_long_cell_ends():
    window = SendWindow()
    assert silent(window, 0.0, 30.0, beats=False) is None
    window.beat(30.0)
    assert silent(window, 30.0, 60.0) == pytest.approx(35, abs=1)


def test_a_pause_is_not_silence():
    window = SendWindow()
    window.send(0.0, urgent=True)
    window.forgive()
    window.send(100.0, urgent=True)
    assert not window.abandoned(104.0)
    assert window.abandoned(106.0)
