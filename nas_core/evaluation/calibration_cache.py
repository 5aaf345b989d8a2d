"""Calibrations that were made on this machine, kept in the user's cache: what was measured once is not measured again.

Each is a small JSON file, named by everything it depends on: the data and the split, the recipe and the measures, the
space, the machine with its cores and its device, and the versions of torch and NASight. Nothing is lost with the
folder; a file that is damaged, or that another version wrote in another form, is not there.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, ValidationError

from nas_core.evaluation.calibration import Calibration, Law
from nas_core.records import FiniteRecord, canonical_json
from nas_core.spaces import SearchSpace

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["KeptCalibration", "calibration_directory", "keep_calibration", "kept_calibration"]

KEPT = 64
"""Files that are kept at most, the youngest."""


class KeptCalibration(FiniteRecord):
    """A calibration as it is stored.

    Attributes:
        made: When it was measured, seconds since 1970.
        fixed, weights, measuring: Of the law.
        workers, sample, words, shared: Of the calibration.
    """

    made: float = Field(ge=0)
    fixed: float = Field(ge=0)
    weights: tuple[float, ...]
    measuring: tuple[tuple[float, float], ...]
    workers: int = Field(ge=1)
    sample: tuple[float, ...] = Field(min_length=1)
    words: str
    shared: float = Field(gt=0, le=1)

    def calibration(self, space: SearchSpace) -> Calibration:
        """Return the calibration of the space that it was made for."""
        law = Law(self.fixed, self.weights, self.measuring)
        return Calibration(space, law, self.workers, self.sample, self.words, self.shared)


def calibration_directory() -> Path:
    """Return the folder: ``calibrations`` in ``$NASIGHT_CACHE``, else in ``nasight`` in the user's cache directory."""
    cache = os.environ.get("NASIGHT_CACHE")
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(cache) if cache else user / "nasight") / "calibrations"


def kept_calibration(problem: Problem, space: SearchSpace) -> KeptCalibration | None:
    """Return what was measured on this machine with this problem and this space, None where nothing was."""
    try:
        return KeptCalibration.model_validate_json(_file(problem, space).read_bytes())
    except (OSError, ValidationError):
        return None


def keep_calibration(problem: Problem, found: Calibration) -> None:
    """Keep a calibration; where the folder cannot be written, nothing is kept and nothing fails."""
    law = found.law
    kept = KeptCalibration(
        made=time.time(), fixed=law.fixed, weights=law.weights, measuring=law.measuring, workers=found.workers,
        sample=found.sample, words=found.words, shared=found.shared,
    )  # fmt: skip
    with suppress(OSError):
        path = _file(problem, found.space)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".", delete=False, encoding="utf-8") as file:
            file.write(kept.model_dump_json())
        os.replace(file.name, path)  # readers see the whole file or none
        for old in sorted(path.parent.glob("*.json"), key=lambda p: -p.stat().st_mtime)[KEPT:]:
            old.unlink()


def _file(problem: Problem, space: SearchSpace) -> Path:
    """Return the file of a problem and a space on this machine with these versions."""
    from nas_core.training.device import pick_device
    from nas_core.training.side_by_side import workers_on

    device = pick_device()
    depends_on = [
        problem.spec.model_dump(mode="json", exclude={"name", "source"}),
        space.id,
        [platform.node(), platform.machine(), os.cpu_count(), workers_on(device), _name(device.type)],
        [_version("torch"), _version("nasight")],
    ]
    key = hashlib.sha256(canonical_json(depends_on).encode()).hexdigest()[:32]
    return calibration_directory() / f"{key}.json"


def _name(device: str) -> str:
    """Return the name of the device that candidates are trained on."""
    import torch

    return torch.cuda.get_device_name() if device == "cuda" else device


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""
