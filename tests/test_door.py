"""The public door: sorted, complete, light."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import nas_core

HEAVY = ("torch", "streamlit", "plotly", "sklearn", "pandas", "shap", "pytorch_lightning", "sqlalchemy")


def in_a_fresh_process(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    ).stdout.strip()


def test_the_names_are_sorted_and_there() -> None:
    assert list(nas_core.__all__) == sorted(set(nas_core.__all__))
    for name in nas_core.__all__:
        value = getattr(nas_core, name)
        assert getattr(value, "__name__", name) == name
    assert set(nas_core.__all__) <= set(dir(nas_core))


def test_type_checkers_are_told_the_same_names() -> None:
    tree = ast.parse(Path(nas_core.__file__).read_text(encoding="utf-8"))
    (block,) = [n for n in tree.body if isinstance(n, ast.If) and any(isinstance(i, ast.ImportFrom) for i in n.body)]
    assert isinstance(block.test, ast.Name)
    assert block.test.id == "TYPE_CHECKING"
    told = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert told == nas_core._HOME_OF
    assert (Path(nas_core.__file__).parent / "py.typed").exists()


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'nas_core' has no attribute 'magic'"):
        nas_core.magic  # type: ignore[attr-defined]


def test_the_import_is_light() -> None:
    code = f"import sys, nas_core; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert in_a_fresh_process(code) == "[]"


def test_the_import_is_fast() -> None:
    code = "import time; t = time.process_time(); import nas_core; print(time.process_time() - t)"
    assert float(in_a_fresh_process(code)) < 1.0


def test_a_run_can_be_set_up_without_pytorch() -> None:
    code = (
        "import sys; from nas_core import InMemoryStore, Problem, RunSettings, SearchSpace, load_data, start_run\n"
        "print('torch' in sys.modules or 'pytorch_lightning' in sys.modules)"
    )
    assert in_a_fresh_process(code) == "False"


def test_the_command_is_light() -> None:
    code = f"import sys, nas_core.command; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert in_a_fresh_process(code) == "[]"
