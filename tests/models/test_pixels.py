import itertools
import math

import pytest
import torch

from course_lib.models.pixelcnn import GatedPixelCNN, PlainPixelCNN
from course_lib.models.pixelrnn import RasterRNN, RowLSTM
from course_lib.models.pixels import MaskedConv2d, PixelModel, raster_mask

DESIGNS = {"row_lstm": RowLSTM, "gated": GatedPixelCNN, "plain": PlainPixelCNN, "raster": RasterRNN}
MASKED = {name: DESIGNS[name] for name in ("row_lstm", "gated", "plain")}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def make(design, size, n_classes=2, seed=0, loud=4.0, **options):
    """A network with large weights, so that what it says depends clearly on what it sees."""
    model = DESIGNS[design](size, n_classes, 6, generator=seeded(seed), **options).double().requires_grad_(False)
    for parameter in model.parameters():
        parameter *= loud
    return model


def images(model, n, seed=1):
    return torch.randint(model.n_classes, (n, *model.size), generator=seeded(seed))


def all_images(size, n_classes):
    every = itertools.product(range(n_classes), repeat=size[0] * size[1])
    return torch.tensor(list(every)).view(-1, *size)


@pytest.mark.parametrize("size, n_classes", [((3, 3), 2), ((2, 2), 3)])
@pytest.mark.parametrize("design", DESIGNS)
def test_the_probabilities_of_all_images_sum_to_one(design, size, n_classes):
    for seed in range(3):
        model = make(design, size, n_classes, seed)
        log_p = model.log_prob(all_images(size, n_classes))
        assert log_p.exp().sum().item() == pytest.approx(1, abs=1e-10)
        assert model.float().log_prob(all_images(size, n_classes)).exp().sum().item() == pytest.approx(1, abs=1e-5)
        assert log_p.max() - log_p.min() > 1  # it does say something


@pytest.mark.parametrize("design", MASKED)
def test_a_leaking_mask_is_no_distribution(design):
    model = make(design, (3, 3), first_mask="B")
    assert model.log_prob(all_images((3, 3), 2)).exp().sum().item() != pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("size", [(5, 6), (28, 28)])
def test_no_pixel_changes_what_is_said_of_itself_or_of_earlier_ones(design, size):
    size = (8, 8) if design == "raster" and size == (28, 28) else size
    model = make(design, size, 2, loud=2.0)
    x = images(model, 1)
    said, (H, W) = model(x)[0], size
    for j in range(0, H * W, 1 if H < 28 else 71):
        changed = x.clone()
        changed[0, j // W, j % W] ^= 1
        difference = (model(changed)[0] - said).abs().amax(0).flatten()
        assert (difference[:j + 1] == 0).all()
        assert j == H * W - 1 or difference[j + 1:].max() > 0


@pytest.mark.parametrize("design", MASKED)
def test_the_check_of_causality_finds_a_leak(design):
    model = make(design, (5, 5), first_mask="B")
    assert model.receptive_field(2, 2, seeded())[2, 2] > 0 == make(design, (5, 5)).receptive_field(2, 2, seeded())[2, 2]


@pytest.mark.parametrize("size, n_classes, options", [((3, 4), 2, {}), ((7, 5), 4, {"layers": 2})])
@pytest.mark.parametrize("design", DESIGNS)
def test_the_sampler_with_a_memory_is_the_naive_one(design, size, n_classes, options):
    model = make(design, size, n_classes, loud=2.0, **({} if design == "raster" else options))
    fast, slow = (model.sample(7, seeded(2), cached=cached) for cached in (True, False))
    assert torch.equal(fast.images, slow.images)
    torch.testing.assert_close(fast.log_p, slow.log_p, atol=1e-9, rtol=0)
    observed = torch.rand(size, generator=seeded(3)) < 0.5
    fast, slow = (model.inpaint(fast.images, observed, seeded(4), 0.7, cached) for cached in (True, False))
    assert torch.equal(fast.images, slow.images)
    torch.testing.assert_close(fast.log_q, slow.log_q, atol=1e-9, rtol=0)
    naive = torch.stack(list(PixelModel.steps(model, fast.images)), dim=2)
    torch.testing.assert_close(naive, model(fast.images).flatten(2), atol=1e-9, rtol=0)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_likelihood_is_the_sum_over_the_samplers_steps(design):
    model = make(design, (6, 5), 3)
    drawn = model.sample(20, seeded())
    torch.testing.assert_close(model.log_prob(drawn.images).double(), drawn.log_p, atol=1e-4, rtol=0)
    assert torch.equal(drawn.log_p, drawn.log_q)
    everything = model.inpaint(drawn.images, torch.ones(6, 5), seeded())
    assert torch.equal(everything.images, drawn.images) and not everything.log_q.any()
    torch.testing.assert_close(everything.log_p, drawn.log_p)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_samples_come_as_often_as_they_are_likely(design, temperature):
    model = make(design, (2, 2), 2)
    n = 5_000
    drawn = model.sample(n, seeded(), temperature)
    which = (drawn.images.flatten(1) * torch.tensor([8, 4, 2, 1])).sum(1)
    frequency = torch.bincount(which, minlength=16).double() / n
    q = torch.zeros(16, dtype=torch.float64)
    q[which] = drawn.log_q.exp()
    assert (frequency - q).abs().max() < 5 * math.sqrt(0.25 / n)
    exact = model.log_prob(all_images((2, 2), 2)).exp().double()
    assert temperature != 1 or (frequency - exact).abs().max() < 5 * math.sqrt(0.25 / n)


@pytest.mark.parametrize("design", DESIGNS)
def test_completions_of_the_lower_half_are_posterior_draws_and_weights_correct_the_upper(design):
    model, x = make(design, (3, 3)), images(make(design, (3, 3)), 1)
    every = all_images((3, 3), 2)
    p = model.log_prob(every).double().exp()
    for rows_seen in (slice(0, 1), slice(2, 3)):
        observed = torch.zeros(3, 3, dtype=torch.bool)
        observed[rows_seen] = True
        agrees = (every == x)[:, observed].all(1)
        drawn = model.inpaint(x.expand(5_000, 3, 3), observed, seeded())
        assert (drawn.images == x)[:, observed].all()
        weights = (drawn.log_p - drawn.log_q).exp()
        assert weights.mean().item() == pytest.approx(p[agrees].sum().item(), rel=0.15)  # p(observed)
        hidden_ink = (drawn.images * ~observed).sum((1, 2)).double()
        exact = (p[agrees] * (every[agrees] * ~observed).sum((1, 2))).sum() / p[agrees].sum()
        assert (weights * hidden_ink).sum() / weights.sum() == pytest.approx(exact.item(), abs=0.1)
        assert rows_seen.start or weights.std() < 1e-9  # nothing to correct below what was seen


def sees(design, size, i, j, **options):
    """Where a pixel's logits look, from the gradient."""
    return make(design, size, loud=1.0, **options).receptive_field(i, j, seeded(), images=2) > 0


def test_what_each_design_sees_of_a_28x28_image():
    i = j = 14
    row_lstm, gated, plain = (sees(design, (28, 28), i, j) for design in MASKED)
    past = torch.arange(784).view(28, 28) < 28 * i + j
    rows, columns = torch.meshgrid(torch.arange(28), torch.arange(28), indexing="ij")
    up, aside = i - rows, columns - j
    # Row LSTM: each row further up, K_ss adds a column on each side to the 3 that the first layer reaches above its
    # own row; to the left, K_is adds one more, and the first layer's own row reaches as far as those above.
    assert torch.equal(row_lstm, past & (-aside <= up + 4) & ((up == 0) | (aside <= up + 2)))
    # Gated: a rectangle, 3 rows and columns from the first layer and one more from each of the 5 others
    assert torch.equal(gated, past & (up <= 8) & (aside.abs() <= 8))
    # Plain stack: to the right, a column further takes a row up for each 3 x 3 layer; what is beyond is never seen
    assert torch.equal(plain & past, plain) and not plain[i - 1, j + 4:].any() and plain[i - 6, j + 8]
    deep = sees("plain", (28, 28), i, j, layers=12)
    assert not (deep & (up == 1) & (aside > 3)).any()


def test_the_plain_rnn_sees_everything_before():
    assert torch.equal(sees("raster", (5, 5), 3, 2), torch.arange(25).view(5, 5) < 17)


def test_masks_are_as_in_the_paper():
    assert raster_mask(3, 3, "A").tolist() == [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
    assert raster_mask(3, 3, "B").tolist() == [[1, 1, 1], [1, 1, 0], [0, 0, 0]]
    assert raster_mask(1, 5, "A").tolist() == [[1, 1, 0, 0, 0]]
    assert (MaskedConv2d(1, 2, (3, 3), "A", seeded()).weight[:, :, 2] == 0).all()
    with pytest.raises(ValueError, match="odd sides"):
        raster_mask(2, 3, "A")
    with pytest.raises(ValueError, match="'A' or 'B', not 'C'"):
        raster_mask(3, 3, "C")


@pytest.mark.parametrize("design", MASKED)
def test_gradients_are_those_of_finite_differences(design):
    model = DESIGNS[design]((3, 4), 2, 3, generator=seeded()).double()
    x = images(model, 2)
    weights = list(model.parameters())
    gradients = torch.autograd.grad(-torch.nn.functional.cross_entropy(model(x), x, reduction="sum"), weights)
    for weight, gradient in zip(weights, gradients, strict=True):
        k = int(gradient.abs().argmax())
        values = []
        for shift in (1e-5, -2e-5):
            weight.data.view(-1)[k] += shift
            values.append(-torch.nn.functional.cross_entropy(model(x), x, reduction="sum").item())
        weight.data.view(-1)[k] += 1e-5
        assert gradient.reshape(-1)[k].item() == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("design", MASKED)
def test_all_randomness_comes_from_the_generator_passed(design):
    before = torch.get_rng_state()
    one, same, other = (DESIGNS[design]((3, 3), generator=seeded(seed)) for seed in (1, 1, 2))
    drawn = one.sample(3, seeded())
    assert torch.equal(torch.get_rng_state(), before)
    x = drawn.images
    assert torch.equal(one.log_prob(x), same.log_prob(x)) and not torch.equal(one.log_prob(x), other.log_prob(x))


def test_what_does_not_fit_is_told():
    model = RowLSTM((3, 3), 2, 4, generator=seeded())
    with pytest.raises(ValueError, match=r"shape \[n, 3, 3\], not \[1, 4, 3\]"):
        model.log_prob(torch.zeros(1, 4, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="whole numbers"):
        model.log_prob(torch.zeros(1, 3, 3))
    with pytest.raises(ValueError, match=r"lie in 0 … 1, these reach from 0 to 2"):
        model.log_prob(torch.tensor([[[0, 1, 2]] * 3]))
    with pytest.raises(ValueError, match="temperature must be positive"):
        model.sample(1, seeded(), temperature=0.0)
