import itertools
import math

import pytest
import torch

from course_lib.models.sequences import CharLSTM, SequenceClassifier, WaveNet, nucleus

DESIGNS = {"lstm": lambda n, generator: CharLSTM(n, 5, 2, generator=generator),
           "wavenet": lambda n, generator: WaveNet(n, 5, 3, generator=generator)}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def make(design, n_symbols=3):
    model = DESIGNS[design](n_symbols, seeded()).double().requires_grad_(False)
    for parameter in model.parameters():
        parameter *= 4
    return model


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("length", [1, 2, 5])
def test_the_probabilities_of_all_sequences_sum_to_one(design, length):
    every = torch.tensor(list(itertools.product(range(3), repeat=length)))
    assert make(design).log_prob(every).exp().sum().item() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("design", DESIGNS)
def test_no_symbol_changes_what_is_said_of_itself_or_of_earlier_ones(design):
    model, x = make(design), torch.randint(3, (1, 20), generator=seeded(1))
    said = model(x)
    for t in range(20):
        changed = x.clone()
        changed[0, t] = (x[0, t] + 1) % 3
        difference = (model(changed) - said).abs().amax(2)[0]
        assert not difference[:t + 1].any() and (t == 19 or difference[t + 1] > 0)


def test_the_receptive_field_of_wavenet_is_what_it_says():
    model, x = make("wavenet"), torch.randint(3, (1, 20), generator=seeded(1))
    changed = x.clone()
    changed[0, 2] = (x[0, 2] + 1) % 3
    reacts = (model(changed) - model(x)).abs().amax(2)[0] > 0
    assert model.receptive_field == 8
    assert reacts.nonzero().flatten().tolist() == list(range(3, 3 + 8))


@pytest.mark.parametrize("design", DESIGNS)
def test_the_sampler_remembers_what_the_network_computes(design):
    model = make(design)
    x, log_p = model.sample(6, 25, seeded(2), temperature=0.8, prefix=torch.tensor([2, 0, 1]))
    assert x.shape == (6, 25) and (x[:, :3] == torch.tensor([2, 0, 1])).all()
    torch.testing.assert_close(log_p, model.log_prob(x), atol=1e-9, rtol=0)


@pytest.mark.parametrize("design", DESIGNS)
def test_samples_come_as_often_as_they_are_likely(design):
    model = make(design)
    every = torch.tensor(list(itertools.product(range(3), repeat=3)))
    x, _ = model.sample(20_000, 3, seeded())
    frequency = torch.bincount((x * torch.tensor([9, 3, 1])).sum(1), minlength=27) / 20_000
    assert (frequency - model.log_prob(every).exp()).abs().max() < 5 * math.sqrt(0.25 / 20_000)
    cold, _ = model.sample(100, 3, seeded(), temperature=0.01)
    assert len(torch.unique(cold, dim=0)) <= 2


def test_the_lstm_is_its_equations():
    model, x = CharLSTM(3, 4, generator=seeded()), torch.tensor([[0, 2, 1, 1]])
    W, U, b, d = (getattr(model.lstm, f"{name}_l0") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    h = c = torch.zeros(4)
    for symbol, state in zip(x[0], model.states(x)[0], strict=True):
        i, f, g, o = (W[:, symbol] + U @ h + b + d).chunk(4)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        torch.testing.assert_close(state, h)


@pytest.mark.parametrize("design", DESIGNS)
def test_all_randomness_comes_from_the_generator_passed(design):
    before = torch.get_rng_state()
    one, same = DESIGNS[design](3, seeded()), DESIGNS[design](3, seeded())
    assert torch.equal(one.sample(2, 9, seeded())[0], same.sample(2, 9, seeded())[0])
    assert torch.equal(torch.get_rng_state(), before)


def test_a_classifier_learns_what_the_sequences_differ_in():
    generator = seeded()
    x = torch.randint(3, (400, 12), generator=generator)
    y = ((x[:, 1:] == 2) & (x[:, :-1] == 1)).any(1).long()  # does '12' occur?
    model = SequenceClassifier(CharLSTM(3, 16, generator=generator), 2, generator)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(250):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    assert (model(x).argmax(1) == y).float().mean() > 0.95  # eight seeds: 0.9825 to 1; 0.77 by always saying yes


def test_what_does_not_fit_is_told():
    model = make("lstm")
    for x, message in ((torch.zeros(3, dtype=torch.int64), r"shape \[n, T\]"), (torch.zeros(1, 2), "whole numbers"),
                       (torch.tensor([[0, 3]]), "from 0 to 2")):
        with pytest.raises(ValueError, match=message):
            model.log_prob(x)
    with pytest.raises(ValueError, match="temperature"):
        model.sample(1, 2, seeded(), temperature=0.0)
    with pytest.raises(ValueError, match="prefix of 3 does not fit into 2"):
        model.sample(1, 2, seeded(), prefix=torch.zeros(3, dtype=torch.int64))


def test_the_nucleus_is_the_smallest_set_that_holds_enough():
    """Against all sets of symbols: of those that hold top_p the smallest, and of these the one that holds most."""
    p = torch.randn(20, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64).softmax(1)
    sets = [list(s) for size in range(1, 6) for s in itertools.combinations(range(5), size)]
    for top_p in (0.1, 0.5, 0.9, 1.0):
        for row, cut in zip(p, nucleus(p, top_p), strict=True):
            enough = [s for s in sets if row[s].sum() >= top_p - 1e-12]
            best = max((s for s in enough if len(s) == len(enough[0])), key=lambda s: row[s].sum())
            assert torch.allclose(cut[best], row[best] / row[best].sum()) and cut.sum().sub(1).abs() < 1e-12
    for top_p in (0.0, 1.1, float("nan")):
        with pytest.raises(ValueError, match="top_p"):
            nucleus(p, top_p)


def test_what_is_drawn_with_top_p_lies_in_the_nucleus():
    model = CharLSTM(6, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        model.last.weight.mul_(8)
        x, log_p = model.sample(200, 5, torch.Generator().manual_seed(2), top_p=0.6)
        p = model(x).double().softmax(2)
    allowed = nucleus(p.flatten(0, 1), 0.6 + 1e-6).view_as(p) > 0  # float32 logits: at the border both are right
    assert allowed.gather(2, x[:, :, None]).all() and not allowed.all()
    assert torch.allclose(log_p, model.log_prob(x).double(), atol=1e-4)
    same = model.sample(3, 5, torch.Generator().manual_seed(2))[0], model.sample(3, 5, torch.Generator().manual_seed(2),
                                                                                 top_p=1.0)[0]
    assert torch.equal(*same)
