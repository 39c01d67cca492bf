"""The discretized logistic mixture: probabilities of ordered levels 0 … N − 1 from a few bumps, for grey values.

Each component is a logistic density of mean μ and scale s, whose distribution function is σ((y − μ)/s). Level x gets
what lies between x − ½ and x + ½; the first and the last level get all that lies beyond, too. So the probabilities add
up to 1, whatever the parameters are.

T. Salimans, A. Karpathy, X. Chen, D. Kingma, *PixelCNN++*, ICLR 2017, section 2.1 and equation 2. There levels are
scaled to [−1, 1], and where a bump's share of a level is tiny its density takes its place; here it is exact:
    σ(b) − σ(a) = σ(b) σ(−a) (1 − e^(a − b)).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.validation import finite_result, float_tensor, whole_number


def level_log_probs(parameters: Tensor, n_levels: int) -> Tensor:
    """log P of all levels, `[…, N]`, in nats, from `[…, 3, K]`: logits of K weights, means in levels, and log scales.

    Raises:
        ValueError: parameters of another shape, NaN or infinity among them, fewer than two levels, or a scale that
            overflows.
    """
    n_levels = whole_number(n_levels, "n_levels", least=2)
    parameters = float_tensor(parameters, "parameters")
    if parameters.ndim < 2 or parameters.shape[-2] != 3:
        raise ValueError(f"parameters must have shape […, 3, K], not {list(parameters.shape)}")
    logits, mean, log_scale = parameters.unsqueeze(-3).unbind(dim=-2)  # […, 1, K] each
    x = torch.arange(n_levels, dtype=parameters.dtype, device=parameters.device)[:, None]
    width = finite_result((-log_scale).exp(), "1 / scale")  # of a level, in scales
    below = F.logsigmoid((x + 0.5 - mean) * width)
    above = F.logsigmoid((mean - x + 0.5) * width)
    between = below + above + torch.log(-torch.expm1(-width))
    log_p = torch.where(x == 0, below, torch.where(x == n_levels - 1, above, between))
    return (logits.log_softmax(dim=-1) + log_p).logsumexp(dim=-1)
