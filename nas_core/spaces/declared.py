"""What the declarations of all signal families are checked for, and the values of their architectures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nas_core.errors import SpaceError
from nas_core.spaces.family import Constraints, Rejection
from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical, Integer
from nas_core.spaces.variables import Context, Variable

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["OPTIMISERS", "Declared", "check_declared", "domain_faults", "form_faults", "over_limit"]

OPTIMISERS = ("sgd", "adam", "adamw", "adagrad")
Values = dict[str, Any]


@dataclass(frozen=True)
class Declared:
    """What a family expects of one of its variables.

    Attributes:
        kind: Its class.
        choices: What the choices of a categorical variable may be; None when they are whole numbers, or it is another.
        low, high: Between what its numbers must lie.
    """

    kind: type[Variable]
    choices: tuple[str, ...] | None = None
    low: float = 0.0
    high: float = 0.0


def check_declared(space: SearchSpace, expected: Mapping[str, Declared], constraints: type[Constraints]) -> None:
    """Raise SpaceError unless ``space`` has a feature for each cell, the expected variables and constraints."""
    signal = space.signal
    if signal is None or len(space.features) != signal.features:
        raise SpaceError(
            f"The space has {len(space.features)} features, its {signal.modality if signal else 'signal'}s "
            f"{signal.features if signal else 0} cells",
            allowed="one feature for each cell", fix="make the space from a problem",
        )  # fmt: skip
    known = space.by_name
    if wrong := [n for n in expected if n not in known] + [n for n in known if n not in expected]:
        what = "is missing" if wrong[0] not in known else "is not one of the family's for these data"
        raise SpaceError(f"The variable {wrong[0]!r} {what}", allowed=", ".join(expected), fix="declare each once")
    for name, variable in known.items():
        wanted = expected[name]
        if not isinstance(variable, wanted.kind):
            raise SpaceError(
                f"The variable {name!r} is of kind {type(variable).model_fields['kind'].default!r}",
                allowed=str(wanted.kind.model_fields["kind"].default), fix="change its kind",
            )  # fmt: skip
        _check_domain(name, variable, wanted)
    if not isinstance(space.constraints, constraints):
        raise SpaceError(f"The constraints are a {type(space.constraints).__name__}", allowed=constraints.__name__)


def _check_domain(name: str, variable: Variable, wanted: Declared) -> None:
    """Raise SpaceError when a scalar variable offers what means nothing in the family."""
    low, high = wanted.low, wanted.high
    if isinstance(variable, Categorical):
        if wanted.choices is None:
            wrong = [c for c in variable.choices if not isinstance(c, int) or not low <= c <= high]
            allowed = f"whole numbers from {low:g} to {high:g}"
        else:
            wrong, allowed = [c for c in variable.choices if c not in wanted.choices], ", ".join(wanted.choices)
        if wrong:
            raise SpaceError(f"The variable {name!r} has the choice {wrong[0]!r}", allowed=allowed, fix="remove it")
    elif isinstance(variable, Integer | Real) and not low <= variable.low <= variable.high <= high:
        raise SpaceError(
            f"{name} runs from {variable.low:g} to {variable.high:g}", allowed=f"{low:g} to {high:g}",
            fix="change its limits",
        )  # fmt: skip


def form_faults(space: SearchSpace, values: Values) -> list[str]:
    """Return which variables are missing from ``values`` or unknown; empty when each has a value."""
    known = space.by_name
    wrong = [f"{n} is missing" for n in known if n not in values]
    return wrong + [f"{n} is unknown; allowed: {', '.join(known)}" for n in values if n not in known]


def domain_faults(
    space: SearchSpace, values: Values, first: Iterable[str], forced: Callable[[], Mapping[str, Any]]
) -> list[str]:
    """Return which values are outside the domains of their variables; a fault in ``first`` hides the others.

    A variable that means nothing in this architecture may also hold what the canonical form gives it.

    Args:
        space: The space.
        values: A value of every variable.
        first: The variables that decide what the others mean.
        forced: Returns what the canonical form gives to variables without a meaning here; asked for once ``first`` is
            sound.
    """
    context, known = Context(space, values=values), space.by_name
    found = {name: known[name].validate_value(values[name], context) for name in first if name in known}
    if faults := [reason for reason in found.values() if reason]:
        return faults[:1]
    fixed = forced()
    return [
        reason
        for name, variable in known.items()
        if name not in found
        and not (name in fixed and values[name] == fixed[name])
        and (reason := variable.validate_value(values[name], context))
    ]


def over_limit(counted: Iterable[tuple[str, int, int | None, str]]) -> Rejection | None:
    """Return the first of (constraint, count, limit or None, what is counted) that is over its limit, or None."""
    for name, found, most, what in counted:
        if most is not None and found > most:
            return Rejection(name, f"{found:,} {what}, at most {most:,} allowed")
    return None
