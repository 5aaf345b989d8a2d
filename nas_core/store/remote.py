"""Artifacts anywhere that fsspec reaches: object stores, servers, memory."""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
from collections.abc import Iterator
from typing import Any

from nas_core.errors import StoreError
from nas_core.store.artifacts import WRITING, Artifacts
from nas_core.store.base import artifact_name

__all__ = ["RemoteArtifacts"]


class RemoteArtifacts(Artifacts):
    """Artifacts under a URL such as ``s3://bucket/nasight``, ``sftp://host/path`` or ``file:///path``.

    A file is written under a temporary name and then moved. Object stores copy in that step, and show the copy when it
    is complete; what that costs is one copy within the server.

    Args:
        url: Where; its credentials come from the environment, as each kind of server has it.

    Raises:
        StoreError: There is no such kind of URL, or the package for it is not installed.
    """

    def __init__(self, url: str) -> None:
        import fsspec

        self.location = re.sub(r"(?<=://)[^/@]*@", "", url).partition("?")[0]
        try:
            self._files, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise StoreError(
                f"Artifacts cannot be kept at {self.location}: {error}",
                allowed="a directory, or a URL of a kind that fsspec knows and whose package is installed",
                fix="correct ?artifacts= in the URL of the store",
            ) from None
        self._root, self.exclusive = root.rstrip("/"), False

    def write(self, name: str, data: bytes) -> str:
        path = self._path(artifact_name(name))
        folder, _, last = path.rpartition("/")
        temporary = f"{folder}/{WRITING}{secrets.token_hex(4)}-{last}"
        with _as_os_error():
            self._files.makedirs(folder, exist_ok=True)
            try:
                self._files.pipe_file(temporary, data)
                self._files.mv(temporary, path)
            except BaseException:
                with contextlib.suppress(Exception):
                    self._files.rm_file(temporary)
                raise
        return hashlib.sha256(data).hexdigest()

    def read(self, name: str) -> tuple[bytes, str]:
        path = self._path(artifact_name(name))
        with _as_os_error():
            data: bytes = self._files.cat_file(path)
        return data, hashlib.sha256(data).hexdigest()

    def delete(self, name: str) -> None:
        with _as_os_error(), contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._path(name))

    def names(self) -> Iterator[str]:
        with _as_os_error():
            self._files.invalidate_cache()
            found: list[Any] = self._files.find(self._root)
        begin = len(self._path(""))
        yield from sorted(str(path)[begin:] for path in found)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


@contextlib.contextmanager
def _as_os_error() -> Iterator[None]:
    """Turn the exceptions that the libraries of servers have of their own into OSErrors."""
    try:
        yield
    except (OSError, StoreError):
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
