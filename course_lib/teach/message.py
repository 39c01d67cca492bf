"""A short verdict in the page: its words carry the meaning, the colour only repeats it."""

from __future__ import annotations

import html
from dataclasses import dataclass

COLOURS = {"good": "#009E73", "bad": "#D55E00", "neutral": "#767676"}


@dataclass(frozen=True)
class Message:
    """Text with a leading word such as 'passed', shown as HTML in a page and as plain text elsewhere.

    Attributes:
        status: the leading word.
        text: what follows it; parts in `backquotes` are set as code.
        mood: 'good', 'bad' or 'neutral'.
    """

    status: str
    text: str
    mood: str = "neutral"

    def __repr__(self) -> str:
        return f"{self.status}: {self.text}" if self.text else self.status

    def _repr_html_(self) -> str:
        parts = html.escape(self.text).split("`")
        text = "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
        colon = ":" if text else ""
        return (f'<div role="status" style="border-left:5px solid {COLOURS[self.mood]};padding:.3em .8em;'
                f'white-space:pre-wrap"><b>{html.escape(self.status)}{colon}</b> {text}</div>')
