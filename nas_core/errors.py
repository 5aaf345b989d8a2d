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
]


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
