# %% [markdown]
# # 09 · Conditional GANs and InfoGAN
#
# The generator of notebook 06 draws digits, but which one comes next is luck. You want a seven. There is not one right
# answer but thousands: thin and fat sevens, leaning ones, some with a bar. A **conditional GAN** is told which digit.
# **How do you ask for a digit when many pictures are right, and what can you ask for when nobody wrote labels?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | put a label into both networks of a GAN, derive the projection discriminator, bound a mutual information, and say what a found code means and what not |
# | You need | notebook 06: the DCGAN; notebook 03: the evidence lower bound; mutual information helps |
# | Time | 75 seconds to run · seed 0 |

# %%
import numpy as np
import torch

from course_lib.data import load_mnist
from course_lib.experiments.conditional import ConditionalExperiment, ConditionalHyperparameters
from course_lib.experiments.infogan import InfoGANExperiment, InfoGANHyperparameters, sample_codes, traversal_effect
from course_lib.live import Bars, Curve, ImageGrid, LiveLab, explore_canvas
from course_lib.measure import counts, information_bound, mutual_information, purity, sharpness, slant, thickness
from course_lib.models.conditional import ConditionalDiscriminator, ConditionalGenerator, noise, one_hot
from course_lib.models.infogan import Code, log_q
from course_lib.models.logistic import SoftmaxRegression
from course_lib.plots import curves, images, matrices, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal, show_source
from course_lib.training import fastest_precision, load_pretrained, run

torch.set_num_threads(1)  # two threads on a shared machine are slower than one

# %% [markdown] tags=["teacher"]
# **For the teacher.** Ninety minutes with the exercises. Start the live lab first and let it train while you talk.
# Before *A label in both networks*, ask the class what happens if only the generator is told the label: most expect bad
# sevens, hardly anyone *any* digit. In the second half let the class name the ten categories before you
# show the classifier's table, and ask each time what would prove that a code "is" a digit.
#
# - **Prepare.** Start the live lab before the lesson.
# - **09.squared.** “another real seven”: the smear is no seven. Compute both on the board: once and twice the
#   variance.
# - **A label in both networks.** On the board: who hears the label, and what is lost if one of the two does not.
# - **09.asked.** scattered; ask what the classifier cannot see.
# - **09.forgotten.** about a half. Compare with blind luck.
# - **09.purity.** near blind luck, or near all. Categories need not be digits.
# - **Without labels: mutual information.** On the board: I(c; x) as a difference of entropies, then the bound of
#   notebook 03 with c for the code.

# %% [markdown]
# ## Which digit comes is luck
# The DCGAN that comes with the course, and a **classifier**, trained on real digits, that names what it draws. How long
# until a seven comes?

# %%
dcgan, classifier = load_pretrained("dcgan")[0], load_pretrained("classifier")[0]
plain = dcgan.sample(2000, seeded())
named = classifier.predict(plain)
show(images(plain[:20], labels=[str(k) for k in named[:20].tolist()],
            title="Twenty draws, and what the classifier sees"),
     alt="Twenty digits in no order, with the classifier's name above each")
share = torch.bincount(named, minlength=10) / len(named)
with claim_table():
    claim("Pictures to draw, on average, until a seven comes", 1 / share[7], above=7, below=12)
    claim("Frequency of the commonest digit over that of the rarest", share.max() / share.min(), above=1.1)

# %% [markdown]
# ## One input, many right outputs
# What we want is $p(x \mid y)$: a label in, one of *many* right pictures out. Could a network not simply learn the
# picture that belongs to a label, by squared error?

# %%
predict("09.squared", "Asked for a seven, whose answer has the smaller squared error to a real seven?",
        options=["another real seven", "the average of all sevens"])

# %% [markdown]
# Let $m_y$ be the mean of $x$ given $y$, and $f(y)$ any answer. It may even be drawn at random, as long as it is
# independent of $x$ given $y$. Add and subtract $m_y$; the cross term is zero on average, for $x - m_y$ has mean zero:
#
# $$\mathbb{E}\,\lVert x - f(y) \rVert^2 = \mathbb{E}\,\lVert x - m_y \rVert^2 + \mathbb{E}\,\lVert m_y - f(y) \rVert^2 .$$
#
# We answer each real seven with another one. In a sample of them the cross term is small, not zero. Sharpness is
# notebook 06b's: the variance of the Laplacian.

# %%
train = load_mnist("train")
sevens = train[train.labels == 7].floats()
x, other = sevens[:3000], sevens[3000:6000]                  # other: a real seven for each, any one
mean = x.mean(dim=0)

def error(answer):
    return ((x - answer) ** 2).sum(dim=(1, 2)).mean()

show(images(torch.cat([mean[None], other[:9]]), labels=["average"] + ["real"] * 9,
            title="The best answer to 'a seven' by squared error: a seven that nobody wrote"),
     alt="A smeared grey average of sevens, and nine sharp real sevens, each different")
spread = ((mean - other) ** 2).sum(dim=(1, 2)).mean()
with claim_table():
    claim("The formula's left side less its right (the cross term), over the average's error",
          (error(other) - error(mean) - spread) / error(mean), near=0, within=0.05)
    claim("Squared error of a real seven over that of the average", error(other) / error(mean), near=2, within=0.1)
    claim("Sharpness of the average over that of real sevens", sharpness(mean[None].numpy())[0]
          / sharpness(other.numpy()).mean(), below=0.05)
reveal("09.squared", {"another real seven": error(other).item(), "the average of all sevens": error(mean).item()},
       pick=lambda errors: min(errors, key=errors.get))

# %% [markdown]
# A perfect answer, drawn from $p(x \mid y)$ itself, errs *twice* as much as the smear: its own variance comes on top.
# Squared error punishes variety. A discriminator does not: any picture that could be real is right.
#
# ## A label in both networks
# In a **conditional** GAN (Mirza and Osindero) both networks are told the label. Our $G$ gives up ten of its hundred
# numbers: nine 0 and one 1 say it. $D$ gets a *pair*: is $x$ real, **and** does $y$ belong to it? Let $p_G$ be the density of what $G$ makes.
# By the argument of notebook 05, for each $y$ apart, the best $D$ has the logit $\log \frac{p(x \mid y)}{p_G(x \mid y)}$.
# Orders come as often as labels, $p_G(y) = p(y)$, so we may multiply above and below by it and split the other way:
#
# $$a(x, y) = \log \frac{p(x, y)}{p_G(x, y)} = \log \frac{p(x)}{p_G(x)} + \log \frac{p(y \mid x)}{p_G(y \mid x)} .$$

# %% [markdown]
# First assumption: both posteriors are softmax regressions on features $\varphi$ of the picture,
# $p(y \mid x) = e^{v_y \cdot \varphi} / Z(\varphi)$, and $p_G$ with $v'_y$ and $Z'$. The last term is then
# $(v_y - v'_y) \cdot \varphi - \log \frac{Z}{Z'}$, and only its first part knows $y$. Second: the term before it,
# $\log \frac{p(x)}{p_G(x)}$, depends on $x$ through $\varphi(x)$ alone, too. That does not follow from the first. Call
# $v_y - v'_y$ simply $v_y$, and all that is left $\psi(\varphi)$:
#
# $$a(x, y) = v_y \cdot \varphi(x) + \psi(\varphi(x)) .$$
#
# That is the **projection discriminator** of Miyato and Koyama: one vector for each label. Where both assumptions hold,
# the formula can be exact; for pictures it is a sensible form, no more. We check a world in which it is: three classes
# of points, real and made Gaussians of variance one. All have the same $-\lVert x \rVert^2/2$ in their logarithms. It
# cancels, and with a 1 among the features, $\psi = 0$ will do.

# %%
rng = np.random.default_rng(0)
mu, mu_G = rng.normal(size=(2, 3, 2))                        # means of three classes, real and made
points, y = rng.normal(size=(500, 2)), rng.integers(3, size=500)

def log_joint(x, y, mu):
    """log p(x, y) of Gaussians with variance one and equal priors, but for a constant."""
    return -0.5 * ((x - mu[y]) ** 2).sum(axis=1)

phi = np.column_stack([points, np.ones(500)])                # features: the point, and a 1
v = np.column_stack([mu - mu_G, (mu_G**2 - mu**2).sum(axis=1) / 2])
best = log_joint(points, y, mu) - log_joint(points, y, mu_G)
claim("The projection is the best logit: |v_y φ(x) − logit| at 500 points", np.abs((v[y] * phi).sum(axis=1) - best),
      below=1e-10, exact=True)

# %% [markdown]
# What if the label is only *appended* to the features, $w \cdot \varphi(x) + b_y$? Then it shifts the logit of every
# picture alike, and no picture ever meets its label. A label that is **concatenated** must enter early, so that later
# layers can combine the two: as ten more planes beside the picture, one of them all 1.
#
# Here is all that the projection changes in notebook 06:

# %%
def ask(z, y):
    """What G gets: ninety numbers of noise, and ten that say the label."""
    return torch.cat([z, one_hot(y)], dim=1)                 # (n, 100)

def logit(D, x, y):
    """a(x, y): the DCGAN's logit of the features, and the projection on the vector of the label."""
    phi = D.features(x)
    return D.layers.logit(phi).squeeze(1) + (D.v[y] * phi).sum(dim=1)

G, D = ConditionalGenerator(width=8, generator=seeded()), ConditionalDiscriminator(width=8, generator=seeded())
z, y = noise(6, seeded(1)), torch.tensor([7, 7, 0, 1, 3, 9])
made = G(z, y)
with claim_table():
    claim("G makes what the library's makes: largest difference of each picture",
          (G.layers(ask(z, y)) - made).detach().abs().amax(dim=(1, 2, 3)), below=1e-6, exact=True)
    claim("D's logits are the library's: difference", (logit(D, made, y) - D(made, y)).detach().abs(), below=1e-6,
          exact=True)
show_source(ConditionalExperiment)

# %% [markdown]
# The step of training stays as it was. Every batch now carries labels: real pictures their own, made ones those that
# were ordered.
#
# ## Live: order while it learns
# Each column orders one digit, from 0 to 9. Press **Start**. Which columns become what they should be first? Then choose
# another way to tell $D$ the label, and start again: `none` tells it nothing.

# %%
lab = LiveLab(
    ConditionalExperiment(ConditionalHyperparameters(width=16, precision=fastest_precision()), seed=0),
    views=[
        ImageGrid("samples", columns=10, title="A column for each order, 0 to 9"),
        Curve("loss_d", "loss_g", labels={"loss_d": "loss of D", "loss_g": "loss of G"}, ylabel="nats",
              title="The losses of the two players"),
    ],
    knobs=["conditioning", "learning_rate_d", "learning_rate_g"],
    headless_steps=40,
)
lab

# %% [markdown]
# ## Does it deliver?
# The losses tell nothing of it: each player's is held against the other, who learns, too.
#
# From here on $G$ is the one that comes with the course, trained for longer.

# %%
predict("09.asked", "Of a thousand orders for each digit, which percentage does the classifier class as ordered?",
        low=10, high=100)

# %%
C, card = load_pretrained("conditional")
print(f"The card: {card.steps:,} steps, {card.minutes:.0f} minutes of one core")
orders = torch.arange(10).repeat_interleave(10)
show(images(C.sample(orders, seeded(3)), row_labels=[f"{k} please" for k in range(10)],
            title="A hundred orders: each row one label, ten different noises"),
     alt="Ten rows of ten pictures; zeros are ordered in the first row, ones in the second, and so on to nines; each "
         "column has noises of its own")

# %%
def delivered(G, each=1000, seed=0):
    """For each digit the share of the pictures ordered as it that the classifier sees as it."""
    y = torch.arange(10).repeat_interleave(each)
    x = G.sample(y, seeded(seed))
    return torch.stack([(classifier.predict(part) == k).float().mean() for k, part in enumerate(x.split(each))])

right = delivered(C)
print("  ".join(f"{k}: {value:.3f}" for k, value in enumerate(right)))
with claim_table():
    claim("Share classed as ordered, mean of the ten digits", right.mean(), above=0.985)
    claim("Share classed as ordered, the worst digit", right.min(), above=0.97)
reveal("09.asked", 100 * right.mean().item())

# %% [markdown]
# The classifier says *which* digit, not whether it is a good one. For that there is the Fréchet distance (notebook 06b): we
# read it off the cards of both GANs; less is better.

# %%
cards = {"without labels": load_pretrained("dcgan")[1], "with labels": card}
for name, c in cards.items():
    print(f"{name}: Fréchet distance {c.metrics['frechet']:.1f}; {c.steps:,} steps, width {c.hyperparameters['width']}")
claim("Fréchet distance of the conditional GAN", card.metrics["frechet"], below=5)

# %% [markdown]
# Do the labels make the pictures better? These two numbers do not tell: the networks differ in width and in their steps.
# To find out, change one thing and train several seeds.
#
# Each row above holds many right outputs for one input. What does the noise do, then? Hold $z$, change the label. To
# measure the handwriting we take the *slant* of notebook 08: by how many columns the ink leans to the right for each row up.

# %%
z = noise(300, seeded(4))
same_z = torch.stack([C(z, torch.full((300,), k))[:, 0] for k in range(10)])           # (10, 300, 28, 28)
same_z = (same_z + 1) / 2
show(images(same_z[:, :6].transpose(0, 1).reshape(-1, 28, 28), title="Each row one z, ordered as 0 to 9"),
     alt="Six rows of ten pictures, each made from one z, with the digits 0 to 9 as orders")
lean = np.stack([slant(x.numpy()) for x in same_z])          # (10, 300)
alike = np.corrcoef(lean)[np.triu_indices(10, 1)]            # between each two labels, over z
shuffled = np.corrcoef([np.random.default_rng(k).permutation(row) for k, row in enumerate(lean)])
with claim_table():
    claim("Same z, two labels: correlation of their slants, 45 pairs of labels", alike, above=0.8)
    claim("Other z, two labels: correlation of their slants, 45 pairs", shuffled[np.triu_indices(10, 1)], near=0,
          within=0.08)

# %% [markdown]
# Nobody asked for it, and yet $z$ holds the slant, part of the *style*. A reason may be that what the label says need
# not be said by $z$ again, and that the layers after the first are shared by all labels.
#
# Now place orders yourself. What lies halfway between the orders 3 and 8? No such order was in $G$'s training.

# %%
def place_order(digit=3, other=8, blend=0.5, noise_seed=0):
    told = (1 - blend) * one_hot(torch.tensor([digit])) + blend * one_hot(torch.tensor([other]))
    x = (C.layers(torch.cat([noise(20, seeded(noise_seed)), told.expand(20, -1)], dim=1))[:, 0] + 1) / 2
    return {"made": x.numpy(), "seen": torch.bincount(classifier.predict(x), minlength=10).numpy() / 20}

explore_canvas(place_order, [ImageGrid("made", columns=5, title="One order, twenty noises"),
                             Bars("seen", title="What the classifier sees", xlabel="digit", ylabel="share",
                                  ylim=(0, 1))],
               digit=(0, 9, 1), other=(0, 9, 1), blend=(0.0, 1.0, 0.05), noise_seed=(0, 30, 1),
               labels={"digit": "order", "other": "second order", "blend": "share of the second",
                       "noise_seed": "noise"},
               alt="Twenty pictures made to one order, and which digits the classifier sees in them")

# %% [markdown]
# ## Break it: forget the label in D
# The order goes to $G$ alone; $D$ sees pictures as in notebook 06. Beside it the two ways to tell $D$, for equally
# few steps, from the same seed.

# %%
predict("09.forgotten", "Only G hears the label. Which percentage is classed as ordered?", low=0, high=100)

# %%
def short_training(conditioning, steps=450):
    """The share classed as ordered along a short training, and G at its end."""
    small = ConditionalHyperparameters(width=16, precision=fastest_precision(), conditioning=conditioning)
    game, along = ConditionalExperiment(small, seed=0), []
    for _ in run(game, steps=steps, progress=False):
        if game.steps % 90 == 0:
            along.append(delivered(game.model, each=100).mean().item())
    return along, game.model

ways = {way: short_training(way) for way in ("projection", "concatenated", "none")}
learned = {f"label in D: {way}": along for way, (along, _) in ways.items()}
show(curves(np.arange(90, 451, 90), learned, xlabel="step", ylabel="share classed as ordered",
            title="Who tells D the label, and what G learns of it", baseline=(0.1, "luck")),
     alt="Share of pictures classed as ordered over the steps, by how D is told the label. At the last: "
         + ", ".join(f"{way} {along[-1]:.2f}" for way, (along, _) in ways.items()))

# %%
projection, concatenated, none = (along[-1] for along, _ in ways.values())
reveal("09.forgotten", 100 * none)
untold = ways["none"][1]
changed = [(untold(z[:100], torch.full((100,), a)) - untold(z[:100], torch.full((100,), b))).square().mean().item()
           for a, b in ((0, 1), (3, 7), (4, 8))]
between = (untold(z[:100], torch.zeros(100).long()) - untold(z[100:200], torch.zeros(100).long())).square().mean()
with claim_table():
    claim("Projection: share classed as ordered", projection, above=0.5)
    claim("Projection less concatenated, after the same steps: share classed as ordered", projection - concatenated,
          above=0.35)
    claim("Label in G only: share classed as ordered, a tenth is luck", none, near=0.1, within=0.05)
    claim("Label in G only: squared change by another label over that by another z, three pairs of labels",
          np.array(changed) / between.item(), below=0.05)

# %% [markdown]
# Concatenation tells $D$ the same, but after so few steps it has hardly begun to teach $G$ here. And where $D$ is not
# told, $G$ ignores what it was told. In this game all that reaches $G$ comes through $D$ (notebook 06), and this $D$ has
# the same opinion of a picture whatever was ordered. The label is then ten more numbers of noise.
#
# **Repair:** tell $D$. Or let another output of $D$'s network *guess* the label, and reward $G$ if the guess is right: an
# **auxiliary classifier** GAN, AC-GAN (Odena et al.). That trick comes next, without labels.

# %% [markdown]
# ## Without labels: mutual information
# If nobody wrote labels we can still put a **code** into $G$'s input: a category $k$, one of ten, and two **continuous
# codes** $u$, numbers in $(-1, 1)$; together $c$. A GAN is free to ignore it, as we just saw. **InfoGAN** (Chen et al.)
# demands that the code can be *told from the picture* $x = G(z, c)$: the **mutual information**
# $I(c; x) = H(c) - H(c \mid x)$ must be large.
#
# The **entropy** $H(c) = -\mathbb{E}[\log p(c)]$ is our uncertainty of the code, $H(c \mid x) = -\mathbb{E}[\log p(c \mid x)]$
# what is left once $x$ is seen, and $I$ what $x$ has told of it. (For the continuous codes $p$ is a density, and $H$ a
# differential entropy.) $H(c)$ is ours, we draw $c$. But $p(c \mid x)$ is a posterior that nobody can compute. That is
# where notebook 03 stood. Bring a guess $q(c \mid x)$ of your own:
#
# 1. Multiply and divide by $q$: $\;\mathbb{E}[\log p(c|x)] = \mathbb{E}[\log q(c|x)] + \mathbb{E}\bigl[\log \frac{p(c|x)}{q(c|x)}\bigr]$.
# 2. Draw $x$ first, then $c$ given $x$: the last term is $\;\mathbb{E}_x\, \mathrm{KL}(p(c|x) \,\|\, q(c|x))$.
# 3. A KL is at least 0. Drop it:
#
# $$I(c; x) \;\ge\; H(c) + \mathbb{E}_{c,\, x}[\log q(c \mid x)] ,$$
#
# with equality where $q$ is the posterior.

# %% [markdown]
# Notebook 03 dropped a KL from $q$ to the posterior, this one is from the posterior to $q$. So here the expectation is
# over $(c, x)$ *as they were made*, and that needs no posterior: draw $c$, make $x$, done. We check all three lines in
# a discrete world so small that everything can be counted: three codes, four noises, five possible pictures.

# %%
world = np.array([[0, 0, 1, 2], [1, 3, 3, 4], [4, 4, 4, 2]])               # picture x = G(z, c): row c, column z
joint = np.zeros((3, 5))
for i in range(3):
    for j in range(4):
        joint[i, world[i, j]] += 1 / 12                                    # p(c, x): all twelve are equally likely
p_x, posterior = joint.sum(axis=0), joint / joint.sum(axis=0)
exact = mutual_information(joint)
seen = joint > 0

def pieces(q):
    """The bound, and the mean KL that was dropped."""
    KL = (joint[seen] * np.log(posterior[seen] / q[seen])).sum()
    return np.log(3) + (joint[seen] * np.log(q[seen])).sum(), KL

guesses = [np.random.default_rng(i).dirichlet(np.ones(3), size=5).T for i in range(200)]
with claim_table():
    claim("H(c) − H(c | x) is the library's mutual information: difference",
          np.log(3) + (joint[seen] * np.log(posterior[seen])).sum() - exact, near=0, within=1e-12, exact=True)
    claim("Bound + KL is I: difference for 200 guesses", np.array([sum(pieces(q)) for q in guesses]) - exact, near=0,
          within=1e-10, exact=True)
    claim("The bound lies below I: bound less I, 200 guesses", np.array([pieces(q)[0] for q in guesses]) - exact,
          below=0, exact=True)
    claim("The bound is I where q is the posterior: difference", pieces(posterior)[0] - exact, near=0, within=1e-12,
          exact=True)
    claim("The library's bound is ours: difference", information_bound(joint, guesses[0]) - pieces(guesses[0])[0],
          near=0, within=1e-12, exact=True)

# %%
t = np.linspace(0, 1, 21)
guess = guesses[3]
along = [pieces((1 - s) * guess + s * posterior)[0] for s in t]
show(curves(t, {"bound": along}, title="A better guess raises the bound, up to the information and no further",
            xlabel="q: from a random guess (0) to the posterior (1)", ylabel="nats",
            baseline=(exact, "I(c; x), exact")),
     alt="The bound starts below zero with a random guess, rises steeply and touches the dotted line of the exact "
         "mutual information where q is the posterior")

# %% [markdown]
# ## InfoGAN
# The guess is a small network $Q$ on top of $D$'s layers: it reads $q(k \mid x)$ and a Gaussian for each continuous code.
# The term $-\log q(c \mid x)$ is added to *both* losses, so $Q$, $D$'s layers and $G$ all work on it. $H(c)$ depends on no
# weight of the networks and is left out. A nat about the category and a nat about the continuous codes have weights of
# their own, which the card holds. And $G$ gets a large category: a one-hot vector has length 1, and $z$ one of about 9,
# so ours is multiplied by 4. Below are the changed losses, and under them the term itself.

# %%
show_source(InfoGANExperiment)

# %%
show_source(log_q)

# %%
info, card = load_pretrained("infogan")
print(f"The card: {card.steps:,} steps, {card.minutes:.0f} minutes of one core, Fréchet distance "
      f"{card.metrics['frechet']:.1f}; weights: {card.hyperparameters['information']:g} for the category, "
      f"{card.hyperparameters['information_u']:g} for the continuous codes")
code, x, digits = sample_codes(info, 5000, seed=1)
table = counts(code.k.numpy(), digits)
name = table.argmax(axis=1)                                                # the commonest digit of each category
clear = np.argsort(-table.max(axis=1) / table.sum(axis=1))                 # the purest category first

rows = Code(torch.arange(10).repeat_interleave(10), torch.zeros(100, 2))
show(images(info.sample(rows, seeded(2)), row_labels=[f"k = {k}" for k in range(10)],
            title="Each row one category, ten noises. What would you call it?"),
     alt="Ten rows of ten pictures, a row for each category found without labels. The commonest digit of each, by the "
         "classifier: " + ", ".join(f"{digit} for k = {k}" for k, digit in enumerate(name)))

# %% [markdown]
# Above, both continuous codes are held at zero. For the table they are drawn, as in training.

# %%
predict("09.purity", "Call each category by its commonest digit. For which percentage of pictures is the name right?",
        low=10, high=100)

# %%
fig = matrices({"Percent, by the classifier": np.round(100 * table / table.sum(axis=1, keepdims=True))}, columns=1,
               title="Some are one digit, others a mix")
fig.axes[0].set_axis_on()
fig.axes[0].set(xlabel="digit", ylabel="category k", xticks=np.arange(10) + 0.5, xticklabels=range(10),
                yticks=np.arange(10) + 0.5, yticklabels=range(10))
pure = purity(code.k.numpy(), digits)
shares = np.sort(table / table.sum(axis=1, keepdims=True))
show(fig, alt=f"A table of ten categories by ten digits; {(shares[:, -1] > 0.9).sum()} rows have nine tenths or more "
              "in one column, the others are split over several")
print(f"categories and their commonest digits: {dict(enumerate(name.tolist()))}; digits named: {len(set(name))} of 10")
commonest = np.sort(np.argsort(table)[:, -2:])
mixed_pairs = {pair: (commonest == pair).all(axis=1).sum() for pair in ((3, 5), (1, 2))}
lean = [slant(x[(code.k.numpy() == k) & (digits == 1)].numpy()).mean()
        for k in np.flatnonzero(table[:, 1] > 0.3 * table.sum(axis=1))]
with claim_table():
    claim("Purity: share of pictures that their category's commonest digit names right", pure, above=0.75, below=0.85)
    claim("Categories that are one digit in at least nine of ten pictures", (shares[:, -1] > 0.9).sum(), above=2)
    for pair, found_pairs in mixed_pairs.items():
        claim(f"Categories whose two commonest digits are {pair}", found_pairs, near=1, within=0.1)
    claim("Categories with three ones or more in ten pictures", len(lean), near=2, within=0.1)
    claim("Slant of the ones of one of them less that of the other", max(lean) - min(lean), above=0.3)
    claim("Share of a category's two commonest digits, the least", shares[:, -2:].sum(axis=1).min(), above=0.8)
    claim("Purity of categories drawn blindly: share of the commonest digit", table.sum(axis=0).max() / 5000, below=0.2)
reveal("09.purity", 100 * pure)

# %% [markdown]
# No label was given, and yet some categories are one digit, or nearly. The others mix two to four: threes with fives,
# which are drawn alike, but ones with twos as well. Two hold many ones, upright in one of them, leaning in the other. To
# InfoGAN these are as good categories as a digit.
#
# ## Going further
# ### Readable is not meaningful
# Is the code of those not learned well? We ask how much can be *read*. Any reader gives a bound, also one that is trained
# afterwards: softmax regression from pixels to $k$. It is tested on pictures that it has not seen.

# %%
def readable(G):
    """The bound on I(k; x) in nats, by a reader trained on 4,000 pictures and held against 1,000 others."""
    code, x, _ = sample_codes(G, 5000, seed=3)
    reader = SoftmaxRegression(l2=1e-3, max_iter=60).fit(x[:4000].flatten(1), code.k[:4000])
    log_guess = reader.log_posterior(x[4000:].flatten(1))
    return np.log(10) + log_guess.gather(1, code.k[4000:, None]).mean().item()

in_picture, in_digit = readable(info), mutual_information(table)
print(f"of log 10 = {np.log(10):.2f} nats: {in_picture:.2f} to be read from the picture, {in_digit:.2f} from its digit")
with claim_table():
    claim("What can be read from the picture, at least, as part of H(k)", in_picture / np.log(10), above=0.97)
    claim("Nats about k in the picture that its digit does not have", in_picture - in_digit, above=0.35)

# %% [markdown]
# The information is there. But nobody said that a category should be a *digit*. An extreme case: a generator that draws
# any digit and marks the code as a dot in the margin. It has all the information that there is.

# %%
k = torch.arange(2000) % 10
marked = plain.clone()
marked[torch.arange(2000), 0, 2 * k] = 1                                   # a dot in the first row
show(images(marked[:10], labels=[f"k = {i}" for i in range(10)], title="The code is in the margin"),
     alt="Ten unrelated digits, each with one black dot in the top row, further to the right for a higher category")
read = marked[:, 0, 0:20:2].argmax(dim=1)
sure = np.full((10, 10), 1e-9) + np.eye(10) * (1 - 1e-8)
with claim_table():
    claim("A reader of dots: its bound as part of H(k)",
          information_bound(counts(k.numpy(), read.numpy()), sure) / np.log(10), above=0.99)
    claim("A code in the margin: purity of its categories", purity(k.numpy(), classifier.predict(marked).numpy()),
          below=0.2)

# %% [markdown]
# So a small $-\log q(c \mid x)$ is no proof that codes are digits. What a code means must be measured each time.
#
# ### What the continuous codes do
# Hold $z$ and $k$ and move one continuous code: in the purest category and the most mixed one, for two noises each. We go
# beyond $(-1, 1)$, where it was trained, to see the trend.

# %%
steps = torch.linspace(-2, 2, 9)

def moved(i, k, seed):
    u = torch.zeros(9, 2)
    u[:, i] = steps
    rng = torch.Generator()
    return torch.cat([info.sample(Code(torch.tensor([k]), u[j:j + 1]), rng.manual_seed(seed)) for j in range(9)])

held = [(i, int(k), seed) for i in (0, 1) for k in clear[[0, -1]] for seed in (5, 6)]
rows = [moved(*choice) for choice in held]
show(images(torch.cat(rows), columns=9, labels=[f"{s:g}".replace("-", "−") for s in steps.tolist()] + [""] * 63,
            row_labels=[f"u{'₁₂'[i]}, k = {k}" for i, k, _ in held],
            title="One continuous code moves from −2 to 2, all else is held"),
     alt="Eight rows of nine pictures: in four the first code moves, in four the second, each for the purest and the "
         "most mixed category, with two noises")

# %%
effect = traversal_effect(info, 1000, seed=6)
for measure, values in effect.items():
    print(f"{measure:10} from −1 to 1: " + ", ".join(f"u{i} {e:+.2f}" for i, e in zip("₁₂", values, strict=True)))
largest = max(np.abs(values).max() for values in effect.values())

def made_at(u, k=code.k[:500], noise_seed=7):
    return info.sample(Code(k, u), seeded(noise_seed))

mixed = torch.full((300,), int(clear[-1]))
seen = [np.bincount(classifier.predict(made_at(torch.tensor([[u1, 0.0]]).repeat(300, 1), mixed)), minlength=10) / 300
        for u1 in (-1.0, 1.0)]
print(f"category {clear[-1]}: mostly {seen[0].argmax()} at u₁ = −1, mostly {seen[1].argmax()} at 1")
with claim_table():
    claim("Largest effect of a continuous code, in standard deviations of the test digits", largest, above=1.8)
    claim("The other code's effect on slant over that", np.abs(effect["slant"]).min() / largest, below=0.6)
    claim("Mixed category: share of the commonest digit at u₁ = −1 and at 1, the smaller",
          min(share.max() for share in seen), above=0.9)
    claim("Mixed category: the digits at u₁ = −1 and at 1 differ", bool(seen[0].argmax() != seen[1].argmax()))

# %%
u = code.u[:500]
low, high = (made_at(torch.stack([u[:, 0], torch.full((500,), end)], dim=1)) for end in (-1.0, 1.0))
height = [(x > 0.3).any(dim=2).sum(dim=1) for x in (low, high)]
thick = [thickness(x.numpy()) for x in (low, high, made_at(u), made_at(u, noise_seed=8))]
with claim_table():
    claim("u₂ = 1 makes a picture lower than u₂ = −1: share of 500 pictures", (height[1] < height[0]).float(),
          above=0.8)
    claim("Change of thickness by u₂ over that by another z", np.abs(thick[1] - thick[0]).mean()
          / np.abs(thick[3] - thick[2]).mean(), below=0.4)

# %% [markdown]
# Slant and thickness are notebook 08's measures, here in standard deviations of all test digits. An effect is a mean over
# a thousand codes, *with its sign*: what turns one digit left and another right cancels.
#
# $u_1$ has a word of its own: it *turns* the stroke. In the mixed category it does more: it chooses the digit. $u_2$ has
# no word: it turns, too, though less, and makes most digits lower. Thickness was left to $z$. Nothing in the term asks
# for words. Try:

# %%
def found(category=int(clear[0]), u1=0.0, u2=0.0, noise_seed=0):
    code = Code(torch.full((20,), category), torch.tensor([[u1, u2]]).expand(20, 2))
    x = info.sample(code, seeded(noise_seed))
    return {"made": x.numpy(), "seen": torch.bincount(classifier.predict(x), minlength=10).numpy() / 20}

explore_canvas(found, [ImageGrid("made", columns=5, title="One code, twenty noises"),
                       Bars("seen", title="What the classifier sees", xlabel="digit", ylabel="share", ylim=(0, 1))],
               category=(0, 9, 1), u1=(-2.0, 2.0, 0.1), u2=(-2.0, 2.0, 0.1), noise_seed=(0, 30, 1),
               labels={"category": "category k", "u1": "u₁", "u2": "u₂", "noise_seed": "noise"},
               alt="Twenty pictures made from one code, and which digits the classifier sees in them")

# %% [markdown]
# ### Break it: the information is worth nothing
# The same small network twice, with the term and with its weight at 0. Nothing else differs.

# %%
def short_info(weight, steps=450):
    small = InfoGANHyperparameters(width=16, precision=fastest_precision(), information=weight,
                                   information_u=0.1 * weight)
    game = InfoGANExperiment(small, seed=0)
    for _ in run(game, steps=steps, progress=False):
        pass
    return game.model

def made_from(G, k, noise_seed):
    return G.sample(Code(k, torch.zeros(len(k), 2)), seeded(noise_seed))

with_term, without = short_info(1.0), short_info(0.0)
show(images(torch.cat([made_from(G, torch.full((10,), k), 1) for G in (with_term, without) for k in (0, 5)]),
            row_labels=[f"weight {w}, k = {k}" for w in (1, 0) for k in (0, 5)],
            title="At weight 1 the row (code) decides, at weight 0 the column (noise)"),
     alt="Four rows of ten scribbles, a noise for each column: two categories with the information term, and the same "
         "two without")

# %%
k, by_k, by_z = torch.arange(500) % 10, {}, {}
for weight, G in ((1, with_term), (0, without)):
    x = made_from(G, k, 1)
    others = made_from(G, (k + 1) % 10, 1), made_from(G, k, 2)
    by_k[weight], by_z[weight] = (((x - other)**2).mean() for other in others)
with claim_table():
    claim("With the term: squared change by another k over that by another z", by_k[1] / by_z[1], above=1.5)
    claim("Without the term: squared change by another k over that by another z", by_k[0] / by_z[0], below=0.6)
    claim("Squared change by another z: with the term over without", by_z[1] / by_z[0], below=0.6)
    claim("Without the term: part of H(k) that a reader finds", readable(without) / np.log(10), above=0.6)

# %% [markdown]
# After so few steps neither draws digits. At weight 0 nothing asks $G$ to use its code, and the noise decides more. Yet a
# reader who is trained afterwards finds much of the category: $G$ hands on what it was told. Readable is not meaningful,
# once more. With the term the code decides, here so much that ten noises look alike. **Repair:** the term, and not too
# much of it: its weight divides the players' efforts between likeness and readability.
#
# ## Your turn
# **1.** The projection discriminator's logit. Note that `@` would multiply *every* picture with every row that it is
# given; here each picture has a row of its own.

# %% tags=["exercise"]
def projection_logit(phi, y, v, w, b):
    """Logits (n,) from features phi (n, d), labels y (n,), vectors v (K, d), and ψ(φ) = w·φ + b: w (d,), b a number."""
    ### BEGIN SOLUTION
    return phi @ w + b + (v[y] * phi).sum(dim=1)
    ### END SOLUTION

# %%
check("09.projection", projection_logit)

# %% [markdown]
# **2.** InfoGAN's bound for a uniform category. Mind the sign.

# %% tags=["exercise"]
def category_bound(k, log_q):
    """H(k) + E[log q(k | x)] in nats from the categories k (n,) used and log q (n, K): a 0-d tensor."""
    ### BEGIN SOLUTION
    return np.log(log_q.shape[1]) + log_q.gather(1, k[:, None]).mean()
    ### END SOLUTION

# %%
check("09.bound", category_bound)

# %% [markdown]
# **3.** The exact information, where a table is all there is. Some entries may be zero.

# %% tags=["exercise"]
def information(joint):
    """I(c; x) in nats, a number, from a table p(c, x), array (C, X), that adds up to one."""
    ### BEGIN SOLUTION
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    p = joint > 0
    return (joint[p] * np.log(joint[p] / independent[p])).sum()
    ### END SOLUTION

# %%
check("09.information", information)

# %% [markdown]
# ## What to keep
# - One input, many right outputs: squared error answers with their average, a discriminator accepts each of them.
# - In a conditional GAN the gradient that reaches $G$ must depend on the label: through a $D$ that is told, or through an
#   auxiliary classifier that guesses it.
# - $a(x, y) = v_y \cdot \varphi(x) + \psi(\varphi(x))$: label and picture must meet, in a product or early.
# - Mutual information has a bound: $I(c; x) \ge H(c) + \mathbb{E}[\log q(c \mid x)]$: the ELBO's trick, a KL dropped. High
#   information says that a code can be read, not what it means.
#
# **Read on:**
#
# - M. Mirza, S. Osindero, [*Conditional Generative Adversarial Nets*](https://arxiv.org/abs/1411.1784), arXiv (2014).
# - T. Miyato, M. Koyama, [*cGANs with Projection Discriminator*](https://arxiv.org/abs/1802.05637), ICLR (2018).
# - X. Chen et al., [*InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial
#   Nets*](https://arxiv.org/abs/1606.03657), NIPS (2016).
# - D. Barber, F. Agakov, [*The IM
#   Algorithm*](https://proceedings.neurips.cc/paper/2003/hash/a6ea8471c120fe8cc35a2954c9b9c595-Abstract.html), NIPS
#   (2003).
# - A. Odena, C. Olah, J. Shlens, [*Conditional Image Synthesis with Auxiliary Classifier
#   GANs*](https://arxiv.org/abs/1610.09585), ICML (2017).
#
# **Next:** notebook 09b puts the game on a plane, where every mode can be counted, and changes what $D$ measures.
