"""What the Data page keeps of metric, split, weights and transform, what it warns of, and the card it hands over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.components.prepared import order_of
from dashboard.drafts import Draft
from dashboard.uploads import keep_upload
from nas_core.data import Problem, SplitScheme
from nas_core.runs.settings import RunSettings
from nas_core.store import InMemoryStore, Store, open_store

APP = str(Path(process.__file__).with_name("app.py"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    process.configure(opened=opened)
    yield opened
    process.configure(opened=InMemoryStore())
    opened.close()


def open_page(page: str = "data", **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page(f"pages/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def visits(rows: int = 240) -> pd.DataFrame:
    """Patients who come several times; ``paid`` is the outcome in other words, ``same`` a copy of ``age``."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"patient": np.arange(rows) // 4, "day": np.arange(rows), "age": rng.integers(20, 90, rows)})
    ill = rng.random(rows) < 0.3
    frame["same"], frame["paid"] = frame.age * 12, np.where(ill, 900 + rng.normal(size=rows), rng.normal(size=rows))
    return frame.assign(cost=np.exp(rng.normal(size=rows)), outcome=np.where(ill, "ill", "well"))


def keep(store: Store, frame: pd.DataFrame) -> Path:
    return keep_upload(store, "visits.csv", frame.to_csv(index=False).encode())


def prepared(app: AppTest) -> tuple[Draft, Problem]:
    """Press "Use this data" and return the draft with the problem that a run would have."""
    app.button(key="data_use").click().run()
    assert not app.exception
    assert not app.error
    assert app.success
    draft = app.session_state["nasight_draft"]
    return draft, process.problem_of(order_of(draft, RunSettings()))


def test_a_split_by_group_reaches_the_run(store: Store) -> None:
    kept = keep(store, visits())
    app = open_page(data=kept.name)
    app.button_group(key=f"data_scheme_{kept}").set_value("group").run()
    app.selectbox(key=f"data_group_column_{kept}_outcome").select("patient")
    app.selectbox(key=f"data_class_weights_{kept}").select("balanced")
    app.selectbox(key="data_metric_classification").select("f1").run()
    draft, problem = prepared(app)
    assert draft.scheme == SplitScheme(kind="group", column="patient")
    assert draft.source is not None
    assert draft.source.aside == "patient"
    assert "patient" not in problem.feature_names
    patients = visits().patient.to_numpy()
    assert not set(patients[problem.split.train]) & set(patients[problem.split.test])
    assert (problem.spec.class_weights, problem.objective.name) == ("balanced", "f1")
    assert problem.row_weights is not None
    again = open_page(data=kept.name, draft="".join(app.query_params["draft"]))
    assert again.button_group(key=f"data_scheme_{kept}").value == "group"
    assert again.selectbox(key=f"data_class_weights_{kept}").value == "balanced"
    assert again.success  # the page recognises what is in use


def test_the_column_of_the_split_can_be_learned_from_as_well(store: Store) -> None:
    kept = keep(store, visits())
    app = open_page(data=kept.name)
    app.button_group(key=f"data_scheme_{kept}").set_value("time").run()
    app.selectbox(key=f"data_time_column_{kept}_outcome").select("day").run()
    app.checkbox(key=f"data_time_learned_{kept}_day").check().run()
    _, problem = prepared(app)
    assert "day" in problem.feature_names
    assert problem.split.train.max() < problem.split.valid.min() < problem.split.test.min()


def test_a_split_that_cannot_be_made_says_why(store: Store) -> None:
    frame = visits()
    frame.insert(0, "ward", np.arange(240) % 2)
    kept = keep(store, frame)
    app = open_page(data=kept.name)
    app.button_group(key=f"data_scheme_{kept}").set_value("group").run()
    app.selectbox(key=f"data_group_column_{kept}_outcome").select("ward").run()
    assert not app.exception
    assert any("has 2 groups" in e.value and "Fix:" in e.value for e in app.error)
    assert not any(b.key == "data_use" for b in app.button)


def test_a_transform_is_kept_and_one_that_cannot_be_is_refused(store: Store) -> None:
    kept = keep(store, visits().assign(loss=lambda f: f.cost - 1))
    app = open_page(data=kept.name)
    app.selectbox(key=f"data_target_{kept}").select("cost").run()
    app.selectbox(key=f"data_transform_{kept}").select("log1p").run()
    draft, problem = prepared(app)
    assert (draft.target_transform, problem.output_name) == ("log1p", "ln(1 + cost)")
    app.selectbox(key=f"data_target_{kept}").select("loss").run()
    assert any("negative values" in e.value for e in app.error)


def test_suspicious_columns_are_left_out_with_a_click(store: Store) -> None:
    kept = keep(store, visits())
    app = open_page(data=kept.name)
    told = "\n".join(m.value for m in app.markdown)
    assert "**paid** · may leak the target" in told
    assert "**same** · copy" in told
    app.button(key="data_leave_paid").click().run()
    assert not app.exception
    told = "\n".join(m.value for m in app.markdown)
    assert "**paid**" not in told
    assert "**same** · copy" in told
    app.button(key="data_leave_same").click().run()
    assert any("Nothing suspicious was found in the 144 training rows" in c.value for c in app.caption)
    draft, problem = prepared(app)
    assert draft.source is not None
    assert draft.source.kinds == {"paid": "ignore", "same": "ignore"}
    assert not {"paid", "same"} & set(problem.feature_names)
    again = open_page(data=kept.name, draft="".join(app.query_params["draft"]))
    assert "**paid**" not in "\n".join(m.value for m in again.markdown)
    assert again.success


def test_all_suspicious_columns_at_once(store: Store) -> None:
    app = open_page(data=keep(store, visits()).name)
    app.button(key="data_leave_all").click().run()
    assert any("Nothing suspicious" in c.value for c in app.caption)


def test_the_card_is_shown_and_handed_over(store: Store) -> None:
    app = open_page(data=keep(store, visits()).name)
    app.button_group(key="data_view").set_value("card").run()
    assert not app.exception
    told = "\n".join(m.value for m in app.markdown)
    assert "#### Data card: visits" in told
    assert "| ill |" in told
    assert [b.label for b in app.get("download_button")] == ["Markdown", "JSON"]


def test_images_need_no_columns(store: Store) -> None:
    app = open_page(data="digits_images")
    assert not app.exception
    metric = app.selectbox(key="data_metric_classification_image")
    assert metric.value == "accuracy"
    assert app.button_group(key="data_scheme_digits_images").options == ["at random", "by time"]
    draft, problem = prepared(app)
    assert draft.source is not None
    assert (draft.source.location, problem.dataset.modality) == ("digits_images", "image")
    assert "#### Data card: digits\\_images" in "\n".join(m.value for m in app.markdown)


def test_a_draft_of_an_older_version_still_opens() -> None:
    plain = json.loads(Draft().to_json())
    for name in ("scheme", "class_weights", "target_transform"):
        del plain[name]
    assert Draft.from_json(json.dumps(plain)) == Draft()
    wrong = {**json.loads(Draft().to_json()), "class_weights": "heavy"}
    with pytest.raises(ValueError, match="heavy"):
        Draft.from_json(json.dumps(wrong))


def test_a_file_that_changed_is_read_again(store: Store, tmp_path: Path) -> None:
    from nas_core.data import DataSource

    file = tmp_path / "t.csv"
    visits().to_csv(file, index=False)
    source = DataSource(kind="file", location=str(file), target="outcome")
    before = process.dataset_of(source)
    assert process.dataset_of(source) is before
    visits(200).to_csv(file, index=False)
    assert process.dataset_of(source).N == 200
