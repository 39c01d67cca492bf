# %% [markdown]
# # 11e · Discrete codes: a picture in sixteen symbols
#
# Text is made of symbols, and a transformer can learn which go with which (notebook 07d). **Can a picture be a few
# symbols, too, of an alphabet that a network invents?** And what do the symbols cost, in nats?
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | quantize vectors and train through the step, say what each term of a VQ-VAE's loss moves, see a codebook collapse and mend it, and count what a code of two parts costs beside the exact log p(x) |
# | You need | the bound and the VAE (notebooks 03 and 04), transformers (notebook 07d), Fréchet distance (notebook 06b) |
# | Time | 60 seconds to run · seed 0 |

# %%
import math
import time

import numpy as np
import torch
from torch.nn import functional as F

from course_lib.data import load_mnist
from course_lib.data.digits8 import load_digits8
from course_lib.experiments.flow_matching import FlowMatchingExperiment, FlowMatchingHyperparameters
from course_lib.experiments.vq_vae import VQVAEExperiment, VQVAEHyperparameters, codes_of, pictures_of
from course_lib.experiments.vq_vae_prior import drawn_images, two_part_code
from course_lib.live import Bars, Curve, ImageGrid, LiveLab
from course_lib.measure import frechet_distance
from course_lib.models.flow_matching import PATH, LabelledMLP, draw, even_times, flow_matching_loss, in_turn, sample
from course_lib.models.transformer import SequenceTransformer
from course_lib.models.vq_vae import Codebook, FiniteScalar, code_perplexity, nearest, small_vqvae, straight_through
from course_lib.plots import images, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal
from course_lib.training import load_pretrained, run
from course_lib.training.checkpoints import read
from course_lib.training.image_scores import features_and_probabilities, reference_features
from course_lib.training.step import minimize

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"] cited="65,536"
# **For the teacher.** Ninety minutes with the exercises. Let the class invent an alphabet first: eight stamps of 7x7
# pixels, a digit laid with them; then ask what a code of such stamps costs if all are equally likely, and if not. The
# straight-through estimator is a lie that works: ask for a case where it would not.
#
# - **Prepare.** Squared paper: each student draws one stamp of the alphabet.
# - **Vector quantization.** On the board: stairs, their slope 0, and the straight line that straight-through takes
#   instead.
# - **11e.slope.** “another number”: it is called a lie. For steps as wide as the stairs, on a parabola?
# - **11e.collapse.** most of the sixty-four. An entry that is never chosen never moves.
# - **11e.place.** a little more than the transformer's. What do neighbours know of each other?
# - **Exact: all 65,536 codes.** Ask which of the two parts a finer alphabet makes cheaper, and which dearer.

# %% [markdown] cited="128 2017"
# ## Sixteen symbols of 128
# A trained **VQ-VAE** (vector-quantized variational autoencoder, van den Oord and others, 2017) reads a digit of
# 28x28 black and white pixels, and writes 4 by 4 symbols. The middle row shows them as greys, which mean nothing; near
# greys may be different symbols. The lower row is made of the symbols alone.

# %%
vqvae, card = load_pretrained("vq_vae")
entries = vqvae.quantizer.entries                                          # [128, 8]
test = load_mnist("test")[:2000].binarized(seeded(1))                      # [2000, 28, 28] of 0 and 1
codes = vqvae.codes(test[:10])
symbols = (codes / 127).view(10, 4, 4).repeat_interleave(7, 1).repeat_interleave(7, 2)
show(images(torch.cat([test[:10], symbols, vqvae.images(codes)]), columns=10,
            row_labels=["digit", "symbols", "rebuilt"], title="Digits, their sixteen symbols, and what these say"),
     alt="Three rows of ten: binarized digits, grids of four by four greys, and the digits rebuilt, a little smoother")
print("the 7:", *codes[0].tolist())
claim("Sixteen symbols of 128, all equally likely: nats", 16 * math.log(128), near=77.6, within=0.05, exact=True)

# %% [markdown]
# ## Vector quantization
# The encoder gives a vector $z_t$ of length $D$ for each of $T$ places. A **codebook** holds $K$ vectors $e_1, \dots,
# e_K$ of the same length, its entries. **Vector quantization** puts in the place of each $z_t$ the nearest entry:
#
# $$c_t = \arg\min_k \| z_t - e_k \|^2 , \qquad \hat z_t = e_{c_t} .$$
#
# The numbers $c_t$ are the code. The decoder sees $\hat z$, and says $p(x \mid c)$: for each pixel a probability of ink,
# pixels independent given $c$.

# %%
def ours(z, e):
    """The number of the entry of e [K, D] that is nearest to each vector of z [n, D]."""
    return (z.square().sum(dim=1, keepdim=True) - 2 * z @ e.T + e.square().sum(dim=1)).argmin(dim=1)

z, e = (torch.randn(n, 3, generator=seeded(n), dtype=torch.float64) for n in (1000, 20))
claim("Ours and the library's: vectors with another entry, of 1,000", (ours(z, e) != nearest(z, e)).sum(), near=0,
      within=0.1, exact=True)

# %% [markdown] cited="2013"
# ### A step has no slope
# Move $z$ a little: the nearest entry stays the same, but for jumps at the borders. So the gradient of whatever comes
# after is 0, almost everywhere, and the encoder learns nothing. The **straight-through estimator** (Bengio and
# others, 2013) goes forward as it must, and goes back as if nothing had been quantized:
#
# $$\hat z = z + \mathrm{sg}[e_c - z] ,$$
#
# where $\mathrm{sg}[\cdot]$ stops the gradient: a constant. Is that slope a lie? For tiny steps it is wrong: the truth
# is 0. For steps as wide as entries are apart it is nearly right. Take entries in a row, $\Delta$ apart, and let $f$ be
# what comes after. Compare with narrow differences and a wide one: $[f(\hat z + \Delta) - f(\hat z - \Delta)] /
# 2\Delta$.

# %%
predict("11e.slope", "f(ẑ) is a parabola of the quantized number. What is straight-through's slope, beside the "
        "difference [f at the entry above less f at the entry below] / 2Δ?",
        options=["another number", "the same number", "0, both"])

# %%
spacing = 0.25
row = torch.arange(-6, 6 + spacing, spacing, dtype=torch.float64)[:, None]
z = 4 * torch.rand(1000, 1, generator=seeded(), dtype=torch.float64) - 2

def slopes(f, h):
    """Difference of f(ẑ) at z ± h, and straight-through's slope, both [n]."""
    difference = (f(row[nearest(z + h, row)]) - f(row[nearest(z - h, row)])) / (2 * h)
    leaf = z.clone().requires_grad_()
    (slope,) = torch.autograd.grad(f(straight_through(leaf, row[nearest(leaf, row)])).sum(), leaf)
    return difference[:, 0], slope[:, 0]

def parabola(u):
    return 1.5 * u**2 - u

narrow, _ = slopes(parabola, 1e-9)
wide, through = slopes(parabola, spacing)
wide_sine, through_sine = slopes(torch.sin, spacing)
reveal("11e.slope", (wide - through).abs().max(), pick=lambda d: "the same number" if d < 1e-9 else "another number")
with claim_table():
    claim("Narrow differences: the largest of 1,000", narrow.abs().max(), near=0, within=1e-12, exact=True)
    claim("Parabola: wide difference less straight-through, the largest", (wide - through).abs().max(), below=1e-10,
          exact=True)
    claim("Sine: the same, over Δ²/6, which bounds it by Taylor's series",
          (wide_sine - through_sine).abs().max() / (spacing**2 / 6), below=1, exact=True)

# %% [markdown] cited="2017 0.25 0.99"
# (A *stochastic* encoder can be trained through soft draws instead, by the Gumbel-softmax of Jang and others:
# notebook 03b.)
#
# ## Who learns from what
# The copied gradient goes past the entries. They need a term of their own, and the encoder one that keeps it near (van den Oord and others, 2017, equation 3):
#
# $$-\log p(x \mid c) + \sum_t \big\| \mathrm{sg}[z_t] - e_{c_t} \big\|^2 + \beta \sum_t \big\| z_t -
# \mathrm{sg}[e_{c_t}] \big\|^2 .$$
#
# The second term is the **codebook loss**: entries move towards the vectors that chose them. The third is the
# **commitment loss**, with a weight $\beta$ (here 0.25): vectors move towards their entry. But for $\beta$ both have the
# same value; what differs is who moves.
#
# For fixed choices the codebook loss is least at the mean of the vectors that chose an entry, as in k-means (notebook
# 02). So one can leave it out, and keep moving averages of how many choose an entry, $N_k$, and of their sum, $m_k$,
# with a memory $\gamma$ (here 0.99). Start with $N_k = 1$, $m_k = e_k$; with $n_k$ choices in a batch,
#
# $$N_k \leftarrow \gamma N_k + (1 - \gamma)\, n_k , \qquad m_k \leftarrow \gamma\, m_k + (1 - \gamma)
# \!\! \sum_{t :\, c_t = k} \!\! z_t , \qquad e_k = m_k / N_k .$$

# %%
book = Codebook(20, 3, True, generator=seeded()).double()
z = torch.randn(500, 1, 3, generator=seeded(2), dtype=torch.float64)
c = book(z).codes
book.follow(z, c, 0.0, False, seeded())                                   # γ = 0: only this batch
leaf = book.entries.clone().requires_grad_()
(slope,) = torch.autograd.grad((z - leaf[c]).square().sum(), leaf)
claim("Averages without memory: the slope of the codebook loss there, largest", slope.abs().max(), below=1e-9,
      exact=True)

# %% [markdown] cited="2024"
# ### A rival without a codebook
# **Finite scalar quantization** (Mentzer and others, 2024) needs neither term. Squash each number of a short vector
# into a range, round it to one of $L$ levels, and go straight through the rounding. With $D$ numbers there are $L^D$
# codes; no entry is learned, and none can move or die.

# %%
def finite(z, L):
    """Numbers of z, each brought to the nearest of L even levels from −1 to 1; the gradient goes through."""
    squashed = (L - 1) * torch.sigmoid(z)
    return 2 * straight_through(squashed, squashed.round()) / (L - 1) - 1

z = 3 * torch.randn(500, 4, 3, generator=seeded())
with claim_table():
    claim("Ours less the library's, largest", (finite(z, 4) - FiniteScalar([4] * 3)(z).z_q).abs().max(), below=1e-6,
          exact=True)
    claim("Three numbers of four levels: different vectors", len(finite(z, 4).flatten(0, 1).unique(dim=0)), near=64,
          within=0.5)

# %% [markdown] cited="64 3% 0.3"
# ## Failure lab: the codebook collapses
# An entry that no vector chooses gets no gradient, and no average moves it: with $n_k = 0$, $N_k$ and $m_k$ shrink by
# the same factor. It stays where it is, far from all vectors, while the few that are used get better. That is **codebook collapse**. It is seen in the **perplexity** of
# the use, $e$ to the entropy of the entries' shares: as many entries as would have that entropy if all were used
# alike. (Notebook 07b has it for characters.)
#
# A cure: restart an entry at some vector of the batch when it is chosen less than 3% as often as if all were used
# alike. To see it many times, the images are small, 8x8 pixels, with 2 by 2 codes of 64 entries, and networks of one
# hidden layer. First entries are drawn from a standard Gaussian, and multiplied by 1 or by 0.3.

# %%
digits = load_digits8()

def learned(quantizer, size, seed, restarts=False, steps=400):
    """A small VQ-VAE that has learned the digits of 8x8 pixels with this quantizer; vectors have this size."""
    rng = seeded(seed)
    model = small_vqvae(quantizer, size, generator=rng)

    def loss():
        x = digits.train[torch.randint(len(digits.train), (64,), generator=rng)].float()
        distortion, q, z = model(x)
        if quantizer.averages:
            quantizer.follow(z, q.codes, 0.99, restarts, rng)
        return (distortion + q.codebook_loss + 0.25 * q.commitment).mean()

    minimize(model, loss, steps, 5e-3)
    return model.requires_grad_(False)

def judged(model):
    """Perplexity of the use of entries, and distortion in nats, on 360 test digits."""
    distortion, q, _ = model(digits.test.float())
    return code_perplexity(q.codes, model.quantizer.n_entries).item(), distortion.mean().item()

def book_of(K, averages, seed, scale=1.0):
    book = Codebook(K, 8, averages, generator=seeded(100 + seed))
    book.entries.data.mul_(scale)
    return book

# %%
predict("11e.collapse", "Sixty-four entries that learn by the gradient, first entries from a standard Gaussian. How "
        "many are in use in the end, by perplexity?", low=1, high=64)

# %%
SEEDS = range(5)
ways = {f"{kind}, first entries × {s}": lambda seed, kind=kind, s=s: learned(book_of(64, kind == "averages", seed, s),
                                                                             8, seed)
        for kind in ("gradient", "averages") for s in (1, 0.3)}
ways |= {"averages and restarts": lambda seed: learned(book_of(64, True, seed), 8, seed, restarts=True)}
ways |= {f"finite scalars, {' x '.join(map(str, L))}": lambda seed, L=L: learned(FiniteScalar(L), len(L), seed)
         for L in ((4, 4, 4), (2,) * 6)}
results = {name: np.array([judged(way(seed)) for seed in SEEDS]).T for name, way in ways.items()}
print(f"{'':33} perplexity, by seed                distortion, by seed")
for name, (use, distortion) in results.items():
    print(f"{name:30}" + "".join(f"{u:7.1f}" for u in use) + "  " + "".join(f"{d:7.2f}" for d in distortion))
reveal("11e.collapse", results["gradient, first entries × 1"][0].mean())

# %%
revived = results["averages and restarts"]
better = {kind: min((results[f"{kind}, first entries × {s}"] for s in (1, 0.3)), key=lambda r: r[1].mean())
          for kind in ("gradient", "averages")}
large, little = (results[f"gradient, first entries × {s}"] for s in (1, 0.3))
with claim_table():
    for kind, limit in (("averages", 15), ("gradient", 15)):
        claim(f"Perplexity: restarts less {kind} from the same entries, by seed",
              revived[0] - results[f"{kind}, first entries × 1"][0], above=limit)
    claim("Distortion: averages less restarts, same entries, by seed",
          results["averages, first entries × 1"][1] - revived[1], above=0)
    claim("Distortion: the better gradient less restarts, by seed", better["gradient"][1] - revived[1], above=0)
    claim("Distortion: the better averages less restarts, by seed", better["averages"][1] - revived[1], near=0.5,
          within=2)
    claim("Perplexity: gradient, small first entries less large ones", little[0] - large[0], above=10)
    claim("Distortion: the same", little[1] - large[1], near=0, within=3)
    for L in ("4 x 4 x 4", "2 x 2 x 2 x 2 x 2 x 2"):
        claim(f"Distortion: finite scalars {L} less restarts, by seed",
              results[f"finite scalars, {L}"][1] - revived[1], near=0, within=4.5)

# %% [markdown] cited="65,536"
# Small first entries lie nearer the vectors, so more of the alphabet is in use in the end. With the gradient this
# doubles the perplexity and does not lower the distortion. The rivals without a codebook are about as good as restarts.
#
# ## Exact: all 65,536 codes
# Now sixteen entries and four places: `16**4` codes, few enough to add up. A small transformer learns the **prior
# over codes**, $p(c)$, from the codes of the training digits, symbol after symbol. Then everything is known exactly:
#
# $$p(x) = \sum_c p(c)\, p(x \mid c) .$$
#
# A **two-part code** sends the code and then the pixels given the code. Its length is the **rate**, $-\log p(c)$,
# plus the **distortion**, $-\log p(x \mid c)$. It uses one term of the sum, so it is too long. By how much? With the
# posterior over codes, $p(c \mid x) = p(c)\, p(x \mid c) / p(x)$, by just
#
# $$-\log p(c) - \log p(x \mid c) + \log p(x) = -\log p(c \mid x) .$$

# %%
small = learned(Codebook(16, 8, True, generator=seeded(7)), 8, 0, restarts=True, steps=600).double()
small_prior, rng = SequenceTransformer(16, 4, 32, 2, 2, "learned", generator=seeded()), seeded(1)
code_train = small.codes(digits.train.double())
minimize(small_prior, lambda: -small_prior.log_prob(code_train[torch.randint(1437, (64,), generator=rng)]).mean(), 250,
         5e-3, weight_decay=0.1)
small_prior.double().requires_grad_(False)

every = torch.cartesian_prod(*[torch.arange(16)] * 4)                     # [65536, 4]
log_prior = torch.cat([small_prior.log_prob(part) for part in every.split(8192)])
ink = small.decoder(small.quantizer.entries[every]).flatten(1)            # logits of each code
x = digits.test[:80].double()
log_joint = torch.cat([part @ ink.T for part in x.flatten(1).split(20)])  # Σ x·logit, and next what x does not touch
log_joint += log_prior - F.softplus(ink).sum(dim=1)
log_p = log_joint.logsumexp(dim=1)

# %%
distortion, q, _ = small(x)
rate = -small_prior.log_prob(q.codes)
place = (q.codes * torch.tensor([16**3, 16**2, 16, 1])).sum(dim=1)        # where in `every` the encoder's code is
posterior = log_joint.gather(1, place[:, None])[:, 0] - log_p
shortest = -log_joint.amax(dim=1)
gap = rate + distortion + log_p
print(f"nats a digit: rate {rate.mean():.2f} + distortion {distortion.mean():.2f} = {(rate + distortion).mean():.2f}; "
      f"best code of two parts {shortest.mean():.2f}; exact -log p(x) {-log_p.mean():.2f}")
with claim_table():
    claim("The prior of all codes adds up to", log_prior.exp().sum(), near=1, within=1e-9, exact=True)
    claim("Two parts less −log p(x), less −log p(c | x): the largest of 80", (gap + posterior).abs().max(), below=1e-9,
          exact=True)
    claim("Gap of the two-part code, nats, 80 digits", gap, above=2.5)
    claim("Of it: the encoder's code instead of the shortest", rate + distortion - shortest, above=0.8)
    claim("Of it: one code, be it the shortest, instead of the sum", shortest + log_p, above=0.8)
    claim("Posterior of the shortest code, geometric mean", (-shortest - log_p).mean().exp(), near=0.13, within=0.1)
del log_joint                                                             # forty megabytes

# %% [markdown]
# The gap has two pieces. One is the encoder's fault: nearest is not shortest. The other no encoder can
# mend: many codes say nearly the same picture (the shortest alone has about an eighth of the posterior), and a code of
# two parts pays for naming one. A VAE gets this back: its bound has the entropy of its stochastic encoder.
#
# ## MNIST: the prior makes the pictures
# Back to sixteen symbols of 128. The VQ-VAE was trained without a prior. Now a transformer of notebook 07d's kind reads
# the codes of the training digits, row by row, and learns $p(c)$. To draw a picture: draw sixteen symbols, decode.

# %%
predict("11e.place", "Draw each symbol by itself, with the frequencies that it has at its place. 1,000 pictures of the "
        "transformer have a Fréchet distance of about 33. And 1,000 of these?", low=0, high=400)

# %%
prior, prior_card = load_pretrained("vq_vae_prior")
train_codes = codes_of(vqvae, load_mnist("train")[:5000].binarized(seeded(2)))

def distance(pictures):
    return frechet_distance(features_and_probabilities(pictures)[0], reference_features())

def each_alone(seed):
    picked = torch.randint(5000, (1000, 16), generator=seeded(seed))
    return pictures_of(vqvae, train_codes.gather(0, picked))              # each place from another digit

by_transformer, by_place = drawn_images(prior, vqvae, 1000, 4), each_alone(3)
of_transformer = [distance(by_transformer), *(distance(drawn_images(prior, vqvae, 1000, seed)) for seed in (5, 6))]
of_place = [distance(by_place), *(distance(each_alone(seed)) for seed in (4, 5))]
reveal("11e.place", np.mean(of_place))
show(images(torch.cat([by_transformer[:20], by_place[:10]]), columns=10,
            row_labels=["transformer", "transformer", "by place alone"],
            title="Codes drawn by the transformer, and each symbol drawn by itself"),
     alt="Three rows of ten pictures: two of digits, drawn with the transformer, and one of broken strokes")
with claim_table():
    claim("Fréchet distance, 1,000 pictures, transformer, three drawings", of_transformer, near=33, within=18)
    claim("The same, symbols by place alone", of_place, above=200)
    claim("Of 10,000 pictures, transformer, from its card", prior_card.metrics["frechet"], below=30)
    claim("Of 10,000 rebuilt test digits, from the VQ-VAE's card", card.metrics["frechet"], below=14)

# %% [markdown]
# A perfect prior would draw as the codes of real digits fall: little farther than the rebuilt digits. Most of the rest
# is
# the prior's. (The distance of few pictures is too large: compare equal numbers.)
#
# ### What it costs

# %%
rate, distortion = two_part_code(prior, vqvae, test)
bound = -read("vae_z20")[1].metrics["test_elbo"]
both = rate + distortion
print(f"2,000 test digits: rate {rate.mean():.1f} + distortion {distortion.mean():.1f} = {both.mean():.1f} ± "
      f"{both.std() / 2000**0.5:.1f} nats; by the cards, all 10,000: {prior_card.metrics['two_part']:.1f}; "
      f"the VAE's bound: {bound:.1f}")
with claim_table():
    claim("Two-part code of all 10,000 test digits, from the card, nats", prior_card.metrics["two_part"], below=103)
    claim("The same, less the bound of notebook 04's VAE", prior_card.metrics["two_part"] - bound, above=6)
    claim("Rate, nats a digit, less that of 128 equally likely symbols", rate - 16 * math.log(128), below=-20)

# %% [markdown]
# As a density it loses to the VAE, whose number is a bound, too. Why? We have seen two reasons exactly: the encoder's
# code is not the shortest, and one code is not the sum. How much of both is here? The sum over all codes has `128**16`
# terms. But a part of them gives a lower bound on $p(x)$, so on the nats that come back: the encoder's code, and all
# that differ from it at one place, by one of the sixteen nearest entries.

# %%
def neighbours(code, count=16):
    """A code [16], and those that differ from it at one place by one of the nearest entries."""
    near = torch.cdist(entries[code], entries).topk(count + 1, largest=False).indices[:, 1:]
    around = code.repeat(16, count, 1)
    around[torch.arange(16)[:, None], torch.arange(count), torch.arange(16)[:, None]] = near
    return torch.cat([code[None], around.flatten(0, 1)])

gained, shorter = [], []
for picture in test[:30]:
    some = neighbours(vqvae.codes(picture[None])[0])
    length = vqvae.distortion(picture.expand(len(some), 28, 28), entries[some]) - prior.log_prob(some)
    gained.append((length[0] + (-length).logsumexp(dim=0)).item())
    shorter.append((length[0] - length.min()).item())
grey = load_mnist("test")[:500]
changed = (vqvae.codes(grey.binarized(seeded(5))) != vqvae.codes(grey.binarized(seeded(6)))).double().mean(dim=1)
with claim_table():
    claim("Nats that come back by adding up 256 neighbours, 30 digits", gained, above=3)
    claim("Of them: by taking the shortest of them", shorter, above=1.5)
    claim("Share of symbols that change when a digit is binarized anew, 500 digits", changed, above=0.45)

# %% [markdown] cited="128 300"
# Many of these nats come from a better single code among the neighbours, the rest from adding up; the whole sum can
# only
# bring more. And the last line: half of the symbols change when the same grey digit falls out as black and white anew.
# So a symbol also tells which pixels fell black. That is no waste by itself; the waste is that other codes would have
# done for the same $x$.
#
# ## Live: an alphabet forms
# Press **Start**. The perplexity says how many entries a batch uses, at first hardly more than one; the bars are the
# shares among 300 test digits. Then:
#
# 1. *restarts* off, and **Reset**: how many entries are left alive? Switch them on while it runs.
# 2. *alphabet* 3 bits, then 9: what becomes of the distortion, and of the perplexity?
# 3. *commitment* 0, then 100. How far do the vectors go from their entries?

# %%
lab = LiveLab(
    VQVAEExperiment(VQVAEHyperparameters(width=32), seed=0),
    views=[
        Curve("distortion", title="Distortion", ylabel="nats a digit", log=True),
        Curve("perplexity", title="Entries in use in the batch", ylabel="perplexity"),
        Curve("commitment", title="Vectors from their entries", ylabel="squared distance", log=True),
        ImageGrid("rebuilt", columns=10, title="Test digits, and what their symbols say"),
        Bars("use", names=[], title="Use of each entry", xlabel="entries, sorted by use",
             ylabel="share of 300 digits' symbols"),
    ],
    knobs=["learning_rate", "restarts", "commitment", "codebook", "bits", "grid"],
    headless_steps=60,
)
lab

# %% [markdown] cited="2022"
# ## Going further
# ### Latent diffusion
# Notebook 11d let a flow run among the codes of a VAE. **Latent diffusion** (Rombach and others, 2022) can also run on
# the vectors before they are quantized: noise becomes vectors $z$, these are quantized, and the decoder makes the
# picture. Here: the sixteen vectors of eight numbers of our VQ-VAE, by an MLP; and 11c's U-Net on the
# pixels; for a few processor seconds each (printed below). Both networks are told the digit; the pictures show 0 to 9.

# %%
train = load_mnist("train")[:6000]
vectors = torch.cat([vqvae.encoder(part) for part in train.binarized(seeded(9)).split(1000)])
spread = vectors.std(dim=(0, 1))
targets = (vectors / spread).flatten(1)                                   # [6000, 128]
flow, rng = LabelledMLP(128, 384, generator=seeded()), seeded(1)

def flow_loss():
    picked = torch.randint(len(targets), (256,), generator=rng)
    z, eps, t = targets[picked], torch.randn(256, 128, generator=rng), even_times(256, rng)
    return flow_matching_loss(flow(PATH.noised(z, t, eps), t, train.labels[picked]), z, eps)

begun = time.process_time()
minimize(flow, flow_loss, 500, 2e-3)
spent = {"vectors": time.process_time() - begun}
pixels = FlowMatchingExperiment(FlowMatchingHyperparameters(total_steps=50), seed=0)
begun = time.process_time()
for _ in run(pixels, 50, progress=False):
    pass
spent["pixels"] = time.process_time() - begun

# %%
def from_vectors(n, seed):
    z = draw(flow, in_turn(n), (128,), seeded(seed), steps=5).view(n, 16, 8) * spread
    return pictures_of(vqvae, nearest(z, entries))

def from_pixels(n, seed):
    return sample(pixels.model, in_turn(n), seeded(seed), steps=5)

drawn_by, distances = {}, {}
for name, make in {"vectors": from_vectors, "pixels": from_pixels}.items():
    begun = time.process_time()
    pictures = [make(200, seed) for seed in (1, 2)]
    took = time.process_time() - begun
    distances[name], drawn_by[name] = np.array([distance(p) for p in pictures]), pictures[0][:10]
    print(f"{name}: {spent[name]:.1f} s of training, {took:.1f} s for 400 pictures; Fréchet distance of two times 200: "
          + " and ".join(f"{d:.0f}" for d in distances[name]))
full = read("flow_matching")[1].metrics["frechet"]
print(f"by the cards, 10,000 pictures: pixels, trained in full, {full:.1f}; rebuilt {card.metrics['frechet']:.1f}")
show(images(torch.cat([*drawn_by.values()]), columns=10, row_labels=["vectors (500 steps)", "pixels (50 steps)"],
            title="A few seconds of training each, digits 0 to 9, five steps of drawing"),
     alt="Two rows of ten pictures: digits from the flow among the vectors, noise from that among pixels")
with claim_table():
    claim("Fréchet distance, 200 pictures, one training each, two drawings: vectors over pixels",
          (distances["vectors"] / distances["pixels"]).mean(), below=0.5)
    claim("10,000 pictures, by the cards: the pixels' network, trained in full, less the rebuilt digits here",
          full - card.metrics["frechet"], below=-5)

# %% [markdown] cited="2019"
# Few numbers, a small network, many steps: among vectors the flow gets somewhere in seconds. But the VQ-VAE's training
# came before, and the pixels' flow, trained for long, goes below the rebuilt digits (see the last claim). For large
# pictures Razavi and others (2019) take codes on two grids, a coarse one and a
# fine one.

# %% [markdown]
# ### What a symbol means
# Take a digit's code, and put other entries in one place. What changes, and where?

# %%
digit = vqvae.codes(test[3:4])[0]
spots, others = (5, 6, 9), entries[digit].new_tensor([3, 30, 60, 90, 120]).long()
rows_of = []
for spot in spots:
    swapped = digit.repeat(6, 1)
    swapped[1:, spot] = others
    rows_of.append(vqvae.images(swapped))
show(images(torch.cat(rows_of), columns=6, row_labels=[f"row {s // 4 + 1}, column {s % 4 + 1}" for s in spots],
            labels=(["as it is"] + [f"entry {k}" for k in others.tolist()]) + [""] * 12,
            title="A zero with one of its sixteen symbols swapped"),
     alt="Three rows of six pictures of a zero. In each row one inner symbol is swapped for five others: strokes "
         "appear or vanish near its place")
base, all_places = vqvae.codes(test[:100]), torch.arange(16)
swapped = base[:, None].repeat(1, 16, 1)
swapped[:, all_places, all_places] = torch.randint(128, (100, 16), generator=seeded(8))
moved = (vqvae.images(swapped.flatten(0, 1)).view(100, 16, 28, 28) - vqvae.images(base)[:, None]).abs()
cells = F.avg_pool2d(moved.flatten(0, 1)[:, None], 7).view(100, 16, 16)   # mean change in each cell of 7x7 pixels
own = cells[:, all_places, all_places].sum(dim=1) / cells.sum(dim=(1, 2))
claim("Share of the change that lies in the swapped symbol's own cell of 7x7 pixels, 100 digits", own, above=0.25,
      below=0.5)

# %% [markdown] cited="16"
# That is more than the 1/16 of a change that is spread evenly, but most lies outside: the decoder's convolutions overlap.
# No symbol has a meaning by itself; the alphabet is a private one of this encoder and this decoder.

# %% [markdown]
# ### Straight-through at the real decoder
# Its slope is right about parabolas. How right is it about our decoder? At single places of real codes we put, in turn,
# each of the eight entries next to the nearest one. How much does $-\log p(x \mid c)$ really change,
# and what did the slope promise, slope times step?

# %%
few = test[20:60]
z_q = entries[vqvae.codes(few)].requires_grad_()
before = vqvae.distortion(few, z_q)
(g,) = torch.autograd.grad(before.sum(), z_q)
i, t = torch.arange(40), torch.arange(40) % 16                            # of each image one place
near = torch.cdist(z_q[i, t], entries).topk(9, largest=False).indices[:, 1:]
promised, found = [], []
for other in entries[near].unbind(dim=1):                                 # eight times another entry, [40, D]
    changed = z_q.detach().clone()
    changed[i, t] = other
    found.append((vqvae.distortion(few, changed) - before).detach())
    promised.append((g[i, t] * (other - z_q[i, t])).sum(dim=1).detach())
together = [np.corrcoef(a, b)[0, 1] for a, b in zip(promised, found, strict=True)]
promised, found = torch.stack(promised), torch.stack(found)               # [8, 40]
missing = found - promised
print("found less promised, nats, by neighbour:", *(f"{m:.1f}" for m in missing.mean(dim=1)))
with claim_table():
    claim("Correlation of the change and of what the slope promised, 40 places, mean over eight neighbours",
          np.mean(together), above=0.5)
    claim("Found less promised, nats, mean over eight neighbours, by place", missing.mean(dim=0), above=1)
    claim("The same, of the neighbour where it is least", missing.mean(dim=1).min(), above=0.5)
    claim("Of the jumps that were promised to help, the share that do", (found < 0)[promised < 0].double().mean(),
          below=0.55)

# %% [markdown]
# The slope correlates with the change, but is too hopeful: for each of the eight neighbours a jump costs
# more nats than promised, on average, since the loss curves; of the jumps promised to help, only some do.
#
# ## Your turn
# **1.** Vector quantization with the straight-through gradient: the value of the nearest entry, the gradient of $z$,
# none for the entries.

# %% tags=["exercise"]
def quantize(z, entries):
    """The nearest of the entries [K, D] for each vector of z [n, D]; gradients go on to z as they come."""
    ### BEGIN SOLUTION
    e = entries[torch.cdist(z, entries).argmin(dim=1)]
    return z + (e - z).detach()
    ### END SOLUTION

# %%
check("11e.quantize", quantize)

# %% [markdown]
# **2.** Codebook loss and commitment loss of each vector, so that each moves whom it should. $\beta$ weighs the
# commitment, the codebook loss has weight 1.

# %% tags=["exercise"]
def codebook_and_commitment(z, e, beta):
    """The two terms together, [n], of vectors z [n, D] and the entries e [n, D] that they chose; beta is a float."""
    ### BEGIN SOLUTION
    return (z.detach() - e).square().sum(dim=1) + beta * (z - e.detach()).square().sum(dim=1)
    ### END SOLUTION

# %%
check("11e.losses", codebook_and_commitment)

# %% [markdown]
# **3.** The perplexity of the use of entries. Some entries may not be used at all.

# %% tags=["exercise"]
def perplexity(codes, K):
    """Perplexity, 0-d, of all codes [n, T], whole numbers from 0 to K − 1."""
    ### BEGIN SOLUTION
    share = torch.bincount(codes.flatten(), minlength=K) / codes.numel()
    return torch.special.entr(share).sum().exp()
    ### END SOLUTION

# %%
check("11e.perplexity", perplexity)

# %% [markdown]
# **4.** The length of the two-part code, in nats. `prior_logits[:, t]` already belong to the symbol at place t: do not
# shift.

# %% tags=["exercise"]
def two_parts(prior_logits, codes, logits, x):
    """Nats [n]: of codes [n, T] under prior_logits [n, T, K], and of x [n, D] (0 or 1) under the decoder's logits.

    prior_logits[:, t] already belong to the symbol at place t: do not shift."""
    ### BEGIN SOLUTION
    rate = -prior_logits.log_softmax(dim=2).gather(2, codes[:, :, None])[:, :, 0].sum(dim=1)
    return rate + F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)
    ### END SOLUTION

# %%
check("11e.two_part", two_parts)

# %% [markdown]
# ## What to keep
# - Quantize forward, pass the gradient on as it is. That slope is about steps as wide as entries are apart: exact for a
#   parabola on an even grid, too hopeful at our decoder.
# - The codebook loss moves entries, the commitment moves vectors; the averages are k-means in batches.
# - Watch the perplexity and the distortion. Let unused entries begin anew, or use small first ones, or no codebook.
# - Rate plus distortion is longer than $-\log p(x)$ by exactly $-\log p(c \mid x)$.
# - The pictures come from the prior over codes: symbols drawn each by itself make no digits.
#
# **Read on:**
#
# - A. van den Oord, O. Vinyals, K. Kavukcuoglu, [*Neural Discrete Representation
#   Learning*](https://arxiv.org/abs/1711.00937), NIPS (2017).
# - Y. Bengio, N. Léonard, A. Courville, [*Estimating or Propagating Gradients Through Stochastic Neurons for
# Conditional
#   Computation*](https://arxiv.org/abs/1308.3432), arXiv (2013).
# - E. Jang, S. Gu, B. Poole, [*Categorical Reparameterization with Gumbel-Softmax*](https://arxiv.org/abs/1611.01144),
#   ICLR (2017).
# - A. Razavi, A. van den Oord, O. Vinyals, [*Generating Diverse High-Fidelity Images with
#   VQ-VAE-2*](https://arxiv.org/abs/1906.00446), NeurIPS (2019).
# - A. Łańcucki et al., [*Robust Training of Vector Quantized Bottleneck Models*](https://arxiv.org/abs/2005.08520),
#   IJCNN (2020): restarts.
# - P. Esser, R. Rombach, B. Ommer, [*Taming Transformers for High-Resolution Image
#   Synthesis*](https://arxiv.org/abs/2012.09841), CVPR (2021).
# - F. Mentzer et al., [*Finite Scalar Quantization: VQ-VAE Made Simple*](https://arxiv.org/abs/2309.15505), ICLR
# (2024).
# - R. Rombach et al., [*High-Resolution Image Synthesis with Latent Diffusion
#   Models*](https://arxiv.org/abs/2112.10752), CVPR (2022).
#
# **Next:** notebook 11f, masked diffusion: symbols that appear in any order.
