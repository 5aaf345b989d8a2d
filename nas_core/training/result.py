"""What a training leaves behind: outcomes and networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas_core.training.progress import TrainOutcome

if TYPE_CHECKING:
    from nas_core.training.module_pack import ModulePack
    from nas_core.training.trained import TrainedPack

__all__ = ["PackResult"]


@dataclass(frozen=True)
class PackResult:
    """K outcomes and the K trained networks, in the order of the items; ``seconds`` is the wall time of the pack.

    Networks of tables are one pack of padded products, those of images and sequences a pack of modules. Both have
    ``K``, ``predict(E)`` → (K, n, C), ``weights(k)`` and ``state_dict(k)``.
    """

    outcomes: list[TrainOutcome]
    pack: TrainedPack | ModulePack
    seconds: float
