"""Imports go one way; nothing else in the package may look upwards."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "course_lib"
EVERYWHERE = {"__version__", "deprecated", "files", "memory", "mode", "seeds", "validation"}  # of notebooks and files
GROUND = {"data", "models", "measure", "plots"}  # rooms that know nothing of each other
TRAINING = {"data", "models", "measure", "training"}
EXPERIMENTS = TRAINING | {"experiments"}
MAY_IMPORT = {  # beside what may be imported everywhere
    **{room: {room} for room in GROUND}, **{module: set() for module in EVERYWHERE},
    "training": TRAINING, "experiments": EXPERIMENTS,
    "comparisons": EXPERIMENTS | {"comparisons"},
    "live": {"plots", "training", "experiments", "live"},
    "teach": EXPERIMENTS | {"plots", "teach"},
    "chapters": EXPERIMENTS | {"plots", "comparisons", "live", "teach", "chapters"},
    "authoring": {"data", "training", "comparisons", "plots", "live", "teach", "chapters", "authoring"},
    "grading": {"teach", "authoring", "grading"},
    "commands": EXPERIMENTS | {"plots", "teach", "authoring", "grading", "commands"},
}
FOR_ANY_NOTEBOOK = {  # plots that one notebook alone draws today, and why they are shared all the same
    "paths": "walks in the plane: of a game, of an optimiser, of a chain",
    "points": "points of two classes: what any classifier is given",
}
OUTSIDE_MODELS = {"ipywidgets", "anywidget", "matplotlib", "IPython", "threading"}


def modules():
    return [p for p in PACKAGE.rglob("*.py") if p.parent != PACKAGE or p.stem not in ("__init__", "__main__")]


def test_each_folder_of_modules_is_a_package():
    assert {path.parent for path in PACKAGE.rglob("*.py") if not (path.parent / "__init__.py").exists()} == set()


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    layer = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    own = {name.split(".")[1] for name in imported(path) if name.startswith("course_lib.")}
    assert own <= MAY_IMPORT[layer] | (EVERYWHERE if layer not in EVERYWHERE else set()), f"{layer} imports {own}"


@pytest.mark.parametrize("path", sorted((PACKAGE / "models").glob("*.py")), ids=lambda p: p.name)
def test_models_know_no_widgets_plots_or_threads(path):
    assert not {name.split(".")[0] for name in imported(path)} & OUTSIDE_MODELS


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_random_numbers_from_global_state(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            call = ast.unparse(node.func)
            assert call not in ("torch.manual_seed", "np.random.seed", "random.seed"), f"{path}:{node.lineno}"
            if call in ("torch.randn", "torch.rand", "torch.randint", "torch.randperm", "torch.bernoulli",
                        "torch.multinomial", "torch.normal"):
                assert any(k.arg == "generator" for k in node.keywords), f"{path}:{node.lineno}: {call}"


def users_of_plots() -> dict[str, set[str]]:
    """For each public function of `course_lib.plots`, who uses it: notebooks (with their chapters) and modules."""
    users = {}
    for path in (PACKAGE / "plots").glob("*.py"):
        parts = ast.parse(path.read_text(encoding="utf-8")).body
        for function in parts:
            if isinstance(function, ast.FunctionDef) and not function.name.startswith("_"):
                inside = (node for part in parts if part is not function for node in ast.walk(part))
                names = {node.id for node in inside if isinstance(node, ast.Name)}
                users[function.name] = {path.name} if function.name in names else set()
    course = PACKAGE.parent
    for folder in ("course_lib", "notebooks/source", "docs", "benchmarks"):
        for path in (course / folder).rglob("*.py"):
            chapter = re.search(r"source/(\w+?)_|chapters/nb(\w+?)/", path.as_posix())
            who = f"notebook {chapter[1] or chapter[2]}" if chapter else path.relative_to(course).as_posix()
            tree = ast.parse(path.read_text(encoding="utf-8"))
            names = {node.attr for node in ast.walk(tree)
                     if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "plots"}
            names |= {name.rpartition(".")[2] for name in imported(path) if name.startswith("course_lib.plots.")}
            for name in names & set(users) if who != "course_lib/plots/__init__.py" else ():
                users[name].add(who)
    return users


def test_a_plot_of_one_notebook_alone_is_in_its_chapter():
    users = users_of_plots()
    assert len(users) > 20
    alone = {name: who for name, who in users.items() if len(who) == 1 and min(who).startswith("notebook")}
    assert alone.keys() == FOR_ANY_NOTEBOOK.keys(), alone
