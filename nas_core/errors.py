"""Every error NASight raises on purpose: what was given, what is allowed, how to fix it.

The hierarchy:

    NasightError
    ├── DataError         a data set that cannot be read or learned from
    ├── SpaceError        a search space or an architecture that is not valid
    ├── SettingsError     a setting outside what is allowed (λ, budget, strategy name …)
    ├── StoreError        a store that cannot be opened, read or written
    ├── RunError          an operation a run cannot do in its present state
    ├── TrainingError     a candidate that could not be trained
    ├── ExplanationError  an explanation that does not apply to this candidate
    └── ExportError       something that cannot be exported, or not so
"""

import traceback

from nas_core.secrecy import masked

__all__ = [
    "DataError",
    "ExplanationError",
    "ExportError",
    "NasightError",
    "RunError",
    "SettingsError",
    "SpaceError",
    "StoreError",
    "TrainingError",
    "error_line",
    "traceback_of",
]

TRACEBACK_LETTERS = 8_000


class NasightError(Exception):
    """Base of all errors meant for a person to read.

    Args:
        given: What was found, with its value.
        allowed: What would have been accepted.
        fix: The next step that resolves it.
    """

    def __init__(self, given: str, *, allowed: str = "", fix: str = "") -> None:
        self.given, self.allowed, self.fix = given, allowed, fix
        sentences = [given]
        if allowed:
            sentences.append(f"Allowed: {allowed}")
        if fix:
            sentences.append(f"Fix: {fix}")
        super().__init__(" ".join(s if s.endswith((".", "!", "?")) else s + "." for s in sentences))


class DataError(NasightError):
    """A data set that cannot be read or learned from."""


class SpaceError(NasightError):
    """A search space or an architecture that is not valid."""


class SettingsError(NasightError):
    """A setting outside what is allowed."""


class StoreError(NasightError):
    """A store that cannot be opened, read or written."""


class RunError(NasightError):
    """An operation that a run cannot do in its present state."""


class TrainingError(NasightError):
    """A candidate that could not be trained."""


class ExplanationError(NasightError):
    """An explanation that does not apply to this candidate."""


class ExportError(NasightError):
    """Something that cannot be exported, or not in this format."""


def error_line(error: BaseException) -> str:
    """Return what went wrong in words: an error of NASight as it stands, any other with its kind, secrets hidden."""
    return str(error) if isinstance(error, NasightError) else masked(f"{type(error).__name__}: {error}")


def traceback_of(error: BaseException) -> str:
    """Return where ``error`` came from, the last 8,000 letters of it: the innermost frames say most; secrets hidden."""
    told = masked("".join(traceback.format_exception(error)).strip())
    return told if len(told) <= TRACEBACK_LETTERS else f"…{told[-TRACEBACK_LETTERS:]}"
