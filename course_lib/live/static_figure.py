"""The last state of a lab as a figure: what a saved notebook shows, and what stands in where the canvas cannot run.

It is an output of its own behind the widget's, so every export finds it.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from course_lib import plots
from course_lib.live.views import Arrays, HeatMap, View
from course_lib.plots.style import Bundle

# Reopened without the kernel that made them, a notebook's widgets are lines that say 'Loading widget' and then, in red,
# 'model not found', each above its still, which says what to do. So the lines go: outputs of no type, without content.
NO_MODEL = ("<style>.jp-OutputArea-child:has(> .jp-OutputArea-output:not([data-mime-type]))"
            ":not(:has(.jp-OutputArea-output *)):has(+ .jp-OutputArea-child .course-still) { display: none; }</style>")


def draw(views: Sequence[View], arrays: Arrays) -> Figure:
    """The views side by side, at most two in a row. Uses no pyplot, so any thread may call it."""
    columns = min(len(views), 2)
    rows = -(-len(views) // columns)
    fig, axes = plots.figure(5.2 * columns if columns > 1 else 7.0, 4.2 * rows, rows, columns)
    for ax in axes.flat[len(views):]:
        ax.set_visible(False)
    for ax, view in zip(axes.flat, views, strict=False):
        ax.set(xlabel=view.axis["xlabel"], ylabel=view.axis["ylabel"])
        ax.set_title(view.axis["title"])
        for layer in view.layers():
            if layer.on:
                layer.draw(ax, arrays)
                if layer.tight:
                    ax.set_autoscale_on(False)
        if any(layer.floor for layer in view.layers()) and ax.dataLim.y0 >= 0:
            ax.set_ylim(bottom=0)
        if any(layer.bare for layer in view.layers()):
            ax.set_axis_off()
        if view.equal:
            ax.set_aspect("equal")
        for side, limits in (("x", view.axis["xlim"]), ("y", view.axis["ylim"])):
            if limits is not None:
                ax.set(**{f"{side}lim": limits})
        if len(ax.get_legend_handles_labels()[0]) > 1:
            over_colours = any(isinstance(layer, HeatMap) for layer in view.layers())
            ax.legend(**{"loc": "upper center", "bbox_to_anchor": (0.5, -0.18), "ncols": 2} if over_colours else {})
    return fig


def in_words(views: Sequence[View], arrays: Arrays) -> list[list[str]]:
    """What each layer of each view says of these arrays."""
    return [[layer.says(arrays) for layer in view.layers()] for view in views]


def alt(views: Sequence[View], arrays: Arrays) -> str:
    """The views in words for someone who cannot see them: their titles, and what the layers say that are on."""
    told = []
    for view, words in zip(views, in_words(views, arrays), strict=True):
        shown = "; ".join(said for layer, said in zip(view.layers(), words, strict=True) if layer.on)
        told.append(": ".join(filter(None, (view.axis["title"], shown))))
    return ". ".join(told)


def behind_widget(shown: Bundle) -> Bundle:
    """A picture as `plots.bundle` makes it, to be displayed right after the widget for which it stands in."""
    data, metadata = shown
    page = f'{data["text/html"]}<p class="course-still">A still picture: run this cell to use what it shows.</p>'
    return data | {"text/html": page + NO_MODEL}, metadata
