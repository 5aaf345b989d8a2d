"""Lists of options: what of a space can be pinned or forbidden one by one, and how a declaration says so.

A family registers its lists with :func:`register_option_lists`; ``nas_core.spaces.choices`` is what the rest of the
engine uses. A list knows which options a space offers, which of them an architecture has, and which fields of the
declaration change when one option is taken away or left alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from nas_core.errors import SpaceError
from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical, Integer

if TYPE_CHECKING:
    from nas_core.data.signal import Signal
    from nas_core.spaces.space import SearchSpace

__all__ = [
    "FieldOptions",
    "Frame",
    "Option",
    "OptionList",
    "ScalarOptions",
    "limited",
    "option_lists",
    "register_option_lists",
    "revised",
]

Values = dict[str, Any]
Changes = dict[str, Any]
Option: TypeAlias = "int | float | str | bool | tuple[int, int]"


@dataclass(frozen=True)
class Frame:
    """What all versions of a space share, as far as it decides whether a variable means something.

    Attributes:
        numeric: Which of the P features are numeric.
        signal: The shape of images or sequences; None for tables.
    """

    numeric: tuple[bool, ...]
    signal: Signal | None

    @staticmethod
    def of(space: SearchSpace) -> Frame:
        """Return the frame of a space."""
        return Frame(tuple(f.kind == "numeric" for f in space.features), space.signal)


class OptionList(ABC):
    """One list of options of a family.

    Attributes:
        name: What a ``Choice`` calls it.
    """

    name: str

    @abstractmethod
    def offered(self, space: SearchSpace) -> dict[Option, str]:
        """Return the options that the space offers, each with what a person reads; none where nothing is to decide."""

    @abstractmethod
    def held(self, values: Values, frame: Frame | None) -> frozenset[Option]:
        """Return the options that canonical ``values`` have, none where there was nothing to decide.

        Without a frame every feature counts as numeric and every map as larger than a kernel.
        """

    @abstractmethod
    def without(self, space: SearchSpace, option: Option) -> Changes:
        """Return the fields of the space that change when no architecture may have ``option``.

        Raises:
            SpaceError: The declaration has no way to say so.
        """

    @abstractmethod
    def only(self, space: SearchSpace, option: Option) -> Changes:
        """Return the fields of the space that change when nothing but ``option`` may be decided.

        Raises:
            SpaceError: The declaration has no way to say so.
        """


def never(values: Values, frame: Frame | None) -> bool:
    """Return False: the variable always means something."""
    return False


class ScalarOptions(OptionList):
    """The options of a scalar variable: choices, whole numbers, and exactly 0 of a real one.

    Args:
        name: The variable.
        undecided: Whether the variable means nothing for some values; then they have none of its options.
    """

    def __init__(self, name: str, undecided: Callable[[Values, Frame | None], bool] = never) -> None:
        self.name, self._undecided = name, undecided

    def offered(self, space: SearchSpace) -> dict[Option, str]:
        variable = space.by_name.get(self.name)
        if variable is None:
            return {}
        label = variable.label or variable.name
        found: Sequence[Option] = ()
        if isinstance(variable, Categorical):
            found = variable.choices
        elif isinstance(variable, Integer):
            found = range(variable.low, variable.high + 1)
        elif isinstance(variable, Real) and (variable.zero or variable.low == 0) and variable.high > 0:
            return {0.0: f"{label} = 0"}
        return {option: f"{label} = {option}" for option in found} if len(found) > 1 else {}

    def held(self, values: Values, frame: Frame | None) -> frozenset[Option]:
        if self._undecided(values, frame):
            return frozenset()
        return frozenset([values[self.name]])

    def without(self, space: SearchSpace, option: Option) -> Changes:
        variable = space.by_name[self.name]
        if isinstance(variable, Categorical):
            return revised(space, self.name, choices=tuple(c for c in variable.choices if c != option))
        if isinstance(variable, Real):
            low = variable.tidy(variable.low + variable.step) if variable.low == 0 else variable.low
            return revised(space, self.name, zero=0.0, low=low)
        assert isinstance(variable, Integer)
        if option not in (variable.low, variable.high):
            raise SpaceError(
                f"{variable.label or self.name} runs from {variable.low} to {variable.high}, and a range has no holes",
                allowed=f"{variable.low} or {variable.high}",
                fix="forbid the numbers at one end first, or allow only this one",
            )
        low = variable.low + (option == variable.low)
        return revised(space, self.name, low=low, high=variable.high - (option == variable.high))

    def only(self, space: SearchSpace, option: Option) -> Changes:
        variable = space.by_name[self.name]
        if isinstance(variable, Categorical):
            return revised(space, self.name, choices=(option,))
        if isinstance(variable, Real):
            if variable.log:
                raise SpaceError(
                    f"{variable.label or self.name} is on a logarithmic scale, which cannot be 0 alone",
                    fix="lower its upper limit",
                )
            return revised(space, self.name, low=0.0, high=0.0, zero=0.0)
        return revised(space, self.name, low=option, high=option)


class FieldOptions(OptionList):
    """The options that a structured variable lists in one of its fields.

    Args:
        variable: Name of the variable.
        field: Its field, a tuple.
        held: Returns the options of the list that a value of the architecture has.
        words: What a person reads for an option, with a place for it.
        names: Words for single options.
        along: Returns further fields of the variable that change when one option is left alone.
    """

    def __init__(
        self,
        variable: str,
        field: str,
        held: Callable[[Values, Frame | None], frozenset[Option]],
        words: str,
        *,
        names: dict[str, str] | None = None,
        along: Callable[[Any], Changes] | None = None,
    ) -> None:
        self.name = f"{variable}.{field}"
        self._variable, self._field, self._held = variable, field, held
        self._words, self._names, self._along = words, names or {}, along

    def offered(self, space: SearchSpace) -> dict[Option, str]:
        options = getattr(space.by_name[self._variable], self._field)
        return {o: self._words.format(self._names.get(o, o)) for o in options} if len(options) > 1 else {}

    def held(self, values: Values, frame: Frame | None) -> frozenset[Option]:
        return self._held(values, frame)

    def without(self, space: SearchSpace, option: Option) -> Changes:
        options = getattr(space.by_name[self._variable], self._field)
        return revised(space, self._variable, **{self._field: tuple(o for o in options if o != option)})

    def only(self, space: SearchSpace, option: Option) -> Changes:
        more = self._along(space.by_name[self._variable]) if self._along else {}
        return revised(space, self._variable, **{self._field: (option,), **more})


def revised(space: SearchSpace, name: str, **fields: Any) -> Changes:
    """Return the variables of ``space`` with some fields of one of them replaced, checked again."""

    def renewed(variable: Any) -> Any:
        present = {n: getattr(variable, n) for n in type(variable).model_fields}
        return type(variable)(**{**present, **fields})

    return {"variables": tuple(renewed(v) if v.name == name else v for v in space.variables)}


def limited(space: SearchSpace, **fields: Any) -> Changes:
    """Return the constraints of ``space`` with some fields replaced, checked again."""
    limits = space.constraints
    return {"constraints": type(limits)(**{**{n: getattr(limits, n) for n in type(limits).model_fields}, **fields})}


_LISTS: dict[str, dict[str, OptionList]] = {}


def register_option_lists(family: str, lists: Sequence[OptionList]) -> None:
    """Make the options of a family known, in the order a person reads them."""
    _LISTS[family] = {one.name: one for one in lists}


def option_lists(family: str) -> dict[str, OptionList]:
    """Return the lists of a family by name; none where it has registered none."""
    return _LISTS.get(family, {})
