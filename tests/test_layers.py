"""The direction of dependencies that the design draws, held by reading every import of both packages."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ENGINE_LAYERS = [
    {"escaping", "secrecy"},
    {"errors"},
    {"objectives"},
    {"records"},
    {"preferences"},
    {"store"},
    {"data"},
    {"spaces"},
    {"interpretability", "training"},
    {"explanations"},
    {"evaluation", "search"},
    {"audit", "comparison", "insight"},
    {"runs"},
    {"exports", "reports"},
    {"command"},
]
STUDIO_LAYERS = [
    {"theme", "texts"},
    {"views"},
    {"figures"},
    {"replay"},
    {"access", "login_page"},
    {"gate"},
    {"assets", "drafts", "process", "uploads"},
    {"state"},
    {"gathering", "pacing", "watching"},
    {"components"},
    {"pages"},
    {"app", "server"},
    {"command"},
]


def imported_modules(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, absolute module) for every import in ``path``, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import; write the absolute name"
            yield node.lineno, node.module or ""


def files_of(package: str) -> list[Path]:
    return sorted(p for p in (ROOT / package).rglob("*.py"))


def layer_of(parts: tuple[str, ...], layers: list[set[str]]) -> int | None:
    """Return the height of the room that ``parts`` (without the package) lies in; None for the package's own door."""
    name = Path(parts[0]).stem if parts else "__init__"
    return next((height for height, rooms in enumerate(layers) if name in rooms), None)


def test_the_engine_knows_nothing_of_the_studio() -> None:
    forbidden = {"streamlit", "plotly", "dashboard"}
    found = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in files_of("nas_core")
        for line, module in imported_modules(path)
        if module.split(".")[0] in forbidden
    ]
    assert not found


@pytest.mark.parametrize(("package", "layers"), [("nas_core", ENGINE_LAYERS), ("dashboard", STUDIO_LAYERS)])
def test_imports_point_downwards(package: str, layers: list[set[str]]) -> None:
    found = []
    for path in files_of(package):
        own_parts = path.relative_to(ROOT / package).parts
        own = layer_of(own_parts, layers)
        if own is None:
            continue
        for line, module in imported_modules(path):
            parts = tuple(module.split("."))
            if parts[0] != package or len(parts) == 1:
                continue
            other = layer_of(parts[1:], layers)
            same_room = Path(own_parts[0]).stem == parts[1]
            if other is not None and (other > own or (other == own and not same_room)):
                found.append(f"{path.relative_to(ROOT)}:{line} ({Path(own_parts[0]).stem}) imports {module}")
    assert not found


@pytest.mark.parametrize(("package", "layers"), [("nas_core", ENGINE_LAYERS), ("dashboard", STUDIO_LAYERS)])
def test_every_room_has_its_place(package: str, layers: list[set[str]]) -> None:
    rooms = {Path(path.relative_to(ROOT / package).parts[0]).stem for path in files_of(package)} - {"__init__"}
    assert rooms <= set().union(*layers)


def test_views_and_figures_do_not_draw_pages() -> None:
    forbidden = {"views": {"streamlit", "plotly"}, "figures": {"streamlit"}}
    found = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for room, names in forbidden.items()
        for path in files_of(f"dashboard/{room}")
        for line, module in imported_modules(path)
        if module.split(".")[0] in names
    ]
    assert not found


def test_no_studio_file_hides_a_standard_module() -> None:
    names = {path.stem for path in (ROOT / "dashboard").glob("*.py")} - {"__init__"}
    assert not names & set(sys.stdlib_module_names)
