import pytest
import torch
from torch.nn import functional as F

from course_lib.data import load_mnist
from course_lib.models.image_to_image import Discriminator, UNetGenerator, coarse, noise, outline


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def digits(n=4):
    return load_mnist("test")[:n].floats(-1, 1).unsqueeze(1)


def test_shapes_and_what_the_output_depends_on():
    G, D = UNetGenerator(4, generator=seeded()), Discriminator(4, generator=seeded())
    c, z = coarse(digits()), noise(4, seeded(1))
    made = G(c, z)
    assert made.shape == (4, 1, 28, 28) and D(c, made).shape == (4, 7, 7)
    assert not torch.equal(made, G(c, noise(4, seeded(2)))) and not torch.equal(made, G(outline(digits()), z))
    assert not torch.equal(D(c, made), D(-c, made)) and not torch.equal(D(c, made), D(c, -made))


def test_coarse_pictures_are_block_means_and_survive_being_made_coarse_again():
    x = digits()
    c = coarse(x)
    assert c[1, 0, 8:12, 12:16].unique().numel() == 1
    assert c[1, 0, 8, 12].item() == pytest.approx(x[1, 0, 8:12, 12:16].mean().item(), abs=1e-6)
    torch.testing.assert_close(coarse(c), c)


def test_an_outline_is_paper_that_touches_ink():
    x = -torch.ones(1, 1, 28, 28)
    x[0, 0, 10:13, 5] = 1
    line = outline(x)[0, 0]
    assert set(line.unique().tolist()) == {-1, 1}
    assert (line > 0).sum() == 5 * 3 - 3 and line[9, 4] == line[13, 6] == 1 and line[11, 5] == -1


def test_each_logit_judges_a_part():
    D = Discriminator(4, generator=seeded()).eval()
    x = digits(1).clone().requires_grad_()
    (gradient,) = torch.autograd.grad(D(coarse(digits(1)), x)[0, 0, 0], x)
    assert gradient[0, 0, :14, :14].any() and not gradient[0, 0, 20:].any()


def test_sub_pixels_are_where_the_paper_puts_them():
    h = torch.randn(1, 9, 2, 3, generator=seeded())
    x = F.pixel_shuffle(h, 3)[0, 0]
    assert all(x[3 * row + i, 3 * column + j] == h[0, 3 * i + j, row, column]
               for row in range(2) for column in range(3) for i in range(3) for j in range(3))
