# %% [markdown]
# # 00 · Start here
#
# Show a machine many pictures, and it makes new ones. **What has it learned, and how would you know?**
#
# | | |
# |---|---|
# | You will be able to | say what a generative model is, derive maximum likelihood, and find a family for a task |
# | You need | some Python, and what a probability is |
# | Time | 10 minutes to read · 15 seconds to run · seed 0 |

# %%
import math

import numpy as np
import torch
from IPython.display import Markdown, display

from course_lib.data import load_mnist
from course_lib.data.moons import MOONS
from course_lib.experiments.gan1d import GAN1DExperiment, GAN1DHyperparameters
from course_lib.experiments.trained import trained
from course_lib.live import Density, LiveLab, explore
from course_lib.models.dcgan import Discriminator, discriminator_loss
from course_lib.models.gmm_em import fit, start
from course_lib.plots import curves, field, figure, images, plane, show, tree
from course_lib.teach import check, claim, predict, reveal
from course_lib.teach.tree import families, nested, pick, table

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

def seeded(seed=0):
    """A source of random numbers of our own: same seed, same result."""
    return torch.Generator().manual_seed(seed)

# %% [markdown] tags=["teacher"]
# **For the teacher.** Twenty minutes in class. Project the sheet of twelve, let everyone write down six numbers, then
# train the discriminator. Few do much better than a coin, and neither does the network: ask what that proves, and what
# it does not. Keep the tree on a wall; every later lesson starts by pointing at a leaf.

# %% [markdown]
# ## Three pictures
# Somewhere there is a distribution $p_\text{data}$ that digits, sounds or sentences come from. Nobody can write it
# down; all we have are examples. A **generative model** $p_\text{model}$ is trained to be like it. What can it do then?
# First, **samples**: new pictures, made from noise. None of these was ever written by a hand.

# %%
G, _ = trained("dcgan")                                                       # trained before, shipped with the course
show(images(G.sample(20, seeded()), title="Samples: digits that nobody wrote"),
     alt="Twenty handwritten-looking digits in two rows, made by a network")

# %% [markdown]
# Second, a **density**: how probable is a point? Dark is probable. This model saw six hundred points from two moons and
# learned where points are, so it can also say what would be a surprise.

# %%
points = MOONS.sample(600, seeded()).double()
mixture, _ = fit(points, start(points, 10, seeded()), steps=40)
axis, grid = plane(2.2, 81)
density = mixture.log_prob(torch.tensor(grid)).exp()

fig, axes = figure(5.6, 4.0)
field(axes[0, 0], axis, density, kind="density")
axes[0, 0].scatter(*points[:200].T, s=7, color="#0072B2")
axes[0, 0].set(aspect="equal", ylim=(-1.3, 1.3), xlabel="$x_1$", ylabel="$x_2$",
               title="A density: dark where points are likely")
show(fig, alt="Two dark crescents that fit into each other, with blue points lying on them")
claim("the density adds up to one: its sum over the square", density.sum() * (axis[1] - axis[0]) ** 2, near=1,
      within=0.02)

# %% [markdown]
# Third, a **completion**: the upper half is given, the lower one is drawn. There is not *one* right answer, so a model
# that had to name one would answer with a blur. A distribution can give many.

# %%
network, _ = trained("row_lstm")
chosen = load_mnist("test").binarized()[[3, 11, 18]].long()
upper = (torch.arange(28) < 14)[:, None].expand(28, 28)
drawn = network.complete(chosen.repeat_interleave(6, dim=0), upper, seeded()).images.view(3, 6, 28, 28)
rows = [torch.cat([(x * upper + 0.25 * ~upper)[None], six]) for x, six in zip(chosen, drawn, strict=True)]
show(images(torch.cat(rows), columns=7, title="Completions: one upper half, six lower ones"),
     alt="Three rows: a digit whose lower half is covered in grey, then six completions, which often differ")
claim("the given pixels are kept", bool((drawn == chosen[:, None])[..., :14, :].all()))
claim("different lower halves, of six, on average", np.mean([len(six.unique(dim=0)) for six in drawn]), above=3)

# %% [markdown]
# ## How this course works
# Run the cells from top to bottom: Shift and Enter. Now and then you are asked to **predict** before you run. Guess; a
# wrong guess is worth more than none. Below are twelve pictures. Six are from MNIST, written by people. Six are made.

# %%
test = load_mnist("test").floats()
made = (G.sample(4_000, seeded(1)) * 255).round() / 255        # rounded to grey levels, as the real ones are
order = torch.randperm(len(test), generator=seeded(2))
real = test[order[:4_000]]

sheet = torch.cat([real[-6:], made[-6:]])
shuffle = torch.randperm(12, generator=seeded(3))
show(images(sheet[shuffle], columns=6, labels=[str(i) for i in range(1, 13)], title="Which six are real?"),
     alt="Twelve handwritten-looking digits in two rows, numbered from 1 to 12")
predict("00.vote", "A network is trained for some seconds to tell real from made. How often is it right on new ones?",
        options=["nearly always", "three times in four", "hardly more often than a coin"])

# %% [markdown]
# Type the numbers of those that you take for real, `[1, 4, …]`, and run the cell. In a class, do it for everybody.

# %%
my_real = []

# %%
is_real = shuffle < 6

def right_of_twelve(numbers):
    """How many of the twelve are told right by someone who takes these for real."""
    said = torch.zeros(12, dtype=torch.bool)
    said[torch.tensor(numbers, dtype=torch.long) - 1] = True
    return (said == is_real).sum().item()

print("you:", f"{right_of_twelve(my_real)} of 12" if my_real else "no answer yet")
claim("someone who knows is right each time, of twelve", right_of_twelve((is_real.nonzero().flatten() + 1).tolist()),
      above=11.5)

# %% [markdown]
# Now a **discriminator**: a network that sees three thousand pictures of each kind, and is then tested on a thousand of
# each that it has not seen. To know that it *can* learn, it is also trained against another forger, a variational
# autoencoder.

# %%
def trained_against(made, epochs=3):
    """A discriminator's share of right answers on 2,000 held-out pictures, and the network."""
    D, rng = Discriminator(width=16, rng=seeded(4)), seeded(5)
    optimiser = torch.optim.Adam(D.parameters(), lr=2e-3)
    scaled = [(2 * x - 1)[:, None] for x in (real, made)]
    for part in torch.cat([torch.randperm(3_000, generator=rng) for _ in range(epochs)]).split(100):
        optimiser.zero_grad()
        discriminator_loss(*(D(x[part]) for x in scaled)).backward()
        optimiser.step()
    with torch.no_grad():
        as_real, as_made = (D(x[3_000:]) > 0 for x in scaled)
    return (as_real.float().mean() + 1 - as_made.float().mean()) / 2, D

right, D = trained_against(made)
vae, _ = trained("vae_z20")
right_vae, _ = trained_against((vae.sample(4_000, seeded(6))[1].view(-1, 28, 28) * 255).round() / 255)
reveal("00.vote", "hardly more often than a coin" if right < 0.65 else
       "three times in four" if right < 0.9 else "nearly always")

# %% [markdown]
# Numbers in the text are never typed in: a **claim** shows what was measured just now beside what we say of it.

# %%
claim("share of right answers against this generator", right, above=0.47, below=0.65)
claim("against the autoencoder", right_vae, above=0.75)
with torch.no_grad():
    numbers = (torch.where(D((2 * sheet[shuffle] - 1)[:, None]) > 0)[0] + 1).tolist()
print(f"the network takes {numbers} for real: {right_of_twelve(numbers)} of 12 are right")

# %% [markdown]
# Hardly better than a coin: this small network, in these few seconds, finds next to no difference. That proves nothing
# about other networks: a larger one, or more time, may find one (notebook 06b measures how good such pictures are).
#
# A contest of two networks is also a way to train. Press **Start** below. Blue is real, vermillion is made, both are
# plain numbers. This is a **live lab**, with one knob: turn it while it learns. When does the forger miss for good?

# %%
lab = LiveLab(
    GAN1DExperiment(GAN1DHyperparameters(minibatch=False), seed=0),
    views=[Density("real_density", "generated_density", grid="grid", lines=["decision"],
                   labels={"real_density": "real", "generated_density": "made", "decision": "D(x)"},
                   title="What is real, what is made, what D answers", xlabel="x", ylabel="density, or probability",
                   xlim=(-2, 8), ylim=(0, 1.2))],
    knobs=["learning_rate_g"],
    headless_steps=100,
)
lab

# %% [markdown]
# ## Why learn them
# | what for | where |
# |---|---|
# | **distributions of many dimensions**: a picture is one point among hundreds of axes | 02, 04, 06, 07 |
# | **missing data**: fill in what was never measured, and say how sure you are | 01, 02, 07 |
# | **many right answers**: the average of all right answers is often wrong | 07, 09 |
# | **semi-supervised learning**: labels are dear, examples are not; what the unlabelled ones teach | 02, 02b, 09c |
# | **realistic output**: pictures, letters and sounds that pass for real | 06, 07, 07b |
#
# Models also dream up futures to plan with in reinforcement learning, and artists use them; neither is treated here.

# %% [markdown]
# ## The common ground: maximum likelihood
# Ten flips of a coin, seven heads. A model says: heads with probability $\theta$. The **likelihood** of the data set is
# the probability that the model gives it, $\theta^7 (1 - \theta)^3$. Its logarithm per flip, with $\hat p$ for the
# share of heads:
#
# $$\ell(\theta) = \hat p \log \theta + (1 - \hat p) \log (1 - \theta).$$
#
# Add and subtract the entropy $H(\hat p) = -\hat p \log \hat p - (1 - \hat p) \log (1 - \hat p)$, and sort:
#
# $$\ell(\theta) = -H(\hat p) - \underbrace{\Bigl[\hat p \log \tfrac{\hat p}{\theta}
#   + (1 - \hat p) \log \tfrac{1 - \hat p}{1 - \theta}\Bigr]}_{\mathrm{KL}(\hat p \,\|\, \theta)} .$$
#
# The first term does not depend on $\theta$. The second is the **Kullback–Leibler divergence**: never negative (03
# shows why), and 0 only where the two agree. So the largest likelihood *is* the smallest KL, at $\theta = \hat p$.

# %%
theta = np.linspace(0.05, 0.95, 181)
p_hat = 0.7
likelihood = p_hat * np.log(theta) + (1 - p_hat) * np.log(1 - theta)
entropy = -(p_hat * math.log(p_hat) + (1 - p_hat) * math.log(1 - p_hat))
kl = p_hat * np.log(p_hat / theta) + (1 - p_hat) * np.log((1 - p_hat) / (1 - theta))
show(curves(theta, {"log-likelihood per flip": likelihood, "KL(data ‖ model)": kl}, mark=(p_hat, "share of heads"),
            title="Where the likelihood is highest, KL is 0", xlabel="θ", ylabel="nats"),
     alt="Over θ, a hill and a valley that mirror each other; the top and the bottom are both at the share of heads")
claim("ℓ + H + KL, largest distance from 0", np.abs(likelihood + entropy + kl).max(), below=1e-12)
claim("the best θ of the grid", theta[likelihood.argmax()], near=0.7, within=1e-9)
claim("ℓ there, in nats", likelihood.max(), near=-0.610864, within=1e-6)
claim("KL of a fair coin: what believing in it costs, a flip", kl[np.abs(theta - 0.5).argmin()], near=0.082283,
      within=1e-6)

# %% [markdown]
# With a density it goes the same way. By the law of large numbers the mean log-likelihood of more and more data tends
# to an expectation; multiply and divide by $p_\text{data}$ inside the logarithm:
#
# $$\mathbb{E}_{p_\text{data}} \log p_\text{model}(x) = \mathbb{E}_{p_\text{data}} \log p_\text{data}(x)
#   - \mathbb{E}_{p_\text{data}} \log \frac{p_\text{data}(x)}{p_\text{model}(x)}
#   = -H(p_\text{data}) - \mathrm{KL}(p_\text{data} \,\|\, p_\text{model}).$$
#
# Again only the last term can be changed. Take $p_\text{data} = \mathcal{N}(4, \tfrac14)$ and the model
# $\mathcal{N}(\mu, \sigma^2)$. For two Gaussians, with $\mu_0, \sigma_0$ of the data, the integral is
#
# $$\mathrm{KL} = \log \frac{\sigma}{\sigma_0} + \frac{\sigma_0^2 + (\mu_0 - \mu)^2}{2 \sigma^2} - \frac12 ,$$
#
# since $\mathbb{E}(x - \mu)^2 = \sigma_0^2 + (\mu_0 - \mu)^2$. It is 0 at $\mu = \mu_0$, $\sigma = \sigma_0$.

# %%
data, model = (torch.distributions.Normal(torch.tensor(mean, dtype=torch.float64), std)
               for mean, std in ((4.0, 0.5), (3.5, 1.0)))
x = torch.linspace(-2, 10, 12_001, dtype=torch.float64)
weight = data.log_prob(x).exp() * (x[1] - x[0])                                     # an integral as a fine sum
formula = math.log(1 / 0.5) + (0.5**2 + 0.5**2) / 2 - 0.5
claim("KL by the formula, in nats", formula, near=0.443147, within=1e-6)
claim("minus the integral", formula - (weight * (data.log_prob(x) - model.log_prob(x))).sum(), near=0,
      within=1e-9)
claim("mean log-likelihood of the model", (weight * model.log_prob(x)).sum(), near=-1.168939, within=1e-6)
claim("−H − KL, minus that", -data.entropy() - formula - (weight * model.log_prob(x)).sum(), near=0, within=1e-9)

drawn = 4 + 0.5 * torch.randn(100_000, generator=seeded(), dtype=torch.float64)
claim("the mean over 100,000 draws is off by", model.log_prob(drawn).mean() + 1.168939, near=0, within=0.01)

# %% [markdown]
# ## The tree
# Nearly all models of this course want that maximum. They differ in how $p_\text{model}$ is written, and what that
# costs. Is there a formula for it (**explicit**), or only a machine that draws (**implicit**)? Can the formula be
# computed (**tractable**), or must it be **approximated**: by variation, by a Markov chain, or by both?

# %%
numbers = {f.name: ("from " if len(f.notebooks) > 1 else "") + f.notebooks[0] for _, f in families()}
show(tree(nested(), title="Deep generative models, and the notebooks that build them", notes=numbers),
     alt="A tree from left to right: explicit density with a tractable and an approximate branch, implicit density "
         "with a Markov chain and a direct branch; nine families at the right with the numbers of their notebooks")
display(Markdown(table()))

# %% [markdown]
# No row is best everywhere: each guarantee is paid for. Which family would you take? Answer three questions. A star
# marks those that give what you need and the least besides.

# %%
def picker(score="exactly", one_pass=True, code=False):
    named = [family.name for family in pick(score, one_pass, code)]
    return tree(nested(), title="Begin with: " + ", or ".join(named), marked=named, notes=numbers)

explore(picker, score=["exactly", "roughly", "not at all"], one_pass=False, code=False,
        labels={"score": "log p(x) is needed", "one_pass": "samples in one pass", "code": "a readable code of x"},
        alt="The tree of generative models; the families that fit the answers have a star")
claim("whatever you answer, at least one family is left", bool(all(
    pick(score, one_pass, code) for score in ("exactly", "roughly", "not at all")
    for one_pass in (False, True) for code in (False, True))))

# %% [markdown]
# ## Your turn
# An **exercise** is a function to be written. The check runs it on random inputs; a wrong answer gets a hint made for
# that mistake, and asking again gives a further one. **1.** The log-likelihood of a data set of flips.

# %% tags=["exercise"]
def log_likelihood(flips, theta):
    """The log-likelihood in nats, a float, of an array of flips (1 heads, 0 tails) for a coin with p(heads) = theta."""
    ### BEGIN SOLUTION
    heads = flips.sum()
    return float(heads * np.log(theta) + (len(flips) - heads) * np.log(1 - theta))
    ### END SOLUTION

# %%
check("00.log_likelihood", log_likelihood)

# %% [markdown]
# **2.** The Gaussian under which the numbers are most probable.

# %% tags=["exercise"]
def fit_gaussian(x):
    """The mean and the variance, two floats, that maximise the likelihood of an array of numbers."""
    ### BEGIN SOLUTION
    mean = x.mean()
    return float(mean), float(((x - mean) ** 2).mean())
    ### END SOLUTION

# %%
check("00.fit_gaussian", fit_gaussian)

# %% [markdown]
# **3.** The divergence of two tables of probabilities. An outcome that never happens, $p = 0$, counts nothing.

# %% tags=["exercise"]
def kl_divergence(p, q):
    """KL(p || q) in nats, a float, of two arrays of probabilities; some of p may be 0."""
    ### BEGIN SOLUTION
    seen = p > 0
    return float((p[seen] * np.log(p[seen] / q[seen])).sum())
    ### END SOLUTION

# %%
check("00.kl", kl_divergence)

# %% [markdown]
# ## What to keep
# - A generative model stands for a distribution: it draws, scores or completes; few do all three well.
# - To maximise the likelihood is to minimise $\mathrm{KL}(p_\text{data} \,\|\, p_\text{model})$.
# - Families differ in what they guarantee, and each guarantee has a price.
#
# **Read on:** I. Goodfellow, *NIPS 2016 Tutorial: Generative Adversarial Networks* (2016), section 2, whose tree this
# is, with one leaf more. D. MacKay, *Information Theory, Inference, and Learning Algorithms* (2003). Y. LeCun et al.,
# *The MNIST database of handwritten digits* (1998).
#
# **Next:** 01, generative or discriminative: the first model, built from counting.
