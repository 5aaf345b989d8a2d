"""Curves, interactions, surrogate trees and compared importances: the pictures say what the numbers say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.figures.explain_curves import curve_figure, surface_figure
from dashboard.figures.explain_importance import compared_figure
from dashboard.figures.explain_surrogate import tree_figure
from dashboard.theme import DARK, LIGHT
from dashboard.views.attributions import AttributionView
from dashboard.views.explain_curves import curve_view, lines_view, surface_view
from dashboard.views.explain_importance import ComparedView, compared, shared_words, shuffled_cells, surprise_words
from dashboard.views.explain_surrogate import TreeView, fidelity, forest_words, tree_view
from nas_core.explanations import (
    Associations,
    Condition,
    EffectCurve,
    ForestSurrogate,
    IceLines,
    InteractionSurface,
    PermutationImportance,
    Shared,
    Surprise,
    TreeNode,
    TreeSurrogate,
)
from nas_core.interpretability.agreement import Agreement


def a_curve(**changes: object) -> EffectCurve:
    y = np.array([[-1.0, 5], [0, 5], [2, 5]])
    fields: dict = {
        "feature": 0, "name": "age", "kind": "numeric", "method": "ale", "grid": np.array([1.0, 2, 4]), "levels": (),
        "effect": y, "error": np.full(y.shape, 0.1), "low": y - 0.2, "high": y + 0.2, "missing": None,
        "level": np.array([0.5, 5]), "edges": np.array([1.0, 2, 4]), "counts": np.array([4, 8]), "rows": 12,
        "weight": np.ones(2), "exact": False, "reason": "",
    }  # fmt: skip
    return EffectCurve(**{**fields, **changes})


def traces(figure: object, meta: str) -> list:
    return [t for t in figure.data if t.meta == meta]  # type: ignore[attr-defined]


class TestCurves:
    """One feature."""

    def test_a_curve_has_its_band_and_stands_above_the_density_of_the_rows(self) -> None:
        view = curve_view(a_curve(), 0, "log-odds")
        figure = curve_figure(view, LIGHT)
        (line,), (band,), (rows,) = (traces(figure, m) for m in ("curve", "band", "density"))
        assert list(line.y) == [-1, 0, 2]
        assert band.mode == "lines"
        assert max(band.y) == pytest.approx(2.2)
        assert rows.base + max(rows.y) < min(band.y)
        assert list(rows.customdata) == [4, 8]
        assert "12 training rows" in view.note
        assert "4.00: +2.00" in view.spoken
        assert "log-odds" in figure.layout.yaxis.title.text

    def test_each_output_has_its_own(self) -> None:
        assert list(curve_view(a_curve(), 1, "price").y) == [5, 5, 5]

    def test_an_exact_curve_has_no_band_and_says_so(self) -> None:
        y = a_curve().effect
        view = curve_view(a_curve(exact=True, low=y, high=y, missing=np.array([0.7, 1.0])), 0, "log-odds")
        figure = curve_figure(view, DARK)
        assert not traces(figure, "band")
        assert "Exact" in view.note
        assert [a.text for a in figure.layout.annotations] == ["missing +0.70"]

    def test_a_band_that_is_not_known_is_not_drawn(self) -> None:
        endless = np.full((3, 2), np.inf)
        view = curve_view(a_curve(low=-endless, high=endless), 0, "log-odds")
        assert not traces(curve_figure(view, LIGHT), "band")

    def test_a_category_has_bars_with_intervals(self) -> None:
        levels = {"kind": "categorical", "grid": np.arange(3.0), "levels": ("red", "green", "blue"),
                  "edges": np.zeros(0), "counts": np.array([1, 2, 1])}  # fmt: skip
        figure = curve_figure(curve_view(a_curve(**levels), 0, "log-odds"), LIGHT)
        (bars,) = traces(figure, "curve")
        assert bars.type == "bar"
        assert list(bars.error_y.array) == pytest.approx([0.2] * 3)
        assert list(figure.layout.xaxis.ticktext) == ["red", "green", "blue"]
        assert not traces(figure, "density")

    def test_lines_of_rows_go_around_their_mean_and_the_chosen_one_stands_out(self) -> None:
        outputs = np.zeros((2, 3, 2))
        outputs[:, :, 0] = [[0, 1, 3], [-1, 0, 2]]
        own = np.array([1.0, np.nan])
        lines = IceLines(0, "age", np.array([1.0, 2, 4]), outputs, own, np.array([[0.0, 0], [1, 0]]))
        view = lines_view(a_curve(method="pdp"), lines, (7, 9), 0, "log-odds")
        assert view.lines == pytest.approx(np.array([[0, 1, 3], [-1, 0, 2]]) - 0.5)
        figure = curve_figure(view, LIGHT, chosen=9)
        (chosen,) = traces(figure, "chosen")
        assert list(chosen.y) == pytest.approx([-1.5, -0.5, 1.5])
        assert np.isnan(traces(figure, "rows")[0].x[1])
        assert np.isnan(np.array(traces(figure, "lines")[0].y)[[3, 7]]).all()
        assert not traces(curve_figure(view, LIGHT, chosen=3), "chosen")
        assert figure.data[-2].meta == "curve"

    def test_why_there_is_none_is_said(self) -> None:
        empty = np.zeros((0, 2))
        view = curve_view(a_curve(grid=np.zeros(0), effect=empty, low=empty, high=empty, reason="all are missing"), 0,
                          "log-odds")  # fmt: skip
        assert view.reason == "There is no curve for age: all are missing."
        assert "No known value" in view.spoken


def a_surface(**changes: object) -> InteractionSurface:
    effect = np.zeros((3, 2, 1))
    effect[:, :, 0] = [[0, 1], [2, 3], [4, 5]]
    fields: dict = {
        "features": (0, 1), "names": ("age", "bmi"), "method": "ale", "grids": (np.arange(3.0), np.arange(2.0)),
        "levels": ((), ()), "effect": effect, "counts": np.array([[3], [0]]), "strength": np.array([0.12]), "rows": 3,
        "reason": "",
    }  # fmt: skip
    return InteractionSurface(**{**fields, **changes})


class TestSurfaces:
    """Two features."""

    def test_a_cell_between_borders_is_their_mean_and_one_without_rows_is_blank(self) -> None:
        view = surface_view(a_surface(), 0, "log-odds")
        assert view.cells.shape == (1, 2)  # bmi from below, age along x
        assert view.cells[0, 0] == pytest.approx(1.5)
        assert np.isnan(view.cells[0, 1])
        assert "no training rows" in view.hover[0][1]
        assert "3 rows" in view.hover[0][0]
        assert view.limit == pytest.approx(1.5)
        assert "12 %" in view.note
        assert view.ticks[0] == ((0.0, "0"), (1.0, "1.00"), (2.0, "2.00"))

    def test_levels_of_a_category_have_cells_of_their_own(self) -> None:
        view = surface_view(a_surface(levels=((), ("no", "yes")), counts=np.array([[1, 2], [3, 0]])), 0, "log-odds")
        assert view.cells.shape == (2, 2)
        assert view.cells[1, 0] == pytest.approx(2.0)
        assert view.ticks[1] == ((0.5, "no"), (1.5, "yes"))

    def test_colours_are_even_around_zero(self) -> None:
        heat = surface_figure(surface_view(a_surface(effect=-a_surface().effect), 0, "log-odds"), LIGHT).data[0]
        assert (heat.zmin, heat.zmax) == (-1.5, 1.5)

    def test_no_interaction_says_why(self) -> None:
        view = surface_view(a_surface(effect=np.zeros((3, 2, 1)), strength=np.zeros(1), reason="they add up"), 0, "u")
        assert view.reason == "No interaction: they add up."
        assert surface_figure(view, LIGHT).data[0].zmax == 1


def grown(depth: int, classes: tuple[str, ...] = ("no", "yes"), value: float | None = 0.9) -> TreeSurrogate:
    """Return a full tree of that depth."""
    nodes: list[TreeNode] = []

    def add(parent: int, at: int) -> int:
        number = len(nodes)
        nodes.append(None)
        yes = no = -1
        condition = None
        if at < depth:
            condition = Condition(0, f"a feature of depth {at}", high=1.5, high_words="1.5")
            yes, no = add(number, at + 1), add(number, at + 1)
        code = number % 2 if classes else -1
        nodes[number] = TreeNode(
            parent, at, yes, no, condition, 2 ** (depth - at), 0.5**at, classes[code] if classes else "3.2", code,
            np.array([float(number)]), 0.9 if classes else np.nan, np.nan if classes else 0.4,
        )  # fmt: skip
        return number

    add(-1, 0)
    found = Agreement(value, None, None, "" if value is not None else "one class") if value is None else Agreement(
        value, value - 0.1, value + 0.05
    )  # fmt: skip
    return TreeSurrogate(tuple(nodes), max(2, depth), found, 0.93 if classes else np.nan, 2**depth, 114, classes, ())


class TestTrees:
    """The surrogate tree."""

    @pytest.mark.parametrize("depth", [0, 1, 2, 3, 4, 5])
    @pytest.mark.parametrize("classes", [("no", "yes"), ()])
    def test_every_node_has_a_line_of_its_own_and_links_never_cross_a_label(
        self, depth: int, classes: tuple[str, ...]
    ) -> None:
        tree = grown(depth, classes)
        view = tree_view(tree, "" if classes else "price")
        assert sorted(m.line for m in view.marks) == list(range(len(view.marks)))
        for number, mark in enumerate(view.marks):
            if mark.parent < 0:
                continue
            above = view.marks[mark.parent]
            assert above.column == mark.column - 1
            assert (mark.line < above.line) == (mark.branch == "yes")
            # the link runs down its parent's column: no mark there or to the left of it lies between the two
            between = range(min(above.line, mark.line) + 1, max(above.line, mark.line))
            for other in view.marks:
                assert other.line not in between or other.column > above.column
            assert number != mark.parent

    @pytest.mark.parametrize("depth", [1, 4, 5])
    def test_all_of_it_is_drawn(self, depth: int) -> None:
        view = tree_view(grown(depth), "")
        figure = tree_figure(view, LIGHT)
        (links,) = traces(figure, "links")
        assert list(links.x).count(None) == len(view.marks) - 1
        leaves, asks = traces(figure, "leaves")[0], traces(figure, "asks")[0]
        assert len(leaves.x) == 2**depth
        assert len(asks.x) == 2**depth - 1
        labels = [a for a in figure.layout.annotations if a.xanchor == "left"]
        assert len({a.y for a in labels}) == len(labels) == len(view.marks)
        assert figure.layout.height >= 26 * len(view.marks)

    def test_what_a_node_says(self) -> None:
        marks = tree_view(grown(1), "").marks
        assert marks[0].label == "a feature of depth 0 ≤ 1.5?"
        assert (marks[1].label, marks[1].detail) == ("yes", "1 row · 90 %")
        assert "100 % of all" in marks[0].hover
        numbers = tree_view(grown(1, ()), "price").marks
        assert (numbers[2].label, numbers[2].detail) == ("3.2 price", "1 row · ± 0.40")
        assert [m.level for m in numbers] == [0, 0.5, 1]

    def test_letters_that_mean_something_to_plotly_stay_letters(self) -> None:
        tree = grown(1, ("a<b", "c&d"))
        figure = tree_figure(tree_view(tree, ""), DARK)
        words = " ".join(a.text for a in figure.layout.annotations)
        assert "a&lt;b" in words
        assert "c&amp;d" in words

    def test_long_labels_are_shortened(self) -> None:
        tree = grown(2, ("a class with a name that no page is wide enough for " * 3, "yes"))
        assert all(len(a.text) < 160 for a in tree_figure(tree_view(tree, ""), LIGHT).layout.annotations)

    @pytest.mark.parametrize(
        ("value", "state"), [(0.95, "good"), (0.9, "good"), (0.8, "fair"), (0.3, "bad"), (-0.2, "bad")]
    )
    @pytest.mark.parametrize("classes", [("no", "yes"), ()])
    def test_what_it_is_worth(self, value: float, state: str, classes: tuple[str, ...]) -> None:
        told = fidelity(grown(2, classes, value))
        assert told.state == state
        assert f"{value - 0.1:.2f}" in told.words
        if classes:
            assert "93 %" in told.words
            assert "7 %" in told.warning
        if state != "good":
            assert "not read" in told.warning

    def test_where_it_cannot_be_told_it_says_why(self) -> None:
        told = fidelity(grown(1, value=None))
        assert (told.state, told.warning) == ("unknown", "")
        assert "one class" in told.words

    def test_a_forest_beside_it(self) -> None:
        forest = ForestSurrogate(("a", "b"), np.array([0.25, 0.75]), np.zeros(2), Agreement(0.97, 0.9, 1.0), 0.99, 100,
                                 50, 20)  # fmt: skip
        words = forest_words(forest, grown(2))
        assert "κ 0.97 against 0.90" in words
        assert "b 75 %, a 25 %" in words
        assert "cannot be judged" in forest_words(forest, grown(1, value=None))


def attributions(phi: np.ndarray) -> AttributionView:
    n, P = phi.shape
    texts = tuple(("",) * P for _ in range(n))
    return AttributionView(tuple(f"f{j}" for j in range(P)), phi, phi, texts, np.arange(n), 0.0, 0.0, "yes", "log-odds",
                           "group_shap", "exact", 0.1)  # fmt: skip


def permuted(value: np.ndarray, repeats: int = 10) -> PermutationImportance:
    error = np.full(len(value), 0.01) if repeats > 1 else np.full(len(value), np.inf)
    names = tuple(f"f{j}" for j in range(len(value)))
    return PermutationImportance(names, value, error, value != 0, 0.9, "ROC AUC", repeats, 114)


def told(information: np.ndarray) -> Associations:
    P = len(information)
    reasons = tuple("it has one value only" if np.isnan(v) else "" for v in information)
    return Associations(tuple(f"f{j}" for j in range(P)), information, np.full(P, 0.5), 300, reasons)


class TestCompared:
    """Importances side by side."""

    def view(self, **changes: object) -> ComparedView:
        phi = np.random.default_rng(0).normal(size=(40, 3)) * [1, 4, 0]
        given: dict = {"view": attributions(phi), "method": "Exact group SHAP",
                       "permuted": permuted(np.array([0.1, 0.05, 0])),
                       "found": told(np.array([0.2, np.nan, 0.4])), "used": (0, 1)}  # fmt: skip
        return compared(**{**given, **changes})

    def test_features_are_sorted_by_what_the_network_uses(self) -> None:
        view = self.view()
        assert view.names == ("f1", "f0", "f2 (not read)")
        shap, shuffled, data = view.series
        assert shap.share[0] == 1
        assert list(shuffled.share) == pytest.approx([0.5, 1, 0])
        assert np.isnan(data.share[0])
        assert list(data.share[1:]) == pytest.approx([0.5, 1])
        assert data.words[0] == "it has one value only"
        assert "0.200 nats, rank correlation +0.50" in data.words
        assert "ROC AUC worse by +0.1000" in shuffled.words[1]
        assert (shap.low <= shap.share + 1e-12).all()

    def test_every_kind_has_marks_of_its_own_shape_and_undefined_ones_are_left_out(self) -> None:
        figure = compared_figure(self.view(), LIGHT)
        assert [t.marker.symbol for t in figure.data] == ["circle", "diamond", "square"]
        assert len(figure.data[2].x) == 2
        assert figure.data[1].error_x.array[0] == pytest.approx(1.96 * 0.01 / 0.1)
        assert list(figure.layout.yaxis.ticktext) == ["f2 (not read)", "f0", "f1"]
        lines = [np.round(t.y).tolist() for t in figure.data]
        assert lines[0] == [2, 1, 0]

    def test_without_a_metric_two_kinds_are_left(self) -> None:
        view = self.view(permuted=None)
        assert [s.key for s in view.series] == ["attribution", "information"]
        assert len(compared_figure(view, DARK).data) == 2

    def test_values_that_are_no_numbers_are_left_out(self) -> None:
        phi = np.ones((4, 3)) * [1, np.nan, 2]
        view = self.view(view=attributions(phi))
        assert view.names == ("f2 (not read)", "f0", "f1")
        assert len(compared_figure(view, LIGHT).data[0].x) == 2
        assert view.series[0].label == "Exact group SHAP (what the network uses)"

    def test_cells_of_signals_have_one_kind(self) -> None:
        view = shuffled_cells(permuted(np.array([0.1, -0.2, 0.3, 0])), top=1)
        assert view.names == ("f2",)
        assert [s.key for s in view.series] == ["permutation"]
        assert view.hidden == 2
        assert list(compared_figure(view, LIGHT).data[0].x) == [1]
        assert shuffled_cells(permuted(np.zeros(3))).names == ()

    def test_after_one_shuffle_there_is_no_interval(self) -> None:
        view = self.view(permuted=permuted(np.array([0.1, 0.05, 0]), 1))
        assert list(view.series[1].low) == list(view.series[1].share)

    def test_nothing_at_all_is_nothing_to_draw(self) -> None:
        view = compared(attributions(np.zeros((5, 3))), "SHAP", permuted(np.zeros(3)), told(np.full(3, np.nan)), ())
        assert view.names == ()
        assert view.hidden == 0

    @settings(max_examples=30, deadline=None)
    @given(st.integers(1, 40), st.integers(0, 1000), st.integers(1, 15))
    def test_the_largest_of_every_kind_is_drawn(self, P: int, seed: int, top: int) -> None:
        rng = np.random.default_rng(seed)
        found = permuted(rng.normal(size=P))
        view = compared(attributions(rng.normal(size=(6, P))), "", found, told(rng.random(P)), tuple(range(P)), top)
        assert len(view.names) == min(P, top)
        assert view.hidden == P - len(view.names)
        for series in view.series:
            assert np.nanmax(series.share, initial=0) <= 1 + 1e-12
        if top >= 3:
            assert np.nanmax(view.series[0].share) == pytest.approx(1)

    def test_surprises_and_shared_importance_in_words(self) -> None:
        names = ("a", "b", "c")
        words = surprise_words((Surprise(0, "unused", (1,)), Surprise(1, "silent"), Surprise(2, "unused")), names)
        assert "b stand in for it" in words[0]
        assert "together with others, or by chance" in words[1]
        assert words[2].endswith("does not use it.")
        shared = shared_words((Shared(0, (1, 2), (0.95, -0.9)), Shared(1, (0, 2, 0, 2), (0.9,) * 4)), names)
        assert "b (+0.95), c (−0.90)" in shared[0]
        assert "and 1 more" in shared[1]


def test_a_tree_of_one_leaf_is_a_view_too() -> None:
    view: TreeView = tree_view(grown(0), "")
    assert len(view.marks) == 1
    assert not traces(tree_figure(view, LIGHT), "links")
