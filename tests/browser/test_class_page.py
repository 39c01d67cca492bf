"""The page of a class in a real browser: thirty students vote, and the bars follow."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from jupyter import bare_page

COURSE = Path(__file__).resolve().parents[2]


def line(kind, key, session, **told):
    return json.dumps({"time": 1.0, "session": session, "kind": kind, "key": key, **told}) + "\n"


@pytest.fixture
def server(tmp_path):
    command = [sys.executable, "-u", "-m", "course_lib", "class", str(tmp_path), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(COURSE)})
    try:
        yield re.search(r"http://\S+", process.stdout.readline())[0]
    finally:
        process.terminate()
        assert process.wait(30) in (0, 143)


def test_thirty_students_vote_and_the_bars_follow(server, tmp_path):
    ask = line("asked", "05.best", "s0", question="<b>Which</b>?", options=["one", "two"], low=None, high=None)
    for i in range(30):
        verdict = {"verdict": "passed", "mistake": ""} if i % 2 else {"verdict": "not yet", "mistake": "sign"}
        (tmp_path / f"{i}.jsonl").write_text(
            ask + line("predicted", "05.best", f"s{i}", answer="two" if i % 3 else "one")
            + line("checked", "05.a", f"s{i}", **verdict), encoding="utf-8")
    with bare_page() as page:
        page.goto(server)
        page.get_by_text("30 students have answered").wait_for(timeout=30_000)
        assert page.get_by_role("heading", name="05.best: <b>Which</b>?").count() == 1  # text, no markup
        rows = page.locator("table").first.locator("tbody tr")
        assert [rows.nth(i).inner_text().split() for i in (0, 1)] == [["one", "10"], ["two", "20"]]
        widths = [rows.nth(i).locator(".bar div").bounding_box()["width"] for i in (0, 1)]
        assert widths[0] == pytest.approx(widths[1] / 2, rel=0.05)
        assert page.locator("tr", has_text="05.a").locator("td").all_inner_texts() == ["15 of 30", "sign (15)"]
        assert page.locator(".right").count() == 0
        with open(tmp_path / "0.jsonl", "a", encoding="utf-8") as file:
            file.write(line("revealed", "05.best", "s0", answer="two"))
        page.locator("tr.right", has_text="two").wait_for(timeout=30_000)
