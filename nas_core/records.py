"""Plain data that every layer shares: architectures, proposals, evaluations and run records.

Nothing here computes; everything is frozen, validated and survives a round trip through JSON. Letters used for shapes
in all of ``nas_core``: K candidates, N rows, P features, C outputs, H hidden units, S sub-networks, D encoded columns.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Architecture",
    "Cost",
    "Estimate",
    "Evaluation",
    "Event",
    "Halt",
    "Measurement",
    "Proposal",
    "RunRecord",
    "RunState",
    "Status",
    "Verdict",
    "WeightsRef",
    "canonical_json",
    "derive_seed",
]


def canonical_json(value: Any) -> str:
    """Return the one JSON text of ``value``: sorted keys, no blanks, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def derive_seed(*parts: object) -> int:
    """Return a 63-bit seed that depends on every part and on nothing else (same in every process)."""
    text = "\x1f".join(str(p) for p in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


class Record(BaseModel):
    """Base of all records: frozen and closed."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class FiniteRecord(Record):
    """A record of numbers that are numbers: NaN and infinities are refused, since no JSON text can carry them back."""

    model_config = ConfigDict(allow_inf_nan=False)


class Architecture(Record):
    """An immutable point of a search space.

    ``values`` is the family's canonical form (see ``Family.canonical``), so isomorphic architectures are equal and have
    one ``id``. Build instances through ``SearchSpace.architecture`` unless the values are known to be canonical.
    """

    family: str
    values: dict[str, Any]

    @cached_property
    def id(self) -> str:
        """Identity: the first 16 hexadecimal digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(canonical_json([self.family, self.values]).encode()).hexdigest()[:16]

    def __hash__(self) -> int:
        return hash(self.id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Architecture) and self.id == other.id


class Proposal(Record):
    """What a strategy asks to have evaluated: an architecture and where it came from."""

    architecture: Architecture
    parents: tuple[str, ...] = ()
    operator: str = "sample"
    origin: str = "strategy"


class Verdict(Record):
    """Whether a plug-in (measure, explainer …) applies to something; ``reason`` says why, or why not."""

    ok: bool
    reason: str = ""


class Estimate(FiniteRecord):
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


class Measurement(FiniteRecord):
    """One interpretability measure of one candidate.

    Attributes:
        value: Score in [0, 1], 1 = interpretable; None when undefined, and then ``reason`` says why.
        raw: The quantity before it became a score (NF, NI, IAS, MEC, operations …).
        low, high: 95 % interval of ``value`` where it is an estimate; equal to ``value`` where it is exact.
        reason: Why there is no value.
        graded: A measured companion of a structural score, where there is one (monotone share).
    """

    value: float | None = None
    raw: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None
    graded: float | None = None


class Cost(FiniteRecord):
    """What a candidate costs: trainable parameters, operations of one prediction, its share of training seconds."""

    parameters: int = 0
    operations: int = 0
    seconds: float = 0.0


class Status(StrEnum):
    """How the evaluation of a candidate ended."""

    DONE = "done"
    PRUNED = "pruned"
    FAILED = "failed"
    INELIGIBLE = "ineligible"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Halt:
    """Why one candidate is not trained any further.

    Attributes:
        status: ``pruned``: its early numbers say enough; ``cancelled``: a person gave it up.
        reason: In words.
    """

    status: Status
    reason: str


class WeightsRef(Record):
    """Where the trained weights of a candidate are: an artifact of the store, a key prefix in it, its SHA-256."""

    artifact: str
    prefix: str
    sha256: str


class Evaluation(FiniteRecord):
    """Everything that is known of one evaluated candidate; ``id`` is the architecture's identity.

    Attributes:
        curves: Vectors by name: ``train_loss`` and ``valid_loss`` per epoch; where somebody asked for it on the way,
            ``performance`` (the metric on the validation rows) after the epochs ``performance_epoch``.
        inherited: Identity of the candidate whose weights its training began from; empty: from its own initial ones.
        traceback: Where in the program it failed, where an exception says so; secrets in it are hidden.
        space: Version of the search space that was in force when it was proposed.
    """

    id: str
    index: int = 0
    architecture: Architecture
    status: Status
    reason: str = ""
    traceback: str = ""
    performance: Estimate | None = None
    skill: Estimate | None = None
    metrics: dict[str, float] = Field(default_factory=dict)
    measures: dict[str, Measurement] = Field(default_factory=dict)
    cost: Cost = Cost()
    curves: dict[str, list[float]] = Field(default_factory=dict)
    parents: tuple[str, ...] = ()
    operator: str = "sample"
    origin: str = "strategy"
    seed: int = 0
    inherited: str = ""
    space: int = 1
    weights: WeightsRef | None = None
    finished: float = 0.0
    revision: int = 0

    @property
    def eligible(self) -> bool:
        """True when the candidate may enter a front: finished, and better than ignoring the inputs."""
        return self.status is Status.DONE and self.performance is not None


class RunState(StrEnum):
    """The life of a run. ``interrupted`` means: it ended without being told to; it can be resumed."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


class Event(Record):
    """Something a person or the run did to itself, for the log and for replay."""

    kind: str
    time: float
    evaluated: int = 0
    payload: dict[str, Any] = Field(default_factory=dict)
    revision: int = 0


class RunRecord(Record):
    """A run as the store knows it.

    ``problem``, ``space`` and ``settings`` are the JSON forms of Problem, SearchSpace and RunSettings: enough to build
    the same run again in another process. ``progress`` holds counters and seconds by phase.
    """

    id: str
    name: str
    created: float
    state: RunState
    reason: str = ""
    problem: dict[str, Any]
    space: dict[str, Any]
    settings: dict[str, Any]
    data_hash: str
    baseline: float | None = None
    progress: dict[str, Any] = Field(default_factory=dict)
    heartbeat: float = 0.0
    owner: str = ""
    revision: int = 0


def freeze(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deep copy of ``mapping`` that shares nothing with it."""
    return json.loads(canonical_json(mapping))
