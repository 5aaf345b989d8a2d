"""What a view of a run needs of its candidates, as plain columns: read in bulk, without curves, metrics and weights.

An :class:`~nas_core.records.Evaluation` is a tree of some sixty validated objects. Ten thousand of them take seconds to
build and hundreds of megabytes to hold, when all that a picture of a run asks for is a few numbers of each. Here these
numbers are arrays, and an architecture stays the text it was stored as until somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np
from pydantic_core import from_json

from nas_core.records import Architecture, Estimate, Evaluation, Measurement, Status

__all__ = ["FIELDS", "NUMBERS", "SCORES", "Summaries", "Summary", "summaries_of", "summaries_of_texts"]

FIELDS = ("status", "reason", "operator", "origin", "inherited", "space", "parents")
"""What is read of each candidate beside its numbers."""
NUMBERS = ("performance", "performance_low", "performance_high", "skill",
           "parameters", "operations", "seconds", "finished")  # fmt: skip
"""The numbers of each candidate, NaN where there is none."""
PLACES = (("performance", "value"), ("performance", "low"), ("performance", "high"), ("skill", "value"),
          ("cost", "parameters"), ("cost", "operations"), ("cost", "seconds"), ("finished",))  # fmt: skip
"""Where each of :data:`NUMBERS` stands in the record of an evaluation."""
SCORES = ("value", "low", "high", "raw")
"""The numbers of each measure."""


@dataclass(frozen=True)
class Summaries:
    """What is known of n candidates, in the order of their index.

    Attributes:
        ids, status, reason, operator, origin, inherited, space, parents, revision, index: As in
            :class:`~nas_core.records.Evaluation`, one for each candidate.
        architectures: What was built; the JSON text of an architecture until it is asked for.
        numbers: (n, 8) the :data:`NUMBERS`, NaN where there is none.
        names: The measures that were asked for, M of them.
        scores: (n, M, 4) value, low, high and raw of each measure, NaN where there is none.
    """

    ids: tuple[str, ...]
    index: np.ndarray = field(repr=False)
    revision: np.ndarray = field(repr=False)
    status: tuple[Status, ...] = field(repr=False)
    reason: tuple[str, ...] = field(repr=False)
    operator: tuple[str, ...] = field(repr=False)
    origin: tuple[str, ...] = field(repr=False)
    inherited: tuple[str, ...] = field(repr=False)
    space: tuple[int, ...] = field(repr=False)
    parents: tuple[tuple[str, ...], ...] = field(repr=False)
    architectures: tuple[str | Architecture, ...] = field(repr=False)
    numbers: np.ndarray = field(repr=False)
    names: tuple[str, ...]
    scores: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def eligible(self) -> np.ndarray:
        """Which candidates (n,) may enter a front, see :attr:`~nas_core.records.Evaluation.eligible`."""
        done = np.fromiter((s is Status.DONE for s in self.status), bool, len(self))
        return done & ~np.isnan(self.numbers[:, 0])

    def architecture(self, at: int) -> Architecture:
        """Return what was built as one candidate."""
        known = self.architectures[at]
        if isinstance(known, Architecture):
            return known
        built = Architecture.model_validate_json(known)
        built.__dict__["id"] = self.ids[at]  # what the property would work out again
        return built

    def take(self, positions: Sequence[int]) -> Summaries:
        """Return the candidates at ``positions``, in that order."""
        if len(positions) == len(self) and all(at == given for at, given in enumerate(positions)):
            return self
        lists, rows = ("ids", *FIELDS, "architectures"), np.asarray(positions, dtype=int)
        chosen: dict[str, Any] = {name: tuple(getattr(self, name)[at] for at in positions) for name in lists}
        chosen |= {name: getattr(self, name)[rows] for name in ("index", "revision", "numbers", "scores")}
        return Summaries(names=self.names, **chosen)

    def rows(self) -> list[Summary]:
        """Return the candidates one by one."""
        return list(map(Summary, repeat(self), range(len(self))))


class Summary:
    """One candidate of :class:`Summaries`, as a row: what an evaluation says, short of what was not read."""

    __slots__ = ("_at", "_of")

    def __init__(self, of: Summaries, at: int) -> None:
        self._of, self._at = of, at

    @property
    def id(self) -> str:
        """Identity of the architecture."""
        return self._of.ids[self._at]

    @property
    def index(self) -> int:
        """Running number."""
        return int(self._of.index[self._at])

    @property
    def revision(self) -> int:
        """Revision of the run that it came with."""
        return int(self._of.revision[self._at])

    @property
    def status(self) -> Status:
        """How the evaluation ended."""
        return self._of.status[self._at]

    @property
    def reason(self) -> str:
        """Why, where it did not end well."""
        return self._of.reason[self._at]

    @property
    def operator(self) -> str:
        """What made it."""
        return self._of.operator[self._at]

    @property
    def origin(self) -> str:
        """Who proposed it: ``strategy`` or ``manual``."""
        return self._of.origin[self._at]

    @property
    def inherited(self) -> str:
        """Identity of the candidate whose weights its training began from; empty: from its own."""
        return self._of.inherited[self._at]

    @property
    def space(self) -> int:
        """Version of the search space that it was proposed in."""
        return self._of.space[self._at]

    @property
    def parents(self) -> tuple[str, ...]:
        """Identities of its parents."""
        return self._of.parents[self._at]

    @property
    def eligible(self) -> bool:
        """Whether it may enter a front."""
        return bool(self._of.eligible[self._at])

    @property
    def architecture(self) -> Architecture:
        """What was built; read from its text at each call."""
        return self._of.architecture(self._at)

    @property
    def performance(self) -> Estimate | None:
        """Performance with its interval."""
        value, low, high = self._of.numbers[self._at, :3].tolist()
        return None if value != value else Estimate(value=value, low=low, high=high)

    @property
    def operations(self) -> int:
        """Operations of one prediction."""
        return int(self._of.numbers[self._at, 5])

    def score(self, measure: str) -> float:
        """Return the value of one of the measures that were read, NaN where it is undefined or was not read."""
        names = self._of.names
        return float(self._of.scores[self._at, names.index(measure), 0]) if measure in names else float("nan")


def summaries_of(evaluations: Sequence[Evaluation], names: Sequence[str]) -> Summaries:
    """Return the summaries of evaluations, in their order: the slow twin of reading them from a database.

    Args:
        evaluations: n of them.
        names: The measures that count.
    """
    nan = float("nan")

    def numbers(e: Evaluation) -> list[float]:
        p, cost = e.performance, e.cost
        own = [nan, nan, nan] if p is None else [p.value, p.low, p.high]
        return [*own, nan if e.skill is None else e.skill.value, cost.parameters, cost.operations, cost.seconds,
                e.finished]  # fmt: skip

    def score(m: Measurement | None) -> list[float]:
        found = [None] * 4 if m is None else [m.value, m.low, m.high, m.raw]
        return [nan if value is None else value for value in found]

    texts: dict[str, Any] = {name: tuple(getattr(e, name) for e in evaluations) for name in FIELDS}
    return Summaries(
        ids=tuple(e.id for e in evaluations),
        index=np.array([e.index for e in evaluations], dtype=np.int64),
        revision=np.array([e.revision for e in evaluations], dtype=np.int64),
        architectures=tuple(e.architecture for e in evaluations),
        numbers=np.array([numbers(e) for e in evaluations], dtype=float).reshape(-1, len(NUMBERS)),
        names=tuple(names),
        scores=np.array([[score(e.measures.get(name)) for name in names] for e in evaluations], dtype=float).reshape(
            len(evaluations), len(names), len(SCORES)
        ),
        **texts,
    )


def summaries_of_texts(
    keys: Sequence[tuple[str, int, int]],
    architectures: Sequence[str],
    heads: Iterable[str],
    measures: Sequence[Iterable[str]],
    names: Sequence[str],
) -> Summaries:
    """Return the summaries of n candidates from the JSON texts of lists that a database picked out of their records.

    Args:
        keys: Identity, index and revision of each.
        architectures: The text of each architecture.
        heads: For each the :data:`FIELDS`, then the :data:`NUMBERS`.
        measures: Parts of the measures in their order, and of each part for every candidate the :data:`SCORES` of its
            measures, one after the other.
        names: The measures.

    Raises:
        ValueError: A text is not what it should be.
    """
    count, width = len(keys), len(FIELDS)
    told = from_json(f"[{','.join(heads)}]", cache_strings="all")
    if any(len(head) != width + len(NUMBERS) for head in told):
        raise ValueError("a field is missing")
    columns = list(zip(*told)) if told else [()] * (width + len(NUMBERS))
    status, *others, space, parents = columns[:width]
    if not all(type(text) is str for column in others for text in column):
        raise ValueError("a text is missing")
    if not all(type(number) is int for number in space) or not all(type(text) is str for text in architectures):
        raise ValueError("a version or an architecture is missing")
    known = {str(s): s for s in Status}
    numbers = np.array(list(zip(*columns[width:])), dtype=float).reshape(count, len(NUMBERS))
    if np.isnan(numbers[:, 4:]).any():
        raise ValueError("a cost is missing")
    parts = [np.array(from_json(f"[{','.join(part)}]"), dtype=float).reshape(count, -1) for part in measures]
    scores = np.concatenate(parts, axis=1) if parts else np.zeros((count, 0))
    reason, operator, origin, inherited = others
    try:
        statuses = tuple(map(known.__getitem__, status))
    except (KeyError, TypeError) as error:
        raise ValueError(f"no status: {error}") from error
    ids, index, revision = zip(*keys) if keys else ((), (), ())
    found = Summaries(
        ids=tuple(ids),
        index=np.array(index, dtype=np.int64),
        revision=np.array(revision, dtype=np.int64),
        status=statuses,
        reason=reason,
        operator=operator,
        origin=origin,
        inherited=inherited,
        space=space,
        parents=tuple(map(tuple, parents)),
        architectures=tuple(architectures),
        numbers=numbers,
        names=tuple(names),
        scores=scores.reshape(count, len(names), len(SCORES)),
    )
    return found.take(sorted(range(count), key=lambda at: (index[at], ids[at])))
