"""With course_lib imported, torchvision can be imported beside a CPU torch; nothing is touched where it works.

It costs a second and 80 MB, which only those pay who use it.
"""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

from notebook_cells import NOTEBOOKS, cells_of

COURSE = Path(__file__).resolve().parents[1]
NEEDS_SCHEMAS = """
    import torch
    try:
        torch._C._get_operation_overload("torchvision::nms", "") or 1 / 0
    except (RuntimeError, ZeroDivisionError):
        raise RuntimeError("operator torchvision::nms does not exist")
    loaded = True
"""


def import_beside(tmp_path, stub: str, then: str) -> subprocess.CompletedProcess:
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(textwrap.dedent(stub), encoding="utf-8")
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(COURSE)!r}]\n{then}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def test_declares_the_operators_when_they_are_missing(tmp_path):
    done = import_beside(tmp_path, NEEDS_SCHEMAS,
                         "import course_lib, torchvision; assert torchvision.loaded; assert course_lib._schemas")
    assert done.returncode == 0, done.stderr


def test_without_the_guard_the_stub_fails(tmp_path):
    done = import_beside(tmp_path, NEEDS_SCHEMAS, "import torchvision")
    assert "torchvision::nms does not exist" in done.stderr


def test_leaves_a_working_torchvision_alone(tmp_path):
    done = import_beside(tmp_path, "loaded = True",
                         "import course_lib, torchvision; assert torchvision.loaded; assert not course_lib._schemas")
    assert done.returncode == 0, done.stderr


def test_another_failure_is_not_hidden(tmp_path):
    done = import_beside(tmp_path, "raise RuntimeError('CUDA driver is too old')", "import course_lib, torchvision")
    assert done.returncode != 0 and "CUDA driver is too old" in done.stderr


def test_the_real_torchvision_works():
    import torch
    from torchvision.transforms import v2
    from torchvision.utils import make_grid

    assert make_grid(torch.zeros(4, 1, 8, 8), nrow=2, padding=1).shape == (3, 19, 19)
    assert v2.functional.hflip(torch.tensor([[1.0, 2.0]])).tolist() == [[2.0, 1.0]]


def test_only_a_cell_that_uses_it_imports_it():
    imports = re.compile(r"^\s*(?:import|from) torchvision", re.M)
    package = [path.name for path in (COURSE / "course_lib").rglob("*.py") if imports.search(
        path.read_text(encoding="utf-8"))]
    assert package == []
    cells = [cells_of(path.stem.split("_")[0]) for path in sorted((NOTEBOOKS / "source").glob("*.py"))]
    assert not [first for first, *_ in cells if imports.search(first)]
    assert [cell for _, *later in cells for cell in later if imports.search(cell)]  # or readers need it not
