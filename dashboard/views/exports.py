"""What the studio says about exports: how large a file is, what its check found, why a format does not apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.texts import text
from dashboard.views.words import count

if TYPE_CHECKING:
    from nas_core.exports.formats import Format
    from nas_core.exports.portable import Check
    from nas_core.records import Evaluation

__all__ = ["check_words", "reason_words", "size_words"]


def size_words(size: int) -> str:
    """Return a number of bytes for a person: 812 B, 57 kB, 3.4 MB, 1.25 GB."""
    if size < 1000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{size / 1000:.0f} kB"
    return f"{size / 1_000_000:.1f} MB" if size < 1_000_000_000 else f"{size / 1_000_000_000:.2f} GB"


def small(value: float) -> str:
    """Return a small number with one digit: 3e-7, 0.2, 0."""
    return f"{value:.1g}".replace("e-0", "e-")


def check_words(check: Check) -> str:
    """Return what the check of a file found."""
    return text(f"exports.checked_{check.unit}", rows=count(check.rows), difference=small(check.difference),
                program=check.with_)  # fmt: skip


def reason_words(format: Format, found: Evaluation | None) -> str:
    """Return why a format does not apply, to a candidate or, with None, to a run; empty where it does."""
    if format.trained and found is not None and found.weights is None:
        return text("exports.no_weights")
    if not format.installed().ok:
        return text("exports.not_installed", command=f"`pip install 'nasight[{format.extra}]'`")
    return ""
