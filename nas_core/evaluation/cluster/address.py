"""Where candidates are trained: in this process, or on a Ray cluster."""

from __future__ import annotations

import importlib.util
import os
import re
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from nas_core.errors import SettingsError

__all__ = ["ALLOWED", "LOCAL", "Address", "check_cluster", "cluster_address", "open_with_token"]

LOCAL = "local"
ALLOWED = "local; ray (a cluster of this machine alone, for the time of the run); ray://HOST:PORT (one that is there)"
REACH_SECONDS = 3.0
MODE, TOKEN, TOKEN_FILE = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"


@dataclass(frozen=True)
class Address:
    """Host and port of the head of a cluster; an empty host for one that the run starts on this machine for itself."""

    host: str = ""
    port: int = 0

    @property
    def own(self) -> bool:
        """True when the run starts the cluster, and ends it."""
        return not self.host

    def __str__(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}" if self.host else "this machine"

    def answers(self) -> bool:
        """Return whether something listens there; takes three seconds at most."""
        try:
            socket.create_connection((self.host, self.port), timeout=REACH_SECONDS).close()
        except OSError:
            return False
        return True


def cluster_address(executor: str) -> Address | None:
    """Return the cluster that ``executor`` means; None for this process.

    Raises:
        SettingsError: It means nothing.
    """
    if executor == LOCAL:
        return None
    if executor == "ray":
        return Address()
    found = re.fullmatch(r"ray://(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})", executor)
    if found is None or not 0 < int(found[2]) < 65536:
        raise SettingsError(
            f"There is no executor {executor!r}", allowed=ALLOWED,
            fix="write for example ray://10.0.0.5:6379, the address that `ray start --head` printed",
        )  # fmt: skip
    return Address(found[1].strip("[]"), int(found[2]))


def check_cluster(executor: str) -> None:
    """Raise SettingsError unless a run could begin there now: Ray is installed, a head answers, there is a token."""
    address = cluster_address(executor)
    if address is None:
        return
    if importlib.util.find_spec("ray") is None:
        raise SettingsError(
            f"The executor {executor} needs Ray, which is not installed",
            allowed="local, without it",
            fix='pip install "nasight[ray]" on every node',
        )
    mode = os.environ.get(MODE, "token")
    if mode != "token":
        raise SettingsError(
            f"{MODE} is {mode!r}: everybody who reaches a port of the cluster could run programs on it",
            allowed="token",
            fix=f"start every node, and the search, with {MODE}=token",
        )
    if address.own:
        return
    if not _has_token():
        raise SettingsError(
            f"There is no token for the cluster at {address}",
            allowed=f"{TOKEN}, {TOKEN_FILE}, or the file ~/.ray/auth_token: that of its head",
            fix=f"make one with `ray get-auth-token --generate`, and start every node with it and with {MODE}=token",
        )
    if not address.answers():
        raise SettingsError(
            f"No Ray cluster answers at {address}",
            allowed="the address that `ray start --head` printed",
            fix="start the cluster, or correct the address",
        )


def open_with_token(address: Address) -> None:
    """Ask for token authentication in this process and in what it starts, before Ray is imported.

    A cluster of this run alone gets a token that nobody else ever sees, unless there is one.

    Raises:
        SettingsError: Ray was imported without it, and looks only then.
    """
    if "ray" in sys.modules and os.environ.get(MODE) != "token":
        raise SettingsError(
            f"Ray was imported before {MODE} was set, so this process cannot authenticate itself",
            allowed="token",
            fix=f"set {MODE}=token before Ray is imported",
        )
    os.environ[MODE] = "token"
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address.own and not _has_token():
        import secrets

        os.environ[TOKEN] = secrets.token_hex(32)


def _has_token() -> bool:
    files = (os.environ.get(TOKEN_FILE), str(Path.home() / ".ray" / "auth_token"))
    return bool(os.environ.get(TOKEN)) or any(Path(file).is_file() for file in files if file)
