"""What the search is explained from: the candidates that count, and what each of them answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nas_core.errors import SettingsError
from nas_core.insight.aims import Aim, aim_of
from nas_core.insight.facets import Facet, facets_of
from nas_core.store.uncollected import uncollected

if TYPE_CHECKING:
    from nas_core.records import Architecture, Evaluation
    from nas_core.search import Ranking, Snapshot
    from nas_core.spaces import SearchSpace
    from nas_core.store.summaries import Summary

__all__ = ["FEWEST", "MOST", "Material", "gather"]

FEWEST = 30
"""Eligible candidates below which nothing is said."""
MOST = 2000
"""Candidates that are looked at; of more, as many drawn at random."""


class Architectures(Mapping[str, "Architecture"]):
    """The architectures of candidates by identity, each read when it is asked for."""

    def __init__(self, candidates: Mapping[str, Evaluation | Summary]) -> None:
        self._candidates = candidates

    def __getitem__(self, key: str) -> Architecture:
        return self._candidates[key].architecture

    def __contains__(self, key: object) -> bool:
        return key in self._candidates

    def __iter__(self) -> Iterator[str]:
        return iter(self._candidates)

    def __len__(self) -> int:
        return len(self._candidates)


@dataclass(frozen=True)
class Material:
    """The n candidates of a run that are looked at.

    Attributes:
        snapshot: What the run had found.
        space: Its search space, the version in force.
        architectures: Those of all candidates that were read, by identity.
        at: (n,) their positions in the snapshot, ascending.
        facets: What they decided, question by question, where they differ.
        constant: The questions that all answered alike.
        eligible: How many candidates could be looked at; more than n when some were drawn.
        left_out: How many could not: failed, ineligible, stopped early.
    """

    snapshot: Snapshot = field(repr=False)
    space: SearchSpace = field(repr=False)
    architectures: Mapping[str, Architecture] = field(repr=False)
    at: np.ndarray = field(repr=False)
    facets: tuple[Facet, ...]
    constant: tuple[str, ...]
    eligible: int
    left_out: int

    def __len__(self) -> int:
        return len(self.at)

    @property
    def missing(self) -> int:
        """How many more eligible candidates are needed before anything is said."""
        return max(0, FEWEST - self.eligible)

    @property
    def sampled(self) -> bool:
        """Whether only a part of the eligible candidates is looked at."""
        return len(self.at) < self.eligible

    @property
    def ids(self) -> tuple[str, ...]:
        """The identities of the n candidates."""
        return tuple(self.snapshot.ids[at] for at in self.at)

    def aim(self, name: str, ranking: Ranking) -> Aim:
        """Return one aim of the n candidates; see :func:`~nas_core.insight.aims.aim_of`."""
        return aim_of(name, self.snapshot, ranking).rows(self.at)

    def facet(self, key: str) -> Facet:
        """Return one facet.

        Raises:
            SettingsError: No such facet, or everybody answered it alike.
        """
        for facet in self.facets:
            if facet.key == key:
                return facet
        known = ", ".join(f.key for f in self.facets)
        raise SettingsError(f"No choice {key!r} varies among these candidates", allowed=known, fix="choose one of them")


def gather(
    snapshot: Snapshot,
    evaluations: Sequence[Evaluation | Summary],
    space: SearchSpace,
    *,
    most: int = MOST,
    seed: int = 0,
) -> Material:
    """Return the candidates that count: eligible, trained to the end, of the family of ``space``.

    Those stopped early are left out like failed ones: what they would have reached is not known.

    Args:
        snapshot: What was found.
        evaluations: The same candidates, with their architectures; those that are missing are left out.
        space: The version of the space in force.
        most: How many are looked at; of more, as many are drawn at random.
        seed: Decides which.
    """
    from nas_core.records import Status

    keys, known = space.by_name.keys(), {e.id: e for e in evaluations if snapshot.position(e.id) is not None}
    with uncollected():
        fits = {e.id: (a := e.architecture).family == space.family and a.values.keys() == keys for e in known.values()}
    fitting = Architectures({name: e for name, e in known.items() if fits[name]})
    ended = np.array([s is Status.DONE for s in snapshot.status], dtype=bool)
    counts = snapshot.eligible & ended & np.array([name in fitting for name in snapshot.ids], dtype=bool)
    at = np.flatnonzero(counts)
    eligible = len(at)
    if eligible > most:
        at = np.sort(np.random.default_rng(seed).choice(at, most, replace=False))
    facets, constant = facets_of(space, [fitting[snapshot.ids[i]] for i in at]) if eligible >= FEWEST else ((), ())
    return Material(snapshot, space, fitting, at, facets, constant, eligible, len(snapshot) - eligible)
