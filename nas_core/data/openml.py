"""Tables of OpenML.org, through scikit-learn, which keeps what it downloaded."""

from __future__ import annotations

import re
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError

from nas_core.data.reading import ReadLimits
from nas_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OpenmlTable", "is_openml", "openml_table"]

PREFIX = "openml:"
PLACE = re.compile(r"openml:(?:(?P<id>[0-9]{1,9})|(?P<name>[^@:/\\?#%\s]{1,100})(?:@(?P<version>[0-9]{1,6}))?)")
SECONDS = 30.0


@dataclass(frozen=True)
class OpenmlTable:
    """A table as OpenML has it.

    Attributes:
        frame: All columns with the target, without those that OpenML declares to be identifiers.
        target: The declared target; None when there is none.
        name: Name and version, for a person.
        location: What finds exactly this version again.
        notes: What OpenML says about it.
    """

    frame: pd.DataFrame
    target: str | None
    name: str
    location: str
    notes: tuple[str, ...]


def is_openml(location: str) -> bool:
    """Return whether a location asks for a table of OpenML."""
    return location.lower().startswith(PREFIX)


def openml_table(location: str) -> OpenmlTable:
    """Return the table at ``openml:31``, ``openml:credit-g`` or ``openml:credit-g@1``.

    scikit-learn downloads it once and keeps it in its data folder (``SCIKIT_LEARN_DATA``, by default
    ``~/scikit_learn_data``); after that no network is needed.

    Raises:
        DataError: The location is not of this form, there is no such data set, it is not a dense table, or the network
            is needed and absent.
    """
    found = PLACE.fullmatch(PREFIX + location[len(PREFIX) :])
    if found is None:
        raise DataError(
            f"{location!r} names no data set of OpenML",
            allowed="openml:NUMBER, openml:NAME or openml:NAME@VERSION, such as openml:31 or openml:credit-g@1",
            fix="look the data set up on openml.org",
        )
    asked: dict[str, Any] = (
        {"data_id": int(found["id"])} if found["id"]
        else {"name": found["name"], "version": int(found["version"]) if found["version"] else "active"}
    )  # fmt: skip
    with _understood(location), warnings.catch_warnings(record=True) as heard, _patience():
        warnings.simplefilter("always")
        from sklearn.datasets import fetch_openml

        bunch = fetch_openml(**asked, as_frame=True, parser="auto", n_retries=1, delay=0.5)
    frame: pd.DataFrame = bunch.frame
    ReadLimits().check(len(frame), frame.shape[1], location)
    details = bunch.details
    name, version = str(details.get("name", found["name"] or found["id"])), details.get("version")
    exact = f"{PREFIX}{details['id']}" if details.get("id") else location
    notes = [str(w.message).splitlines()[0][:300] for w in heard if issubclass(w.category, UserWarning)]
    targets = [str(t) for t in bunch.target_names or ()]
    if len(targets) > 1:
        notes.append(f"OpenML declares {len(targets)} targets: {', '.join(targets[:5])}; the first is predicted, and "
                     "the others should be ignored if they are not known beforehand.")  # fmt: skip
    title = f"{name} (version {version})" if version else name
    return OpenmlTable(frame, targets[0] if targets else None, title, exact, tuple(notes))


@contextmanager
def _understood(location: str) -> Iterator[None]:
    """Turn what scikit-learn raises into a DataError that says how to go on."""
    try:
        yield
    except (URLError, TimeoutError, ConnectionError, socket.gaierror) as error:
        code = f"HTTP {error.code}" if isinstance(error, HTTPError) else str(getattr(error, "reason", error))
        raise DataError(
            f"{location} could not be fetched from openml.org ({code})",
            allowed="an internet connection the first time; later the copy that scikit-learn keeps is used",
            fix="connect and try again, or download the data as CSV from openml.org and give that file",
        ) from error
    except (ValueError, KeyError, TypeError, OSError, EOFError, ImportError) as error:
        raise DataError(
            f"{location} could not be read from OpenML: {str(error).splitlines()[0] if str(error) else error!r}",
            allowed="an active data set of OpenML that is a dense table",
            fix="check the name on openml.org, or download it as CSV and give that file",
        ) from error


@contextmanager
def _patience() -> Iterator[None]:
    """Let connections that are opened inside give up after a while; scikit-learn has no setting for it."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
