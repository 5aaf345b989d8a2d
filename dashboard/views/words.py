"""How numbers are written: three significant digits, times as "2 min 10 s", shares as percent, intervals as ±."""

from __future__ import annotations

import math

from nas_core.records import Estimate

__all__ = ["count", "duration", "estimate", "interval", "number", "percent", "signed"]

MISSING = "–"


def number(value: float | None, digits: int = 3) -> str:
    """Return ``value`` with ``digits`` significant digits, a dash where there is none."""
    if value is None or not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude >= 6 or magnitude < -4:
        return f"{value:.{digits - 1}e}"
    rounded = round(value, digits - 1 - magnitude)
    magnitude = math.floor(math.log10(abs(rounded)))  # .9996 becomes 1.00
    return f"{rounded:,.{max(0, digits - 1 - magnitude)}f}"


def estimate(value: Estimate | None, digits: int = 3) -> str:
    """Return ``value ± half its 95 % interval``."""
    return MISSING if value is None else interval(value.value, value.low, value.high, digits)


def interval(value: float | None, low: float | None, high: float | None, digits: int = 3) -> str:
    """Return ``value ± half of the interval``, both to the same decimals; the value alone where it has none."""
    told = number(value, digits)
    if low is None or high is None or not math.isfinite(high - low):
        return told
    half = (high - low) / 2
    decimals = len(told.partition(".")[2])
    same = f"{half:.{decimals}f}"
    return f"{told} ± {same if float(same) and 'e' not in told else f'{half:.1g}'}"


def signed(value: float, decimals: int = 3) -> str:
    """Return a difference with its sign, ``+0.012`` or ``−0.012``."""
    return f"{value:+.{decimals}f}".replace("-", "−")


def percent(share: float | None) -> str:
    """Return a share in [0, 1] as a percentage."""
    return MISSING if share is None or not math.isfinite(share) else f"{100 * share:.0f} %"


def count(value: int) -> str:
    """Return a whole number with thousands separated."""
    return f"{value:,}"


def duration(seconds: float | None) -> str:
    """Return seconds as ``850 ms``, ``12 s``, ``2 min 10 s`` or ``3 h 5 min``."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return MISSING
    if seconds < 1:
        return f"{round(1000 * seconds)} ms"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
