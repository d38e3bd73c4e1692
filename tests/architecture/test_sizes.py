"""Nothing grows past what one can read: no function over 70 lines, no module over 400, no door over eight names."""

import ast
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "src" / "openstile"
MODULES = sorted(SOURCES.rglob("*.py"))
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
DOOR_NAMES_MAX = 8


def _too_long(source: str) -> list[str]:
    functions = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [f.name for f in functions if (f.end_lineno or f.lineno) - f.lineno + 1 > FUNCTION_LINES_MAX]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCES)))
def test_module_and_its_functions_are_short(module: Path) -> None:
    source = module.read_text()
    assert len(source.splitlines()) <= MODULE_LINES_MAX
    assert _too_long(source) == []


def test_length_check_sees_a_function_one_line_too_long() -> None:
    body = "\n".join("    x = 1" for _ in range(FUNCTION_LINES_MAX - 1))
    assert _too_long(f"def fits():\n{body}\n") == []
    assert _too_long(f"def grew():\n{body}\n    x = 1\n") == ["grew"]


@pytest.mark.parametrize("door", sorted(SOURCES.rglob("__init__.py")), ids=lambda path: str(path.parent.name))
def test_room_exports_at_most_eight_names(door: Path) -> None:
    for node in ast.parse(door.read_text()).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            assert len(ast.literal_eval(node.value)) <= DOOR_NAMES_MAX


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    assert [m for m in MODULES if m.stem in {"utils", "util", "helpers", "common", "misc"}] == []
