# %% [markdown]
# # 07c · Autoregressive sampling: completions, and what they cost
#
# A model that goes pixel by pixel knows $p(x_j \mid x_1, \dots, x_{j-1})$ exactly, for one order of the pixels.
# **Which questions about a half-seen picture can it answer, and what does each answer cost?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | complete a picture exactly where the hidden part comes last, correct by importance weights where it comes first, score a forecast in bits, and draw in parallel what is defined in a row |
# | You need | notebook 07: the chain rule, ancestral sampling, the Row LSTM; importance weights (03c) |
# | Time | 20 seconds to run · seed 0 |

# %%
import copy
import time
from itertools import product

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.data import load_mnist, sprites
from course_lib.experiments.pixelrnn import held_out, log_prob_of
from course_lib.live import Bars, ImageGrid, SketchPad, explore_canvas
from course_lib.models import gmm_em, gmm_subspace
from course_lib.models.layers import mlp
from course_lib.models.pixelrnn import RasterRNN, RowLSTM
from course_lib.plots import curves, images, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal
from course_lib.training import load_pretrained

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Ninety minutes with the exercises. The betting game works well with two teams. Before "The other
# half", ask why covering the upper half should be harder. Collect the guesses for the number of passes: nearly all are
# far too high.
#
# - **Prepare.** Two teams and a sheet for the bets.
# - **Importance weights: the other half.** On the board: p(x) in raster order, and underline the factors that a seen
#   lower half makes costly.
# - **07c.worth.** some hundreds. Ask how a head is drawn that knows nothing of the feet.
# - **07c.price.** as many as there are pixels. Each pass is heavier than the decoder's, too.
# - **07c.passes.** nearly one a pixel. Many pixels do not depend on their neighbours' exact values: paper stays
#   paper.
# - **Jacobi iteration: drawing in parallel.** Play it with a row of students who all speak at once: what is settled
#   after each round?

# %% [markdown]
# ## Conditional sampling: the lower half
# **Conditional sampling** draws what is hidden given what is seen. Cover the lower half. The seen (observed) pixels $x_o$ come first, so ancestral sampling of the hidden ones $x_h$
# simply goes on from there: each completion (**inpainting**) is an exact draw from $p(x_h \mid x_o)$, with its exact
# probability. The network is the Row LSTM of notebook 07, which comes trained.

# %%
row_lstm_28, _ = load_pretrained("row_lstm")
digits = held_out("mnist")[::25]                                             # 400 of 10,000, in ink and paper
lower = torch.arange(28)[:, None].expand(28, 28) < 14                        # True where a pixel is seen
chosen = digits[[4, 9, 13, 30]]
with torch.no_grad():
    of_truth = -(F.cross_entropy(row_lstm_28(chosen), chosen, reduction="none") * ~lower).sum(dim=(1, 2))
many = row_lstm_28.inpaint(chosen.repeat_interleave(8, dim=0), lower, seeded())
sheet, labels = [], []
for k, truth in enumerate(chosen):
    part = slice(8 * k, 8 * k + 8)
    order = many.log_q[part].argsort(descending=True)
    sheet += [torch.where(lower, truth, 0.35)[None], many.images[part][order], truth[None]]
    labels += ["seen", *(f"−{-q:.0f}" for q in [*many.log_q[part][order], of_truth[k]])]
show(images(torch.cat(sheet), labels=labels,
            title="Eight completions, and last the truth, with log p(hidden | seen) in nats"),
     alt="Four rows: the upper half of a digit, eight different completions of its lower half with their log "
         "probabilities, and the true digit with its own")

# %% [markdown]
# Which model knows most about the hidden half? Let each give a probability of ink to every hidden pixel, and count the
# bits that it loses: $-\log_2$ of what it gave to the truth. The mixture (notebook 02) bets its
# exact conditional mean. The VAE (04) draws by **pseudo-Gibbs sampling** (encode, decode, put the seen pixels back) for
# sixty rounds from the mixture's answer, and bets the mean of the last forty pictures that it decoded. Both bet on all
# pixels at once, the Row LSTM on one pixel after the other.

# %%
def bits_a_pixel(p, x=digits):
    """−log2 of the probability that bets p of ink give to the hidden pixels of x [n, 28, 28], mean over pixels, [n]."""
    p = p.clamp(0.005, 0.995)                                              # nobody is ever quite sure
    return -torch.where(x.bool(), p, 1 - p).log2()[:, ~lower].mean(dim=1)

ink = load_mnist("train")[:6_000].binarized(seeded()).flatten(1)
space = gmm_subspace.Subspace.of(ink, d=50)
inside = space.project(ink)
mixture = gmm_em.fit(inside, gmm_em.start(inside, 10, seeded(), reg=0.01), steps=10, reg=0.01)[0]
flat = digits.flatten(1).float()
by_mixture = space.inpaint(mixture, flat, lower.flatten()).float()

vae, _ = load_pretrained("vae_z20")
state, by_vae, rng = torch.where(lower.flatten(), flat, by_mixture.clamp(0, 1)), 0, seeded()
for i in range(60):
    state, mean = vae.inpaint(state, lower.flatten(), 1, rng)
    by_vae = by_vae + mean / 40 * (i >= 20)

# %%
with torch.no_grad():
    told = torch.cat([row_lstm_28(part).softmax(dim=1)[:, 1] for part in digits.split(50)])
bits = {"each pixel's frequency": bits_a_pixel(ink.mean(dim=0).view(28, 28).expand(400, 28, 28)),
        "VAE, pseudo-Gibbs mean": bits_a_pixel(by_vae.view(-1, 28, 28)),
        "mixture's exact mean": bits_a_pixel(by_mixture.view(-1, 28, 28)),
        "Row LSTM": bits_a_pixel(told)}
for name, value in bits.items():
    print(f"{name:24}{value.mean():.3f} bits a hidden pixel")
with claim_table():
    for name in ("mixture's exact mean", "VAE, pseudo-Gibbs mean"):
        claim(f"Bits a hidden pixel, 400 digits: {name} less Row LSTM", bits[name] - bits["Row LSTM"], above=0.1)

# %% [markdown]
# The others are at a disadvantage: the mixture learned from a tenth of the digits (notebook 04's is larger, and
# learned from half of them), and only the Row LSTM is told each pixel after its bet. Play the same game. Continue the digit on
# the pad: ink is your bet that a pixel is inked, paper that it is not. The score is $-\log_2$ of what you gave to the
# truth, added up: minus your log-likelihood. *Load an example* gives the next digit. Your opponents: each pixel's
# frequency;
# the network told nothing, `net`; and the network told each pixel after its bet. Without a pen: leave the lower half
# empty, which bets on paper everywhere. Does that lose fewer bits than `freq.` on any of the four digits, and why?

# %%
blind = row_lstm_28.inpaint(chosen.repeat(48, 1, 1), lower, seeded(7)).images.view(48, 4, 28, 28).float().mean(dim=0)
network_told = told[[4, 9, 13, 30]]

def bet(drawing, show_truth=False):
    yours = torch.tensor(drawing)
    k = ((yours - chosen.float()).abs() * lower).sum(dim=(1, 2)).argmin()    # which of the four it is
    truth = chosen[k].float()
    bets = [p.clamp(0.02, 0.98) for p in (yours, ink.mean(dim=0).view(28, 28), blind[k], network_told[k])]
    hidden = truth if show_truth else torch.full((28, 28), 0.35)
    return {"image": torch.stack([torch.where(lower, truth, part) for part in (yours, hidden, blind[k])]).numpy(),
            "bits": np.array([392 * bits_a_pixel(p[None], truth[None]).item() for p in bets])}

pad = SketchPad(chosen.float() * lower, label="Bet on the lower half")
GAME = [ImageGrid("image", columns=3, title="your bet · the truth · the network's bet, told nothing"),
        Bars("bits", names=["you", "freq.", "net", "told"], title="Lost bits; fewer are better",
             ylabel="bits")]
explore_canvas(bet, GAME, drawing=pad, show_truth=False, labels={"show_truth": "show the truth"},
               alt="A digit's upper half with a bet on the lower half, and the bits that each player loses")

# %%
some, each = digits[1::25], told[1::25]                                     # sixteen other digits
nothing = row_lstm_28.inpaint(some.repeat(32, 1, 1), lower, seeded(7)).images.view(32, 16, 28, 28).float().mean(dim=0)
claim("Lost bits, sixteen digits: the network told each pixel, relative to the network told nothing",
      bits_a_pixel(each.clamp(0.02, 0.98), some) / bits_a_pixel(nothing.clamp(0.02, 0.98), some), below=0.85)

# %% [markdown]
# On other digits, too, much of the lead is in the chain rule: each pixel says much about the next.
#
# ## Importance weights: the other half
# Now cover the *upper* half. Its pixels come first, and are drawn before anything was seen. So they come from another
# distribution, $q(x_h) = \prod_{j \text{ hidden}} p(x_j \mid x_1, \dots, x_{j-1})$. **Importance weights** mend that
# (notebook 03c):
#
# $$w = \frac{p(x)}{q(x_h)} = \prod_{j \text{ seen}} p(x_j \mid x_1, \dots, x_{j-1}),$$
#
# since the hidden factors stand above and below. For a function $f$ of the hidden pixels,
# $\mathbb{E}_q[w f] = \sum_{x_h} p(x)\,f = p(x_o)\,\mathbb{E}[f \mid x_o]$. So the mean weight goes to $p(x_o)$, and the
# average of $f$ weighted by $w$ to that under $p(x_h \mid x_o)$. On nine pixels we can check both by adding up all
# pictures: a network learns pictures of one bar, as in notebook 07.

# %%
bar = torch.zeros(6, 3, 3, dtype=torch.int64)
for k in range(3):
    bar[k, k], bar[3 + k, :, k] = 1, 1

small, rng = RasterRNN((3, 3), generator=seeded()), seeded()
optimizer = torch.optim.Adam(small.parameters(), lr=1e-2)
for _ in range(400):
    x = bar[torch.randint(6, (128,), generator=rng)] ^ (torch.rand(128, 3, 3, generator=rng) < 0.05)
    optimizer.zero_grad()
    (-small.log_prob(x).mean()).backward()
    optimizer.step()

# %%
last_row = torch.zeros(3, 3, dtype=torch.bool)
last_row[2] = True                                                           # only the last row is seen
seen_bar = torch.tensor([[0, 0, 0], [0, 0, 0], [0, 1, 0]])
draws = small.inpaint(seen_bar.expand(4000, 3, 3), last_row, seeded())
w = (draws.log_p - draws.log_q).exp()

every = torch.tensor(list(product((0, 1), repeat=9))).view(512, 3, 3)
fits = every[(every == seen_bar)[:, last_row].all(dim=1)]
with torch.no_grad():
    p_fits = small.log_prob(fits).double().exp()
p_seen = p_fits.sum()
truth = (p_fits[:, None, None] * fits).sum(dim=0) / p_seen                   # exact p(ink | last row)
weighted = (w[:, None, None] * draws.images).sum(dim=0) / w.sum()
with claim_table():
    claim("Mean weight, relative to the exact p(seen)", w.mean() / p_seen, near=1, within=0.2)
    claim("Exact probability of ink above the seen ink", truth[1, 1], above=0.6)
    claim("Weighted draws: largest error of p(ink | seen)", (weighted - truth).abs().max(), below=0.04)
    claim("Unweighted draws: largest error of p(ink | seen)", (draws.images.double().mean(dim=0) - truth).abs().max(),
          above=0.3)

# %% [markdown]
# How many draws from the right distribution is a set of weighted ones worth? About their **effective sample size**,
# $(\sum w)^2 / \sum w^2$: all of them if the weights are equal, one if a single weight outweighs the rest.

# %%
predict("07c.worth", "A thousand creatures are drawn for a seen lower half. How many draws from the right distribution "
        "are they worth?", low=1, high=1000)

# %%
creatures, (pixelcnn, _) = sprites.Sprites(), load_pretrained("pixelcnn_sprites")
x_creatures = creatures.sample(3000, seeded())
lower_seen = torch.arange(12)[:, None].expand(12, 6) >= 6
sheet, worth = [], []
for x in x_creatures[[1, 2, 4, 5]]:                                        # the first three are shown
    draws = pixelcnn.inpaint(x.expand(1000, 12, 6), lower_seen, seeded())
    log_w = draws.log_p - draws.log_q
    share = log_w.softmax(dim=0)
    again = draws.images[torch.multinomial(share, 5, replacement=True, generator=seeded())]
    seen = torch.where(lower_seen[..., None], sprites.to_rgb(x), torch.tensor(0.8))
    sheet += [seen[None], sprites.to_rgb(draws.images[:5]), sprites.to_rgb(again), sprites.to_rgb(x)[None]]
    worth.append((1 / (share**2).sum()).item())
shown = torch.cat(sheet[:12])
show(images(torch.cat([shown, shown.flip(2)], dim=2), columns=12,
            labels=["seen", *["drawn"] * 5, *["chosen"] * 5, "truth"] * 3,
            title="Heads drawn before the body is known, and those chosen by weight"),
     alt="Three rows: a creature's lower half; five upper halves drawn without looking at it; five of a thousand such, "
         "chosen by their weights; the true creature")

# %%
reveal("07c.worth", np.mean(worth))
draws = row_lstm_28.inpaint(chosen.repeat_interleave(100, dim=0), ~lower, seeded())
share = (draws.log_p - draws.log_q).view(4, 100).softmax(dim=1)
with claim_table():
    claim("Creatures: effective sample size of a thousand draws, four seen halves", worth, above=3, below=20)
    claim("Digits, upper half hidden: effective sample size of a hundred draws, four seen halves",
          1 / (share**2).sum(dim=1), below=8)

# %% [markdown]
# Twins among the chosen heads come from the small effective sample size. For a digit only a few are left. The answer is
# right in the limit, and for digits of little use: the order of the pixels is a choice, and decides which questions are
# cheap.
#
# Cover what you like: ink on the pad hides. Where the hidden part lies above a seen part, look for seams; or compare
# the bars: how many nats less probable than the truth are the completions?

# %%
corners = torch.zeros(4, 28, 28)
corners[0, 14:], corners[1, :14], corners[2, :, 14:], corners[3, 8:20, 8:20] = 1, 1, 1, 1

def cover(mask, digit=0, temperature=1.0):
    hidden, x = torch.tensor(mask) > 0.5, chosen[digit]
    done = row_lstm_28.inpaint(x.expand(7, 28, 28), ~hidden, seeded(), temperature)
    pictures = torch.cat([torch.where(hidden, 0.35, x.float())[None], done.images.float(), x[None].float()])
    own = log_prob_of(row_lstm_28, x[None])
    return {"image": pictures.numpy(), "nats": -torch.cat([done.log_p, own]).numpy()}

mask_pad = SketchPad(corners, label="Ink hides", pen=2.5, on_lift=True)
COVERED = [ImageGrid("image", columns=3, title="row by row: seen, completions 1 to 7, truth"),
           Bars("nats", names=[*"1234567", "t"], title="−log p(x) of each; t is the truth", ylabel="nats")]
explore_canvas(cover, COVERED, mask=mask_pad, digit=(0, 3, 1), temperature=(0.3, 1.5, 0.1),
               alt="A digit with hidden pixels, seven completions and the truth, and minus log p of each")

# %% [markdown]
# ## The price of ancestral sampling
# Scoring a picture takes one pass, since all pixels are known (teacher forcing). Drawing in a row takes one pass **per
# pixel**: the price of all autoregressive models. Remembering what does not
# change (**caching**) saves most of each pass, but not their number. A GAN or a VAE needs one pass for all.

# %%
predict("07c.price", "28 x 28 pixels: how many times as long as the VAE's decoder does the naive Row LSTM take?",
        low=1, high=1_000_000)

# %%
def seconds(draw):
    begun = time.process_time()
    draw()
    return time.process_time() - begun

def prices(side):
    """Processor seconds to draw four pictures, by name."""
    rnn, decoder = RowLSTM((side, side), generator=seeded()), mlp([20, 256, 512, side * side], seeded())
    generator = nn.Sequential(nn.Linear(64, 2 * side**2), nn.ReLU(), nn.Unflatten(1, (32, side // 4, side // 4)),
                              nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1))
    return {"Row LSTM, naive": seconds(lambda: rnn.sample(4, seeded(), cached=False)),
            "Row LSTM, cached": seconds(lambda: rnn.sample(4, seeded())),
            "VAE": seconds(lambda: [decoder(torch.randn(4, 20, generator=seeded())) for _ in range(50)]) / 50,
            "GAN": seconds(lambda: [generator(torch.randn(4, 64, generator=seeded())) for _ in range(50)]) / 50}

sizes = (8, 16, 28)
measured = [prices(side) for side in sizes]
costs = {name: np.array([each[name] for each in measured]) for name in measured[0]}
show(curves(sizes, costs, title="Four pictures: the price of going pixel by pixel", log_x=True, log_y=True,
            xlabel="pixels a side", ylabel="processor seconds"),
     alt="On a logarithmic axis, four lines over the size of the picture; in processor seconds at the largest: "
         + ", ".join(f"{name} {cost[-1]:.1g}" for name, cost in costs.items()))

# %%
passes, counted = [], RowLSTM((8, 8), generator=seeded())
counted.register_forward_hook(lambda *_: passes.append(1))
counted.sample(1, seeded(), cached=False)
naive, cached, by_decoder, by_generator = costs.values()
reveal("07c.price", naive[-1] / by_decoder[-1])
with claim_table():
    claim("Passes of the whole network for one picture of 8 x 8", len(passes), near=64, within=0.1, exact=True)
    claim("Seconds, largest size: naive over cached Row LSTM", naive[-1] / cached[-1], above=10)
    claim("Seconds, naive Row LSTM: largest over smallest size; pixels grew twelvefold", naive[-1] / naive[0], above=15)
    claim("Seconds, largest size: cached Row LSTM over VAE", cached[-1] / by_decoder[-1], above=100)
    claim("Seconds, largest size: cached Row LSTM over GAN", cached[-1] / by_generator[-1], above=50)

# %% [markdown]
# ## Jacobi iteration: drawing in parallel
# Must it go in a row? A pixel is drawn by a uniform number. Fix all these numbers. Start from any picture and pick *all*
# pixels anew in one pass, each given the old ones before it; again, until nothing changes. The first pixel is right
# after one pass, the second after two at the latest, and so on: what stays is the very picture of drawing in a row. This
# **Jacobi iteration** (Song et al.) may spread each pass over many computers.

# %%
predict("07c.passes", "How many passes until a digit of 784 pixels stands, on average?", low=1, high=784)

# %%
@torch.no_grad()
def draw_at_once(model, u):
    """Images [n, H, W] from uniform numbers u, and how many passes changed each of them, [n]."""
    x, passes = torch.zeros(u.shape, dtype=torch.int64), torch.zeros(len(u))
    while True:
        cumulated = model(x).double().softmax(dim=1).cumsum(dim=1)[:, :-1]
        new = (u[:, None] > cumulated).sum(dim=1)
        moved = (new != x).flatten(1).any(dim=1)
        if not moved.any():
            return x, passes
        x, passes = new, passes + moved

with claim_table():
    for name, trained, share in (("Digits", row_lstm_28, 0.06), ("Creatures", pixelcnn, 0.35)):
        precise = copy.deepcopy(trained).double()                          # no tie is broken by rounding
        at_once, passes = draw_at_once(precise, torch.rand(12, *trained.size, generator=seeded()))
        in_a_row = precise.sample(12, seeded()).images
        if name == "Digits":
            reveal("07c.passes", passes.mean())
        print(f"{name}: {passes.mean():.0f} passes on average, at most {passes.max():.0f}, not {in_a_row[0].numel()}")
        claim(f"{name}, Jacobi: pixels that differ from ancestral sampling", (at_once != in_a_row).sum(), near=0,
              within=0.1, exact=True)
        claim(f"{name}, Jacobi: passes of twelve pictures, as a share of the pixels", passes / in_a_row[0].numel(),
              below=share)

# %% [markdown]
# (Counted are the passes that changed something; one more shows that nothing changes.)
#
# On one computer caching stays cheaper, for it computes each pixel once; on many this may win. **Speculative decoding**
# of language models is akin: guess ahead, check all guesses in one pass.
#
# ## Your turn
# **1.** Complete a picture, whatever is seen, and return the logarithm of its weight. Use the given uniform numbers as
# in
# notebook 07: a hidden pixel is the first value whose cumulated probability exceeds its `u`.

# %% tags=["exercise"]
def complete(logits_of, x, seen, u):
    """Images int64 [n, H, W] with hidden pixels drawn, and log w [n]; x, u [n, H, W], seen bool [H, W]."""
    ### BEGIN SOLUTION
    x, log_w = torch.where(seen, x, 0), torch.zeros(len(x))
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            log_probs = logits_of(x)[:, :, i, j].log_softmax(dim=1)
            if seen[i, j]:
                log_w = log_w + log_probs.gather(1, x[:, i, j, None])[:, 0]
            else:
                x[:, i, j] = (u[:, i, j, None] >= log_probs.exp().cumsum(dim=1)[:, :-1]).sum(dim=1)
    return x, log_w
    ### END SOLUTION

# %%
check("07c.complete", complete)

# %% [markdown]
# **2.** Any half: from draws as `inpaint` makes them, estimate $p(x_j = 1 \mid x_o)$ of each pixel and say how many
# draws they are worth.

# %% tags=["exercise"]
def ink_given_seen(images, log_p, log_q):
    """p(ink | seen) [H, W], and the effective sample size, a 0-d tensor; images [n, H, W], log_p, log_q [n]."""
    ### BEGIN SOLUTION
    share = (log_p - log_q).softmax(dim=0)                                   # weights that add up to one
    return (share[:, None, None] * images).sum(dim=0), 1 / (share**2).sum()
    ### END SOLUTION

# %%
check("07c.ink_given_seen", ink_given_seen)

# %% [markdown]
# **3.** Run the Jacobi iteration, from zeros, and say of each pixel after how many passes it has its final value for
# good; 0 if it does not change.

# %% tags=["exercise"]
def settled(logits_of, u):
    """Passes until each pixel is final, int64 [n, H, W], from uniform numbers u [n, H, W]."""
    ### BEGIN SOLUTION
    x = torch.zeros(u.shape, dtype=torch.int64)
    last_change, passes = x.clone(), 0
    while True:
        new = (u[:, None] >= logits_of(x).softmax(dim=1).cumsum(dim=1)[:, :-1]).sum(dim=1)
        passes += 1
        if torch.equal(new, x):
            return last_change
        last_change[new != x] = passes
        x = new
    ### END SOLUTION

# %%
check("07c.settled", settled)

# %% [markdown]
# ## What to keep
# - Where the hidden pixels come last, ancestral sampling is conditional sampling: exact, with exact probabilities.
# - Where they come first, importance weights are right in the limit; the effective sample size hints how far that is.
# - The order of the pixels is a choice, and decides which questions are cheap.
# - Scoring takes one pass, drawing in a row one pass a pixel. Parallel passes reach the very same picture, in far fewer.
#
# **Read on:**
#
# - A. van den Oord, N. Kalchbrenner, K. Kavukcuoglu, [*Pixel Recurrent Neural
#   Networks*](https://arxiv.org/abs/1601.06759), ICML (2016): completions of covered pictures.
# - Y. Song et al., [*Accelerating Feedforward Computation via Parallel Nonlinear Equation
#   Solving*](https://arxiv.org/abs/2002.03629), ICML (2021).
# - Y. Leviathan, M. Kalman, Y. Matias, [*Fast Inference from Transformers via Speculative
#   Decoding*](https://arxiv.org/abs/2211.17192), ICML (2023).
#
# **Next:** notebook 07d, transformers: a network that looks back instead of remembering.
