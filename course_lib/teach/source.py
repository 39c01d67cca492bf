"""Library code, shown in the notebook where it is used."""

from __future__ import annotations

import inspect

from IPython.display import Code


def show_source(thing: object) -> Code:
    """The source code of a function, class or module of the library, highlighted.

    Raises:
        TypeError: `thing` has no Python source (a number, a built-in): pass the function or class itself.
    """
    try:
        return Code(inspect.getsource(thing), language="python")
    except (TypeError, OSError) as error:
        raise TypeError(f"{thing!r} has no source to show: pass a function, a class or a module") from error
