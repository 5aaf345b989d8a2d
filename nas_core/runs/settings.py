"""What a person decides about a run before it starts."""

from __future__ import annotations

import math
import os
from typing import Any

from pydantic import Field, field_validator

from nas_core.errors import SettingsError
from nas_core.evaluation.cluster.address import LOCAL, cluster_address
from nas_core.evaluation.isolation.limits import Limits
from nas_core.preferences import Preference
from nas_core.records import Record

__all__ = ["RunSettings"]


class RunSettings(Record):
    """The settings of a run.

    Attributes:
        strategy: Name of a registered search strategy.
        preference: λ and the weights of the measures, at the start.
        candidates: Stop after this many; None for no limit.
        seconds: Stop after this much running time (pauses do not count); None for no limit.
        seed: Decides everything random in the run.
        pack_size: Candidates that the strategy is asked for at once; None for what suits the data, see :meth:`suited`.
        first_pack: The same of the first pack, smaller so that something can be seen early.
        device: "auto", "cpu", "cuda" or "mps".
        halving: Train no further what is almost surely dominated (multi-objective successive halving).
        inherit: Begin the training of a child from its parent's weights, where they fit.
        until_goals: Stop as soon as a candidate reaches all goal lines of the preference.
        plateau: Stop when so many candidates in a row have not made the hypervolume grow; None for never.
        executor: Where candidates are trained: "local" (this process), "ray" or "ray://HOST:PORT".
        task_cpus: Processor cores that a task on a cluster takes; a fraction lets several share one.
        task_gpus: GPUs that it takes.
        warm: Earlier runs that this one starts from.
        warm_relevance: (P,) in [0, 1], how far they raise the hints on the features; see ``nas_core.runs.warm``.
        isolation: Train in a worker process, with these limits for a candidate; None for in this process.

    Raises:
        SettingsError: A number outside what is allowed.
    """

    strategy: str = "nsga2"
    preference: Preference = Field(default_factory=Preference)
    candidates: int | None = 500
    seconds: float | None = None
    seed: int = 0
    pack_size: int | None = None
    first_pack: int | None = None
    device: str = "auto"
    halving: bool = False
    inherit: bool = False
    until_goals: bool = False
    plateau: int | None = None
    executor: str = LOCAL
    task_cpus: float = 1.0
    task_gpus: float = 0.0
    warm: tuple[str, ...] = ()
    warm_relevance: tuple[float, ...] = ()
    isolation: Limits | None = None

    def suited(self, *, signals: bool, cores: int | None = None) -> RunSettings:
        """Return these settings with the sizes of packs that nobody chose.

        Networks of tables are trained as one pack, which pays from some tens on: 64, and 16 at first. Those of images
        and sequences are trained one on each processor core and told to the strategy together: twice as many as cores,
        8 at least, so that the strategy learns often and no core waits long for the last ones.

        Args:
            signals: Whether the data are images or sequences.
            cores: Processor cores; those of this machine when None.
        """
        several = max(8, 2 * (cores or os.cpu_count() or 1))
        pack, first = (several, several) if signals else (64, 16)
        chosen = self.pack_size or pack
        return self.model_copy(update={"pack_size": chosen, "first_pack": self.first_pack or min(first, chosen)})

    @field_validator("candidates", "pack_size", "first_pack", "plateau", mode="before")
    @classmethod
    def _count(cls, value: Any, info: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise SettingsError(
                f"The number for {info.field_name} is {value!r}",
                allowed="a whole number from 1",
                fix="choose 1 or more",
            )
        return value

    @field_validator("seconds", mode="before")
    @classmethod
    def _time(cls, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value > 0):
            raise SettingsError(
                f"The time budget is {value!r}", allowed="a number of seconds above 0", fix="choose for example 60"
            )
        return float(value)

    @field_validator("seed", mode="before")
    @classmethod
    def _seed(cls, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise SettingsError(f"The seed is {value!r}", allowed="a whole number from 0", fix="choose for example 0")
        return value

    @field_validator("executor")
    @classmethod
    def _executor(cls, value: str) -> str:
        cluster_address(value)
        return value

    @field_validator("task_cpus", "task_gpus", mode="before")
    @classmethod
    def _room(cls, value: Any, info: Any) -> Any:
        least = 0.01 if info.field_name == "task_cpus" else 0.0
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < math.inf:
            raise SettingsError(
                f"The number for {info.field_name} is {value!r}",
                allowed=f"a number from {least:g}; fractions let tasks share",
                fix="choose for example 1",
            )
        return float(value)

    @field_validator("device")
    @classmethod
    def _device(cls, value: str) -> str:
        if value not in ("auto", "cpu", "cuda", "mps"):
            raise SettingsError(f"There is no device {value!r}", allowed="auto, cpu, cuda, mps", fix="choose auto")
        return value
