"""What is known of a model by how it was made, in place of what resampling would have to find out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas_core.errors import SettingsError

if TYPE_CHECKING:
    from nas_core.spaces.family import StructuralFacts

__all__ = ["ModelFacts", "closed_pairs", "known_facts"]


@dataclass(frozen=True)
class ModelFacts:
    """What is certain of a model; None where nothing is.

    Attributes:
        used: The features it depends on.
        pairs: Pairs of features that may act together; ``()`` says that it is a sum of effects of single features. The
            pairs are closed under transitivity when they are counted.
        monotone: The features whose effect cannot turn.
        operations: Multiply-adds and function evaluations (comparisons too) of one prediction by hand.
        most_operations: What ``operations`` is compared with: the most that would have been acceptable.
    """

    used: tuple[int, ...] | None = None
    pairs: tuple[tuple[int, int], ...] | None = None
    monotone: tuple[int, ...] | None = None
    operations: int | None = None
    most_operations: int | None = None

    @property
    def pair_count(self) -> int | None:
        """Number of pairs that are not additively separable, closed under transitivity; None when unknown."""
        return None if self.pairs is None else closed_pairs([((a,), (b,)) for a, b in self.pairs])


@dataclass(frozen=True)
class _Counted:
    """The same with pairs that are only counted, as of an architecture."""

    used: tuple[int, ...] | None
    pair_count: int | None
    monotone: tuple[int, ...] | None
    operations: int | None
    most_operations: int | None


def known_facts(facts: ModelFacts | StructuralFacts | None, features: int) -> ModelFacts | _Counted:
    """Return the facts about a model of P ``features``, those of an architecture as well.

    Raises:
        SettingsError: They name features that do not exist, or interactions of features that are not used.
    """
    if facts is None:
        return ModelFacts()
    if not isinstance(facts, ModelFacts):
        facts_of = _Counted(
            facts.used_features, facts.pairs, tuple(facts.certified), facts.operations, facts.max_operations
        )
        _check(facts_of.used or (), features)
        return facts_of
    paired = {j for pair in facts.pairs or () for j in pair}
    _check([*(facts.used or ()), *paired, *(facts.monotone or ())], features)
    if facts.used is not None and not paired <= set(facts.used):
        raise SettingsError(
            f"The facts pair the features {sorted(paired - set(facts.used))}, which they say are not used",
            allowed="pairs of used features",
            fix="correct used or pairs",
        )
    return facts


def _check(named: Sequence[int], features: int) -> None:
    wrong = sorted({j for j in named if not 0 <= j < features})
    if wrong:
        raise SettingsError(f"The facts name the features {wrong}", allowed=f"0 to {features - 1}", fix="correct them")


def closed_pairs(links: Sequence[tuple[Sequence[int], Sequence[int]]]) -> int:
    """Return the number of pairs in the connected groups of features, each link joining two sets of them."""
    group: dict[int, set[int]] = {}
    for one, other in links:
        joined = set(one) | set(other)
        for j in tuple(joined):
            joined |= group.get(j, set())
        for j in joined:
            group[j] = joined
    return sum(len(g) * (len(g) - 1) // 2 for g in {id(g): g for g in group.values()}.values())
