"""The tabs of the Candidate page: performance, what-if, lineage; the row picker, the badges, along the front."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit
from recorded import RUN, recorded_run
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.components.explained import candidate_of, problem_of
from dashboard.components.performed import predicted_of, rows_of
from dashboard.components.what_if_knobs import edits
from dashboard.components.what_if_work import fewest_changes, nearest_row
from nas_core.explanations.what_if import otherwise
from nas_core.records import Evaluation
from nas_core.store import InMemoryStore, Store

APP = str(Path(process.__file__).with_name("app.py"))
Recorded = tuple[Store, list[Evaluation]]


@pytest.fixture(scope="module")
def binary() -> Recorded:
    return recorded_run(count=12)


@pytest.fixture(scope="module")
def classes() -> Recorded:
    return recorded_run(name="iris", count=8)


@pytest.fixture(scope="module")
def numbers() -> Recorded:
    return recorded_run(name="diabetes", count=8)


@pytest.fixture(autouse=True)
def _own_store() -> Iterator[None]:
    yield
    process.configure(opened=InMemoryStore())
    streamlit.cache_resource.clear()


def open_tab(recorded: Recorded, tab: str, candidate: Evaluation | None = None, **session: object) -> AppTest:
    process.configure(opened=recorded[0])
    one = candidate or best(recorded)
    app = AppTest.from_file(APP, default_timeout=180)
    app.switch_page("pages/candidate.py")
    app.query_params["run"], app.query_params["cand"] = RUN, one.id
    app.session_state["candidate_tab"] = tab
    for name, value in session.items():
        app.session_state[name] = value
    return app.run()


def best(recorded: Recorded) -> Evaluation:
    """Return a candidate with weights and more than one feature."""
    known = [e for e in recorded[1] if e.weights is not None]
    return max(known, key=lambda e: sum(len(g["features"]) for g in e.architecture.values["groups"]))


def said(app: AppTest) -> str:
    return " | ".join(str(e.value) for kind in (app.markdown, app.caption, app.info, app.error) for e in kind)


def traces(app: AppTest) -> dict[str, dict]:
    figures = [json.loads(chart.proto.spec or chart.proto.figure.spec) for chart in app.get("plotly_chart")]
    return {str(t.get("meta")): t for figure in figures[1:] for t in figure["data"]}


@pytest.mark.parametrize("part", ["confusion", "thresholds", "reliability", "subgroups"])
@pytest.mark.parametrize("which", ["binary", "classes"])
def test_a_classifier_is_judged_on_its_validation_rows(request: pytest.FixtureRequest, which: str, part: str) -> None:
    recorded = request.getfixturevalue(which)
    app = open_tab(recorded, "Performance", performance_part_classification=part)
    assert not app.exception
    assert not app.error
    problem = problem_of(RUN)
    assert f"On the {len(problem.valid)} validation rows" in said(app)
    assert problem.test_opened == 0
    table = app.dataframe[0].value
    assert table.iloc[0, 0] == f"{problem.objective.label} · searched"
    drawn = traces(app)
    if part == "confusion":
        counts = [c[2] for c in drawn["cells"]["customdata"]]
        assert sum(counts) == len(problem.valid)
    elif part == "thresholds":
        assert {"curve", "own"} <= set(drawn)
    elif part == "reliability":
        assert "expected calibration error" in said(app)


def test_the_rows_of_a_cell_are_listed(binary: Recorded) -> None:
    app = open_tab(binary, "Performance", performance_cell=(1, 1))
    one = best(binary)
    table = rows_of(RUN, one.id)
    wanted = (table.actual == 1) & (table.predicted == 1)
    if not wanted.any():
        pytest.skip("these weights never predict the second class right")
    listed = app.dataframe[1].value
    assert set(listed["Row"]) <= set(table.rows[wanted])
    assert len(listed) == min(50, int(wanted.sum()))


def test_a_regression_shows_its_residuals_in_the_targets_unit(numbers: Recorded) -> None:
    app = open_tab(numbers, "Performance")
    assert not app.exception
    assert not app.error
    problem = problem_of(RUN)
    assert "Half of the residuals lie between" in said(app)
    y = problem.dataset.y[problem.valid.rows]
    drawn = traces(app)["rows"]
    assert len(drawn["customdata"]) == len(y)
    assert [row[1] for row in drawn["customdata"]] == pytest.approx(list(y))
    assert [row[2] for row in drawn["customdata"]] == pytest.approx(list(predicted_of(RUN, best(numbers).id)[:, 0]))


def test_without_weights_the_tab_says_why(binary: Recorded) -> None:
    app = open_tab(binary, "Performance", binary[1][-2])
    assert not app.exception
    assert "trained weights are not in the store" in said(app)


@pytest.mark.parametrize("which", ["binary", "classes", "numbers"])
def test_a_moved_value_is_predicted_at_once(request: pytest.FixtureRequest, which: str) -> None:
    recorded = request.getfixturevalue(which)
    app = open_tab(recorded, "What if")
    assert not app.exception
    assert not app.error
    one, row = best(recorded), app.session_state["explain_row"]
    slider = next(s for s in app.slider if s.key.startswith(f"what_if_{row}_"))
    feature = int(slider.key.split("_")[3])
    slider.set_value(slider.max if slider.value < (slider.min + slider.max) / 2 else slider.min).run()
    assert not app.exception
    moved = np.array(problem_of(RUN).dataset.X[row], float)
    moved[feature] = next(s for s in app.slider if s.key == slider.key).value
    assert set(app.session_state["what_if_edits"][RUN, row]) == {feature}
    drawn = traces(app)
    assert {"before", "after", "curve", "here"} <= set(drawn)
    now = candidate_of(RUN, one.id).predict(moved[None])[0]
    at = 0 if len(now) == 1 else int(now.argmax())
    assert drawn["here"]["y"][0] == pytest.approx(now[at], rel=1e-6)
    app.button(key="what_if_reset").click().run()
    assert not app.session_state["what_if_edits"][RUN, row]


def test_counterfactuals_are_one_click_away(binary: Recorded) -> None:
    app = open_tab(binary, "What if")
    one, row = best(binary), app.session_state["explain_row"]
    app.button(key="what_if_fewest").click().run()
    assert not app.exception
    found = fewest_changes(RUN, one.id, row)
    assert set(app.session_state["what_if_edits"][RUN, row]) == {c.feature for c in found.changes}
    assert ("Predicted otherwise after" in said(app)) == found.reached
    app.button(key="what_if_nearest").click().run()
    assert not app.exception
    near = nearest_row(RUN, one.id, row)
    if near is None:
        assert "No validation or training row is predicted otherwise" in said(app)
    else:
        candidate, X = candidate_of(RUN, one.id), problem_of(RUN).dataset.X
        outputs = candidate.predict(X[[row, near.row]])
        assert otherwise(candidate.problem, outputs[0], outputs[1:])[0] > 0
        assert near.row not in set(candidate.problem.split.test)
        assert f"**{near.row}**" in said(app)


def test_what_was_changed_of_a_row_is_asked_of_the_next_candidate_too(binary: Recorded) -> None:
    app = open_tab(binary, "What if")
    row = app.session_state["explain_row"]
    app.button(key="what_if_fewest").click().run()
    changed = dict(app.session_state["what_if_edits"][RUN, row])
    button = next(b for b in app.button if b.key in ("along_next", "along_previous") and not b.disabled)
    button.click().run()
    assert not app.exception
    assert app.session_state["candidate_tab"] == "What if"
    assert app.session_state["explain_row"] == row
    assert app.session_state["what_if_edits"][RUN, row] == changed


def test_the_row_in_view_is_in_the_address_and_is_read_from_it(binary: Recorded) -> None:
    one = best(binary)
    process.configure(opened=binary[0])
    row = int(problem_of(RUN).valid.rows[5])
    app = AppTest.from_file(APP, default_timeout=180)
    app.switch_page("pages/candidate.py")
    app.query_params["run"], app.query_params["cand"], app.query_params["row"] = RUN, one.id, str(row)
    app.session_state["candidate_tab"] = "What if"
    app.run()
    assert app.session_state["explain_row"] == row
    app.button(key="explain_most_wrong").click().run()
    table = rows_of(RUN, one.id)
    order = np.argsort(-table.error, kind="stable")
    assert app.session_state["explain_row"] == table.rows[order[0]]
    assert app.query_params["row"] == str(table.rows[order[0]])
    app.button(key="explain_most_wrong").click().run()
    assert app.session_state["explain_row"] == table.rows[order[1]]


def test_a_row_that_is_none_of_the_validation_rows_is_refused(binary: Recorded) -> None:
    process.configure(opened=binary[0])
    wrong = int(problem_of(RUN).split.test[0])
    app = AppTest.from_file(APP, default_timeout=180)
    app.switch_page("pages/candidate.py")
    app.query_params["run"], app.query_params["cand"], app.query_params["row"] = RUN, best(binary).id, str(wrong)
    app.session_state["candidate_tab"] = "What if"
    app.run()
    assert f"Row {wrong} is not a validation row" in said(app)
    assert app.session_state["explain_row"] in set(problem_of(RUN).valid.rows)


def test_where_two_candidates_disagree_most(binary: Recorded) -> None:
    app = open_tab(binary, "Explain")
    app.button(key="explain_disagree").click().run()
    assert not app.exception
    assert app.toast


@pytest.mark.parametrize("part", ["waterfall", "dependence"])
@pytest.mark.parametrize("which", ["binary", "classes", "numbers"])
def test_any_validation_row_can_be_explained(request: pytest.FixtureRequest, which: str, part: str) -> None:
    recorded = request.getfixturevalue(which)
    process.configure(opened=recorded[0])
    row = int(problem_of(RUN).valid.rows[-2])
    app = open_tab(recorded, "Explain", explain_part=part, explain_row=row)
    assert not app.exception
    assert not app.error
    assert app.session_state["explain_row"] == row
    assert traces(app)


def test_lineage_shows_parents_and_what_changed(binary: Recorded) -> None:
    child = binary[1][2]
    app = open_tab(binary, "Lineage", child)
    assert not app.exception
    nodes = traces(app)["nodes"]
    assert set(nodes["customdata"]) == {binary[1][0].id, child.id}
    table = app.dataframe[0].value
    assert list(table["Step"]) == [f"#1 → #{child.index}"]
    alone = open_tab(binary, "Lineage", binary[1][4])
    assert "no parents and no descendants" in said(alone)


def test_the_head_says_how_far_to_trust(binary: Recorded) -> None:
    app = open_tab(binary, "Training")
    words = said(app)
    assert "eligible" in words
    assert "not audited" in words
    assert "explanation not checked" in words
    assert f"{len(problem_of(RUN).valid)} rows" in words
    assert "explanation checked" not in words
    app.session_state["candidate_tab"] = "Explain"
    app.run()
    app.run()  # the head is drawn before the tab that finds out
    assert "explanation not checked" not in said(app)


def test_next_and_previous_go_along_the_front_and_end_there(binary: Recorded) -> None:
    app = open_tab(binary, "Training")
    seen: list[str] = []
    for _ in range(30):
        button = next(b for b in app.button if b.key == "along_previous")
        if button.disabled:
            break
        button.click().run()
    while True:
        assert not app.exception
        seen.append(str(app.query_params["cand"]))
        button = next(b for b in app.button if b.key == "along_next")
        if button.disabled:
            break
        button.click().run()
    assert len(seen) == len(set(seen)) >= 2
    by_id = {e.id: e for e in binary[1]}
    values = [by_id[i].performance.value for i in seen]
    assert values == sorted(values, reverse=True)


def test_edits_of_a_row_nobody_moved_are_none() -> None:
    assert edits("no-run", 3) == {}
