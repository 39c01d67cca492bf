# %% [markdown]
# # 00 · Start here: generative models
#
# Show a program many pictures, and it makes new ones. **What has it learned, and how would you know?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | say what a generative model is, derive maximum likelihood, and find a family for a task |
# | You need | some Python; what a probability, an expectation, a Gaussian density and a derivative are |
# | Time | 15 seconds to run · seed 0 |

# %%
import math

import numpy as np
import torch
from IPython.display import Markdown, display
from torch.nn.functional import avg_pool2d

from course_lib.chapters.nb00.plots import tree
from course_lib.data import load_mnist
from course_lib.data.moons import MOONS
from course_lib.experiments.gan1d import GAN1DExperiment, GAN1DHyperparameters
from course_lib.live import Density, LiveLab, explore
from course_lib.measure import nearest_neighbours
from course_lib.models.dcgan import Discriminator, discriminator_loss
from course_lib.models.gmm_em import fit, start
from course_lib.plots import curves, field, figure, images, plane, show
from course_lib.seeds import seeded  # a source of random numbers: same seed, same result
from course_lib.teach import check, claim, claim_table, predict, reveal
from course_lib.teach.tree import leaves, nested, pick, table
from course_lib.training import load_pretrained

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Thirty minutes in class. Project the sheet of twelve, let everyone write down six numbers, then
# train the discriminator. Few do much better than a coin, and neither does the network: ask what that proves, before
# the class sees what a count of pale pixels finds. Keep the tree on a wall; every later lesson points at a leaf.
#
# - **Prepare.** Project the sheet of twelve, or print it; pens and paper for the votes. The discriminator trains
#   while the class writes.
# - **Samples, a density, a completion.** Ask of each of the three tasks whether a classifier can do it. That is the
#   difference to all courses before.
# - **00.vote.** most say well above the coin: a network sees more than we do. Ask afterwards what a search that
#   failed proves.
# - **00.count.** having seen the coin, most now say little more than a coin. What is counted matters, not how clever
#   the counter is.
# - **The tree of families.** Draw it and leave it up: density explicit or implicit, tractable or bounded, one pass or
#   many.

# %% [markdown]
# ## Samples, a density, a completion
# Somewhere there is a distribution $p_\text{data}$ that digits, sounds or sentences come from. Nobody can write it
# down; all we have are examples. A **generative model** $p_\text{model}$ is trained on them to be like it. What can it
# do then? Look at the pictures; the code may wait, later notebooks explain it.
#
# First, **samples**: new pictures, made from random numbers, which are called noise. This model was trained on MNIST,
# seventy thousand handwritten digits, less a **test set**, a part that is kept for tests. Most samples look like digits, some like
# none. Are they new, or copies? A copy would lie at distance 0 from a training picture. (Far is not good: a scrawl is
# far, too.) The line below the picture that says *holds* is a **claim**: what we expect is typed in, and beside it
# stands what was measured just now.

# %%
G, _ = load_pretrained("dcgan")                                        # trained before, shipped with the course
test = load_mnist("test").floats()
samples = G.sample(20, seeded())
show(images(samples, title="Samples: most look like digits, some like none"),
     alt="Twenty small pictures in two rows, made by a network that learned from handwritten digits")

train = load_mnist("train").images.numpy()                     # greys from 0 to 255
both = 255 * torch.cat([samples, test[:100]]).numpy()          # twenty made, a hundred real ones kept for tests
nearest, _ = nearest_neighbours(both, train)                   # square root of the summed squares, over all pixels
claim("Smallest distance of twenty samples to a training picture, over that of each twenty real pictures",
      nearest[:20].min() / nearest[20:].reshape(5, 20).min(axis=1), above=0.5)

# %% [markdown]
# Second, a **density**: how close together do points lie here? Dark is dense. (Times an area, it is a probability.)
# This model saw six hundred points from two moons. It is a sum of ten Gaussians, hence the blobs. It says what is
# usual and what would be a surprise. And it errs: where it is darkest, the moons themselves are no denser than
# elsewhere.

# %%
points = MOONS.sample(600, seeded()).double()
mixture, _ = fit(points, start(points, 10, seeded(1), "random points"), steps=40)
axis, grid = plane(2.2, 81)
density = mixture.log_prob(torch.tensor(grid)).exp()

fig, axes = figure(5.6, 4.0)
field(axes[0, 0], axis, density, kind="density")
axes[0, 0].scatter(*points[:200].T, s=7, color="#0072B2")
axes[0, 0].set(aspect="equal", ylim=(-1.3, 1.3), xlabel="$x_1$", ylabel="$x_2$",
               title="A density: dark where points lie close together")
show(fig, alt="Two chains of grey blobs along two interlocking arcs, with blue points on them; darkest at "
              f"({grid[density.argmax()][0]:.1f}, {grid[density.argmax()][1]:.1f})")
darkest = torch.tensor(grid)[density.argmax()][None]
with claim_table():
    claim("Over the whole square the density adds up to one", density.sum() * (axis[1] - axis[0]) ** 2, near=1,
          within=0.001, exact=True)
    claim("Density at a typical point of the moons", mixture.log_prob(points).exp().median(), above=0.4)
    claim("Density far from both, at (0, −1.2): a surprise", mixture.log_prob(points.new_tensor([[0, -1.2]])).exp(),
          below=0.001)
    claim("At the darkest place, the model's density over the true one", density.max() / MOONS.log_prob(darkest).exp(),
          above=1.2)

# %% [markdown]
# Third, a **completion**, also called **inpainting**: the top is given, the rest is drawn from the **conditional
# distribution** given the top. There is not *one* right answer. A **classifier**, a network that names digits, says what
# each completion is read as. We chose these three tops by hand among the first hundred test pictures, three that leave
# much open; most leave less.
#
# The last column is the mean of the six. A model trained for one answer that is close to all right ones, by squared
# distance, would give such a blur. A distribution gives many answers, each of them sharp.

# %%
network, classifier = load_pretrained("row_lstm")[0], load_pretrained("classifier")[0]
chosen = load_mnist("test")[torch.tensor([78, 84, 13])]
given, top = chosen.binarized().long(), (torch.arange(28) < 11)[:, None].expand(28, 28)
drawn = network.inpaint(given.repeat_interleave(6, dim=0), top, seeded()).images.view(3, 6, 28, 28)
read = classifier.predict(drawn.flatten(0, 1).float()).view(3, 6)

rows = [torch.cat([(x * top + 0.25 * ~top)[None], six, six.float().mean(0)[None]])
        for x, six in zip(given, drawn, strict=True)]
names = [name for y, digits in zip(chosen.labels, read.tolist(), strict=True)
         for name in (f"of a {y}", *map(str, digits), "mean")]
show(images(torch.cat(rows), columns=8, labels=names, title="One top, six completions, and what they are read as"),
     alt="Three rows: the top of a digit over grey, then six completions with the digit that each is read as, then "
         f"their mean. Read as: {'; '.join(', '.join(map(str, digits)) for digits in read.tolist())}")
with claim_table():
    claim("The given pixels are kept", bool((drawn == given[:, None])[..., :11, :].all()))
    claim("Different digits read in a row of six, on average", np.mean([len(six.unique()) for six in read]), above=1.5)

# %% [markdown]
# ## How this course works
# Run the cells from top to bottom: Shift and Enter. Now and then you are asked to **predict** before you run. Guess; a
# wrong guess is worth more than none. Below are twelve pictures. People wrote six, the first model made six.

# %%
made = (G.sample(3_000, seeded(1)) * 255).round() / 255        # rounded to grey levels, as the real ones are
real = test[torch.randperm(len(test), generator=seeded(2))[:3_000]]
shuffle = torch.randperm(12, generator=seeded(3))
sheet, is_real = torch.cat([real[-6:], made[-6:]])[shuffle], shuffle < 6
show(images(sheet, columns=6, labels=[str(i) for i in range(1, 13)], title="Which six are real?"),
     alt="Twelve small pictures of digits in two rows, numbered from 1 to 12")
for i, picture in enumerate(sheet, 1):
    print(f"{i:2}: share of ink {picture.mean():.3f}, pixels darker than half {(picture > 0.5).sum():3}, "
          f"middle greys {((picture > 0.25) & (picture < 0.75)).sum():3}")

# %% [markdown]
# Put the six that you take for real between the brackets, as in `[1, 2, 3, 4, 5, 6]`, and run the cell. If you do not
# see the pictures, decide by the numbers that are printed below them. The next cell shows the truth. Who guesses is
# right about six of the twelve, on average.

# %%
my_real = []

# %%
def right_of_twelve(numbers):
    """How many of the twelve are told right by someone who takes these for real."""
    said = torch.tensor([i in numbers for i in range(1, 13)])
    return f"{(said == is_real).sum()} of 12 right"

truth = [f"{i} {'real' if real_one else 'made'}" for i, real_one in enumerate(is_real, 1)]
if my_real and not (len(my_real) == 6 and set(my_real) < set(range(1, 13)) and len(set(my_real)) == 6):
    print("Six are real: please put six different numbers from 1 to 12 between the brackets, and run both cells again.")
else:
    print("you:", right_of_twelve(my_real) if my_real else "no answer yet")
    show(images(sheet, columns=6, labels=truth, title="Which are real, which are made"),
         alt="The same twelve digits: " + ", ".join(truth))

# %% [markdown]
# Now a **discriminator**: a network that says how probable it is that a picture is real. It sees two thousand of each
# kind, and is then tested on a thousand of each that it has not seen.

# %%
predict("00.vote", "The discriminator is trained for some seconds. Of a hundred new pictures, how many does it tell "
        "right? (A coin: fifty.)", low=0, high=100)

# %%
def share_right(real_says_real, made_says_real):
    """Share of right answers, of as many real pictures as made ones."""
    return (real_says_real.float().mean() + 1 - made_says_real.float().mean()) / 2

def trained(real, made):
    """A discriminator trained on the first two thousand of each kind, and its share of right answers on the others."""
    D, rng = Discriminator(width=16, generator=seeded(4)), seeded(5)
    optimiser = torch.optim.Adam(D.parameters(), lr=2e-3)
    scaled = [(2 * x - 1)[:, None] for x in (real, made)]
    for part in torch.cat([torch.randperm(2_000, generator=rng) for _ in range(2)]).split(100):
        optimiser.zero_grad()
        discriminator_loss(*(D(x[part]) for x in scaled)).backward()
        optimiser.step()
    with torch.no_grad():                                      # D's output is above 0 where "real" is more probable
        return D, share_right(*(D(x[2_000:]) > 0 for x in scaled))

# %%
D, right = trained(real, made)
others = test[torch.randperm(len(test), generator=seeded(6))[:3_000]]
_, right_of_blurred = trained(real, avg_pool2d(others[:, None], 3, stride=1, padding=1)[:, 0])
by_network = (torch.where(D((2 * sheet - 1)[:, None]) > 0)[0] + 1).tolist()
reveal("00.vote", 100 * right)
with claim_table():
    claim("The discriminator's share of right answers", right, near=0.5, within=0.08)
    claim("The same network, trained to tell real pictures from blurred ones: its share right", right_of_blurred,
          above=0.9)
print("of the twelve, the network:", right_of_twelve(by_network))

# %% [markdown]
# Hardly better than a coin: this network finds next to nothing, though it can learn: blurred pictures it finds. So is
# there nothing to find? Eyes may see no more. But
# the palest greys, which nobody can tell from white, can be *counted*: call a picture made if it has many such pixels.
# How many is many? That limit is chosen on the two thousand of each kind, too.

# %%
predict("00.count", "No network, one count of pixels: of a hundred new pictures, how many are told right?",
        low=0, high=100)

# %%
def nearly_white(pictures):
    """Number of pixels of each picture in the five palest greys of 255."""
    return ((pictures > 0) & (pictures < 5.5 / 255)).sum(dim=(1, 2))

pale_real, pale_made = nearly_white(real), nearly_white(made)
cut = max(range(60), key=lambda n: share_right(pale_real[:2_000] <= n, pale_made[:2_000] <= n))
counted = share_right(pale_real[2_000:] <= cut, pale_made[2_000:] <= cut)
reveal("00.count", 100 * counted)
claim("Share right by counting, on the two thousand held out", counted, above=0.98)
print("of the twelve, by counting:", right_of_twelve((torch.where(nearly_white(sheet) <= cut)[0] + 1).tolist()))
pale, counts = (sheet > 0) & (sheet < 5.5 / 255), nearly_white(sheet).tolist()
show(images(torch.where(pale, 1.0, 0.3 * sheet), columns=6, title=f"Black: nearly white. More than {cut} is made",
            labels=[f"{t.split()[1]} {n}" for t, n in zip(truth, counts, strict=True)]),
     alt="The twelve digits in pale grey with their nearly white pixels as black dots. Counts: " + ", ".join(
         f"{t.split()[1]} {n}" for t, n in zip(truth, counts, strict=True)))
claim("Part of all pixels that is nearly white, in made pictures over that in real ones",
      pale_made.float().mean() / pale_real.float().mean(), near=12.6, within=1.2)

# %% [markdown]
# **A network that finds nothing is no proof that there is nothing.** Around its strokes the model leaves a pale hem that
# real pictures hardly have. It was trained against a network of this kind, too, and what such a network overlooks, nobody
# told the model. Notebook 06b measures how good such pictures are.
#
# A contest of two networks is a way to train, a **generative adversarial network** (GAN): a **generator** G turns noise
# into numbers, a discriminator D tells them from real ones. Below, the solid curve (blue) is where real numbers lie,
# the dash-dotted one (vermillion) where made ones do; the dashed line is D's answer. Where no numbers fall, D has
# learned nothing and may say anything.
#
# This is a **live lab**: press **Start**; it goes on while you read, until **Pause**. Its knob is G's **learning
# rate**, how far G moves at each step. Let the two hills meet. Then set the knob to `0.1`: does the made hill keep
# its width? (A spike is drawn a little too wide, and may leave the picture.) Set it back: does the width come back?

# %%
lab = LiveLab(
    GAN1DExperiment(GAN1DHyperparameters(minibatch=False), seed=0),
    views=[Density("real_density", "generated_density", grid="grid", lines=["decision"],
                   labels={"real_density": "real", "generated_density": "made", "decision": "D(x)"},
                   title="What is real, what is made, what D answers", xlabel="x", ylabel="density, or probability",
                   xlim=(-2, 8), ylim=(0, 2))],
    knobs=["learning_rate_g"],
    headless_steps=100,
)
lab

# %% [markdown]
# In our tries the made hill mostly grew narrow at `0.1`. Set back, it often widened again, and sometimes stayed narrow
# for thousands of steps: tries end differently. Notebook 05b asks why.
#
# ## Why learn them
# | what for | where |
# |---|---|
# | **distributions of many dimensions**: a picture is one point among hundreds of axes | 02, 04, 06, 07 |
# | **missing data**: fill in what was not measured, and say how sure you are | 01, 02, 07 |
# | **many right answers**: the average of all right answers is often wrong | 07, 09 |
# | **semi-supervised learning**: few labels, many examples; what those without a label teach | 09c |
# | **realistic output**: pictures, letters and sounds that pass for real | 06, 07, 07b |
#
# Models also draw futures to plan with in reinforcement learning, and artists use them; neither is treated here.

# %% [markdown]
# ## Maximum likelihood: what "like it" can mean
# Ten flips of a coin, seven heads. A model says: heads with probability $\theta$. The **likelihood** is the
# probability that the model gives to the data, here to this row of heads and tails in its order:
# $\theta^7 (1 - \theta)^3$. (For any order, a binomial coefficient would stand before it, the same for every
# $\theta$.) Its logarithm per flip, with $\hat p$ for the share of heads:
#
# $$\ell(\theta) = \hat p \log \theta + (1 - \hat p) \log (1 - \theta).$$
#
# Logarithms are natural; their unit is the nat. The **entropy** says how uncertain one flip is to someone who knows
# $\hat p$: $H(\hat p) = -\hat p \log \hat p - (1 - \hat p) \log (1 - \hat p)$. Add and subtract it, and sort:
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
with claim_table():
    claim("ℓ + H + KL is 0: largest distance", np.abs(likelihood + entropy + kl).max(), below=1e-12, exact=True)
    claim("KL is not negative: at each θ of the grid, and a rounding error", kl + 1e-12, above=0, exact=True)
    claim("The best θ of the grid", theta[likelihood.argmax()], near=0.7, within=1e-9, exact=True)
    claim("Log-likelihood lost per flip by a model that says θ = 0.5, in nats", kl[np.abs(theta - 0.5).argmin()],
          near=0.082283, within=1e-6, exact=True)

# %% [markdown]
# With a density it goes the same way. By the law of large numbers the mean log-likelihood of more and more data tends
# to an expectation; multiply and divide by $p_\text{data}$ inside the logarithm:
#
# $$\mathbb{E}_{p_\text{data}} \log p_\text{model}(x) = \mathbb{E}_{p_\text{data}} \log p_\text{data}(x)
#   - \mathbb{E}_{p_\text{data}} \log \frac{p_\text{data}(x)}{p_\text{model}(x)}
#   = -H(p_\text{data}) - \mathrm{KL}(p_\text{data} \,\|\, p_\text{model}).$$
#
# The model can change only the last term. Let both be Gaussians, with means $\mu_0$ and $\mu$ and standard deviations
# $\sigma_0$ and $\sigma$. Write out the logarithm of their ratio:
#
# $$\log \frac{p_\text{data}(x)}{p_\text{model}(x)} = \log \frac{\sigma}{\sigma_0} - \frac{(x - \mu_0)^2}{2 \sigma_0^2}
#   + \frac{(x - \mu)^2}{2 \sigma^2} .$$
#
# Its expectation over the data is KL. There $\mathbb{E}(x - \mu_0)^2 = \sigma_0^2$, and
# $\mathbb{E}(x - \mu)^2 = \sigma_0^2 + (\mu_0 - \mu)^2$, as $x - \mu = (x - \mu_0) + (\mu_0 - \mu)$. So
#
# $$\mathrm{KL} = \log \frac{\sigma}{\sigma_0} - \frac12 + \frac{\sigma_0^2 + (\mu_0 - \mu)^2}{2 \sigma^2} ,$$
#
# which is 0 at $\mu = \mu_0$, $\sigma = \sigma_0$. As for the coin, $H(p_\text{data})$ is $-\mathbb{E} \log p_\text{data}$.
# Of a density it is called **differential entropy**, and it may be negative: a density can be above 1, and then its
# logarithm is positive. For a Gaussian it is $\frac12 \bigl(1 + \log (2 \pi \sigma_0^2)\bigr)$, below 0 if $\sigma_0$ is
# small. KL is not negative here either.

# %%
mu_0, sigma_0, mu, sigma = 4.0, 0.5, 3.5, 1.0
data, model = (torch.distributions.Normal(torch.tensor(mean, dtype=torch.float64), std)
               for mean, std in ((mu_0, sigma_0), (mu, sigma)))
x = torch.linspace(-2, 10, 12_001, dtype=torch.float64)
weight = data.log_prob(x).exp() * (x[1] - x[0])                # an expectation becomes a sum with these weights

def kl_of(mu):
    """KL by the formula."""
    return math.log(sigma / sigma_0) - 0.5 + (sigma_0**2 + (mu_0 - mu) ** 2) / (2 * sigma**2)

integral = (weight * (data.log_prob(x) - model.log_prob(x))).sum()
mean_log_likelihood = (weight * model.log_prob(x)).sum()
sampled = model.log_prob(mu_0 + sigma_0 * torch.randn(100_000, generator=seeded(), dtype=torch.float64)).mean()
with claim_table():
    claim("KL by the formula, in nats", kl_of(mu), near=0.443147, within=1e-6, exact=True)
    claim("KL by the formula, minus the integral", kl_of(mu) - integral, near=0, within=1e-9, exact=True)
    claim("−H − KL minus the model's mean log-likelihood", -data.entropy() - kl_of(mu) - mean_log_likelihood, near=0,
          within=1e-9, exact=True)
    claim("The mean over 100,000 draws, minus the model's mean log-likelihood", sampled - mean_log_likelihood, near=0,
          within=0.007)
    claim("Differential entropy of a Gaussian of standard deviation 0.1, in nats",
          0.5 * math.log(2 * math.pi * math.e * 0.1**2), near=torch.distributions.Normal(0.0, 0.1).entropy().item(),
          within=1e-6, exact=True)
    claim("The same: it is negative", torch.distributions.Normal(0.0, 0.1).entropy(), below=0, exact=True)

# %%
fig, axes = figure(10, 3.8, 1, 2)
hills, valley = axes[0]
inside = slice(3_000, 9_000)
hills.plot(x[inside], data.log_prob(x).exp()[inside], label="data")
hills.plot(x[inside], model.log_prob(x).exp()[inside], "--", label="model")
hills.set(xlabel="x", ylabel="density", title="The model: too far left, too wide")
hills.legend()
means = np.linspace(2.5, 5.5, 61)
valley.plot(means, [kl_of(m) for m in means])
valley.plot(mu, kl_of(mu), "o", markersize=9, label="the model at the left")
valley.set(xlabel="its mean μ", ylabel="KL in nats", title="KL is least at the mean of the data")
valley.legend()
show(fig, alt="Left, a narrow hill of the data at 4, a wide one of the model at 3.5; right, a parabola with its "
              "lowest point at 4, where KL is still above 0, and a dot on it at 3.5")

# %% [markdown]
# ## The tree of families
# Families of models differ in how $p_\text{model}$ is written, and what that costs. Is there a formula for it
# (**explicit density**), or only a way to draw from it (**implicit density**)? Can the formula be computed
# (**tractable**), or must it be **approximated**: by a **variational** method, which finds a bound that can be computed;
# by a **Markov chain**, a sequence of random steps each of which depends on the last state alone; or by both? The
# explicit ones want the maximum of the likelihood, or of a bound on it. The implicit ones do not compute it. Some draw
# *directly*, noise in and sample out, and are trained by comparing samples; one draws by a Markov chain, whose step
# learns to undo a small corruption.
#
# No family is best everywhere: each guarantee is paid for. What do you need? A star marks all families that give it.
# You need not know their names yet; their notebooks, numbers in brackets, explain them.

# %%
numbers = {f.name: ("from " if len(f.notebooks) > 1 else "") + f.notebooks[0] for _, f in leaves()}

def picker(score="exactly", one_pass=False, code=False):
    named = [family.name for family in pick(score, one_pass, code)]
    return tree(nested(), title=f"{len(named)} of {len(numbers)} families give what you need", marked=named,
                notes=numbers)

def in_words(**needs):
    return "The tree of generative models. These have a star: " + "; ".join(f.name for f in pick(**needs))

explore(picker, score=["exactly", "roughly", "not at all"], one_pass=False, code=False,        # False: a box to tick
        labels={"score": "log p(x) is needed", "one_pass": "samples in one pass", "code": "a readable code of x"},
        alt=in_words)
claim("Whatever you answer, at least one family is left", bool(all(
    pick(score, one_pass, code) for score in ("exactly", "roughly", "not at all")
    for one_pass in (False, True) for code in (False, True))))

# %% [markdown]
# The same data as a table. **Latent variables**: hidden variables that $x$ is made from, also called its code, and
# whether they can be had back from $x$. **Z**: the **normalising constant**, the sum over all $x$ of scores, which
# turns them into probabilities; where nobody can compute it, $\log p(x)$ is known only up to the same unknown number
# for
# all $x$, and the values of two models are not comparable. **Exact training**: by the
# very thing that is to be made best; no bound, no chain cut short, no opponent in its place.
#
# And what everybody talks about? **Language models** are mostly **autoregressive models**: they draw each word given
# those before it (notebook 07b shows one of letters). **Diffusion models** stand under *variational*: they
# train on a bound, and draw by a chain of many steps. Notebook 11 begins with them.

# %%
display(Markdown(table()))

# %% [markdown]
# ## Your turn
# An **exercise** is a function to be written. The check runs it on random inputs; a wrong answer gets a hint, often
# made for that very mistake, and asking again gives a further one. **1.** The log-likelihood of a row of flips, in
# its order.

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
# **2.** The Gaussian under which the data are most probable. Its mean log-likelihood is the mean over the data of
# $-\frac12 \log (2 \pi \sigma^2) - (x - \mu)^2 / 2 \sigma^2$. Set the derivatives by $\mu$ and by $\sigma^2$ to 0.

# %% tags=["exercise"]
def fit_gaussian(x):
    """The mean and the variance, a tuple of two floats, that maximise the likelihood of an array of numbers."""
    ### BEGIN SOLUTION
    mean = x.mean()
    return float(mean), float(((x - mean) ** 2).mean())
    ### END SOLUTION

# %%
check("00.fit_gaussian", fit_gaussian)

# %% [markdown]
# **3.** The divergence of two tables of probabilities. An outcome that does not happen, $p = 0$, counts nothing; every
# outcome is possible under $q$.

# %% tags=["exercise"]
def kl_divergence(p, q):
    """KL(p || q) in nats, a float, of two arrays of probabilities; some of p may be 0, all of q are above 0."""
    ### BEGIN SOLUTION
    seen = p > 0
    return float((p[seen] * np.log(p[seen] / q[seen])).sum())
    ### END SOLUTION

# %%
check("00.kl", kl_divergence)

# %% [markdown]
# ## What to keep
# - A generative model stands for a distribution: it draws, scores or completes; few do all three well.
# - That a network finds no difference does not prove that there is none.
# - To maximise the likelihood is to minimise $\mathrm{KL}(p_\text{data} \,\|\, p_\text{model})$.
# - Families differ in what they guarantee, and each guarantee has a price.
#
# **Read on:**
#
# - I. Goodfellow, [*NIPS 2016 Tutorial: Generative Adversarial Networks*](https://arxiv.org/abs/1701.00160), arXiv
#   (2016): section 2. The tree is that of its figure 9, with four leaves more: discrete latents, diffusion models, and
#   two of his text, deep Boltzmann machines and moment matching.
# - D. MacKay, [*Information Theory, Inference, and Learning Algorithms*](https://www.inference.org.uk/mackay/itila/),
#   Cambridge University Press (2003).
# - Y. LeCun et al., [*Gradient-Based Learning Applied to Document Recognition*](https://doi.org/10.1109/5.726791),
#   Proceedings of the IEEE 86 (1998): the paper of the MNIST digits.
#
# **Next:** notebook 01, generative or discriminative: the first model, built from counting.
