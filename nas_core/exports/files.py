"""Writing an export: all of it or nothing, and never over a file that is there unless somebody said so."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from nas_core.errors import ExportError

__all__ = ["write_export"]


def write_export(path: Path, data: bytes, *, force: bool = False) -> None:
    """Write ``data`` to ``path``: under another name first, then moved there.

    Raises:
        ExportError: The file exists and ``force`` is not given, or it cannot be written.
    """
    if path.is_dir():
        raise ExportError(f"{path} is a folder", allowed="the name of a file", fix="add a name to it")
    if path.exists() and not force:
        raise ExportError(f"The file {path} exists", allowed="a new file", fix="choose another name, or add --force")
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        if force:
            os.replace(temporary, path)
        else:
            os.link(temporary, path)  # fails where somebody made the file meanwhile
            os.unlink(temporary)
    except FileExistsError:
        raise ExportError(
            f"The file {path} exists", allowed="a new file", fix="choose another name, or add --force"
        ) from None
    except OSError as error:
        raise ExportError(f"The file {path} cannot be written ({error})", fix="choose another place") from None
    finally:
        if temporary is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)


def _umask() -> int:
    """Return the mask of new files; reading it means setting it for a moment."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
