"""How numbers are written in a record: three significant digits, intervals as ±, times as "2 min 10 s"."""

from __future__ import annotations

import math
from datetime import datetime

from nas_core.records import Estimate

__all__ = ["amount", "clock", "difference", "duration", "share", "with_interval"]

MISSING = "–"


def amount(value: float | None, digits: int = 3) -> str:
    """Return a number with so many significant digits, a dash where there is none."""
    if value is None or not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size >= 6 or size < -4:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(0, digits - 1 - math.floor(math.log10(abs(round(value, digits - 1 - size)))))}f}"


def with_interval(value: Estimate | None) -> str:
    """Return ``0.985 (0.97 to 0.99)``: the value with its 95 % interval, which need not be symmetric."""
    if value is None:
        return MISSING
    return f"{amount(value.value)} ({amount(value.low)} – {amount(value.high)})"


def difference(value: float | None) -> str:
    """Return a difference with its sign, ``+0.012`` or ``−0.012``."""
    return MISSING if value is None or not math.isfinite(value) else f"{value:+.3f}".replace("-", "−")


def share(value: float) -> str:
    """Return a share in [0, 1] as a percentage."""
    return f"{math.floor(100 * value + 0.5)} %"


def duration(seconds: float) -> str:
    """Return seconds as ``12 s``, ``2 min 10 s`` or ``3 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def clock(seconds: float) -> str:
    """Return a moment as local date and time with its offset from UTC."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M %z")
