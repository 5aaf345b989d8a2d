"""Everything one file holds, as plain data: columns of all candidates, details of those likely to be opened."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.replay.attributing import importances
from dashboard.replay.networks import network_drawing
from dashboard.replay.notable import MOST, notable
from dashboard.replay.packing import coded, packed
from dashboard.replay.texts import (
    LANGUAGES_IN_FILE,
    decision_words,
    in_language,
    measure_words,
    replay_words,
    told_record,
    told_words,
)
from dashboard.views.card import structure_lines
from dashboard.views.history import history_view
from nas_core.errors import NasightError
from nas_core.preferences import MEASURE_FAMILIES

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.records import Evaluation
    from nas_core.reports import DecisionRecord
    from nas_core.runs.viewer import RunView
    from nas_core.search import Ranking, Snapshot

__all__ = ["Heard", "ReplayPlan", "replay_data"]

Heard = Callable[[float, str], None]
"""Told the share that is done, and the key of what is being done."""
CURVE_POINTS = 60
VOLUME_POINTS = 1200
MANY = 3000
"""Candidates above which only those with details keep their line of words and their learning curve."""


@dataclass(frozen=True)
class ReplayPlan:
    """How much is put in.

    Attributes:
        details: Candidates whose graph, facts, metrics and curves are in the file.
        attribution_seconds: Time for what the networks of the front look at; 0 for leaving that out.
        language: The language the file opens in.
        decided: Whether the record is shown as a decision; otherwise the file shows the run, and the facts of its best
            candidate.
    """

    details: int = MOST
    attribution_seconds: float = 0.0
    language: str = "en"
    decided: bool = True


def replay_data(
    view: RunView, record: DecisionRecord, plan: ReplayPlan | None = None, *, problem: Problem | None = None,
    told: Heard | None = None, stop: threading.Event | None = None,
) -> dict[str, Any] | None:  # fmt: skip
    """Return what the file holds, ready for JSON; None when it was stopped.

    Args:
        view: The run, refreshed.
        record: The decision; the file opens under its preference with its candidate in view.
        plan: How much is put in.
        problem: The run's problem, for attributions; without it there are none.
        told: Told how far it is.
        stop: Ends it between two candidates.
    """
    work = _Work(view, record, plan or ReplayPlan(), told or (lambda share, key: None), stop or threading.Event())
    work.told(0.02, "step_read")
    data = {**work.head(), **work.columns()}
    details = work.details()
    if details is None:
        return None
    work.attribute(details, problem)
    if work.stop.is_set():
        return None
    work.told(0.97, "step_write")
    lines = [*data["built"], *(detail.get("built", "") for detail in details.values())]
    spoken = {lang: told_words(lines, work.snapshot.operator, lang) for lang in LANGUAGES_IN_FILE}
    return {**data, "details": details, **work.search(), "texts": work.texts(), "spoken": spoken}


class _Work:
    """A file being gathered: the run at one moment and what is made of it."""

    def __init__(
        self, view: RunView, record: DecisionRecord, plan: ReplayPlan, told: Heard, stop: threading.Event
    ) -> None:
        self.view, self.record, self.plan, self.told, self.stop = view, record, plan, told, stop
        self.snapshot: Snapshot = view.snapshot
        self.inside = view.inside(self.snapshot)
        self.ranking: Ranking = self.snapshot.rank(record.preference, self.inside)
        self.evaluations: dict[str, Evaluation] = {e.id: e for e in view.store.evaluations(view.run_id)}
        at = self.snapshot.position(record.chosen.id)
        others = [self.snapshot.position(a.id) for a in record.alternatives]
        first = [p for p in (at, self.ranking.best, *others) if p is not None]
        self.wanted = notable(self.snapshot, self.ranking, first, plan.details)

    def head(self) -> dict[str, Any]:
        """Return what the run is and what the file begins with."""
        from nas_core.search import STRATEGIES

        record, objective = self.record, self.snapshot.objective
        wish = record.preference
        return {
            "format": 1,
            "made": time.time(),
            "language": self.plan.language,
            "languages": LANGUAGES_IN_FILE,
            "run": {"id": record.run_id, "name": record.run_name, "state": record.state, "data": record.data.name,
                    "hash": record.data.hash, "strategy": STRATEGIES[record.strategy].label, "seed": record.seed,
                    "created": self.view.record.created},
            "metric": {"name": objective.name, "label": objective.label, "maximise": objective.maximise,
                       "best": objective.best, "worst": objective.worst},
            "names": list(self.snapshot.names),
            "families": {name: MEASURE_FAMILIES.get(name, "") for name in self.snapshot.names},
            "preference": {"weight": wish.weight, "measures": wish.measures, "families": wish.families,
                           "goals": [{"name": g.name, "value": g.value} for g in wish.goals],
                           "shares": wish.vector(self.snapshot.names).tolist()},
            "decided": record.chosen.number if self.plan.decided else None,
        }  # fmt: skip

    def columns(self) -> dict[str, Any]:
        """Return what the file holds of every candidate, in order of arrival."""
        s, many = self.snapshot, len(self.snapshot)
        columns = s.columns
        floats = ("performance", "performance_low", "performance_high", "performance_loss")
        return {
            "count": many,
            "columns": {
                **{name: packed(columns[name]) for name in floats},
                **{name: packed(columns[name], "f4") for name in ("parameters", "operations", "seconds", "finished")},
                "index": packed(s.index, "i4"),
                "eligible": packed(s.eligible, "u1"),
                "inside": packed(self.inside, "u1"),
                "measures": packed(s.measures),
                "measures_low": packed(s.measures_low, "f4"),
                "measures_high": packed(s.measures_high, "f4"),
                "status": coded(str(status) for status in s.status),
                "operator": coded(s.operator),
                "origin": coded(s.origin),
            },
            "built": [self._built(key) for key in s.ids] if many <= MANY else [],
            "ids": list(s.ids),
        }

    def _built(self, key: str) -> str:
        found = self.evaluations.get(key)
        if found is None:
            return ""
        space = self.view.space_of(found)
        return space.engine.describe(space, found.architecture.values)

    def details(self) -> dict[str, Any] | None:
        """Return graph, words, metrics and curves by position; None when it was stopped."""
        found: dict[str, Any] = {}
        for number, at in enumerate(self.wanted):
            if self.stop.is_set():
                return None
            self.told(0.05 + 0.55 * number / max(1, len(self.wanted)), "step_graphs")
            evaluation = self.evaluations.get(self.snapshot.ids[at])
            if evaluation is not None:
                found[str(at)] = self._detail(evaluation)
        for at, key in enumerate(self.snapshot.ids if len(self.snapshot) <= MANY else ()):
            evaluation = self.evaluations.get(key)
            if evaluation is not None and (curves := _curves(evaluation)):
                found.setdefault(str(at), {})["curves"] = curves
        return found

    def _detail(self, e: Evaluation) -> dict[str, Any]:
        from nas_core.spaces import facts

        space = self.view.space_of(e)
        structure = facts(space, e.architecture)
        lines = {lang: in_language(lang, lambda: structure_lines(e, space, structure)) for lang in LANGUAGES_IN_FILE}
        found: dict[str, Any] = {
            "built": self._built(e.id), "metrics": {n: round(v, 6) for n, v in e.metrics.items()},
            "reason": e.reason, "lines": lines, "curves": _curves(e),
            "parents": [self.evaluations[p].index for p in e.parents if p in self.evaluations],
            "undefined": {n: m.reason or "" for n, m in e.measures.items() if m.value is None},
        }  # fmt: skip
        try:
            found["graph"] = in_language(self.plan.language, lambda: network_drawing(space, e.architecture))
        except NasightError:  # an architecture that an edited space no longer builds is told in words
            found["graph"] = None
        return found

    def attribute(self, details: dict[str, Any], problem: Problem | None) -> None:
        """Add what networks look at, where that was asked for."""
        if problem is None or self.plan.attribution_seconds <= 0.0:
            return
        front = [at for at in self.wanted if self.ranking.on_front[at]]
        rest = [at for at in self.wanted if not self.ranking.on_front[at] and self.snapshot.eligible[at]]
        keys = [self.snapshot.ids[at] for at in [*front, *rest]]
        chosen = [self.evaluations[key] for key in keys if self.evaluations[key].weights is not None]

        def heard(done: int, of: int) -> None:
            self.told(0.6 + 0.35 * done / max(1, of), "step_attributions")

        found = importances(
            self.view, chosen, problem, seconds=self.plan.attribution_seconds, stop=self.stop, told=heard
        )  # fmt: skip
        for key, importance in found.items():
            details[str(self.snapshot.position(key))]["importance"] = importance

    def search(self) -> dict[str, Any]:
        """Return how the search went: hypervolume after each candidate, and what was done to it."""
        from nas_core.search import STRATEGIES

        curve = self.view.archive.hypervolume_curve()[: len(self.snapshot)]
        at = np.unique(np.linspace(0, max(0, len(curve) - 1), min(len(curve), VOLUME_POINTS)).astype(int))
        row = self.snapshot.floor()
        events = [e for e in self.view.store.events(self.view.run_id) if e.kind not in ("decision", "test_opened")]
        labels = {name: strategy.label for name, strategy in STRATEGIES.items()}
        history = {
            lang: in_language(lang, lambda: history_view(events, self.snapshot.objective, labels))
            for lang in LANGUAGES_IN_FILE
        }
        return {
            "volume": {"at": packed(at, "i4"), "value": packed(curve[at] if len(curve) else [], "f4"),
                       "floor": None if row is None else float(np.prod(1.0 - row))},
            "events": {lang: list(zip(h.evaluated, h.times, h.words))[::-1] for lang, h in history.items()},
        }  # fmt: skip

    def texts(self) -> dict[str, Any]:
        """Return the sentences, the names of measures and the decision in every language."""
        from nas_core.reports import record_html

        return {
            lang: {
                "words": replay_words(lang),
                "measures": {n: label for n, label in measure_words(lang).items() if n in self.snapshot.names},
                "decision": record_html(told_record(self.record, lang), decision_words(lang)),
            }
            for lang in LANGUAGES_IN_FILE
        }


def _curves(e: Evaluation) -> dict[str, list[float]]:
    """Return the learning curves, thinned to what can be seen; the last value is always there."""
    found = {}
    for name in ("train_loss", "valid_loss"):
        values = [v for v in e.curves.get(name, ()) if np.isfinite(v)]
        if values:
            at = np.unique(np.linspace(0, len(values) - 1, min(len(values), CURVE_POINTS)).astype(int))
            found[name] = [float(f"{values[i]:.4g}") for i in at]
            found["epochs"] = [len(values)]
    return found
