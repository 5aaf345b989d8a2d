"""What a person wants to see of the front: which quantities are its axes, what colours say, what is marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

__all__ = ["COLOURS", "MARKS", "FrontChoice"]

COLOURS = ("front", "origin", "age", "operator", "chance", "version")
"""What the colour of a point can say; ``front`` is who is on the front, as always."""
MARKS = ("knee", "unsupported", "intervals", "ellipses", "chance", "ties")
"""What can be marked beside that."""


@dataclass(frozen=True)
class FrontChoice:
    """Axes, colour and marks of the front.

    Attributes:
        x, y: Keys of the quantities on the axes, see :func:`dashboard.views.front_axes.axis_keys`.
        z: That of a third axis; empty for a picture in two dimensions.
        colour: One of :data:`COLOURS`.
        marks: Those of :data:`MARKS` that are shown.
    """

    x: str = "interpretability"
    y: str = "performance"
    z: str = ""
    colour: str = "front"
    marks: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The quantities on the axes, two or three."""
        return (self.x, self.y, self.z) if self.z else (self.x, self.y)

    @property
    def usual(self) -> bool:
        """Whether the axes are the two that λ weighs."""
        return self.keys == ("interpretability", "performance")

    @property
    def intervals(self) -> bool:
        """Whether something is asked for that shows the intervals of single points."""
        return "intervals" in self.marks or "ellipses" in self.marks

    @property
    def uncertain(self) -> bool:
        """Whether something is asked for that draws from the intervals answer."""
        return self.colour == "chance" or "chance" in self.marks or "ties" in self.marks

    def query(self) -> dict[str, str]:
        """Return the query parameters that name what differs from the usual picture."""
        usual = FrontChoice()
        named = {"fx": self.x, "fy": self.y, "fz": self.z, "fc": self.colour, "fm": ",".join(self.marks)}
        plain = {"fx": usual.x, "fy": usual.y, "fz": usual.z, "fc": usual.colour, "fm": ""}
        return {key: value for key, value in named.items() if value != plain[key]}

    @classmethod
    def read(cls, query: Mapping[str, str], axes: Sequence[str]) -> FrontChoice:
        """Return the choice that query parameters name; what is unknown (another run's measure) is the usual.

        Args:
            query: Query parameters, see :meth:`query`.
            axes: Quantities there are.
        """
        usual = cls()
        found = cls(
            x=query.get("fx", usual.x), y=query.get("fy", usual.y), z=query.get("fz", ""),
            colour=query.get("fc", usual.colour), marks=tuple(m for m in MARKS if m in query.get("fm", "").split(",")),
        )  # fmt: skip
        return found.within(axes)

    def within(self, axes: Sequence[str]) -> FrontChoice:
        """Return the choice with what is not there, or is there twice, put right."""
        usual = FrontChoice()
        found = self
        if not {found.x, found.y} <= set(axes) or found.x == found.y:
            found = replace(found, x=usual.x, y=usual.y)
        if found.z not in axes or found.z in (found.x, found.y):
            found = replace(found, z="")
        return found if found.colour in COLOURS else replace(found, colour=usual.colour)
