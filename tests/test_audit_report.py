"""The reading of pip-audit's report in CI: what is skipped, what is told, what fails."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

VERDICT = runpy.run_path(str(Path(__file__).resolve().parents[1] / ".ci" / "audited.py"))["verdict"]
CLEAN = {"name": "a", "version": "1", "vulns": []}
OPEN = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": []}]}
CLOSED = {"name": "c", "version": "3", "vulns": [{"id": "PYSEC-2", "fix_versions": ["3.1"]}]}
UNKNOWN = {"name": "d", "version": "4", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("packages", "status", "says"),
    [
        ([CLEAN], 0, "1 of 1 packages audited, 0 known holes"),
        ([CLEAN, OPEN], 0, "PYSEC-1, closed in no version yet"),
        ([CLEAN, CLOSED], 1, "c 3: PYSEC-2, closed in 3.1"),
        ([UNKNOWN, UNKNOWN], 0, "skipped, its service knows none of the 2 packages"),
        ([UNKNOWN, CLOSED], 1, "1 of 2 packages audited, 1 known holes"),
    ],
)
def test_only_a_hole_that_a_newer_version_closes_fails(packages: list[dict[str, Any]], status: int, says: str) -> None:
    found, words = VERDICT(json.dumps({"dependencies": packages}), status)
    assert found == status
    assert says in "\n".join(words)


@pytest.mark.parametrize("report", ["", "not JSON", "[]", "{}"])
def test_an_audit_that_came_to_no_end_is_skipped_and_says_so(report: str) -> None:
    assert VERDICT(report, 124) == (0, ["pip-audit: skipped, it came to no end (exit status 124)"])
