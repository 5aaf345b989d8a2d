"""The versions of a search space: every applied edit is kept, and any of them can be gone back to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dashboard.texts import text
from dashboard.views.space_diff import space_diff

if TYPE_CHECKING:
    from collections.abc import Callable

    from nas_core.spaces import SearchSpace

__all__ = ["KEPT", "History", "Version", "VersionLine", "frame_of", "history_view"]

KEPT = 40
_FRAME = ("features", "signal", "outputs")


@dataclass(frozen=True)
class Version:
    """A search space at one moment.

    Attributes:
        family, preset: What it started from.
        space: The edited space; None for the preset unchanged.
        parent: Position of the version it was made from; None for the first.
    """

    family: str
    preset: str
    space: SearchSpace | None = None
    parent: int | None = None


@dataclass(frozen=True)
class VersionLine:
    """One version as a person reads it: its number, what it changed, and from which one where not the one before."""

    number: int
    words: tuple[str, ...]
    origin: str
    current: bool


@dataclass(frozen=True)
class History:
    """The versions, oldest first, and the one in use. All of them are about the same data."""

    versions: tuple[Version, ...] = ()
    at: int = 0

    @property
    def current(self) -> Version | None:
        """The version in use, None before the first edit."""
        return self.versions[self.at] if self.versions else None

    @property
    def before(self) -> int | None:
        """Where undo leads, None at the first version."""
        return self.versions[self.at].parent if self.versions else None

    @property
    def after(self) -> int | None:
        """Where redo leads: the newest version made from the present one; None when there is none."""
        made = [i for i, version in enumerate(self.versions) if version.parent == self.at and i != self.at]
        return made[-1] if made else None

    def added(self, version: Version) -> History:
        """Return the history with a version made from the present one; the oldest are forgotten beyond 40."""
        versions = (*self.versions, replace(version, parent=self.at if self.versions else None))
        lost = max(0, len(versions) - KEPT)
        kept = tuple(
            replace(v, parent=None if v.parent is None or v.parent < lost else v.parent - lost) for v in versions[lost:]
        )
        return History(kept, len(kept) - 1)

    def moved(self, at: int) -> History:
        """Return the history with another version in use."""
        return replace(self, at=at)

    def to_plain(self) -> dict[str, Any]:
        """Return plain data; what all versions share (the features) is written once."""
        frame: dict[str, Any] = {}
        versions = []
        for version in self.versions:
            dumped = None if version.space is None else version.space.model_dump(mode="json")
            if dumped is not None:
                frame = {name: dumped.pop(name) for name in _FRAME}
            versions.append(
                {"family": version.family, "preset": version.preset, "parent": version.parent, "space": dumped}
            )
        return {"at": self.at, "frame": frame, "versions": versions}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> History:
        """Return the history that :meth:`to_plain` wrote.

        Raises:
            ValueError, KeyError, TypeError, NasightError: This is no history.
        """
        from nas_core.spaces import SearchSpace

        versions = tuple(
            Version(
                str(v["family"]),
                str(v["preset"]),
                None if v["space"] is None else SearchSpace.model_validate({**plain["frame"], **v["space"]}),
                v["parent"],
            )
            for v in plain["versions"]
        )
        at = int(plain["at"])
        links = [v.parent for v in versions if v.parent is not None]
        if not 0 <= at < max(1, len(versions)) or any(not 0 <= link < len(versions) for link in links):
            raise ValueError(f"the version {at} of {len(versions)}")
        return cls(versions, at)


def frame_of(space: SearchSpace) -> tuple[Any, ...]:
    """Return what all versions of a space share: names and kinds of the features, the signal, the outputs."""
    return tuple((f.name, f.kind) for f in space.features), space.signal, space.outputs


def history_view(
    history: History, preset: Callable[[str, str], SearchSpace]
) -> tuple[VersionLine, ...]:  # fmt: skip
    """Return the versions in words, newest first.

    Args:
        history: The versions.
        preset: Returns the space of a family and a preset.
    """
    lines = []
    spaces = [v.space if v.space is not None else preset(v.family, v.preset) for v in history.versions]
    for at, version in enumerate(history.versions):
        if version.parent is None:
            words: tuple[str, ...] = (text("space.version_first", preset=version.preset),)
        elif version.space is None:
            words = (text("space.version_preset", preset=version.preset), *_diff(history, spaces, at))
        else:
            words = _diff(history, spaces, at)
        far = version.parent is not None and version.parent != at - 1
        origin = text("space.version_from", number=(version.parent or 0) + 1) if far else ""
        lines.append(VersionLine(at + 1, words, origin, at == history.at))
    return tuple(reversed(lines))


def _diff(history: History, spaces: list[SearchSpace], at: int) -> tuple[str, ...]:
    parent = history.versions[at].parent
    found = space_diff(spaces[parent], spaces[at]) if parent is not None else ()
    return found or (text("space.version_same"),)
