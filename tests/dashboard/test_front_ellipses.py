"""The 95 % ellipses of the front: what they hold, which points have one, why there is none."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, norm
from test_front_axes import TABLE, made, snapshot_of, view_of
from test_run_views import decode

from dashboard.figures.front import front_payload
from dashboard.texts import text
from dashboard.views.front_choice import FrontChoice
from dashboard.views.front_ellipses import WIDER
from dashboard.views.front_marks import CROSSES
from dashboard.views.front_words import legend_help
from nas_core.objectives import METRICS
from nas_core.records import Measurement
from nas_core.search import Archive, Snapshot

ASKED = FrontChoice(y="performance", x=TABLE[0], marks=("ellipses",))


def measured(*rows: tuple[float, float, float]) -> Snapshot:
    """Return candidates with these performances, scores of every measure, and half widths of both intervals."""
    archive = Archive(METRICS["roc_auc"], TABLE)
    for k, (performance, score, half) in enumerate(rows, 1):
        known = made(k, performance, {}, 9, half)
        scores = {name: Measurement(value=score, low=score - half / 2, high=score + half) for name in TABLE}
        archive.add([known.model_copy(update={"measures": scores})])
    return archive.snapshot()


def test_the_factor_is_that_of_two_normal_quantities() -> None:
    assert pytest.approx(np.sqrt(chi2.ppf(0.95, 2)) / norm.ppf(0.975), rel=1e-12) == WIDER


@settings(max_examples=25)
@given(st.floats(0.001, 0.2), st.floats(0.001, 0.2), st.integers(0, 2**32 - 1))
def test_an_ellipse_holds_both_quantities_in_95_of_100_repetitions(one: float, two: float, seed: int) -> None:
    """With standard errors one and two and intervals of ±1.96 of them; 4 standard errors of the share are allowed."""
    drawn = np.random.default_rng(seed).normal(size=(4000, 2)) * (one, two)
    axes = WIDER * norm.ppf(0.975) * np.array([one, two])
    inside = ((drawn / axes) ** 2).sum(axis=1) <= 1.0
    assert abs(inside.mean() - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 4000) + 1e-9


def test_points_of_the_front_have_one_and_those_of_the_cloud_have_none() -> None:
    snapshot = measured((0.9, 0.5, 0.05), (0.8, 0.4, 0.05), (0.6, 0.9, 0.02))
    view = view_of(snapshot, ASKED)
    rows = {int(row[0]): row[1:] for row in view.marks.ellipses}
    assert set(rows) == {1, 3}
    assert rows[1] == pytest.approx(
        (0.5 - WIDER * 0.025, 0.5 + WIDER * 0.05, 0.9 - WIDER * 0.05, 0.9 + WIDER * 0.05), abs=2e-5
    )
    assert rows[3][3] == pytest.approx(0.6 + WIDER * 0.02, abs=2e-5)


def test_they_are_asked_for_and_travel_in_few_bytes() -> None:
    many = measured(*((1 - k / 1000, k / 1000 + 0.3, 0.01) for k in range(400)))
    view = view_of(many, FrontChoice(marks=("ellipses",)))
    assert len(view.marks.ellipses) == CROSSES
    extra = len(front_payload(view)) - len(front_payload(view_of(many, FrontChoice())))
    assert extra < 60 * CROSSES
    assert decode(front_payload(view))[0]["marks"]["ellipses"] == json.loads(json.dumps(view.marks.ellipses))
    assert view_of(many, FrontChoice()).marks.ellipses == ()
    assert text("front.help_ellipses") in legend_help(view)


@pytest.mark.parametrize(
    ("choice", "why"),
    [
        (FrontChoice(x="parameters", marks=("ellipses",)), "counted, not estimated"),
        (FrontChoice(z="operations", marks=("ellipses",)), "no third axis"),
        (FrontChoice(marks=("ellipses",)), "no point of the front"),
    ],
)
def test_where_there_can_be_none_a_sentence_says_why(choice: FrontChoice, why: str) -> None:
    view = view_of(snapshot_of((0.9, 0.5, 9), (0.6, 0.9, 5)), choice)
    assert view.marks.ellipses == ()
    assert why in view.marks.no_ellipses
    assert view_of(snapshot_of(), choice).marks.no_ellipses == ""  # nothing is there yet
