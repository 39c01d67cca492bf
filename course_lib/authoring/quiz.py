"""The predictions of the notebooks as a bank of questions: in Markdown, and in GIFT, which Moodle imports.

The right answer is what a recorded run measured (`predictions`). Of a number every guess within a tenth of the
offered range counts, or within what other seeds gave, if that is more. An answer that the recorded seeds do not share
is marked, and so is one that an earlier version of the code gave.

GIFT as Moodle reads it: question/format/gift/format.php.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from course_lib.authoring.predictions import Prediction
from course_lib.authoring.readme import header
from course_lib.authoring.text import CODE, LINK, MATHS, read_cells

TOLERANCE = 0.1  # of the range that is offered
SPECIAL = re.compile(r"([~=#{}:\\])")


def quiz_markdown(bank: Iterable[tuple[Path, list[Prediction]]]) -> str:
    """The bank as Markdown: a section for each notebook, the right option in bold.

    Args:
        bank: of each source its predictions.
    """
    parts = ["# Quiz bank", "*For the teacher: it holds answers. Made by `python -m course_lib quiz` from the "
             "notebooks' predictions; the answers are those of recorded runs.*"]
    for source, asked in bank:
        parts.append(f"## {source.stem.split('_')[0]} · {header(read_cells(source)[0].source)['title']}")
        for question in asked:
            options = [f"- **{option}** ← right" if option == question.right else f"- {option}"
                       for option in question.offered()]
            parts += [f"### {question.key}", *filter(None, [question.setting]), f"**{question.question}**",
                      "\n".join(options), f"*Answer:* {question.told()}",
                      f"*Measured in* {question.revealed}. {question.explanation}"]
    return "\n\n".join(parts) + "\n"


def quiz_gift(bank: Iterable[tuple[Path, list[Prediction]]]) -> str:
    """The bank in GIFT: a category for each notebook. A question without a recorded answer is left out, and named in
    a comment."""
    lines = ["// Made by `python -m course_lib quiz`. The answers are those of recorded runs of the notebooks.", ""]
    for source, asked in bank:
        number, title = source.stem.split("_")[0], header(read_cells(source)[0].source)["title"].replace("/", "-")
        lines += [f"$CATEGORY: $course$/top/Generative models/{number} {title}", ""]
        for question in asked:
            if question.right is None:
                lines += [f"// {question.key} is left out: no run is recorded", ""]
            else:
                lines += [*_gift(question), ""]
    return "\n".join(lines)


def tolerance(question: Prediction) -> float:
    """How far from the answer with seed 0 a number may lie."""
    spread = max(abs(answer - question.right) for answer in question.answers)
    return max(TOLERANCE * (question.high - question.low), spread)


def _gift(question: Prediction) -> Iterator[str]:
    texts = filter(None, [question.setting, question.question])
    yield f"::{escaped(question.key)}::[html]{escaped(''.join(f'<p>{as_html(text)}</p>' for text in texts))} {{"
    if question.options:
        yield from (f"\t{'=' if option == question.right else '~'}{escaped(as_html(option))}"
                    for option in question.options)
    else:
        yield f"\t#{question.right:.6g}:{tolerance(question):.6g}"
    said = " ".join(filter(None, [question.told(), f"Measured in {question.revealed}.", question.explanation]))
    yield f"\t####{escaped(as_html(said))}"
    yield "}"


def escaped(text: str) -> str:
    """A text for GIFT, in one line: a backslash before each of ~ = # { } : and before a backslash."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def as_html(text: str) -> str:
    """A paragraph of Markdown as HTML, formulas between the marks that Moodle knows, links as their words."""
    made, kept = LINK.sub(r"\1", text), []

    def keep(match: re.Match[str]) -> str:
        found = match[0]
        if found.startswith("`"):
            kept.append(f"<code>{html.escape(found.strip('`'), quote=False)}</code>")
        else:
            left, right = (r"\[", r"\]") if found.startswith("$$") else (r"\(", r"\)")
            kept.append(f"{left}{html.escape(found.strip('$'), quote=False)}{right}")
        return f"\0{len(kept) - 1}\0"

    made = html.escape(re.sub(f"{CODE.pattern}|{MATHS.pattern}", keep, made, flags=re.S), quote=False)
    made = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", made)
    made = re.sub(r"(?<!\w)\*(?!\s)([^*]+)(?<!\s)\*(?!\w)", r"<i>\1</i>", made)
    return re.sub("\0(\\d+)\0", lambda place: kept[int(place[1])], made)
