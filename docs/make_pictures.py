"""Makes the README's pictures: `python docs/make_pictures.py [folder]`."""

import sys
from pathlib import Path

import torch
from matplotlib.figure import Figure

from course_lib.data import TwoGaussians, load_mnist
from course_lib.experiments.gan1d import GAN1DExperiment, GAN1DHyperparameters
from course_lib.live import Curve, Density, static_figure
from course_lib.live.history import History
from course_lib.live.views import gather
from course_lib.models.logistic import SoftmaxRegression
from course_lib.models.naive_bayes import BernoulliNB, GaussianNB
from course_lib.plots import clouds_and_border, images, plane, png
from course_lib.training import run

LAB_STEPS = 400  # few enough that another processor's roundings are not seen in the picture


def learned() -> Figure:
    """What a generative and a discriminative model learned from the same points (notebook 01)."""
    x, y = TwoGaussians(separation=2.5).sample(300, torch.Generator().manual_seed(0))
    nb, lr = GaussianNB().fit(x, y), SoftmaxRegression(l2=1e-3).fit(x, y)
    axis, grid = plane()
    grid = torch.tensor(grid, dtype=x.dtype)
    return clouds_and_border(x, y, mu=nb.mu, var=nb.var, axis=axis, density=nb.log_prob(grid).exp(),
                             probability=lr.log_posterior(grid)[:, 1].exp(),
                             title="One learned two clouds, the other a border")


def digits() -> Figure:
    """Bernoulli naive Bayes on MNIST: what it learned and what it draws (notebook 01)."""
    train = load_mnist("train")
    model = BernoulliNB().fit(train.binarized().flatten(1), train.labels)
    drawn = [model.sample(1, torch.Generator().manual_seed(k), label=k)[0] for k in range(10)]
    return images(torch.cat([model.theta, *drawn]).view(20, 28, 28), row_labels=["learned", "drawn"],
                  title="A model that draws every pixel on its own draws dust")


def lab() -> Figure:
    """What the lab of notebook 05 shows after some steps: the game of two networks, and its losses."""
    game, history = GAN1DExperiment(GAN1DHyperparameters(minibatch=False), seed=0), History()
    for metrics in run(game, LAB_STEPS, progress=False):
        history.append(game.steps, metrics)
    views = [Density("real_density", "generated_density", grid="grid", lines=["decision"],
                     labels={"real_density": "real", "generated_density": "made", "decision": "D(x)"},
                     title="What is real, what is made, what D answers", xlabel="x", ylabel="density, or probability",
                     xlim=(-2, 8), ylim=(0, 2)),
             Curve("loss_d", "loss_g", labels={"loss_d": "loss of D", "loss_g": "loss of G"},
                   title="What each of the two networks loses", ylabel="nats")]
    return static_figure.draw(views, gather(views, game.snapshot(), history.arrays()))


PICTURES = {"lab": lab, "learned": learned, "digits": digits}


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("pictures")
    folder.mkdir(exist_ok=True)
    for name, make in PICTURES.items():
        (folder / f"{name}.png").write_bytes(png(make()))
        print(folder / f"{name}.png")
