"""A short, always equal slice of ``tests/bench/fuzz.py``: changed files of each kind are read or refused, no crash."""

from __future__ import annotations

import pytest
from fuzzing import KINDS, Change, changed, changes, enter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize("kind", KINDS)
def test_the_valid_file_is_let_in(kind: str) -> None:
    assert enter(kind, []) == ""


@settings(deadline=None, max_examples=60, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(KINDS)), changes)
def test_a_changed_file_is_read_or_refused(kind: str, done: list[Change]) -> None:
    enter(kind, done)


@given(st.binary(max_size=40), changes)
def test_changes_are_what_they_say(data: bytes, done: list[Change]) -> None:
    assert changed(data, []) == data
    assert changed(data, done) == changed(changed(data, done[:1]), done[1:])
    assert len(changed(data, done)) <= len(data) + 5_000 * len(done)
