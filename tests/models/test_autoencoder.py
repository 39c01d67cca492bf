import pytest
import torch

from course_lib.models.autoencoder import Autoencoder


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_encodes_decodes_and_measures_the_squared_error():
    model, x = Autoencoder(2, (9, 7), n_pixels=11, generator=seeded(1)), torch.rand(5, 11, generator=seeded(2))
    z = model.encode(x)
    again = model.decode(z)
    assert z.shape == (5, 2) and again.shape == (5, 11) and ((again > 0) & (again < 1)).all()
    by_hand = [sum((a - b) ** 2 for a, b in zip(row.tolist(), rebuilt.tolist(), strict=True))
               for row, rebuilt in zip(x, again, strict=True)]
    torch.testing.assert_close(model.error(x), torch.tensor(by_hand))
    assert model.decode(torch.zeros(4, 3, 2)).shape == (4, 3, 11)


def test_has_the_vaes_widths():
    shapes = [tuple(p.shape) for p in Autoencoder(20, generator=seeded()).parameters() if p.ndim == 2]
    assert shapes == [(512, 784), (256, 512), (20, 256), (256, 20), (512, 256), (784, 512)]


def test_mistakes_are_told():
    model = Autoencoder(2, generator=seeded())
    with pytest.raises(ValueError, match="flatten"):
        model.encode(torch.zeros(3, 28, 28))
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        model.error(torch.full((3, 784), 2.0))
