"""The stages and blocks of a convolutional network: the variable that decides what it sees and at what price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nas_core.spaces.image import moves
from nas_core.spaces.image.canonical import canonical, cleaned
from nas_core.spaces.image.faults import form_fault, stages_fault
from nas_core.spaces.image.rules import CONVOLUTIONS, OPERATIONS, ImageRules, rules_of
from nas_core.spaces.image.stages import fitted_stages, usable_stages
from nas_core.spaces.image.steps import steps
from nas_core.spaces.variables import Chooser, Context, Edit, Variable, register_variable

__all__ = ["ImageBlocks"]

Stages = list[dict[str, Any]]


class ImageBlocks(Variable):
    """Stages of blocks; between two stages height and width are halved.

    A value is a list of stages ``{"blocks": [{"operation": "conv3", "width": 16}, {"operation": "max"}],
    "transition": {"operation": "max"}}``. Convolutions have a width, transitions follow a stage, "none" only the last.

    Source: stages of repeated blocks (He et al. 2016, arXiv 1512.03385), separable convolutions (Chollet 2017, arXiv
    1610.02357), squeeze-excitation (Hu et al. 2018, arXiv 1709.01507), spatial attention (Woo et al. 2018, arXiv
    1807.06521; differs: a 3×3 kernel instead of 7×7, for small images).

    Attributes:
        operations: What a block may be; an identity is always accepted and dropped.
        widths: Channels a convolution may have, ascending.
        transitions: What may halve the size between two stages and after the last.
        min_stages, max_stages: How many stages; without one the head reads the pixels.
        min_blocks, max_blocks: How many blocks a stage has.
    """

    kind: Literal["image_blocks"] = "image_blocks"
    operations: tuple[str, ...] = OPERATIONS[:-1]
    widths: tuple[int, ...] = Field(default=(4, 8, 16, 32, 64), min_length=1)
    transitions: tuple[Literal["max", "avg", "conv"], ...] = ("max", "avg", "conv")
    min_stages: int = Field(default=0, ge=0, le=8)
    max_stages: int = Field(default=4, ge=0, le=8)
    min_blocks: int = Field(default=1, ge=1, le=16)
    max_blocks: int = Field(default=4, ge=1, le=16)

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if unknown := [o for o in self.operations if o not in OPERATIONS or o == "identity"]:
            raise ValueError(f"{self.name} offers {unknown[0]!r}; allowed: {', '.join(OPERATIONS[:-1])}")
        if len(set(self.operations)) < len(self.operations) or len(set(self.transitions)) < len(self.transitions):
            raise ValueError(f"{self.name} names an operation or a transition twice")
        if not self.operations and self.max_stages:
            raise ValueError(f"{self.name} offers no operations; allowed: at least one, or max_stages 0")
        if list(self.widths) != sorted(set(self.widths)) or self.widths[0] < 1 or self.widths[-1] > 1024:
            raise ValueError(f"the widths of {self.name} are {list(self.widths)}; allowed: ascending, from 1 to 1024")
        if self.min_stages > self.max_stages or self.min_blocks > self.max_blocks:
            raise ValueError(f"{self.name} has a smallest number of stages or blocks above the largest")
        if not self.transitions and self.max_stages > 1:
            raise ValueError(f"{self.name} has {self.max_stages} stages and no transition; allowed: 1 stage then")
        return self

    @property
    def convolutions(self) -> tuple[str, ...]:
        """The operations that have a width."""
        return tuple(o for o in self.operations if o in CONVOLUTIONS)

    def sample(self, rng: np.random.Generator, context: Context) -> Stages:
        """Return stages around one main operation, widths that mostly grow from stage to stage."""
        rules = rules_of(context.space)
        return fitted_stages(rules, moves.draw_stages(rules, rng), rng)

    def mutate(self, value: Any, rng: np.random.Generator, context: Context) -> Stages:
        """Return stages one operator away."""
        return self.operate(value, rng, context)[0]

    def operate(self, value: Any, rng: np.random.Generator, context: Context) -> tuple[Stages, str]:
        """Return stages one operator away, and its name; unchanged when no operator applies."""
        rules = rules_of(context.space)
        names = list(moves.MOVES)
        for at in rng.permutation(len(names)):
            moved = moves.MOVES[names[at]](rules, value, rng)
            if moved is not None:
                changed = fitted_stages(rules, moved, rng)
                if changed != value:
                    return changed, names[at]
        return value, "unchanged"

    def crossover(self, a: Any, b: Any, rng: np.random.Generator, context: Context) -> Stages:
        """Return the first stages of one parent and the last of the other, or each stage from either."""
        first, second = (a, b) if rng.random() < 0.5 else (b, a)
        if rng.random() < 0.5:
            cut, other = int(rng.random() * (len(first) + 1)), int(rng.random() * (len(second) + 1))
            child = first[:cut] + second[other:]
        else:
            count = len(first if rng.random() < 0.5 else second)
            sources = [p for p in (first, second) if p]
            child = []
            for at in range(count):
                fitting = [p for p in sources if at < len(p)]
                child.append(fitting[int(rng.random() * len(fitting))][at])
        rules = rules_of(context.space)
        return fitted_stages(rules, moves.divided(rules, child, rng), rng)

    def neighbours(self, value: Any, context: Context) -> Iterator[Stages]:
        """Yield valid stages one step away: for each stage its blocks, then its transition and its borders."""
        rules = rules_of(context.space)
        for edit in steps(rules, value, thorough=False):
            if stages_fault(rules, cleaned(edit.value, rules.size)) is None:
                yield edit.value

    def edits(self, value: Any, context: Context) -> Iterator[Edit]:
        """Yield, stage by stage: blocks removed, changed, widened, added, borders moved, transitions changed."""
        rules = rules_of(context.space)
        for edit in steps(rules, value, thorough=True):
            if not self._same(rules, context.values, value, edit.value):
                yield edit

    def count(self, context: Context) -> int:
        """Return how many lists of stages there are within the bounds (exact big integer), by size of the map."""
        from nas_core.spaces.image.count import stage_lists

        return stage_lists(rules_of(context.space))

    def encode(self, value: Any, context: Context) -> np.ndarray:
        """Return, for each place a block may have, its operation and width, and for each stage its transition."""
        slots, kinds = len(self.operations) + 1, len(self.transitions) + 1
        per_stage = self.max_blocks * slots + kinds
        vector = np.zeros(self.max_stages * per_stage)
        for s, stage in enumerate(value[: self.max_stages]):
            at = s * per_stage
            for b, block in enumerate(stage["blocks"][: self.max_blocks]):
                self._mark(vector, at + b * slots, self.operations, block)
            self._mark(vector, at + self.max_blocks * slots, self.transitions, stage["transition"])
        return vector

    def encode_names(self, context: Context) -> list[str]:
        """Return the name of each entry."""
        names = []
        for s in range(1, self.max_stages + 1):
            for b in range(1, self.max_blocks + 1):
                names += [f"stage {s} block {b}: {what}" for what in (*self.operations, "width")]
            names += [f"stage {s} transition: {what}" for what in (*self.transitions, "width")]
        return names

    def validate_value(self, value: Any, context: Context) -> str | None:
        """Return why ``value`` is no list of stages of the domain that fits the images, or None."""
        if reason := form_fault(value):
            return reason
        rules = rules_of(context.space)
        return stages_fault(rules, cleaned(value, rules.size))

    def decide(self, chooser: Chooser, context: Context, like: Any = None) -> Stages:
        """Return stages: how many, how many blocks each has, and of each its operation and width."""
        rules = rules_of(context.space)
        counts = range(self.min_stages, usable_stages(rules) + 1)
        known = None if like is None or len(like) not in counts else len(like) - self.min_stages
        count = counts[chooser.pick("stages", counts, known)] if counts else 0
        decided = []
        for s in range(count):
            told = like[s] if like is not None and s < len(like) else None
            sizes = range(self.min_blocks, self.max_blocks + 1)
            size = len(told["blocks"]) if told else None
            blocks = sizes[chooser.pick(f"blocks of stage {s + 1}", sizes, None if size is None else sizes.index(size))]
            decided.append({
                "blocks": [
                    self._decided(chooser, f"stage {s + 1} block {b + 1}", self.operations,
                                  told["blocks"][b] if told and b < len(told["blocks"]) else None)
                    for b in range(blocks)
                ],
                "transition": self._decided(chooser, f"stage {s + 1} transition", (*self.transitions, "none"),
                                            told["transition"] if told else None),
            })  # fmt: skip
        return fitted_stages(rules, decided, np.random.default_rng(0))

    def _decided(
        self, chooser: Chooser, name: str, operations: Sequence[str], like: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Return one block or transition: its operation, and a width where that has one."""
        known = operations.index(like["operation"]) if like and like["operation"] in operations else None
        operation = operations[chooser.pick(name, operations, known)]
        if operation not in CONVOLUTIONS and operation != "conv":
            return {"operation": operation}
        width = self.widths.index(like["width"]) if like and like.get("width") in self.widths else None
        return {"operation": operation, "width": self.widths[chooser.pick(f"{name} width", self.widths, width)]}

    def tidy(self, value: Any) -> Stages:
        """Return the stages with nothing but what they need."""
        return [
            {"blocks": [_plain(b) for b in stage["blocks"]], "transition": _plain(stage["transition"])}
            for stage in value
        ]

    def _same(self, rules: ImageRules, values: Mapping[str, Any], one: Any, two: Any) -> bool:
        """Return whether two lists of stages mean the same network beside the other ``values``, where all are known."""
        if "head" not in values:
            return cleaned(one, rules.size) == cleaned(two, rules.size)
        first, second = ({**values, self.name: stages} for stages in (one, two))
        return canonical(rules, first)["stages"] == canonical(rules, second)["stages"]

    def _mark(self, vector: np.ndarray, at: int, kinds: tuple[str, ...], block: dict[str, Any]) -> None:
        if block["operation"] in kinds:
            vector[at + kinds.index(block["operation"])] = 1.0
        if "width" in block and block["width"] in self.widths:
            vector[at + len(kinds)] = (self.widths.index(block["width"]) + 1) / len(self.widths)


def _plain(block: dict[str, Any]) -> dict[str, Any]:
    return {name: block[name] for name in ("operation", "width") if name in block}


register_variable("image_blocks", ImageBlocks)
