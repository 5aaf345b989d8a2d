"""What is kept of kernels on disk: it is used again, but not after a change of any file of the folder."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from nas_core.training.compiled import jit


def loads_from_disk(path: Path) -> bool:
    """Import a file as a new process would, call its kernel, and return whether it was there already."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.twice(2) == 4
    return bool(module.twice.stats.cache_hits)


def test_kernels_are_kept_until_a_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept_kernel.py"
    path.write_text("from nas_core.training.compiled.jit import kernel\n\n@kernel\ndef twice(x):\n    return 2 * x\n")
    assert not loads_from_disk(path)
    assert loads_from_disk(path)
    monkeypatch.setattr(jit, "SOURCES", "of other files")
    assert not loads_from_disk(path)
    assert loads_from_disk(path)


def test_a_change_of_any_file_is_noticed(tmp_path: Path) -> None:
    folder = Path(jit.__file__).parent
    assert jit.fingerprint(folder, folder.parent / "optimiser.py") == jit.SOURCES
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("x = 1\n")
    before = jit.fingerprint(tmp_path)
    assert jit.fingerprint(tmp_path) == before
    (tmp_path / "b.py").write_text("x = 2\n")
    assert jit.fingerprint(tmp_path) != before
    (tmp_path / "other").write_text("1")
    beside = jit.fingerprint(tmp_path, tmp_path / "other")
    (tmp_path / "other").write_text("2")
    assert jit.fingerprint(tmp_path, tmp_path / "other") != beside
    (tmp_path / "b.py").rename(tmp_path / "c.py")
    assert jit.fingerprint(tmp_path) != before
