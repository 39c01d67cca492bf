"""Byte pairs: learned and encoded as Sennrich's own regular expressions do it, and back again."""

import re
from collections import Counter

import pytest
import torch

from course_lib.data.byte_pairs import BYTES, BytePairs, merged
from course_lib.data.text import load_text


def by_regular_expressions(text, n_merges):
    """The merges and the text's tokens, as strings of numbers between spaces (Sennrich et al. 2016, algorithm 1)."""
    line, merges = " ".join(map(str, text.encode())), []
    for new in range(BYTES, BYTES + n_merges):
        words = [int(word) for word in line.split()]
        counts = Counter((words[i], words[i + 1]) for i in range(len(words) - 1))
        if not counts or max(counts.values()) < 2:
            break
        most = max(counts.values())
        pair = sorted(pair for pair, count in counts.items() if count == most)[0]
        merges.append(pair)
        line = re.sub(rf"(?<!\S){pair[0]} {pair[1]}(?!\S)", str(new), line)
    return tuple(merges), [int(word) for word in line.split()]


@pytest.mark.parametrize(("text", "n"), [
    ("aaaa aaa", 3), ("abababab", 4), ("der dieb, der die bibel", 5), ("", 2), ("x", 1), ("größer, größte", 6),
    (load_text("rhymes")[:1500], 60)], ids=["runs", "nested", "words", "empty", "one byte", "umlauts", "rhymes"])
def test_as_regular_expressions_do_it(text, n):
    merges, tokens = by_regular_expressions(text, n)
    pairs = BytePairs.learn(text, n)
    assert pairs.merges == merges and pairs.encode(text).tolist() == tokens
    assert pairs.decode(pairs.encode(text)) == text


def test_another_text_comes_back_and_is_shorter():
    pairs, text = BytePairs.learn(load_text("rhymes"), 100), load_text("poems")
    x = pairs.encode(text)
    assert pairs.decode(x) == text and len(x) < 0.7 * len(text.encode()) and len(pairs) == 356
    spelled = pairs.spellings()
    assert sum(len(spelled[token]) for token in x.tolist()) == len(text.encode())


def test_of_three_alike_the_first_two_are_merged():
    assert merged([1, 1, 1, 2], (1, 1), 9) == [9, 1, 2] and merged([1, 1, 1, 1], (1, 1), 9) == [9, 9]
    assert merged([], (1, 2), 9) == [] and merged([2, 1, 2, 1], (1, 2), 9) == [2, 9, 1]


def test_without_merges_tokens_are_bytes():
    pairs = BytePairs()
    assert pairs.encode("né").tolist() == list("né".encode()) and len(pairs) == 256
    assert pairs.decode(torch.tensor([110, 195])) == "n�" and pairs.decode(torch.tensor([], dtype=torch.int64)) == ""


def test_bad_values_are_told():
    with pytest.raises(ValueError, match="n_merges must be at least 0, not -1"):
        BytePairs.learn("aa", -1)
    with pytest.raises(ValueError, match="tokens must be from 0 to 255, not from 3 to 256"):
        BytePairs().decode(torch.tensor([3, 256]))
