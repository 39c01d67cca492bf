"""Whatever a model is asked about, it answers with the right number or refuses it in a sentence; NaN gets no class."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from odd_inputs import NO_NUMBERS, QUICK, TORCH_TYPES, answer, as_double, assert_same, refused
from torch import Tensor

import course_lib.models
from course_lib.models import gmm_em
from course_lib.models.circle import Circle
from course_lib.models.classifier import Classifier
from course_lib.models.crf import CRF
from course_lib.models.dbm import DBM
from course_lib.models.flows import AffineCoupling, Flow
from course_lib.models.gmm import GaussianMixture
from course_lib.models.gmm_missing import fit_missing
from course_lib.models.gmm_subspace import Subspace
from course_lib.models.gsn import MixtureDenoiser, PixelDenoiser
from course_lib.models.hmm import BernoulliHMM, CategoricalHMM, forward
from course_lib.models.ica import fast_ica
from course_lib.models.latent import attribute_vector, class_centroids, linear_path, spherical_path
from course_lib.models.latent1d import Latent1D
from course_lib.models.logistic import SoftmaxRegression
from course_lib.models.made import MADE
from course_lib.models.naive_bayes import BernoulliNB, GaussianNB
from course_lib.models.noised import NoisedMixture
from course_lib.models.ppca import PPCA
from course_lib.models.rbm import RBM, ais, log_mean_exp
from course_lib.models.sequences import CharLSTM

Y = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2])
TAGS = torch.tensor([[0, 1, 2, 1], [2, 0, 1, 2], [1, 1, 0, 2]])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def real(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def bits(*shape: int, seed: int = 0) -> Tensor:
    return (torch.rand(*shape, generator=seeded(seed)) < 0.5).double()


REAL, BITS, SENTENCES = real(12, 3), bits(12, 3), bits(3, 4, 2)
MIXTURE = GaussianMixture(torch.tensor([0.4, 0.6]), real(2, 3), torch.eye(3).expand(2, 3, 3))


@cache
def models() -> dict[str, Any]:
    bernoulli_hmm = BernoulliHMM.fit(SENTENCES, TAGS, K=3)
    return {
        "gauss": GaussianNB().fit(REAL, Y), "bernoulli": BernoulliNB().fit(BITS, Y),
        "softmax": SoftmaxRegression(l2=0.1).fit(REAL, Y), "ppca": PPCA.fit(REAL, 1), "hmm": bernoulli_hmm,
        "words": CategoricalHMM.fit(TAGS, TAGS, K=3, V=3), "crf": CRF.fit(SENTENCES, TAGS, K=3),
        "rbm": RBM(3, 2, seeded()).double(), "dbm": DBM(3, 2, 2, seeded()).double(),
        "flow": Flow([AffineCoupling(3, 8, False, seeded())], D=3).double(), "space": Subspace.of(REAL, 2),
        "ica": fast_ica(REAL, seeded()), "mixture denoiser": MixtureDenoiser(2, 0.5, seeded()).double(),
        "noised": NoisedMixture(real(4, 3), 0.3),
        "pixel denoiser": PixelDenoiser(3, 8, 0.5, seeded()).double(), "judge": Classifier(generator=seeded()),
    }


def parts_of(fitted: Any, *names: str) -> tuple[Tensor, ...]:
    return tuple(getattr(fitted, name) for name in names)


# What is called, and an x that it takes. Everything else stays as it is.
REALS: dict[str, tuple[Callable[[Tensor], Any], Tensor]] = {
    "GaussianNB.fit": (lambda x: parts_of(GaussianNB().fit(x, Y[:len(x)]), "mu", "var"), REAL),
    "GaussianNB.log_joint": (lambda x: models()["gauss"].log_joint(x), REAL),
    "GaussianNB.log_prob": (lambda x: models()["gauss"].log_prob(x), REAL),
    "GaussianNB.log_prob, observed": (lambda x: models()["gauss"].log_prob(x, torch.ones(3)), REAL),
    "GaussianNB.log_posterior": (lambda x: models()["gauss"].log_posterior(x), REAL),
    "GaussianNB.predict": (lambda x: models()["gauss"].predict(x), REAL),
    "GaussianNB.inpaint": (lambda x: models()["gauss"].inpaint(x, torch.ones(3)), REAL),
    "SoftmaxRegression.fit": (lambda x: parts_of(SoftmaxRegression(0.1).fit(x, Y[:len(x)]), "W", "b"), REAL),
    "SoftmaxRegression.log_posterior": (lambda x: models()["softmax"].log_posterior(x), REAL),
    "SoftmaxRegression.predict": (lambda x: models()["softmax"].predict(x), REAL),
    "GaussianMixture.log_joint": (MIXTURE.log_joint, REAL),
    "GaussianMixture.log_prob": (MIXTURE.log_prob, REAL),
    "GaussianMixture.log_prob, observed": (lambda x: MIXTURE.log_prob(x, torch.ones(3)), REAL),
    "GaussianMixture.log_posterior": (MIXTURE.log_posterior, REAL),
    "GaussianMixture.inpaint": (lambda x: MIXTURE.inpaint(x, torch.ones(3)), REAL),
    "gmm_em.m_step": (lambda x: parts_of(gmm_em.m_step(x, torch.full((len(x), 2), 0.5), reg=0.1), "mu", "cov"), REAL),
    "gmm_em.start": (lambda x: parts_of(gmm_em.start(x, 2, seeded(), "random points"), "mu", "cov"), REAL),
    "gmm_em.fit": (lambda x: parts_of(gmm_em.fit(x, MIXTURE, 2, reg=0.1)[0], "mu", "cov"), REAL),
    "gmm_em.bic": (lambda x: gmm_em.bic(MIXTURE, x), REAL),
    "gmm_missing.fit_missing": (
        lambda x: parts_of(fit_missing(x, torch.ones(len(x), 3), MIXTURE, 2, reg=0.1)[0], "mu", "cov"), REAL),
    "Subspace.of": (lambda x: Subspace.of(x, 2).mean, REAL),
    "Subspace.project": (lambda x: models()["space"].project(x), REAL),
    "PPCA.fit": (lambda x: parts_of(PPCA.fit(x, 1), "C", "mu", "sigma2"), REAL),
    "PPCA.log_prob": (lambda x: models()["ppca"].log_prob(x), REAL),
    "PPCA.posterior": (lambda x: models()["ppca"].posterior(x)[0], REAL),
    "PPCA.elbo": (lambda x: models()["ppca"].elbo(x, torch.zeros(len(x), 1).double(), torch.eye(1).double()), REAL),
    "ICA.sources": (lambda x: models()["ica"].sources(x), REAL),
    "fast_ica": (lambda x: fast_ica(x, seeded()).mean, REAL),
    "Flow.log_prob": (lambda x: models()["flow"].log_prob(x), REAL),
    "Circle.log_prob": (Circle().log_prob, REAL[:, :2]),
    "Circle.elbo": (lambda x: Circle().elbo(x, torch.zeros(len(x)).double(), torch.ones(len(x)).double()),
                    REAL[:, :2]),
    "MixtureDenoiser.log_prob": (lambda x: models()["mixture denoiser"].log_prob(x, torch.zeros(len(x), 1).double()),
                                 REAL[:, :1]),
    **{f"NoisedMixture.{name}": (lambda x, name=name: getattr(models()["noised"], name)(x, 0.8, 0.6), REAL)
       for name in ("log_prob", "posterior", "score", "denoiser", "spread")},
    "hmm.forward": (lambda x: forward(REAL[0], real(3, 3), x), REAL),
    "class_centroids": (lambda x: class_centroids(x, Y[:len(x)]), REAL),
    "attribute_vector": (lambda x: attribute_vector(x, torch.arange(12.0)[:len(x)], Y[:len(x)]), REAL),
    "linear_path": (lambda x: linear_path(x, REAL[:len(x)] + 1, torch.tensor([0.0, 0.5])), REAL),
    "spherical_path": (lambda x: spherical_path(x, REAL[:len(x)] + 1, torch.tensor([0.0, 0.5])), REAL),
    "ais": (lambda x: ais(models()["rbm"], x[0] if len(x) else x, torch.tensor([0.0, 0.5, 1.0]), 4, seeded()),
            REAL[:1]),
    "log_mean_exp": (lambda x: log_mean_exp(x[:, 0]), REAL),
}
BINARY: dict[str, tuple[Callable[[Tensor], Any], Tensor]] = {
    "BernoulliNB.fit": (lambda x: BernoulliNB().fit(x, Y[:len(x)]).theta, BITS),
    "BernoulliNB.log_prob": (lambda x: models()["bernoulli"].log_prob(x), BITS),
    "BernoulliNB.log_posterior": (lambda x: models()["bernoulli"].log_posterior(x), BITS),
    "BernoulliNB.predict": (lambda x: models()["bernoulli"].predict(x), BITS),
    "RBM.log_prob": (lambda x: models()["rbm"].log_prob(x), BITS),
    "RBM.gibbs": (lambda x: models()["rbm"].gibbs(x, 2, seeded()), BITS),
    "DBM.log_prob": (lambda x: models()["dbm"].log_prob(x), BITS),
    "DBM.mean_field": (lambda x: models()["dbm"].mean_field(x), BITS),
    "DBM.bound": (lambda x: models()["dbm"].bound(x, *(torch.full((len(x), 2), 0.5),) * 2), BITS),
    "PixelDenoiser.log_prob": (lambda x: models()["pixel denoiser"].log_prob(x, BITS[:len(x)]), BITS),
    "BernoulliHMM.fit": (lambda x: parts_of(BernoulliHMM.fit(x, TAGS[:len(x)], K=3), "pi", "A", "theta"), SENTENCES),
    "BernoulliHMM.log_prob": (lambda x: models()["hmm"].log_prob(x), SENTENCES),
    "BernoulliHMM.log_posterior": (lambda x: models()["hmm"].log_posterior(x), SENTENCES),
    "BernoulliHMM.viterbi": (lambda x: models()["hmm"].viterbi(x), SENTENCES),
    "BernoulliHMM.baum_welch_step": (lambda x: models()["hmm"].baum_welch_step(x)[1], SENTENCES),
    "CRF.fit": (lambda x: parts_of(CRF.fit(x, TAGS[:len(x)], K=3), "W", "b"), SENTENCES),
    "CRF.log_prob": (lambda x: models()["crf"].log_prob(x, TAGS[:len(x)]), SENTENCES),
    "CRF.log_posterior": (lambda x: models()["crf"].log_posterior(x), SENTENCES),
    "CRF.viterbi": (lambda x: models()["crf"].viterbi(x), SENTENCES),
    "Classifier.predict": (lambda x: models()["judge"].predict(x), bits(3, 784)),
    "Classifier.log_posterior": (lambda x: models()["judge"].log_posterior(x), bits(3, 784).float()),
}
CALLS = REALS | BINARY
EVERY = pytest.mark.parametrize("name", sorted(CALLS))
NONE_AT_ALL = {"BernoulliHMM.baum_welch_step"}  # of no sentences the log-likelihood is 0, a sum of nothing


WITHOUT_A_ROW = {  # they take whole numbers, which the tests at the end give them, or are bases of what has a row
    "CategoricalHMM", "HMM", "NaiveBayes", "PixelModel", "PlainPixelCNN", "GatedPixelCNN", "RowLSTM", "RasterRNN",
    "MADE", "PatchTransformer", "SequenceTransformer", "SequenceModel", "CharLSTM", "WaveNet", "Denoiser"}


def test_every_model_that_can_be_asked_has_its_rows():
    for path in sorted(Path(course_lib.models.__file__).parent.glob("[a-z]*.py")):
        module = importlib.import_module(f"course_lib.models.{path.stem}")
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ == module.__name__ and not name.startswith("_") and name not in WITHOUT_A_ROW:
                for method in ("fit", "predict", "log_prob", "log_posterior", "viterbi"):
                    assert not hasattr(kind, method) or f"{name}.{method}" in CALLS, f"{name}.{method} needs a row here"


def asked(name: str, x: Any) -> list[np.ndarray] | str:
    return answer(CALLS[name][0], x)


def input_of(name: str) -> Tensor:
    return CALLS[name][1]


@EVERY
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_nan_and_infinity_are_refused(name, bad):
    x = input_of(name)
    for place in (0, x.numel() - 1):
        spoiled = x.flatten().clone()
        spoiled[place] = bad
        found = asked(name, spoiled.view(x.shape))
        if name == "log_mean_exp" and place:
            continue  # reads the first column
        if name == "hmm.forward" and bad < 0:  # a probability of 0
            assert not refused(found) and not any(np.isnan(part).any() for part in found)
        else:
            assert refused(found), f"{bad} at {place}: {found}"


@EVERY
@QUICK
@given(odd=st.sampled_from(TORCH_TYPES))
def test_types_of_numbers(name, odd):
    """The answer is that to the same numbers in the type that the model computes in, or there is none."""
    x = (input_of(name) * 3).round().clamp(-9, 9).abs() if name in REALS else input_of(name)
    given_ = x.to(odd)
    found, expected = asked(name, given_), asked(name, given_.to(input_of(name).dtype))
    if refused(expected):
        assert refused(found)
    elif not refused(found):
        assert_same(found, expected, 1e-3, 1e-3)


@EVERY
def test_layouts_of_memory(name):
    x = input_of(name)
    expected = asked(name, x)
    assert not refused(expected), expected
    for laid in (x.repeat_interleave(2, dim=0)[::2], x.mT.contiguous().mT, x.clone().requires_grad_()):
        found = asked(name, laid)
        assert not refused(found), found
        assert_same(found, expected, 1e-6, 1e-9)


@EVERY
@pytest.mark.parametrize("kind", sorted(NO_NUMBERS))
def test_what_is_no_tensor_of_numbers_is_refused(name, kind):
    assert refused(answer(lambda: CALLS[name][0](NO_NUMBERS[kind](input_of(name).numpy()))))


@EVERY
@pytest.mark.parametrize("n", [0, 1])
def test_no_examples_and_one(name, n):
    found = asked(name, input_of(name)[:n])
    if not refused(found):
        assert all(np.isfinite(part).all() for part in found), found
        assert n == 1 or name in NONE_AT_ALL or all(part.size == 0 for part in found), found


@pytest.mark.parametrize("name", sorted(REALS))
@pytest.mark.parametrize("scale", [1e160, 1e300])
def test_numbers_of_a_diverged_model(name, scale):
    found = asked(name, input_of(name) * scale)
    if not refused(found):
        assert all(np.isfinite(part).all() for part in found), found


def centred(model: Any, offset: float) -> list[np.ndarray]:
    spread = [model.var] if isinstance(model, GaussianNB) else [model.C] if isinstance(model, PPCA) else [model.cov]
    mean = model.mu.double() - offset
    return [as_double(part) for part in (mean, *spread)]


@QUICK
@given(offset=st.sampled_from([1e3, 1e6, 1e8, -1e8]), single=st.booleans(), seed=st.integers(0, 1000))
def test_far_from_the_origin(offset, single, seed):
    """Covariances are those of the points less the offset, or the numbers are refused as too coarse."""
    kind = torch.float32 if single else torch.float64
    far = (real(60, 3, seed=seed) * torch.tensor([1.0, 2.0, 3.0]) + offset).to(kind)
    near, y = far.double() - offset, torch.arange(60) % 2
    responsibilities = torch.full((60, 1), 1.0)
    for fit in (lambda x: GaussianNB().fit(x, y), lambda x: PPCA.fit(x, 1),
                lambda x: gmm_em.m_step(x, responsibilities),
                lambda x: fit_missing(x, torch.ones(60, 3), gmm_em.m_step(x, responsibilities), 1)[0],
                lambda x: gmm_em.start(x, 1, seeded(), "random points")):
        found = answer(lambda fit=fit: tuple(torch.tensor(part) for part in centred(fit(far), offset)))
        if refused(found):
            assert single and abs(offset) >= 1e6, found
        else:
            assert_same(found[1:], centred(fit(near), 0.0)[1:], 1e-3 if single else 1e-5, 1e-5)


@pytest.mark.parametrize("words", [torch.tensor([[0, 1, 1]]), torch.tensor([[1, 0, 1]])])
def test_bytes_as_indices_are_no_masks(words):
    model = models()["words"]
    assert_same(answer(model.log_prob, words.to(torch.uint8)), answer(model.log_prob, words), 1e-12)
    crf, x = models()["crf"], SENTENCES[:1, :3]
    assert_same(answer(crf.log_prob, x, words.to(torch.uint8)), answer(crf.log_prob, x, words), 1e-12)


def test_labels_are_whole_numbers():
    for labels in (Y.double(), Y * torch.nan, Y + 0.5):
        for fit in (GaussianNB().fit, SoftmaxRegression().fit):
            assert refused(answer(fit, REAL, labels))
        assert refused(answer(class_centroids, REAL, labels))


def test_what_is_impossible_in_every_class_gets_none():
    nb = BernoulliNB(alpha=0.0).fit(torch.tensor([[0.0, 1], [0, 0], [0, 1], [0, 0]]), torch.tensor([0, 0, 1, 1]))
    x = torch.tensor([[1.0, 1.0]])
    assert nb.log_prob(x).item() == -torch.inf
    for ask in (nb.predict, nb.log_posterior):
        with pytest.raises(ValueError, match="impossible"):
            ask(x)


def test_a_network_whose_weights_are_nan_draws_and_decides_nothing():
    made, letters = MADE((2, 2), (4,), seeded()), CharLSTM(3, 4, generator=seeded())
    judge = Classifier(generator=seeded())
    rbm, coder = RBM(3, 2, seeded()), PixelDenoiser(3, 8, 0.5, seeded())
    flow = Flow([AffineCoupling(2, 8, False, seeded())])
    for network in (made, letters, judge, rbm, coder, flow):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.fill_(torch.nan)
    whole = torch.zeros(1, 2, 2, dtype=torch.int64)
    for call in (lambda: made.log_prob(whole), lambda: made.sample(1, seeded()), lambda: letters.log_prob(whole[0]),
                 lambda: letters.sample(1, 3, seeded()), lambda: judge.predict(torch.zeros(1, 784)),
                 lambda: rbm.gibbs(torch.zeros(1, 3), 1, seeded()), lambda: rbm.log_prob(torch.zeros(1, 3)),
                 lambda: coder.draw(torch.zeros(1, 3), seeded()), lambda: flow.log_prob(torch.zeros(1, 2))):
        assert refused(answer(call))


def test_pixels_that_are_given_are_whole():
    made = MADE((2, 2), (4,), seeded())
    seen = torch.tensor([[True, True], [False, False]])
    half = torch.full((1, 2, 2), torch.nan)
    half[0, 0] = torch.tensor([1.0, 0.0])
    assert not refused(answer(made.inpaint, half, seen, seeded()))    # what is hidden does not matter
    half[0, 0, 1] = 0.5
    assert refused(answer(made.inpaint, half, seen, seeded()))
    assert refused(answer(made.inpaint, half.long() * 0, torch.full((2, 2), 2), seeded()))


def test_the_parabola_of_notebook_03():
    model = Latent1D()
    for x in (float("nan"), float("inf"), 1e200, None, "many"):
        for call in (lambda x: model.log_evidence(x), lambda x: model.gaussian_elbo(0.0, 1.0, x),
                     lambda x: model.log_likelihood(x, 0.0), lambda x: model.posterior(x)):
            assert refused(answer(call, x)), x
