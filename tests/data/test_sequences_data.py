import math

import pytest
import torch

from course_lib.data import DataError
from course_lib.data.text import TEXTS, Alphabet, excerpts, load_text
from course_lib.data.waveform import NOTE_LENGTH, RATE, melody, mu_law_decode, mu_law_encode


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_survives_being_numbers(name):
    text = load_text(name)
    alphabet = Alphabet.of(text)
    x = alphabet.encode(text)
    assert len(text) > 3000 and text.isascii() and alphabet.decode(x) == text
    assert x.dtype == torch.int64 and x.max().item() == len(alphabet) - 1 and x.min() == 0
    with pytest.raises(ValueError, match="'§' does not occur"):
        alphabet.encode("a§")


def test_a_text_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ValueError, match="use rhymes or poems"):
        load_text("novels")
    with pytest.raises(DataError, match="git checkout"):
        load_text("poems", tmp_path)


def test_excerpts_are_pieces_of_the_sequence():
    pieces = excerpts(torch.arange(10), 500, 4, seeded())
    assert torch.equal(pieces - pieces[:, :1], torch.arange(4).expand(500, 4))
    assert pieces.min() == 0 and pieces.max() == 9
    with pytest.raises(ValueError, match="no piece of 11"):
        excerpts(torch.arange(10), 1, 11, seeded())


def test_a_melody_is_made_of_notes_of_its_scale():
    x = melody(40, seeded())
    assert x.shape == (40 * NOTE_LENGTH,) and x.abs().max() <= 1 and x.abs().max() > 0.3
    assert torch.equal(x, melody(40, seeded())) and not torch.equal(x, melody(40, seeded(1)))
    spectrum = torch.fft.rfft(x.view(40, -1)[:, :] * torch.hann_window(NOTE_LENGTH)).abs()
    pitch = spectrum.argmax(1) * RATE / NOTE_LENGTH
    scale = 220 * 2 ** (torch.tensor([0, 2, 4, 7, 9, 12]) / 12)
    nearest = (pitch[:, None] - scale).abs()
    assert (nearest.min(1).values <= RATE / NOTE_LENGTH).all()
    assert (nearest.argmin(1).diff().abs() <= 1).all() and len(nearest.argmin(1).unique()) > 3


@pytest.mark.parametrize("n_classes", [16, 256])
def test_the_mu_law_is_fine_around_0_and_undone_up_to_rounding(n_classes):
    x = torch.linspace(-1, 1, 4001)
    k = mu_law_encode(x, n_classes)
    assert k.min() == 0 and k.max() == n_classes - 1 and (k.diff() >= 0).all()
    assert torch.equal(mu_law_encode(mu_law_decode(k, n_classes), n_classes), k)
    error = (mu_law_decode(k, n_classes) - x).abs()
    assert error[x.abs() < 0.01].max() < error[x.abs() > 0.9].max() < 2.5 * math.log1p(n_classes - 1) / n_classes
    with pytest.raises(ValueError, match=r"reach 1\.5"):
        mu_law_encode(torch.tensor([1.5]))
