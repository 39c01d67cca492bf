"""Whoever takes or gives arrays says of what shape they are."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

from torch import Tensor, nn

import course_lib

ARRAYS = re.compile(r"\b(Tensor|ndarray|ArrayLike|NDArray)\b")
DIMENSION = r"(?:…|\.\.\.|[*(]*[^\W0_][\w·/^+−*().… -]*)"  # a name or a number, not an end of an interval such as 0
SHAPE = re.compile(rf"`\[{DIMENSION}(?:, {DIMENSION})*\]`|\b0-d\b|\bany shape\b")


def callables() -> Iterator[tuple[str, object, type | None]]:
    """Each public function and method of the package: its full name, itself, and the class that it is written in."""
    for found in pkgutil.walk_packages(course_lib.__path__, "course_lib."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        for name, thing in vars(module).items():
            if name.startswith("_") or getattr(thing, "__module__", None) != found.name:
                continue
            if inspect.isfunction(thing):
                yield f"{found.name}.{name}", thing, None
            for member, value in vars(thing).items() if inspect.isclass(thing) else ():
                method = next((getattr(value, part) for part in ("__func__", "fget", "func") if hasattr(value, part)),
                              value)
                if inspect.isfunction(method) and (not member.startswith("_") or member in ("__init__", "__call__")):
                    yield f"{found.name}.{name}.{member}", method, thing


def about(function: object, kind: type | None) -> str | None:
    """The words on a function's arrays: its own; its class's where it has none and makes it or is its `forward`; None
    for one that takes no arrays, or that overrides one which has words."""
    if not any(ARRAYS.search(str(annotation)) for annotation in inspect.unwrap(function).__annotations__.values()):
        return None
    if function.__doc__ or kind is None:
        return function.__doc__ or ""
    if function.__name__ in ("__init__", "__call__", "forward"):
        return kind.__doc__ or ""
    above = [vars(base)[function.__name__] for base in kind.__mro__[1:] if function.__name__ in vars(base)]
    return None if any(method.__doc__ for method in above) else ""


def shapes(words: str) -> list[str]:
    return SHAPE.findall(words)


def test_shapes_are_told():
    told = {name: words for name, function, kind in callables() if (words := about(function, kind)) is not None}
    assert len(told) > 500
    without = [name for name, words in told.items() if not shapes(words)]
    assert without == [], "docstrings without a shape such as `[n, D]`, 0-d, or any shape"


def test_words_without_a_shape_do_not_pass():
    for words in ("points `[n, 2]`", "`[K + 1]`", "`[*S, 2^D]`", "`[..., T, K]`", "a 0-d loss", "arrays of any shape"):
        assert shapes(words), words
    for words in ("", "points (n, 2)", "in `[0, 1]`", "in `[−1, 1]`", "a `list[int]`", "`x[0]`", "`[]`", "`[:, 0]`"):
        assert not shapes(words), words


def test_whose_words_count():
    class Base(nn.Module):
        """From `[n, 2]` to `[n]`."""

        def forward(self, x: Tensor) -> Tensor: ...

        def told(self, x: Tensor) -> Tensor:
            """Takes `[n]`."""

        def bare(self, x: Tensor) -> Tensor: ...

        def without(self, steps: int) -> float: ...

    class Child(Base):
        def told(self, x: Tensor) -> Tensor: ...

    assert [about(vars(Base)[name], Base) for name in ("forward", "told", "bare", "without")] == [
        Base.__doc__, "Takes `[n]`.", "", None]
    assert about(vars(Child)["told"], Child) is None  # what it overrides has words
