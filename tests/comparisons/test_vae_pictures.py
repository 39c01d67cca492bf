"""Long walks of the VAE, and the record of them that notebook 04 shows."""

import torch

from course_lib.comparisons import vae_pictures
from course_lib.comparisons.vae_pictures import CompletedRow, DrawnRow, record, recorded, walks_of
from course_lib.models.vae import VAE


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@torch.no_grad()
def test_one_run_gives_every_length_and_number_of_walks_without_their_first_third():
    vae, begin = VAE(2, (8,), generator=seeded(1)), torch.bernoulli(torch.full((3, 784), 0.3), generator=seeded(2))
    averages = walks_of(vae, begin, rounds=(3, 6), walks=(1, 2))
    x, rng, means = begin.repeat(2, 1), seeded(), []
    for _ in range(6):
        x, mean = vae.inpaint(x, vae_pictures.SEEN, 1, rng)
        means.append(mean.view(2, 3, 784))
    assert set(averages) == {(3, 1), (3, 2), (6, 1), (6, 2)}
    assert torch.allclose(averages[6, 2], (means[2] + means[3] + means[4] + means[5]).mean(dim=0) / 4)
    assert torch.allclose(averages[3, 1], (means[1][0] + means[2][0]) / 2)
    assert torch.equal(averages[6, 2][:, vae_pictures.SEEN], begin[:, vae_pictures.SEEN])


def test_what_is_recorded_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(vae_pictures, "RECORD", tmp_path / "records" / "vae_pictures.json")
    (tmp_path / "records").mkdir()
    rows = {"one way": DrawnRow([0, 1], [10.0, 20.0], [1.5, 2.5])}, {"walk": CompletedRow([25.0], [0.5])}
    record("python benchmarks/vae_pictures.py --record", *rows)
    assert recorded() == rows


def test_the_shipped_record_is_complete():
    drawn, completed = recorded()
    assert all(len(row.seeds) == len(row.doubt) == len(row.distance) == 8 for row in drawn.values())
    assert all(len(row.error) == len(row.right) == vae_pictures.SETS for row in completed.values())
