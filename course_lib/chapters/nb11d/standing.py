"""Notebook 11d: the course's models of MNIST beside each other, from what their cards say."""

from __future__ import annotations

from collections.abc import Mapping

from course_lib.experiments.flow_matching import JUDGED_STEPS
from course_lib.training.checkpoints import Card

HEAD = "| model | Fréchet distance | read as asked | log p(x) in nats | passes a picture | minutes of training |"
MODELS = {  # names, and how often a network must be asked for one picture, one after the other
    "vae_z20": ("VAE", 1),
    "row_lstm": ("Row LSTM", 784),
    "dcgan": ("DCGAN", 1),
    "conditional": ("conditional GAN", 1),
    "flow_matching": ("flow matching, U-Net", 2 * JUDGED_STEPS - 1),  # the last step is Euler's
}


def standing(cards: Mapping[str, Card]) -> str:
    """A table in Markdown with a row for each card, by its checkpoint's name; a dash where the card says nothing."""

    def told(metrics: Mapping[str, float], key: str, form: str, sign: int = 1) -> str:
        return format(sign * metrics[key], form) if key in metrics else ""

    rows = [HEAD, "|---" * HEAD.count(" | ") + "|---|"]
    for name, card in cards.items():
        model, passes = MODELS[name]
        bound, exact = (told(card.metrics, *how) for how in (("test_elbo", ".1f"), ("test_nll", ".1f", -1)))
        cells = (model, told(card.metrics, "frechet", ".2f"), told(card.metrics, "as_asked", ".3f"),
                 f"at least {bound}" if bound else exact, str(passes), f"{card.minutes:.0f}")
        rows.append("| " + " | ".join(cell.replace("-", "−") or "–" for cell in cells) + " |")
    return "\n".join(rows)
