# %% [markdown]
# # 04 · The variational autoencoder: a code you can draw from
#
# An **autoencoder** squeezes a picture into a few numbers, the code, and rebuilds it: an **encoder** gives the code, a
# **decoder** the picture. So draw a code, decode it, and you have a new picture?
# **Why does that fail, and what must be added so that it works?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | build a variational autoencoder in forty lines, read its bound, and tell a collapsed one |
# | You need | mixtures (notebook 02), the ELBO (notebook 03), reparametrisation (notebook 03b), PyTorch modules |
# | Time | 60 seconds to run · seed 0 |

# %%
import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus

from course_lib.chapters.nb04.plots import digit_maps, manifold, rate_distortion
from course_lib.comparisons import digits8, vae_seeds
from course_lib.comparisons.vae_pictures import recorded
from course_lib.data import load_mnist
from course_lib.experiments.vae import VAEExperiment, VAEHyperparameters, elbo_of, held_out_images, iw_bound_of
from course_lib.live import Bars, Curve, ImageGrid, LiveLab, Scatter, explore
from course_lib.measure import gaussian_rate_distortion, nearest_neighbours
from course_lib.models.gmm_em import fit, start
from course_lib.models.gmm_subspace import Subspace
from course_lib.plots import bars, curves, images, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal
from course_lib.training import load_pretrained, run

torch.set_num_threads(1)  # two threads on a shared machine are slower than one

# %% [markdown] tags=["teacher"]
# **For the teacher.** Two hours with the exercises; the lab alone can fill twenty minutes. Turn β to 0 and to the far
# right while it trains, and let the class say what they expect first. The mean over pixels is the mistake that students
# will make at home: do not leave it out. Two results surprise most of us: a plain autoencoder and a mixture draw better
# than the VAE; and who completes better depends on how long you let pseudo-Gibbs sampling run.
#
# - **Prepare.** Start the lab before the lesson; it trains while you talk.
# - **04.holes.** a small number: the codes look like one cloud. Ask what lies between two digits' clouds.
# - **04.noise.** “it fills the space between codes”, which is what we want. What in the loss rewards it?
# - **The variational autoencoder.** On the board: both terms, where the draw enters, and that the first is a sum over
#   pixels.
# - **04.anneal.** “more rate, higher ELBO”: use of the code is taken for quality.
# - **04.kernels.** “lower”: parameters are taken for strength. What would happen if all pixels were shuffled, alike in
#   every picture?
# - **04.hidden.** “the mixture, clearly”, by those who know that its conditional is exact. Exact for which model?

# %% [markdown]
# ## Draws from a plain autoencoder
# The **autoencoder** $z = f(x)$, $\hat x = g(z)$ minimises $\|x - \hat x\|^2$. Here is one with twenty numbers in its
# code, trained beforehand. Two measures say how far a picture is from any digit: a convolutional classifier may be in
# doubt, giving no digit a probability above nine tenths; and the nearest of the training pictures may be far away.

# %%
predict("04.holes", "Draw each code number from a Gaussian with its mean and spread in real codes, and decode. "
        "What percentage leaves the classifier in doubt?", low=0, high=100)

# %%
classifier, _ = load_pretrained("classifier")
train, test = load_mnist("train"), load_mnist("test")
greys = train.images.flatten(1).numpy()                                  # from 0 to 255

def measured(x):
    """Percentage of pictures in doubt (no digit above 0.9), and squared distance to the nearest training picture."""
    doubt = (classifier.log_posterior(x).exp().amax(dim=1) < 0.9).float().mean()
    distance, _ = nearest_neighbours(255 * x.numpy(), greys)
    return 100 * doubt.item(), ((distance / 255) ** 2).mean()

# %%
autoencoder, _ = load_pretrained("autoencoder_z20")
codes = autoencoder.encode(test.flat())
i, j = torch.randperm(10_000, generator=seeded()).view(2, -1)
pairs = test.labels[i] != test.labels[j]
noise = torch.randn(500, 20, generator=seeded())
places = {"rebuilt": codes[:500], "halfway": ((codes[i] + codes[j]) / 2)[pairs][:500],
          "drawn": codes.mean(dim=0) + codes.std(dim=0) * noise,
          "further out": codes.mean(dim=0) + 2 * codes.std(dim=0) * noise}
decoded = {name: autoencoder.decode(z) for name, z in places.items()}
verdict = {name: measured(x) for name, x in decoded.items()}
doubt, distance = ({name: values[k] for name, values in verdict.items()} for k in (0, 1))

show(images(torch.cat([x[:10] for x in decoded.values()]).view(-1, 28, 28), row_labels=list(decoded),
            title="Codes of real digits decode well, codes between and beyond them do not"),
     alt="Four rows of ten pictures: rebuilt digits; codes halfway between two digits; drawn codes; codes drawn twice "
         f"as far out. The classifier is in doubt in {', '.join(f'{d:.0f}' for d in doubt.values())} of a hundred")

# %%
reveal("04.holes", doubt["drawn"])
with claim_table():
    claim("Rebuilt digits: the percentage in doubt", doubt["rebuilt"], below=8)
    claim("Halfway between two digits: the percentage in doubt", doubt["halfway"], above=30)
    claim("Drawn codes: the percentage in doubt", doubt["drawn"], above=40)
    claim("The distance to the nearest training picture: drawn over rebuilt", distance["drawn"] / distance["rebuilt"],
          above=1.8)
    claim("The same: further out over drawn", distance["further out"] / distance["drawn"], above=1.07)
verdict["real test digits"] = measured(test.flat()[:500])
for name, values in verdict.items():
    print(f"{name:17} in doubt {values[0]:4.1f} %, nearest training picture at {values[1]:5.1f}")

# %% [markdown]
# Each measure has a blind spot. The second is kind to blur: rebuilt digits lie nearer to the training pictures than
# real ones do. And the classifier is not more in doubt about "further out" than about "drawn", rather less: it must
# name one of ten digits, and may be sure of a scribble: as an **out-of-distribution score** its doubt is weak.
#
# Nothing in $\|x - \hat x\|^2$ speaks of the places between codes, so nobody made them good. (Two numbers hide the
# problem: sixty thousand codes crowd the plane. In twenty dimensions there is room.)
#
# ## Noise in the code
# An idea: make each code a Gaussian. The encoder gives a mean $m$ and a standard deviation $s$, and the decoder gets
#
# $$z = m + s\,\varepsilon, \qquad \varepsilon \sim \mathcal{N}(0, I),$$
#
# so it must rebuild $x$ from wherever that draw falls. A network's outputs can be negative and a standard deviation is
# positive, so the encoder says $\log s^2$, `log_var` in code.

# %%
predict("04.noise", "Train encoder and decoder for good rebuilding and nothing else. What becomes of the noise?",
        options=["it fills the space between codes", "it stays as it began", "the networks get rid of it"])

# %%
x_test = held_out_images()

def learn(steps, every=25, **changes):
    """A small VAE in training: steps, mean variance of the noise and variance of the means, three rows."""
    experiment, track = VAEExperiment(VAEHyperparameters(width=128, **changes), seed=0), []
    for step in range(0, steps + 1, every):
        m, log_var = (t.detach() for t in experiment.model.encode(x_test[:1000]))
        track.append((step, log_var.exp().mean().item(), m.var(dim=0).mean().item()))
        for _ in run(experiment, every if step < steps else 0, progress=False):
            pass
    return np.array(track).T

step, s2, spread = learn(400, learning_rate=3e-3, beta=0.0)
show(curves(step, {"noise, mean of s²": s2, "signal, Var(m)": spread}, log_y=True, xlabel="step",
            ylabel="variance", title="Rebuilding alone: the noise shrinks, the means move apart"),
     alt=f"On a logarithmic axis over the steps, the variance of the noise goes from {s2[0]:.2g} to {s2[-1]:.2g}, that "
         f"of the means from {spread[0]:.2g} to {spread[-1]:.2g}")

# %%
def becomes(ratio):
    """Which answer the variance of the noise, relative to that of the means, speaks for."""
    began = s2[0] / spread[0]
    return ("the networks get rid of it" if ratio < 0.01 else
            "it fills the space between codes" if ratio < began / 10 else "it stays as it began")

reveal("04.noise", s2[-1] / spread[-1], becomes)
with claim_table():
    claim("Noise over signal, mean of s² over Var(m), at the start", s2[0] / spread[0], above=200)
    claim("Noise over signal at the end", s2[-1] / spread[-1], below=0.001)
    claim("The noise shrank: its variance at the end over that at the start", s2[-1] / s2[0], below=0.01)
    claim("The means moved apart: their variance at the end over that at the start", spread[-1] / spread[0],
          above=1000)

# %% [markdown]
# There are two ways to make noise negligible: shrink $s$, or move the means so far apart that $s$ no longer matters.
# Both are taken, and we have the autoencoder back. So precision must have a price: a small $s$ must cost, and a
# large $m$ must cost. The price is notebook 03's KL to one fixed Gaussian, the **isotropic** prior
# $p(z) = \mathcal{N}(0, I)$, the same in every direction:
#
# $$\mathrm{KL}\bigl(q(z \mid x) \,\|\, p(z)\bigr)
#   = \tfrac12 \sum_i \bigl( \underbrace{s_i^2 - 1 - \log s_i^2}_{\text{least at } s_i = 1}
#   + \underbrace{m_i^2}_{\text{least at } m_i = 0} \bigr).$$
#
# (This is the KL for $\log s^2$. If your encoder says $\rho = \log s$, it is $\tfrac12 (e^{2\rho} - 1 - 2\rho + m^2)$:
# see notebook 03 for what a mixture of the two does.)

# %% [markdown]
# ## The variational autoencoder
# Now read notebook 03's ELBO as a program:
#
# $$\log p(x) \;\ge\; \underbrace{\mathbb{E}_{q(z \mid x)}[\log p(x \mid z)]}_{\text{reconstruction}}
#   - \underbrace{\mathrm{KL}(q(z \mid x) \,\|\, p(z))}_{\text{price of the code}} .$$
#
# The encoder computes the approximate posterior $q(z \mid x) = \mathcal{N}(m, s^2)$: one network for all $x$, which is
# **amortised** inference (notebook 03c). We binarize each picture anew at every step: a pixel is 1
# with the probability of its grey value. So $x_j \in \{0, 1\}$, and the decoder gives one number $a_j$ for each pixel:
# $p(x_j = 1 \mid z) = \sigma(a_j)$, the logistic function, and $\log p(x_j \mid z) = x_j a_j - \log(1 + e^{a_j})$.

# %%
class VAE(nn.Module):
    """Encoder 784 → width → width/2 → (m, log s²), and its mirror."""

    def __init__(self, latent_size, width=512):
        super().__init__()
        half = width // 2
        self.encoder = nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, half), nn.ReLU(),
                                     nn.Linear(half, 2 * latent_size))
        self.decoder = nn.Sequential(nn.Linear(latent_size, half), nn.ReLU(), nn.Linear(half, width), nn.ReLU(),
                                     nn.Linear(width, 784))

    def bound(self, x, rng):
        """log p(x | z) at one z ~ q(z | x) [n], and KL of each latent dimension [n, latent_size], in nats."""
        m, log_var = self.encoder(x).chunk(2, dim=1)                     # q(z | x)
        eps = torch.randn(m.shape, generator=rng)
        z = m + (log_var / 2).exp() * eps                                # gradients reach m and s, notebook 03b
        a = self.decoder(z)                                              # p(x_j = 1 | z) = σ(a_j)
        log_likelihood = (x * a - softplus(a)).sum(dim=1)                # pixels independent given z: logs add up
        kl = 0.5 * (m**2 + log_var.exp() - 1 - log_var)                  # closed form, notebook 03
        return log_likelihood, kl

# %%
def train_step(vae, optimizer, x, rng):
    """One step up the ELBO of a batch [n, 784]; returns it, in nats per picture."""
    log_likelihood, kl = vae.bound(x, rng)
    elbo = (log_likelihood - kl.sum(dim=1)).mean()                       # sum over pixels, mean over pictures
    optimizer.zero_grad()
    (-elbo).backward()
    optimizer.step()
    return elbo.detach()

# %% [markdown]
# That is all. We hold it against the library's: same start, same numbers, twenty steps.

# %%
library, numbers = VAEExperiment(seed=0), VAEExperiment(seed=0)
ours = VAE(latent_size=20)
ours.load_state_dict(numbers.model.state_dict())
optimizer = torch.optim.Adam(ours.parameters(), lr=1e-3)
our_elbos = [train_step(ours, optimizer, numbers.next_batch(), numbers.generator) for _ in range(20)]
library_elbos = [metrics["elbo"] for metrics in run(library, steps=20, progress=False)]

difference = max((p - q).abs().max().item() for p, q in zip(ours.parameters(), library.model.parameters(), strict=True))
with claim_table():
    claim("The largest difference of the ELBOs on the way, in nats",
          (torch.stack(our_elbos) - torch.stack(library_elbos)).abs().max(), below=1e-2)
    claim("The largest difference of a weight after twenty steps", difference, below=1e-4)

# %% [markdown]
# ## Live
# Two numbers a picture, so that you can see where each goes. Press **Start**. Then, while it trains:
#
# 1. turn β, the weight of KL (a **β-VAE** has one other than 1), to 0: the noise vanishes and the map explodes. Turn
#    it back to 1;
# 2. turn β far to the right. What do all rebuilt digits look like? How high is the highest bar, and the curve "KL"?
# 3. try a tenfold learning rate; a width of sixteen; twenty latent dimensions.

# %%
lab = LiveLab(
    VAEExperiment(VAEHyperparameters(latent_size=2), seed=0),
    views=[
        Curve("elbo", "reconstruction", "kl", labels={"elbo": "ELBO", "kl": "KL"}, ylabel="nats",
              title="The bound and its terms"),
        Scatter(*(f"digit_{k}" for k in range(10)), marks="0123456789", equal=True, title="Where test digits lie",
                xlabel="m, first dimension", ylabel="m, second"),
        ImageGrid("rebuilt", columns=5, title="Seen, and below rebuilt"),
        Curve("noise_ratio", labels={"noise_ratio": "s² / Var(m)"}, log=True, title="Noise against signal"),
        Bars("kl_per_dimension", title="KL of each dimension", xlabel="latent dimension", ylabel="nats"),
        ImageGrid("samples", columns=6, title="Decoded draws from the prior"),
    ],
    knobs=["learning_rate", "beta", "latent_size", "width"],
    headless_steps=250,
)
lab

# %% [markdown]
# ## Two numbers or twenty
# Most of what follows uses checkpoints, trained for longer, the one of twenty numbers for longest. Their cards say how.

# %%
(vae2, card2), (vae20, card20) = load_pretrained("vae_z2"), load_pretrained("vae_z20")
for name, card in (("vae_z2", card2), ("vae_z20", card20)):
    print(f"{name}: {card.steps:,} steps, {card.minutes:.0f} minutes, {card.metrics}")

elbo2, elbo20 = elbo_of(vae2, x_test), elbo_of(vae20, x_test)
digits = torch.stack([(test.labels == k).nonzero()[5, 0] for k in range(10)])
rebuilt = {"seen": x_test[digits], "z of 2": vae2.decode(elbo2.mu[digits]), "z of 20": vae20.decode(elbo20.mu[digits])}
show(images(torch.cat(list(rebuilt.values())).view(-1, 28, 28), row_labels=list(rebuilt),
            title="Twenty numbers keep the style, two often lose the digit"),
     alt="Ten binarized digits, and below each what is rebuilt of it from two numbers and from twenty")

decoded2, decoded20 = (vae.decode(elbo.mu[:1000]) for vae, elbo in ((vae2, elbo2), (vae20, elbo20)))
error2, error20 = (((x - x_test[:1000]) ** 2).sum(dim=1) for x in (decoded2, decoded20))
named2, named20 = ((classifier.predict(x) == test.labels[:1000]).float() for x in (decoded2, decoded20))
print(f"named right by the classifier: rebuilt from two numbers {named2.mean():.2f}, from twenty {named20.mean():.2f}")
with claim_table():
    claim("The squared error of a picture, rebuilt from two numbers less from twenty", error2 - error20, above=18)
    claim("The share named right, rebuilt from twenty numbers less from two", named20 - named2, above=0.1)

# %%
fresh = vae20.decode(noise)
doubt["VAE"], distance["VAE"] = measured(fresh)

some = autoencoder.encode(train[:10_000].flat()).double()
mixture_of_codes = fit(some, start(some, 10, seeded(), reg=0.01), steps=20, reg=0.01)[0]
fitted = autoencoder.decode(mixture_of_codes.sample(500, seeded())[0].float())
show(images(torch.cat([decoded["drawn"][:10], fitted[:10], fresh[:10]]).view(-1, 28, 28),
            row_labels=["one Gaussian", "mixture", "VAE"], title="Pictures drawn three ways"),
     alt="Ten pictures each: from the autoencoder with codes from one Gaussian; from the autoencoder with codes from a "
         "mixture that was fitted to its codes; and from the VAE with codes from its prior")

# %% [markdown]
# Ten pictures prove nothing. Here are eight seeds for these same two networks, five hundred pictures each, by
# `benchmarks/vae_pictures.py`; the mixture is fitted anew for each. Its last row gives the VAE a mixture, too.

# %%
drawn_record, completed_record = recorded()
for way, row in drawn_record.items():
    print(f"{way:26} in doubt {np.mean(row.doubt):4.1f} % ± {np.std(row.doubt, ddof=1):3.1f}, "
          f"nearest training picture at {np.mean(row.distance):4.1f} ± {np.std(row.distance, ddof=1):3.1f}")

def less(way, other, measure="doubt"):
    """What one way has less than another, for each seed."""
    return np.subtract(*(getattr(drawn_record[name], measure) for name in (other, way)))

with claim_table():
    claim("Today's VAE: the percentage in doubt less the mean of the record's eight seeds",
          doubt["VAE"] - np.mean(drawn_record["VAE"].doubt), near=0, within=4)
    claim("In doubt: the VAE's percentage is less than one Gaussian's, by", less("VAE", "autoencoder, one Gaussian"),
          above=20)
    claim("In doubt: the mixture's percentage is less than the VAE's, by", less("autoencoder, mixture", "VAE"), above=7)
    claim("In doubt: codes twice as far out have less than one Gaussian's, by",
          less("autoencoder, twice as far", "autoencoder, one Gaussian"), above=0)
    claim("Distance: the mixture's is less than the VAE's, by", less("autoencoder, mixture", "VAE", "distance"),
          above=0.5)
    claim("In doubt: the VAE with a mixture has less than the autoencoder with its own, by",
          less("VAE, mixture", "autoencoder, mixture"), above=3)

# %% [markdown]
# Draws from the VAE's prior fail less often than the autoencoder's from one Gaussian; some still do. And by both
# measures a mixture fitted afterwards to the codes of the plain autoencoder *beats* the VAE. This is **ex-post density
# estimation** (Ghosh et al.): learn to rebuild first, then learn where the codes lie. The last row says why: give the
# VAE a mixture of its own codes, and it is ahead in its turn. It is the prior that loses here, not the codes: they do
# not lie quite where the prior is (*Going further* measures by how much).
#
# What does the VAE still buy? A bound on $\log p(x)$, so that models can be compared. And a prior that is fixed before
# training: code and decoder learn to fit it, and no second model is needed to draw. Now look inside.

# %%
shown = slice(0, 1500)
autoencoder2, _ = load_pretrained("autoencoder_z2")
maps = {"autoencoder": (autoencoder2.encode(test.flat()[shown]), test.labels[shown]),
        "VAE: m of q(z | x)": (elbo2.mu[shown], test.labels[shown])}
show(digit_maps(maps, title="The VAE keeps its codes near the prior (circles: one and two σ)"),
     alt="Two maps of codes in the plane, each code written as its digit: left the autoencoder's, up to "
         f"{maps['autoencoder'][0].abs().max():.0f} from 0; right the VAE's, up to {elbo2.mu[shown].abs().max():.1f}")

# %% [markdown]
# Both put like digits together, unasked. But nobody told the autoencoder where to put its codes, and the scales differ
# much: look at the axes. The VAE's codes lie nearly where the prior is, and we know the prior before any training.
#
# To see what the decoder makes of every place, spread a grid so that each cell holds the same probability under the
# prior: $z_i = \Phi^{-1}\bigl((i + \tfrac12)/20\bigr)$, the inverse distribution function of the Gaussian.

# %%
z_axis = torch.special.ndtri((torch.arange(20) + 0.5) / 20)
z_grid = torch.cartesian_prod(z_axis, z_axis).flip(1)                    # the first coordinate runs fastest
show(manifold(vae2.decode(z_grid).view(-1, 28, 28), z_axis, title="What two numbers draw, from place to place"),
     alt="A sheet of 20 by 20 decoded pictures, one for each place of the grid")

# %%
kl20 = elbo20.kl_per_dimension.mean(dim=0).sort(descending=True).values
active = int((kl20 > 0.01).sum())
show(bars([str(k) for k in range(1, 21)], {"mean KL": kl20}, xlabel="latent dimension, sorted", ylabel="nats",
          title=f"{active} of 20 dimensions are used, the others are noise"),
     alt=f"Bars of KL per dimension, sorted: {active} from {kl20[0]:.1f} down to {kl20[active - 1]:.1f} nats, the rest "
         f"at most {kl20[active:].max():.3f}")
with claim_table():
    claim("Active dimensions, with a KL above 0.01", active, near=13, within=0.5)
    claim("No dimension lies in between: the smallest KL of an active one", kl20[active - 1], near=0.82, within=0.03)

# %% [markdown]
# A dimension whose KL is zero carries nothing: $q(z_i \mid x)$ is the prior, whatever $x$. Using a dimension pays only
# if what it adds to the reconstruction exceeds its KL. This network left some of its twenty unused; training decides,
# too.

# %% [markdown] cited="88.33 86.6 86.76 85.54 84.78 88.71 87.63 87.10 50 5,000"
# ## How good is it?
# Published figures for binarized MNIST, as $-\log p(x)$ in nats; less is better. There are two kinds of binarized
# pictures: **fixed**, each drawn once and for all; or **resampled** at every step of training, as ours, which is more
# data.
#
# | model | fixed | resampled | value |
# |---|---|---|---|
# | NADE, Uria et al. (2014) | 88.33 | | exact |
# | MADE (2015) | 86.6 | | exact |
# | VAE, Burda et al. (2016) | 88.71 | 86.76 | estimated with 5,000 draws |
# | IWAE, trained with 5 draws | 87.63 | 85.54 | the same |
# | IWAE, trained with 50 draws | 87.10 | 84.78 | the same |
#
# Look along a row: resampling alone is worth about two nats. So compare within a column only.
# Importance weighting, notebook 03c, tightens the bound without touching the model.

# %%
parameters = sum(p.numel() for p in vae20.parameters())
print(f"{parameters:,} parameters, {card20.steps:,} steps, {card20.minutes:.0f} processor minutes of training")
seen_in_training = elbo_of(vae20, train[:10_000].binarized(seeded()).flatten(1)).value
with claim_table():
    claim("The ELBO on all 10,000 test pictures", elbo20.value.mean(), near=-91.57, within=0.2)
    claim("The ELBO of as many training pictures, less that of the test pictures", seen_in_training - elbo20.value,
          near=2.9, within=1.2)
    claim("The importance-weighted bound with 50 draws less the ELBO, first 1,000",
          iw_bound_of(vae20, x_test[:1000], 50) - elbo20.value[:1000], above=2.5)
    claim("From the card: by the bound with 200 draws on all 10,000, ours lies behind Burda's VAE by at most",
          -86.76 - card20.metrics["test_iw_200"], near=1.13, within=0.05)
    claim("The ELBO with two numbers", elbo2.value.mean(), near=-137.66, within=0.2)

# %% [markdown]
# So our VAE, after an hour on one processor, is at most about a nat behind Burda's in its own column; some of that nat
# is the bound's, for two hundred draws are fewer than theirs. The exact models stand in the other column. IWAE trains
# on the tighter bound itself.
#
# Training pictures have the higher bound: that is **overfitting**, of encoder and decoder together. Longer
# training may widen it. **Early stopping** keeps the weights of the time when the bound of held-out pictures was
# highest.

# %% [markdown] cited="50"
# ## Break it: posterior collapse
# Three runs of a narrow VAE from one start: as it should be; with $\beta = 50$; and with the classic bug, a
# **mean over pixels**. Before you scroll: what will each rebuild?

# %%
def short_run(**changes):
    experiment = VAEExperiment(VAEHyperparameters(width=128, learning_rate=3e-3, **changes), seed=0)
    for _ in run(experiment, steps=300, progress=False):
        pass
    return experiment

def active_units(experiment):
    return int((elbo_of(experiment.model, x_test[:1000]).kl_per_dimension.mean(dim=0) > 0.01).sum())

runs = {"ELBO": short_run(), "β = 50": short_run(beta=50.0), "mean": short_run(reduction="mean")}
rows = {name: torch.tensor(e.snapshot()["rebuilt"]) for name, e in runs.items()}
show(images(torch.cat([rows["ELBO"][:10], *(r[10:] for r in rows.values())]), row_labels=["seen", *rows],
            title="Two of three rebuild the same picture for every digit"),
     alt="Ten binarized digits, and below each what the three runs rebuild of it. Spread of one run's ten pictures: " +
         ", ".join(f"{name} {rows[name][10:].std(dim=0).mean():.3f}" for name in rows))
with claim_table():
    for name, experiment in runs.items():
        claim(f"{name}: active dimensions", active_units(experiment), **({"above": 16} if name == "ELBO" else
                                                                         {"below": 1}))

# %% [markdown]
# **Posterior collapse**: $q(z \mid x) = p(z)$ for every $x$, a code that says nothing. A mean divides the
# reconstruction by its number of pixels, $D$, and
#
# $$\tfrac1D \log p(x \mid z) - \mathrm{KL} = \tfrac1D \bigl( \log p(x \mid z) - D \cdot \mathrm{KL} \bigr):$$
#
# the same as $\beta = D = 784$. No error is raised and the loss falls; so count active dimensions.
# **Repair**: sum over pixels, β back to 1, and go on.

# %%
for name in ("β = 50", "mean"):
    runs[name].set(beta=1.0, reduction="sum")
    for _ in run(runs[name], steps=100, progress=False):
        pass
    claim(f"{name}, repaired by a hundred steps: active dimensions", active_units(runs[name]), above=16)

# %% [markdown]
# ## Why its pictures are blurred
# Fix the encoder. If the decoder were free at each $z$, which probabilities $p_j$ would be best at one place? The bound
# contains, at this $z$,
# $\sum_i q(z \mid x_i) \bigl[ x_{ij} \log p_j + (1 - x_{ij}) \log(1 - p_j) \bigr]$; its derivative vanishes at
#
# $$p_j = \frac{\sum_i q(z \mid x_i)\, x_{ij}}{\sum_i q(z \mid x_i)} :$$
#
# the average of all pictures $x_i$ whose $q(z \mid x_i)$ reaches $z$. What $z$ leaves open is averaged, and an average
# of strokes is a blur. We check it with the training pictures.

# %%
z = torch.randn(10, 2, generator=seeded(1))
parts = train.split(5_000)                                               # all at once are a lot of memory
m, log_var = (torch.cat(each) for each in zip(*(vae2.encode(part.flat()) for part in parts), strict=True))
q = torch.distributions.Normal(m, (log_var / 2).exp())
weights = q.log_prob(z[:, None]).sum(dim=-1).softmax(dim=1)              # q(z | x_i), normalised over i
average = sum(w @ part.flat() for w, part in zip(weights.split(5_000, dim=1), parts, strict=True))
one = train[weights.argmax(dim=1)].flat()
drawn, mean = vae2.draw_x(z, seeded())
show(images(torch.cat([mean, average, drawn]).view(-1, 28, 28), row_labels=["mean", "average", "drawn"],
            title="The decoder's mean is nearly an average of pictures; a draw is grain"),
     alt="Three rows of ten: decoded means; weighted averages of training pictures at the same places; draws from the "
         "decoder's distribution, each pixel on its own")
far = ((mean - one) ** 2).sum(dim=1).mean()
claim("The decoder's mean lies this near to the average: over its distance to the likeliest single picture",
      ((mean - average) ** 2).sum(dim=1).mean() / far, below=0.2)

# %% [markdown]
# The last row is what the model really says: $x \sim p(x \mid z)$, each pixel on its own. Papers show the first and
# call it a sample.

# %% [markdown]
# ## Going further
# ### The aggregate posterior
# The bound pulls each $q(z \mid x)$ to the prior. What sampling needs is that their average over pictures, the
# **aggregate posterior** $q(z) = \frac1n \sum_x q(z \mid x)$, comes near it. Split the logarithm at $q(z)$, and average
# over $x$ and $z$:
#
# $$\frac1n \sum_x \mathrm{KL}\bigl(q(z \mid x) \,\|\, p(z)\bigr)
#   = \frac1n \sum_x \mathbb{E}_{q(z \mid x)}\Bigl[\log \frac{q(z \mid x)}{q(z)}\Bigr]
#   + \mathrm{KL}\bigl(q(z) \,\|\, p(z)\bigr) .$$
#
# The first term is the **mutual information** of picture and code, how much the code tells about its picture (Hoffman
# and Johnson): the entropy of $q(z)$ less the mean entropy of $q(z \mid x)$, which for a Gaussian is
# $\tfrac12 \sum_i (1 + \log 2 \pi s_i^2)$. The second is what sampling from the prior pays. In two dimensions we can
# integrate both over a grid, and check the first by draws.

# %%
def aggregate(elbo, lim=6.0, points=401):
    """A grid of the plane `[n, 2]`, q(z) on it `[n]`, its cell's area. Each q(z | x) is a product of two factors."""
    axis = torch.linspace(-lim, lim, points)
    along = [torch.distributions.Normal(elbo.mu[:, i], (elbo.log_var[:, i] / 2).exp()).log_prob(axis[:, None]).exp()
             for i in (0, 1)]
    q = along[1] @ along[0].T / len(elbo.mu)
    return torch.cartesian_prod(axis, axis).flip(1), q.flatten(), (axis[1] - axis[0]) ** 2

grid, q_z, area = aggregate(elbo2)
entropy = -torch.xlogy(q_z, q_z).sum() * area                                        # of q(z)

def kl_to(log_p):
    """KL(q(z) ‖ p) in nats, from log p on the grid."""
    return (-entropy - (q_z * log_p).sum() * area).item()

gap = kl_to(torch.distributions.Normal(0, 1).log_prob(grid).sum(dim=1))
information = (entropy - (0.5 * (elbo2.log_var + 1 + np.log(2 * np.pi))).sum(dim=1).mean()).item()

# %%
q_of_x = torch.distributions.Normal(elbo2.mu, (elbo2.log_var / 2).exp())             # all 10,000 of q(z | x)
picked = torch.randperm(10_000, generator=seeded(2))[:2000]
z = elbo2.mu[picked] + (elbo2.log_var[picked] / 2).exp() * torch.randn(2000, 2, generator=seeded(3))
log_q_z = torch.cat([q_of_x.log_prob(part[:, None]).sum(dim=2).logsumexp(dim=1) for part in z.split(100)]) - np.log(1e4)
log_q_z_x = torch.distributions.Normal(elbo2.mu[picked], (elbo2.log_var[picked] / 2).exp()).log_prob(z).sum(dim=1)
with claim_table():
    claim("The quadrature finds all of q(z): its integral", q_z.sum() * area, near=1, within=1e-3, exact=True)
    claim("The mean KL of a picture's q(z | x) to the prior, in nats", elbo2.kl.mean(), near=6.83, within=0.03)
    claim("The KL of their average q(z) to the prior: far less, but not zero", gap, near=0.38, within=0.02)
    claim("The mutual information, by quadrature", information, near=6.45, within=0.03)
    claim("Mutual information and the KL of the average, less the mean KL", information + gap - elbo2.kl.mean(),
          near=0, within=3e-3, exact=True)
    claim("The mutual information by draws, log q(z | x) - log q(z), less that by quadrature",
          log_q_z_x - log_q_z - information, near=0, within=0.15)

# %% [markdown]
# Each $q(z \mid x)$ is narrow and far from the prior; together they nearly fill it. The same identity holds for any
# density in the prior's place. So put there what was fitted to codes *ex post*: a mixture. Mutual information stays as
# it is, and the bound changes by exactly what the KL of $q(z)$ changes.

# %%
m, log_var = vae2.encode(train[:10_000].binarized(seeded(4)).flatten(1))
own = vae2.reparameterize(m, log_var, seeded(5)).double()                            # codes of training pictures
fitted = [fit(own, start(own, K, seeded(), reg=1e-3), steps=20, reg=1e-3)[0] for K in (1, 20)]
parts = grid.double().split(20_000)                                                  # all at once are a lot of memory
one, twenty = (kl_to(torch.cat([each.log_prob(part) for part in parts]).float()) for each in fitted)
with claim_table():
    claim("One Gaussian, fitted: the KL of q(z) to it, over that to the prior", one / gap, near=0.96, within=0.01)
    claim("Twenty Gaussians, fitted: the KL of q(z) to their mixture, over that to the prior", twenty / gap, near=0.39,
          within=0.05)
    claim("So the bound of the test pictures rises, without a step of training, by", gap - twenty, near=0.233,
          within=0.02)
    claim("The VAE of twenty numbers, from the record: doubt about draws from its prior less from its own mixture",
          less("VAE, mixture", "VAE"), above=12)

# %% [markdown]
# Mean and spread of the prior were right already, so one fitted Gaussian gains little. What the prior lacks is shape, and
# a mixture has it. Twenty dimensions are too many for a grid; but there, too, pictures drawn from the mixture leave the
# classifier in doubt less often.

# %% [markdown]
# ### Rate and distortion
# In the theory of codes the two terms have names: the mean KL is the rate, what the code costs, and the mean of
# $-\log p(x \mid z)$ is the **distortion**, what is left to say of the picture once the code is known. The ELBO is minus
# their sum. A **β-VAE** minimises distortion $+\;\beta \cdot$ rate, so each β asks for another bargain (Alemi et al.).
# The best bargains are the **rate–distortion curve**. At the bargain that is best for β, a little less distortion for a
# little more rate must not pay: the curve has the slope $-\beta$ there, or ends at rate 0.
#
# In one case the curve is known: Gaussian data, with linear encoder and decoder and a fixed variance $\sigma_x^2$ of the
# pixels. In the direction of variance $\lambda_i$ the squared error is $\min(\lambda_i, \theta)$ and the rate
# $\tfrac12 \log (\lambda_i / \theta)$ or 0, with one level $\theta = \beta \sigma_x^2$ for all (Shannon). So a
# direction gets a code if $\lambda_i > \beta \sigma_x^2$. Posterior collapse of the others is no accident: it is optimal.

# %%
BETAS, variance_x = vae_seeds.BETAS, 0.1
pixels, _ = digits8.flat_digits()                                        # 8x8 pixels of 0 and 1, (1437, 64)
variances = np.linalg.eigvalsh(np.cov(pixels.numpy(), rowvar=False)).clip(0)

def bargain(beta):
    """Rate and distortion in nats of the best linear VAE of these variances (distortion without its constant)."""
    rate, error = gaussian_rate_distortion(variances, beta * variance_x)
    return np.array([rate, error / (2 * variance_x)])

exact = np.stack([bargain(beta) for beta in BETAS])                      # (6, 2)
(r1, d1), (r2, d2) = (np.stack([bargain(beta * (1 + nudge)) for beta in BETAS], axis=1) for nudge in (-1e-5, 1e-5))
loss = exact[:, 1] + np.outer(BETAS, exact[:, 0])                        # row: the β of the loss; column: the bargain
with claim_table():
    claim("The slope of the curve at each β, over -β", (d2 - d1) / (r2 - r1) / -np.array(BETAS), near=1, within=1e-4,
          exact=True)
    claim("Each loss is least at its own bargain: what the best of the others lacks",
          np.sort(loss, axis=1)[:, 1] - loss.diagonal(), above=0, exact=True)
    claim("Directions with a code, of 64, at β = 8", (variances > 8 * variance_x).sum(), near=2, within=0.1, exact=True)

# %% [markdown]
# Now networks, which are neither linear nor at a perfect optimum: small β-VAEs of the same pictures, five seeds for each
# β. Of two optima, for $\beta < \beta'$, neither loss may be lower at the other's optimum; so the line through both has
# a slope between $-\beta'$ and $-\beta$.

# %%
curve = {beta: vae_seeds.recorded("beta", beta=beta) for beta in BETAS}
rate, distortion, told = (np.array([curve[beta][name] for beta in BETAS])
                          for name in ("rate", "distortion", "information"))          # (6, 5) each
show(rate_distortion({"linear VAE, exact": tuple(exact.T),
                      "networks, mean of five": (rate.mean(axis=1), distortion.mean(axis=1))}, BETAS,
                     title="Each β takes another bargain, where the curve has the slope −β"),
     alt="Two curves of distortion over rate, falling and bent, each with a point for every β and a line of slope -β "
         "through it. Networks: " + "; ".join(
             f"β = {beta:g}, rate {r:.1f}, distortion {d:.1f}"
             for beta, r, d in zip(BETAS, rate.mean(axis=1), distortion.mean(axis=1), strict=True)))

# %%
today = elbo_of(vae_seeds.beta_vae(1.0, seed=0), pixels)
chord = np.diff(distortion, axis=0) / np.diff(rate, axis=0)                           # (5, 5)
cost = rate + distortion                                                              # minus the ELBO
with claim_table():
    claim("Today's VAE with β = 1: minus its ELBO, less the mean of the record's", -today.value.mean() - cost[2].mean(),
          near=0, within=0.4)
    for low, high, slope in zip(BETAS[:-1], BETAS[1:], chord, strict=True):
        claim(f"The slope from β = {low:g} to {high:g}, five seeds", slope, above=-high, below=-low)
    for k in (1, 3):
        claim(f"Minus the ELBO: with β = {BETAS[k]:g} more than with β = 1, by", cost[k] - cost[2], above=0.3)
        claim("The same on held-out pictures", curve[BETAS[k]]["test_rate"] + curve[BETAS[k]]["test_distortion"]
              - curve[1.0]["test_rate"] - curve[1.0]["test_distortion"], above=0.3)
    claim("Mutual information at β = 1/4: at most log 1,437 = 7.27, for so many pictures there are", told[0],
          below=np.log(1437))
    claim("The rate at β = 1/4 beyond that information, KL(q(z) ‖ p(z))", rate[0] - told[0], above=4)

# %% [markdown]
# The bound is best at β = 1, where a nat of rate weighs as much as one of distortion, on held-out pictures, too. A
# small β buys more rate than the pictures hold information: what is beyond it only moves codes away from
# the prior. A large β leaves no code. (Higgins et al. chose β above 1 for dimensions that mean one thing each.)
#
# ### Against posterior collapse
# A decoder that also reads the pixels before, as notebook 07's models do, can describe a picture with no code at all.
# Then a rate of 0 may be as good a bargain as any. Two remedies are common: **KL annealing**, where β grows from 0 to 1
# over the first steps (a *warm-up*, Bowman et al.); and **free bits**, where a dimension whose mean KL is
# below a threshold κ is charged κ all the same, $\sum_i \max(\kappa, \mathrm{KL}_i)$, κ in nats (Kingma et al.).

# %%
predict("04.anneal", "β grows to 1 over the first quarter of the training. Against plain training, what becomes of the "
        "code's rate and of the ELBO?", options=["more rate, higher ELBO", "more rate, the same ELBO",
                                                 "more rate, lower ELBO", "no more rate"])

# %%
ways = {f"plain, learning rate {r:g}": {"learning_rate": r} for r in vae_seeds.RATES}
ways |= {f"warm-up of {steps} steps": {"warmup": steps} for steps in vae_seeds.WARMUPS}
ways |= {f"free bits, κ = {nats:g}": {"free_nats": nats} for nats in vae_seeds.FREE_NATS}
readers = {name: vae_seeds.recorded("reader", **setting) for name, setting in ways.items()}
elbos = {name: -row["rate"] - row["distortion"] for name, row in readers.items()}
held_out = {name: -row["test_rate"] - row["test_distortion"] for name, row in readers.items()}
for name, row in readers.items():
    print(f"{name:26} rate {row['rate'].mean():4.2f} ± {row['rate'].std(ddof=1):4.2f}, ELBO {elbos[name].mean():.2f} ± "
          f"{elbos[name].std(ddof=1):.2f}, held-out {held_out[name].mean():.2f} ± {held_out[name].std(ddof=1):.2f}")

plain, warm = "plain, learning rate 0.01", "warm-up of 250 steps"
today = elbo_of(vae_seeds.reading_vae(seed=0, warmup=250), pixels)

# %%
def became(gain):
    """Which answer the differences of the ELBO speak for, by two standard errors; the rate is looked at first."""
    if not (readers[warm]["rate"] > readers[plain]["rate"]).all():
        return "no more rate"
    clear = abs(gain.mean()) > 0.1 and abs(gain.mean()) > 2 * gain.std(ddof=1) / len(gain) ** 0.5
    return f"more rate, {'the same' if not clear else 'higher' if gain.mean() > 0 else 'lower'} ELBO"

reveal("04.anneal", elbos[warm] - elbos[plain], became)
with claim_table():
    claim("Today's run with a warm-up: its rate less the mean of the record's",
          today.kl.mean() - readers[warm]["rate"].mean(), near=0, within=0.9)
    claim("Rate, plain training", readers[plain]["rate"], below=1)
    claim("Rate, a warm-up of 250 steps more than plain", readers[warm]["rate"] - readers[plain]["rate"], above=2.5)
    claim("The ELBO: the same difference", elbos[warm] - elbos[plain], near=0, within=0.1)
    claim("The ELBO, held-out: the same difference", held_out[warm] - held_out[plain], near=0, within=0.2)
    for name in ("warm-up of 1000 steps", "free bits, κ = 0.25"):
        claim(f"{name}: rate more than plain", readers[name]["rate"] - readers[plain]["rate"], above=1.5)
        claim(f"{name}: the held-out ELBO is lower than the plain one, by", held_out[plain] - held_out[name], above=0.1)
    claim("Plain, learning rate 0.003: rate more than at 0.01",
          readers["plain, learning rate 0.003"]["rate"] - readers[plain]["rate"], above=1)
    claim("Plain, learning rate 0.003: held-out ELBO lower than at 0.01, by",
          held_out[plain] - held_out["plain, learning rate 0.003"], above=0.3)

# %% [markdown]
# With a short warm-up the code carries three nats more, and the ELBO is the same: the distortion fell by as much as the
# rate rose. So the ELBO alone does not say whether a code is used. A long warm-up, and free bits, buy more rate for a
# lower bound; so does a smaller learning rate. Whoever wants the density has no reason to mend this collapse; whoever
# wants the code must ask for it, and say at what price.

# %% [markdown]
# ### Fixed or resampled pixels
# How much are the two kinds of binarized pictures worth? A thousand training pictures, five seeds: binarized once, or
# anew at every step.

# %%
fixed, resampled = (vae_seeds.recorded("pixels", resampled=anew) for anew in (False, True))
bound = {name: -row["rate"] - row["distortion"] for name, row in (("fixed", fixed), ("resampled", resampled))}
fresh_bound = {name: -row["test_rate"] - row["test_distortion"]
               for name, row in (("fixed", fixed), ("resampled", resampled))}
with claim_table():
    claim("ELBO of the training pictures, as binarized for the fixed: fixed more than resampled, by",
          bound["fixed"] - bound["resampled"], above=1)
    claim("ELBO of held-out pictures: resampled more than fixed, by", fresh_bound["resampled"] - fresh_bound["fixed"],
          above=1)

# %% [markdown]
# One is better where it trained, the other elsewhere: to draw a picture's pixels again is to have more data, and less to
# learn by heart. So a table must say which it was.

# %% [markdown]
# ### Convolutions
# Nothing in the bound says what encoder and decoder are made of. The networks above are **fully connected**: each unit
# has a weight for every input. In a **convolutional** VAE small kernels of weights slide over the picture, the same at
# every place. `ConvolutionalVAE` is the class above with two other networks: two convolutions of 4x4 in steps of two
# pixels, each halving the sides, then a linear layer; the decoder is the mirror. That makes about as many multiplications
# for a picture, with a tenth of the parameters.

# %%
predict("04.kernels", "Both train for 2,000 steps, each at the best of three learning rates. Against the fully "
        "connected one's, the held-out ELBO of the convolutional VAE is", options=["lower", "the same", "higher"])

# %%
found = {(network, rate): vae_seeds.recorded("network", network=network, learning_rate=rate)
         for network, rates in vae_seeds.NETWORK_RATES.items() for rate in rates}
held_out = {key: -row["test_rate"] - row["test_distortion"] for key, row in found.items()}
for (network, rate), elbo in held_out.items():
    print(f"{network:15} learning rate {rate:5g}: held-out ELBO of five seeds", *(f"{value:8.1f}" for value in elbo))
of_kernels, of_full = (max((elbo for key, elbo in held_out.items() if key[0] == network), key=np.mean)
                       for network in ("convolutional", "fully connected"))

# %%
kernels = vae_seeds.NETWORKS["convolutional"](20, generator=seeded())

def multiplications(vae):
    """Of encoder and decoder, for one picture: a kernel is used once a place, of its output, or of its input if it is
    transposed."""
    used = []
    for layer in vae.modules():
        if hasattr(layer, "weight"):
            layer.register_forward_hook(lambda layer, x, y: used.append(
                layer.weight.numel() * (x[0] if isinstance(layer, nn.ConvTranspose2d) else y)[0, 0].numel()))
    vae.decode(vae.encode(torch.zeros(1, 784))[0])
    return sum(used)

of_one_place = sum(p.numel() for p in vae20.parameters() if p.ndim > 1)                 # each weight is used once

# %%
reveal("04.kernels", of_kernels - of_full,
       lambda gain: "the same" if abs(gain.mean()) < 0.5 else "higher" if gain.mean() > 0 else "lower")
today = vae_seeds.vae_of("convolutional", 3e-3, seed=0, steps=200)
with claim_table():
    claim("Parameters, over those of the fully connected one",
          sum(p.numel() for p in kernels.parameters()) / parameters, near=0.104, within=0.001, exact=True)
    claim("Multiplications for a picture, over those of the fully connected one",
          multiplications(kernels) / of_one_place, near=0.92, within=0.01, exact=True)
    claim("Held-out ELBO, each at its best rate: the convolutional one is ahead by", of_kernels - of_full, above=5)
    claim("At a learning rate of 0.001, too, by", held_out["convolutional", 1e-3] - of_full, above=2)
    claim("At a learning rate of 0.01: of five, this many ended without a code",
          (found["convolutional", 1e-2]["active"] == 0).sum(), near=1, within=0.1)
    claim("The checkpoint of the fully connected one, which trained longer, is ahead of it by",
          elbo20.value.mean() - of_kernels, above=5)
    claim("Today's, after two hundred steps: its ELBO on the first 1,000 test pictures",
          elbo_of(today, x_test[:1000]).value, near=-166, within=30)

# %% [markdown]
# A tenth of the parameters, and some nats ahead: how a network is built matters, not only how large it is. This is said
# of two thousand steps, not of the end of a long training, nor of the same processor time. Both best rates were picked by
# the held-out pictures that are shown. At the fastest rate one of the five runs ended in posterior collapse: look at every
# seed, not at means alone.

# %% [markdown]
# ### Break it: grey pixels
# Much published code feeds grey $x \in [0, 1]$ to the same formula $p^x (1-p)^{1-x}$ and calls it a likelihood.
# Over $x \in \{0, 1\}$ it sums to one. Over $[0, 1]$, with $a = \log\frac{p}{1-p}$,
#
# $$\int_0^1 p^x (1-p)^{1-x}\,dx = (1-p) \int_0^1 e^{a x}\,dx = (1-p)\,\frac{e^a - 1}{a} = \frac{2p - 1}{a},$$
#
# since $(1-p)\,e^a = p$. That is at most ½. Divide by it, and you have a density: the **continuous Bernoulli**.

# %%
p, x01 = torch.linspace(0.01, 0.99, 50, dtype=torch.float64), torch.linspace(0, 1, 2001, dtype=torch.float64)
integral = torch.trapezoid(p[:, None] ** x01 * (1 - p[:, None]) ** (1 - x01), x01, dim=1)
formula = (2 * p - 1) / p.logit()

p = vae20.decode(vae20.encode(test.flat()[:500])[0]).double().clamp(1e-9, 1 - 1e-9)
missing = -torch.where((p - 0.5).abs() < 1e-5, 0.5, (2 * p - 1) / p.logit()).log().sum(dim=1).mean()
with claim_table():
    claim("The largest distance of the integral from (2p − 1)/a", (integral - formula).abs().max(), below=1e-5,
          exact=True)
    claim("The largest value of the integral", integral.max(), near=0.5, within=1e-3, exact=True)
    claim("The nats that a grey picture lacks when it is scored so: more than 784 log 2", missing,
          above=784 * np.log(2))

# %% [markdown]
# The factor depends on $p$, so it does not cancel in training either: it changes which pictures are preferred.

# %% [markdown]
# ### Hidden pixels: pseudo-Gibbs sampling
# Hide the lower half. The VAE has no formula for $p(x_\text{hidden} \mid x_\text{seen})$, but a chain of draws,
# **pseudo-Gibbs sampling** (Rezende et al.): encode, draw $z$, decode, draw the hidden pixels, and again. If $q$ were
# the exact posterior, this would be Gibbs sampling, and the chain would settle at
# $p(x_\text{hidden} \mid x_\text{seen})$.
# Notebook 02's mixture has the exact conditional mean. We fit ten Gaussians to six thousand binarized pictures, a tenth
# of what the VAE saw.

# %%
predict("04.hidden", "Twenty chains of 120 rounds, averaged, or the mixture of ten Gaussians: who has the smaller "
        "error on the hidden pixels?",
        options=["the VAE's chains, clearly", "the mixture, clearly", "too close to tell"])

# %%
ink = train[:6_000].binarized(seeded()).flatten(1)
space = Subspace.of(ink, d=50)
in_space = space.project(ink)
mixture = fit(in_space, start(in_space, 10, seeded(), reg=0.01), steps=10, reg=0.01)[0]

seen, x, labels = torch.arange(784) < 392, x_test[:200], test.labels[:200]
exact = space.inpaint(mixture, x, seen).float().clamp(0, 1)

def pseudo_gibbs(begin, rounds=15, chains=5):
    """Average of E[x | z] over chains from each picture, without their first third."""
    rng, x, total = seeded(), begin.repeat(chains, 1), 0
    for i in range(rounds):
        x, mean = vae20.inpaint(x, seen, 1, rng)
        total = total + mean * (i >= rounds // 3)
    return total.view(chains, *begin.shape).mean(dim=0) / (rounds - rounds // 3)

blank = torch.where(seen, x, ink.mean(dim=0))
filled = {"average": blank, "mixture": exact, "chain": pseudo_gibbs(blank), "chain, helped": pseudo_gibbs(exact)}

# %%
show(images(torch.cat([x[:10] * seen, *(f[:10] for f in filled.values()), x[:10]]).view(-1, 28, 28),
            row_labels=["seen", *filled, "truth"], title="Lower halves, filled in"),
     alt="Upper halves of ten digits and four completions: the average picture; the mixture's conditional mean; short "
         "chains from the average; short chains from the mixture's answer; and the truth")
errors = {name: ((f - x) ** 2)[:, ~seen].sum(dim=1) for name, f in filled.items()}
right = {name: (classifier.predict(f) == labels).float().mean().item() for name, f in filled.items()}
for name in filled:
    print(f"{name:13} squared error {errors[name].mean():5.1f}, named right by the classifier {right[name]:.2f}")

with claim_table():
    claim("Squared error: the mixture's is less than the average picture's, by", errors["average"] - errors["mixture"],
          above=3)
    claim("Squared error: short chains have more than the mixture, by", errors["chain"] - errors["mixture"], above=0)
    claim("Short chains that begin at the mixture's answer have less than those from the average, by",
          errors["chain"] - errors["chain, helped"], above=3)
    claim("Short chains that begin at the mixture's answer have less than the mixture itself, by",
          errors["mixture"] - errors["chain, helped"], above=0)

# %% [markdown]
# Short chains from the average lose, those from the mixture win: neither forgot where it began. So make them
# longer, and more: watch the same ten digits.

# %%
def complete(rounds=15, chains=5):
    answer = pseudo_gibbs(blank[:10], rounds, chains)
    error = ((answer - x[:10]) ** 2)[:, ~seen].sum(dim=1).mean()
    return images(torch.cat([exact[:10], answer, x[:10]]).view(-1, 28, 28), row_labels=["mixture", "chains", "truth"],
                  title=f"Squared error of these ten: mixture {errors['mixture'][:10].mean():.1f}, chains {error:.1f}")

explore(complete, rounds=(15, 120, 15), chains=(1, 20, 1), labels={"rounds": "rounds of a chain"},
        alt="Lower halves of ten digits, from the mixture and from averaged chains of the VAE, above the truth")

# %% [markdown]
# Ten digits are few. The record has six hundred, in six sets, and mixtures that are larger or saw more pictures.

# %%
error = {way: np.array(row.error) for way, row in completed_record.items()}
small, large = (next(way for way in error if way.startswith(f"mixture of {K}, {d}")) for K, d in ((10, 50), (20, 80)))
lengths, crowd = (15, 30, 60, 120), (1, 5, 20)
lines = {f"chains: {w}": [error[f"{w} chains of {r} rounds"].mean() for r in lengths] for w in crowd}
lines["a larger mixture"] = [error[large].mean()] * 4
show(curves(lengths, lines, log_x=True, baseline=(error[small].mean(), "the mixture of ten"),
            xlabel="rounds of a chain", ylabel="squared error of a picture",
            title="Short chains lose, many long win, a larger mixture is level"),
     alt="Squared error over the rounds, from 15 to 120: " + "; ".join(
         f"{name} {line[0]:.1f} to {line[-1]:.1f}" for name, line in lines.items()) +
         f"; the mixture of ten {error[small].mean():.1f}")
for way in (small, large, "20 chains of 120 rounds"):
    print(f"{way:46} squared error {error[way].mean():.1f}, named right {np.mean(completed_record[way].right):.2f}")

long_chains = error[small] - error["20 chains of 120 rounds"]
def ahead(gain):
    """Who is clearly ahead, by two standard errors over the six sets."""
    lead = gain.mean() / (gain.std(ddof=1) / len(gain) ** 0.5)
    return ("the VAE's chains, clearly" if lead > 2 else "the mixture, clearly" if lead < -2 else
            "too close to tell")
reveal("04.hidden", long_chains, ahead)

# %%
with claim_table():
    claim("Today's short chains: their error less that of the record's on the same digits",
          errors["chain"].mean() - error["5 chains of 15 rounds"][:2].mean(), near=0, within=1.5)
    claim("20 chains of 15 rounds: their error is above the mixture's, by", error["20 chains of 15 rounds"] -
          error[small], above=1)
    claim("20 chains of 120 rounds: their error is below the mixture's, by", long_chains, above=1)
    claim("The larger mixture, which saw five times as many pictures: its error less that of these chains",
          error[large] - error["20 chains of 120 rounds"], near=0, within=1.5)

# %% [markdown]
# So "who completes better?" has no answer before you name the measure, the chains and the mixture. A chain
# must forget its start; average too few, and the noise of the draws counts as error. In squared error short chains lose
# to the mixture of ten, many long ones win; a larger mixture, of more pictures, is level. And $q$, learned from whole
# pictures, may misread
# half of one, so that no length makes the chain exact. (A Metropolis step mends that: Mattei and Frellsen.)

# %% [markdown]
# ## Your turn
# **1.** Another encoder gives $m$ and $\log s$ (not $\log s^2$). Return the draw, and KL per dimension.

# %% tags=["exercise"]
def draw_and_kl(m, log_s, eps):
    """z and KL(q(z_i | x) ‖ N(0, 1)) of each dimension, a tuple of two tensors [n, d]; m, log_s, eps are [n, d]."""
    ### BEGIN SOLUTION
    return m + log_s.exp() * eps, 0.5 * (m**2 + (2 * log_s).exp() - 1 - 2 * log_s)
    ### END SOLUTION

# %%
check("04.draw_and_kl", draw_and_kl)

# %% [markdown]
# **2.** A colleague's VAE collapses. Write the loss right: minus the ELBO in nats per picture, from logits.

# %% tags=["exercise"]
def negative_elbo(a, x, kl):
    """0-d tensor from logits a [n, D], binary pictures x [n, D], KL per dimension kl [n, d]; finite at a = ±200."""
    ### BEGIN SOLUTION
    log_likelihood = (x * a - softplus(a)).sum(dim=1)
    return (kl.sum(dim=1) - log_likelihood).mean()
    ### END SOLUTION

# %%
check("04.negative_elbo", negative_elbo)

# %% [markdown] cited="0.01"
# **3.** Burda and others call a dimension active if its mean moves: if the variance of $m_i$ over the pictures is
# above 0.01. Count them.

# %% tags=["exercise"]
def active_dimensions(m, threshold=0.01):
    """How many columns of m [n, d] have a variance (over n pictures, divided by n) above the threshold; an int."""
    ### BEGIN SOLUTION
    return int((m.var(dim=0, correction=0) > threshold).sum())
    ### END SOLUTION

# %%
check("04.active_dimensions", active_dimensions)

# %% [markdown]
# ## What to keep
# - Rebuilding alone makes no promise about codes in between, and removes any noise that you add. The KL is the price
#   that keeps the noise.
# - Sum over pixels, mean over pictures; then count active dimensions, for posterior collapse is silent. A likelihood
#   must sum, or integrate, to one.
# - The decoder's mean is an average of pictures. Blur is what $z$ leaves open.
#
# **Read on:**
#
# - D. Kingma, M. Welling, [*Auto-Encoding Variational Bayes*](https://arxiv.org/abs/1312.6114), ICLR (2014).
# - D. Rezende, S. Mohamed, D. Wierstra, [*Stochastic Backpropagation and Approximate Inference in Deep Generative
#   Models*](https://arxiv.org/abs/1401.4082), ICML (2014).
# - I. Higgins et al., [*beta-VAE: Learning Basic Visual Concepts with a Constrained Variational
#   Framework*](https://openreview.net/forum?id=Sy2fzU9gl), ICLR (2017).
# - A. Alemi et al., [*Fixing a Broken ELBO*](https://arxiv.org/abs/1711.00464), ICML (2018).
# - S. Bowman et al., [*Generating Sentences from a Continuous Space*](https://arxiv.org/abs/1511.06349), CoNLL (2016).
# - D. Kingma et al., [*Improved Variational Inference with Inverse Autoregressive
#   Flow*](https://arxiv.org/abs/1606.04934), NIPS (2016).
# - Y. Burda, R. Grosse, R. Salakhutdinov, [*Importance Weighted Autoencoders*](https://arxiv.org/abs/1509.00519), ICLR
#   (2016).
# - M. Hoffman, M. Johnson, [*ELBO Surgery: Yet Another Way to Carve Up the Variational Evidence Lower
#   Bound*](https://approximateinference.org/2016/accepted/HoffmanJohnson2016.pdf), NIPS workshop (2016).
# - P.-A. Mattei, J. Frellsen, [*Leveraging the Exact Likelihood of Deep Latent Variable
#   Models*](https://arxiv.org/abs/1802.04826), NeurIPS (2018).
# - G. Loaiza-Ganem, J. Cunningham, [*The Continuous Bernoulli: Fixing a Pervasive Error in Variational
#   Autoencoders*](https://arxiv.org/abs/1907.06845), NeurIPS (2019).
# - P. Ghosh et al., [*From Variational to Deterministic Autoencoders*](https://arxiv.org/abs/1903.12436), ICLR (2020).
# - B. Uria, I. Murray, H. Larochelle, [*A Deep and Tractable Density Estimator*](https://arxiv.org/abs/1310.1757), ICML
#   (2014).
# - M. Germain et al., [*MADE: Masked Autoencoder for Distribution Estimation*](https://arxiv.org/abs/1502.03509), ICML
#   (2015).
#
# **Next:** notebook 05, generative adversarial networks: a model that has no likelihood at all, and learns from a
# discriminator.
