"""The tiny grammar is one, and the worlds are what they say: copies are copies, the rest is independent."""

import pytest
import torch

from course_lib.data import TaggingWorld, TinyGrammar


def test_the_grammar_holds_probabilities_and_round_trips():
    grammar = TinyGrammar()
    for p in (grammar.pi, grammar.A, grammar.B):
        torch.testing.assert_close(p.sum(dim=-1), torch.ones(p.shape[:-1], dtype=torch.float64))
    assert grammar.A.shape == (len(grammar.tags),) * 2 and grammar.B.shape == (len(grammar.tags), len(grammar.words))
    assert grammar.decode(grammar.encode("the old man the boats")) == "the old man the boats"


@pytest.mark.parametrize(("sentence", "message"), [("the old cat", r"\['cat'\].* knows only the, her"), ("", "empty")])
def test_unknown_words_are_told(sentence, message):
    with pytest.raises(ValueError, match=message):
        TinyGrammar().encode(sentence)


@pytest.mark.parametrize("copies", [0, 3])
def test_a_world_follows_its_parameters(copies):
    world = TaggingWorld(1, copies)
    x, y = world.sample(10_000, 5, torch.Generator().manual_seed(0))
    assert x.shape == (10_000, 5, 30) and y.shape == (10_000, 5)
    for k in range(3):
        seen = world.distinct(x)[y == k]
        torch.testing.assert_close(seen.mean(dim=0), world.theta[k], rtol=0, atol=0.02)
        assert (seen.T.corrcoef() - torch.eye(30 - copies)).abs().max() < 0.05  # independent given the tag
        follows = torch.stack([(y[:, 1:][y[:, :-1] == k] == j).double().mean() for j in range(3)])
        torch.testing.assert_close(follows, world.A[k], rtol=0, atol=0.02)
    for j in range(30 - copies, 30):
        assert torch.equal(x[..., j], x[..., 0])


def test_worlds_differ_by_seed_and_repeat_for_a_seed():
    assert not torch.equal(TaggingWorld(0).theta, TaggingWorld(1).theta)
    assert torch.equal(TaggingWorld(0).theta[:, :27], TaggingWorld(0, copies=3).theta)
    with pytest.raises(ValueError, match="copies must lie in 0 … 29, not 30"):
        TaggingWorld(0, copies=30)
