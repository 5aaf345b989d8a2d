"""Measures of a finished candidate: the same numbers as during the run, all of the registry, reasons and errors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nas_core.data import Dataset, Problem, Recipe, load_data
from nas_core.data.arrays import signal_dataset
from nas_core.data.signal import image_signal, sequence_signal
from nas_core.errors import ExplanationError, SettingsError, StoreError
from nas_core.evaluation.packs import PackEvaluator
from nas_core.interpretability import MEASURES
from nas_core.records import Evaluation, RunRecord, RunState, Status, WeightsRef
from nas_core.runs.measuring import measure_stored
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store

RECIPE = Recipe(max_epochs=3, batch_size=32)
Recorded = tuple[Store, Problem, SearchSpace, list[Evaluation]]


def recorded(problem: Problem, count: int) -> Recorded:
    """Return a store with ``count`` candidates that were really trained and measured."""
    from safetensors.numpy import save

    store, space = InMemoryStore(), SearchSpace.for_problem(problem, "balanced")
    evaluator = PackEvaluator(problem, space, device="cpu")
    proposals = space.initial(count, np.random.default_rng(0))
    found = list(evaluator.evaluate(proposals, stop=threading.Event()))
    tensors = {f"{i}/{name}": value for i, own in evaluator.take_weights().items() for name, value in own.items()}
    digest = store.put_artifact("w", save(tensors))
    kept = [
        e.model_copy(
            update={
                "index": i,
                "revision": 1,
                "weights": WeightsRef(artifact="w", prefix=f"{e.id}/", sha256=digest) if e.performance else None,
            }
        )
        for i, e in enumerate(found, 1)
    ]
    record = RunRecord(
        id="run", name="run", created=0.0, problem=problem.spec.model_dump(mode="json"),
        space=space.model_dump(mode="json"), state=RunState.RUNNING, settings={}, data_hash=problem.dataset.hash,
    )  # fmt: skip
    store.create_run(record)
    store.commit("run", kept, None, {}, state=RunState.DONE)
    return store, problem, space, store.evaluations("run")


@pytest.fixture(scope="module")
def table() -> Recorded:
    """A run that takes all measures there are."""
    problem = Problem.create(load_data("breast_cancer"), recipe=Recipe(max_epochs=8), measures=tuple(MEASURES))
    return recorded(problem, 12)


def signal(kind: str) -> Dataset:
    rng = np.random.default_rng(0)
    y = np.arange(160) % 2
    if kind == "image":
        X = rng.normal(size=(160, 36)) + y[:, None] * np.linspace(-1, 1, 36)
        return signal_dataset(X, y, image_signal(1, 6, 6), name=kind, classes=("a", "b"))
    words = ("", "?", *(f"word{i}" for i in range(10)))
    ids = np.where(rng.random((160, 8)) < 0.5, rng.integers(2, 12, (160, 8)), 2 + y[:, None]).astype(float)
    return signal_dataset(
        ids, y, sequence_signal(1, 8, vocabulary=12, words=words), name=kind, classes=("a", "b")
    )  # fmt: skip


def test_a_table_has_the_numbers_of_its_run(table: Recorded) -> None:
    store, problem, space, evaluations = table
    done = [e for e in evaluations if e.eligible]
    assert len(done) > 3
    for e in done[:: max(1, len(done) // 4)]:
        again = measure_stored(store, "run", e.id, e.measures, problem=problem, space=space)
        assert list(again) == list(e.measures) == list(MEASURES)
        for name, known in e.measures.items():
            # a tree may split elsewhere where the outputs of a pack and of a module are rounded differently
            tolerance = 0.05 if name in ("tree_fidelity", "decision_path") else 1e-3
            assert again[name].value == pytest.approx(known.value, abs=tolerance), name
            assert again[name].low == pytest.approx(known.low, abs=tolerance), name
            assert again[name].reason == known.reason


def test_all_measures_have_a_value_or_a_reason(table: Recorded) -> None:
    store, _, _, evaluations = table
    e = next(e for e in evaluations if e.eligible and len(e.architecture.values["groups"]) > 2)
    found = measure_stored(store, "run", e.id)  # loads problem and space itself
    assert list(found) == list(MEASURES)
    without = {name: m.reason for name, m in found.items() if m.value is None}
    assert set(without) == {"introspectability"}
    assert all(0 <= m.value <= 1 for m in found.values() if m.value is not None)
    assert (
        measure_stored(store, "run", e.id, ["explainer_agreement"])["explainer_agreement"]
        == (found["explainer_agreement"])
    )


@pytest.mark.parametrize("kind", ["image", "words"])
def test_signals_have_the_numbers_of_their_run(kind: str) -> None:
    problem = Problem.create(signal(kind), recipe=RECIPE)
    store, problem, space, evaluations = recorded(problem, 4)
    done = [e for e in evaluations if e.eligible]
    assert done
    for e in done[:2]:
        found = measure_stored(store, "run", e.id, problem=problem, space=space)
        for name, known in e.measures.items():
            assert found[name].value == pytest.approx(known.value, abs=1e-5), name
        gradients = found["attribution_sparsity"]
        assert (gradients.value is None) == (kind == "words")
        assert gradients.value is not None or "words" in gradients.reason


def altered(table: Recorded, change: Callable[[Evaluation], dict[str, Any]]) -> tuple[Store, Evaluation]:
    """Return a store with one candidate of the table that was changed."""
    store, _, _, evaluations = table
    e = next(e for e in evaluations if e.eligible)
    other = InMemoryStore()
    other.create_run(store.run("run"))
    changed = e.model_copy(update={**change(e), "revision": 1})
    other.commit("run", [changed], None, {}, state=RunState.DONE)
    return other, changed


def test_what_is_not_eligible_has_no_interpretability(table: Recorded) -> None:
    store, e = altered(table, lambda e: {"status": Status.INELIGIBLE, "reason": "No better than a constant."})
    found = measure_stored(store, "run", e.id, ["additivity", "explainer_agreement"])
    assert {m.reason for m in found.values()} == {"Not measured: No better than a constant"}
    assert all(m.value is None for m in found.values())


def test_what_cannot_be_measured_is_said(table: Recorded) -> None:
    store, problem, space, evaluations = table
    known = next(e for e in evaluations if e.eligible)
    with pytest.raises(StoreError, match="nobody"):
        measure_stored(store, "run", "nobody")
    with pytest.raises(SettingsError, match="no measure 'beauty'"):
        measure_stored(store, "run", known.id, ["beauty"], problem=problem, space=space)
    failed, e = altered(table, lambda e: {"status": Status.FAILED, "weights": None})
    with pytest.raises(ExplanationError, match="has no trained weights"):
        measure_stored(failed, "run", e.id)
    foreign, e = altered(table, lambda e: {})
    with pytest.raises(StoreError, match="w"):
        measure_stored(foreign, "run", e.id, problem=problem, space=space)  # the artifact is not in this store
    image = Problem.create(signal("image"), recipe=RECIPE)
    with pytest.raises(ExplanationError, match="is a table"):
        measure_stored(store, "run", known.id, problem=problem, space=SearchSpace.for_problem(image, "balanced"))
