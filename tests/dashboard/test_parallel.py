"""Parallel coordinates as data and as bytes: which lines, where they cross, and that every value comes back."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from recorded import recorded_run

from dashboard.components.run_memory import memory_of
from dashboard.figures.parallel import MISSING, ON_FRONT, STARRED, parallel_payload
from dashboard.views import parallel
from dashboard.views.axes import Axis, axes_view
from dashboard.views.parallel import Scale, parallel_view, start_axes
from nas_core.preferences import Preference
from nas_core.runs.viewer import RunView

STORE, FOUND = recorded_run(count=24)
VIEW = RunView(STORE, "run-1")
SNAPSHOT = VIEW.snapshot
RANKED = SNAPSHOT.rank(Preference(weight=0.3))
AXES = axes_view(SNAPSHOT, RANKED, memory_of(VIEW).variables(VIEW, SNAPSHOT))
NAMES = ("choice:activation", "parameters", "interpretability", "performance")


def test_the_front_the_stars_and_the_chosen_are_always_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "MOST", int(RANKED.on_front.sum()) + 4)
    dull = [i for i in np.flatnonzero(SNAPSHOT.eligible) if not RANKED.on_front[i]]
    star, picked = SNAPSHOT.ids[dull[1]], SNAPSHOT.ids[dull[3]]
    view = parallel_view("r", SNAPSHOT, RANKED, AXES, NAMES, starred=[star], selected=picked)
    drawn = {SNAPSHOT.ids[i] for i in view.at}
    front = {SNAPSHOT.ids[i] for i in np.flatnonzero(RANKED.on_front)}
    assert {star, picked} | front <= drawn
    assert len(view.at) == len(set(view.at)) == parallel.MOST
    assert view.selected == SNAPSHOT.index[dull[3]]
    assert view.starred.sum() == 1


def test_every_candidate_that_was_trained_is_drawn_where_there_is_room() -> None:
    view = parallel_view("r", SNAPSHOT, RANKED, AXES, NAMES)
    assert sorted(view.at) == np.flatnonzero(SNAPSHOT.eligible).tolist()
    assert view.fractions.shape == (len(view.at), len(NAMES))
    assert np.nanmin(view.fractions) >= 0
    assert np.nanmax(view.fractions) <= 1 + 1e-12


def test_at_first_there_are_some_choices_what_was_optimised_and_the_outcome() -> None:
    names = start_axes(AXES, SNAPSHOT.search)
    assert names[-2:] == ("interpretability", "performance")
    assert set(SNAPSHOT.search) <= set(names)
    assert sum(name.startswith("choice:") for name in names) == parallel.START_CHOICES


def test_up_is_better_also_where_smaller_is_better() -> None:
    values = np.array([1.0, 3.0, 2.0])
    axis = Axis("performance", "RMSE", "objective", values, better=-1)
    scale = parallel._scale(axis)
    assert scale.fractions(values).tolist() == [1.0, 0.0, 0.5]
    assert scale.ticks[0] == (0.0, "3.00")


@given(some.floats(0.001, 1e6), some.floats(1.01, 1e4), some.floats(0, 1), some.booleans())
def test_a_fraction_is_the_value_it_came_from(low: float, times: float, at: float, log: bool) -> None:
    scale = Scale("x", "x", "cost", low, low * times, log, False, ())
    value = scale.value(at)
    assert scale.fractions(np.array([value]))[0] == pytest.approx(at, abs=1e-6)
    assert scale.fractions(np.array([low, low * times])) == pytest.approx([0.0, 1.0])


def test_one_value_lies_in_the_middle_and_none_nowhere() -> None:
    scale = parallel._scale(Axis("x", "x", "cost", np.array([4.0, np.nan])))
    assert np.array_equal(scale.fractions(np.array([4.0, np.nan])), [0.5, np.nan], equal_nan=True)
    assert len(parallel._scale(Axis("x", "x", "cost", np.full(2, np.nan))).ticks) == 5


@pytest.mark.parametrize("names", [NAMES, NAMES[:3], ()])
def test_the_bytes_hold_the_view(names: tuple[str, ...]) -> None:
    starred = [SNAPSHOT.ids[0]]
    view = parallel_view("r", SNAPSHOT, RANKED, AXES, names, starred=starred)
    data = parallel_payload(view, {"hint": "h"})
    (length,) = struct.unpack("<I", data[:4])
    head = json.loads(data[4 : 4 + length])
    n, axes, body = head["count"], len(head["axes"]), data[4 + length :]
    assert (4 + length) % 4 == 0
    crossings = np.frombuffer(body, "<u2", n * axes).reshape(axes, n)
    start = 2 * n * axes + (-2 * n * axes) % 4
    numbers = np.frombuffer(body, "<u4", n, start)
    flags = np.frombuffer(body, np.uint8, n, start + 4 * n)
    assert start + 5 * n == len(body)
    assert [axis["name"] for axis in head["axes"]] == list(names)
    assert numbers.tolist() == view.numbers.tolist()
    assert ((flags & ON_FRONT) > 0).tolist() == view.on_front.tolist()
    assert ((flags & STARRED) > 0).tolist() == view.starred.tolist()
    known = ~np.isnan(view.fractions.T)
    assert (crossings[~known] == MISSING).all()
    assert crossings[known] / (MISSING - 1) == pytest.approx(np.clip(view.fractions.T[known], 0, 1), abs=1e-5)


def test_two_thousand_lines_stay_below_seventy_kilobytes() -> None:
    rng = np.random.default_rng(0)
    many = parallel.ParallelView(
        "r", tuple(parallel._scale(axis) for axis in AXES[:12]), np.arange(2000), np.arange(2000),
        rng.random((2000, 12)), rng.random(2000) < 0.1, rng.random(2000) < 0.1, 1, 2, 2000, "",
    )  # fmt: skip
    assert len(parallel_payload(many, {})) < 70_000
