"""Notebook 12's chooser as a student meets it: another task, data set or limit, another answer with its rows."""

import pytest

pytestmark = pytest.mark.thorough


def test_the_chooser_answers_to_its_menus(course_server):
    with course_server.fresh() as jupyter:
        page = jupyter.page
        jupyter.open("12_scoreboard.ipynb")
        jupyter.run_cell(0, timeout=120)
        jupyter.run_cell("board = rows()")
        jupyter.run_cell("LIMITS = ")
        task, data, limit = (page.locator(".widget-dropdown select").nth(i) for i in range(3))
        answers = [page.locator("img:visible[alt*='a hundred draws within']").get_attribute("alt")]
        for menu, option in ((task, "draw fast"), (data, "sprites"), (limit, "0.001 s")):
            menu.select_option(option)
            shown = page.locator(f"img:visible[alt*='{option}'][alt*='a hundred draws within']")
            shown.wait_for(timeout=60_000)
            answers.append(shown.get_attribute("alt"))
        assert len(set(answers)) == 4 and answers[1].startswith("draw fast on digits8")
        task.select_option("tell how likely")
        page.locator("img:visible[alt*='tell how likely on sprites, a hundred draws within 0.001 s']").wait_for(
            timeout=60_000)
        assert page.locator("[role=alert]:visible").count() == 0
