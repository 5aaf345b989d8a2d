"""Warm starts: what earlier runs on data of the same shape found, to begin a new one with.

A run begins with architectures of their fronts, spread from the most accurate to the most interpretable, and with
hints: a feature that a front used more often than its run tried it is drawn more often. What was derived is part of
the new run's settings, so the earlier runs may be deleted, and a resume asks for the same candidates.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.errors import SettingsError
from nas_core.objectives import recorded_objective
from nas_core.preferences import STRUCTURE_MEASURES
from nas_core.records import Architecture, Evaluation, Event, Proposal, RunRecord, derive_seed
from nas_core.runs.settings import RunSettings
from nas_core.search.archive import Archive
from nas_core.search.fronts import exclusive_volume, non_dominated
from nas_core.search.snapshot import SEARCH_MEASURES, Snapshot
from nas_core.spaces.space import SearchSpace

if TYPE_CHECKING:
    from nas_core.data.hints import Hints
    from nas_core.data.problem import Problem
    from nas_core.store.base import Store

__all__ = ["FittingRun", "WarmStart", "fitting_runs", "hints_of", "misfit", "spread", "usage_bonus", "warm_start"]

STARTS = 16
"""Architectures that a warm start takes, from all runs together: few, as other rows may say otherwise."""

BLEND = 0.5
"""How far a hint may be raised towards that of the most relevant feature."""

PRIOR = 8.0
"""Members that a front must have to be believed by half."""


@dataclass(frozen=True)
class FittingRun:
    """An earlier run that a new one can start from.

    Attributes:
        record: The run.
        same_data: Whether it is on exactly the same data, not only on data of the same shape.
    """

    record: RunRecord
    same_data: bool

    @property
    def sentence(self) -> str:
        """The run in words."""
        r = self.record
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(r.created))
        data = "the same data" if self.same_data else "other rows with the same columns"
        if r.space.get("signal") and not self.same_data:
            data = "other data of the same shape"
        return f"{r.name}, {when}: {int(r.progress.get('evaluated', 0)):,} candidates on {data}"


@dataclass(frozen=True)
class WarmStart:
    """What earlier runs give to a new one.

    Attributes:
        runs: Their ids.
        proposals: Architectures of their fronts, valid in the new space, each once.
        relevance: (P,) in [0, 1], how far the hints on the features of a table are raised; empty for signals.
        notes: What was changed or left out, in words.
    """

    runs: tuple[str, ...]
    proposals: tuple[Proposal, ...]
    relevance: tuple[float, ...]
    notes: tuple[str, ...]

    @property
    def event(self) -> Event:
        """What the log of the new run says."""
        payload = {"runs": list(self.runs), "candidates": len(self.proposals), "notes": list(self.notes)}
        return Event(kind="warm", time=time.time(), payload=payload)

    def settled(self, settings: RunSettings) -> RunSettings:
        """Return the settings of the new run, which hold what was derived."""
        return settings.model_copy(update={"warm": self.runs, "warm_relevance": self.relevance})


def fitting_runs(store: Store, problem: Problem, space: SearchSpace) -> list[FittingRun]:
    """Return the earlier runs on data of the same shape, the newest first.

    The same shape: family, task, outputs, and the features by name and kind, or the shape of the signal. The order of
    the columns of a table does not matter. A run without a candidate fits nothing.
    """
    return [
        FittingRun(record, record.data_hash == problem.spec.data_hash)
        for record in store.runs()
        if int(record.progress.get("evaluated", 0)) and not misfit(record, problem.spec.classes > 0, space)
    ]


def misfit(record: RunRecord, classification: bool, space: SearchSpace) -> str:
    """Return why a run is no start for a search of ``space``; "" when it is one."""
    theirs = record.space
    task = "classification" if int(record.problem.get("classes", 0)) else "regression"
    if theirs.get("family") != space.family:
        return f"it searched the family {theirs.get('family')!r}, this is {space.family!r}"
    if (task == "classification") is not classification or theirs.get("outputs", 1) != space.outputs:
        return f"its task is {task} with {theirs.get('outputs', 1)} outputs"
    if space.signal is not None:
        ours, shape = space.signal.model_dump(mode="json"), theirs.get("signal") or {}
        if any(shape.get(name) != ours[name] for name in ("modality", "shape", "cell", "padded")):
            return f"its data have the shape {shape.get('shape')}, these {ours['shape']}"
        return "" if bool(shape.get("vocabulary")) == bool(ours["vocabulary"]) else "one is of words, the other is not"
    known = {f["name"]: f["kind"] for f in theirs.get("features", ())}
    wanted = {f.name: f.kind for f in space.features}
    if known == wanted:
        return ""
    apart = sorted(set(known.items()) ^ set(wanted.items()))
    return f"its features differ, in {apart[0][0]!r} for example"


def warm_start(
    store: Store, run_ids: Sequence[str], problem: Problem, space: SearchSpace, n: int = STARTS
) -> WarmStart:
    """Return what the runs give to a search of ``space``: ``n`` architectures at most, and hints.

    Architectures are taken in turn from the runs; one that is not valid in the new space is repaired where that is
    possible. The same call gives the same result.

    Raises:
        StoreError: No such run.
        SettingsError: A run is on data of another shape, or found nothing that predicts.
    """
    runs = tuple(dict.fromkeys(run_ids))
    shares, bonuses, notes = [], [], []
    for run_id in runs:
        record = store.run(run_id)
        if reason := misfit(record, problem.spec.classes > 0, space):
            raise SettingsError(
                f"The run {run_id} is no start for this search: {reason}",
                allowed="runs with the same family, task and features",
                fix="choose another run; `nasight runs` lists them",
            )
        evaluations = {e.id: e for e in store.evaluations(run_id)}
        snapshot = _snapshot(record, list(evaluations.values()))
        wish = RunSettings.model_validate(record.settings).preference
        front = spread(snapshot, snapshot.rank(wish).losses, n)
        if not front:
            raise SettingsError(
                f"The run {run_id} has nothing to start from: no candidate predicts better than ignoring the inputs",
                allowed="a run with candidates on its front", fix="choose another run",
            )  # fmt: skip
        home = SearchSpace.model_validate(record.space)
        members = [evaluations[snapshot.ids[at]] for at in front]
        found, said = _moved(members, home, space, run_id)
        shares.append(found)
        notes += said
        if space.signal is None:
            bonuses.append(_bonus(list(evaluations.values()), snapshot, home, space))
    proposals = _in_turn(shares, n)
    relevance = tuple(round(float(b), 6) for b in np.mean(bonuses, axis=0)) if bonuses else ()
    return WarmStart(runs, tuple(proposals), relevance, tuple(notes))


def hints_of(problem: Problem, settings: RunSettings) -> Hints | None:
    """Return the hints of a run: those of its data, raised where earlier runs say so.

    relevance' = relevance + ½ · bonus · (largest relevance − relevance). Nothing is lowered and nothing passes the most
    relevant feature, so an earlier run can make features more likely and cannot exclude any.
    """
    hints, bonus = problem.hints, np.asarray(settings.warm_relevance)
    if hints is None or len(bonus) != len(hints.relevance):
        return hints
    top = float(hints.relevance.max(initial=0.0)) or 1.0
    raised = hints.relevance + BLEND * bonus.clip(0.0, 1.0) * (top - hints.relevance)
    raised.setflags(write=False)
    return replace(hints, relevance=raised)


def usage_bonus(on_front: np.ndarray, everywhere: np.ndarray) -> np.ndarray:
    """Return (P,) in [0, 1]: how much more often the members of a front use each feature than all candidates do.

    With F members, of which the share a uses a feature, and the share s of all candidates:
    (a − s) / (1 − s) · F / (F + 8), 0 where that is negative: that a front left it out counts against no feature. A
    small front says little.

    Args:
        on_front: (F, P) bool, F ≥ 1, which features each member uses.
        everywhere: (N, P) the same of all candidates.
    """
    share = everywhere.mean(axis=0)
    excess = (on_front.mean(axis=0) - share) / np.maximum(1.0 - share, 1e-9)
    return (excess * len(on_front) / (len(on_front) + PRIOR)).clip(0.0, 1.0)


def spread(snapshot: Snapshot, ranked: np.ndarray, n: int) -> list[int]:
    """Return ``n`` positions of the front at most: the most accurate, the most interpretable, then what adds most.

    The front is that of performance against interpretability together with that of the search losses. After its two
    ends, the next is always the one that adds most hypervolume to those chosen (greedy subset selection, Guerreiro,
    Fonseca and Paquete 2016, 10.1162/EVCO_a_00188; at least 63 % of the best possible). Contributions only shrink, so
    few are worked out again.

    Args:
        snapshot: What a run found.
        ranked: (n, 2) performance loss and interpretability loss.
        n: How many.
    """
    losses = snapshot.losses()
    front = np.flatnonzero(non_dominated(ranked) | non_dominated(losses))
    if not len(front):
        return []
    points, corner = losses[front], np.ones(losses.shape[1])
    ends = [np.lexsort((ranked[front, second], ranked[front, first]))[0] for first, second in ((0, 1), (1, 0))]
    chosen = list(dict.fromkeys(int(end) for end in ends))[:n]
    waiting = [(-np.inf, at, 0) for at in range(len(front)) if at not in chosen]  # gain, who, chosen when it was found
    heapify(waiting)
    while waiting and len(chosen) < n:
        _, at, known = heappop(waiting)
        if known == len(chosen):
            chosen.append(at)
        else:
            gain = exclusive_volume(points[at], points[chosen], corner)
            heappush(waiting, (-gain, at, len(chosen)))
    return [int(front[c]) for c in chosen]


def _snapshot(record: RunRecord, evaluations: Sequence[Evaluation]) -> Snapshot:
    """Return what a run found, as columns."""
    names = tuple(record.problem.get("measures") or STRUCTURE_MEASURES)
    search = tuple(record.problem.get("search_measures") or SEARCH_MEASURES)
    archive = Archive(recorded_objective(record.problem), names, baseline=record.baseline, search=search)
    return archive.add(evaluations)


def _moved(
    members: Sequence[Evaluation], home: SearchSpace, space: SearchSpace, run_id: str
) -> tuple[list[Proposal], list[str]]:
    """Return the members as proposals in ``space``, and what had to be changed or left out."""
    found, repaired, lost = [], 0, 0
    for member in members:
        renamed = _renamed(member.architecture, home, space)
        fitting = space.refit(renamed, np.random.default_rng(derive_seed("warm start", member.id)))
        if fitting is None:
            lost += 1
            continue
        repaired += fitting != renamed
        found.append(Proposal(architecture=fitting, operator=f"warm start: {run_id}"))
    notes = []
    if repaired:
        notes.append(f"{repaired} of {len(members)} architectures of {run_id} were changed to fit this space")
    if lost:
        notes.append(f"{lost} of {len(members)} architectures of {run_id} do not fit this space and were left out")
    return found, notes


def _renamed(architecture: Architecture, home: SearchSpace, space: SearchSpace) -> Architecture:
    """Return the architecture with the features of a table numbered as in ``space``."""
    names = [f.name for f in home.features]
    if space.signal is not None or names == [f.name for f in space.features]:
        return architecture
    place = _places(home, space)
    values: dict[str, Any] = dict(architecture.values)
    groups = [{**g, "features": [place[j] for j in g["features"]]} for g in values["groups"]]
    marks = {str(place[int(j)]): sign for j, sign in values["marks"].items()}
    known = space.by_name
    moved = {**values, "groups": known["groups"].tidy(groups), "marks": known["marks"].tidy(marks)}
    return Architecture(family=architecture.family, values=moved)


def _places(home: SearchSpace, space: SearchSpace) -> list[int]:
    """Return where each feature of ``home`` is in ``space``."""
    at = {f.name: j for j, f in enumerate(space.features)}
    return [at[f.name] for f in home.features]


def _bonus(evaluations: list[Evaluation], snapshot: Snapshot, home: SearchSpace, space: SearchSpace) -> np.ndarray:
    """Return the bonus (P,) of each feature of ``space``."""
    place = _places(home, space)
    used = np.zeros((len(evaluations), len(place)), dtype=bool)
    row = {}
    for at, e in enumerate(evaluations):
        row[e.id] = at
        for group in e.architecture.values["groups"]:
            used[at, [place[j] for j in group["features"]]] = True
    front = [row[snapshot.ids[at]] for at in np.flatnonzero(non_dominated(snapshot.losses()))]
    return usage_bonus(used[front], used)


def _in_turn(shares: Sequence[Sequence[Proposal]], n: int) -> list[Proposal]:
    """Return up to ``n`` proposals, taken from each run in turn, each architecture once."""
    chosen: dict[str, Proposal] = {}
    for turn in range(max(map(len, shares), default=0)):
        for share in shares:
            if turn < len(share) and len(chosen) < n:
                chosen.setdefault(share[turn].architecture.id, share[turn])
    return list(chosen.values())
