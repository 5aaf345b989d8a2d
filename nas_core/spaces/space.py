"""The search space: a family, its variables and its constraints, as plain data that survives JSON and YAML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationInfo, field_validator, model_validator

from nas_core.data.signal import Signal
from nas_core.errors import SpaceError
from nas_core.records import Architecture, Proposal, Record, canonical_json, freeze
from nas_core.spaces.family import Constraints, Family, Rejection, SpaceSize, families_for, family_named
from nas_core.spaces.variables import VARIABLES, Chooser, Context, Hints, Variable

__all__ = ["SearchSpace", "SpaceFeature"]

_TRIES = 200


class SpaceFeature(Record):
    """One feature as a search space sees it.

    Attributes:
        kind: "numeric" or "categorical".
        levels: Number of categories; 0 for a numeric feature.
        columns: Encoding name → number of encoded columns; empty for the cells of a signal, as the next.
        monotone_columns: Encoding name → how many of them never decrease when the feature grows.
    """

    name: str
    kind: str = Field(pattern="^(numeric|categorical)$")
    levels: int = 0
    columns: dict[str, int] = Field(default_factory=dict)
    monotone_columns: dict[str, int] = Field(default_factory=dict)


class SearchSpace(Record):
    """Everything that may be built for one problem.

    Attributes:
        family: Name of the registered family.
        features: The P features, in the order of the data; of a signal its cells.
        signal: The shape of the images or sequences, without their words; None for tables.
        outputs: C, 1 for binary classification and regression, else the number of classes.
        variables: The choices, in the order they are drawn.
        constraints: The family's own record of limits.
        version: Counts edits of the same space.
    """

    family: str = "tabular"
    features: tuple[SpaceFeature, ...] = ()
    signal: Signal | None = None
    outputs: int = Field(default=1, ge=1)
    variables: tuple[Annotated[SerializeAsAny[Variable], BeforeValidator(lambda given: _read_variable(given))], ...]
    constraints: SerializeAsAny[Constraints] = Field(default=None, validate_default=True)
    version: int = Field(default=1, ge=1)

    @field_validator("constraints", mode="before")
    @classmethod
    def _read_constraints(cls, given: Any, info: ValidationInfo) -> Any:
        if isinstance(given, Constraints):
            return given
        family = info.data.get("family")
        return family_named(family).constraints_type.model_validate(given or {}) if family else given

    @model_validator(mode="after")
    def _check(self) -> SearchSpace:
        names = Counter(v.name for v in self.variables)
        if repeated := [n for n, k in names.items() if k > 1]:
            raise SpaceError(f"The variable {repeated[0]!r} is declared more than once", fix="keep one of them")
        read = self.signal.modality if self.signal else "tabular"
        if self.engine.modality != read:
            raise SpaceError(
                f"The family {self.family!r} reads {self.engine.modality} data, these are {read} data",
                allowed=", ".join(families_for(read)),
                fix="choose a family for these data",
            )
        self.engine.check_space(self)
        return self

    @staticmethod
    def for_problem(problem: Any, preset: str = "balanced", family: str | None = None) -> SearchSpace:
        """Return the space of a preset for ``problem`` (see ``Family.presets``).

        Without ``family`` it is the first one for the modality of the data.

        Raises:
            SpaceError: No such family or preset.
        """
        engine = family_named(family or families_for(problem.dataset.modality)[0])
        if preset not in engine.presets:
            raise SpaceError(f"There is no preset {preset!r}", allowed=", ".join(engine.presets), fix="choose one")
        return engine.declare(problem, preset)

    @cached_property
    def engine(self) -> Family:
        """The family's implementation."""
        return family_named(self.family)

    @cached_property
    def compiled(self) -> Any:
        """What the family works out once per space (see ``Family.compile``)."""
        return self.engine.compile(self)

    @cached_property
    def by_name(self) -> dict[str, Variable]:
        """The variables by name."""
        return {v.name: v for v in self.variables}

    @cached_property
    def id(self) -> str:
        """Identity of the declaration, ``version`` aside: 16 hexadecimal digits."""
        import hashlib

        content = self.model_dump(mode="json", exclude={"version"})
        return hashlib.sha256(canonical_json(content).encode()).hexdigest()[:16]

    def changed(self, **changes: Any) -> SearchSpace:
        """Return the next version of this space with some fields replaced, checked again."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return SearchSpace(**{**fields, "version": self.version + 1, **changes})

    def architecture(self, values: dict[str, Any]) -> Architecture:
        """Return the architecture of ``values`` in canonical form.

        Raises:
            SpaceError: A value is missing, unknown or outside its domain, or a constraint is broken.
        """
        if wrong := self.engine.problems(self, values):
            raise SpaceError(f"This is no architecture of the space: {'; '.join(wrong)}", fix="change these values")
        canonical = self.engine.canonical(self, freeze(values))
        if rejection := self.engine.rejection(self, canonical):
            raise SpaceError(
                f"The constraint {rejection.constraint} refuses this architecture: {rejection.reason}",
                fix="change the architecture or relax the constraint",
            )
        return Architecture(family=self.family, values=canonical)

    def validate_architecture(self, architecture: Architecture) -> list[str]:
        """Return everything that keeps ``architecture`` out of the space; empty when it belongs to it."""
        if architecture.family != self.family:
            return [f"the family is {architecture.family!r}, the space is {self.family!r}"]
        if wrong := self.engine.problems(self, architecture.values):
            return wrong
        if self.engine.canonical(self, architecture.values) != architecture.values:
            return ["the values are not in canonical form; build it with SearchSpace.architecture"]
        rejection = self.engine.rejection(self, architecture.values)
        return [rejection.reason] if rejection else []

    def sample(self, rng: np.random.Generator, hints: Hints | None = None) -> Architecture:
        """Return a random architecture.

        Raises:
            SpaceError: No valid candidate after 200 tries.
        """
        self._check_hints(hints)
        return self._first_valid(lambda: self.engine.draw(self, rng, hints))

    def decide(
        self, chooser: Chooser, hints: Hints | None = None, like: Architecture | None = None
    ) -> Architecture | None:
        """Return an architecture made of named decisions, None where constraints refuse it.

        With ``like`` the chooser is told the decisions that make this architecture.
        """
        values = self.engine.decide(self, chooser, hints, None if like is None else like.values)
        return None if self.engine.rejection(self, values) else Architecture(family=self.family, values=values)

    def mutate(
        self, architecture: Architecture, rng: np.random.Generator, hints: Hints | None = None
    ) -> tuple[Architecture, str]:
        """Return a valid neighbour of ``architecture`` and the operator's name, "unchanged" if there is no other."""
        for _ in range(_TRIES // 4):
            values, operator = self.engine.vary(self, architecture.values, rng, hints)
            if values != architecture.values and self.engine.rejection(self, values) is None:
                return Architecture(family=self.family, values=values), operator
        fresh = self.sample(rng, hints)
        return fresh, "unchanged" if fresh == architecture else "sample"

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a valid child of two architectures; a copy of ``a`` when every try is refused."""
        for _ in range(_TRIES // 4):
            values = self.engine.cross(self, a.values, b.values, rng)
            if self.engine.rejection(self, values) is None:
                return Architecture(family=self.family, values=values)
        return a

    def refit(self, architecture: Architecture, rng: np.random.Generator) -> Architecture | None:
        """Return an architecture of another version of this space, repaired to be valid here.

        One that is valid stays as it is. None where the family or the variables are others, or repair does not help.
        """
        if not self.validate_architecture(architecture):
            return architecture
        if architecture.family != self.family or architecture.values.keys() != self.by_name.keys():
            return None
        values = self.engine.refit(self, architecture.values, rng)
        repaired = Architecture(family=self.family, values=values)
        return None if self.validate_architecture(repaired) else repaired

    def neighbours(self, architecture: Architecture) -> Iterator[Architecture]:
        """Yield each valid architecture one smallest step away once, lazily, in a fixed order mixing the variables."""
        seen = {architecture.id}
        for values in self.engine.neighbours(self, architecture.values):
            near = Architecture(family=self.family, values=values)
            if near.id not in seen and self.engine.rejection(self, values) is None:
                seen.add(near.id)
                yield near

    def initial(self, n: int, rng: np.random.Generator, hints: Hints | None = None) -> list[Proposal]:
        """Return at most ``n`` distinct proposals to start from: the family's landmarks, then informed samples."""
        self._check_hints(hints)
        chosen: dict[str, Proposal] = {}
        for name, values in self.engine.landmarks(self, hints):
            if len(chosen) < n and self.engine.rejection(self, values) is None:
                landmark = Architecture(family=self.family, values=values)
                chosen.setdefault(landmark.id, Proposal(architecture=landmark, operator=f"landmark: {name}"))
        for _ in range(20 * n):
            if len(chosen) >= n:
                break
            fresh = self.sample(rng, hints)
            chosen.setdefault(fresh.id, Proposal(architecture=fresh, operator="sample"))
        return list(chosen.values())

    def size(self) -> SpaceSize:
        """Return how many architectures there are."""
        return self.engine.size(self)

    def encode(self, architecture: Architecture) -> np.ndarray:
        """Return the architecture as a float vector of a length fixed by the space (for surrogate models)."""
        context = Context(self, values=architecture.values)
        return np.concatenate([v.encode(architecture.values[v.name], context) for v in self.variables])

    def encode_names(self) -> list[str]:
        """Return the name of each entry of :meth:`encode`."""
        context = Context(self)
        return [name for v in self.variables for name in v.encode_names(context)]

    def to_json(self) -> str:
        """Return the declaration as indented JSON."""
        return self.model_dump_json(indent=2)

    def to_yaml(self) -> str:
        """Return the declaration as YAML, fields in their order."""
        from nas_core.spaces.text import dump_yaml

        return dump_yaml(self.model_dump(mode="json"))

    @staticmethod
    def from_json(text: str) -> SearchSpace:
        """Read a declaration; SpaceError names the line and the field of the first fault."""
        from nas_core.spaces.text import read_json

        return read_json(SearchSpace, text)

    @staticmethod
    def from_yaml(text: str) -> SearchSpace:
        """Read a declaration; SpaceError names the line and the field of the first fault."""
        from nas_core.spaces.text import read_yaml

        return read_yaml(SearchSpace, text)

    def _first_valid(self, draw: Callable[[], dict[str, Any]]) -> Architecture:
        refused: Counter[str] = Counter()
        reasons: dict[str, Rejection] = {}
        for _ in range(_TRIES):
            values = draw()
            rejection = self.engine.rejection(self, values)
            if rejection is None:
                return Architecture(family=self.family, values=values)
            refused[rejection.constraint] += 1
            reasons[rejection.constraint] = rejection
        worst, times = refused.most_common(1)[0]
        raise SpaceError(
            f"The space has no valid candidate: the constraint {worst} refused {times} of {_TRIES} tries "
            f"({reasons[worst].reason})",
            fix=f"relax {worst} or widen the variables it limits",
        )

    def _check_hints(self, hints: Hints | None) -> None:
        if hints is not None and len(hints.relevance) != len(self.features):
            raise SpaceError(
                f"The hints describe {len(hints.relevance)} features, the space has {len(self.features)}",
                fix="pass the hints of the problem the space was made for",
            )


def _read_variable(given: Any) -> Any:
    """Return a variable from its plain form; the kind decides the class."""
    if not isinstance(given, dict):
        return given
    kind = given.get("kind")
    if kind not in VARIABLES:
        raise ValueError(f"a variable of kind {kind!r}; allowed: {', '.join(VARIABLES)}")
    return VARIABLES[kind].model_validate(given)
