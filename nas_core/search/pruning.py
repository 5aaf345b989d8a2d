"""What a search could do without: options that were tried often and never helped, with the evidence.

A choice is proposed for removal when none of the candidates that have it is on the front, taking them all away leaves
the hypervolume as it is, and fewer of them are among the best than their number would explain. *The best* are the front
and, for each λ of a grid, the tenth of the candidates that ranks first there: whoever would be of use to anybody.

The test is exact: n of N candidates have the choice, K of N are among the best; were the two unrelated, k or fewer of
the n would be among the best with the probability that the hypergeometric distribution says. Holm's correction counts
all choices that were looked at, so that fewer than one search in twenty proposes anything where nothing matters.

The test takes candidates for unrelated, and those of a strategy that breeds are not: a child has most of its choices
from its parents, so one that happened to be missing in a good family is missing in all its descendants. Therefore only
candidates none of whose parents has the choice are counted: those that came to it anew, beside those that did not. And
children are compared with children. (With an option that does nothing at all, NSGA-II gave p < .05 for 21 % of the
choices when everybody counted, and for 2 % this way; random search for 4 % either way.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nas_core.errors import SpaceError
from nas_core.preferences import Preference
from nas_core.records import Architecture, Evaluation, Status
from nas_core.search.fronts import hypervolume
from nas_core.search.snapshot import Snapshot
from nas_core.spaces.choices import Choice, choices_of, forbid
from nas_core.spaces.option_lists import Frame, option_lists
from nas_core.spaces.space import SearchSpace
from nas_core.store.summaries import Summary
from nas_core.store.uncollected import uncollected

__all__ = ["Removal", "best_candidates", "chance_of_so_few", "holm", "removable"]

FEWEST = 12
"""Candidates that must have come to a choice anew, and that must not have, before it is looked at."""

SIGNIFICANT = 0.05
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The λ at which the best are counted."""

SHARE = 0.1


@dataclass(frozen=True)
class Removal:
    """A choice that could go, and why.

    Attributes:
        choice: What could be forbidden.
        tried: How many candidates that were trained to the end have it; none of them is on the front.
        anew: n, those of them none of whose parents has it.
        among_best: k, how many of these are among the best.
        expected: How many of them chance would put there.
        best: How many of all candidates are among the best.
        p: Probability of so few by chance, corrected for all choices that were looked at.
        hypervolume: That of all candidates, and that of those without the choice: the same.
    """

    choice: Choice
    tried: int
    anew: int
    among_best: int
    expected: float
    best: int
    p: float
    hypervolume: float

    @property
    def sentence(self) -> str:
        """The evidence for a person."""
        k, among = self.among_best or "none", f"among the best {self.best:,}"
        if self.anew == self.tried:
            counted = f"{k} of them {'are' if self.among_best > 1 else 'is'} {among}"
        else:
            counted = (
                f"of the {self.anew:,} that did not inherit it {k} {'are' if self.among_best > 1 else 'is'} {among}"
            )
        return (
            f"{self.choice}: tried {self.tried:,} times, never on the front; {counted}, chance would give "
            f"{_short(self.expected)} (p {_p_value(self.p)}). Without it the hypervolume is the same: "
            f"{_dotted(f'{self.hypervolume:.3f}')}."
        )


def removable(
    snapshot: Snapshot, evaluations: Sequence[Evaluation | Summary], space: SearchSpace, preference: Preference
) -> list[Removal]:
    """Return what the search could do without, the surest first; costs O(candidates × choices).

    Args:
        snapshot: What was found.
        evaluations: The same candidates, with architectures and parents; those that are missing are left aside.
        space: The space as it is now: only what it leaves open is looked at.
        preference: What interpretability is made of; its λ does not matter.
    """
    known = {e.id: e for e in evaluations}
    looked = np.array(
        [at for at, key in enumerate(snapshot.ids) if key in known and _complete(snapshot, at)], dtype=int
    )
    if len(looked) < 2 * FEWEST:
        return []
    with uncollected():
        people = [known[snapshot.ids[at]] for at in looked]
        built = [e.architecture for e in people]
    best, front = (mask[looked] for mask in best_candidates(snapshot, preference))
    choices, held = _held(built, space)
    inherited, children = _inherited(people, held)
    anew = held & ~inherited
    counted, others = anew.sum(axis=0), (~held & ~inherited).sum(axis=0)
    worth = np.flatnonzero((counted >= FEWEST) & (others >= FEWEST))
    tests = [_Test.of(anew[:, c], best, children, ~inherited[:, c]) for c in worth]
    corrected = holm(np.array([test.p for test in tests]))
    losses, floor = snapshot.losses()[looked], snapshot.floor()
    whole, members = _volume(losses, floor), [built[at] for at in np.flatnonzero(front)]
    found = []
    for c, test, p in sorted(zip(worth, tests, corrected.tolist()), key=lambda looked: looked[2]):
        has = held[:, c]
        if p >= SIGNIFICANT or (has & front).any() or _volume(losses[~has], floor) < whole:
            continue
        if _can_go(space, choices[c], members):
            removal = Removal(
                choices[c], int(has.sum()), test.drawn, test.among_best, test.expected, int(best.sum()), p, whole
            )
            found.append(removal)
    return found


def best_candidates(snapshot: Snapshot, preference: Preference) -> tuple[np.ndarray, np.ndarray]:
    """Return who is among the best and who is on the front, bool (n,) each.

    The front is that of performance against interpretability; the best are the front and the first tenth at each λ of
    0, ¼, ½, ¾, 1. Equal scores at the edge of a tenth are all in.
    """
    tenth = max(1, int(np.ceil(SHARE * snapshot.eligible.sum())))
    best = np.zeros(len(snapshot), dtype=bool)
    front = best.copy()
    for weight in WEIGHTS:
        ranking = snapshot.rank(preference.model_copy(update={"weight": weight}))
        front = ranking.on_front
        if ranking.best is not None:
            score = np.where(snapshot.eligible, ranking.score, np.inf)
            best |= np.isfinite(score) & (score <= np.partition(score, tenth - 1)[tenth - 1])
    return best | front, front


def chance_of_so_few(has: np.ndarray, best: np.ndarray, parts: np.ndarray | None = None) -> float:
    """Return the probability that as few candidates with a choice are among the best, were the two unrelated.

    The lower tail of the hypergeometric distribution; of several parts that of the sum over the parts. O(N) for two
    parts, and exact to rounding.

    Args:
        has: (N,) bool, who has the choice.
        best: (N,) bool, who is among the best.
        parts: (N,) the part each belongs to; one part when None.
    """
    parts = np.zeros(len(has), dtype=np.int64) if parts is None else parts
    observed, masses = int((has & best).sum()), []
    for part in np.unique(parts):
        inside = parts == part
        masses.append(_hypergeometric(int(inside.sum()), int(best[inside].sum()), int(has[inside].sum())))
    if not masses:
        return 1.0
    *others, last = masses
    mass = np.ones(1)
    for other in others:
        mass = np.convolve(mass, other)[: observed + 1]
    below = np.cumsum(last)[np.minimum(observed - np.arange(len(mass)), len(last) - 1)[: observed + 1]]
    return float(min(1.0, mass[: observed + 1] @ below))


def _hypergeometric(total: int, marked: int, drawn: int) -> np.ndarray:
    """Return the probabilities of 0, 1 … min(marked, drawn) marked ones among ``drawn`` of ``total``.

    By the ratio of neighbours, p(k + 1) / p(k) = (K − k) (n − k) / ((k + 1) (N − K − n + k + 1)), summed as logarithms.
    """
    first, last = max(0, marked + drawn - total), min(marked, drawn)
    k = np.arange(first, last)
    ratios = (marked - k) * (drawn - k) / ((k + 1.0) * (total - marked - drawn + k + 1.0))
    logs = np.concatenate([[0.0], np.cumsum(np.log(ratios))])
    mass = np.exp(logs - logs.max())
    return np.concatenate([np.zeros(first), mass / mass.sum()])


def holm(p: np.ndarray) -> np.ndarray:
    """Return p-values (m,) corrected so that one false rejection among all m is as rare as each says (Holm 1979)."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)) if len(p) else p
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(1.0, stepped)
    return corrected


@dataclass(frozen=True)
class _Test:
    """The test of one choice: n with it, k of them among the best, how many were to be expected, and p."""

    drawn: int
    among_best: int
    expected: float
    p: float

    @staticmethod
    def of(has: np.ndarray, best: np.ndarray, children: np.ndarray, counts: np.ndarray) -> _Test:
        """Return the test of ``has`` (N,) against ``best`` among those who count, children apart from the others."""
        has, best, parts = has[counts], best[counts], children[counts].astype(int)
        expected = sum(has[parts == part].sum() * best[parts == part].mean() for part in np.unique(parts))
        return _Test(int(has.sum()), int((has & best).sum()), float(expected), chance_of_so_few(has, best, parts))


def _complete(snapshot: Snapshot, at: int) -> bool:
    """Return whether a candidate was trained to the end, with whatever result."""
    return snapshot.status[at] in (Status.DONE, Status.INELIGIBLE)


def _inherited(people: Sequence[Evaluation | Summary], held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which choices a parent has, bool (N, choices), and who has parents, bool (N,)."""
    row = {e.id: at for at, e in enumerate(people)}
    inherited, children = np.zeros_like(held), np.zeros(len(people), dtype=bool)
    for at, evaluation in enumerate(people):
        parents = [row[key] for key in evaluation.parents if key in row]
        if parents:
            inherited[at], children[at] = held[parents].any(axis=0), True
    return inherited, children


def _held(values: Sequence[Architecture], space: SearchSpace) -> tuple[tuple[Choice, ...], np.ndarray]:
    """Return the choices of the space and who has them, bool (N, choices)."""
    choices, frame = choices_of(space), Frame.of(space)
    column = {(c.variable, c.option): at for at, c in enumerate(choices)}
    lists = [listed for name, listed in option_lists(space.family).items() if any(c.variable == name for c in choices)]
    held = np.zeros((len(values), len(choices)), dtype=bool)
    for row, architecture in enumerate(values):
        if architecture.family != space.family:
            continue
        for listed in lists:
            for option in listed.held(architecture.values, frame):
                if (at := column.get((listed.name, option))) is not None:
                    held[row, at] = True
    return choices, held


def _volume(losses: np.ndarray, floor: np.ndarray | None) -> float:
    rows = losses if floor is None else np.vstack([losses, floor])
    return hypervolume(rows[~np.isnan(rows).any(axis=1)], np.ones(rows.shape[1]))


def _can_go(space: SearchSpace, choice: Choice, front: Sequence[Architecture]) -> bool:
    """Return whether a declaration can say it and everything on the front that is in the space now stays in it."""
    try:
        smaller = forbid(space, choice)
    except SpaceError:
        return False
    return not any(smaller.validate_architecture(a) and not space.validate_architecture(a) for a in front)


def _short(number: float) -> str:
    return _dotted(f"{number:.1f}" if number < 100 else f"{number:.0f}")


def _p_value(p: float) -> str:
    return "< .001" if p < 0.001 else f"= {_dotted(f'{p:.3f}')}"


def _dotted(text: str) -> str:
    """Return a share without the zero before its point."""
    return text.removeprefix("0") if text.startswith("0.") else text
