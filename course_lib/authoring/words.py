"""Words of comparison and of cause, such as "beats" and "because", are promises: a claim near them must keep them.

Near is the same cell or at most two cells away, in the student's notebook. The claim must carry its error, which is to
say several values, or be an identity, `exact=True`. Or the cell says in its header line why no claim is needed:
`# %% [markdown] words="never: a KL is at least 0, shown above; because: by the line before"`.

That a claim is an identity stands in the source. That it carries several values is known only when it was made; so
`lint` of a source tells what is certain, and the executed notebook, in `make test`, decides the rest.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence

from nbformat import NotebookNode

from course_lib.authoring.text import calls, prose
from course_lib.teach.claims import SEVERAL

WORDS = ("beats", "never", "always", "cannot", "because", "no better", "for certain", "as well as")
FOUND = re.compile(rf"\b({'|'.join(word.replace(' ', chr(92) + 's+') for word in WORDS)})\b", re.I)
NEAR = 2  # cells


def words_in(text: str) -> list[str]:
    """The words of `WORDS` in a Markdown cell, each once, in order; formulas, code and references do not count."""
    return list(dict.fromkeys(" ".join(word.lower().split()) for word in FOUND.findall(prose(text))))


def reasons(cell: NotebookNode) -> dict[str, str]:
    """What the cell's header line says of its words: the reason for each, empty where there is none."""
    parts = (part.partition(":") for part in cell.metadata.get("words", "").split(";") if part.strip())
    return {word.strip(): reason.strip() for word, _, reason in parts}


def complaints(cells: Sequence[NotebookNode], several: Collection[int] | None = None) -> Iterator[tuple[int, str]]:
    """Place and fault of each word that nothing supports, and of each reason that is none.

    Args:
        cells: the student's.
        several: the places of the code cells that made a claim about several values, if the notebook was executed;
            otherwise every claim is taken for one.
    """
    supporting = {i for i, cell in enumerate(cells) if cell.cell_type == "code" and (
        any(several is None or _is_exact(claim) for claim in calls(cell.source, "claim")) or i in (several or ()))}
    for i, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            given, found = reasons(cell), words_in(cell.source)
            yield from ((i, f'words="{word}: …" names a word that the cell does not hold (of {", ".join(WORDS)})')
                        for word in given if word not in found)
            yield from ((i, f'words="{word}: …" gives no reason') for word in given if not given[word])
            if supporting.isdisjoint(range(i - NEAR, i + NEAR + 1)):
                yield from ((i, f"{word!r}: no claim about several values or with exact=True within {NEAR} cells; "
                                f'make one, weaken the sentence, or give the reason in words="{word}: …"')
                            for word in found if word not in given)


def shows_several(outputs: Sequence[NotebookNode]) -> bool:
    """Whether the outputs of an executed cell hold a claim about the mean of several values."""
    return any(SEVERAL.search(output.get("data", {}).get("text/plain", "")) for output in outputs)


def _is_exact(claim: ast.Call) -> bool:
    return any(k.arg == "exact" and getattr(k.value, "value", False) is True for k in claim.keywords)
