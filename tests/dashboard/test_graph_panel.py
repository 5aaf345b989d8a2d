"""The graph on the Candidate page: what a person opens, closes, colours and takes along, for every modality."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit
from recorded import RUN, recorded_run
from recorded_signals import SIGNAL_RUN, recorded_signals
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.components.graph_numbers import overlays_of
from dashboard.components.graph_panel import FOLDS, legend_html
from dashboard.texts import text
from dashboard.theme import LIGHT
from dashboard.views.collapse import Fold
from dashboard.views.graph import graph_view
from dashboard.views.graph_text import graph_file
from nas_core.records import Evaluation
from nas_core.spaces import SearchSpace, graph
from nas_core.store import InMemoryStore, Store

APP = str(Path(process.__file__).with_name("app.py"))
Recorded = tuple[Store, list[Evaluation]]


@pytest.fixture(scope="module")
def table() -> Recorded:
    return recorded_run(count=12)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return recorded_signals("image", tmp_path_factory.mktemp("images"), count=2, epochs=1)


@pytest.fixture(autouse=True)
def _own_store() -> Iterator[None]:
    yield
    process.configure(opened=InMemoryStore())
    streamlit.cache_resource.clear()


def open_page(store: Store, run: str, candidate: str, **session: object) -> AppTest:
    process.configure(opened=store)
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("pages/candidate.py")
    app.query_params["run"], app.query_params["cand"] = run, candidate
    for name, value in session.items():
        app.session_state[name] = value
    return app.run()


def drawing(app: AppTest) -> dict:
    chart = next(c for c in app.get("plotly_chart"))
    return json.loads(chart.proto.spec or chart.proto.figure.spec)


def boxes(app: AppTest) -> list[str]:
    return list(next(t for t in drawing(app)["data"] if t["meta"] == "hover")["customdata"])


def grouped(found: Recorded) -> Evaluation:
    """Return a candidate with several groups, each of several operations."""
    deep = [e for e in found[1] if e.weights and e.architecture.values["depth"] > 0]
    return max(deep, key=lambda e: len(e.architecture.values["groups"]))


def test_parts_open_and_close_one_by_one_and_all_at_once(table: Recorded) -> None:
    one = grouped(table)
    groups = len(one.architecture.values["groups"])
    app = open_page(table[0], RUN, one.id, graph_parts=True)
    assert not app.exception
    app.button(key="graph_none").click().run()
    assert len(boxes(app)) == groups + 1
    app.multiselect(key="graph_open").select(0).run()
    assert not app.exception
    assert app.multiselect(key="graph_open").value == [0]
    assert len([b for b in boxes(app) if b.startswith("group:")]) == groups - 1
    app.button(key="graph_all").click().run()
    assert not [b for b in boxes(app) if b.startswith("group:")]
    before = len(boxes(app))
    app.toggle(key="graph_every").set_value(not app.toggle(key="graph_every").value).run()
    assert len(boxes(app)) != before
    app.button(key="graph_automatic").click().run()
    assert not app.exception
    assert app.session_state[FOLDS] == {}


def test_what_was_opened_belongs_to_one_candidate(table: Recorded) -> None:
    other = grouped(table)
    one = next(e for e in table[1] if e.weights and e.id != other.id)
    folds = {(RUN, one.id): Fold(frozenset({0}), 2)}
    app = open_page(table[0], RUN, other.id, **{FOLDS: folds})
    assert not app.exception
    space = SearchSpace.model_validate(table[0].run(RUN).space)
    names = [f.name for f in space.features]
    automatic = graph_view(graph(space, other.architecture), names, room=520.0, tallest=720.0)
    assert boxes(app) == [n.id for n in automatic.nodes]


@pytest.mark.parametrize("overlay", ["parameters", "operations", "contribution"])
def test_a_table_network_is_coloured_by_counts_and_contributions(table: Recorded, overlay: str) -> None:
    app = open_page(table[0], RUN, grouped(table).id, graph_colour=overlay)
    assert not app.exception
    assert not app.warning
    bar = next(t for t in drawing(app)["data"] if t["meta"] == "bar")["marker"]["colorbar"]
    assert bar["title"]["text"] == text(f"graph.overlay_{overlay}")
    if overlay == "contribution":
        hover = next(t for t in drawing(app)["data"] if t["meta"] == "hover")["hovertext"]
        assert sum("log-odds" in words for words in hover) == len(hover) - 1  # all but the output


@pytest.mark.parametrize("overlay", ["operations", "mean_abs_activation", "share_zero", "attribution_share"])
def test_an_image_network_is_coloured_by_what_its_layers_do(images: Recorded, overlay: str) -> None:
    app = open_page(images[0], SIGNAL_RUN, images[1][0].id, graph_colour=overlay)
    assert not app.exception
    assert not app.warning
    shades = [t for t in drawing(app)["data"] if t["meta"] == "shades"]
    assert len(shades) > 1
    label = text(f"graph.overlay_{overlay}")
    hover = next(t for t in drawing(app)["data"] if t["meta"] == "hover")["hovertext"]
    assert sum(label in words for words in hover) >= 2


def test_overlays_of_data_need_trained_weights(table: Recorded, images: Recorded) -> None:
    space = SearchSpace.model_validate(table[0].run(RUN).space)
    signals = SearchSpace.model_validate(images[0].run(SIGNAL_RUN).space)
    assert overlays_of(space, table[1][0]) == ("kind", "parameters", "operations", "contribution", "gradient")
    assert overlays_of(space, table[1][0].model_copy(update={"weights": None})) == ("kind", "parameters", "operations")
    assert "attribution_share" in overlays_of(signals, images[1][0])
    assert "contribution" not in overlays_of(signals, images[1][0])


def test_a_colour_of_another_kind_of_network_is_forgotten(table: Recorded) -> None:
    app = open_page(table[0], RUN, grouped(table).id, graph_colour="attribution_share")
    assert not app.exception
    assert app.selectbox(key="graph_colour").value == "kind"


def test_weights_that_are_gone_are_said_and_the_graph_stays(table: Recorded) -> None:
    one = grouped(table)
    lost = one.model_copy(
        update={"weights": one.weights.model_copy(update={"artifact": "nowhere.safetensors"}), "revision": 3}
    )
    store = InMemoryStore()
    store.create_run(table[0].run(RUN))
    store.commit(RUN, [lost], None, {})
    app = open_page(store, RUN, one.id, graph_colour="contribution")
    assert not app.exception
    assert "nowhere.safetensors" in app.warning[0].value
    assert boxes(app)


def test_an_image_candidate_says_what_applies_to_images(images: Recorded) -> None:
    app = open_page(images[0], SIGNAL_RUN, images[1][0].id)
    assert not app.exception
    said = " | ".join(str(e.value) for kind in (app.markdown, app.caption) for e in kind)
    assert "Sees:" in said
    assert "pairs of patches" in said or "no two patches act together" in said
    assert "of 16 features" not in said
    links = [link.proto for link in app.get("page_link")]
    edit = next(link for link in links if link.label == "Edit and train")
    assert "draw=candidate" in edit.query_string
    assert images[1][0].id in edit.query_string


def test_an_image_run_without_a_choice_offers_candidates_by_operations(images: Recorded) -> None:
    process.configure(opened=images[0])
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("pages/candidate.py")
    app.query_params["run"] = SIGNAL_RUN
    app.run()
    assert not app.exception
    links = [link.proto.label for link in app.get("page_link")]
    assert any(label.endswith("operations") for label in links)


def test_the_run_page_of_images_has_a_panel_and_a_table_with_its_own_measures(images: Recorded) -> None:
    process.configure(opened=images[0])
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["run"] = SIGNAL_RUN
    app.run()
    assert not app.exception
    table = app.dataframe[0].value
    assert {"local_additive_fidelity", "introspectability", "interaction_sparsity"} <= set(table.columns)
    assert "feature_parsimony" not in table.columns
    assert any("operations a prediction" in m.value for m in app.markdown)


def test_the_file_is_the_graph_in_view(images: Recorded) -> None:
    space = SearchSpace.model_validate(images[0].run(SIGNAL_RUN).space)
    whole = graph(space, images[1][0].architecture)
    names = [f.name for f in space.features]
    view = graph_view(whole, names, fold=Fold())
    closed = frozenset(g.index for g in view.groups)
    full = graph_file(whole, names, Fold(), "mermaid", "x").decode()
    small = graph_file(whole, names, Fold(closed, 2), "mermaid", "x").decode()
    assert full.count("-->") == whole.number_of_edges() - sum(d["skip"] for _, _, d in whole.edges(data=True))
    assert small.count("-->") < full.count("-->")
    assert graph_file(whole, names, Fold(), "png", "x").startswith(b"\x89PNG")


def test_the_legend_names_every_kind_and_the_skip_connections() -> None:
    from graph_examples import cells

    view = graph_view(cells(2), ["x"], fold=Fold())
    html = legend_html(view, LIGHT)
    for words in ("input", "sum", "convolution", "pooling", "output", "skip connection"):
        assert words in html
    assert "normalisation" not in html
    assert "several operations" in legend_html(graph_view(cells(2), ["x"], fold=Fold(frozenset({0}), 2)), LIGHT)
