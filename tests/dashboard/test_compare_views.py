"""The views and figures of the Compare page: rows that differ, edits in words, ways, rows on which two part."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from recorded import recorded_run, run_problem

from dashboard.components.compare_overview import table_html
from dashboard.figures.compare import box_mark, compared_importance_figure, marked_graph_figure, path_figure
from dashboard.texts import catalogue, set_language
from dashboard.theme import DARK, LIGHT, Palette
from dashboard.views.compare_edits import edit_lines
from dashboard.views.compare_path import PathView, path_view
from dashboard.views.compare_rows import distance_words, parting_rows, side_by_side
from dashboard.views.compare_table import Compared, compare_table
from dashboard.views.graph import graph_view
from nas_core.comparison.diff import architecture_diff, edit_path
from nas_core.comparison.expected import Expectation
from nas_core.comparison.graph_diff import graph_marks
from nas_core.data import Signal, load_data, sequence_signal
from nas_core.explanations import Attribution
from nas_core.objectives import metric_objective
from nas_core.records import Estimate, Evaluation, Status
from nas_core.spaces import SearchSpace, SpaceFeature, cell_space, graph, image_space, sequence_space

PIXELS = Signal(modality="image", shape=(1, 8, 8), cell=(2, 2))
SIGNALS = {
    "image": image_space(PIXELS, 3, "accurate"),
    "cell": cell_space(PIXELS, 3, "balanced"),
    "sequence": sequence_space(sequence_signal(2, 24), 2, "accurate"),
}


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return SearchSpace.for_problem(run_problem("breast_cancer"), "balanced")


@pytest.fixture(scope="module")
def found() -> list[Evaluation]:
    return recorded_run()[1]


def compared(space: SearchSpace, *evaluations: Evaluation) -> list[Compared]:
    return [Compared(e, space, 0.1 * at if e.eligible else None) for at, e in enumerate(evaluations)]


def test_what_differs_is_apart_from_what_is_the_same(space: SearchSpace, found: list[Evaluation]) -> None:
    table = compare_table(compared(space, *found[:3]), metric_objective("roc_auc"))
    assert table.different
    assert not any(row.same for row in table.different)
    assert all(len({c.words for c in row.cells}) == 1 for row in table.same)
    assert [r.question for r in table.different] == sorted(
        (r.question for r in table.different), key=("what", "good", "simple").index
    )
    same = compare_table(compared(space, found[0], found[0]), metric_objective("roc_auc"))
    assert [r.label for r in same.different] == ["Interpretability"]  # the one number that was given apart


def test_what_networks_are_built_of_is_said_in_the_language(space: SearchSpace, found: list[Evaluation]) -> None:
    set_language("zh")
    try:
        table = compare_table(compared(space, *found[:2]), metric_objective("roc_auc"))
    finally:
        set_language("en")
    (built,) = (row for row in (*table.different, *table.same) if row.label == catalogue("zh")["card.built"])
    assert all("标准化" in cell.words for cell in built.cells)


@pytest.mark.parametrize(("metric", "best"), [("roc_auc", 1), ("mae", 0)])
def test_the_best_is_marked_in_the_direction_of_the_metric(
    space: SearchSpace, found: list[Evaluation], metric: str, best: int
) -> None:
    values = (0.2, 0.8)
    pair = [e.model_copy(update={"performance": Estimate(value=v, low=v, high=v)}) for e, v in zip(found, values)]
    objective = metric_objective(metric)
    row = next(r for r in compare_table(compared(space, *pair), objective).different if r.label == objective.label)
    assert [c.best for c in row.cells] == [at == best for at in range(2)]


def test_cells_of_a_failed_candidate_say_why(space: SearchSpace, found: list[Evaluation]) -> None:
    failed = next(e for e in found if e.status is Status.FAILED)
    table = compare_table(compared(space, found[0], failed), metric_objective("roc_auc"))
    row = next(r for r in table.different if r.label == "ROC AUC")
    assert row.cells[1].missing
    assert row.cells[1].words == failed.reason


def test_what_a_data_file_says_is_no_html(space: SearchSpace, found: list[Evaluation]) -> None:
    evil = "<img src=x onerror=alert(1)>"
    features = tuple(SpaceFeature(**{**f.model_dump(), "name": f"{evil}{j}"}) for j, f in enumerate(space.features))
    other = SearchSpace(**{**{n: getattr(space, n) for n in type(space).model_fields}, "features": features})
    table = compare_table(compared(other, *found[:2]), metric_objective("roc_auc"))
    html = table_html(table.different, LIGHT)
    assert "<img" not in html
    assert "&lt;img" in html


def test_edits_of_a_table_are_told_with_the_names_of_its_features(space: SearchSpace, found: list[Evaluation]) -> None:
    for one, two in itertools.pairwise(found[:9]):
        diff = architecture_diff(space, one.architecture, two.architecture)
        lines = edit_lines(diff.edits, space)
        assert len(lines) == len(diff.edits)
        kinds = [line.kind for line in lines]
        assert kinds == sorted(kinds, key=("added", "removed", "changed").index)
        features = [e for e in diff.edits if e.subject == "feature"]
        assert all(any(space.features[e.place].name in line.words for line in lines) for e in features)


@pytest.mark.parametrize("family", SIGNALS)
def test_edits_of_every_family_have_words_and_graphs_their_marks(family: str) -> None:
    space = SIGNALS[family]
    for seed in range(12):
        rng = np.random.default_rng(seed)
        a, b = space.sample(rng), space.sample(rng)
        lines = edit_lines(architecture_diff(space, a, b).edits, space)
        assert all(line.words and "{" not in line.words for line in lines)
        if a == b:
            continue
        one, two = graph(space, a), graph(space, b)
        marks = {str(n): m for n, m in graph_marks(one, two)[0].items()}
        view = graph_view(one, [f.name for f in space.features], room=400.0)
        figure = marked_graph_figure(view, marks, DARK, room=400.0)
        drawn = {t.meta for t in figure.data}
        boxes = {box_mark(node, marks) for node in view.nodes}
        assert {f"mark_{m}" for m in boxes - {"same"}} <= drawn
        signs = [n.text for n in figure.layout.annotations if n.text in ("<b>+</b>", "<b>≠</b>")]
        assert len(signs) == sum(box_mark(node, marks) != "same" for node in view.nodes)


def way(space: SearchSpace, found: list[Evaluation], *, predicted: bool) -> PathView:
    one, two = found[0], found[5]
    steps = edit_path(architecture_diff(space, one.architecture, two.architecture))
    guess = Estimate(value=0.7, low=0.6, high=0.8)
    told = Expectation(guess, guess, {}, 40, 0.5) if predicted else Expectation(None, None, {}, 3, None)
    expected = {s.architecture.id: told for s in steps[:-1]}
    known = {e.id: e for e in (one, two)}
    whole = {one.id: 0.3, two.id: 0.4}
    return path_view(one, steps, space, known, expected, whole, "ROC AUC", {}, {})


def test_predictions_are_marked_and_the_ends_are_measured(space: SearchSpace, found: list[Evaluation]) -> None:
    view = way(space, found, predicted=True)
    assert view.stops[0].number == found[0].index
    assert view.stops[-1].number == found[5].index
    assert view.stops[0].performance.measured
    assert all("predicted" in s.performance.words for s in view.stops[1:-1])
    assert all(s.changes[0].startswith("about") for s in view.stops[1:])
    assert view.predicted == len(view.stops) - 2
    assert view.drawable
    figure = path_figure(view, LIGHT)
    symbols = next(t.marker.symbol for t in figure.data if t.meta == "performance")
    assert symbols.count("circle-open") == view.predicted


def test_without_predictions_a_way_is_told_but_not_drawn(space: SearchSpace, found: list[Evaluation]) -> None:
    view = way(space, found, predicted=False)
    assert not view.drawable
    assert {s.performance.words for s in view.stops[1:-1]} == {"unknown"}


def test_rows_are_the_farthest_apart_first_and_those_alike_are_left_out() -> None:
    dataset = load_data("iris")
    outputs = np.random.default_rng(0).standard_normal((4, 3)), np.random.default_rng(1).standard_normal((4, 3))
    amount = np.array([0.1, 0.0, 0.7, 0.3])
    rows = parting_rows(amount, distance_words(amount, dataset), np.array([5, 6, 7, 8]), outputs, dataset)
    assert [r.row for r in rows] == [7, 8, 5]
    assert rows[0].size == "70 % apart"
    assert rows[0].actual == dataset.classes[int(dataset.y[7])]


def attribution(values: np.ndarray) -> Attribution:
    names = tuple(f"x{j}" for j in range(values.shape[1]))
    return Attribution(values[:, :, None], np.zeros(1), values.sum(1)[:, None], values, names, ("y",), "made")


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_importances_are_shares_and_a_feature_that_is_not_used_has_no_rank(colours: Palette) -> None:
    one = attribution(np.array([[3.0, 1.0, 0.0], [-3.0, 1.0, 0.0]]))
    two = attribution(np.array([[0.0, 1.0, 1.0], [0.0, 1.0, 1.0]]))
    lines, hidden = side_by_side([one, two])
    by_name = {line.name: line for line in lines}
    assert hidden == 0
    assert by_name["x0"].shares == pytest.approx((0.75, 0.0))
    assert by_name["x0"].ranks == (1, None)
    assert sum(line.shares[1] for line in lines) == pytest.approx(1.0)
    figure = compared_importance_figure(lines, ["A", "B"], colours)
    assert len({t.marker.symbol for t in figure.data}) == 2  # a second cue beside colour
