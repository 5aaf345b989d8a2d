"""A run over time as data and pictures: the replay's marks, packs, phases, learning curves, reasons of failures."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from recorded import recorded_run

from dashboard.components.run_time import phases_html, speed_words
from dashboard.figures.run_curves import run_curves_figure
from dashboard.figures.timeline import timeline_figure
from dashboard.theme import DARK, LIGHT
from dashboard.views.failures import failures_view, first_failure, reason_groups
from dashboard.views.progress import progress_view
from dashboard.views.run_curves import curves_of, drawn_candidates
from dashboard.views.scrub import CLOSE, event_marks, scrub_view, seconds_after
from dashboard.views.timeline import phases_view, timeline_view
from nas_core.objectives import metric_objective
from nas_core.preferences import Preference
from nas_core.records import Event, RunRecord, RunState, Status
from nas_core.runs.progress import PHASES, Progress
from nas_core.runs.viewer import RunView

AUC = metric_objective("roc_auc")
STORE, FOUND = recorded_run(count=24)
VIEW = RunView(STORE, "run-1")
SNAPSHOT = VIEW.snapshot
RANKED = SNAPSHOT.rank(Preference())
SAID = {e.id: f"Epoch {n}: loss\nTraceback <b>of</b> #{n}" for n, e in enumerate(FOUND)}


def steered(evaluated: int, weight: float = 0.5, time: float = 1.0) -> Event:
    return Event(kind="steered", time=time, evaluated=evaluated, payload={"preference": {"weight": weight}})


def test_marks_say_what_happened_and_where() -> None:
    paused = Event(kind="paused", time=2.0, evaluated=50)
    unknown = Event(kind="pack", time=2.0, evaluated=60, payload={})
    marks = event_marks([steered(20, 0.8), paused, unknown, steered(90)], AUC, {}, 100)
    assert [(m.at, m.kind) for m in marks] == [(20, "weight"), (50, "pause"), (90, "weight")]
    assert marks[0].words.startswith("After 20 candidates:\n")
    assert "0.80" in marks[0].words


@given(some.lists(some.integers(0, 1000), max_size=40))
def test_marks_are_apart_and_lose_nothing(at: list[int]) -> None:
    marks = event_marks([steered(n) for n in sorted(at)], AUC, {}, 1000)
    assert all(b.at - a.at > CLOSE * 1000 for a, b in pairwise(marks))
    inside = [n for n in at if n > 0]
    assert all(any(m.at <= n <= m.at + CLOSE * 1000 for m in marks) for n in inside)
    assert bool(marks) == bool(inside)


def test_different_things_close_together_are_one_mark_that_names_the_last_ones() -> None:
    told = [steered(10, w / 10) for w in range(6)]
    (mark,) = event_marks([*told, Event(kind="paused", time=1.0, evaluated=10)], AUC, {}, 100)
    assert mark.kind == "many"
    assert "… and 3 earlier" in mark.words
    assert len(mark.words.splitlines()) == 6


def test_the_scrubber_says_what_the_page_shows() -> None:
    first = SNAPSHOT.first(12)
    ranked = first.rank(Preference())
    past = scrub_view("r", 24, first, ranked, past=True, hypervolume=0.5, seconds=75.0, marks=())
    assert past.label == "As it was after 12 of 24 candidates"
    assert past.facts == (f"{int(ranked.on_front.sum())} on the front · hypervolume 0.500 · "
                          f"best #{first.index[ranked.best]} · 1 min 15 s after the start")  # fmt: skip
    now = scrub_view("r", 24, SNAPSHOT, RANKED, past=False, hypervolume=None, seconds=None, marks=())
    assert (now.label, now.facts, now.past) == ("Now: 24 candidates", "", False)
    assert seconds_after(SNAPSHOT, float(SNAPSHOT.columns["finished"].max()) - 5) == pytest.approx(5, abs=1e-3)
    assert seconds_after(SNAPSHOT, 1e12) is None


def pack(number: int, began: float, ended: float, first: int, last: int) -> Event:
    facts = {"number": number, "began": began, "size": last - first + 1, "first": first, "last": last, "again": False}
    return Event(kind="pack", time=ended, evaluated=first, payload=facts)


def test_packs_pauses_and_losses_have_their_time() -> None:
    at = float(SNAPSHOT.columns["finished"].min()) - 100.0
    events = [
        pack(0, at + 1, at + 4, 0, 9), Event(kind="paused", time=at + 4, evaluated=10),
        Event(kind="resumed", time=at + 7, evaluated=10), pack(1, at + 7, at + 9, 10, 19), steered(20, time=at + 9),
    ]  # fmt: skip
    view = timeline_view(events, SNAPSHOT, at, AUC, {})
    assert [(p.first, p.last) for p in view.packs] == [(0, 9), (10, 19)]
    assert [(p.began, p.ended) for p in view.packs] == [
        pytest.approx((1, 4), abs=1e-3),
        pytest.approx((7, 9), abs=1e-3),
    ]
    assert view.pauses == (pytest.approx((4, 7), abs=1e-3),)
    assert [m.kind for m in view.moments] == ["pause", "weight"]
    assert view.lost["failed"][1].tolist() == [e.index for e in FOUND if e.status is Status.FAILED]
    seconds, done = view.candidates
    assert (np.diff(seconds) >= 0).all()
    assert done[-1] == 24
    labels = dict.fromkeys(("x", "y", "packs", "failed", "pruned", "events", "candidates"), "w")
    labels["pack"] = "<b>{number}</b> {size} {first} {last} {seconds}"
    figure = timeline_figure(view, LIGHT, labels, height=300)
    boxes = next(t for t in figure.data if t.fill == "toself")
    assert [v for v in boxes.x if v is not None] == pytest.approx([1, 4, 4, 1, 1, 7, 9, 9, 7, 7], abs=1e-3)
    assert any("<b>2</b> 10 10 19 2" in (t.text or ()) for t in figure.data)
    json.loads(figure.to_json())


def test_a_run_from_before_packs_left_their_times_shows_its_candidates() -> None:
    view = timeline_view([], SNAPSHOT, 0.0, AUC, {})
    assert view.packs == ()
    assert len(view.candidates[0]) == 24
    empty = timeline_view([], SNAPSHOT.first(0), 0.0, AUC, {})
    assert (len(empty.candidates[0]), empty.end) == (0, 0.0)
    assert timeline_figure(empty, DARK, dict.fromkeys(("x", "y", "candidates"), ""), height=300).layout.height == 300


def test_speed_device_epochs_memory_and_pauses_are_told_where_they_are_known() -> None:
    record = RunRecord(
        id="r", name="r", created=0.0, state=RunState.DONE, problem={}, space={}, settings={}, data_hash=""
    )
    now = Progress(evaluated=30, elapsed=10.0, epochs=1200, device="cuda (Some_GPU)", memory_bytes=1_250_000_000,
                   device_bytes=512_000_000, paused=75.0)  # fmt: skip
    told = " ".join(speed_words(progress_view(record, now), {}))
    assert "3.00 candidates/s on a CUDA device (Some\\_GPU)." in told
    assert "1,200 epochs" in told
    assert "1.25 GB of memory" in told
    assert "512.0 MB on the GPU" in told
    assert "Paused for 1 min 15 s" in told
    assert speed_words(progress_view(record, Progress()), {}) == []
    old = speed_words(progress_view(record, Progress(evaluated=1, elapsed=2.0)), {"device": "cpu"})
    assert old == ["0.500 candidates/s on the CPU."]


def test_phases_are_shares_of_the_whole_in_the_order_of_a_pack() -> None:
    phases = phases_view({"idle": 0.0, "measure": 1.0, "store": 0.5, "strategy": 0.5, "train": 2.0})
    assert tuple(p.name for p in phases) == PHASES
    assert sum(p.share for p in phases) == pytest.approx(1.0)
    assert phases[0].words == "2 s · 50 %"
    html = phases_html(phases, LIGHT)
    assert "width:50.000%" in html
    assert "training 50 %" in html
    assert phases_html(phases_view(dict.fromkeys(PHASES, 0.0)), DARK) == ""


def test_curves_are_of_the_groups_asked_for_and_those_in_view() -> None:
    star = FOUND[3].id
    drawn = drawn_candidates(SNAPSHOT, RANKED, ["front", "starred"], [star, "gone"], [FOUND[5].id, None, "gone"])
    front = {SNAPSHOT.ids[i] for i in np.flatnonzero(RANKED.on_front)}
    assert set(drawn) == front | {star, FOUND[5].id}
    assert list(drawn)[-1] == FOUND[5].id
    assert drawn[FOUND[5].id] == "chosen"
    assert drawn_candidates(SNAPSHOT, RANKED, [], [], []) == {}


def test_a_curve_that_ends_early_says_why_and_points_without_a_number_are_left_out() -> None:
    early = FOUND[0].model_copy(update={
        "status": Status.PRUNED, "reason": "Dominated <at> epoch 3",
        "curves": {"valid_loss": [1.0, 0.5], "performance": [0.7, 0.8], "performance_epoch": [1, 4]},
    })  # fmt: skip
    whole = FOUND[1].model_copy(update={"curves": {"valid_loss": [1.0, 0.9, 0.8]}})
    view = curves_of([(early, "early"), (whole, "front")], "valid_loss")
    assert [(c.epochs, c.values, c.ended) for c in view.curves] == [
        ((1, 2), (1.0, 0.5), "Dominated <at> epoch 3"), ((1, 2, 3), (1.0, 0.9, 0.8), ""),
    ]  # fmt: skip
    asked = curves_of([(early, "early"), (whole, "front")], "performance")
    assert (asked.curves[0].epochs, asked.missing) == ((1, 4), 1)
    labels = dict.fromkeys(("x", "y", "ended", "front", "starred", "early", "chosen"), "w")
    crosses = run_curves_figure(view, LIGHT, labels, log=True, height=300).data[-1]
    assert (list(crosses.x), list(crosses.y)) == ([2], [0.5])
    assert "Dominated &lt;at&gt; epoch 3" in crosses.text[0]


def test_failures_are_counted_and_grouped_by_reason_numbers_aside() -> None:
    view = failures_view(SNAPSHOT, SAID.__getitem__)
    assert view.numbers == tuple(sorted(view.numbers, reverse=True))
    assert view.counts == {"failed": 1, "ineligible": 1}
    many = failures_view(SNAPSHOT, lambda key: "Dominated at epoch 4 of 5 with probability .95: #248 is better")
    assert {g.reason for g in reason_groups(many)} == {"Dominated at epoch 4 of 5 with probability .95: #248 is better"}
    assert reason_groups(failures_view(SNAPSHOT.first(2), SAID.__getitem__)) == ()


def test_two_reasons_that_differ_in_numbers_are_one() -> None:
    from dataclasses import replace

    said = [f"Dominated at epoch {n} with probability .9{n}: #{n}48 is better, conv3x3 {n}e-3" for n in (4, 51)]
    failed = replace(failures_view(SNAPSHOT, SAID.__getitem__), statuses=("failed", "failed"), reasons=tuple(said))
    (group,) = reason_groups(failed)
    assert (group.count, group.first, group.last) == (2, failed.numbers[1], failed.numbers[0])
    assert group.reason == "Dominated at epoch … with probability …: … is better, conv3x3 …"
    assert group.example == failed.ids[1]


def test_the_first_failure_is_told_with_what_follows() -> None:
    found = first_failure(SNAPSHOT, SAID.__getitem__)
    assert found is not None
    at = next(n for n, e in enumerate(FOUND) if e.status is Status.FAILED)
    assert (found.number, found.line, found.failed) == (FOUND[at].index, f"Epoch {at}: loss", 1)
    assert found.rest.startswith("Traceback")
    assert first_failure(SNAPSHOT.first(3), SAID.__getitem__) is None


def test_the_view_of_a_run_knows_reasons_without_asking_the_store() -> None:
    for e in FOUND:
        assert VIEW.reason(e.id) == ("" if e.eligible else e.reason)
    assert VIEW.reason("nobody") == ""
