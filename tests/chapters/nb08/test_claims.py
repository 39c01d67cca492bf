"""The claims of notebook 08 can fail: each is broken on purpose. And the VAE is trained where it is missing."""

import pytest
import torch
from notebook_cells import cell, cells_of, changed

from course_lib.experiments.vae import VAEExperiment, VAEHyperparameters
from course_lib.teach import ClaimFailed
from course_lib.training.precision import fastest_precision

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("08")
BEGINNING = ("def vae_or_train", "train, test = ", "centroid = ")
PATHS = ("alpha = ", "pictures = ", "p = torch.stack")
DOUBTS = ("alpha = ", "fine = ", "best, places = ")
SEVENS = ('predict("08.seven"', "seven = ", "sevens = ", "along = ", "moved_right = ")
NORMS = ('predict("08.norm"', "start, end = ")


@pytest.fixture(scope="module")
def begun():
    """What the notebook knows after its centroids, from a third of the data."""
    names = {}
    code = "\n\n".join([CELLS[0], *(cell(CELLS, start) for start in BEGINNING)])
    exec(code.replace('load_mnist("train")', 'load_mnist("train")[:20_000]'), names)
    return names


@pytest.fixture
def run(begun):
    def run_cells(starts, *change):
        code = changed("\n\n".join(cell(CELLS, start) for start in starts), change)
        exec(code, begun | {"alpha": torch.linspace(0, 1, 11)})
    return run_cells


def test_the_vae_is_trained_where_its_checkpoint_is_missing(capsys, tmp_path):
    names = {"nowhere": tmp_path}
    code = f"{CELLS[0]}\n{CELLS[1]}".replace('trained("vae_z20")', 'trained("vae_z20", nowhere)')
    exec(code.replace("steps=4680", "steps=3"), names)
    said = capsys.readouterr().out
    assert "vae_z20.safetensors is missing" in said and "one is trained here: 3 steps" in said
    alike = VAEExperiment(VAEHyperparameters(total_steps=3, precision=fastest_precision()), seed=0)
    for _ in range(3):
        alike.step()
    x = torch.zeros(1, 784)
    assert torch.equal(names["encode"](x), alike.model.encode(x)[0])
    assert not any(p.requires_grad for p in names["vae"].parameters())


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (("centroid = ",), r"class_centroids\(z_train, train\.labels\)", "class_centroids(z_train, train.labels.roll(1))",
     "Decoded centroids"),
    (PATHS, r"\(centroid\[b\] - centroid\[a\]\)", "(centroid[a] - centroid[b])", "linear path less ours"),
    (PATHS, r"for side in \(0, 1\)", "for side in (1, 0)", "rises at every step"),
    (PATHS, r"decode\(paths\)", "(1 - alpha[:, None]) * decode(paths[:, :1]) + alpha[:, None] * decode(paths[:, -1:])",
     "third digit"),
    (DOUBTS, r"linspace\(0, 1, 41\)", "linspace(0, 0.1, 41)", "most ambiguous"),
    (DOUBTS, r"p_classifier = .*", "p_classifier = p_logistic(between)", "the classifier sure"),
    (SEVENS, r"sevens - 2 \* v, centroid", "sevens, centroid", "centroid is nearest to the 7s"),
    (SEVENS, r"v = centroid\[0\] - centroid\[6\]", "v = centroid[6] - centroid[0]", "most test 7s become"),
    (SEVENS, r"1\.5 \* \(centroid\[0\] - centroid\[7\]\)", "1.5 * (centroid[0] - centroid[6])", "from 7 to 0"),
    (NORMS, "spherical_path", "linear_path", "Spherical paths"),
    (NORMS, r"torch\.randn\(2, 2000, 20", "1 + torch.randn(2, 2000, 20", "Linear paths"),
])
def test_what_is_broken_is_caught(run, starts, old, new, claim):
    with pytest.raises(ClaimFailed, match=claim):
        run(starts, (old, new))
