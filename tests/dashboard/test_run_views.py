"""What the Run page shows, as data: the front, the bands of λ, the table, the card, the progress."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import run_problem

from dashboard.figures.front import ON_FRONT, OUTSIDE, RECENT, front_payload
from dashboard.figures.hypervolume import hypervolume_figure
from dashboard.texts import set_language
from dashboard.theme import LIGHT
from dashboard.views.card import candidate_card, measure_label
from dashboard.views.front import FrontView, front_view
from dashboard.views.hypervolume import hypervolume_view
from dashboard.views.progress import progress_view
from nas_core.interpretability import MEASURES
from nas_core.objectives import METRICS
from nas_core.preferences import STRUCTURE_MEASURES, Preference
from nas_core.records import Architecture, Estimate, Evaluation, Measurement, RunRecord, RunState, Status
from nas_core.runs.progress import Progress
from nas_core.search import Archive
from nas_core.spaces import SearchSpace, facts

WORDS = {
    **{name: name for name in ("cloud", "recent", "front", "floors", "best", "selected", "ribbon")},
    "band": "#{number} {low} {high}",
    "summary": "{count} of them, {front} on the front, {metric} {low} to {high}",
}


def evaluation(
    number: int, auc: float, score: float, status: Status = Status.DONE, operator: str = "mutate"
) -> Evaluation:
    architecture = Architecture(family="tabular", values={"n": number})
    done = status is Status.DONE
    return Evaluation(
        id=architecture.id,
        index=number,
        architecture=architecture,
        status=status,
        reason="" if done else "The loss became NaN in epoch 3",
        performance=Estimate(value=auc, low=auc - 0.01, high=auc + 0.01) if done else None,
        measures=dict.fromkeys(STRUCTURE_MEASURES, Measurement(value=score)) if done else {},
        operator=operator,
        revision=number,
    )


def archive_of(*evaluations: Evaluation) -> Archive:
    archive = Archive(METRICS["roc_auc"])
    archive.add(evaluations)
    return archive


def view_of(archive: Archive, weight: float = 0.5, selected: str | None = None, live: bool = False) -> FrontView:
    snapshot = archive.snapshot()
    ranked = snapshot.rank(Preference(weight=weight))
    return front_view("run-1", snapshot, ranked, selected=selected, words=WORDS, x_label="Interpretability", live=live)


def decode(payload: bytes) -> tuple[dict, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Read the bytes the way ``front.js`` does: a slow twin of its ``decode``."""
    import json

    length = int.from_bytes(payload[:4], "little")
    head = json.loads(payload[4 : 4 + length])
    n, body = head["count"], payload[4 + length :]
    step = head["step"]
    assert len(body) == (5 + step) * n
    x, y = (np.frombuffer(body[2 * n * k : 2 * n * (k + 1)], "<u2") / 65535 for k in (0, 1))
    last = np.frombuffer(body[(4 + step) * n :], "u1")
    numbers = last >> 4 if step == 0 else np.frombuffer(body[4 * n : (4 + step) * n], {1: "u1", 4: "<u4"}[step])
    numbers = numbers if step == 4 else np.cumsum(numbers, dtype=np.int64)
    flags = last & 15
    scaled = [low + part * (high - low) for part, (low, high) in ((x, head["x"]["data"]), (y, head["y"]["data"]))]
    return head, scaled[0], scaled[1], numbers, flags


THREE = archive_of(
    evaluation(3, 0.99, 0.2), evaluation(5, 0.95, 0.8), evaluation(8, 0.90, 0.5), evaluation(9, 0.9, 0.9, Status.FAILED)
)


def test_the_front_leaves_out_what_failed_and_marks_what_is_not_dominated() -> None:
    view = view_of(THREE)
    assert view.numbers.tolist() == [3, 5, 8]
    assert view.on_front.tolist() == [True, True, False]
    assert view.summary == "3 of them, 2 on the front, ROC AUC 0.900 to 0.990"


def test_the_weight_decides_who_is_best_from_accuracy_to_interpretability() -> None:
    assert view_of(THREE, 0.0).best == 3
    assert view_of(THREE, 1.0).best == 5


def test_the_bands_tile_the_weights_and_agree_with_the_ranking() -> None:
    view = view_of(THREE)
    assert [band.number for band in view.bands] == [3, 5]
    assert view.bands[0].low == 0.0
    assert view.bands[-1].high == 1.0
    assert view.bands[0].high == view.bands[1].low
    for band in view.bands:
        assert view_of(THREE, (band.low + band.high) / 2).best == band.number


def test_what_lies_outside_the_space_is_marked_and_never_chosen() -> None:
    snapshot = THREE.snapshot()
    inside = np.array([False, True, True, True])
    ranked = snapshot.rank(Preference(weight=0.0), inside)
    view = front_view("run-1", snapshot, ranked, selected=None, words=WORDS, x_label="x", inside=inside)
    assert view.outside.tolist() == [True, False, False]
    assert view.best == 5
    assert view.on_front.tolist() == [False, True, False]
    assert decode(front_payload(view))[4].tolist() == [OUTSIDE, ON_FRONT, 0]


def test_an_empty_archive_gives_an_empty_front() -> None:
    view = view_of(Archive(METRICS["roc_auc"]))
    assert (len(view.numbers), view.best, view.bands) == (0, None, ())
    assert decode(front_payload(view))[0]["count"] == 0


def test_only_the_newest_of_a_live_run_are_marked_new() -> None:
    many = archive_of(*(evaluation(n, 0.9 + n / 1000, 0.5) for n in range(40)))
    assert view_of(many, live=True).recent.tolist() == [False] * 8 + [True] * 32
    assert not view_of(many).recent.any()


def test_landmarks_become_references_with_their_own_number() -> None:
    linear = evaluation(1, 0.8, 0.9, operator="landmark: linear model of all features")
    archive = archive_of(linear, evaluation(2, 0.9, 0.5))
    for language, label in (("zh", "全部特征的线性模型"), ("en", "linear model of all features")):
        set_language(language)
        (floor,) = view_of(archive).floors
        assert (floor.number, floor.label, floor.named, floor.y) == (1, label, True, 0.8)


points = st.lists(st.tuples(st.floats(0.5, 1.0), st.floats(0.01, 1.0)), min_size=1, max_size=40)


@given(points)
def test_the_bytes_hold_every_point_to_a_hundred_thousandth_of_the_range(found: list[tuple[float, float]]) -> None:
    archive = archive_of(*(evaluation(n, auc, score) for n, (auc, score) in enumerate(found)))
    view = view_of(archive, live=True)
    _, x, y, numbers, flags = decode(front_payload(view))
    assert np.abs(x - view.x).max() <= 1e-5 * max(1e-9, np.ptp(view.x)) + 1e-12
    assert np.abs(y - view.y).max() <= 1e-5 * max(1e-9, np.ptp(view.y)) + 1e-12
    assert numbers.tolist() == view.numbers.tolist()
    assert ((flags & ON_FRONT) > 0).tolist() == view.on_front.tolist()
    assert ((flags & RECENT) > 0).tolist() == view.recent.tolist()


def test_numbers_far_apart_are_kept_as_they_are() -> None:
    for told, step in (([3, 4, 300, 70_000], 4), ([3, 4, 200, 400], 1), ([3, 4, 19, 20], 0)):
        found = archive_of(*(evaluation(n, 0.8, 0.5) for n in told))
        head, _, _, numbers, _ = decode(front_payload(view_of(found)))
        assert head["step"] == step
        assert numbers.tolist() == told


def test_ten_thousand_points_stay_below_sixty_kilobytes() -> None:
    rng = np.random.default_rng(0)
    many = archive_of(*(evaluation(n, *rng.uniform(0.5, 1, 2)) for n in range(10_000)))
    assert len(front_payload(view_of(many))) < 60_000


def test_the_hypervolume_never_falls_and_ends_where_the_archive_says() -> None:
    view = hypervolume_view(THREE)
    assert (np.diff(view.volume) >= 0).all()
    assert view.last == THREE.hypervolume()
    assert view.floor == 0.5  # a featureless model has AUC .5 and a perfect structure
    (line,) = hypervolume_figure(view, LIGHT, {"x": "candidates", "y": "hypervolume", "floor": "floor"}).data
    assert line.y[-1] == view.last


def test_a_long_hypervolume_curve_is_thinned_but_keeps_its_end() -> None:
    view = hypervolume_view(archive_of(*(evaluation(n, 0.5 + n / 3000, 0.5) for n in range(1200))))
    assert len(view.candidates) <= 600
    assert view.candidates[-1] == 1200


def record(state: RunState, **settings: object) -> RunRecord:
    return RunRecord(
        id="r", name="wine", created=0.0, state=state, problem={}, space={}, settings=dict(settings), data_hash=""
    )


def test_progress_is_the_larger_share_of_the_two_budgets() -> None:
    now = Progress(evaluated=100, elapsed=30.0, candidates=500, budget_seconds=60.0)
    assert progress_view(record(RunState.RUNNING), now).share == 0.5


def test_a_run_without_counters_takes_its_budget_from_its_settings() -> None:
    view = progress_view(record(RunState.CREATED, candidates=300, seconds=None), Progress())
    assert (view.budget, view.share, view.live) == (300, 0.0, True)


@pytest.mark.parametrize("state", [RunState.DONE, RunState.STOPPED, RunState.INTERRUPTED])
def test_a_run_that_has_ended_is_not_live_and_has_no_time_left(state: RunState) -> None:
    view = progress_view(record(state), Progress(evaluated=5, eta_seconds=3.0))
    assert (view.live, view.eta) == (False, None)


def test_a_pause_that_is_under_way_has_its_own_state() -> None:
    assert progress_view(record(RunState.RUNNING), Progress(), pausing=True).state == "pausing"
    assert progress_view(record(RunState.RUNNING), Progress(), pausing=True, ending=True).state == "stopping"


def test_the_card_names_features_and_interactions() -> None:
    space = SearchSpace.for_problem(run_problem("iris"), "accurate")
    together = next(
        p.architecture
        for p in space.initial(40, np.random.default_rng(0))
        if any(len(g["features"]) > 1 for g in p.architecture.values["groups"])
    )
    made = evaluation(7, 0.97, 0.5).model_copy(update={"architecture": together})
    card = candidate_card(made, space, METRICS["roc_auc"], {"additivity": "additive"}, 0.5)
    assert card.number == 7
    lines = dict(card.lines)
    used = [f.name for i, f in enumerate(space.features) if i in facts(space, together).used_features]
    assert lines["Uses"] == f"{len(used)} of 4 features: {', '.join(used)}"
    group = next(g["features"] for g in together.values["groups"] if len(g["features"]) > 1)
    assert " × ".join(space.features[j].name for j in group) in lines["Interact"]
    assert lines["Built as"] == space.engine.describe(space, together.values)
    assert card.phrase.startswith(f"{len(used)} of 4 features, ")
    assert {bar.label for bar in card.bars if bar.name == "additivity"} == {"additive"}


def test_the_card_of_an_image_network_says_what_it_sees_and_nothing_of_features() -> None:
    space = SearchSpace.for_problem(run_problem("digits_images"))
    for proposal in space.initial(12, np.random.default_rng(0)):
        known = facts(space, proposal.architecture)
        made = evaluation(3, 0.9, 0.5).model_copy(update={"architecture": proposal.architecture})
        card = candidate_card(made, space, METRICS["accuracy"], {}, None)
        lines = dict(card.lines)
        assert list(lines) == ["Sees", "Together", "Built as", "Cost"]
        assert known.receptive_field is not None
        height, width = known.receptive_field
        whole = min(height, 8) == min(width, 8) == 8 or known.pairs == 120
        assert lines["Sees"].startswith("the whole image" if whole else f"{height} × {width} of 8 × 8 pixels")
        assert lines["Together"].startswith(f"{known.pairs:,} of " if known.pairs else "no two patches")
        assert f"{known.operations:,} operations" in lines["Cost"]
        assert "features" not in card.phrase + " ".join(lines.values())


def test_every_measure_has_a_short_name() -> None:
    assert measure_label("additivity") == "additive"
    assert all(measure_label(name) for name in MEASURES)
    assert measure_label("of_tomorrow") == "of tomorrow"
