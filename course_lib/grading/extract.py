"""What an exercise needs of a notebook's code: the last definition of a function, and what that calls by name.

Nothing else of a submission is ever run. Imports and what the course's own cells define come from the course.
"""

from __future__ import annotations

import ast
import builtins
import functools
import re
import symtable
from collections.abc import Sequence
from dataclasses import dataclass

COURSE_CODE = ("course_lib.chapters", "course_lib.grading", "course_lib.teach.exercises")
LOOKS_AROUND = {"EXERCISES", "exercises", "reference", "__subclasses__", "__globals__", "_getframe", "gc", "inspect",
                "subprocess", "ctypes", "socket", "multiprocessing", "os", "sys", "signal"}


@dataclass(frozen=True)
class Code:
    """What is run of a submission for one exercise.

    Attributes:
        source: the statements, in their order in the notebook; "" if the function is not defined anywhere.
        problem: why there is none, or "".
        flags: what a teacher should know of them.
    """

    source: str = ""
    problem: str = ""
    flags: tuple[str, ...] = ()


def code_cells(notebook: dict) -> list[str]:
    """The code cells of a notebook's JSON, of format 4 or 3; what is no code cell as it should be is left out."""
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        cells = [cell for sheet in notebook.get("worksheets", []) if isinstance(sheet, dict)
                 for cell in sheet.get("cells", [])]
    found = []
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", cell.get("input", ""))
            found.append(source if isinstance(source, str) else "".join(map(str, source or [])))
    return found


def asked(cells: Sequence[str]) -> dict[str, str]:
    """The function of each exercise, by the calls of `check` in the course's own notebook: {"00.kl": "kl", …}."""
    calls = (node for code in cells for node in ast.walk(parsed(code) or ast.Module([], []))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check")
    return {call.args[0].value: call.args[1].id for call in calls
            if isinstance(call.args[0], ast.Constant) and isinstance(call.args[1], ast.Name)}


@functools.lru_cache(2048)  # the cells of a notebook are asked for once an exercise
def parsed(code: str) -> ast.Module | None:
    """A cell's syntax tree, IPython's own lines left out; None if it has none. It must not be changed."""
    try:
        return ast.parse(re.sub(r"(?m)^\s*[%!?].*$", "pass", code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def imports(cells: Sequence[str]) -> str:
    """All import statements of these cells."""
    return "\n".join(ast.unparse(node) for code in cells for node in (parsed(code) or ast.Module([], [])).body
                     if isinstance(node, ast.Import | ast.ImportFrom))


def extract(cells: Sequence[str], function: str, course: Sequence[str], given: frozenset[str]) -> Code:
    """What defines a function in a submission's cells.

    Args:
        cells: of the submission.
        function: its name.
        course: the cells of the course's own notebook, whose definitions come before the submission's, unless the
            student's stands in one cell with the function.
        given: names that are there already, from the course's imports.
    """
    trees = [parsed(code) for code in cells]
    home = max((i for i, tree in enumerate(trees) if tree and function in _bound(tree.body)), default=None)
    if home is None:
        broken = [code for code, tree in zip(cells, trees, strict=True) if tree is None and re.search(
            rf"\bdef\s+{function}\b", code)]
        return Code(problem=f"the cell does not parse: {_syntax(broken[-1])}" if broken else "")
    own = {name: (i, j) for i, tree in enumerate(trees) if tree for j, node in enumerate(tree.body)
           for name in _binds(node)}
    at_home = {name for node in trees[home].body for name in _binds(node)}
    own |= {name: (home, j) for j, node in enumerate(trees[home].body) for name in _binds(node)}
    theirs = [parsed(code) for code in course]
    courses = {name: (i, j) for i, tree in enumerate(theirs) if tree for j, node in enumerate(tree.body)
               for name in _binds(node) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    wanted, taken = [function], {False: set(), True: set()}  # by whether it is the course's
    done: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in done or (name in given and name not in at_home) or (hasattr(builtins, name) and name not in own):
            continue
        done.add(name)
        from_course = name in courses and name not in at_home
        place = courses[name] if from_course else own.get(name)
        if place is None:
            continue
        taken[from_course].add(place)
        wanted += _used((theirs if from_course else trees)[place[0]].body[place[1]])
    statements = [trees[i].body[j] for i, j in sorted(taken[False])]
    source = [theirs[i].body[j] for i, j in sorted(taken[True])] + statements
    return Code("\n\n".join(map(ast.unparse, source)), flags=tuple(_flags(statements)))


def _used(statement: ast.stmt) -> set[str]:
    """The names of the notebook that a statement uses; a function's own variables and arguments are none."""
    tables, used = [symtable.symtable(ast.unparse(statement), "submission", "exec")], set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        used |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced() and (
            symbol.is_global() or table.get_type() == "module")}
    return used


def _bound(body: Sequence[ast.stmt]) -> set[str]:
    return {name for node in body for name in _binds(node)}


def _binds(node: ast.stmt) -> set[str]:
    """The names that a statement at the top of a cell defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.If | ast.Try | ast.With | ast.For):
        within = (one for one in ast.walk(node))
        return {one.id for one in within if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)} | {
            one.name for one in ast.walk(node) if isinstance(one, ast.FunctionDef | ast.ClassDef)}
    return set()


def _syntax(code: str) -> str:
    try:
        ast.parse(code)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error)
    return "it is too deeply nested"


def _flags(statements: Sequence[ast.stmt]) -> list[str]:
    """What no answer to an exercise needs, found in the syntax tree: a sign, and no proof."""
    flags = set()
    for node in (inner for statement in statements for inner in ast.walk(statement)):
        modules = ([alias.name for alias in node.names] if isinstance(node, ast.Import)
                   else [node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        words = {node.id} if isinstance(node, ast.Name) else {node.attr} if isinstance(node, ast.Attribute) else set()
        words |= {part for module in modules for part in module.split(".")}
        if any(module.startswith(COURSE_CODE) for module in modules) or words & {"EXERCISES", "reference"}:
            flags.add("looks at the course's own answers")
        elif found := sorted(words & LOOKS_AROUND):
            flags.add(f"uses {', '.join(found)}")
        if isinstance(node, ast.FunctionDef) and node.name == "check":
            flags.add("redefines check")
    return sorted(flags)
