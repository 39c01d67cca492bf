"""The recursions against all paths listed, EM's monotony, samples against the parameters."""

import itertools

import pytest
import torch

from course_lib.data import TaggingWorld, TinyGrammar
from course_lib.models.hmm import BernoulliHMM, CategoricalHMM, backward, forward, posteriors, viterbi
from course_lib.models.naive_bayes import BernoulliNB

GRAMMAR = TinyGrammar()
MODEL = CategoricalHMM(GRAMMAR.pi, GRAMMAR.A, GRAMMAR.B)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def random_chain(K, T, *batch, seed=0):
    """Scores that are no probabilities: the recursions must not need any."""
    generator = seeded(seed)
    return tuple(torch.randn(*shape, generator=generator, dtype=torch.float64)
                 for shape in ((K,), (K, K), (*batch, T, K)))


def listed(log_pi, log_A, log_b):
    """Every path and the logarithm of its weight, by the definition."""
    T, K = log_b.shape
    paths = torch.tensor(list(itertools.product(range(K), repeat=T)))
    weights = [log_pi[p[0]] + sum(log_b[t, k] for t, k in enumerate(p)) + sum(log_A[i, j] for i, j in
               itertools.pairwise(p)) for p in paths.tolist()]
    return paths, torch.stack([torch.as_tensor(w) for w in weights])


@pytest.mark.parametrize(("K", "T"), [(3, 5), (2, 7), (4, 1), (1, 4), (4, 4)])
def test_forward_backward_and_viterbi_equal_all_paths(K, T):
    chain = random_chain(K, T)
    paths, log_w = listed(*chain)
    log_Z = log_w.logsumexp(0)
    share = (log_w - log_Z).exp()
    log_single, log_pair, total = posteriors(*chain)
    assert total.item() == pytest.approx(log_Z.item(), abs=1e-9)
    for t, k in itertools.product(range(T), range(K)):
        assert log_single[t, k].exp().item() == pytest.approx(share[paths[:, t] == k].sum().item(), abs=1e-9)
    for t, i, j in itertools.product(range(T - 1), range(K), range(K)):
        both = (paths[:, t] == i) & (paths[:, t + 1] == j)
        assert log_pair[t, i, j].exp().item() == pytest.approx(share[both].sum().item(), abs=1e-9)
    path, score = viterbi(*chain)
    assert path.tolist() == paths[log_w.argmax()].tolist()
    assert score.item() == pytest.approx(log_w.max().item(), abs=1e-9)
    for t in range(T):  # α sums over beginnings, β over endings
        for k in range(K):
            there = log_w[paths[:, t] == k].logsumexp(0)
            both = (forward(*chain) + backward(*chain[1:]))[t, k]
            assert both.item() == pytest.approx(there.item(), abs=1e-9)


def test_a_batch_is_its_rows():
    log_pi, log_A, log_b = random_chain(3, 6, 2, 5)
    whole = posteriors(log_pi, log_A, log_b)
    paths = viterbi(log_pi, log_A, log_b)
    for i, j in itertools.product(range(2), range(5)):
        for all_rows, row in zip((*whole, *paths), (*posteriors(log_pi, log_A, log_b[i, j]),
                                                    *viterbi(log_pi, log_A, log_b[i, j])), strict=True):
            torch.testing.assert_close(all_rows[i, j], row)


def test_probabilities_of_all_sentences_sum_to_one():
    sentences = torch.tensor(list(itertools.product(range(10), repeat=4)))
    assert MODEL.log_prob(sentences).exp().sum().item() == pytest.approx(1, abs=1e-9)


def test_an_unheard_word_is_summed_out():
    log_pi, log_A, log_b = MODEL.chain(GRAMMAR.encode("the old man the"))
    log_b = log_b.clone()
    log_b[2] = 0
    fillings = torch.stack([GRAMMAR.encode(f"the old {word} the") for word in GRAMMAR.words])
    assert forward(log_pi, log_A, log_b)[-1].logsumexp(0).item() == pytest.approx(
        MODEL.log_prob(fillings).logsumexp(0).item(), abs=1e-9)


def test_long_sequences_do_not_underflow():
    x, _ = MODEL.sample(1, 5_000, seeded())
    assert MODEL.log_prob(x).item() < -5_000
    torch.testing.assert_close(MODEL.log_posterior(x).exp().sum(dim=-1), torch.ones(1, 5_000, dtype=torch.float64))


def test_the_garden_path():
    before, after = (MODEL.log_posterior(GRAMMAR.encode(s))[2, 3].exp() for s in ("the old man", "the old man the"))
    assert before < 0.1 and after == pytest.approx(1, abs=1e-12)


def test_without_memory_it_is_a_mixture_and_one_word_is_naive_bayes():
    x, _ = MODEL.sample(50, 5, seeded())
    forgetful = CategoricalHMM(GRAMMAR.pi, GRAMMAR.pi.expand(4, 4), GRAMMAR.B)
    torch.testing.assert_close(forgetful.log_prob(x), (GRAMMAR.pi @ GRAMMAR.B)[x].log().sum(dim=1))
    x, y = TaggingWorld(0).sample(300, 1, seeded())
    hmm, nb = BernoulliHMM.fit(x, y, K=3, alpha=1.0), BernoulliNB().fit(x[:, 0], y[:, 0])
    torch.testing.assert_close(hmm.theta, nb.theta)
    torch.testing.assert_close(hmm.log_emission(x)[:, 0], nb._log_likelihood(x[:, 0], torch.ones_like(x[:1, 0])))


@pytest.mark.parametrize("model", [MODEL, BernoulliHMM(TaggingWorld(1).pi, TaggingWorld(1).A, TaggingWorld(1).theta)])
def test_samples_follow_the_parameters_and_counting_finds_them(model):
    x, y = model.sample(20_000, 5, seeded())
    sizes = {"V": 10} if isinstance(model, CategoricalHMM) else {}
    found = type(model).fit(x, y, K=len(model.pi), alpha=0.01, **sizes)
    for name in ("pi", "A", "B" if sizes else "theta"):
        torch.testing.assert_close(getattr(found, name), getattr(model, name), rtol=0, atol=0.02)
    again, _ = model.sample(20_000, 5, seeded())
    assert torch.equal(x, again)


def test_counting_is_exact_on_a_small_example():
    x, y = torch.tensor([[0, 1, 1], [2, 1, 0]]), torch.tensor([[0, 1, 1], [0, 0, 1]])
    model = CategoricalHMM.fit(x, y, K=2, alpha=1.0, V=3)
    torch.testing.assert_close(model.pi, torch.tensor([3 / 4, 1 / 4], dtype=torch.float64))
    torch.testing.assert_close(model.A, torch.tensor([[2 / 5, 3 / 5], [1 / 3, 2 / 3]], dtype=torch.float64))
    torch.testing.assert_close(model.B, torch.tensor([[2, 2, 2], [2, 3, 1]], dtype=torch.float64) / 6)


@pytest.mark.parametrize("seed", range(4))
def test_baum_welch_never_falls_and_ends_at_a_stationary_point(seed):
    x, _ = MODEL.sample(100, 6, seeded())
    generator = seeded(seed)
    model = CategoricalHMM(*(torch.rand(shape, generator=generator, dtype=torch.float64).softmax(dim=-1)
                             for shape in ((4,), (4, 4), (4, 10))))
    history = []
    for _ in range(60):
        model, log_likelihood = model.baum_welch_step(x)
        history.append(log_likelihood)
    assert torch.tensor(history, dtype=torch.float64).diff().min() > -1e-8
    assert history[-1] > history[0] + 100
    assert history[0] != pytest.approx(model.log_prob(x).sum().item())


def test_baum_welch_step_equals_listing_all_paths():
    x, _ = MODEL.sample(8, 4, seeded())
    start = CategoricalHMM(*(torch.rand(shape, generator=seeded(3), dtype=torch.float64).softmax(dim=-1)
                             for shape in ((3,), (3, 3), (3, 10))))
    pi, A, B = (torch.zeros(shape, dtype=torch.float64) for shape in ((3,), (3, 3), (3, 10)))
    for row in x:
        paths, log_w = listed(*start.chain(row))
        for path, share in zip(paths.tolist(), log_w.softmax(dim=0), strict=True):
            pi[path[0]] += share
            for i, j in itertools.pairwise(path):
                A[i, j] += share
            for k, v in zip(path, row.tolist(), strict=True):
                B[k, v] += share
    stepped, log_likelihood = start.baum_welch_step(x)
    assert log_likelihood == pytest.approx(start.log_prob(x).sum().item(), abs=1e-9)
    for found, counts in ((stepped.pi, pi), (stepped.A, A), (stepped.B, B)):
        torch.testing.assert_close(found, counts / counts.sum(dim=-1, keepdim=True))


def test_best_tags_may_be_an_impossible_path_and_viterbi_is_not():
    x = GRAMMAR.encode("the old calm boats")
    one_by_one, path = MODEL.log_posterior(x).argmax(dim=-1), MODEL.viterbi(x)
    assert GRAMMAR.A[one_by_one[:-1], one_by_one[1:]].min() == 0
    assert GRAMMAR.A[path[:-1], path[1:]].min() > 0


HALF = torch.full((2,), 0.5, dtype=torch.float64)
WORDS = CategoricalHMM(HALF, HALF.expand(2, 2), HALF.expand(2, 2))


@pytest.mark.parametrize(("act", "message"), [
    (lambda: forward(HALF, HALF.expand(2, 2), torch.zeros(4, 3)), r"T > 0, got \[2\], \[2, 2\] and \[4, 3\]"),
    (lambda: backward(HALF.expand(2, 2), torch.zeros(0, 2)), "T > 0"),
    (lambda: MODEL.log_posterior(GRAMMAR.encode("the saw")), "every path has probability zero"),
    (lambda: MODEL.viterbi(GRAMMAR.encode("the saw")), "every path has probability zero"),
    (lambda: CategoricalHMM(HALF, HALF, HALF.expand(2, 2)), r"A \[K, K\], not \[2\] and \[2\]"),
    (lambda: CategoricalHMM(HALF, 2 * HALF.expand(2, 2), HALF.expand(2, 2)), "A must hold probabilities"),
    (lambda: CategoricalHMM(HALF, HALF.expand(2, 2), HALF.expand(3, 2)), r"B must have shape \[2, V\]"),
    (lambda: BernoulliHMM(HALF, HALF.expand(2, 2), torch.ones(2, 3)), "strictly between 0 and 1"),
    (lambda: BernoulliHMM(HALF, HALF.expand(2, 2), HALF.expand(2, 2)).log_prob(torch.zeros(3, 5)), r"\[..., T, 2\]"),
    (lambda: WORDS.log_prob(torch.tensor([0, 2])), "whole numbers in 0 … 1"),
    (lambda: WORDS.log_prob(torch.tensor([0.0, 1.0])), "whole numbers"),
    (lambda: BernoulliHMM.fit(torch.zeros(2, 3, 4), torch.zeros(2, 4).long(), K=2), r"x of shape \[n, T, …\]"),
    (lambda: BernoulliHMM.fit(torch.zeros(2, 3, 4), torch.full((2, 3), 5), K=2), "tags must lie in 0 … 1"),
])
def test_bad_input_is_told(act, message):
    with pytest.raises(ValueError, match=message):
        act()
