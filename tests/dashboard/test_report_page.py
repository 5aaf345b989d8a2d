"""The Report page without a browser: the form, the record, what is kept, the test rows behind their warning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit
from recorded import RUN, recorded_run
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from dashboard import process
from dashboard.command import app as command
from dashboard.components.replay_job import ReplayJob
from dashboard.components.report_files import JOB
from dashboard.replay import ReplayPlan
from dashboard.views.decision import choices, decision_label
from nas_core.preferences import Preference
from nas_core.records import Evaluation
from nas_core.reports import DecisionRecord, decision_record, decisions_of, final_tests_of, keep_decision
from nas_core.runs.viewer import RunView
from nas_core.store import InMemoryStore, Store, open_store

APP = str(Path(process.__file__).with_name("app.py"))
Recorded = tuple[Store, list[Evaluation]]


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    store, found = recorded_run(count=16, epochs=2)
    process.configure(opened=store)
    yield store, found
    process.configure(opened=InMemoryStore())
    streamlit.cache_resource.clear()


def open_report(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=90)
    app.switch_page("pages/report.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def body(app: AppTest) -> str:
    """Return the record that the page shows."""
    return "\n".join(element.proto.body for element in app.get("html"))


def test_without_a_run_the_page_says_what_to_do() -> None:
    process.configure(opened=InMemoryStore())
    app = open_report()
    assert not app.exception
    assert "There is no run yet" in app.info[0].value


def test_the_best_at_the_weight_is_offered_and_its_record_shown(recorded: Recorded) -> None:
    app = open_report(run=RUN)
    assert not app.exception
    record = decision_record(RunView(recorded[0], RUN))
    assert app.selectbox(key="report_candidate").value == record.chosen.id
    assert f"#{record.chosen.number} · {record.chosen.structure}" in body(app)
    assert "To be careful about" in body(app)


def test_the_candidate_in_view_comes_first(recorded: Recorded) -> None:
    app = open_report(run=RUN, cand=recorded[1][2].id)
    assert app.selectbox(key="report_candidate").value == recorded[1][2].id
    assert app.button(key="report_keep").label == "Record the decision for #3"


def test_a_decision_is_kept_and_listed(recorded: Recorded) -> None:
    store, _ = recorded
    app = open_report(run=RUN)
    app.text_area(key="report_reason").set_value("Simple <b>enough</b>").run()
    app.text_input(key="report_by").set_value("Dr. Li").run()
    app.button(key="report_keep").click().run()
    assert not app.exception
    (kept,) = decisions_of(store, RUN)
    assert (kept.reason, kept.by) == ("Simple <b>enough</b>", "Dr. Li")
    assert app.selectbox(key="report_shown").value == 0
    assert "Simple &lt;b&gt;enough&lt;/b&gt;" in body(app)
    assert app.text_area(key="report_reason").value == ""
    app.slider(key="report_lam").set_value(0.9).run()
    app.button(key="report_keep").click().run()
    later, earlier = decisions_of(store, RUN)
    assert earlier == kept
    assert later.preference.weight == 0.9
    app.session_state["report_tab"] = "Decisions so far"
    app.run()
    assert app.dataframe[0].value["reason"].tolist() == ["", "Simple <b>enough</b>"]


def test_the_files_are_those_of_the_record(recorded: Recorded) -> None:
    app = open_report(run=RUN)
    app.session_state["report_tab"] = "Files"
    app.run()
    assert not app.exception
    number = decision_record(RunView(recorded[0], RUN)).chosen.number
    assert app.code[0].value == f"nasight reproduce decision-{RUN}-{number}.json"
    assert app.code[1].value.startswith("nasight ")
    assert len(app.get("download_button")) == 3
    app.button(key="report_replay_make").click().run()
    job: ReplayJob = app.session_state[JOB]
    job.wait(90)
    assert job.state == "done"
    app.run()
    assert len(app.get("download_button")) == 4
    assert job.page.startswith(b"<!doctype html>")


def test_writing_the_replay_can_be_cancelled(recorded: Recorded) -> None:
    record = decision_record(RunView(recorded[0], RUN))
    job = ReplayJob(record, ReplayPlan(), None)
    job.cancel()
    job.wait(60)
    assert job.state == "cancelled"
    assert job.page == b""


def test_the_test_rows_stay_closed_until_a_person_is_sure(recorded: Recorded) -> None:
    store, _ = recorded
    app = open_report(run=RUN)
    app.session_state["report_test"] = True
    app.run()
    assert "looked at once" in app.warning[0].value
    assert app.button(key="test_open").disabled
    assert final_tests_of(store, RUN) == ()
    (sure,) = app.checkbox
    sure.check().run()
    app.button(key="test_open").click().run()
    assert not app.exception
    (test,) = final_tests_of(store, RUN)
    assert test.rows == 114
    assert "test rows" in body(app)
    with pytest.raises(KeyError):
        app.button(key="test_open")


def test_an_audit_joins_the_caveats(recorded: Recorded) -> None:
    app = open_report(run=RUN)
    assert "It was not audited" in body(app)
    app.toggle(key="report_audit").set_value(True).run(timeout=120)
    assert not app.exception
    assert "It was not audited" not in body(app)
    assert "udit" in body(app)


def test_choices_are_each_there_once(recorded: Recorded) -> None:
    view = RunView(recorded[0], RUN)
    ranked = view.snapshot.rank(Preference())
    found = [choice.id for choice in choices(view.snapshot, ranked, recorded[1][0].id)]
    assert found[0] == recorded[1][0].id
    assert len(found) == len(set(found))
    assert set(found) >= {view.snapshot.ids[at] for at, front in enumerate(ranked.on_front) if front}


def test_lines_of_decisions_differ(recorded: Recorded) -> None:
    record = decision_record(RunView(recorded[0], RUN), reason="a " * 80, now=0.0)
    same: tuple[DecisionRecord, ...] = (record, record.model_copy())
    assert decision_label(same[0], same) != decision_label(same[1], same)
    assert decision_label(record).endswith("…")


def test_the_command_writes_each_form(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    recorded_run(store, count=16, epochs=2)
    kept = decision_record(RunView(store, RUN), reason="kept")
    keep_decision(store, kept)
    store.close()
    for name, begins in (("r.html", "<!doctype html>"), ("r.md", "# Decision"), ("r.json", "{")):
        file = tmp_path / name
        done = CliRunner().invoke(
            command, ["report", RUN, "-o", str(file), "--store", str(tmp_path), "--seconds", "0"]
        )  # fmt: skip
        assert done.exit_code == 0, done.output
        assert file.read_text().startswith(begins)
    assert DecisionRecord.model_validate_json((tmp_path / "r.json").read_bytes()) == kept
    other = ["report", RUN, "-o", str(tmp_path / "o.json"), "--candidate", "3", "--weight", "0.9"]
    assert CliRunner().invoke(command, [*other, "--store", str(tmp_path)]).exit_code == 0
    record = DecisionRecord.model_validate_json((tmp_path / "o.json").read_bytes())
    assert (record.chosen.number, record.preference.weight) == (3, 0.9)
    for wrong, said in (
        ("--format=pdf", "no report format 'pdf'"),
        ("--language=fr", "no language 'fr'"),
        ("--weight=2", "λ is 2"),
    ):
        done = CliRunner().invoke(command, ["report", RUN, wrong, "--store", str(tmp_path)])
        assert done.exit_code == 2
        assert said in done.stderr
