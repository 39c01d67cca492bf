# %% [markdown]
# # 01 · Generative or discriminative?
#
# You have labelled pictures and want a **classifier**, a program that names new ones.
# **Should it learn what each class looks like, or only how to tell the classes apart?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | fit naive Bayes by counting, logistic regression by descent, and say what each can be asked |
# | You need | conditional probability, covariance, the Gaussian density, a derivative (PyTorch: `torch.func.grad`) |
# | Time | 40 seconds to run · seed 0 |

# %%
import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from course_lib.data import TwoGaussians, load_mnist
from course_lib.live import explore
from course_lib.models.logistic import SoftmaxRegression
from course_lib.models.naive_bayes import BernoulliNB, GaussianNB, NaiveBayes
from course_lib.plots import bars, clouds_and_border, curves, images, plane, points, show, small_multiples
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal, show_source

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** An hour and a half with the exercises. Collect the first prediction by a show of hands before
# anyone runs the cell: most people forget the prior. If time is short, leave *How many examples?* for homework.
# *Going further* is what students remember; let them argue why the model likes ones before you scroll on.
#
# - **Prepare.** Nothing but a show of hands; run the digits once, for the time that they take.
# - **01.dog.** well above a half: the prior is forgotten. Draw a hundred animals as dots.
# - **The discriminative model: logistic regression, by descent.** Ask which parameters of the generative model it
#   never estimates.
# - **01.winner.** the Gaussian model, for grey levels say more than ink or no ink. Ask what its variance is in the
#   corners.
# - **01.one.** “better than a coin”: a density is thought to know what it has not seen. What does a white pixel cost?
# - **01.complexity.** “doubles”: more parameters, more examples. What does it take to get every one of D frequencies
#   right enough?

# %% [markdown]
# ## A warm-up: Bayes' rule
# One picture in ten shows a dog. Floppy ears are seen on eight dogs in ten, and on one in ten of all other
# pictures. You see floppy ears.
#
# Under the answer stands a **claim**: a number of the text, measured again just now. It holds if it is `above` or
# `below` a limit, or `near` a value `within` a tolerance; `exact` marks an identity, true up to rounding. Of $n$ values, one
# for each test digit or **seed** (which fixes all draws), we claim the mean. Shown are mean ± **standard error** (the
# values' standard deviation over $\sqrt n$) and how many single values keep the limit. The mean must keep it even two
# standard errors either way.

# %%
predict("01.dog", "What is the probability, in percent, that this is a dog?", low=0, high=100)

# %%
p_dog = torch.tensor([0.9, 0.1])     # p(y): other, dog
p_ears = torch.tensor([0.1, 0.8])    # p(ears | y)
p_joint = p_dog * p_ears             # p(ears, y)
p_posterior = p_joint / p_joint.sum()

reveal("01.dog", 100 * p_posterior[1])
claim("Less than half of the pictures with floppy ears show a dog: their share", p_posterior[1], near=8 / 17,
      within=1e-6, exact=True)

# %% [markdown]
# That was **Bayes' rule**:
#
# $$p(y \mid x) = \frac{p(x, y)}{p(x)} = \frac{p(y)\,p(x \mid y)}{\sum_{y'} p(y')\,p(x \mid y')}.$$
#
# $p(y)$ is the **prior**, $p(x \mid y)$ the **likelihood** of the class, $p(y \mid x)$ the **posterior**. $p(x)$ is the
# **marginal**: the class is summed out. There are two ways to build a classifier.
#
# - A **generative model** learns the **joint distribution** $p(x, y) = p(y)\,p(x \mid y)$: how often each class occurs,
#   and how its members look. Bayes' rule then answers the question about $y$.
# - A **discriminative model** learns $p(y \mid x)$ directly, and nothing about $x$.
#
# | Question | needs | generative | discriminative |
# |---|---|---|---|
# | Which class is this? | $p(y \mid x)$ | yes | yes |
# | Draw me a new one. | $x \sim p(x \mid y)$ | yes | no |
# | Some of it is hidden. Which class? | $\sum_{x_\text{hidden}} p(x, y)$ | yes | if trained for what is hidden |
# | Have you seen anything like this? | $p(x)$ | it has an answer | only how sure it is of its class |
#
# We now build one of each, and put the first three questions to them. The fourth opens *Going further*.

# %% [markdown] cited="2.5"
# ## The generative model: naive Bayes, by counting
# Two classes in the plane, each a round Gaussian of standard deviation 1, their means 2.5 apart. So we know the true
# $p(x, y)$. To name at each $x$ the class $y$ of the largest $p(x, y)$ is to be right most often: that share of right answers
# is the **best possible accuracy**.

# %%
toy = TwoGaussians(separation=2.5)
x, y = toy.sample(300, seeded())

show(points({"300 points to learn from": (x, y)}, title="Two classes that overlap"),
     alt="Two round clouds of points: class 0 on the left, class 1 on the right, overlapping in the middle")

# %% [markdown]
# **Naive Bayes** assumes that the **features**, the parts $x_j$ of $x$, are independent once the class is known
# (**conditional independence**): $p(x \mid y) = \prod_j p(x_j \mid y)$. Take each factor to be a Gaussian.
# **Maximum likelihood** asks for the parameters that make the data most probable. For the mean of one feature in one
# class, with $x_i$ that feature of example $i$,
#
# $$\frac{\partial}{\partial\mu}\sum_i \log \mathcal{N}(x_i; \mu, \sigma^2)
#   = \sum_i \frac{x_i - \mu}{\sigma^2} = 0
#   \quad\Longrightarrow\quad \mu = \frac{1}{n}\sum_i x_i .$$
#
# The logarithm has removed the exponential. The derivative vanishes where the deviations cancel: at the average. The derivative
# with respect to $\sigma^2$ is $\sum_i \bigl((x_i - \mu)^2 / \sigma^2 - 1\bigr) / (2\sigma^2)$; it vanishes where
# $\sigma^2$ is the average of $(x_i - \mu)^2$. The class shares must sum to one, $\pi$ for class 1 and $1 - \pi$ for
# class 0. With $n_k$ labels of class $k$, their log-likelihood is $n_1 \log \pi + n_0 \log(1 - \pi)$. Its derivative,
# $n_1/\pi - n_0/(1 - \pi)$, vanishes at the relative count $\pi = n_1 / (n_0 + n_1)$. Nothing needs to be searched.

# %%
prior = torch.stack([(y == k).float().mean() for k in (0, 1)])          # p(y): count
mu = torch.stack([x[y == k].mean(dim=0) for k in (0, 1)])               # average
var = torch.stack([x[y == k].var(dim=0, correction=0) for k in (0, 1)])

def log_joint(x):
    """log p(x, y) for both classes, shape (n, 2)."""
    gauss = torch.distributions.Normal(mu, var.sqrt())                  # (2 classes, 2 features)
    per_feature = gauss.log_prob(x[:, None, :])                         # (n, 1, 2) against (2, 2): (n, 2, 2)
    return prior.log() + per_feature.sum(dim=2)                         # independent: logs add up

# %%
def log_likelihood(mean):
    return torch.distributions.Normal(mean, var[0].sqrt()).log_prob(x[y == 0]).sum()

slope = torch.func.grad(log_likelihood)(mu[0])
library = GaussianNB().fit(x, y)
with claim_table():
    claim("At the average the log-likelihood is flat: largest slope", slope.abs().max(), below=0.01, exact=True)
    claim("The library's naive Bayes says the same: largest difference of log p(x, y)",
          (library.log_joint(x) - log_joint(x)).abs().max(), below=1e-4, exact=True)

# %% [markdown]
# ## The discriminative model: logistic regression, by descent
# **Logistic regression** takes $p(y = 1 \mid x) = \sigma(w^\top x + b)$. Here $\sigma$ is no deviation but a function, the
# **sigmoid** $\sigma(a) = 1 / (1 + e^{-a})$. So the **log odds** $\log \frac{p(y = 1 \mid x)}{p(y = 0 \mid x)}$ are
# $a = w^\top x + b$, and where they are 0 runs the **decision boundary**: a straight line. We want the weights that make
# the *labels* most probable. One example **costs**
#
# $$-\log p(y \mid x) = -y \log \sigma(a) - (1 - y) \log(1 - \sigma(a)) ;$$
#
# the mean cost is the **cross-entropy**.
# Since $\sigma'(a) = \sigma(a)\,(1 - \sigma(a))$, its derivative with respect to $a$ is
# $-y\,(1 - \sigma(a)) + (1 - y)\,\sigma(a) = \sigma(a) - y$, and by the chain rule
#
# $$-\frac{\partial}{\partial w} \log p(y \mid x) = \bigl(\sigma(w^\top x + b) - y\bigr)\,x :$$
#
# prediction minus truth, times the input (for $b$: times 1). Setting the sum to zero has no closed solution, so we use
# **gradient descent**: step by step downhill.

# %%
def descend(x, y, steps=5000, rate=1.0, l2=1e-3):
    """Logistic regression in steps of size rate, with a small penalty l2/4·|w|², explained below."""
    w, b = torch.zeros(x.shape[1]), torch.zeros(())
    for _ in range(steps):
        error = torch.sigmoid(x @ w + b) - y
        w = w - rate * ((error[:, None] * x).mean(dim=0) + l2 / 2 * w)
        b = b - rate * error.mean()
    return w, b

w, b = descend(x, y)

# %% [markdown]
# Why a penalty? If some line separates the classes, doubling its $w$ and $b$ raises the likelihood. And
# weights that fit the accidents of the training set, which is **overfitting**, tend to be large. A penalty on them is
# **regularization**; its strength is `l2`.
#
# The library's version is **softmax regression**, for any number of classes, each with its weights:
# $a_k = w_k^\top x + b_k$, and $p(y = k \mid x) = e^{a_k} / \sum_{k'} e^{a_{k'}}$, the **softmax** of the $a_k$. It
# adds the penalty `l2`$/2 \cdot \sum_k |w_k|^2$ to the mean cost. Of two classes the softmax is $\sigma(a_1 - a_0)$: this
# is logistic regression, with $w = w_1 - w_0$. The penalty is least if $w_1 = w/2$ and $w_0 = -w/2$. Then it is
# `l2`$/4 \cdot |w|^2$, as above.
# (**Logits**: the numbers before softmax or $\sigma$.)

# %%
v = torch.tensor([0.3, -0.2])
by_hand = ((torch.sigmoid(x @ v) - y)[:, None] * x).mean(dim=0)
by_autograd = torch.func.grad(lambda v: binary_cross_entropy_with_logits(x @ v, y.float()))(v)
logistic = SoftmaxRegression(l2=1e-3).fit(x, y)
difference = (logistic.W[1] - logistic.W[0]) - w
with claim_table():
    claim("The gradient derived above is the one that autograd finds", (by_hand - by_autograd).abs().max(), below=1e-6,
          exact=True)
    claim("The library's optimiser ends at the same weights: largest difference", difference.abs().max(), below=0.01)

# %% [markdown]
# ## What each has learned: a density, a decision boundary
# Left, the ellipses stand one and two standard deviations around the mean of each class.

# %%
def side_by_side(x, y, nb, lr, title):
    axis, grid = plane()
    grid = torch.tensor(grid, dtype=x.dtype)
    return clouds_and_border(x, y, mu=nb.mu, var=nb.var, axis=axis, density=nb.log_prob(grid).exp(),
                             probability=lr.log_posterior(grid)[:, 1].exp(), title=title)

show(side_by_side(x, y, library, logistic, "One learned two clouds, the other a decision boundary"),
     alt="Left, two sets of ellipses over the two point clouds with a density around them; right, the same points over "
         "a smooth change from class 0 to class 1 with a straight border between the clouds")

# %%
x_test, y_test = toy.sample(50_000, seeded(1))
accuracy = {"naive Bayes": (library.predict(x_test) == y_test).float().mean(),
            "logistic regression": (logistic.predict(x_test) == y_test).float().mean()}
with claim_table():
    for name, value in accuracy.items():
        claim(f"The accuracy of {name}, less the best possible one, {toy.best_accuracy:.3f}", value - toy.best_accuracy,
              near=0, within=0.02)

# %% [markdown]
# As classifiers both are near the best. Now ask both for **new points**. Naive Bayes draws a class, then a point from
# that class. Logistic regression holds three numbers, $w$ and $b$: given a point, they say how to colour it. The points
# must come from elsewhere; here we bring a uniform square.

# %%
new_x, new_y = library.sample(300, seeded(2))
square = 10 * torch.rand(300, 2, generator=seeded(3)) - 5
coloured = torch.bernoulli(logistic.log_posterior(square)[:, 1].exp(), generator=seeded(4)).long()

show(points({"drawn by naive Bayes": (new_x, new_y), "coloured by logistic regression": (square, coloured)},
            title="Only one of them knows where points lie"),
     alt="Left, two clouds like the training data; right, a square full of points, class 0 on the left half and class "
         "1 on the right half")

# %% [markdown]
# ## Break it: correlated features
# Naive Bayes *assumes* independence. Move `correlation` away from zero: with these two means the best possible accuracy
# rises. Who follows, and who stays put? Look at the ellipses, which can only stretch along the axes. Then take twenty
# points, a tenth of them in class 1. A model that says 0 each time is right on nine in ten: read in the title whether
# naive Bayes does better, without correlation and with a strong one.
#
# In truth both classes are Gaussians with the same covariance. So the terms of second order in $x$ are the same in both
# true $\log p(x \mid y)$ and cancel: the true log odds are linear in $x$, as logistic regression assumes, whatever the
# correlation. Naive Bayes has no term for the correlation. (It estimates a variance for each class; where these differ,
# its boundary is slightly curved.)

# %%
def compare(n=300, separation=2.5, correlation=0.0, share=0.5):
    world = TwoGaussians(separation, correlation, share)
    y = (torch.arange(n) < round(share * n)).long()
    x = world.sample_given(y, seeded())
    nb, lr = GaussianNB(1e-6).fit(x, y), SoftmaxRegression(l2=1e-3).fit(x, y)   # 1e-6: no variance is quite 0
    x_test, y_test = world.sample(5_000, seeded(1))
    right = [(model.predict(x_test) == y_test).float().mean() for model in (nb, lr)]
    return side_by_side(x, y, nb, lr, f"Accuracy: naive Bayes {right[0]:.3f}, logistic regression {right[1]:.3f}, "
                                      f"best possible {world.best_accuracy:.3f}")

explore(compare, n=(20, 500, 20), separation=(0.5, 5.0, 0.25), correlation=(-0.95, 0.95, 0.05),
        share=(0.1, 0.9, 0.1), labels={"share": "share of class 1", "n": "training points"},
        alt="Training points with what naive Bayes and logistic regression learned from them")

# %%
leaning = TwoGaussians(separation=2.5, correlation=0.8)
x_train, y_train = leaning.sample(2_000, seeded())
x_test, y_test = leaning.sample(50_000, seeded(1))

def lost(predicted):
    """How far an accuracy stays below the best possible one."""
    return leaning.best_accuracy - (predicted == y_test).float().mean()

naive, straight = GaussianNB().fit(x_train, y_train), SoftmaxRegression(l2=1e-3).fit(x_train, y_train)
with claim_table():
    claim("Naive Bayes loses this much accuracy to its assumption", lost(naive.predict(x_test)), above=0.06)
    claim("Logistic regression, which assumes only a straight boundary, loses next to none",
          lost(straight.predict(x_test)), below=0.01)

# %% [markdown]
# **Repair.** Generative does not mean naive. Give each class a full covariance, still without a search. (`cov` divides
# by $n - 1$, not $n$.)

# %%
clouds = [x_train[y_train == k] for k in (0, 1)]
full = [torch.distributions.MultivariateNormal(c.mean(dim=0), c.T.cov()) for c in clouds]
named = torch.stack([f.log_prob(x_test) for f in full], dim=1).argmax(dim=1)   # the classes are equally frequent
claim("With full covariances the generative model loses next to nothing", lost(named), below=0.01)

# %% [markdown]
# ## Real data: handwritten digits
# MNIST: grey pictures of digits, $28 \times 28 = 784$ pixels each. **Bernoulli** naive Bayes makes every pixel ink,
# $x_j = 1$, if its grey is above one half of the scale, else white, $x_j = 0$: it is **binarized**.
# With $\theta_{kj}$, the probability that pixel $j$ is inked in class $k$,
# $p(x_j \mid y = k) = \theta_{kj}^{x_j} (1 - \theta_{kj})^{1 - x_j}$: that is $\theta_{kj}$ for ink and
# $1 - \theta_{kj}$ for white. Its logarithm is $x_j \log \theta_{kj} + (1 - x_j) \log(1 - \theta_{kj})$.
#
# Maximum likelihood counts: $\theta_{kj}$ is the share of class $k$'s pictures with ink at $j$. If there is none,
# $\theta_{kj} = 0$, and one speck there makes a picture impossible. So $\alpha$ imaginary inked and $\alpha$ imaginary
# white examples are added to the counts: $\alpha$ is a **pseudo-count**, here 1.
#
# **Gaussian** naive Bayes averages grey values. Softmax regression sees grey values, too, and has ten classes now.

# %%
predict("01.winner", "All training digits are used. Which model names test digits best?",
        options=["Bernoulli naive Bayes", "Gaussian naive Bayes", "softmax regression"])

# %%
train, test = load_mnist("train"), load_mnist("test")
ink_test = test.binarized().flatten(1)                                   # zeros and ones

bernoulli = BernoulliNB().fit(train.ink().flatten(1), train.labels)      # True where there is ink
gaussian = GaussianNB().fit(train.flat(), train.labels)
smoothed = GaussianNB(var_smoothing=0.1).fit(train.flat(), train.labels)   # a tenth of the largest variance for all
softmax = SoftmaxRegression(l2=1e-4, max_iter=60).fit(train.flat(), train.labels)

# %%
def right_of(model, pixels, **options):
    """For each test digit 1 if it is named right, else 0."""
    return (model.predict(pixels, **options) == test.labels).float()

def accuracy_of(model, pixels, **options):
    return right_of(model, pixels, **options).mean().item()

score = {"Bernoulli naive Bayes": accuracy_of(bernoulli, ink_test),
         "Gaussian naive Bayes": accuracy_of(gaussian, test.flat()),
         "Gaussian, smoothed": accuracy_of(smoothed, test.flat()),
         "softmax regression": accuracy_of(softmax, test.flat())}
offered = {name: value for name, value in score.items() if name != "Gaussian, smoothed"}
reveal("01.winner", offered, lambda scores: max(scores, key=scores.get))
with claim_table():
    claim("Bernoulli naive Bayes: share of test digits named right", score["Bernoulli naive Bayes"], near=0.843,
          within=0.01)
    claim("Gaussian naive Bayes: share of test digits named right", score["Gaussian naive Bayes"], near=0.556,
          within=0.02)
    claim("Gaussian naive Bayes with every variance raised: share named right", score["Gaussian, smoothed"], near=0.815,
          within=0.01)
    claim("Softmax regression, on grey digits, is ahead of Bernoulli naive Bayes, on inked ones, by",
          right_of(softmax, test.flat()) - right_of(bernoulli, ink_test), above=0.06)

# %% [markdown]
# The Gaussian model trips over pixels that are white in all training pictures of a class: their variance is 0. The
# library adds a tiny number to each variance, so white has a huge density there: classes with most such pixels win.
# Raising all variances mends most of it.
#
# Bernoulli naive Bayes learned $\theta_{kj}$ for every digit and pixel. Imagine first what a digit drawn from them
# will look like. Then look.

# %%
theta = bernoulli.theta.view(10, 28, 28)
drawn = torch.cat([bernoulli.sample(1, seeded(k), label=k)[0] for k in range(10)]).view(10, 28, 28)
real = torch.stack([test.binarized()[test.labels == k][0] for k in range(10)])

show(images(torch.cat([theta, drawn, real]), title="The averages are digits, the samples fall apart",
            row_labels=["learned θ", "drawn", "real"]),
     alt="Three rows of the digits 0 to 9: smooth average digits; noisy samples whose pixels flicker independently; "
         "clean real digits")

# %% [markdown]
# Every drawn pixel has the right probability, and yet no stroke hangs together. In a real digit an inked pixel makes
# ink next to it likely. Given the class, naive Bayes draws each pixel on its own. We can measure that:

# %%
def neighbour_correlation(pixels, labels):
    """Correlation of a pixel with the one to its right, within classes."""
    picture = pixels.view(-1, 28, 28)
    rest = torch.cat([picture[labels == k] - picture[labels == k].mean(dim=0) for k in range(10)])
    return (rest[:, :, 1:] * rest[:, :, :-1]).mean() / (rest**2).mean()

with claim_table():
    claim("Correlation of neighbouring pixels, real digits", neighbour_correlation(ink_test, test.labels), near=0.6,
          within=0.1)
    claim("Correlation of neighbouring pixels, drawn by naive Bayes",
          neighbour_correlation(*bernoulli.sample(10_000, seeded())), near=0, within=0.005)

# %% [markdown]
# ## How many examples?
# Ng and Jordan (2001) proved: with $D$ features, a number of examples of order $\log D$ is enough for naive Bayes to
# come near its own best accuracy, one of order $D$ for logistic regression. The part about naive Bayes has two
# conditions: no probability in the model is close to 0 or 1, and for most $x$ its log odds grow in proportion to $D$. With
# endless examples logistic regression is at least as accurate. So the **learning curves**, accuracy over the number of
# examples, may cross. We try it in a made-up world, fifteen
# pairs of bits, where the first bit of a pair depends on the class and the second often copies the first; and on digits,
# with softmax regression.

# %%
sizes = np.array([20, 50, 100, 200, 400, 800, 1600])

def copied_bits(n, rng):
    """n examples of 15 pairs of bits, shape (n, 30), and their labels. A second bit copies its first 6 times in 10."""
    y = torch.arange(n) % 2
    first = torch.bernoulli((0.35 + 0.3 * y)[:, None].expand(n, 15), generator=rng)
    copied = torch.rand(n, 15, generator=rng) < 0.6
    second = torch.where(copied, first, torch.bernoulli(torch.full((n, 15), 0.5), generator=rng))
    return torch.cat([first, second], dim=1), y

def fit_both(x, y, x_test, y_test, alphas=(1.0,), l2=1e-3):
    """Test accuracy of naive Bayes, with its best pseudo-count of alphas, and of logistic or softmax regression."""
    models = *(BernoulliNB(alpha).fit(x, y) for alpha in alphas), SoftmaxRegression(l2=l2, max_iter=60).fit(x, y)
    *naive, logistic = [(model.predict(x_test) == y_test).float().mean().item() for model in models]
    return max(naive), logistic

def on_bits(n, seed, **options):
    x, y = copied_bits(n + 10_000, seeded(seed))
    return fit_both(x[:n], y[:n], x[n:], y[n:], **options)

def on_digits(n, seed, **options):
    few = train.balanced(n // 10, seeded(seed))
    return fit_both(few.binarized().flatten(1), few.labels, ink_test, test.labels, **options)

# %%
def learning_curves(world, rival, sets=5):
    """Accuracies, one array (size, training set) for each model; those of one size are independent."""
    result = np.array([[world(int(n), seed) for seed in range(sets)] for n in sizes])
    return {"naive Bayes": result[:, :, 0], rival: result[:, :, 1]}

def draw_curves(result, title):
    return curves(sizes, {k: r.mean(axis=1) for k, r in result.items()}, title=title, log_x=True,
                  bands={k: (r.min(axis=1), r.max(axis=1)) for k, r in result.items()},
                  xlabel="training examples (bands: all training sets)", ylabel="test accuracy")

def in_words(result):
    return "Mean accuracies from 20 to 1,600 examples. " + "; ".join(
        f"{k}: {', '.join(f'{value:.3f}' for value in r.mean(axis=1))}" for k, r in result.items())

bits, digits = learning_curves(on_bits, "logistic regression"), learning_curves(on_digits, "softmax regression")
show(draw_curves(bits, "With copied bits, naive Bayes is ahead first, then behind"), alt=in_words(bits))
show(draw_curves(digits, "On digits, softmax regression is ahead, on average"), alt=in_words(digits))

# %%
lead = {name: np.subtract(*r.values()) for name, r in (("bits", bits), ("digits", digits))}
with claim_table():
    claim("Copied bits, 50 examples: naive Bayes' lead", lead["bits"][sizes == 50][0], above=0)
    claim("Copied bits, 1,600 examples: naive Bayes' lead", lead["bits"][sizes == 1600][0], below=0)
    claim("Digits, 50 examples: naive Bayes' lead", lead["digits"][sizes == 50][0], below=0)
    claim("Digits, 1,600 examples: naive Bayes' lead", lead["digits"][sizes == 1600][0], below=-0.03)

def leads(world, n, sets, **options):
    """Naive Bayes' lead with n examples, one for each training set."""
    return np.subtract(*np.array([world(n, seed, **options) for seed in range(sets)]).T)

# %% [markdown]
# **Sweep the loser's setting**, that is try several values, before you name a loser. On digits naive Bayes was behind. Its setting is the pseudo-count $\alpha$, so far 1. It regularizes, as a
# penalty does. Let it have, on each training set, the one that tests best. (That is generous: it looks at the test
# digits.) On few copied bits logistic regression was behind. Its setting is the strength of the penalty, `l2`: we make it
# a thousand times as large.

# %%
ALPHAS = (1.0, 0.3, 0.1, 0.01)
few, many = leads(on_digits, 50, 12, alphas=ALPHAS), leads(on_digits, 1600, 3, alphas=ALPHAS)
print(f"best α of four: ahead in {(few > 0).sum()} of 12 training sets of 50 digits, {(many > 0).sum()} of 3 of 1,600")
with claim_table():
    claim("Digits, 50 examples, best α: naive Bayes' lead", few, near=0, within=0.015)
    claim("Digits, 1,600 examples, best α: naive Bayes' lead", many, below=-0.015)
    claim("Copied bits, 50 examples, a thousand times the penalty: naive Bayes' lead", leads(on_bits, 50, 5, l2=1.0),
          near=0, within=0.02)

# %% [markdown]
# So the curves can cross, but need not. On these digits we found no head start: with few examples and a good
# $\alpha$ the two are nearly level, with many naive Bayes falls behind. And a strong penalty is an assumption, too: it
# buys the same head start.

# %% [markdown]
# ## Missing features: when pixels are hidden
# Cover the lower half of a digit. To naive Bayes this is no problem: a hidden pixel is **marginalised** out, summed
# over: $\sum_{x_j} p(x_j \mid y) = 1$, so its factor simply leaves the product. Softmax regression must be given
# *something* in place of each hidden pixel; we try white, and the average. Or we train it anew, on upper halves.

# %%
seen = (torch.arange(784) < 392).float()      # the upper half, row by row
few = train[:20_000]
whole, upper = (SoftmaxRegression(l2=1e-4, max_iter=60).fit(few.binarized().flatten(1) * shown, few.labels)
                for shown in (1, seen))
nb = BernoulliNB().fit(few.ink().flatten(1), few.labels)

means = few.binarized().flatten(1).mean(dim=0)
average = torch.where(seen.bool(), ink_test, means)
with claim_table():
    claim("Naive Bayes, hidden half summed out: share named right", accuracy_of(nb, ink_test, observed=seen), above=0.7)
    claim("Softmax regression, half left white: share named right", accuracy_of(whole, ink_test * seen), below=0.4)
    claim("Softmax regression, half filled with averages: share named right", accuracy_of(whole, average), below=0.55)
    claim("Softmax regression trained anew on upper halves is ahead of naive Bayes by",
          right_of(upper, ink_test * seen) - right_of(nb, ink_test, observed=seen), above=0.07)

# %% [markdown]
# Trained for this very half, the discriminative model wins again. But that is one model for one way of hiding. If
# every picture hides other pixels, one would train it on pictures with pixels hidden at random, which we leave out. The
# generative model needs no training for any of this. Below, softmax regression is the one trained on whole pictures.

# %%
seen_here = (torch.rand(10_000, 784, generator=seeded()) < 0.2).float()     # each picture shows another fifth
with claim_table():
    claim("Four pixels in five hidden, naive Bayes: share named right", accuracy_of(nb, ink_test, observed=seen_here),
          above=0.74)
    white, averaged = (right_of(whole, torch.where(seen_here.bool(), ink_test, other)) for other in (0 * means, means))
    claim("Naive Bayes is ahead of softmax regression with hidden pixels white by",
          right_of(nb, ink_test, observed=seen_here) - white, above=0.3)
    claim("Averages, which did better than white on lower halves, are behind white here by", white - averaged,
          above=0.02)

# %%
digit = torch.stack([ink_test[test.labels == k][1] for k in range(10)])
completed = bernoulli.inpaint(digit, seen)
show(images(torch.cat([digit * seen, completed, digit]).view(30, 28, 28), row_labels=["seen", "completed", "truth"],
            title="Naive Bayes expects a lower half from the upper one"),
     alt="Upper halves of ten digits; the same with a grey lower half filled in by naive Bayes; the whole digits")

# %% [markdown]
# The grey is an expectation: each class's average, weighted by how probable the class is. Where the upper half
# misleads, so does the completion.

# %% [markdown]
# ## Going further
# ### Out-of-distribution detection: who notices an unseen class?
# A classifier trained on cats and cars must call a dog one of the two. Can it at least notice? A number that should be
# high for what does not belong to the training distribution is an **out-of-distribution score**. We train without one
# digit, for each digit in turn, and try two scores on the test set: naive Bayes' $-\log p(x)$, "this picture is
# unlikely" (with the natural logarithm its unit is the **nat**), and the doubt $1 - \max_y p(y \mid x)$ of softmax
# regression. **AUROC** is the probability that an unseen digit scores higher than a known one: 1 is perfect, one half
# is a coin.

# %%
predict("01.one", "Naive Bayes never saw a 1. How does its score, −log p(x), do at spotting ones?",
        options=["better than a coin", "about like a coin", "worse than a coin"])

# %%
from sklearn.metrics import roc_auc_score

small = train.balanced(600, seeded())
x_small = small.binarized().flatten(1)
ood_score, sure_of = {"−log p(x)": [], "doubt": []}, {"unseen": [], "known": [], "unseen, naive Bayes": []}
for left_out in range(10):
    known, unseen = small.labels != left_out, test.labels == left_out
    nb = BernoulliNB().fit(x_small[known], small.labels[known])
    lr = SoftmaxRegression(l2=1e-3, max_iter=60, tolerance=1e-3).fit(x_small[known], small.labels[known])
    sure = lr.log_posterior(ink_test).amax(dim=1).exp()
    ood_score["−log p(x)"].append(roc_auc_score(unseen, -nb.log_prob(ink_test)))
    ood_score["doubt"].append(roc_auc_score(unseen, 1 - sure))
    sure_of["unseen"].append(sure[unseen].mean().item())
    sure_of["known"].append(sure[~unseen].mean().item())
    sure_of["unseen, naive Bayes"].append(nb.log_posterior(ink_test[unseen]).amax(dim=1).exp().mean().item())

# %%
show(bars([str(k) for k in range(10)], ood_score, title="Neither score can be trusted with every digit",
          xlabel="digit left out of training", ylabel="AUROC", baseline=(0.5, "coin")),
     alt="Bars of AUROC for each digit left out, from 0 to 9: " + "; ".join(
         f"{name} {', '.join(f'{value:.2f}' for value in values)}" for name, values in ood_score.items()))

# %%
novelty, doubt = np.array(ood_score["−log p(x)"]), np.array(ood_score["doubt"])
reveal("01.one", novelty[1], lambda auroc: "worse than a coin" if auroc < 0.45 else
       "about like a coin" if auroc < 0.55 else "better than a coin")
with claim_table():
    claim("AUROC of −log p(x) for an unseen 0", novelty[0], above=0.88)
    claim("AUROC of −log p(x) for an unseen 1", novelty[1], below=0.45)
    claim("Of ten digits, those for which −log p(x) is the better score", (novelty > doubt).sum(), below=6)

# %%
with claim_table():
    claim("Softmax regression's mean probability for its answer, known digits", np.array(sure_of["known"]), above=0.85)
    claim("The same on unseen digits, where every answer is wrong", np.array(sure_of["unseen"]), near=0.72, within=0.08)
    claim("Naive Bayes' mean probability for its answer, unseen digits", np.array(sure_of["unseen, naive Bayes"]),
          above=0.9)

# %% [markdown]
# It is often said: use $p(x)$, for $p(y \mid x)$ is confidently wrong. About $p(y \mid x)$ that is true here. A
# model is **calibrated** if, of the answers that it gives with probability $p$, a share $p$ is right. On unseen digits
# no answer is right, so both are **overconfident** there, naive Bayes most of all: it counts every pixel of a stroke as
# independent evidence. But the advice fails: its $p(x)$ prefers an unseen 1 to the digits it knows. Why? Let a picture
# *cost* $-\log p(x)$. A white pixel near the edge costs almost nothing under any class. What costs is ink. So how likely
# is a blank page?

# %%
blank = -bernoulli.log_prob(torch.zeros(1, 784)).item()
surprise, amount = -bernoulli.log_prob(ink_test), ink_test.sum(dim=1)
with claim_table():
    claim("A test digit costs on average this many nats, −log p(x)", surprise.mean(), near=168, within=5)
    claim("A blank page costs less: the cost of a test digit, less that of the page", surprise - blank, above=50)
    claim("Correlation of a test digit's cost with its amount of ink", np.corrcoef(amount, surprise)[0, 1], above=0.5)
    claim("A 1 has this share of the average digit's ink", amount[test.labels == 1].mean() / amount.mean(), below=0.7)

# %% [markdown]
# A likelihood is only as good an out-of-distribution score as the model behind it; and we shall meet good models whose
# likelihood still prefers simple pictures. Better models of $p(x)$ fill the rest of this course.

# %% [markdown]
# ### Calibration: how sure, and how often right?
# A **reliability diagram** sorts a model's answers into bins by its **confidence**, the probability of the answer it
# gives, and draws the share of right ones in each bin. The **expected calibration error** (ECE) is the mean distance of
# that share from the mean confidence, each bin weighted by the number of its answers. We draw both, *sure* and *right*,
# for the bins in which each of the two models has at least twenty answers; the others are left out. The *surplus* of an
# answer is its confidence, less 1 if it is right, less 0 if not: its mean says how much surer than right a model is.

# %%
def answers(model, x, y):
    """How sure the model is of each answer, and 1 where the answer is right, else 0; both float64 [n]."""
    sure, k = model.log_posterior(x).exp().max(dim=1)
    return sure.double().numpy(), (model.classes[k] == y).double().numpy()

def reliability(sure, right, bins=10):
    """Of each bin of equal width: number of answers, mean confidence, share right; and the ECE."""
    place = np.minimum((sure * bins).astype(int), bins - 1)
    number, confidence, share = (np.bincount(place, weights=w, minlength=bins) for w in (None, sure, right))
    error = np.abs(confidence - share).sum() / len(sure)
    return number, confidence / np.maximum(number, 1), share / np.maximum(number, 1), error

judged = {"naive Bayes": answers(bernoulli, ink_test, test.labels),
          "softmax regression": answers(softmax, test.flat(), test.labels)}
diagram = {name: reliability(*each) for name, each in judged.items()}
filled = [b for b in range(10) if min(number[b] for number, *_ in diagram.values()) >= 20]

# %%
show(bars([f"{b / 10:.1f}–{(b + 1) / 10:.1f}" for b in filled],
          {f"{name}, {what}": values[filled] for name, (_, sure, share, _) in
           zip(("Bayes", "softmax"), diagram.values(), strict=True)
           for what, values in (("sure", sure), ("right", share))},
          title="Naive Bayes is right less often than it says", xlabel="bin of confidence",
          ylabel="mean confidence, share right"),
     alt="Reliability diagram of test digits. Mean confidence, and share right, in each bin: " + "; ".join(
         f"{name}, {', '.join(f'{sure[b]:.2f} {share[b]:.2f}' for b in filled)}"
         for name, (_, sure, share, _) in diagram.items()))

# %%
too_sure = {name: sure - right for name, (sure, right) in judged.items()}
with claim_table():
    claim("Naive Bayes, test digits: expected calibration error", diagram["naive Bayes"][3], near=0.14, within=0.02)
    claim("Softmax regression, test digits: expected calibration error", diagram["softmax regression"][3], below=0.03)
    claim("Naive Bayes: by how much it is surer than right", too_sure["naive Bayes"], above=0.1)
    claim("Softmax regression: by how much it is surer than right", too_sure["softmax regression"], near=0, within=0.03)

# %% [markdown]
# Why is naive Bayes overconfident? Its log odds are a sum over pixels, a term for each. Let it see every pixel *twice*:
# no picture says more than before, yet the sum doubles. Neighbouring pixels nearly repeat each other, so a real picture
# is a little like that. Two measurements: fewer pixels, every fourth in each direction, should cure some of it. And
# where its assumption is true, it should be calibrated.

# %%
grid = torch.zeros(28, 28, dtype=torch.bool)
grid[2::4, 2::4] = True
ink, seen_ink = train.ink().flatten(1)[:, grid.flatten()], ink_test[:, grid.flatten()]              # 49 pixels
once, twice = (BernoulliNB().fit(torch.cat([ink] * n, dim=1), train.labels) for n in (1, 2))
log_likelihoods = [m.log_joint(torch.cat([seen_ink] * n, dim=1)) - m.log_prior for m, n in ((once, 1), (twice, 2))]

def surplus(model, x, y):
    """How much surer than right, of each answer."""
    sure, right = answers(model, x, y)
    return sure - right

x, y = torch.bernoulli(0.4 + 0.2 * (torch.arange(22_000) % 2)[:, None].expand(-1, 30), generator=seeded()), \
    torch.arange(22_000) % 2                                                     # 30 bits, independent given the class
fair = BernoulliNB().fit(x[:2_000], y[:2_000])
with claim_table():
    claim("Each pixel twice: log p(x | y) is doubled, largest difference",
          (log_likelihoods[1] - 2 * log_likelihoods[0]).abs().max(), below=1e-2, exact=True)
    claim("49 pixels: by how much naive Bayes is surer than right", surplus(once, seen_ink, test.labels), near=0.048,
          within=0.02)
    claim("49 pixels, each twice: the same", surplus(twice, torch.cat([seen_ink] * 2, dim=1), test.labels), above=0.08)
    claim("All pixels: the same, less that with 49",
          too_sure["naive Bayes"] - surplus(once, seen_ink, test.labels), above=0.06)
    claim("Independent bits, 2,000 examples to learn from: the same", surplus(fair, x[2_000:], y[2_000:]), near=0,
          within=0.02)

# %% [markdown]
# So it is the repeated evidence, not the counting, that makes it too sure. Accuracy does not show it: to double
# $\log p(x \mid y)$ changes an answer only where the prior decides.

# %% [markdown] cited="0.1 0.6"
# ### Sample complexity: log D examples or D?
# Back to Ng and Jordan's theorem: how many examples bring a model's error, the share of wrong answers, within
# $\varepsilon$ of the least that it can reach? That number is its **sample complexity**. We take a world in which naive
# Bayes is *right*: $D$ bits, independent given the class. Some bits vote for the class, the others for its opposite, and
# each votes as it should with probability $\frac12 + \delta$. Both models can be the truth, so both end at the error of
# Bayes' rule, which has a closed form: the classes are equally frequent, so the majority of votes decides, and it is
# wrong with the probability that a binomial count stays below $D/2$, plus half that of just $D/2$.
#
# The theorem wants log odds that grow with $D$. A vote counts $\log \frac{1/2 + \delta}{1/2 - \delta} \approx 4 \delta$
# in them, and on average $2 \delta D$ more votes are right than wrong: together about $8 \delta^2 D$. So we try two
# worlds. In one $\delta$ is fixed, 0.1, and the log odds grow. In the other $\delta = 0.6/\sqrt{D}$ shrinks, they do not
# grow, and the best error stays about as it is. We count in doublings of the number of examples.

# %% [markdown]
# To have logistic regression's weights quickly we use **Newton's method**: each step goes to the lowest point of the
# parabola that has the cost's value, slope and curvature (a matrix, `H`) at the weights so far.

# %%
predict("01.complexity", "δ is fixed: each bit says as much, however many there are. From 64 to 128 bits, the examples "
        "that naive Bayes needs", options=["doubles", "grows a little", "shrinks"])

# %%
from scipy.stats import binom

def bayes_error(D, delta):
    count = np.arange(D + 1)
    p = binom.pmf(count, D, 0.5 + delta)
    return p[2 * count < D].sum() + p[2 * count == D].sum() / 2

def newton(x, y, l2=1e-3, steps=9):
    """Logistic regression by Newton's method: w and b in one vector, and the largest entry of the last gradient."""
    x, R = torch.cat([x, torch.ones(len(x), 1)], dim=1), l2 / 2 * torch.eye(x.shape[1] + 1)
    R[-1, -1] = 1e-6                                                               # hardly any penalty on b
    w = torch.zeros(x.shape[1])
    for _ in range(steps):
        p = torch.sigmoid(x @ w)
        gradient, H = x.T @ (p - y) / len(x) + R @ w, (x.T * (p * (1 - p))) @ x / len(x) + R
        w = w - torch.linalg.solve(H, gradient)
    return w, gradient.abs().max().item()

# %%
amounts, EPSILON = 2 ** np.arange(3, 12), 0.03

def examples_needed(D, delta, seed):
    """From which amount on the test error stays within EPSILON of the best: naive Bayes, logistic regression."""
    rng = seeded(seed)
    sign = 2 * torch.bernoulli(torch.full((D,), 0.5), generator=rng) - 1
    y = torch.arange(amounts[-1] + 4_000) % 2
    x = torch.bernoulli(0.5 + delta * sign * (2 * y[:, None] - 1), generator=rng)
    x_test, y_test, wrong = x[amounts[-1]:], y[amounts[-1]:], []
    for n in amounts:
        w, gradient = newton(x[:n], y[:n])
        assert gradient < 1e-3
        said = BernoulliNB().fit(x[:n], y[:n]).predict(x_test), (x_test @ w[:-1] + w[-1] > 0).long()
        wrong.append([(k != y_test).float().mean().item() for k in said])
    late = np.array(wrong) > bayes_error(D, delta) + EPSILON                        # (amounts, 2)
    # the amount after the last late one; the largest, if that is late itself
    return amounts[np.minimum(len(amounts) - late[::-1].argmax(axis=0), len(amounts) - 1) * late.any(axis=0)]

widths = np.array([16, 32, 64, 128])
needed = {name: np.array([[examples_needed(int(D), float(d), seed) for seed in range(8)]
                          for D, d in zip(widths, deltas, strict=True)])             # (widths, seeds, 2 models)
          for name, deltas in (("δ fixed", np.full(4, 0.1)), ("δ shrinks", 0.6 / np.sqrt(widths)))}

# %%
panels = {name: {model: 2 ** np.log2(r[:, :, i]).mean(axis=1) for i, model in
                 enumerate(("naive Bayes", "logistic regression"))} for name, r in needed.items()}
show(small_multiples(widths, panels, width=4.4, log=True, xlabel="bits D", ylabel="examples (at most 2,048)",
                     title="In both worlds naive Bayes needs fewer examples than logistic regression"),
     alt="Examples needed with 16, 32, 64 and 128 bits, mean of eight worlds: " + "; ".join(
         f"{name}, {model}, {', '.join(f'{value:.0f}' for value in values)}"
         for name, lines in panels.items() for model, values in lines.items()))

# %%
doublings = {name: np.log2(r) for name, r in needed.items()}
fixed, shrinks = doublings["δ fixed"], doublings["δ shrinks"]
reveal("01.complexity", 2 ** (fixed[3, :, 0] - fixed[2, :, 0]).mean(), lambda ratio: "doubles" if ratio > 1.6 else
       "grows a little" if ratio >= 1 else "shrinks")
ones = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 8).sum(dim=1)              # of all rows of eight bits
p_0, p_1 = (0.4**ones * 0.6 ** (8 - ones), 0.6**ones * 0.4 ** (8 - ones))
check_w = newton(x[:500], y[:500])[0]
same = SoftmaxRegression(l2=1e-3).fit(x[:500], y[:500])
with claim_table():
    claim("The closed form of the best error, less the sum over all 256 rows of eight bits",
          bayes_error(8, 0.1) - torch.minimum(p_0, p_1).sum().item() / 2, near=0, within=1e-5, exact=True)
    claim("Newton's weights are the library's: largest difference", (check_w[:-1] - same.W[1] + same.W[0]).abs().max(),
          below=0.01)
    claim("δ shrinks, four times the bits: doublings of what naive Bayes needs", shrinks[2, :, 0] - shrinks[0, :, 0],
          above=1)
    claim("The same for logistic regression", shrinks[2, :, 1] - shrinks[0, :, 1], above=1)
    for name, r in doublings.items():
        claim(f"{name}, 64 bits: logistic regression needs more, in doublings", r[2, :, 1] - r[2, :, 0], above=0.5)
    claim("δ fixed, 128 bits: examples that logistic regression needs, for each bit", needed["δ fixed"][3, :, 1] / 128,
          below=1.5)
    claim("δ fixed, 64 to 128 bits: doublings of what naive Bayes needs", fixed[3, :, 0] - fixed[2, :, 0], below=0)
    claim("δ fixed, 16 to 64 bits: doublings of what logistic regression needs", fixed[2, :, 1] - fixed[0, :, 1],
          above=1)
    claim("δ fixed, 128 bits: the best error itself, over ε", bayes_error(128, 0.1) / EPSILON, near=0.375, within=0.005,
          exact=True)

# %% [markdown]
# From $D = 16$ to $D = 64$, four times as many bits, $\log D$ grows by a half. Where $\delta$ shrinks both need a number
# of order $D$, logistic regression a few times as many: the theorem does not speak of it, for there the log odds do not
# grow. Where $\delta$ is fixed they do. What naive Bayes needs hardly changes up to $D = 64$: $\log D$ is an upper limit.
# What logistic regression needs grows in about the order of $D$ until then.
#
# With $D = 128$ both need less there. Part of this is how we measure: $\varepsilon$ is added to the best error, and
# with $D = 128$ that error is less than half of $\varepsilon$. To come within $\varepsilon$ is easy, and logistic regression
# gets by with about an example a bit. What we saw agrees with the theorem, and is less neat: naive Bayes has the head
# start in both worlds, and how large it is depends on how the evidence is spread.

# %% [markdown]
# ## Your turn
# **1.** Turn log priors (shape `(K,)`) and log likelihoods (shape `(n, K)`) into posteriors, shape `(n, K)`. A picture
# has hundreds of pixels, so expect logs like $-800$, whose exponential is zero on a computer: `logsumexp` takes the
# logarithm of a sum of exponentials without computing them.

# %% tags=["exercise"]
def posterior(log_prior, log_likelihood):
    """p(y | x), shape (n, K), from log p(y), shape (K,), and log p(x | y), shape (n, K)."""
    ### BEGIN SOLUTION
    log_joint = log_prior + log_likelihood
    return (log_joint - log_joint.logsumexp(dim=1, keepdim=True)).exp()
    ### END SOLUTION

# %%
check("01.posterior", posterior)

# %% [markdown]
# **2.** Fit Bernoulli naive Bayes. For each class, estimate $\theta_{kj}$, the probability that pixel $j$ is inked,
# with `alpha` imaginary inked and `alpha` imaginary white examples added to the count of every pixel. A class may have no
# real example at all.

# %% tags=["exercise"]
def fit_bernoulli(x, y, K, alpha):
    """theta, shape (K, D), from pixels x of zeros and ones, shape (n, D), and labels y, shape (n,), in 0 … K−1."""
    ### BEGIN SOLUTION
    return torch.stack([(x[y == k].sum(dim=0) + alpha) / ((y == k).sum() + 2 * alpha) for k in range(K)])
    ### END SOLUTION

# %%
check("01.fit_bernoulli", fit_bernoulli)

# %% [markdown]
# **3.** Score pictures of which some pixels are hidden: $\log p(x_\text{observed})$, with hidden pixels and the
# unknown class summed out. `theta[k, j]` is the $\theta_{kj}$ of Bernoulli naive Bayes, as in exercise 2, and lies strictly
# between 0 and 1.

# %% tags=["exercise"]
def log_prob_observed(x, observed, log_prior, theta):
    """log p(x_observed), shape (n,), of bits x (n, D); observed (n, D): 1 if seen; log_prior (K,); theta (K, D)."""
    ### BEGIN SOLUTION
    log_factors = x[:, None] * theta.log() + (1 - x[:, None]) * (1 - theta).log()
    log_joint = log_prior + (observed[:, None] * log_factors).sum(dim=2)
    return log_joint.logsumexp(dim=1)
    ### END SOLUTION

# %%
check("01.log_prob_observed", log_prob_observed)

# %% [markdown]
# Stuck, or done? Unfold how the library does it.

# %%
show_source(BernoulliNB)

# %%
show_source(NaiveBayes)

# %% [markdown]
# ## What to keep
# - A discriminative model learns $p(y \mid x)$: one question, often answered better. A generative one learns
#   $p(x, y)$ and takes any question: classify, draw, fill in whatever is hidden, judge the picture itself.
# - A strong assumption can be a head start with few examples, as on the copied bits, and is a ceiling with many. On
#   digits we found hardly any head start: whether the curves cross is a matter of measurement.
# - $p(x)$ from a crude model is a crude out-of-distribution score (*Going further*).
#
# **Read on:**
#
# - A. Y. Ng, M. I. Jordan, [*On Discriminative vs. Generative Classifiers: A Comparison of Logistic Regression and
#   Naive Bayes*](https://proceedings.neurips.cc/paper/2001/hash/7b7a53e239400a13bd6be6c91c4f6c4e-Abstract.html), NIPS
#   14 (2001).
# - M. E. Maron, [*Automatic Indexing: An Experimental Inquiry*](https://doi.org/10.1145/321075.321084), Journal of the
#   ACM 8 (1961).
# - E. Nalisnick et al., [*Do Deep Generative Models Know What They Don't Know?*](https://arxiv.org/abs/1810.09136),
#   ICLR (2019).
# - C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, [*On Calibration of Modern Neural
#   Networks*](https://arxiv.org/abs/1706.04599), ICML (2017).
#
# **Next:** Within a class, naive Bayes draws each pixel on its own, and its digits fall apart. A mixture ties pixels
# together through a **latent variable**, a hidden choice: notebook 02, Gaussian mixtures, and how to fit them when
# nobody tells us the choice.
