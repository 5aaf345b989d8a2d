"""Small images in folders and archives, for tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["folder", "picture", "pictures", "pixels", "zipped"]

RNG = np.random.default_rng(0)


def picture(height: int = 6, width: int = 5, kind: str = "grey", way: str = "PNG") -> bytes:
    """Return one random image as a file."""
    shape = (height, width) if kind == "grey" else (height, width, 3)
    out = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, shape, dtype=np.uint8)).save(out, way)
    return out.getvalue()


def pictures(kind: str = "grey", rows: int = 6, sizes: tuple[tuple[int, int], ...] = ((6, 5),)) -> dict[str, bytes]:
    """Return images of two classes by their paths."""
    return {
        f"{name}/{i}.png": picture(*sizes[i % len(sizes)], kind=kind) for name in ("cat", "dog") for i in range(rows)
    }


def folder(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below ``root``."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def zipped(file: Path, files: Mapping[str, bytes]) -> Path:
    """Write files into an archive."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file


def pixels(content: bytes) -> np.ndarray:
    """Return what an image file holds."""
    return np.asarray(Image.open(io.BytesIO(content)))
