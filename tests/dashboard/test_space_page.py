"""The Search space page: edits become a valid space or a message, and samples come from the space that is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from recorded import run_problem
from streamlit.testing.v1 import AppTest

from dashboard import process, state
from dashboard.views.space import checked_pairs, sample_view, samples, space_summary
from nas_core.data import DataSource
from nas_core.errors import SpaceError
from nas_core.spaces import SearchSpace, facts
from nas_core.store import InMemoryStore

APP = str(Path(process.__file__).with_name("app.py"))


@pytest.fixture(autouse=True)
def _store() -> Iterator[None]:
    process.configure(opened=InMemoryStore())
    yield
    process.configure(opened=InMemoryStore())


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return SearchSpace.for_problem(run_problem("iris"), "balanced")


def open_page(tab: str = "Variables", draft: state.Draft | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("pages/space.py")
    app.session_state["nasight_draft"] = draft or state.Draft(source=DataSource(kind="builtin", location="iris"))
    app.session_state["space_tabs"] = tab
    return app.run()


def field(app: AppTest, name: str) -> str:
    """Return the key of a field of the form; it holds the identity of the space that is edited."""
    kinds = (app.button_group, app.number_input, app.multiselect, app.slider, app.toggle, app.text_area)
    keys = [w.key for kind in kinds for w in kind if w.key]
    return next(k for k in keys if k.endswith(name) or f"_{name}_" in k)


def apply(app: AppTest) -> AppTest:
    return next(b for b in app.button if b.label == "Apply").click().run()


def test_the_summary_tells_what_is_in_force(space: SearchSpace) -> None:
    limits = space.constraints.model_copy(
        update={"max_parameters": 1200, "features_required": ("petal length (cm)",), "max_depth": 2}
    )
    found = space_summary(space.changed(constraints=limits))
    assert found.constraints == ("at most 1,200 parameters", "at most 2 hidden layers", "must use petal length (cm)")
    assert "^" not in found.size


def test_samples_repeat_and_keep_the_constraints(space: SearchSpace) -> None:
    tight = space.changed(constraints=space.constraints.model_copy(update={"max_features": 1}))
    drawn = samples(tight, 3)
    assert [a.id for a in drawn] == [a.id for a in samples(tight, 3)]
    assert len({a.id for a in drawn}) == 3
    assert all(len(facts(tight, a).used_features) == 1 for a in drawn)
    view = sample_view(tight, drawn[0])
    assert view.words.startswith("1 of 4 features in one group")
    assert view.graph.parameters == facts(tight, drawn[0]).parameters


def test_pairs_are_ordered_and_complete() -> None:
    rows = [
        {"one": "b", "two": "a"},
        {"one": "a", "two": "b"},
        {"one": "a", "two": None},
        {"one": float("nan"), "two": "c"},
    ]
    assert checked_pairs(rows) == (("a", "b"),)


def test_the_page_opens_with_three_samples_and_words_for_the_size() -> None:
    app = open_page()
    assert not app.exception
    assert not app.error
    assert "architectures" in app.markdown[0].value
    assert len(app.get("bidi_component")) == 3
    before = [m.value for m in app.markdown]
    app.button(key="space_redraw").click().run()
    assert [m.value for m in app.markdown] != before


def test_variables_are_edited_in_the_form() -> None:
    app = open_page()
    app.button_group(key=field(app, "activation")).set_value(["relu", "tanh"])
    app.slider(key=field(app, "depth")).set_range(1, 2)
    apply(app)
    assert not app.exception
    assert not app.error
    edited = app.session_state["nasight_draft"].space
    assert set(edited.by_name["activation"].choices) == {"relu", "tanh"}
    assert (edited.by_name["depth"].low, edited.by_name["depth"].high) == (1, 2)
    assert edited.version == 2


def test_an_empty_list_of_choices_is_refused_with_a_message() -> None:
    app = open_page()
    app.button_group(key=field(app, "encoding")).set_value([])
    apply(app)
    assert not app.exception
    assert app.error
    assert app.session_state["nasight_draft"].space is None


def test_a_range_the_wrong_way_round_is_refused_with_a_message() -> None:
    app = open_page()
    app.number_input(key=field(app, "learning_rate_low")).set_value(0.1)
    app.number_input(key=field(app, "learning_rate_high")).set_value(0.001)
    apply(app)
    assert not app.exception
    assert "low 0.1 above high 0.001" in app.error[0].value


def test_constraints_are_edited_in_the_form() -> None:
    app = open_page("Constraints", state.Draft(source=DataSource(kind="builtin", location="breast_cancer")))
    app.number_input(key=field(app, "max_features")).set_value(4)
    app.multiselect(key=field(app, "required")).set_value(["mean radius"])
    app.multiselect(key=field(app, "up")).set_value(["mean texture"])
    apply(app)
    assert not app.exception
    assert not app.error
    limits = app.session_state["nasight_draft"].space.constraints
    assert limits.max_features == 4
    assert limits.features_required == ("mean radius",)
    assert limits.monotone_required == {"mean texture": 1}
    assert "at most 4 features; must use mean radius" in " ".join(c.value for c in app.caption)


def test_contradicting_constraints_are_refused_with_a_message() -> None:
    app = open_page("Constraints")
    app.multiselect(key=field(app, "required")).set_value(["petal length (cm)"])
    app.multiselect(key=field(app, "forbidden")).set_value(["petal length (cm)"])
    apply(app)
    assert not app.exception
    assert "petal length (cm)" in app.error[0].value
    app = open_page("Constraints")
    app.multiselect(key=field(app, "up")).set_value(["petal length (cm)"])
    app.multiselect(key=field(app, "down")).set_value(["petal length (cm)"])
    apply(app)
    assert "increasing and decreasing" in app.error[0].value


def test_a_space_without_a_valid_candidate_is_not_kept() -> None:
    app = open_page("Constraints")
    app.number_input(key=field(app, "max_parameters")).set_value(1)
    apply(app)
    assert not app.exception
    assert "max_parameters" in app.error[0].value
    assert app.session_state["nasight_draft"].space is None


def test_a_declaration_is_read_back(space: SearchSpace) -> None:
    app = open_page("JSON / YAML")
    area = app.text_area[0]
    assert "kind: feature_groups" in area.value
    area.set_value(area.value.replace("max_groups: null", "max_groups: 2"))
    apply(app)
    assert not app.error
    assert app.session_state["nasight_draft"].space.constraints.max_groups == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("variables: [", "not YAML"),
        ("- 1", "not a declaration"),
        ("family: nothing\nvariables: []", "nothing"),
        ("family: tabular\nvariables:\n- name: x\n  kind: odd\n", "line"),
    ],
)
def test_a_bad_declaration_gets_a_message(text: str, said: str) -> None:
    app = open_page("JSON / YAML")
    app.text_area[0].set_value(text)
    apply(app)
    assert not app.exception
    assert said in app.error[0].value


def test_a_preset_replaces_the_edits(space: SearchSpace) -> None:
    iris = DataSource(kind="builtin", location="iris")
    app = open_page(draft=state.Draft(source=iris, space=space.changed(version=5)))
    assert "edited, version 5" in " ".join(c.value for c in app.caption)
    app.button_group(key="space_preset_tabular_balanced").set_value("transparent").run()
    draft = app.session_state["nasight_draft"]
    assert (draft.preset, draft.space) == ("transparent", None)


def test_a_space_over_other_columns_is_told_apart(space: SearchSpace) -> None:
    app = open_page(draft=state.Draft(source=DataSource(kind="builtin", location="wine"), space=space))
    assert not app.exception
    assert "4 instead of 13" in app.error[0].value
    app.button(key="space_reset_other").click().run()
    assert app.session_state["nasight_draft"].space is None
    assert not app.error


def test_samples_of_an_impossible_space_say_which_constraint(space: SearchSpace) -> None:
    tight = space.constraints.model_copy(update={"max_operations": 1})
    with pytest.raises(SpaceError, match="max_operations"):
        samples(space.changed(constraints=tight), 0)


def versions(app: AppTest) -> list[str]:
    return [m.value for m in app.markdown if m.value.startswith("**") and "· " in m.value]


def most_features(app: AppTest) -> int | None:
    return app.session_state["nasight_draft"].space.constraints.max_features


def kept(app: AppTest) -> state.Draft:
    """Return the draft as it is now."""
    return app.session_state["nasight_draft"]


def test_every_edit_is_a_version_that_can_be_undone_redone_and_used_again() -> None:
    app = open_page("Constraints")
    for limit in (3, 2):
        app.number_input(key=field(app, "max_features")).set_value(limit)
        apply(app)
    assert most_features(app) == 2
    app.button(key="space_undo").click().run()
    assert most_features(app) == 3
    app.button(key="space_undo").click().run()
    assert kept(app).space is None
    assert app.button(key="space_undo").disabled
    app.button(key="space_redo").click().run()
    assert most_features(app) == 3
    app.session_state["space_tabs"] = "Versions"
    app.run()
    assert "Features, at most: 3 → 2" in " ".join(versions(app))
    app.button(key="space_version_3").click().run()
    assert not app.exception
    assert most_features(app) == 2


def test_going_back_to_a_preset_is_a_version_too() -> None:
    app = open_page("Constraints")
    app.number_input(key=field(app, "max_features")).set_value(2)
    apply(app)
    app.button_group(key="space_preset_tabular_balanced").set_value("accurate").run()
    draft = app.session_state["nasight_draft"]
    assert (draft.preset, draft.space, len(draft.history.versions)) == ("accurate", None, 3)
    app.button(key="space_undo").click().run()
    draft = app.session_state["nasight_draft"]
    assert (draft.preset, draft.space.constraints.max_features) == ("balanced", 2)


def test_an_edit_that_changes_nothing_is_no_version() -> None:
    app = open_page("Constraints")
    apply(app)
    assert not app.exception
    assert app.info[0].value == "Nothing has been changed."
    assert not app.session_state["nasight_draft"].history.versions


def test_the_cost_of_a_candidate_is_drawn_and_said() -> None:
    app = open_page()
    app.session_state["space_builds"] = "Cost and time"
    app.run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2
    assert sum("half of the candidates need less than" in c.value for c in app.caption) == 2
    assert app.button(key="space_measure").label == "Measure"


def test_a_space_of_images_is_edited_by_the_same_forms() -> None:
    app = open_page(draft=state.Draft(source=DataSource(kind="builtin", location="digits_images")))
    assert not app.exception
    assert not app.error
    assert "explained by 16 patches" in app.caption[0].value
    before = app.session_state["nasight_draft"].space
    assert before is None
    app.button_group(key=field(app, "stages_operations")).set_value(["conv3", "max"])
    app.slider(key=field(app, "stages_min_stages")).set_range(1, 2)
    apply(app)
    assert not app.exception
    assert not app.error
    stages = app.session_state["nasight_draft"].space.by_name["stages"]
    assert (stages.operations, stages.min_stages, stages.max_stages) == (("conv3", "max"), 1, 2)
    app.session_state["space_tabs"] = "Versions"
    app.run()
    assert "Stages and blocks, operations: " in " ".join(versions(app))
