"""The figure of notebook 00: a tree of choices."""

from course_lib.chapters.nb00 import plots


def test_a_tree_has_its_leaves_in_order_below_each_other_and_marks_the_right_one():
    root = ("root", [("fork", [("a", []), ("b", [])]), ("c", [])])
    fig = plots.tree(root, title="t", marked={"b"}, notes={"a": "01"})
    fig.draw_without_rendering()
    ax, page = fig.axes[0], fig.bbox
    heights = {t.get_text(): t.get_position()[1] for t in ax.texts}
    assert heights == {"a  (01)": 0, "★ b": 1, "c": 2, "fork": 0.5, "root": 1.25}
    assert ax.get_title(loc="left") == "t" and min(t.get_fontsize() for t in ax.texts) >= 12
    widths = {t.get_text(): t.get_bbox_patch().get_linewidth() for t in ax.texts}
    assert widths["★ b"] > widths["c"]
    boxes = [t.get_window_extent() for t in ax.texts]
    assert all(page.x0 <= box.x0 and box.x1 <= page.x1 for box in boxes)
