"""What a reader needs of every figure."""

from matplotlib.figure import Figure


def check_legible(fig: Figure) -> None:
    """It has the title "t", its text is large, and neither plots nor legends leave the page at its sides."""
    fig.draw_without_rendering()  # unlike `canvas.draw`, it computes the margins
    assert "t" in (fig.get_suptitle(), fig.axes[0].get_title(loc="left"))
    legends = [legend for legend in (*(ax.get_legend() for ax in fig.axes), *fig.legends) if legend]
    texts = [text for ax in fig.axes for text in (*ax.texts, ax.title, ax.xaxis.label, ax.yaxis.label,
                                                  *ax.get_xticklabels(), *ax.get_yticklabels())]
    texts += [text for legend in legends for text in legend.get_texts()]
    assert min(text.get_fontsize() for text in texts if text.get_text()) >= 12
    for part in (*fig.axes, *legends):
        box = part.get_tightbbox()
        assert fig.bbox.x0 <= box.x0 and box.x1 <= fig.bbox.x1 + 1
