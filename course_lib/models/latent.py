"""Walking in a latent space: class centroids, two kinds of paths between two codes, and vectors of attributes.

K. Shoemake, *Animating Rotation with Quaternion Curves*, SIGGRAPH 1985: the spherical path; T. White, *Sampling
Generative Networks*, arXiv:1609.04468 (2016), section 2.1: why it suits a Gaussian prior.
"""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.validation import float_tensor, label_tensor


def class_centroids(z: Tensor, y: Tensor) -> Tensor:
    """Mean code of each class, `[K, d]`, for codes `[n, d]` and labels `[n]`; row k is the k-th label in order.

    Raises:
        ValueError: shapes that do not match, no codes, NaN or infinity, or labels that are no whole numbers.
    """
    z = float_tensor(z, "codes")
    if z.ndim != 2 or y.shape != z.shape[:1] or len(z) == 0:
        raise ValueError(f"codes must have shape [n, d] and labels [n], not {list(z.shape)} and {list(y.shape)}")
    y = label_tensor(y, "labels", ("n",))
    return torch.stack([z[y == k].mean(0) for k in y.unique()])


def linear_path(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """(1 − t)·a + t·b, `[steps, …, d]`, for codes a and b `[…, d]` and places t `[steps]`; t may leave [0, 1]."""
    t, a, b = _along(t, a, b)
    return (1 - t) * a + t * b


def spherical_path(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """From a to b round the origin, `[steps, …, d]`; arguments as for `linear_path`.

        sin((1 − t)·ω)/sin(ω)·a + sin(t·ω)/sin(ω)·b,    ω the angle between a and b

    Between two codes of one norm the norm stays and the angle grows evenly, where the straight line cuts through the
    inside of the sphere. Where a and b point the same way, it is the straight line.

    Raises:
        ValueError: also where one code is 0, or b points exactly away from a: there is no shortest way then.
    """
    t, a, b = _along(t, a, b)
    norms = a.norm(dim=-1, keepdim=True) * b.norm(dim=-1, keepdim=True)
    if (norms == 0).any():
        raise ValueError("a code of 0 has no direction: use linear_path")
    omega = ((a * b).sum(-1, keepdim=True) / norms).clamp(-1, 1).acos()
    if (omega > torch.pi - 1e-4).any():
        raise ValueError("the codes point in opposite directions: there is no shortest way round. Use linear_path")
    small = omega < 1e-4
    omega = torch.where(small, torch.ones_like(omega), omega)  # not used there, but 0/0 would be NaN
    curved = (torch.sin((1 - t) * omega) * a + torch.sin(t * omega) * b) / torch.sin(omega)
    return torch.where(small, (1 - t) * a + t * b, curved)


def attribute_vector(z: Tensor, attribute: Tensor, y: Tensor) -> Tensor:
    """The way from little to much of an attribute, `[d]`, for codes `[n, d]`, values `[n]` and labels `[n]`.

    Within each class: the mean code of those above the class's median less the mean code of the rest; then the mean
    over classes. So a class that has more of the attribute than others does not turn the vector towards itself: see
    T. White (2016), section 3.2, on attribute vectors that are not balanced.

    Raises:
        ValueError: shapes that do not match, or a class of which all have one value.
    """
    z, attribute = float_tensor(z, "codes"), float_tensor(attribute, "the attribute")
    if z.ndim != 2 or y.shape != z.shape[:1] or attribute.shape != y.shape or len(z) == 0:
        raise ValueError("codes must have shape [n, d], the attribute and the labels [n], not "
                         f"{list(z.shape)}, {list(attribute.shape)} and {list(y.shape)}")
    y = label_tensor(y, "labels", ("n",))
    ways = []
    for k in y.unique():
        codes, values = z[y == k], attribute[y == k]
        much = values > values.median()
        if not much.any():
            raise ValueError(f"all of class {k} have the same value: there is no way from little to much of it")
        ways.append(codes[much].mean(0) - codes[~much].mean(0))
    return torch.stack(ways).mean(0)


def _along(t: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """t with dimensions of 1 after it, so that it multiplies codes `[…, d]`, and both codes."""
    t, a, b = float_tensor(t, "t"), float_tensor(a, "a"), float_tensor(b, "b")
    if a.shape != b.shape or a.ndim == 0:
        raise ValueError(f"both ends must be codes of one shape [..., d], not {list(a.shape)} and {list(b.shape)}")
    if t.ndim != 1:
        raise ValueError(f"t must be one row of places, [steps], not {list(t.shape)}")
    return t.view(-1, *[1] * a.ndim), a, b
