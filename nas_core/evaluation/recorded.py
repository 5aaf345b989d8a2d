"""A recorded benchmark as a space and an evaluator: a table in which every architecture was trained once and for all.

Tables such as NAS-Bench-201 (Dong and Yang 2020) let strategies be compared in seconds with numbers that took years.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.errors import DataError
from nas_core.evaluation.base import Evaluator, PackProgress, Referee, Stop, Weights
from nas_core.objectives import Objective
from nas_core.records import Architecture, Estimate, Evaluation, Proposal, Status

if TYPE_CHECKING:
    import pandas as pd

    from nas_core.spaces.space import SearchSpace
    from nas_core.spaces.variables import Chooser

__all__ = ["RecordedEvaluator", "RecordedTable"]

FAMILY = "recorded"


class RecordedTable:
    """A table of results, and the space of its architectures: one for each distinct row of the variable columns.

    Rows that repeat an architecture (other seeds, for example) are averaged. It is a ``Space`` as strategies need one:
    a neighbour differs in one variable and is in the table.

    Args:
        frame: One row per result.
        variables: Columns that make an architecture; every value is a choice.
        search: Column that strategies see.
        report: Column that is reported, which they never see.
        minimise: Whether smaller values of both columns are better.

    Raises:
        DataError: A column is missing, a result is not a number, or there are fewer than two architectures.
    """

    def __init__(
        self, frame: pd.DataFrame, variables: Sequence[str], search: str, report: str, *, minimise: bool = False
    ) -> None:
        _check_columns(frame, variables, search, report)
        self.variables = tuple(variables)
        self.levels: tuple[tuple[Any, ...], ...] = tuple(_levels(frame, name) for name in variables)
        codes = np.stack(
            [frame[name].map({v: i for i, v in enumerate(known)}) for name, known in zip(variables, self.levels)],
            axis=1,
        ).astype(np.int64)
        rows, owner = np.unique(codes, axis=0, return_inverse=True)
        if len(rows) < 2:
            raise DataError("The table has one architecture only", allowed="at least two", fix="name more variables")
        count = np.bincount(owner.ravel())
        self.codes: list[tuple[int, ...]] = [tuple(int(v) for v in row) for row in rows]
        self.searched = np.bincount(owner.ravel(), _numbers(frame, search)) / count
        self.reported = np.bincount(owner.ravel(), _numbers(frame, report)) / count
        self.position = {code: at for at, code in enumerate(self.codes)}
        worst, best = float(self.searched.min()), float(self.searched.max())
        if minimise:
            worst, best = best, worst
        self.objective = Objective(
            name=search, label=search, maximise=not minimise, best=best, worst=worst if worst != best else best - 1.0,
            baseline=None, unit="", description=f"The column {search} of the table.",
        )  # fmt: skip
        self._architectures: dict[int, Architecture] = {}
        self._near: dict[int, list[int]] = {}
        self._encoded: dict[int, np.ndarray] = {}
        self._firsts = np.cumsum([0, *(len(known) for known in self.levels)])  # where each variable's options begin

    def __len__(self) -> int:
        return len(self.codes)

    def architecture(self, at: int) -> Architecture:
        """Return the architecture of one row, always the same object."""
        known = self._architectures.get(at)
        if known is None:
            values = {name: known[c] for name, known, c in zip(self.variables, self.levels, self.codes[at])}
            known = self._architectures[at] = Architecture(family=FAMILY, values=values)
            self.places[known.id] = at
        return known

    @cached_property
    def places(self) -> dict[str, int]:
        """Position of each architecture that was asked for, by identity."""
        return {}

    def place(self, architecture: Architecture) -> int:
        """Return the row of an architecture.

        Raises:
            DataError: It is not in the table.
        """
        found = self.places.get(architecture.id)
        if found is None:
            raise DataError(
                f"The architecture {architecture.values} is not in the table", allowed="one of its rows", fix="check it"
            )
        return found

    def near(self, at: int) -> list[int]:
        """Return the rows that differ from row ``at`` in one variable, in a fixed order."""
        found = self._near.get(at)
        if found is None:
            code = self.codes[at]
            changed = (
                (*code[:v], level, *code[v + 1 :])
                for v, known in enumerate(self.levels)
                for level in range(len(known))
                if level != code[v]
            )
            found = self._near[at] = [self.position[c] for c in changed if c in self.position]
        return found

    def sample(self, rng: np.random.Generator, hints: Any = None) -> Architecture:
        """Return a random row."""
        return self.architecture(int(rng.integers(len(self))))

    def mutate(
        self, architecture: Architecture, rng: np.random.Generator, hints: Any = None
    ) -> tuple[Architecture, str]:
        """Return a random neighbour and the name of the operator; a random row where there is no neighbour."""
        near = self.near(self.place(architecture))
        if not near:
            return self.sample(rng), "sample"
        return self.architecture(near[int(rng.integers(len(near)))]), "mutate"

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a row that has each variable from one of two others; ``a`` where there is no such row."""
        one, two = self.codes[self.place(a)], self.codes[self.place(b)]
        mixed = tuple(x if turn < 0.5 else y for x, y, turn in zip(one, two, rng.random(len(one))))
        at = self.position.get(mixed)
        return a if at is None else self.architecture(at)

    def neighbours(self, architecture: Architecture) -> Iterator[Architecture]:
        """Yield the rows that differ in one variable."""
        yield from (self.architecture(at) for at in self.near(self.place(architecture)))

    def initial(self, n: int, rng: np.random.Generator, hints: Any = None) -> list[Proposal]:
        """Return at most ``n`` different random rows."""
        chosen = rng.choice(len(self), size=min(n, len(self)), replace=False)
        return [Proposal(architecture=self.architecture(int(at))) for at in chosen]

    def decide(self, chooser: Chooser, hints: Any = None, like: Architecture | None = None) -> Architecture | None:
        """Return a row: one decision for each variable; None where the table has no such row."""
        known = (None,) * len(self.variables) if like is None else self.codes[self.place(like)]
        code = tuple(chooser.pick(n, options, k) for n, options, k in zip(self.variables, self.levels, known))
        at = self.position.get(code)
        return None if at is None else self.architecture(at)

    def encode(self, architecture: Architecture) -> np.ndarray:
        """Return the choices one after another, one-hot; always the same read-only array."""
        at = self.place(architecture)
        found = self._encoded.get(at)
        if found is None:
            found = np.zeros(self._firsts[-1])
            found[self._firsts[:-1] + np.array(self.codes[at])] = 1.0
            found.flags.writeable = False
            self._encoded[at] = found
        return found


class RecordedEvaluator(Evaluator):
    """Looks candidates up in a recorded table; nothing is measured beside the searched column.

    No candidate is in training here, not even for an epoch, so there is nothing that a referee could end.
    """

    def __init__(self, table: RecordedTable) -> None:
        self._table = table
        self._known: dict[int, Evaluation] = {}

    def evaluate(
        self,
        proposals: Sequence[Proposal],
        *,
        stop: Stop,
        on_progress: Callable[[PackProgress], None] | None = None,
        referee: Referee | None = None,
    ) -> Iterator[Evaluation]:
        """Yield what the table says."""
        for proposal in proposals:
            yield self.look_up(proposal.architecture)

    def look_up(self, architecture: Architecture) -> Evaluation:
        """Return the recorded evaluation; it names no parents and is made once."""
        at = self._table.place(architecture)
        found = self._known.get(at)
        if found is None:
            value = float(self._table.searched[at])
            found = self._known[at] = Evaluation(
                id=architecture.id,
                architecture=architecture,
                status=Status.DONE,
                performance=Estimate(value=value, low=value, high=value),
            )
        return found

    def enter(self, space: SearchSpace) -> None:
        """Change nothing: what is recorded does not depend on where it is searched."""

    def take_weights(self) -> dict[str, Weights]:
        """Return nothing: nothing is trained."""
        return {}

    def take_seconds(self) -> dict[str, float]:
        """Return that no time was spent."""
        return {"train": 0.0, "measure": 0.0}


def _check_columns(frame: pd.DataFrame, variables: Sequence[str], search: str, report: str) -> None:
    if not variables or len(set(variables)) != len(variables):
        raise DataError(
            f"The variables are {list(variables)}", allowed="different column names", fix="name the columns"
        )
    missing = [name for name in (*variables, search, report) if name not in frame.columns]
    if missing:
        raise DataError(
            f"The table has no column {missing[0]!r}",
            allowed=", ".join(map(str, frame.columns[:30])),
            fix="check --variables, --search and --report",
        )
    if both := sorted({search, report} & set(variables)):
        raise DataError(
            f"The column {both[0]!r} is a variable and a result", allowed="one of them", fix="drop it from --variables"
        )


def _levels(frame: pd.DataFrame, name: str) -> tuple[Any, ...]:
    if frame[name].isna().any():
        raise DataError(f"The variable {name!r} has missing values", allowed="a value in every row", fix="fill them in")
    return tuple(v.item() if hasattr(v, "item") else v for v in sorted(frame[name].unique()))


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    import pandas as pd

    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float)
    if not np.isfinite(values).all():
        wrong = int(np.flatnonzero(~np.isfinite(values))[0])
        raise DataError(
            f"The column {name!r} is {str(frame[name].iloc[wrong])!r} in row {wrong + 1}",
            allowed="finite numbers",
            fix="correct it, or drop that row",
        )
    return values
