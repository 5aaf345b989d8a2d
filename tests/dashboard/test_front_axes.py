"""Axes of the front: every quantity, its direction, the front of two or three of them, what the bytes hold of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_run_views import WORDS, decode

from dashboard.figures.front import front_payload
from dashboard.views.front import FrontView, front_view
from dashboard.views.front_axes import axis_keys, axis_label, axis_of, baseline_value
from dashboard.views.front_choice import FrontChoice
from nas_core.evaluation.baselines import Baseline
from nas_core.objectives import METRICS
from nas_core.preferences import FAMILIES, MEASURE_FAMILIES, STRUCTURE_MEASURES, Goal, Preference, interpretability
from nas_core.records import Architecture, Cost, Estimate, Evaluation, Measurement, Status
from nas_core.search import Archive, Snapshot, mean_interval, non_dominated

TABLE = (*STRUCTURE_MEASURES, "tree_fidelity", "decision_path")


def made(number: int, performance: float, scores: dict[str, float | None], cost: int, half: float = 0.01) -> Evaluation:
    architecture = Architecture(family="tabular", values={"n": number})
    return Evaluation(
        id=architecture.id, index=number, architecture=architecture, status=Status.DONE,
        performance=Estimate(value=performance, low=performance - half, high=performance + half),
        measures={n: Measurement(value=v, low=v, high=v) if v is not None else Measurement(value=None, reason="none")
                  for n, v in scores.items()},
        cost=Cost(parameters=cost, operations=10 * cost, seconds=cost / 100), operator="mutate",
    )  # fmt: skip


def snapshot_of(*rows: tuple[float, float, int], metric: str = "roc_auc") -> Snapshot:
    """Return candidates 0, 1, … with (performance, score of every measure, parameters)."""
    archive = Archive(METRICS[metric], TABLE)
    archive.add([made(k, p, dict.fromkeys(TABLE, s), cost) for k, (p, s, cost) in enumerate(rows)])
    return archive.snapshot()


def view_of(snapshot: Snapshot, choice: FrontChoice, preference: Preference | None = None, **more: object) -> FrontView:
    ranked = snapshot.rank(preference or Preference())
    return front_view("run", snapshot, ranked, selected=None, words=WORDS, choice=choice, **more)


THREE = snapshot_of((0.9, 0.2, 100), (0.8, 0.8, 50), (0.7, 0.1, 2))


def test_what_can_be_an_axis_is_named() -> None:
    keys = axis_keys(TABLE)
    assert keys[:4] == ("interpretability", "performance", "family_structure", "family_summary")
    assert set(TABLE) < set(keys)
    assert keys[-3:] == ("parameters", "operations", "seconds")
    assert len({axis_label(key, METRICS["roc_auc"]) for key in keys}) == len(keys)
    assert not any(key.startswith("family_") for key in axis_keys(STRUCTURE_MEASURES))  # one family is all of it
    assert set(FAMILIES) == set(MEASURE_FAMILIES.values())


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
@pytest.mark.parametrize("key", axis_keys(TABLE))
def test_the_better_value_has_the_smaller_loss_and_lies_at_the_better_end(key: str, metric: str) -> None:
    better, worse = (0.2, 0.6) if metric == "log_loss" else (0.9, 0.6)
    snapshot = snapshot_of((better, 0.9, 10), (worse, 0.3, 1000), metric=metric)
    axis = axis_of(key, snapshot, snapshot.rank(Preference()))
    assert axis.losses[0] < axis.losses[1]
    assert axis.maximise == (axis.values[0] > axis.values[1])
    assert ("smaller is better" in axis.label) is not axis.maximise
    other = "performance" if key != "performance" else "interpretability"
    shown = view_of(snapshot, FrontChoice(x=key, y=other)).axes[0]
    at = np.log10(axis.values) if axis.log else axis.values
    low, high = shown.range
    assert (high - low) * (at[0] - at[1]) > 0
    assert min(shown.range) <= at[0] <= max(shown.range)
    assert (axis.low <= axis.values).all()
    assert (axis.values <= axis.high).all()
    assert axis.uncertain is (key not in ("parameters", "operations", "seconds"))
    assert axis.log is not axis.uncertain


rows = st.lists(st.tuples(st.integers(50, 99), st.integers(1, 99), st.integers(1, 10_000)), min_size=1, max_size=30)
chosen = st.permutations(axis_keys(TABLE)).map(lambda keys: keys[:3])


@settings(max_examples=60, deadline=None)
@given(rows, chosen, st.booleans())
def test_the_front_is_that_of_the_chosen_quantities(found: list, keys: list[str], deep: bool) -> None:
    snapshot = snapshot_of(*((p / 100, s / 100, c) for p, s, c in found))
    choice = FrontChoice(keys[0], keys[1], keys[2] if deep else "")
    view = view_of(snapshot, choice)
    ranked = snapshot.rank(Preference())
    losses = np.column_stack([axis_of(key, snapshot, ranked).losses for key in choice.keys])
    beaten = [any((a <= b).all() and (a < b).any() for a in losses) for b in losses]
    assert view.on_front.tolist() == [not b for b in beaten]
    assert view.on_front.tolist() == non_dominated(losses).tolist()


@settings(max_examples=30, deadline=None)
@given(rows, chosen)
def test_the_bytes_hold_three_axes_and_the_interpretability_that_no_axis_shows(found: list, keys: list[str]) -> None:
    snapshot = snapshot_of(*((p / 100, s / 100, c) for p, s, c in found))
    view = view_of(snapshot, FrontChoice(keys[0], keys[1], keys[2], colour="age"))
    payload = front_payload(view)
    length = int.from_bytes(payload[:4], "little")
    body = payload[4 + length :]
    head, n = decode(payload[: len(payload) - extra_of(view)])[0], len(found)
    assert [head[name]["key"] for name in "xyz"] == list(keys)
    at = (5 + head["step"]) * n
    assert view.z is not None
    z = head["z"]["data"][0] + np.frombuffer(body[at : at + 2 * n], "<u2") / 65535 * np.ptp(head["z"]["data"])
    np.testing.assert_allclose(10**z if head["z"]["log"] else z, view.z, rtol=2e-4, atol=1e-5)
    at += 2 * n
    if "interpretability" not in keys:
        data = head["interpretability"]["data"]
        shown = data[0] + np.frombuffer(body[at : at + 2 * n], "<u2") / 65535 * np.ptp(data)
        np.testing.assert_allclose(shown, snapshot.rank(Preference()).interpretability, atol=2e-5)
        at += 2 * n
    assert np.frombuffer(body[at:], "u1").tolist() == np.round(255 * np.arange(n) / max(1, n - 1)).tolist()


def extra_of(view: FrontView) -> int:
    """Return how many bytes follow x, y, numbers and flags."""
    return len(view.numbers) * (3 + (2 if view.interpretability is not None else 0))


def test_a_measure_that_is_not_defined_has_no_place_on_its_axis() -> None:
    archive = Archive(METRICS["roc_auc"], TABLE)
    archive.add(
        [made(1, 0.9, dict.fromkeys(TABLE, 0.5), 9), made(2, 0.8, {**dict.fromkeys(TABLE, 0.5), "additivity": None}, 9)]
    )
    snapshot = archive.snapshot()
    assert view_of(snapshot, FrontChoice(x="additivity")).numbers.tolist() == [1]
    assert view_of(snapshot, FrontChoice()).numbers.tolist() == [1, 2]


def test_a_cost_of_zero_makes_the_axis_linear() -> None:
    snapshot = snapshot_of((0.9, 0.2, 100), (0.8, 0.8, 0))
    axis = view_of(snapshot, FrontChoice(x="parameters")).axes[0]
    assert not axis.log
    assert axis.range[1] <= 0.0 < 100.0 <= axis.range[0]


def test_goals_follow_their_quantity_and_costs_have_none() -> None:
    goals = Preference(goals=(Goal(name="additivity", value=0.5), Goal(name="performance", value=0.75)))
    view = view_of(THREE, FrontChoice(x="additivity", y="parameters"), goals)
    assert [(g.axis, g.value) for g in view.goals] == [("x", 0.5)]
    assert [axis.goal for axis in view.axes] == ["additivity", ""]
    assert view_of(THREE, FrontChoice(x="performance", y="family_summary")).axes[1].goal == ""
    assert view_of(THREE, FrontChoice()).axes[1].bounds == (None, 1.0)


def test_a_family_counts_its_own_measures_only() -> None:
    archive = Archive(METRICS["roc_auc"], TABLE)
    scores = {**dict.fromkeys(STRUCTURE_MEASURES, 0.9), "tree_fidelity": 0.2, "decision_path": 0.6}
    archive.add([made(1, 0.9, scores, 9)])
    snapshot = archive.snapshot()
    both = np.array([[0.2, 0.6]])
    ranked = snapshot.rank(Preference())
    assert axis_of("family_summary", snapshot, ranked).values == pytest.approx(interpretability(both, np.ones(2)))
    weighed = snapshot.rank(Preference(measures={"tree_fidelity": 1.0}))
    assert axis_of("family_summary", snapshot, weighed).values == pytest.approx(
        interpretability(both, np.array([1, 0]))
    )
    assert axis_of("family_structure", snapshot, weighed).values == pytest.approx(
        0.91 / 1.01
    )  # equal where none counts
    assert axis_of("interpretability", snapshot, ranked, intervals=True).low == pytest.approx(
        mean_interval(snapshot.measures, snapshot.measures_low, snapshot.measures_high, np.ones(8))[0]
    )


def test_what_lies_outside_the_space_is_on_no_front_of_other_axes_either() -> None:
    inside = np.array([False, True, True])
    view = view_of(THREE, FrontChoice(x="parameters"), inside=inside)
    assert view.on_front.tolist() == [False, True, True]


def test_a_plain_model_has_a_place_only_where_its_quantities_are_known() -> None:
    tree = Baseline(
        name="decision_tree", label="Tree", performance=Estimate(value=0.7, low=0.6, high=0.8),
        measures={"additivity": Measurement(value=0.4)},
    )  # fmt: skip
    ranked = THREE.rank(Preference(measures={"additivity": 1.0}))
    assert baseline_value("performance", tree, TABLE, ranked) == 0.7
    assert baseline_value("additivity", tree, TABLE, ranked) == 0.4
    assert baseline_value("interpretability", tree, TABLE, ranked) == pytest.approx(0.41 / 1.01)
    assert np.isnan(baseline_value("parameters", tree, TABLE, ranked))
    assert np.isnan(baseline_value("monotone_share", tree, TABLE, ranked))


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("choice", [FrontChoice(x="parameters"), FrontChoice(z="operations", colour="operator")])
def test_few_candidates_are_drawn_too(count: int, choice: FrontChoice) -> None:
    view = view_of(snapshot_of(*[(0.9, 0.5, 7)] * count), choice)
    assert view.on_front.all()
    assert len(front_payload(view)) > 100


def test_a_choice_survives_the_address_and_what_is_not_there_is_put_right() -> None:
    axes = axis_keys(TABLE)
    choice = FrontChoice("additivity", "parameters", "performance", "age", ("knee", "ties"))
    assert FrontChoice.read(choice.query(), axes) == choice
    assert FrontChoice().query() == {}
    assert FrontChoice.read({}, axes) == FrontChoice()
    assert FrontChoice.read(
        {"fx": "of another run", "fz": "nothing", "fc": "taste", "fm": "knee,luck"}, axes
    ) == FrontChoice(marks=("knee",))
    assert FrontChoice.read({"fx": "performance"}, axes) == FrontChoice()  # the same twice
    assert FrontChoice.read({"fz": "performance"}, axes).z == ""


def test_the_summary_names_the_axes_and_the_usual_one_stays() -> None:
    assert view_of(THREE, FrontChoice()).summary == "3 of them, 2 on the front, ROC AUC 0.700 to 0.900"
    told = view_of(THREE, FrontChoice(x="parameters", marks=("knee",))).summary
    assert told == "3 candidates by Parameters, ROC AUC; 3 of them on the front of these. Its knee is #1."
