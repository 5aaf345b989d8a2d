"""Values that are written as text on the command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nas_core.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nas_core.data.dataset import ColumnKind
    from nas_core.objectives import Objective
    from nas_core.preferences import Goal

__all__ = ["parse_bytes", "parse_goals", "parse_kinds", "parse_seconds", "parse_size", "parse_weights"]

KINDS: dict[str, ColumnKind] = {"numeric": "numeric", "categorical": "categorical", "ignore": "ignore"}


def parse_seconds(text: str) -> float:
    """Return the seconds that a text such as ``90``, ``60s``, ``5m`` or ``1h30m`` means.

    Raises:
        SettingsError: It means nothing, or no time at all.
    """
    found = re.fullmatch(r"(?:([\d.]+)h)?(?:([\d.]+)m(?:in)?)?(?:([\d.]+)s?)?", text.strip().lower().replace(" ", ""))
    try:
        hours, minutes, seconds = (float(part) if part else 0.0 for part in (found.groups() if found else ("x",) * 3))
    except ValueError:
        hours = minutes = seconds = 0.0
    total = 3600 * hours + 60 * minutes + seconds
    if total <= 0.0:
        raise SettingsError(f"{text!r} is not a time", allowed="for example 60s, 5m, 1h30m", fix="write it like these")
    return total


def parse_bytes(text: str) -> int:
    """Return the bytes that a text such as ``800MB``, ``2GB`` or ``1.5 GiB`` means.

    Raises:
        SettingsError: It means nothing.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:([kmgt])(i?))?b?", text.strip().lower().replace(" ", ""))
    if found is None:
        raise SettingsError(
            f"{text!r} is not an amount of memory", allowed="for example 800MB, 2GB, 1.5GiB", fix="write it like these"
        )
    power = " kmgt".index(found[2] or " ")
    return round(float(found[1]) * (1024 if found[3] else 1000) ** power)


def parse_kinds(texts: list[str]) -> dict[str, ColumnKind]:
    """Return the kinds that texts such as ``age=numeric`` give to columns; a name may hold an equals sign.

    Raises:
        SettingsError: A text is not of this form, or the kind does not exist.
    """
    found: dict[str, ColumnKind] = {}
    for text in texts:
        name, _, kind = text.rpartition("=")
        if not name or kind not in KINDS:
            raise SettingsError(
                f"{text!r} gives no column a kind", allowed=", ".join(f"NAME={k}" for k in KINDS), fix="write it so"
            )
        found[name] = KINDS[kind]
    return found


def parse_weights(texts: list[str], allowed: Iterable[str]) -> dict[str, float]:
    """Return the weights that texts such as ``structure=2`` give to names.

    Raises:
        SettingsError: A text is not of this form, the name is none of ``allowed``, or it is weighed twice.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, number = (part.strip() for part in text.partition("="))
        try:
            weight = float(number)
        except ValueError:
            weight = float("nan")
        if name not in allowed or name in found or not weight >= 0.0:
            wrong = "weighs twice what was weighed before" if name in found else "is no weight"
            raise SettingsError(
                f"{text!r} {wrong}", allowed=f"NAME=NUMBER, zero or more, once for {', '.join(allowed)}",
                fix=f"write for example {next(iter(allowed), 'NAME')}=2",
            )  # fmt: skip
        found[name] = weight
    return found


def parse_goals(texts: list[str], objective: Objective) -> tuple[Goal, ...]:
    """Return the goals that texts such as ``interpretability=0.6`` set; the metric's own name means performance.

    Raises:
        SettingsError: A text is not of this form, or a score is not in [0, 1].
    """
    from nas_core.preferences import PERFORMANCE, Goal

    found = []
    for text in texts:
        name, _, number = (part.strip() for part in text.partition("="))
        try:
            value = float(number)
        except ValueError:
            raise SettingsError(
                f"{text!r} is no goal",
                allowed=f"NAME=NUMBER with {PERFORMANCE}, {objective.name}, interpretability or a measure",
                fix=f"write for example {objective.name}={objective.value(0.1):.3g}",
            ) from None
        found.append(Goal(name=PERFORMANCE if name == objective.name else name, value=value))
    return tuple(found)


def parse_size(text: str) -> tuple[int, int]:
    """Return height and width of a text such as ``28x28``, ``32×48`` or ``64``.

    Raises:
        SettingsError: It is not of this form.
    """
    found = re.fullmatch(r"([0-9]{1,5})(?:\s*[x×*]\s*([0-9]{1,5}))?", text.strip().lower())
    if found is None:
        raise SettingsError(
            f"{text!r} is not a size of images", allowed="HEIGHTxWIDTH in pixels, for example 28x28", fix="write it so"
        )
    return int(found[1]), int(found[2] or found[1])
