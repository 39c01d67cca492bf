"""What travels to the browser: packed arrays, and a bounded window of frames that it has not acknowledged."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def pack(arrays: Mapping[str, np.ndarray]) -> tuple[dict[str, list], bytes]:
    """Arrays of any shape as one run of bytes, little-endian float32 (or uint8 as it is), each at a multiple of four.

    Returns:
        `{name: [type, shape, offset]}` and the bytes.
    """
    layout, chunks, offset = {}, [], 0
    for name, array in arrays.items():
        kind = "uint8" if array.dtype == np.uint8 else "float32"
        data = np.ascontiguousarray(array, dtype="<f4" if kind == "float32" else np.uint8).tobytes()
        layout[name] = [kind, list(array.shape), offset]
        data += b"\0" * (-len(data) % 4)
        chunks.append(data)
        offset += len(data)
    return layout, b"".join(chunks)


class SendWindow:
    """Decides when a frame may be sent, and notices when nobody looks any more. Knows no clock: it is told the time.

    Every acknowledgement costs the kernel about as much as a frame, so only every `ACK_EVERY`th is asked for, or one a
    second when frames are rare. When the window is full, a frame goes out every `RESEND` seconds all the same, in case
    acknowledgements were lost.

    A long cell holds acknowledgements back in the kernel. So the kernel's loop is asked for beats, too, and silence
    counts only while it is seen alive.
    """

    SIZE = 12
    ACK_EVERY = 5
    RESEND = 0.5
    PATIENCE = 5.0
    STUCK = 1.0

    def __init__(self) -> None:
        self._sent = self._acknowledged = 0
        self._sent_at = self._asked_at = 0.0
        self._silent_since: float | None = None  # when the oldest acknowledgement still owed was asked for
        self._beat_asked_at: float | None = None  # a beat that the kernel's loop still owes

    def may_send(self, now: float) -> bool:
        """Whether there is room for a frame, or it is time to try again."""
        return self._sent - self._acknowledged < self.SIZE or now - self._sent_at >= self.RESEND

    def send(self, now: float, urgent: bool = False) -> tuple[int, bool]:
        """Count a frame; returns its number and whether to ask for its acknowledgement."""
        self._sent += 1
        self._sent_at = now
        full = self._sent - self._acknowledged >= self.SIZE
        ask = urgent or full or self._sent % self.ACK_EVERY == 0 or now - self._asked_at >= 1
        if ask:
            self._asked_at = now
            if self._silent_since is None:
                self._silent_since = now
        return self._sent, ask

    def acknowledge(self, number: int) -> None:
        """The browser has received this frame, and so all before it."""
        self._acknowledged = max(self._acknowledged, min(number, self._sent))
        self._silent_since = None

    def forgive(self) -> None:
        """Count silence anew: training begins again after a pause, when nobody was asked."""
        self._silent_since = None

    def wants_beat(self, now: float) -> bool:
        """Whether to ask the kernel's loop for a beat; if so, it counts as asked."""
        if self._beat_asked_at is not None:
            return False
        self._beat_asked_at = now
        return True

    def beat(self, now: float) -> None:
        """The kernel's loop has run. If it was stuck until now, silence counts only from here."""
        if self._stuck(now) and self._silent_since is not None:
            self._silent_since = now
        self._beat_asked_at = None

    def abandoned(self, now: float) -> bool:
        """Whether nobody has acknowledged anything for long, although the kernel could have heard it."""
        silent = self._silent_since is not None and now - self._silent_since > self.PATIENCE
        return silent and not self._stuck(now)

    def _stuck(self, now: float) -> bool:
        return self._beat_asked_at is not None and now - self._beat_asked_at > self.STUCK
