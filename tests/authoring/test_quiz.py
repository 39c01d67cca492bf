"""The quiz bank; GIFT is read back as Moodle reads it (question/format/gift/format.php)."""

import html
import re
from pathlib import Path

import pytest
from asking_source import record, write_asking
from tiny_source import edit

from course_lib.authoring.predictions import predictions
from course_lib.authoring.quiz import as_html, escaped, quiz_gift, quiz_markdown, tolerance
from course_lib.authoring.text import sources

COURSE = Path(__file__).resolve().parents[2]
ESCAPES = {r"\:": "\x01", r"\#": "\x02", r"\=": "\x03", r"\{": "\x04", r"\}": "\x05", r"\~": "\x06", r"\n": "\x07"}


def hidden(text: str) -> str:
    """Escaped characters as placeholders, in Moodle's order: two backslashes are one, whatever follows."""
    text = text.replace("\\\\", "\x08")
    for escape, placeholder in ESCAPES.items():
        text = text.replace(escape, placeholder)
    return text.replace("\x08", "\\")


def shown(text: str) -> str:
    for escape, placeholder in ESCAPES.items():
        text = text.replace(placeholder, "\n" if escape == r"\n" else escape[1])
    return text.strip()


def read_back(gift: str) -> list[dict]:
    """The questions of a file, each with its category."""
    found, category = [], ""
    for block in re.split(r"\n\s*\n", gift):
        text = hidden("\n".join(line for line in block.splitlines() if not line.strip().startswith("//")).strip())
        if not text:
            continue
        if text.startswith("$CATEGORY:"):
            category = text[10:].strip()
            continue
        name, text = re.fullmatch(r"::(.+?)::(.+)", text, re.S).groups()
        assert text.count("{") == text.count("}") == 1 and text.endswith("}")
        question, answers = text[:-1].split("{")
        answers, feedback = answers.rsplit("####", 1)
        told = {"name": shown(name), "category": category, "text": shown(question), "feedback": shown(feedback)}
        assert told["text"].startswith("[html]")
        if (answers := answers.strip()).startswith("#"):
            answer, within = answers[1:].split(":")
            told |= {"answer": float(answer), "within": float(within)}
        else:
            parts = [part.strip() for part in answers.replace("=", "~=").split("~") if part.strip()]
            parts = [part for part in parts if part != "="]
            assert not any("#" in part for part in parts)
            told |= {"options": [shown(part.removeprefix("=")) for part in parts],
                     "right": [shown(part[1:]) for part in parts if part.startswith("=")]}
        found.append(told)
    return found


@pytest.fixture
def bank(tmp_path):
    source = write_asking(tmp_path)
    return [(source, predictions(source, record(source, ("a: b", 3.0), ("a: b", 4.5))))]


def test_gift_is_read_back_with_its_special_characters(bank):
    which, many = read_back(quiz_gift(bank))
    assert which["name"] == "07.which" and which["category"] == "$course$/top/Generative models/07 Title"
    assert which["text"] == "[html]<p>What is it about? <b>This.</b></p><p>Which {one} = ~it?</p>"
    assert which["options"] == ["a: b", "c # d"] and which["right"] == ["a: b"]
    assert which["feedback"] == ("<b>a: b</b> (2). Measured in Then. Because <b>so</b> it is, see <code>code</code> "
                                 "and there.")
    assert (many["answer"], many["within"]) == (3.0, 1.5)  # what the other seed gave, more than a tenth of the range


@pytest.mark.parametrize("text", [r"~ = # { } : \ \n \\ \: \frac{a}{b}", "a\\", ":: #### ~%50%", r"\nabla = {x}"])
def test_what_is_escaped_comes_back(text):
    assert shown(hidden(escaped(text))) == text
    assert not re.search(r"[~=#{}:]", hidden(escaped(text)))


def test_markdown_becomes_html_with_formulas_that_moodle_knows():
    assert as_html(r"*so* **is** $a<b*c*$, $$x_1$$ `a < b` & [it](b.ipynb) 2 * 3 * 4") == (
        r"<i>so</i> <b>is</b> \(a&lt;b*c*\), \[x_1\] <code>a &lt; b</code> &amp; it 2 * 3 * 4")


def test_a_question_without_an_answer_is_left_out_of_gift_and_told_in_markdown(bank):
    (source, _), = bank
    bank = [(source, predictions(source, source.parent / "none.jsonl"))]
    gift = quiz_gift(bank)
    assert read_back(gift) == [] and "// 07.which is left out: no run is recorded" in gift
    assert "*Answer:* run the notebook; no run is recorded." in quiz_markdown(bank)


def test_the_right_option_follows_what_was_measured(bank):
    (source, _), = bank
    bank = [(source, predictions(source, record(source, ("c # d", 3.0))))]
    assert read_back(quiz_gift(bank))[0]["right"] == ["c # d"]
    assert "- **c # d** ← right\n" in quiz_markdown(bank) and "- a: b\n" in quiz_markdown(bank)
    edit(source, "Title", "A/B: C")  # a slash would make a category within a category
    assert "Generative models/07 A-B: C\n" in quiz_gift(bank)


def test_the_bank_of_the_course_is_read_back_whole():
    bank = [(source, predictions(source)) for source in sources(COURSE / "notebooks")]
    asked = {p.key: p for _, questions in bank for p in questions if p.right is not None}
    read = {q["name"]: q for q in read_back(quiz_gift(bank))}
    assert len(asked) > 20 and read.keys() == asked.keys()
    for key, question in asked.items():
        assert html.unescape(read[key]["text"]).endswith(f"{as_plain(question.question)}</p>"), key
        if question.options:
            assert [as_plain(option) for option in question.options] == list(map(html.unescape, read[key]["options"]))
            assert list(map(html.unescape, read[key]["right"])) == [as_plain(question.right)]
        else:
            assert abs(read[key]["answer"] - question.right) <= 1e-4 * max(1, abs(question.right))
            assert read[key]["within"] == pytest.approx(tolerance(question), rel=1e-4)


def as_plain(text: str) -> str:
    return html.unescape(as_html(text))
