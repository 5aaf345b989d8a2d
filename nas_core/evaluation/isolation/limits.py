"""How long a candidate may take, and how much memory it may use."""

from __future__ import annotations

import math
from typing import Any

from pydantic import field_validator

from nas_core.errors import SettingsError
from nas_core.records import Record

__all__ = ["Limits", "bytes_in_words"]

SILENCE_SECONDS = 600.0
"""A worker that tells of no epoch and no result for so long is taken for hanging, whatever the limits."""

LEAST_MEMORY = 1_000_000


class Limits(Record):
    """What holds for the candidates of a run whose training is isolated.

    What is trained together keeps to the limits of one candidate too: a pack that oversteps one is halved.

    Attributes:
        seconds: Wall-clock seconds of a candidate; None for no limit.
        memory: Bytes by which a candidate may make the worker process grow; None for no limit.
        total: Bytes that the worker process may have in memory altogether; None for no limit.

    Raises:
        SettingsError: A number outside what is allowed.
    """

    seconds: float | None = None
    memory: int | None = None
    total: int | None = None

    @field_validator("seconds", mode="before")
    @classmethod
    def _time(cls, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value > 0):
            raise SettingsError(
                f"The time of a candidate is {value!r}",
                allowed="a number of seconds above 0",
                fix="choose for example 60",
            )
        return float(value)

    @field_validator("memory", "total", mode="before")
    @classmethod
    def _bytes(cls, value: Any, info: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < LEAST_MEMORY:
            whose = "a candidate" if info.field_name == "memory" else "the run"
            raise SettingsError(
                f"The memory of {whose} is {value!r}", allowed=f"bytes, {LEAST_MEMORY:,} at least",
                fix="choose for example 2GB, which is 2000000000",
            )  # fmt: skip
        return value


def bytes_in_words(count: float) -> str:
    """Return a number of bytes as people write it: ``412 MB``, ``3.1 GB``."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
