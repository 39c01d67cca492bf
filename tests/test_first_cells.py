"""What every reader waits for first, the imports of a notebook's first cell: the course takes in no package there that
few of its functions need. Such a package is imported where it is used."""

import ast
import json
import subprocess
import sys
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
HEAVY = ("pandas", "scipy", "sklearn", "torchvision")  # each takes from a third of a second to more than one


def course_imports(notebook: Path) -> list[str]:
    """The lines of a notebook's first code cell that import from the course."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    first = next("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return [ast.unparse(node) for node in ast.parse(first).body
            if isinstance(node, ast.ImportFrom) and node.module.startswith("course_lib")]


def test_the_course_brings_no_heavy_package_into_a_first_cell():
    notebooks = sorted(NOTEBOOKS.glob("*.ipynb"))
    lines = {line for notebook in notebooks for line in course_imports(notebook)}
    assert len(notebooks) > 25 and len(lines) > len(notebooks)
    code = "\n".join([*sorted(lines), "import sys", f"print([name for name in {HEAVY} if name in sys.modules])"])
    done = subprocess.run([sys.executable, "-c", code], cwd=NOTEBOOKS.parent, capture_output=True, text=True,
                          encoding="utf-8", timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
