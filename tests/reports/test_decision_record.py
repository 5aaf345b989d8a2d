"""Decision records: gathered from a run, true to it, kept in its history, written without obeying anybody's text."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboard"))

from recorded import RUN, recorded_run

from dashboard.texts import catalogue
from nas_core.errors import RunError, StoreError
from nas_core.escaping import markdown_text
from nas_core.preferences import Goal, Preference
from nas_core.records import Event, RunState, Status
from nas_core.reports import (
    WORDS,
    DecisionRecord,
    decision_record,
    decisions_of,
    final_test,
    final_tests_of,
    keep_decision,
    record_html,
    record_markdown,
    record_page,
)
from nas_core.reports.alternatives import knee
from nas_core.reports.amounts import amount, duration, share
from nas_core.runs.viewer import RunView
from nas_core.search.fronts import non_dominated
from nas_core.store import InMemoryStore, Store, open_store

HOSTILE = "</script><img src=x onerror=alert(1)> | `*_[x](http://x)_*` # $x$ & 中文\nsecond line"


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return recorded_run(InMemoryStore() if request.param == "memory" else open_store(tmp_path))[0]


def test_it_tells_what_the_run_knows(store: Store) -> None:
    view = RunView(store, RUN)
    record = decision_record(view, reason="simple", by="me", now=1.0)
    ranked = view.snapshot.rank(record.preference, view.inside())
    assert record.chosen.id == view.snapshot.ids[ranked.best]
    assert record.chosen.performance == view.evaluation(record.chosen.id).performance
    assert record.front == ranked.on_front.sum()
    assert record.weights == pytest.approx(dict.fromkeys(view.snapshot.names, 1 / len(view.snapshot.names)))
    assert (record.data.train_rows, record.data.valid_rows, record.data.test_rows) == (341, 114, 114)
    assert record.data.hash == view.record.data_hash
    assert record.budget.by_status == {"done": 22, "failed": 1, "ineligible": 1}
    assert {"python", "torch"} <= set(record.versions)
    assert (record.reason, record.by, record.made) == ("simple", "me", 1.0)


def test_it_survives_json(store: Store) -> None:
    record = decision_record(
        RunView(store, RUN), preference=Preference(weight=0.3, goals=(Goal(name="performance", value=0.9),))
    )
    assert DecisionRecord.model_validate_json(record.model_dump_json()) == record


def test_decisions_are_kept_with_the_run_the_latest_first(store: Store) -> None:
    view = RunView(store, RUN)
    before = store.run(RUN)
    first, second = decision_record(view, reason="one", now=1.0), decision_record(view, reason=HOSTILE, now=2.0)
    keep_decision(store, first)
    keep_decision(store, second)
    assert decisions_of(store, RUN) == (second, first)
    after = store.run(RUN)
    assert (after.state, after.progress) == (before.state, before.progress)
    with pytest.raises(StoreError, match="no run 'other'"):
        keep_decision(store, first.model_copy(update={"run_id": "other"}))


def test_a_record_of_a_later_version_is_left_out(store: Store) -> None:
    store.note(
        RUN, [Event(kind="decision", time=1.0, payload={"record": {"format": 99}}), Event(kind="decision", time=1.0)]
    )
    assert decisions_of(store, RUN) == ()


def test_alternatives_say_what_each_would_change() -> None:
    view = RunView(recorded_run()[0], RUN)
    record = decision_record(view)
    chosen = record.chosen
    roles = [role for a in record.alternatives for role in a.roles]
    assert {"accurate", "interpretable"} <= set(roles)
    assert chosen.id not in [a.id for a in record.alternatives]
    for a in record.alternatives:
        assert a.performance_gain == pytest.approx(a.performance.value - chosen.performance.value)
        assert a.interpretability_gain == pytest.approx(a.interpretability - chosen.interpretability)
    losses = [-a.performance.value for a in record.alternatives]
    assert losses == sorted(losses)


def test_where_smaller_is_better_a_gain_is_still_better() -> None:
    store, found = recorded_run(name="diabetes", count=12)
    problem = {**store.run(RUN).problem, "metric": "mse"}
    store.update_run(RUN, problem=problem)
    record = decision_record(RunView(store, RUN), found[5].id)
    assert not record.maximise
    assert record.alternatives
    for a in record.alternatives:
        assert a.performance_gain == pytest.approx(record.chosen.performance.value - a.performance.value)


def test_a_candidate_that_is_not_the_best_is_said_to_be_so() -> None:
    store, found = recorded_run()
    view = RunView(store, RUN)
    ranked = view.snapshot.rank(Preference())
    worst = view.snapshot.ids[int(ranked.order[-3])]
    kinds = [c.kind for c in decision_record(view, worst).caveats]
    assert "not_best" in kinds
    failed = next(e for e in found if e.status is Status.FAILED)
    record = decision_record(view, failed.id)
    assert record.caveats[0].kind == "ineligible"
    assert record.chosen.performance is None
    assert record_markdown(record)
    with pytest.raises(StoreError, match="no candidate 'nobody'"):
        decision_record(view, "nobody")


def test_caveats_come_from_facts() -> None:
    store, _ = recorded_run()
    view = RunView(store, RUN)
    kinds = {c.kind for c in decision_record(view).caveats}
    assert {"few_rows", "few_candidates", "curse", "test_closed", "no_audit"} <= kinds
    assert not {"ended_early", "inherited", "no_weights", "goals_missed", "outside", "dominated"} & kinds
    store.update_run(RUN, state=RunState.STOPPED, reason="Enough")
    wish = Preference(goals=(Goal(name="interpretability", value=1.0),))
    kinds = {c.kind for c in decision_record(RunView(store, RUN), preference=wish, doubts=("Odd.",)).caveats}
    assert {"ended_early", "goals_missed", "audit"} <= kinds
    assert "no_audit" not in kinds
    assert "audit_clean" in {c.kind for c in decision_record(RunView(store, RUN), doubts=()).caveats}


def test_without_an_eligible_candidate_there_is_nothing_to_decide() -> None:
    store, _ = recorded_run()
    empty = InMemoryStore()
    empty.create_run(store.run(RUN))
    with pytest.raises(RunError, match="no candidate to choose"):
        decision_record(RunView(empty, RUN))


@pytest.mark.parametrize("many", [1, 2])
def test_one_or_two_candidates_are_enough(many: int) -> None:
    store, found = recorded_run()
    small = InMemoryStore()
    small.create_run(store.run(RUN))
    small.commit(RUN, found[:many], None, {"evaluated": many}, state=RunState.DONE)
    record = decision_record(RunView(small, RUN))
    assert record.budget.evaluated == many
    assert len(record.alternatives) < many
    assert record_page(record)


def test_data_that_are_gone_become_a_caveat() -> None:
    store, _ = recorded_run()
    problem = store.run(RUN).problem
    store.update_run(RUN, problem={**problem, "source": {**problem["source"], "kind": "file", "location": "/gone.csv"}})
    record = decision_record(RunView(store, RUN))
    assert record.data.train_rows is None
    assert "data_unread" in [c.kind for c in record.caveats]
    assert not record.remake.exact
    assert "could not be read again" in record_markdown(record)


def test_the_test_part_is_opened_once_and_noted() -> None:
    store, found = recorded_run(count=12, epochs=5)
    view = RunView(store, RUN)
    before = decision_record(view)
    assert before.test is None
    told = final_test(store, RUN, before.chosen.id)
    assert (told.rows, told.looks, told.number) == (114, 1, before.chosen.number)
    assert told.validation == before.chosen.performance
    after = decision_record(RunView(store, RUN), before.chosen.id)
    assert after.test == told
    assert final_tests_of(store, RUN) == (told,)
    assert "test_closed" not in [c.kind for c in after.caveats]
    other = next(e for e in found if e.eligible and e.id != before.chosen.id)
    assert "test_elsewhere" in [c.kind for c in decision_record(RunView(store, RUN), other.id).caveats]
    assert final_test(store, RUN, before.chosen.id).looks == 2
    failed = next(e for e in found if e.status is Status.FAILED)
    with pytest.raises(RunError, match="has no performance"):
        final_test(store, RUN, failed.id)


def test_the_test_value_is_that_of_the_library() -> None:
    from sklearn.metrics import roc_auc_score

    from nas_core.audit.confirm import network_outputs
    from nas_core.data import Problem, ProblemSpec
    from nas_core.runs.candidates import load_candidate

    store, _ = recorded_run(count=8, epochs=5)
    record = decision_record(RunView(store, RUN))
    told = final_test(store, RUN, record.chosen.id)
    problem = Problem.load(ProblemSpec.model_validate(store.run(RUN).problem))
    part = problem.open_test()
    outputs = network_outputs(load_candidate(store, RUN, record.chosen.id, problem=problem), part.raw)
    assert told.fresh.value == pytest.approx(roc_auc_score(part.target, outputs[:, 0]), abs=1e-6)


def test_what_a_person_typed_is_shown_and_obeyed_nowhere(store: Store) -> None:
    record = decision_record(RunView(store, RUN), reason=HOSTILE, by=HOSTILE)
    for page in (record_page(record), record_html(record)):
        assert "<img" not in page
        assert "<script" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;" in page
    told = record_markdown(record)
    assert "<img" not in told
    assert "](http" not in told.replace("\\]", "")


@given(st.text(max_size=80))
def test_markdown_text_is_one_line_without_html(text: str) -> None:
    told = markdown_text(text)
    assert "\n" not in told
    assert "<" not in told
    assert not told.lstrip().startswith(("# ", "- ", "+ "))


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=30))
@settings(deadline=None)
def test_the_knee_is_farthest_below_the_line_between_the_ends(points: list[tuple[int, int]]) -> None:
    losses = np.array(points, dtype=float)
    front = losses[non_dominated(losses)]
    at = knee(front)
    low, high = front.min(axis=0), front.max(axis=0)
    if (high == low).any():
        assert at is None
        return
    scaled = (front - low) / (high - low)
    start, end = np.array([0.0, 1.0]), np.array([1.0, 0.0])
    away, along = scaled - start, end - start
    depth = (away[:, 1] * along[0] - away[:, 0] * along[1]) / -np.sqrt(2.0)  # signed distance below the line
    if at is None:
        assert len(np.unique(front, axis=0)) < 3 or depth.max() <= 1e-8
    else:
        assert depth[at] == pytest.approx(depth.max())
        assert depth[at] > 0.0


def test_numbers_are_written_one_way() -> None:
    assert [amount(v) for v in (None, 0, 0.98321, 1234.5, 0.9999, 1e-7, 2.5e7)] == ["–", "0", "0.983", "1,234", "1.00", "1.00e-07", "2.50e+07"]  # noqa: E501  # fmt: skip
    assert [duration(v) for v in (2.34, 61, 7300)] == ["2.3 s", "1 min 1 s", "2 h 1 min"]
    assert (share(0.125), share(1.0)) == ("13 %", "100 %")


def test_the_studio_has_the_same_english_words() -> None:
    studio = {k.removeprefix("decision."): v for k, v in catalogue("en").items() if k.startswith("decision.")}
    assert studio == dict(WORDS)
