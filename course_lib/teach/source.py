"""Library code, shown in the notebook where it is used."""

from __future__ import annotations

import inspect

from IPython.display import HTML, Code


def show_source(thing: object) -> HTML:
    """The source code of a function, class or module of the library, highlighted, folded until it is clicked on.

    Raises:
        TypeError: `thing` has no Python source (a number, a built-in): pass the function or class itself.
    """
    try:
        code = Code(inspect.getsource(thing), language="python")
    except (TypeError, OSError) as error:
        raise TypeError(f"{thing!r} has no source to show: pass a function, a class or a module") from error
    name = getattr(thing, "__qualname__", getattr(thing, "__name__", ""))
    return HTML(f"<details><summary>Source of <code>{name}</code></summary>{code._repr_html_()}</details>")
