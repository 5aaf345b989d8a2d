"""Arrays of images: which axis is what, grey or colour, and another size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data.arrays import SignalLimits
from nas_core.data.options import MAX_SIDE, ReadingOptions
from nas_core.data.series import LARGEST
from nas_core.errors import DataError

__all__ = ["LUMA", "channels_first", "prepared", "resized"]

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601
MAX_CHANNELS = 16
Floats = NDArray[np.float32]


def channels_first(X: NDArray[Any], name: str) -> NDArray[Any]:
    """Return images (N, C, H, W) from (N, H, W), (N, H, W, C) or (N, C, H, W).

    The channels are the axis of 1, 3 or 4 (the last where both qualify), else the one axis that is at most 16 and
    shorter than both others.

    Raises:
        DataError: The shape is none of these.
    """
    if X.ndim == 3:
        return X[:, None]
    if X.ndim == 4:
        first, height, last = X.shape[1:]
        if last in (1, 3, 4):
            return np.moveaxis(X, 3, 1)
        if first in (1, 3, 4) or (first <= MAX_CHANNELS and first < min(height, last)):
            return X
        if last <= MAX_CHANNELS and last < min(first, height):
            return np.moveaxis(X, 3, 1)
    raise DataError(
        f"The images of {name} have the shape {X.shape}",
        allowed="(rows, height, width), (rows, height, width, channels) or (rows, channels, height, width)",
        fix="save the array in one of these shapes",
    )


def prepared(X: NDArray[Any], options: ReadingOptions, name: str) -> tuple[Floats, list[str]]:
    """Return images (N, C, H, W) as float32 in the wished colours and size, and notes.

    Raises:
        DataError: A value is missing, infinite or extreme, the images are too large, or two channels have no colours.
    """
    rows, channels, height, width = X.shape
    if max(height, width) > MAX_SIDE and options.size is None:
        raise DataError(
            f"The images of {name} have {height} × {width} pixels",
            allowed=f"at most {MAX_SIDE} × {MAX_SIDE}",
            fix="choose a size, for example 64 × 64",
        )
    SignalLimits.check(rows, int(np.prod(options.size or (height, width))) * channels, name)
    with np.errstate(over="ignore", invalid="ignore"):
        images = X.astype(np.float32)
    if not (np.abs(images) <= LARGEST).all():
        raise DataError(
            f"The images of {name} hold missing, infinite or extreme values",
            allowed=f"numbers between -{LARGEST:g} and {LARGEST:g}",
            fix="leave those images out, or replace the values",
        )
    images, notes = _coloured(images, options, name)
    if options.size is not None and options.size != (height, width):
        images = resized(images, options.size)
        notes.append(f"All {rows:,} images are resized from {height} × {width} to {options.size[0]} × "
                     f"{options.size[1]} pixels.")  # fmt: skip
    return images, notes


def resized(images: Floats, size: tuple[int, int]) -> Floats:
    """Return images (N, C, H, W) resized to ``size`` by averaging over areas (smaller) or bilinearly (larger)."""
    from PIL import Image

    out = np.empty((*images.shape[:2], *size), dtype=np.float32)
    smaller = size[0] <= images.shape[2] and size[1] <= images.shape[3]
    way = Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR
    for i, image in enumerate(images):
        for c, plane in enumerate(image):
            out[i, c] = np.asarray(Image.fromarray(np.ascontiguousarray(plane)).resize((size[1], size[0]), way))
    return out


def _coloured(images: Floats, options: ReadingOptions, name: str) -> tuple[Floats, list[str]]:
    """Return images with one channel for grey and three for colour, as wished, and notes."""
    channels = images.shape[1]
    if options.colour == "auto" or channels == {"grey": 1, "colour": 3}[options.colour]:
        return images, []
    if channels not in (1, 3, 4):
        raise DataError(
            f"The images of {name} have {channels} channels, which are no colours",
            allowed="colour='auto' for anything but grey, red-green-blue, or these with transparency",
            fix="leave the colours as they are",
        )
    if options.colour == "colour":
        return np.repeat(images, 3, axis=1) if channels == 1 else images[:, :3], []
    grey = np.einsum("nchw,c->nhw", images[:, :3], LUMA)[:, None]
    return grey.astype(np.float32), ["Colours are turned into grey."]
