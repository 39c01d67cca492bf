# %% [markdown] cited="11"
# # 11d · Classifier-free guidance: pictures on order
#
# A flow carries noise to pictures. **Can one network draw the digit that we name, and what does obedience cost?** The
# same network, as it is, also completes a torn digit and mends a scrawl.
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | say what is inside the network of a diffusion model, guide it without a classifier, fill in hidden pixels and edit a picture by noise, and measure what each of these gets wrong |
# | You need | velocity and steps (notebook 11c), score and best denoiser (notebook 11), Fréchet distance (notebook 06b) |
# | Time | 60 seconds to run · seed 0 |

# %%
import numpy as np
import torch
from IPython.display import Markdown, display

from course_lib.chapters.nb11d.standing import MODELS, standing
from course_lib.data import like_mnist, load_mnist
from course_lib.experiments.latent_flow import LatentFlowExperiment, LatentFlowHyperparameters
from course_lib.live import Curve, ImageGrid, LiveLab, Scatter, SketchPad, explore_canvas
from course_lib.measure import coverage_kl, frechet_distance, within_class_variance
from course_lib.models.flow_matching import PATH, follow, guided, in_turn, sample
from course_lib.models.guidance import guided_line, mean_and_deviation, pushed, tilted
from course_lib.models.inpainting import inpaint
from course_lib.models.noised import NoisedMixture
from course_lib.models.unet import NO_LABEL, Block, UNet
from course_lib.plots import curves, images, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal, show_source
from course_lib.training import load_pretrained, run
from course_lib.training.checkpoints import read
from course_lib.training.image_scores import features_and_probabilities, reference_features

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %%
net, card = load_pretrained("flow_matching")
train, test = load_mnist("train"), load_mnist("test")
SEEDS = range(3)

# %% [markdown] tags=["teacher"]
# **For the teacher.** Ninety minutes with the exercises. Guess before the two Gaussians: nearly everybody expects the
# tilted density. Let the class find out on the pad at which time an edited scrawl stops being
# theirs. Replacement is a good debate: it is wrong, it is used everywhere; how would one notice?
#
# - **Prepare.** A touch screen for the pad, if there is one.
# - **Guidance, exactly.** On the board: the tilted density of two Gaussians, and the guided score at each $t$; they
#   look alike.
# - **11d.tilted.** “as well”: guidance is introduced as tilting. First noise then tilt is not first tilt then noise.
# - **11d.replace.** the true probability, given the exact velocity. When is the decision made, and what was known
#   then?
# - **Editing: noise, then denoise.** Let the class call the time at which the scrawl stops being theirs, each before
#   the next.

# %% [markdown] cited="14 7 2015"
# ## The network: a U-Net
# The velocity of a picture is a picture. So the network has pixels at both ends, and is told a time and a label. Ours
# is a small **U-Net** (Ronneberger and others, 2015): down to a coarse grid, where each place sees the whole digit, and
# up again. A **skip connection** leads past the coarse part, so that fine strokes are not lost. Here the grids are
# 14x14 and 7x7.
#
# Time becomes sines and cosines, as in notebook 11. A label becomes a vector of its own, the **label embedding**. Time
# passes two small layers; then their sum sets, in every block, a scale and a shift of each channel:

# %%
show_source(Block.forward)

# %%
fresh, x = UNet(generator=seeded()), torch.randn(4, 1, 28, 28, generator=seeded(1))
t, y = torch.tensor([0.1, 0.4, 0.7, 1.0]), torch.tensor([3, 8, 0, NO_LABEL])
leaf = x.clone().requires_grad_()
(slope,) = torch.autograd.grad(net(leaf, t, y)[:, 0, 0, 0].sum(), leaf)
with claim_table():
    claim("Thousands of weights", sum(p.numel() for p in net.parameters()) / 1000, near=512.7, within=0.1, exact=True)
    claim("Largest velocity of a new network: its last layer begins at 0", fresh(x, t, y).abs().max(), below=1e-12,
          exact=True)
    claim("Share of the picture's pixels that the velocity of its corner depends on",
          (slope.abs() > 0).double().mean(dim=(1, 2, 3)), above=0.99)

# %% [markdown] cited="60,000 0.1"
# ## Training with labels left out
# The network was trained as in notebook 11c, on the 60,000 training pictures, scaled to $[-1, 1]$: draw $x_0$ with its
# label $y$, noise it to $x_t = (1 - t)\, x_0 + t\, \varepsilon$, and make $\| v(x_t, t, y) - (\varepsilon - x_0) \|^2$
# small. With probability 0.1 the label is left out, replaced by an eleventh label "none" (**label dropout**). So one
# network learns two velocities: the conditional one, $v_y(x, t)$, and the unconditional one, $v_\varnothing(x, t)$. We
# shall need both.
#
# To draw, begin with noise at $t = 1$ and follow the velocity to $t = 0$. On the way $x_t - t\, v$ is the network's
# best guess of the end, the denoised picture.

# %%
def unit(x):
    """Pictures [n, 28, 28] from 0 to 1, of pictures [n, 1, 28, 28] from −1 to 1."""
    return ((x.squeeze(1) + 1) / 2).clamp(0, 1)

times = torch.tensor([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.2, 0.05])
x, four, on_the_way, guesses = torch.randn(1, 1, 28, 28, generator=seeded(5)), torch.tensor([4]), [], []
for now, after in zip(times, [*times[1:], None], strict=True):
    on_the_way.append(unit(x))
    guesses.append(unit(x - now * net(x, now.expand(1), four)))
    if after is not None:
        x = follow(guided(net, four, 1.0), x, 2, start=now.item(), end=after.item())
show(images(torch.cat(on_the_way + guesses), columns=9, labels=[f"t = {t:g}" for t in times.tolist()] + [""] * 9,
            row_labels=["on the way", "best guess"], title="From noise to a 4: the guess sharpens on the way"),
     alt="Two rows of nine pictures from t = 1 to t = 0.05: above, noise in which a four appears; below, the network's "
         "guess of the end, which begins as a blurred four and gets sharp")

# %% [markdown]
# ## Order a digit
# Every picture comes from noise of its own. Move the sliders: how few steps suffice? What does $w$ do? (It is explained
# below; $w = 1$ is the plain way.)

# %%
def order(digit=4, w=1.0, steps=8):
    pictures = sample(net, torch.full((8,), digit), seeded(2), steps=steps, method="euler", w=w)
    return {"image": pictures.numpy()}

explore_canvas(order, [ImageGrid("image", columns=8, title="Eight orders of one digit")], digit=(0, 9, 1),
               w=(0.0, 6.0, 0.5), steps=(1, 20, 1), labels={"w": "guidance w", "steps": "Euler steps"},
               alt="Eight drawn pictures of one digit")

# %% [markdown]
# ## How many steps
# At $t = 1$ the noise says nothing of the picture. So the best guess there is the class's mean, whatever the noise: one
# Euler step lands on the mean picture (notebook 11c). More steps bring the variety back. As a measure of that we take
# the **variance within classes**: of the classifier's features (notebook 06b), the variances among pictures of *one*
# digit, summed over features, mean over digits. Real pictures show how large it should be.

# %%
asked = in_turn(150)
kinds = [torch.where(train.labels == k)[0] for k in range(10)]
real = [train[torch.stack([of[15 * s:15 * s + 15] for of in kinds], dim=1).flatten()].floats() for s in SEEDS]

def drawn(steps=8, method="euler", w=1.0, y=asked):
    """For each seed 150 pictures, the digits 0 to 9 in turn."""
    return [sample(net, y, seeded(100 + s), steps=steps, method=method, w=w) for s in SEEDS]

def judged(sets):
    """By seed: picture by picture 1 where it is read as asked, variance within classes, KL of the digits' shares."""
    seen = [features_and_probabilities(x) for x in sets]
    named = np.array([p.argmax(axis=1) for _, p in seen])
    by_digit = [f.reshape(15, 10, -1).swapaxes(0, 1) for f, _ in seen]
    return {"right": 1.0 * (named == asked.numpy()), "variety": np.array([within_class_variance(f) for f in by_digit]),
            "coverage": np.array([coverage_kl(of) for of in named])}

means = torch.stack([train[of].floats().mean(dim=0) for of in kinds])
one_step, plain = drawn(steps=1), drawn()
two_steps = drawn(steps=2)
results = {"real": judged(real), "1 step": judged(one_step), "2 steps": judged(two_steps), "8 steps": judged(plain)}
share = {name: r["variety"] / results["real"]["variety"].mean() for name, r in results.items()}
with claim_table():
    claim("One step, and the mean picture of the class: rms difference, by seed",
          [(x - means.repeat(15, 1, 1)).square().mean().sqrt() for x in one_step], below=0.03)
    claim("One step: variance within classes over that of real pictures", share["1 step"], below=0.02)
    claim("Two steps: the same", share["2 steps"], above=0.25, below=0.42)
    claim("Eight steps: the same", share["8 steps"], above=0.75, below=1.15)
    claim("One step: share read as asked, picture by picture", results["1 step"]["right"].ravel(), above=0.99)

# %%
show(images(torch.cat([x[0][:10] for x in (one_step, two_steps, plain, real)]), columns=10,
            row_labels=["1 step", "2 steps", "8 steps", "real"],
            title="One step draws the mean, and more steps the variety"),
     alt="Four rows of the digits 0 to 9: blurred means, smooth digits, sharp ones, and real ones")

# %% [markdown] cited="2022"
# Mark the last claim: every mean picture is *read* as asked. A measure of obedience alone is satisfied with ten blurs.
#
# ## Failure lab: the last step
# Notebook 11c found Heun's steps better than Euler's. Here the last one is not. It ends at $t = 0$, where the picture
# shows nothing of the noise. So the best guess of $\varepsilon$ there is its mean, 0, and $v(x_0, 0) = -x_0$. Let all data
# be one picture $m$. Before the last step, of length $h$, we are at $(1 - h)\, m + h\, \varepsilon$, with velocity
# $\varepsilon - m$; at its end the velocity is $-m$. Euler's step lands on $m$; Heun's, with the mean of the two, on $m +
# \frac{h}{2}\, \varepsilon$. Half of the noise stays. Karras and others (2022) also end with Euler's step. Ours, from
# the same noise, with either end:

# %%
def grey(sets):
    """Share of the pixels that are neither paper nor ink, by seed."""
    return np.array([((x > 0.02) & (x < 0.98)).double().mean() for x in sets])

ends = {last: [sample(net, in_turn(40), seeded(100 + s), steps=8, last=last) for s in SEEDS]
        for last in ("heun", "euler")}
show(images(torch.cat([x[0][:10] for x in (ends["heun"], ends["euler"], real)]) ** 0.5, columns=10,
            row_labels=["Heun to the end", "Euler's last step", "real"],
            title="Faint greys made visible: Heun's last step leaves noise on the paper"),
     alt="Three rows of ten digits with faint greys made darker: specks all over the paper; next to none; none")
with claim_table():
    claim("Share of grey pixels: Heun to the end less real, by seed", grey(ends["heun"]) - grey(real), above=0.15)
    claim("The same with Euler's last step", grey(ends["euler"]) - grey(real), above=0, below=0.06)

# %% [markdown]
# You hardly see it at its true darkness. No training mends it: it is the sampler's fault.

# %% [markdown] cited="1.2 0.7 2022"
# ## Guidance, exactly
# Some samples are still misread. **Classifier-free guidance** (Ho and Salimans, 2022) exaggerates what the label says:
#
# $$v_w = v_\varnothing + w\, (v_y - v_\varnothing) .$$
#
# With $w = 1$ this is $v_y$, no guidance; $w = 0$ forgets the label; above 1 the way bends past $v_y$. (Beware: their
# $w$ is ours less 1.) In terms of scores the guided field belongs to $p_t(x)\, p_t(y \mid x)^w$ at each $t$, by Bayes'
# rule. So it is often said that one draws from the **tilted density**
#
# $$q(x) \propto p(x)\, p(y \mid x)^w .$$
#
# Is that so? On the line everything can be computed. Two classes, Gaussians at $-1.2$ and $1.2$ with deviation 0.7,
# equally likely; we ask for the right one. Both velocities are known exactly (notebook 11c), and so is the density at
# the end: trajectories on the line cannot cross, hence noise $z$ ends at a rising $x(z)$, with density $\mathcal{N}(z;
# 0, 1)\, / \,x'(z)$.

# %%
predict("11d.tilted", "w = 3. The tilted density has its mean at 1.32. Where is the mean of what guidance draws?",
        options=["at 1.2, the class's own mean", "at 1.32 as well", "clearly beyond 1.5"])

# %%
both = NoisedMixture(torch.tensor([[-1.2], [1.2]]), 0.7)
asked_for = NoisedMixture(torch.tensor([[1.2]]), 0.7)
line = torch.linspace(-6, 6, 2401, dtype=torch.float64)
ends = {w: pushed(guided_line(both, asked_for, w)) for w in (0.0, 1.0, 3.0)}
found = {w: mean_and_deviation(*end) for w, end in ends.items()}
goal = {w: mean_and_deviation(line, tilted(both, asked_for, w, line)) for w in ends}
reveal("11d.tilted", found[3.0][0], pick=lambda m: "clearly beyond 1.5" if m > 1.5 else
       "at 1.32 as well" if m > 1.26 else "at 1.2, the class's own mean")
with claim_table():
    claim("w = 0 and w = 1, mean and deviation: drawn less tilted, largest difference",
          max(abs(a - b) for w in (0.0, 1.0) for a, b in zip(found[w], goal[w], strict=True)), below=1e-4, exact=True)
    claim("w = 3: mean of what is drawn", found[3.0][0], near=1.935, within=0.001, exact=True)
    claim("w = 3: its standard deviation", found[3.0][1], near=0.442, within=0.001, exact=True)
    claim("w = 3: mean of the tilted density", goal[3.0][0], near=1.319, within=0.001, exact=True)
    claim("w = 3: its standard deviation", goal[3.0][1], near=0.613, within=0.001, exact=True)

# %%
x, density = ends[3.0]
show(curves(line, {"p(x), both classes": both.log_prob(line[:, None]).exp(),
                   "p(x | y), as asked": asked_for.log_prob(line[:, None]).exp(),
                   "tilted, w = 3": tilted(both, asked_for, 3.0, line),
                   "drawn by guidance, w = 3": np.interp(line, x, density)},
            title="Guidance goes further, and narrower, than the tilted density", xlabel="x", ylabel="density"),
     alt="Four densities: two humps; the right hump alone; the tilted one, a little further right; and the guided one, "
         "much further right and much narrower")

# %% [markdown] cited="0.5"
# For $w \notin \{0, 1\}$ the guided way misses its goal, with exact velocities and as many steps as you like. The
# reason: at time
# $t$ guidance uses $p_t(x)\, p_t(y \mid x)^w$, but what noise makes of $q$ is another density. First noise and then
# tilt is not first tilt and then noise. Their scores at $t = 0.5$, for $w = 3$:

# %%
p = tilted(both, asked_for, 3.0, line)
at = torch.linspace(-1, 2, 31, dtype=torch.float64)
kernel = p * torch.exp(-0.5 * ((at[:, None] - 0.5 * line) / 0.5) ** 2)                      # q(x_0) N(x; x_0/2, 1/4)
noised_q = (torch.trapezoid(kernel * 0.5 * line, line, dim=1) / torch.trapezoid(kernel, line, dim=1) - at) / 0.25
scores = [m.score(at[:, None], 0.5, 0.5)[:, 0] for m in (both, asked_for)]
used = scores[0] + 3 * (scores[1] - scores[0])
claim("Score that guidance uses, less that of the noised tilted density, least over x from −1 to 2",
      (used - noised_q).min(), above=0, exact=True)

# %% [markdown] cited="2025"
# Everywhere there it pushes further to the right than it should. (Bradley and Nakkiran, 2025, show the same for other
# samplers.)
#
# ## Guidance on digits
# Now the network. Do more guided samples come out as asked, and what is paid?

# %%
guided_sets = {w: drawn(w=w) for w in (2.0, 4.0)}
none = drawn(y=torch.full((150,), NO_LABEL))
results |= {f"w = {w:g}": judged(sets) for w, sets in guided_sets.items()}
narrow = {w: results[f"w = {w:g}"]["variety"] / results["8 steps"]["variety"] for w in (2.0, 4.0)}
with claim_table():
    claim("w = 1: share read as asked, picture by picture", results["8 steps"]["right"].ravel(), above=0.93)
    claim("w = 2: the same", results["w = 2"]["right"].ravel(), above=0.99)
    claim("w = 2: variance within classes over that at w = 1, by seed", narrow[2.0], above=0.58, below=0.84)
    claim("w = 4: the same", narrow[4.0], above=0.42, below=0.66)
    claim("w = 4: KL of the digits' shares from equal ones, in nats", results["w = 4"]["coverage"], below=0.002)
    claim("w = 4: ink over that at w = 1",
          [a.mean() / b.mean() for a, b in zip(guided_sets[4.0], plain, strict=True)], above=1.2, below=1.42)
    claim("w = 0, nothing asked: share read as the label that was not told", judged(none)["right"].ravel(), above=0.04,
          below=0.17)

# %%
rows = [x[0][7::10][:10] for x in (real, none, plain, *guided_sets.values())]
show(images(torch.cat(rows), columns=10, row_labels=["real", "w = 0", "w = 1", "w = 2", "w = 4"],
            title="Sevens from the same noise: guidance makes them alike"),
     alt="Rows of ten pictures: real sevens of many kinds; any digits; sevens of many kinds; thicker sevens that are "
         "more alike; thick ones that are much alike")

# %% [markdown] cited="0.4 0.15"
# The misread pictures, a few per cent, nearly vanish, and a good part of the variety with them; strokes get thicker.
# The measure
# of coverage of notebook 06b says that all is well: each digit is there equally often. It cannot see that the sevens have
# come to look alike. Keep it in mind when you meet a text-to-image model: they are used with $w$ well above 1.
#
# ## Inpainting by replacement
# Half of a picture is missing. The network was never trained for that. **Inpainting by replacement**: go the way from
# noise to data, and at every time overwrite the pixels that are known by their true values, noised to *that* time:
#
# $$x_s \leftarrow \begin{cases} (1 - s)\, x_0 + s\, \varepsilon & \text{where seen} \\
#   \text{a random (ancestral) step from } t \text{ to } s & \text{where hidden} . \end{cases}$$
#
# Is what we draw the conditional distribution of the hidden given the seen? Ask a mixture in the plane, where that is
# known. Two round Gaussians at $(-1, -1)$ and $(1, 1)$, deviation 0.4; seen is the first coordinate, $x_1 = 0.15$, a
# little nearer to the
# upper one.

# %%
predict("11d.replace", "Given x₁ = 0.15 the upper one has probability 0.87. By replacement with the exact velocity "
        "and many steps, the share of draws that end there is …",
        options=["about 0.87", "clearly smaller", "clearly larger"])

# %%
blobs, first = NoisedMixture(torch.tensor([[-1.0, -1.0], [1.0, 1.0]]), 0.4), 0.15
exact = 1 / (1 + np.exp(-2 * first / 0.4**2))              # the ratio of two Gaussians in x_1
known, seen = torch.tensor([[first, 0.0]], dtype=torch.float64).repeat(1000, 1), torch.tensor([True, False])

def upper(steps, rounds=1):
    """Share of 1,000 draws that end at the upper Gaussian, by seed."""
    made = [inpaint(lambda x, t: blobs.field("velocity", x, t, PATH), known, seen, steps, seeded(s), rounds)
            for s in SEEDS]
    return np.array([(x[:, 1] > 0).double().mean() for x in made])

shares = {"50 steps": upper(50), "200 steps": upper(200), "50 steps, 5 rounds": upper(50, 5),
          "50 steps, 20 rounds": upper(50, 20)}
reveal("11d.replace", shares["200 steps"].mean(), pick=lambda s: "clearly smaller" if s < 0.8 else
       "clearly larger" if s > 0.92 else "about 0.87")
with claim_table():
    claim("Exact probability of the upper Gaussian", exact, near=0.867, within=0.001, exact=True)
    claim("Share by replacement, 50 steps, by seed", shares["50 steps"], above=0.54, below=0.66)
    claim("The same, 200 steps", shares["200 steps"], above=0.54, below=0.66)
    claim("The same, 50 steps, 5 rounds at each", shares["50 steps, 5 rounds"], above=0.64, below=0.73)
    claim("The same, 20 rounds", shares["50 steps, 20 rounds"], above=0.73, below=0.82)

# %% [markdown] cited="2022"
# The bias is large, and more steps do not mend it. Early on, at much noise, the noised $x_1$ says nearly nothing, so
# hidden pixels are decided blindly. Later the seen number speaks up, but the decision stands: the gap between the
# Gaussians can no longer be crossed. **RePaint** (Lugmayr and others, 2022) repeats: after each step add noise to go
# back up, then step again. In these rounds hidden and seen come to agree, and the share gets nearer to the exact one,
# slowly.
#
# Now torn digits: the upper half is seen, the label is not told.

# %%
whole = (2 * test[:40].floats() - 1).unsqueeze(1)
top = torch.zeros(28, 28, dtype=torch.bool)
top[:14] = True
blind = torch.full((40,), NO_LABEL)
filled = {rounds: unit(inpaint(lambda x, t: net(x, t, blind), whole, top, 20, seeded(3), rounds)) for rounds in (1, 4)}
told = unit(inpaint(lambda x, t: net(x, t, test.labels[:40]), whole, top, 20, seeded(3)))

def right(pictures):
    """1 where a picture is read as the digit that the whole picture is, else 0."""
    return 1.0 * (features_and_probabilities(pictures)[1].argmax(axis=1) == test.labels[:40].numpy())

torn = torch.where(top, test[:40].floats(), 0.3)
show(images(torch.cat([x[:10] for x in (torn, filled[1], filled[4], told, test[:40].floats())]), columns=10,
            row_labels=["seen", "1 round", "4 rounds", "label told", "truth"],
            title="Lower halves, filled in by a network that was not trained for it"),
     alt="Five rows of ten digits: upper halves over grey; completions; completions with four rounds; completions with "
         "the label told; the true digits")
with claim_table():
    claim("Read as the true digit, one round, picture by picture", right(filled[1]), above=0.2)
    claim("Read as the true digit, label told", right(told), above=0.8)

# %% [markdown] cited="2022"
# ## Editing: noise, then denoise
# The simplest edit (**SDEdit**, Meng and others, 2022): take a picture, noise it to a time $t_0$, and follow the
# velocity back with the label you want. Little noise keeps everything, much noise keeps nothing. The slider between is
# $t_0$.

# %%
want = (test.labels[:100] + 5) % 10
originals = (2 * test[:100].floats() - 1).unsqueeze(1)
starts = [0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0]

def edited(x_0, y, t_0, steps=6, seed=4):
    eps = torch.randn(x_0.shape, generator=seeded(seed))
    x = PATH.noised(x_0, torch.full((len(x_0),), t_0), eps)
    return unit(follow(guided(net, y, 1.0), x, steps, "euler", start=t_0))

tries = [edited(originals, want, t_0) for t_0 in starts]
named = [torch.tensor(features_and_probabilities(x)[1].argmax(axis=1)) for x in tries]
became = np.array([(n == want).double().numpy() for n in named])                           # [times, pictures]
moved = np.array([(x - unit(originals)).square().sum(dim=(1, 2)).numpy() for x in tries])
show(curves(starts, {"read as the new digit": became.mean(axis=1),
                     "squared distance, 1 at t₀ = 1": moved.mean(axis=1) / moved[-1].mean()},
            title="More noise: more obedient, less like the original", xlabel="noised to t₀", ylabel="share"),
     alt="Over t₀, the share of pictures that are read as the new digit rises from near 0 to near 1, steepest above "
         "one half; the squared distance from the original rises all the way")
with claim_table():
    claim("Noised to t₀ = 0.2: read as the new digit, picture by picture", became[0], below=0.1)
    claim("Noised to t₀ = 0.9: the same", became[5], above=0.82)
    claim("Squared distance from the original at t₀ = 0.6 over that at 1, picture by picture",
          moved[2] / moved[-1].mean(), above=0.1, below=0.25)

# %% [markdown]
# Draw a digit, or half of one, or a scrawl. It is centred as MNIST's were, noised and denoised as the digit that you
# name. At which $t_0$ is it a digit, and still yours? With the keyboard: *Load an example*, or draw with the arrow
# keys.

# %%
def mend(drawing, digit=3, t_0=0.6):
    x = torch.tensor(drawing)
    x = like_mnist(x) if (x > 0.1).any() else torch.zeros(28, 28)
    x_0 = (2 * x - 1).expand(3, 1, 28, 28)
    noisy = PATH.noised(x_0, torch.full((3,), t_0), torch.randn(x_0.shape, generator=seeded(4)))
    shown = torch.cat([x[None], unit(noisy[:1]), edited(x_0, torch.full((3,), digit), t_0)])
    return {"image": shown.numpy()}

pad = SketchPad(test[:30].floats().numpy()[[18, 1, 9, 8]], label="Draw a digit", on_lift=True)
explore_canvas(mend, [ImageGrid("image", columns=5, title="yours, centred · noised · three edits")], drawing=pad,
               digit=(0, 9, 1), t_0=(0.05, 1.0, 0.05), labels={"digit": "to become a", "t_0": "noised to t₀"},
               alt="A drawing, the same with noise, and three digits that were made of it")

# %% [markdown] cited="2022 20"
# ## Live: a flow among codes
# **Latent diffusion** (Rombach and others, 2022) moves the way from noise to data into the codes of an autoencoder:
# fewer numbers. Here it is the VAE of notebook 04 with codes of 20 numbers, without convolutions. Its decoder was made
# for codes from
# $\mathcal{N}(0, I)$, but the codes of real digits are not spread quite like that (notebook 04). A flow that carries noise
# to the *real* codes mends much of this, and knows labels.
#
# Press **Start**, and watch for twenty seconds. Then turn *guidance w* up. Which columns lose their variety?

# %%
lab = LiveLab(
    LatentFlowExperiment(LatentFlowHyperparameters()),
    views=[
        ImageGrid("samples", columns=10, title="Flow among codes: a column for each digit"),
        ImageGrid("prior", columns=10, title="Same noise, decoded as it is"),
        Scatter("real", "made", title="Two numbers of the codes", xlabel="z₁", ylabel="z₂", outline=True),
        Curve("loss", title="Loss, whose floor is not 0", ylabel="per number"),
    ],
    headless_steps=60, knobs=["learning_rate", "batch_size", "unlabelled", "width", "w", "sampling_steps"])
lab

# %%
flow = LatentFlowExperiment(LatentFlowHyperparameters())
for _ in run(flow, 400, progress=False):
    pass

def distance(x):
    return frechet_distance(features_and_probabilities(x)[0], reference_features())

prior = [flow.decoded(torch.randn(1000, 20, generator=seeded(s))) for s in SEEDS]
flowed = [flow.samples(1000, s) for s in SEEDS]
named = np.array([features_and_probabilities(x)[1].argmax(axis=1) for x in flowed])
with claim_table():
    claim("Fréchet distance of 1,000 pictures: flow after 400 steps over the prior, by seed",
          [distance(a) / distance(b) for a, b in zip(flowed, prior, strict=True)], above=0.2, below=0.55)
    claim("Share read as asked, picture by picture", 1.0 * (named == in_turn(1000).numpy()).ravel(), above=0.75,
          below=0.9)

# %% [markdown] cited="10,000"
# ## Where it stands
# All numbers are from the models' cards, Fréchet distances of 10,000 pictures each, in the same features. Only VAE and
# Row LSTM say a log-likelihood, of binarized pictures.

# %%
cards = {name: read(name)[1] for name in MODELS}
display(Markdown(standing(cards)))
frechet = {name: each.metrics.get("frechet") for name, each in cards.items()}
with claim_table():
    claim("Fréchet distance of the flow, from its card", frechet["flow_matching"], near=4.2, within=0.1)
    claim("The same, less that of the conditional GAN", frechet["flow_matching"] - frechet["conditional"], near=0,
          within=0.2)
    claim("Share of the flow's pictures read as asked, from its card", card.metrics["as_asked"], above=0.95, below=0.98)

# %% [markdown] cited="2021"
# By Fréchet distance our flow and the conditional GAN are about level; the GAN obeys better and needs less training and
# one pass a picture. It is one run of each, of small networks on small pictures; on photographs Dhariwal and Nichol
# (2021) found
# diffusion ahead, with networks of another size. What the flow has beside: guidance, completion and editing with the same
# weights, and no game to balance.

# %% [markdown]
# ## Your turn
# **1.** The guided velocity.

# %% tags=["exercise"]
def guided_velocity(v_none, v_y, w):
    """The velocity [n, …] that guidance follows, from the one without a label, the one with it, and a float w."""
    ### BEGIN SOLUTION
    return v_none + w * (v_y - v_none)
    ### END SOLUTION

# %%
check("11d.guided", guided_velocity)

# %% [markdown]
# **2.** Labels are left out of a batch, each with probability `share`. "No label" is 10.

# %% tags=["exercise"]
def labels_left_out(y, u, share):
    """Labels [n], int64, of y [n] from 0 to 9 and u [n], drawn evenly from [0, 1): where u < share the label goes."""
    ### BEGIN SOLUTION
    return torch.where(u < share, 10, y)
    ### END SOLUTION

# %%
check("11d.labels_left_out", labels_left_out)

# %% [markdown]
# **3.** One Euler step with replacement, on the straight path.

# %% tags=["exercise"]
def replaced(x, v, x_0, seen, t, s, eps):
    """x at time s, [n, D], after an Euler step from x at time t along the velocity v, with seen places overwritten.

    x, v, x_0 (clean, right where seen) and the noise eps are [n, D]; seen is bool [D]; s < t are floats.
    """
    ### BEGIN SOLUTION
    return torch.where(seen, (1 - s) * x_0 + s * eps, x + (s - t) * v)
    ### END SOLUTION

# %%
check("11d.replaced", replaced)

# %% [markdown]
# **4.** The measure that sees what coverage does not: variances among pictures of one class (divided by $n - 1$),
# summed over features, mean over classes.

# %% tags=["exercise"]
def variety(features):
    """Variance within classes, 0-d, of features [K, n, d]: n pictures of each of K classes."""
    ### BEGIN SOLUTION
    return features.var(dim=1).sum(dim=1).mean()
    ### END SOLUTION

# %%
check("11d.variety", variety)

# %% [markdown]
# ## What to keep
# - One network with labels left out now and then knows $v_y$ and $v_\varnothing$; guidance follows
#   $v_\varnothing + w (v_y - v_\varnothing)$, and $w = 1$ is none.
# - The guided density is not the tilted one: with much guidance it lay further out, narrower.
# - Guidance trades variety for obedience. Look within classes: coverage of classes does not see it.
# - Inpainting by replacement needs no training and is biased, even with the exact velocity; rounds lessen that.
# - How much noise you add before denoising decides how much of a picture stays.
# - The last step is Euler's: at $t = 0$ the velocity knows of no noise, so Heun's mean keeps half the remaining noise.
#
# **Read on:**
#
# - O. Ronneberger, P. Fischer, T. Brox, [*U-Net: Convolutional Networks for Biomedical Image
#   Segmentation*](https://arxiv.org/abs/1505.04597), MICCAI (2015).
# - P. Dhariwal, A. Nichol, [*Diffusion Models Beat GANs on Image Synthesis*](https://arxiv.org/abs/2105.05233),
#   NeurIPS (2021).
# - J. Ho, T. Salimans, [*Classifier-Free Diffusion Guidance*](https://arxiv.org/abs/2207.12598), arXiv preprint (2022).
# - A. Lugmayr et al., [*RePaint: Inpainting using Denoising Diffusion Probabilistic
#   Models*](https://arxiv.org/abs/2201.09865), CVPR (2022).
# - C. Meng et al., [*SDEdit: Guided Image Synthesis and Editing with Stochastic Differential
#   Equations*](https://arxiv.org/abs/2108.01073), ICLR (2022).
# - R. Rombach et al., [*High-Resolution Image Synthesis with Latent Diffusion
#   Models*](https://arxiv.org/abs/2112.10752), CVPR (2022).
# - T. Karras et al., [*Elucidating the Design Space of Diffusion-Based Generative
#   Models*](https://arxiv.org/abs/2206.00364), NeurIPS (2022): algorithm 1.
# - Y. Lipman et al., [*Flow Matching for Generative Modeling*](https://arxiv.org/abs/2210.02747), ICLR (2023).
# - A. Bradley, P. Nakkiran, [*Classifier-Free Guidance is a Predictor-Corrector*](https://arxiv.org/abs/2408.09000),
#   Transactions on Machine Learning Research (2025).
#
# Two projects that use it all lie in the course's folder, each with what to hand in and a rubric: a data set of your own,
# `docs/projects/own_data.md`, and a figure of a paper made anew, `docs/projects/paper_figure.md`.
#
# **Next:** notebook 11e, discrete codes: a picture in sixteen symbols.
