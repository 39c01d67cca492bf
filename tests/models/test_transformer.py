"""Attention against PyTorch's own and by hand; what a transformer can and cannot tell; the cache; patches."""

import itertools
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.models.patch_transformer import PatchHead, PatchTransformer
from course_lib.models.pixels import PixelModel
from course_lib.models.transformer import (
    POSITIONS,
    Blocks,
    KeysAndValues,
    SelfAttention,
    SequenceTransformer,
    attend,
    causal_mask,
    rotary,
)

LAYOUTS = {"patches": ((4, 6), 2, (2, 2), 2), "wide window": ((4, 6), 3, (2, 3), 4), "pixels": ((3, 3), 2, (1, 1), 0),
           "small window": ((3, 4), 2, (3, 2), 1)}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def sequence_model(positions="rotary", seed=0, loud=3.0, **options):
    """Large weights, so that what it says depends clearly on what it sees."""
    model = SequenceTransformer(5, 12, 16, 2, 2, positions, generator=seeded(seed), **options).double()
    for parameter in model.requires_grad_(False).parameters():
        parameter *= loud
    return model


def patch_model(layout, seed=0, loud=2.0, **options):
    size, n_classes, patch, window = LAYOUTS[layout]
    model = PatchTransformer(size, n_classes, 16, 2, 2, patch, window, generator=seeded(seed), **options).double()
    for parameter in model.requires_grad_(False).parameters():
        parameter *= loud
    return model


def pictures(model, n, seed=1):
    return torch.randint(model.n_classes, (n, *model.size), generator=seeded(seed))


# Attention.


@pytest.mark.parametrize("mask", [None, causal_mask(6, 6), causal_mask(6, 6, 1)])
def test_attention_is_that_of_pytorch(mask):
    q, k, v = (randn(2, 3, 6, 4, seed=s) for s in range(3))
    got, weights = attend(q, k, v, mask)
    torch.testing.assert_close(got, F.scaled_dot_product_attention(q, k, v, mask), atol=1e-14, rtol=0)
    torch.testing.assert_close(weights @ v, got)
    assert weights.sum(3).allclose(torch.ones(1, dtype=torch.float64))
    assert mask is None or not weights[..., ~mask].any()


def test_a_bias_is_added_to_the_scores():
    q, k, v, bias = randn(5, 4), randn(7, 4, seed=1), randn(7, 2, seed=2), randn(5, 7, seed=3)
    expected = F.scaled_dot_product_attention(q[None], k[None], v[None], bias[None])[0]
    torch.testing.assert_close(attend(q, k, v, bias=bias)[0], expected, atol=1e-14, rtol=0)


def test_the_mask_ends_where_the_keys_do():
    assert causal_mask(2, 4).tolist() == [[True, True, True, False], [True] * 4]
    assert causal_mask(3, 3, 1).tolist() == [[True, True, False], [True] * 3, [True] * 3]


def test_a_rotation_keeps_lengths_and_knows_only_distances():
    q, k = randn(1, 8), randn(1, 8, seed=1)

    def score(i, j):
        return (rotary(q, i) * rotary(k, j)).sum().item()

    assert score(3, 1) == pytest.approx(score(13, 11), abs=1e-12) != pytest.approx(score(3, 2), abs=1e-3)
    assert rotary(q, 5).norm().item() == pytest.approx(q.norm().item(), abs=1e-12)
    assert torch.equal(rotary(q, 0), q)
    torch.testing.assert_close(rotary(q.expand(4, 8))[3:], rotary(q, 3))
    by_hand = torch.view_as_complex(torch.stack([q[0, :4], q[0, 4:]], dim=1).contiguous())
    turned = by_hand * torch.exp(1j * 7 * torch.tensor([10_000.0 ** (-i / 4) for i in range(4)]).double())
    torch.testing.assert_close(rotary(q, 7)[0], torch.cat([turned.real, turned.imag]), atol=1e-6, rtol=0)


def test_a_layer_is_pytorchs_multihead_attention():
    ours = SelfAttention(8, 2, 6, "none", 0, seeded()).double()
    theirs = nn.MultiheadAttention(8, 2, batch_first=True).double()
    theirs.load_state_dict({"in_proj_weight": ours.qkv.weight, "in_proj_bias": ours.qkv.bias,
                            "out_proj.weight": ours.out.weight, "out_proj.bias": ours.out.bias})
    x = randn(3, 6, 8)
    expected, weights = theirs(x, x, x, attn_mask=~causal_mask(6, 6), average_attn_weights=False)
    got, of_heads = ours(x)
    torch.testing.assert_close(got, expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(of_heads, weights, atol=1e-12, rtol=0)


def test_a_block_is_pytorchs_with_normalisation_first():
    blocks = Blocks(8, 1, 2, 6, "none", seeded()).double()
    block = blocks.layers[0]
    theirs = nn.TransformerEncoderLayer(8, 2, 32, dropout=0, batch_first=True, norm_first=True).double()
    theirs.load_state_dict({
        "self_attn.in_proj_weight": block.attention.qkv.weight, "self_attn.in_proj_bias": block.attention.qkv.bias,
        "self_attn.out_proj.weight": block.attention.out.weight, "self_attn.out_proj.bias": block.attention.out.bias,
        "linear1.weight": block.mlp[1].weight, "linear1.bias": block.mlp[1].bias,
        "linear2.weight": block.mlp[3].weight, "linear2.bias": block.mlp[3].bias,
        "norm1.weight": block.norm_attention.weight, "norm1.bias": block.norm_attention.bias,
        "norm2.weight": block.mlp[0].weight, "norm2.bias": block.mlp[0].bias})
    x = randn(3, 6, 8)
    expected = theirs(x, src_mask=~causal_mask(6, 6))
    torch.testing.assert_close(block(x)[0], expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(blocks(x), blocks.norm(expected), atol=1e-12, rtol=0)


# Order.


def test_without_mask_and_positions_the_order_is_nothing_but_an_order():
    blocks, x = Blocks(16, 3, 2, 9, "none", seeded(), look_ahead=None).double(), randn(1, 9, 16)
    order = [4, 2, 0, 8, 1, 3, 7, 5, 6]
    torch.testing.assert_close(blocks(x[:, order]), blocks(x)[:, order], atol=1e-13, rtol=0)


@pytest.mark.parametrize("positions", POSITIONS)
def test_with_the_mask_one_layer_does_not_see_the_order_of_the_past_but_two_do(positions):
    x, order = randn(1, 9, 16), [4, 2, 0, 7, 1, 3, 6, 5, 8]
    for layers in (1, 2):
        blocks = Blocks(16, layers, 2, 9, positions, seeded()).double()
        if positions == "relative":
            nn.init.normal_(blocks.layers[0].attention.by_distance, generator=seeded(5))
        if positions == "learned":
            nn.init.normal_(blocks.places, generator=seeded(5))
        difference = (blocks(x[:, order]) - blocks(x))[:, -1].abs().max()
        blind = positions == "none" and layers == 1
        assert difference < 1e-13 if blind else difference > 1e-3


@pytest.mark.parametrize("positions", POSITIONS)
def test_no_symbol_changes_what_is_said_of_itself_or_of_earlier_ones(positions):
    model, x = sequence_model(positions), torch.randint(5, (1, 12), generator=seeded(1))
    said = model(x)[0]
    for t in range(12):
        changed = x.clone()
        changed[0, t] = (changed[0, t] + 1) % 5
        difference = (model(changed)[0] - said).abs().amax(1)
        assert not difference[:t + 1].any() and (t == 11 or difference[t + 1:].min() > 0)
    leaking = sequence_model(positions, look_ahead=1)
    changed = x.clone()
    changed[0, 6] = (changed[0, 6] + 1) % 5
    assert (leaking(changed) - leaking(x))[0, 6].abs().max() > 0


def test_probabilities_of_all_sequences_sum_to_one_unless_it_looks_ahead():
    every = torch.tensor(list(itertools.product(range(5), repeat=4)))
    sums = [sequence_model(look_ahead=ahead).log_prob(every).exp().sum().item() for ahead in (0, 1)]
    assert sums[0] == pytest.approx(1, abs=1e-12) != pytest.approx(sums[1], abs=1e-3)


# The cache.


@pytest.mark.parametrize("positions", POSITIONS)
def test_steps_with_the_cache_say_what_the_whole_network_says(positions):
    model = sequence_model(positions)
    if positions == "relative":
        nn.init.normal_(model.blocks.layers[0].attention.by_distance, generator=seeded(5))
    x, log_p = model.sample(4, 12, seeded(2))
    torch.testing.assert_close(model.log_prob(x), log_p, atol=1e-12, rtol=0)
    steps = model.steps(4)
    told = torch.stack([next(steps), *(steps.send(x[:, t]) for t in range(11))], dim=1)
    torch.testing.assert_close(told, model(x), atol=1e-12, rtol=0)


def test_several_tokens_at_a_time_go_through_the_cache_too():
    for positions in POSITIONS:
        blocks, x = Blocks(16, 2, 2, 9, positions, seeded()).double(), randn(2, 9, 16)
        cache = blocks.new_cache()
        parts = [blocks(part, cache) for part in x.split([4, 1, 4], dim=1)]
        torch.testing.assert_close(torch.cat(parts, dim=1), blocks(x), atol=1e-13, rtol=0)
        assert len(cache[0]) == 9
        with pytest.raises(ValueError, match="10 tokens are more than the 9"):
            blocks(x[:, :1], cache)
    assert len(KeysAndValues()) == 0


def test_weights_are_those_of_each_head():
    model, x = sequence_model(), torch.randint(5, (3, 12), generator=seeded())
    weights = model.weights(x)
    assert [w.shape for w in weights] == [(3, 2, 12, 12)] * 2
    assert all(w.sum(3).allclose(torch.ones(1, dtype=torch.float64)) and not w.triu(1).any() for w in weights)


def test_what_cannot_be_is_refused():
    for wrong, said in (({"channels": 15}, "15 channels cannot"), ({"channels": 6, "positions": "rotary"}, "in pairs"),
                        ({"positions": "sines"}, "positions must be one of")):
        with pytest.raises(ValueError, match=said):
            SequenceTransformer(5, 8, **{"channels": 16, "heads": 2, **wrong}, generator=seeded())
    with pytest.raises(ValueError, match="no patches of 4 x 4"):
        PatchTransformer((6, 8), generator=seeded())


# Patches.


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_pixel_changes_what_is_said_of_itself_or_of_earlier_ones_and_all_later_ones_react(layout):
    model = patch_model(layout)
    x, order = pictures(model, 1), model.order()
    said = model(x)[0]
    assert sorted(order) == [(i, j) for i in range(model.size[0]) for j in range(model.size[1])]
    for t, (i, j) in enumerate(order):
        changed = x.clone()
        changed[0, i, j] = (changed[0, i, j] + 1) % model.n_classes
        difference = (model(changed)[0] - said).abs().amax(0)
        reacts = torch.stack([difference[place] for place in order])
        assert not reacts[:t + 1].any() and (t + 1 == len(order) or reacts[t + 1:].min() > 0)


def test_a_patch_that_looks_ahead_is_no_distribution():
    every = torch.tensor(list(itertools.product((0, 1), repeat=9))).view(512, 3, 3)
    sums = [patch_model("pixels", look_ahead=ahead).log_prob(every).exp().sum().item() for ahead in (0, 1)]
    assert sums[0] == pytest.approx(1, abs=1e-12) != pytest.approx(sums[1], abs=1e-3)


def test_the_probabilities_of_all_images_of_patches_sum_to_one():
    model = PatchTransformer((2, 4), 2, 16, 2, 2, (2, 2), 1, generator=seeded()).double()
    every = torch.tensor(list(itertools.product((0, 1), repeat=8))).view(256, 2, 4)
    assert model.log_prob(every).exp().sum().item() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_sampler_with_a_cache_is_the_naive_one(layout):
    model = patch_model(layout)
    fast, slow = (model.sample(6, seeded(2), cached=cached) for cached in (True, False))
    assert torch.equal(fast.images, slow.images)
    torch.testing.assert_close(fast.log_p, slow.log_p, atol=1e-11, rtol=0)
    torch.testing.assert_close(model.log_prob(fast.images), fast.log_p, atol=1e-11, rtol=0)
    observed = torch.rand(model.size, generator=seeded(3)) < 0.5
    fast, slow = (model.inpaint(fast.images, observed, seeded(4), 0.7, cached) for cached in (True, False))
    assert torch.equal(fast.images, slow.images)
    steps = torch.stack(list(model.steps(fast.images)), dim=1)
    naive = torch.stack(list(PixelModel.steps(model, fast.images)), dim=1)
    torch.testing.assert_close(steps, naive, atol=1e-11, rtol=0)


def test_samples_come_as_often_as_they_are_likely():
    model = PatchTransformer((2, 2), 2, 8, 1, 1, (1, 2), 1, generator=seeded()).double()
    every = torch.tensor(list(itertools.product((0, 1), repeat=4))).view(16, 2, 2)
    drawn = model.sample(4000, seeded()).images.flatten(1) @ torch.tensor([8, 4, 2, 1])
    frequency = torch.bincount(drawn, minlength=16).double() / 4000
    assert (frequency - model.log_prob(every).exp()).abs().max() < 5 * math.sqrt(0.25 / 4000)


def test_the_head_sees_its_state_and_earlier_pixels_alone():
    head = PatchHead(6, 4, 3, 5, seeded()).double().requires_grad_(False)
    h, patch = randn(2, 6), F.one_hot(torch.tensor([[0, 2, 1, 1], [2, 2, 0, 1]]), 3).double().flatten(1)
    told = head(h, patch)
    V, U = head.V.weight.view(4, 5, 4, 3), head.U.weight.view(4, 3, 5)
    for k in range(4):
        a = head.W(h).view(2, 4, 5)[:, k] + sum(patch.view(2, 4, 3)[:, j] @ V[k, :, j].T for j in range(k))
        torch.testing.assert_close(told[:, k], a.relu() @ U[k].T + head.S(h).view(2, 4, 3)[:, k], atol=1e-12, rtol=0)
    torch.testing.assert_close(torch.stack(list(head.steps(h, patch)), dim=1), told, atol=1e-12, rtol=0)


def test_gradients_are_those_of_finite_differences():
    model = PatchTransformer((2, 4), 2, 8, 1, 2, (2, 2), 1, "rotary", generator=seeded()).double()
    x = pictures(model, 3)
    gradients = torch.autograd.grad(model.log_prob(x).sum(), list(model.parameters()))
    for weight, gradient in zip(model.parameters(), gradients, strict=True):
        k, values = int(gradient.abs().argmax()), []
        for shift in (1e-5, -2e-5):
            weight.data.view(-1)[k] += shift
            values.append(model.log_prob(x).sum().item())
        weight.data.view(-1)[k] += 1e-5
        assert gradient.reshape(-1)[k].item() == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-5, abs=1e-8)


def test_all_randomness_comes_from_the_generator_passed():
    before = torch.get_rng_state()
    patch_model("patches").sample(2, seeded()), sequence_model().sample(2, 5, seeded())
    assert torch.equal(torch.get_rng_state(), before)
