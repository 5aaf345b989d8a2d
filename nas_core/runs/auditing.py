"""The audit of a run: whether its front holds when everything that could be luck is done again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from nas_core.audit.confirm import Fresh, SeedSpread, judged_fresh, network_outputs
from nas_core.audit.eligibility import GuardCheck, guard_checks
from nas_core.audit.off_data import OffData, off_data_check
from nas_core.audit.random_control import random_control
from nas_core.audit.simulated_user import simulated_user_accuracy
from nas_core.audit.subgroups import Subgroups, subgroup_skills
from nas_core.audit.untrained import TwinRow, untrained_twin
from nas_core.errors import NasightError, SettingsError
from nas_core.evaluation.base import PackProgress, Stop
from nas_core.records import Estimate, Evaluation, Event, FiniteRecord, Measurement
from nas_core.runs.audit_words import candidate_caveats, run_caveats
from nas_core.runs.confirming import RunFront, front_chances, loader, other_seeds, run_front
from nas_core.store.base import Store

if TYPE_CHECKING:
    from nas_core.explanations.base import Candidate

__all__ = ["AUDIT_MEASURES", "AuditProgress", "CandidateAudit", "RunAudit", "audit_candidate", "audit_run"]

AUDIT_MEASURES: dict[str, tuple[str, Callable[..., Measurement]]] = {
    "simulated_user_accuracy": ("Simulated user", simulated_user_accuracy),
    "random_control": ("More faithful than random", random_control),
}
"""The measures that no search optimises, by name, with their labels."""
STEPS = ("front", "seeds", "candidates", "fresh")


@dataclass(frozen=True)
class AuditProgress:
    """How far an audit is.

    Attributes:
        step: front, seeds, candidates or fresh.
        done, total: Parts of that step.
        words: What is being done.
    """

    step: str
    done: float
    total: float
    words: str


class CandidateAudit(FiniteRecord):
    """What an audit found of one candidate; None where a part was not reached.

    Attributes:
        id, index: Which.
        performance, skill: As the search measured them.
        interpretability: Under the run's preference.
        front_probability: Share of resamples of the validation rows in which it is on the front.
        seeds: Trained again with other seeds.
        guards: What each guard says of it.
        subgroups: Its skill on parts of the rows.
        twin: Its measures beside those of the same network untrained.
        off_data: Whether it does on mixtures of rows what it does on data.
        audit_measures: Measures that no search optimises.
        caveats: What to be careful about, in sentences; empty when nothing was found.
    """

    id: str
    index: int
    performance: Estimate
    skill: Estimate | None
    interpretability: float
    front_probability: float | None = None
    seeds: SeedSpread | None = None
    guards: tuple[GuardCheck, ...] = ()
    subgroups: Subgroups | None = None
    twin: tuple[TwinRow, ...] = ()
    off_data: OffData | None = None
    audit_measures: dict[str, Measurement] = Field(default_factory=dict)
    caveats: tuple[str, ...] = ()


class RunAudit(FiniteRecord):
    """What an audit found of a run.

    Attributes:
        run_id, metric: Of which run, in which metric.
        seeds: Trainings with other seeds that were finished.
        resamples: Resamples of the validation rows.
        candidates: The front, the most accurate first.
        fresh: The front on the test part, where it was asked for.
        caveats: What to be careful about, in sentences.
        complete: False when it was cancelled; what it holds is right all the same.
        seconds: How long it took.
    """

    run_id: str
    metric: str
    seeds: int
    resamples: int
    candidates: tuple[CandidateAudit, ...]
    fresh: Fresh | None = None
    caveats: tuple[str, ...] = ()
    complete: bool = True
    seconds: float = 0.0


def audit_run(
    store: Store,
    run_id: str,
    *,
    seeds: int = 3,
    fresh: Literal["test"] | None = None,
    on_progress: Callable[[AuditProgress], None] | None = None,
    stop: Stop | None = None,
) -> RunAudit:
    """Return whether the front of a run holds: on other rows, with other seeds, for every subgroup, and unoptimised.

    Args:
        store: Where the run is kept.
        run_id: A run with at least one eligible candidate; it may still be searching.
        seeds: How many times the front is trained again; 0 to leave that out.
        fresh: ``test`` opens the test part. Do that once, when the search is over and nothing will be changed because
            of what it shows.
        on_progress: Told how far it is.
        stop: Ends it within a batch of training, or between two candidates; what was found is returned.

    Raises:
        SettingsError: Negative ``seeds``, or an unknown ``fresh``.
        StoreError: No such run.
        RunError: It has no candidate on a front.
        DataError: Its data cannot be read or have changed.

    Costs: ``seeds`` trainings of the front, and some seconds per candidate.
    """
    if seeds < 0:
        raise SettingsError(f"{seeds} other seeds", allowed="0 or more", fix="choose for example 3")
    if fresh not in (None, "test"):
        raise SettingsError(f"There are no fresh rows called {fresh!r}", allowed="test, or nothing", fix="write test")
    work = _Audit(store, run_front(store, run_id), stop or _Never(), on_progress or (lambda p: None))
    work.front_again()
    work.seeds_again(seeds)
    work.each_candidate()
    if fresh:
        work.on_fresh_rows()
    return work.result()


def audit_candidate(
    candidate: Candidate, evaluation: Evaluation, *, seed: int = 0, device: str = "auto"
) -> dict[str, Any]:
    """Return what is found of one candidate alone: guards, subgroups, twin, off_data, audit_measures by these names.

    A part that does not apply says why in its own words; nothing is left out silently.
    """
    problem = candidate.problem
    raw = problem.valid.raw
    return {
        "guards": guard_checks(candidate, evaluation, device=device),
        "subgroups": subgroup_skills(problem, network_outputs(candidate, raw), seed=seed),
        "twin": untrained_twin(problem, candidate.space, evaluation.architecture, evaluation.measures,
                               seed=evaluation.seed, device=device),
        "off_data": _off_data(candidate, seed),
        "audit_measures": {name: _taken(take, candidate, seed) for name, (_, take) in AUDIT_MEASURES.items()},
    }  # fmt: skip


@dataclass
class _Audit:
    """An audit at work: fields fill while it goes on, and it can be ended in between."""

    store: Store
    front: RunFront
    stop: Stop
    told: Callable[[AuditProgress], None]
    began: float = field(default_factory=time.perf_counter)
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    resamples: int = 0
    seeds: int = 0
    asked: int = 0
    fresh: Fresh | None = None
    missing: dict[str, str] = field(default_factory=dict)
    complete: bool = True

    def __post_init__(self) -> None:
        self.found = {e.id: {} for e in self.front.front}
        self.load = loader(self.store, self.front)

    def front_again(self) -> None:
        """Draw the validation rows again."""
        if self._ended("front", 0, 1, "Drawing the validation rows again"):
            return
        chances = front_chances(self.store, self.front)
        self.resamples = chances.resamples
        self.missing |= chances.missing
        for key, fields in self.found.items():
            fields["front_probability"] = chances.chances.get(key)

    def seeds_again(self, seeds: int) -> None:
        """Train the front again with other seeds."""
        self.asked = seeds
        if not seeds or self._ended("seeds", 0, seeds, f"Training the front again, seed 1 of {seeds}"):
            return

        def heard(number: int, p: PackProgress) -> None:
            share = p.epoch / p.epochs if p.epochs else 0.0
            words = f"Training {p.size} candidates again, seed {number + 1} of {seeds}, epoch {p.epoch}"
            self.told(AuditProgress("seeds", number + min(share, 1.0), seeds, words))

        self.seeds, spreads = other_seeds(
            self.front, self.front.front, seeds=seeds, stop=self.stop, on_progress=heard
        )  # fmt: skip
        for key, spread in spreads.items():
            self.found[key]["seeds"] = spread

    def each_candidate(self) -> None:
        """Look at every candidate by itself."""
        total = len(self.front.front)
        for number, e in enumerate(self.front.front):
            if self._ended("candidates", number, total, f"Looking at candidate {number + 1} of {total}"):
                return
            try:
                candidate = self.load(e.id)
            except NasightError as error:
                self.missing[e.id] = str(error)
                continue
            self.found[e.id] |= audit_candidate(candidate, e, device=self.front.device)

    def on_fresh_rows(self) -> None:
        """Open the test part."""
        if self._ended("fresh", 0, 1, "Predicting the test part"):
            return
        part = self.front.problem.open_test()
        payload = {"candidates": [e.id for e in self.front.front]}
        self.store.note(self.front.record.id, [Event(kind="test_opened", time=time.time(), payload=payload)])
        known = [e for e in self.front.front if e.id not in self.missing]
        outputs = {e.id: network_outputs(self.load(e.id), part.raw) for e in known}
        sound = {key: f for key, f in outputs.items() if np.isfinite(f).all()}
        self.fresh = judged_fresh(self.front.problem, part, sound, self.front.front, self.front.preference)

    def result(self) -> RunAudit:
        """Return what was found."""
        front = self.front
        self.complete = self.complete and not (self.asked and self.seeds < self.asked)
        candidates = []
        for e in front.front:
            assert e.performance is not None  # only eligible candidates are on a front
            made = CandidateAudit(
                id=e.id, index=e.index, performance=e.performance, skill=e.skill,
                interpretability=front.interpretability[e.id], **self.found[e.id],
            )  # fmt: skip
            caveats = candidate_caveats(made, front.problem.objective.label, self.missing.get(e.id, ""))
            candidates.append(made.model_copy(update={"caveats": caveats}))
        audit = RunAudit(
            run_id=front.record.id, metric=front.problem.objective.label, seeds=self.seeds, resamples=self.resamples,
            candidates=tuple(candidates), fresh=self.fresh, complete=self.complete,
            seconds=time.perf_counter() - self.began,
        )  # fmt: skip
        return audit.model_copy(update={"caveats": run_caveats(audit, self.asked, front.record.state)})

    def _ended(self, step: str, done: float, total: float, words: str) -> bool:
        """Tell what comes next, unless the audit was ended."""
        if self.stop.is_set():
            self.complete = False
            return True
        self.told(AuditProgress(step, done, total, words))
        return False


class _Never:
    """A stop signal that nobody sets."""

    def is_set(self) -> bool:
        return False


def _taken(take: Callable[..., Measurement], candidate: Candidate, seed: int) -> Measurement:
    """Return one of the measures that no search optimises, or why it cannot be taken."""
    try:
        return take(candidate, seed=seed)
    except NasightError as error:
        return Measurement(reason=str(error))


def _off_data(candidate: Candidate, seed: int) -> OffData:
    """Return whether a network of a table does on mixtures what it does on data; of signals, why that is not asked."""
    problem = candidate.problem
    if problem.dataset.signal is not None:
        reason = "Mixtures of whole images, series or texts are too far from data for trees to compare"
        return OffData(reason=reason, words=f"{reason}.")
    predict, rows = (lambda rows: network_outputs(candidate, rows)), problem.valid.raw
    return off_data_check(predict, rows, known=problem.train.raw, seed=seed)
