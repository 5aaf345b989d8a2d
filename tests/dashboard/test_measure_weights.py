"""Weights of families and measures on the Run page, and the correlations of the measures there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit
from recorded import RUN, recorded_run
from recorded_signals import SIGNAL_RUN, recorded_signals
from streamlit.testing.v1 import AppTest

from dashboard import process, watching
from dashboard.figures.correlations import cell_colour, contrast, correlations_figure, letter_colour
from dashboard.theme import DARK, LIGHT, Palette
from dashboard.views.correlations import correlations_view
from nas_core.preferences import MEASURE_FAMILIES, Preference
from nas_core.runs.report import run_document
from nas_core.runs.viewer import RunView
from nas_core.search.correlations import Correlations, Doubled
from nas_core.store import InMemoryStore, Store

APP = str(Path(process.__file__).with_name("app.py"))


@pytest.fixture(scope="module")
def table() -> Store:
    return recorded_run(count=24)[0]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return recorded_signals("image", tmp_path_factory.mktemp("weights"), count=4, epochs=1)[0]


@pytest.fixture(autouse=True)
def _own_store() -> Iterator[None]:
    yield
    process.configure(opened=InMemoryStore())
    streamlit.cache_resource.clear()


def open_run(store: Store, run: str, **session: object) -> AppTest:
    process.configure(opened=store)
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["run"] = run
    for name, value in session.items():
        app.session_state[name] = value
    return app.run()


def said(app: AppTest) -> str:
    return " | ".join(e.value for kind in (app.markdown, app.caption, app.warning) for e in kind)


def best(app: AppTest, run: str, wish: Preference) -> bool:
    """Return whether the page names the winner under ``wish``."""
    snapshot = watching.watch(run).snapshot
    ranked = snapshot.rank(wish)
    return f"**#{snapshot.index[ranked.best]}**" in said(app)


def families_of(run: str) -> dict[str, list[str]]:
    names = watching.watch(run).snapshot.names
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(MEASURE_FAMILIES[name], []).append(name)
    return found


def test_each_family_has_a_weight_and_each_measure_one_within_it(pictures: Store) -> None:
    app = open_run(pictures, SIGNAL_RUN, weights=True)
    assert not app.exception
    known = families_of(SIGNAL_RUN)
    assert len(known) == 3
    keys = {s.key for s in app.slider}
    assert {f"family_weight_{family}" for family in known} <= keys
    for inside in known.values():  # one alone in its family has all of its weight
        assert all((f"weight_{name}" in keys) == (len(inside) > 1) for name in inside)
    assert "Counts now:" in said(app)


def test_at_first_every_measure_counts_the_same(pictures: Store) -> None:
    app = open_run(pictures, SIGNAL_RUN, weights=True)
    names = watching.watch(SIGNAL_RUN).snapshot.names
    share = f"{100 / len(names):.0f} %"
    assert next(c.value for c in app.caption if c.value.startswith("Counts now")).count(share) == len(names)
    assert best(app, SIGNAL_RUN, Preference(weight=0.5))


@pytest.mark.parametrize("family", ["structure", "summary", "explanation"])
def test_a_family_alone_decides_when_the_others_count_nothing(pictures: Store, family: str) -> None:
    app = open_run(pictures, SIGNAL_RUN, weights=True, lam=1.0)
    app.slider(key="lam").set_value(1.0).run()
    for other in {"structure", "summary", "explanation"} - {family}:
        app.slider(key=f"family_weight_{other}").set_value(0.0).run()
    assert not app.exception
    assert best(app, SIGNAL_RUN, Preference(weight=1.0, families={family: 1}))
    shares = next(c.value for c in app.caption if c.value.startswith("Counts now"))
    assert shares.count(" 0 %") == len(MEASURE_FAMILIES.keys() & {
        n for f, inside in families_of(SIGNAL_RUN).items() if f != family for n in inside
    })  # fmt: skip
    app.slider(key=f"family_weight_{family}").set_value(0.0).run()  # nothing is left: as if all were equal
    assert best(app, SIGNAL_RUN, Preference(weight=1.0))


def test_a_measure_shares_the_weight_of_its_family_only(pictures: Store) -> None:
    app = open_run(pictures, SIGNAL_RUN, weights=True)
    structure = families_of(SIGNAL_RUN)["structure"]
    for name in structure[1:]:
        app.slider(key=f"weight_{name}").set_value(0.0).run()
    counts = {family: len(inside) for family, inside in families_of(SIGNAL_RUN).items()}
    expected = Preference(families=counts, measures={structure[0]: 1})
    names = watching.watch(SIGNAL_RUN).snapshot.names
    assert best(app, SIGNAL_RUN, expected)
    shares = next(c.value for c in app.caption if c.value.startswith("Counts now"))
    assert f"{100 * expected.vector(names).max():.0f} %" in shares  # the one left has all that its family had
    next(b for b in app.button if b.label == "Equal weights").click().run()
    assert all(s.value == 1.0 for s in app.slider if "weight_" in str(s.key))


def test_the_correlations_have_a_tab(table: Store) -> None:
    app = open_run(table, RUN, run_tabs="Measures")
    assert not app.exception
    figures = [json.loads(c.proto.spec or c.proto.figure.spec) for c in app.get("plotly_chart")]
    heat = next(t for f in figures for t in f["data"] if t.get("meta") == "rho")
    names = watching.watch(RUN).snapshot.names
    assert len(heat["z"]) == len(names)
    assert "rank correlation of performance and the measures" in said(app)


def test_few_candidates_are_not_compared(tmp_path: Path) -> None:
    app = open_run(recorded_run(count=4)[0], RUN, run_tabs="Measures")  # two of them failed
    assert not app.exception
    assert "from three candidates on" in said(app)


def test_the_document_has_the_correlations(table: Store) -> None:
    document = run_document(RunView(table, RUN))
    found = json.loads(json.dumps(document["measures_correlation"], allow_nan=False))
    assert found["names"][0] == "performance"
    size = len(found["names"])
    assert np.array(found["n"]).shape == (size, size)
    assert all(len(row) == size for row in found["spearman"])


def two() -> Correlations:
    rho = np.array([[1, 0.2, np.nan], [0.2, 1, -0.95], [np.nan, -0.95, 1]])
    pair = Doubled("additivity", "tree_fidelity", -0.95, 40, (0.5, 0.25))
    return Correlations(("performance", "additivity", "tree_fidelity"), rho, np.full((3, 3), 40), (pair,), {})


def test_the_lower_triangle_is_drawn_and_doubled_pairs_are_framed() -> None:
    view = correlations_view(two(), "ROC AUC")
    assert view.labels[0] == "ROC AUC"
    assert view.rho == ((None, None, None), (0.2, None, None), (None, -0.95, None))
    assert view.marked == ((2, 1),)
    assert "50 % and 25 %" in view.warnings[0]
    assert "cancels the other" in view.warnings[0]
    assert "ρ = -0.95" in view.summary
    for colours in (LIGHT, DARK):
        figure = correlations_figure(view, colours)
        numbers = next(t for t in figure.data if t.meta == "numbers")
        assert list(numbers.text) == ["0.20", "−0.95"]
        frame = figure.layout.shapes[0]
        assert (frame.x0, frame.x1, frame.y0, frame.y1) == (0.52, 1.48, 0.52, 1.48)  # row 2 of the matrix, column 1
        heat = next(t for t in figure.data if t.meta == "rho")
        assert (heat.zmin, heat.zmax) == (-1, 1)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_the_numbers_can_be_read_on_every_cell(colours: Palette) -> None:
    for rho in np.linspace(-1, 1, 81):
        assert contrast(letter_colour(rho, colours), cell_colour(rho, colours)) >= 4.5
