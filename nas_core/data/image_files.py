"""Folders and zip archives of images, one folder per class."""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data.archives import ZIP_ERRORS, Files
from nas_core.data.arrays import SignalLimits, signal_dataset
from nas_core.data.dataset import Dataset, DataSource
from nas_core.data.options import ReadingOptions
from nas_core.data.pictures import LUMA
from nas_core.data.signal import image_signal
from nas_core.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["IMAGE_SUFFIXES", "Labelled", "PictureLimits", "folder_dataset", "labelled"]

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pnm")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
TRAIN, VALID, TEST = ("train", "training"), ("val", "valid", "validation"), ("test", "testing")
LARGEST_SIDE = 64
BROKEN = (*ZIP_ERRORS, SyntaxError, IndexError, TypeError, AttributeError, MemoryError, AssertionError)
SHAPE = "one folder per class with its images inside, alone or within train/ and test/"


class PictureLimits:
    """How large one image may be: pixels of the picture, and bytes of its file."""

    PIXELS = 50_000_000
    BYTES = 100_000_000


@dataclass(frozen=True)
class Labelled:
    """One image file: its path, its class, and whether it is declared to be a test image."""

    path: str
    label: str
    test: bool


def labelled(names: Sequence[str], name: str) -> tuple[list[Labelled], list[str]]:
    """Return the image files with class and part, and notes.

    Folders around everything are ignored; then come folders of classes, or the folders train, val and test with folders
    of classes inside.

    Raises:
        DataError: The folders are arranged in another way.
    """
    images = [n for n in names if PurePosixPath(n).suffix.lower() in IMAGE_SUFFIXES]
    others = len(names) - len(images)
    notes = [f"{others:,} files that are no images are left out."] if others else []
    if not images:
        raise DataError(f"{name} holds no images", allowed=f"{', '.join(IMAGE_SUFFIXES[:6])} files: {SHAPE}",
                        fix="choose another folder or archive")  # fmt: skip
    paths = [PurePosixPath(n).parts for n in images]
    skip = 0
    while len({p[skip] for p in paths}) == 1 and min(len(p) for p in paths) > skip + 2:
        skip += 1
    tops = {p[skip].lower() for p in paths if len(p) > skip + 1}
    parted = bool(tops) and tops <= {*TRAIN, *VALID, *TEST} and not tops.isdisjoint((*TRAIN, *VALID))
    depth = skip + 1 + parted
    found, joined = [], 0
    for path, parts in zip(images, paths):
        if len(parts) != depth + 1:
            where = "lies in no folder of a class" if len(parts) <= depth else "lies in a folder within a folder"
            raise DataError(f"The image {path[:120]!r} of {name} {where}", allowed=SHAPE,
                            fix="move the images into folders named after their classes")  # fmt: skip
        part = parts[skip].lower() if parted else ""
        joined += part in VALID
        found.append(Labelled(path, parts[depth - 1], part in TEST))
    if joined and tops - set(VALID):
        notes.append(f"{joined:,} images of a validation folder join the others: the validation part is drawn anew.")
    return found, notes


def folder_dataset(source: DataSource, files: Files, test: Files | None = None) -> Dataset:
    """Return the images of a folder or archive in one size.

    Images are resized to the wished size, else to the commonest size of the images to learn from, made smaller when a
    side is longer than 64 pixels. They are grey when all of them are grey, else have colours; what is transparent is
    white.

    Args:
        source: Where the files are, and how they are to be read.
        files: The folder or archive.
        test: A folder or archive of test images.

    Raises:
        DataError: A file is broken or too large, there are too many, or the folders are arranged in another way.
    """
    found, notes = labelled(files.names, files.name)
    places = [(files, image) for image in found]
    if test is not None:
        own = [i for i in found if not i.test]
        more, _ = labelled(test.names, test.name)
        places = [(files, i) for i in own] + [(test, Labelled(i.path, i.label, True)) for i in more]
    elif source.reading.test == "":
        places = [(f, i) for f, i in places if not i.test]
    places.sort(key=lambda place: place[1].test)  # stable: test rows last
    SignalLimits.check(len(places), 1, files.name)
    with _strict():
        sizes = [_opened(f, i.path, lambda image: image.size) for f, i in places]
    learned = Counter(size for size, (_, i) in zip(sizes, places) if not i.test)
    size = source.reading.size or _common(learned)
    SignalLimits.check(len(places), size[0] * size[1] * (3 if source.reading.colour == "colour" else 1), files.name)
    with _strict():
        X = _pixels(places, size, source.reading)
    resized = sum(s != (size[1], size[0]) for s in sizes)
    if resized:
        notes.append(f"{resized:,} of {len(places):,} images are resized to {size[0]} × {size[1]} pixels "
                     f"({len(set(sizes)):,} sizes are mixed)." if len(set(sizes)) > 1 else
                     f"All {len(places):,} images are resized from {sizes[0][1]} × {sizes[0][0]} to {size[0]} × "
                     f"{size[1]} pixels.")  # fmt: skip
    reading = source.reading.model_copy(update={"modality": "image"})
    source = source.model_copy(
        update={"target": source.target or "class", "task": source.task or "classification", "reading": reading}
    )
    held = np.flatnonzero([i.test for _, i in places])
    return signal_dataset(
        X, np.array([i.label for _, i in places]), image_signal(*X.shape[1:]), name=Path(source.location).stem,
        task=source.task or "classification", target=str(source.target), source=source, notes=notes, held_out=held,
    )  # fmt: skip


def _common(sizes: Counter[tuple[int, int]]) -> tuple[int, int]:
    """Return height and width of the commonest size (the smallest of several), no side longer than 64."""
    if not sizes:
        return LARGEST_SIDE, LARGEST_SIDE
    width, height = min(sizes, key=lambda s: (-sizes[s], s))
    factor = min(1.0, LARGEST_SIDE / max(width, height))
    return max(1, round(height * factor)), max(1, round(width * factor))


def _pixels(
    places: Sequence[tuple[Files, Labelled]], size: tuple[int, int], options: ReadingOptions
) -> NDArray[np.uint8]:
    """Return the images (N, C, H, W), C = 1 for grey and 3 for colours."""
    X = np.empty((len(places), 3, *size), dtype=np.uint8)
    grey = True
    for row, (files, image) in enumerate(places):
        X[row] = _opened(files, image.path, lambda opened: _in_size(opened, size))
        if grey and options.colour == "auto":
            grey = bool((X[row, 0] == X[row, 1]).all() and (X[row, 0] == X[row, 2]).all())
    if options.colour == "colour" or (options.colour == "auto" and not grey):
        return X
    if grey and options.colour == "auto":
        return X[:, :1]
    out = np.empty((len(X), 1, *size), dtype=np.uint8)
    for row, planes in enumerate(X):
        out[row, 0] = np.rint(np.einsum("chw,c->hw", planes, LUMA))
    return out


def _in_size(image: Image.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return an image as (3, H, W) bytes, turned as its camera says, on white where it is transparent."""
    from PIL import Image, ImageOps

    image.draft(None, (2 * size[1], 2 * size[0]))  # a JPEG need not be unpacked in its full size
    if image.mode.startswith(("I", "F")):
        image = _bytes(image)
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in upright.info:
        over = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    plain = upright.convert("RGB")
    if plain.size != (size[1], size[0]):
        smaller = size[1] <= plain.width and size[0] <= plain.height
        way = Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR
        plain = plain.resize((size[1], size[0]), way)
    return np.moveaxis(np.asarray(plain, dtype=np.uint8), 2, 0)


def _bytes(image: Image.Image) -> Image.Image:
    """Return an image of 16 or 32 bits per pixel with 8: 16 bits by their range, others by the least and greatest."""
    from PIL import Image

    values = np.asarray(image).astype(np.float64)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if values.size and values.min() >= 0 and values.max() <= 65_535 and image.mode != "F":
        scaled = values / 257.0
    else:
        span = float(np.ptp(values)) or 1.0
        scaled = 255.0 * (values - values.min()) / span
    return Image.fromarray(np.rint(scaled).astype(np.uint8))


def _opened(files: Files, path: str, use: Callable[[Image.Image], Any]) -> Any:
    """Return what ``use`` makes of an image file; only its header is read unless ``use`` asks for pixels.

    Raises:
        DataError: It is no image, broken or too large; the message names it.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with files.open(path) as stream, Image.open(_bounded(stream), formats=FORMATS) as image:
            if image.width * image.height > PictureLimits.PIXELS:
                raise DataError(
                    f"The image {path!r} of {files.name} has {image.width:,} × {image.height:,} pixels",
                    allowed=f"at most {PictureLimits.PIXELS:,} pixels",
                    fix="make it smaller, or leave it out",
                )
            return use(image)
    except (*BROKEN, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        said = "it is no image of a known format" if isinstance(error, UnidentifiedImageError) else str(error)
        raise DataError(
            f"The image {path!r} of {files.name} cannot be read: {said or type(error).__name__}",
            allowed=f"whole images in the formats {', '.join(FORMATS)}",
            fix="replace the file, or leave it out",
        ) from error


@contextmanager
def _strict() -> Iterator[None]:
    """Make a warning about a decompression bomb an error, and be silent about metadata."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _bounded(stream: IO[bytes]) -> IO[bytes]:
    """Return the bytes of a file in memory; they are at most as many as one image may take."""
    data = stream.read(PictureLimits.BYTES + 1)
    if len(data) > PictureLimits.BYTES:
        raise ValueError(f"it has more than {PictureLimits.BYTES / 1e6:,.0f} MB")
    return io.BytesIO(data)
