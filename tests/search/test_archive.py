"""The archive: columns like the evaluations, snapshots that never change, ranking and the growing hypervolume."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from toy_space import ToySpace, toy_evaluation

from nas_core.errors import SettingsError
from nas_core.objectives import metric_objective
from nas_core.preferences import STRUCTURE_MEASURES, Preference, interpretability
from nas_core.records import Cost, Estimate, Evaluation, Measurement, Proposal, Status
from nas_core.search import SEARCH_MEASURES, Archive, Snapshot, hypervolume

AUC = metric_objective("roc_auc")
SPACE = ToySpace()


def evaluations(n: int, seed: int = 0) -> list[Evaluation]:
    """Distinct ones: three in four done, the others ineligible or failed; revisions from 1."""
    rng = np.random.default_rng(seed)
    found = {}
    while len(found) < n:
        architecture = SPACE.sample(rng)
        status = [Status.DONE, Status.DONE, Status.DONE, Status.INELIGIBLE, Status.FAILED][int(rng.integers(5))]
        found[architecture.id] = toy_evaluation(SPACE, Proposal(architecture=architecture), status)
    return [e.model_copy(update={"index": k, "revision": k + 1}) for k, e in enumerate(found.values())]


def same(a: Snapshot, b: Snapshot) -> bool:
    arrays = [(a.columns[k], b.columns[k]) for k in a.columns]
    arrays += [(a.measures, b.measures), (a.raw, b.raw), (a.eligible, b.eligible), (a.index, b.index)]
    return (a.ids, a.status) == (b.ids, b.status) and all(np.array_equal(x, y, equal_nan=True) for x, y in arrays)


def test_an_empty_archive_answers_everything() -> None:
    archive = Archive(AUC)
    assert len(archive) == 0
    assert archive.revision == 0
    assert archive.rank(Preference()).best is None
    assert archive.hypervolume_curve().shape == (0,)
    assert archive.hypervolume() == 0.5  # the model without features: AUC .5 and a perfect structure
    assert archive.snapshot().counts() == dict.fromkeys(map(str, Status), 0)


def test_columns_hold_what_the_evaluations_say() -> None:
    full = evaluations(1)[0].model_copy(
        update={
            "status": Status.DONE,
            "performance": Estimate(value=0.9, low=0.8, high=0.95),
            "skill": Estimate(value=0.8, low=0.6, high=0.9),
            "measures": {"additivity": Measurement(value=0.7, raw=0.3), "monotone_share": Measurement(reason="none")},
            "cost": Cost(parameters=5, operations=7, seconds=0.5),
            "finished": 12.0,
            "origin": "manual",
            "operator": "swap",
        }
    )
    snapshot = Archive(AUC, ["additivity", "monotone_share"]).add([full])
    assert {name: column.item() for name, column in snapshot.columns.items()} == pytest.approx(
        {
            "performance": 0.9, "performance_low": 0.8, "performance_high": 0.95, "performance_loss": 0.1, "skill": 0.8,
            "parameters": 5, "operations": 7, "seconds": 0.5, "finished": 12.0,
        }
    )  # fmt: skip
    assert snapshot.measure("additivity").tolist() == [0.7]
    assert np.isnan(snapshot.measure("monotone_share")).all()
    assert snapshot.raw[0, 0] == 0.3
    assert (snapshot.ids, snapshot.status) == ((full.id,), (Status.DONE,))
    assert (snapshot.origin, snapshot.operator, snapshot.position(full.id)) == (("manual",), ("swap",), 0)
    assert snapshot.position("nobody") is None


def test_adding_in_pieces_is_adding_at_once() -> None:
    told = evaluations(300)
    at_once, pieces = Archive(AUC), Archive(AUC)
    at_once.add(told)
    for start in range(0, 300, 7):
        pieces.add(told[start : start + 7])
    assert same(at_once.snapshot(), pieces.snapshot())
    assert at_once.revision == pieces.revision == 300


def test_a_snapshot_never_changes_and_cannot_be_written() -> None:
    told, archive = evaluations(200), Archive(AUC)
    early = archive.add(told[:50])
    copy = Archive(AUC)
    copy.add(told[:50])
    archive.add(told[50:])
    archive.add([told[3].model_copy(update={"status": Status.FAILED, "performance": None, "revision": 900})])
    assert same(early, copy.snapshot())
    assert early.position(told[60].id) is None
    with pytest.raises(ValueError, match="read-only"):
        early.performance[0] = 1.0


def test_a_second_evaluation_replaces_the_first() -> None:
    told, archive = evaluations(20), Archive(AUC)
    archive.add(told)
    archive.hypervolume_curve()
    again = [
        told[4].model_copy(update={"status": Status.CANCELLED, "performance": None, "measures": {}, "revision": 99})
    ]
    snapshot = archive.add(again)
    fresh = Archive(AUC)
    fresh.add([*told[:4], *again, *told[5:]])
    assert same(snapshot, fresh.snapshot())
    assert archive.revision == 99
    assert archive.hypervolume_curve() == pytest.approx(fresh.hypervolume_curve())


def test_the_same_candidate_twice_in_one_call_counts_once() -> None:
    told = evaluations(2)
    late = told[0].model_copy(update={"index": 77})
    snapshot = Archive(AUC).add([told[0], told[1], late])
    assert snapshot.ids == (told[0].id, told[1].id)
    assert snapshot.index.tolist() == [77, 1]


def test_ranking_agrees_with_the_evaluations() -> None:
    told, archive = evaluations(120), Archive(AUC)
    archive.add(told)
    preference = Preference(weight=0.3, measures={"additivity": 1.0, "monotone_share": 2.0})
    ranking = archive.rank(preference)
    for at, e in enumerate(told):
        if e.status is not Status.DONE:
            assert np.isnan(ranking.interpretability[at])
            continue
        scores = np.array([[e.measures[name].value for name in preference.measures]], dtype=float)
        assert ranking.interpretability[at] == pytest.approx(interpretability(scores, np.array([1.0, 2.0]))[0])
    with pytest.raises(SettingsError, match="'beauty', which is not measured here"):
        archive.rank(Preference(measures={"beauty": 1.0}))


def test_the_hypervolume_curve_grows_to_that_of_all_losses_and_the_floor() -> None:
    told, archive = evaluations(150), Archive(AUC)
    for start in range(0, 150, 40):
        archive.add(told[start : start + 40])
        curve = archive.hypervolume_curve()
        assert len(curve) == len(archive)
    assert (np.diff(curve, prepend=0.5) >= 0.0).all()
    losses = np.vstack([archive.snapshot().losses(), [0.5, 0.0, 0.0, 0.0]])
    assert archive.hypervolume() == pytest.approx(hypervolume(losses, np.ones(4)))
    assert archive.hypervolume(()) == pytest.approx(1.0 - np.nanmin(archive.snapshot().performance_loss))


def test_a_metric_without_a_fixed_baseline_needs_one_for_the_floor() -> None:
    accuracy = metric_objective("accuracy")
    assert Archive(accuracy).hypervolume() == 0.0
    assert Archive(accuracy, baseline=0.6).hypervolume() == pytest.approx(0.6)


def test_an_ineligible_candidate_adds_no_volume() -> None:
    bad = evaluations(1)[0].model_copy(
        update={
            "status": Status.INELIGIBLE,
            "performance": Estimate(value=1.0, low=1.0, high=1.0),
            "measures": {name: Measurement(value=1.0) for name in STRUCTURE_MEASURES},
        }
    )
    archive = Archive(AUC)
    archive.add([bad])
    assert archive.hypervolume() == 0.5
    assert not archive.rank(Preference()).on_front.any()


def test_a_measure_that_is_not_held_is_refused_with_those_that_are() -> None:
    snapshot = Archive(AUC, ["additivity"]).snapshot()
    with pytest.raises(SettingsError, match=r"no measure 'feature_parsimony'.*Allowed: additivity"):
        snapshot.losses(SEARCH_MEASURES)
    with pytest.raises(SettingsError, match="no measure 'beauty'"):
        snapshot.measure("beauty")


def test_readers_see_whole_snapshots_while_a_writer_adds() -> None:
    told, archive, faults = evaluations(1500), Archive(AUC), []
    expected = Archive(AUC).add(told)
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            s = archive.snapshot()
            n = len(s)
            archive.hypervolume_curve(("feature_parsimony",))
            whole = s.ids == expected.ids[:n] and np.array_equal(s.measures, expected.measures[:n], equal_nan=True)
            if not whole or len(s.rank(Preference()).order) != n:
                faults.append(n)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for start in range(0, len(told), 5):
        archive.add(told[start : start + 5])
    done.set()
    for reader in readers:
        reader.join()
    assert not faults
    assert len(archive) == 1500


@given(some.integers(0, 40), some.integers(0, 10_000), some.lists(some.integers(0, 39), max_size=4), some.floats(0, 1))
@settings(max_examples=25)
def test_the_first_candidates_are_what_was_there_before_the_others(
    count: int, seed: int, again: list[int], weight: float
) -> None:
    told, archive = evaluations(40, seed), Archive(AUC)
    archive.add(told)
    for revision, at in enumerate(again, start=100):  # what is evaluated a second time keeps its place
        told[at] = told[at].model_copy(update={"status": Status.PRUNED, "performance": None, "revision": revision})
        archive.add([told[at]])
    rebuilt = Archive(AUC)
    rebuilt.add(told[:count])
    first, slow = archive.snapshot().first(count), rebuilt.snapshot()
    assert same(first, slow)
    assert (first.origin, first.operator) == (slow.origin, slow.operator)
    wish = Preference(weight=weight)
    ours, theirs = first.rank(wish), slow.rank(wish)
    assert (ours.best, ours.order.tolist()) == (theirs.best, theirs.order.tolist())
    assert ours.winners() == theirs.winners()
    assert np.array_equal(ours.on_front, theirs.on_front)
    curve = archive.hypervolume_curve()
    assert (curve[count - 1] if count else 0.5) == pytest.approx(rebuilt.hypervolume())
    assert all(first.position(e.id) is None for e in told[count:])


def test_the_first_of_a_snapshot_is_a_view_and_has_no_more_than_there_are() -> None:
    archive = Archive(AUC)
    snapshot = archive.add(evaluations(5))
    assert np.shares_memory(snapshot.first(3).measures, snapshot.measures)
    assert same(snapshot.first(5), snapshot)
    for wrong in (-1, 6):
        with pytest.raises(SettingsError, match=f"no first {wrong} candidates. Allowed: 0 to 5"):
            snapshot.first(wrong)
