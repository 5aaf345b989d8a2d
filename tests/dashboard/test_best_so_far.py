"""The best so far: every step is what a loop over the candidates finds."""

from __future__ import annotations

import json

import numpy as np
import pytest
from recorded import RUN, recorded_run

from dashboard import process
from dashboard.figures.best_so_far import best_so_far_figure
from dashboard.theme import DARK, LIGHT
from dashboard.views.best_so_far import best_so_far
from dashboard.watching import Watched, ranking, watch
from nas_core.preferences import Goal, Preference
from nas_core.store import InMemoryStore


@pytest.fixture(scope="module")
def watched() -> Watched:
    store, _ = recorded_run(count=60)
    process.configure(opened=store)
    found = watch(RUN)
    process.configure(opened=InMemoryStore())
    return found


@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("goals", [(), (Goal(name="interpretability", value=0.7),)])
@pytest.mark.parametrize("count", [1, 2, 17, 60])
def test_every_step_is_what_a_loop_finds(watched: Watched, weight: float, goals: tuple, count: int) -> None:
    snapshot = watched.snapshot.first(count)
    ranked = ranking(watched, Preference(weight=weight, goals=goals)) if count == 60 else snapshot.rank(
        Preference(weight=weight, goals=goals)
    )  # fmt: skip
    view = best_so_far(snapshot, ranked)
    place = {int(at): k for k, at in enumerate(ranked.order)}
    steps = dict(zip(view.candidates, zip(view.performance, view.at_weight, view.interpretability)))
    shown = None
    for n in range(1, len(snapshot) + 1):
        there = [i for i in range(n) if snapshot.eligible[i]]
        if not there:
            assert n not in steps
            continue
        best = max(snapshot.performance[i] for i in there)
        leader = min(there, key=place.__getitem__)
        expected = (best, snapshot.performance[leader], ranked.interpretability[leader])
        if n in steps:
            shown = steps[n]
        assert shown == pytest.approx(expected)
    assert not len(view.candidates) or view.candidates[-1] == len(snapshot)
    assert (np.diff(view.performance) >= 0).all()


def test_it_ends_with_the_best_at_the_weight(watched: Watched) -> None:
    ranked = ranking(watched, Preference(weight=0.5))
    view = best_so_far(watched.snapshot, ranked)
    assert view.at_weight[-1] == watched.snapshot.performance[ranked.best]


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_the_picture_has_three_lines_and_two_axes(watched: Watched, colours: object) -> None:
    figure = best_so_far_figure(best_so_far(watched.snapshot, ranking(watched, Preference())), colours)
    assert [trace.yaxis for trace in figure.data] == ["y", "y", "y2"]
    assert len({trace.line.dash for trace in figure.data}) == 3  # told apart without colour
    assert json.loads(figure.to_json())["layout"]["yaxis"]["title"]["text"] == "ROC AUC"
