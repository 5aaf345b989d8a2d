"""The views and pictures of the Insight page: words that say what the numbers say, marks that can be told apart."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.figures.insight import effect_figure, importance_figure, matrix_figure, pairs_figure, parts_figure
from dashboard.figures.insight_places import map_figure, path_figure, surface_figure
from dashboard.theme import DARK, LIGHT, Palette
from dashboard.views.insight import aim_label, effect_view, importance_view, matrix_view, pairs_view, titled
from dashboard.views.insight_places import MapView, path_view, surface_view
from nas_core.escaping import markdown_text
from nas_core.insight import AblationPath, Aim, Effect, Importance, Pair, PairMap, Reliability, Step
from nas_core.insight.ablation import Point
from nas_core.insight.effects import LevelEffect, PartEffect
from nas_core.insight.importance import Share
from nas_core.insight.mixing import Piece
from nas_core.objectives import METRICS

AIM = Aim("performance", "ROC AUC", np.array([0.7, 0.9]), "", True)
GOOD, BAD = Reliability(0.8, 0.7, 0.9, 0.9, 0.8, 0.95, 100), Reliability(0.05, -0.1, 0.2, 0.1, -0.1, 0.3, 100)


@pytest.fixture(params=[LIGHT, DARK], ids=["light", "dark"])
def colours(request: pytest.FixtureRequest) -> Palette:
    return request.param


def importance(reliability: Reliability = GOOD, *, shap: bool = True) -> Importance:
    main = (Share(0.41, 0.35, 0.47), Share(0.2, 0.1, 0.3), Share(0.001, 0.0, 0.002))
    return Importance(("width", "groups.features", "odd"), ("Width", "Features", "<b>x</b>*"), main,
                      main if shap else None, Share(0.389, 0.3, 0.45), reliability, 100)  # fmt: skip


def test_a_sentence_says_which_choice_explains_how_much() -> None:
    view = importance_view(AIM, importance(), "ROC AUC")
    assert view.sentence == (
        "**Width** explains **41 %** (35 % – 47 %) of the variation of ROC AUC; next comes “Which features” with 20 %."
    )
    assert view.predicts
    assert view.bars[1].label == "Which features"  # the catalogue's words, not those of the engine
    assert view.bars[-1].key == ""
    assert "< 1 %" in view.bars[2].words
    assert "Width: 41 %" in view.spoken


def test_where_the_surrogate_does_not_predict_the_sentence_says_so() -> None:
    view = importance_view(AIM, importance(BAD), "ROC AUC")
    assert not view.predicts
    assert view.sentence.startswith("The choices do not predict ROC AUC")
    assert "-10 % – 20 %" in view.sentence


def test_a_measure_is_quoted_within_a_sentence_and_stands_alone_without() -> None:
    label = aim_label("feature_parsimony", METRICS["roc_auc"], 0.5)
    assert label == "“few features”"
    assert titled(label) == "Few features"
    assert aim_label("performance", METRICS["roc_auc"], 0.5) == "ROC AUC"
    assert titled(aim_label("scalar", METRICS["roc_auc"], 0.25)) == "Trade-off at λ = 0.25"


def test_words_of_a_data_file_are_shown_as_they_are(colours: Palette) -> None:
    assert markdown_text("a*b_[c]") == r"a\*b\_\[c\]"
    figure = importance_figure(importance_view(AIM, importance(), "ROC AUC"), colours)
    assert "&lt;b&gt;x&lt;/b&gt;*" in figure.layout.yaxis.ticktext


def test_bars_have_intervals_and_shap_is_a_hollow_diamond(colours: Palette) -> None:
    figure = importance_figure(importance_view(AIM, importance(), "ROC AUC"), colours)
    bars, shap = figure.data
    assert bars.x[-1] == 0.41  # the first choice is on top
    assert np.isclose(bars.error_x.array[-1], 0.06)
    assert bars.marker.pattern.shape[0] == "/"  # interactions
    assert bars.marker.color[-1] == colours.accuracy
    assert shap.marker.symbol == "diamond-open"
    assert len(shap.x) == 3
    assert len(importance_figure(importance_view(AIM, importance(shap=False), "ROC AUC"), colours).data) == 1


def levels(low: float, high: float) -> Effect:
    made = tuple(
        LevelEffect(name, 10, value, value - 0.01, value + 0.01, value, value - 0.02, value + 0.02)
        for name, value in (("few", low), ("many", high))
    )
    parts = tuple(PartEffect(f"uses {i}", 5, 0.1 - 0.01 * i, 0.0, 0.2) for i in range(14))
    return Effect("groups.features", "Features", made, parts, 0)


def test_an_effect_that_is_not_clear_is_not_called_one(colours: Palette) -> None:
    clear, unclear = effect_view(AIM, levels(0.7, 0.9), "ROC AUC"), effect_view(AIM, levels(0.7, 0.71), "ROC AUC")
    assert clear.sentence == (
        "Which features: ROC AUC is highest with “many” (0.900) and lowest with “few” (0.700), all else alike."
    )
    assert "no option differs clearly" in unclear.sentence
    assert (len(clear.parts), clear.hidden) == (10, 4)
    figure = effect_figure(clear, colours)
    assert [t.meta for t in figure.data] == ["observed", "mean"]
    assert figure.layout.yaxis.ticktext == ("many (10)", "few (10)")
    assert len(parts_figure(clear, colours).data[0].x) == 10


def test_pairs_say_whether_they_are_more_than_nothing(colours: Palette) -> None:
    pair = Pair("width", "depth", ("Width", "Depth"), Share(0.12, 0.05, 0.2))
    view = pairs_view(AIM, [pair], "ROC AUC")
    assert view.sentence.startswith("**Width × Depth** together explain another 12 % (5 % – 20 %)")
    assert len(pairs_figure(view, colours).data[0].x) == 1
    doubtful = Pair("width", "depth", ("Width", "Depth"), Share(0.12, 0.0, 0.3))
    assert "not clearly more than nothing" in pairs_view(AIM, [doubtful], "ROC AUC").sentence
    assert pairs_view(AIM, [], "ROC AUC").sentence.startswith("No two choices interact")


def test_all_aims_at_once_leave_out_what_is_not_predicted(colours: Palette) -> None:
    good = importance_view(AIM, importance(), "ROC AUC")
    silent = importance_view(AIM, importance(BAD), "few features")
    view = matrix_view([good, silent])
    assert view.choices[0] == "Width"
    assert view.shares[0] == (0.41, None)
    assert view.silent == ("few features",)
    assert list(matrix_figure(view, colours).data[0].z[0]) == [41.0, None]


def test_a_combination_that_nobody_has_is_marked_as_a_guess(colours: Palette) -> None:
    found = PairMap(("Width", "Depth"), ("4", "8"), ("1", "2"), np.array([[0.7, 0.8], [0.9, 0.6]]),
                    np.array([[3, 0], [2, 1]]))  # fmt: skip
    view = surface_view(found, ("width", "depth"), "performance", "ROC AUC")
    assert view.spoken == "Highest ROC AUC: Width “8” with Depth “1”, 0.900."
    assert "a guess, no candidate" in view.hover[0][1]
    figure = surface_figure(view, colours)
    guessed = next(t for t in figure.data if t.meta == "guessed")
    assert (guessed.x, guessed.y) == ((1,), (0,))


def test_a_path_says_what_made_the_difference_and_what_was_only_predicted(colours: Palette) -> None:
    def point(value: float, measured: bool) -> Point:
        return Point(value, value - 0.05, value + 0.05, measured)

    steps = (
        Step((), "a", 1, point(0.6, True), point(0.9, True)),
        Step((Piece("width", "Width", "4 → 8"),), "b", None, point(0.9, False), point(0.85, False)),
        Step((Piece("depth", "Depth"),), "c", 7, point(0.91, True), point(0.5, True)),
    )
    view = path_view(AblationPath(0.5, steps), "ROC AUC", ("a", "c"))
    assert view.sentence == "ROC AUC changes most with “Width” (+0.300), interpretability with “Depth” (−0.350)."
    assert view.predicted == 1
    assert view.stops[1].words[1:4] == ("not trained", "≈ 0.900 (0.850 – 0.950)", "+0.300")
    assert [s.candidate for s in view.stops] == ["a", None, "c"]
    figure = path_figure(view, colours)
    assert figure.data[0].marker.symbol == ("circle", "circle-open", "circle")
    assert figure.layout.yaxis.ticktext == ("start", "Width 4 → 8", "Depth")


@pytest.mark.parametrize("label", ["ROC AUC", ""])
def test_candidates_on_the_front_have_a_shape_of_their_own(colours: Palette, label: str) -> None:
    view = MapView(
        np.arange(4.0), np.arange(4.0), ("a", "b", "c", "d"), np.arange(4), np.arange(4.0), "performance", label,
        np.array([True, False, False, True]), 1, 0, ("w",) * 4, 0.5, "map",
    )  # fmt: skip
    figure = map_figure(view, colours)
    traces = {t.meta: t for t in figure.data if t.meta}
    assert traces["front"].marker.symbol == "square"
    assert traces["cloud"].marker.symbol == "circle"
    assert [row[0] for row in traces["front"].customdata] == ["a", "d"]
    assert traces["chosen"].customdata[0][0] == "b"
    assert traces["best"].customdata[0][0] == "a"
    named = [t.name for t in figure.data if t.showlegend is not False]
    assert named == ["others", "on the front", "best at λ", "chosen"]
