"""What an image space allows, worked out once, and what its operations are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from nas_core.spaces.family import Constraints
from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical, Integer

if TYPE_CHECKING:
    from nas_core.spaces.image.blocks import ImageBlocks
    from nas_core.spaces.space import SearchSpace

__all__ = [
    "ACTIVATIONS",
    "CONVOLUTIONS",
    "KERNEL",
    "OPERATIONS",
    "POOLS",
    "TRANSITIONS",
    "WORDS",
    "ImageConstraints",
    "ImageRules",
    "Size",
    "halved",
    "rules_of",
    "work_out",
]

Size = tuple[int, int]
"""Height and width."""

ACTIVATIONS = ("relu", "sigmoid", "tanh", "gelu", "silu", "softplus", "identity")

CONVOLUTIONS = ("conv1", "conv3", "conv5", "sep3", "sep5")
"""Operations with a width; ``sep`` is depthwise separable: each filter reads one map, a 1×1 convolution mixes them."""

POOLS = ("max", "avg")
"""3×3 pooling of stride 1, which keeps the size."""

OPERATIONS = (*CONVOLUTIONS, *POOLS, "se", "attention", "identity")
"""Everything a block may be. An identity is accepted and dropped: an architecture never holds one."""

TRANSITIONS = ("none", "max", "avg", "conv")
"""What ends a stage: nothing, 2×2 pooling of stride 2, or a 3×3 convolution of stride 2."""

KERNEL = {"conv1": 1, "conv3": 3, "conv5": 5, "sep3": 3, "sep5": 5, "max": 3, "avg": 3, "se": 1, "attention": 3}

WORDS = {
    "conv1": "1×1 convolution",
    "conv3": "3×3 convolution",
    "conv5": "5×5 convolution",
    "sep3": "3×3 separable convolution",
    "sep5": "5×5 separable convolution",
    "max": "3×3 max pooling",
    "avg": "3×3 average pooling",
    "se": "squeeze-excitation",
    "attention": "spatial attention",
    "identity": "identity",
}


class ImageConstraints(Constraints):
    """Limits of convolutional networks; None means no limit.

    Attributes:
        max_layers: Layers with weights: blocks other than pooling, convolutions of stride 2, dense layers.
        max_receptive_field: Height and width, in pixels, of what one place of the last maps sees.
    """

    max_layers: int | None = Field(default=None, ge=1)
    max_parameters: int | None = Field(default=None, ge=1)
    max_operations: int | None = Field(default=None, ge=1)
    max_receptive_field: int | None = Field(default=None, ge=1)


@dataclass(frozen=True)
class ImageRules:
    """An image space by part. ``limited`` is False where no constraint can refuse anything."""

    channels: int
    size: Size
    cell: Size
    P: int
    features: tuple[int, ...]
    outputs: int
    blocks: ImageBlocks
    choices: dict[str, Categorical]
    hidden_depth: Integer
    reals: dict[str, Real]
    limits: ImageConstraints
    limited: bool
    most_operations: int = 0

    @property
    def hidden_depths(self) -> tuple[int, ...]:
        """Numbers of hidden layers a dense head may have."""
        return tuple(range(self.hidden_depth.low, self.hidden_depth.high + 1))

    def offers(self, name: str, choice: Any) -> bool:
        """Return whether a categorical variable has this choice."""
        return choice in self.choices[name].choices


def halved(size: Size) -> Size:
    """Return the size after a transition: half, rounded up, never below 1."""
    return (size[0] + 1) // 2, (size[1] + 1) // 2


def rules_of(space: SearchSpace) -> ImageRules:
    """Return the rules of an image space; they are worked out once per space."""
    rules: ImageRules = space.compiled
    return rules


def work_out(space: SearchSpace) -> ImageRules:
    """Return the rules of a checked declaration."""
    known = space.by_name
    limits: ImageConstraints = space.constraints  # type: ignore[assignment]
    signal = space.signal
    assert signal is not None  # check_space refuses an image space without one
    height, width = signal.place
    return ImageRules(
        channels=signal.encoded_shape[0],
        size=(height, width),
        cell=signal.cell,
        P=len(space.features),
        features=tuple(range(len(space.features))),
        outputs=space.outputs,
        blocks=known["stages"],  # type: ignore[arg-type]
        choices={n: v for n, v in known.items() if isinstance(v, Categorical)},
        hidden_depth=known["hidden_depth"],  # type: ignore[arg-type]
        reals={n: v for n, v in known.items() if isinstance(v, Real)},
        limits=limits,
        limited=any(value is not None for value in limits.model_dump().values()),
    )
