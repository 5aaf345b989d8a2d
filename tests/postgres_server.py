"""A real PostgreSQL server for tests and benchmarks: in a directory and on a port of its own, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from itertools import count
from pathlib import Path

__all__ = ["PASSWORD", "Server", "missing"]

USER, PASSWORD = "tester", "s3cr@t/of:tests"
QUOTED = "s3cr%40t%2Fof%3Atests"
CONFIGURATION = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
fsync = off
max_connections = 60
"""


def missing() -> str:
    """Say what this machine lacks for a server; empty when nothing."""
    try:
        import psycopg  # noqa: F401 - is it there?
    except ImportError:
        return "PostgreSQL: psycopg is not installed (pip install '.[postgres]')"
    if _programs() is None:
        return "PostgreSQL: its server is not installed (Debian: apt-get install postgresql)"
    if os.geteuid() == 0 and _account() is None:
        return "PostgreSQL: it does not run as root, and there is no other user"
    return ""


class Server:
    """A server that admits one user with a password; places in it are made as they are asked for."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="nasight-pg-"))
        self._data, self._names = self.folder / "data", count(1)
        self._owner = _account() if os.geteuid() == 0 else None
        if self._owner:
            shutil.chown(self.folder, self._owner)
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._do(
            "initdb", "-U", USER, "--pwfile", str(password), "-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "-N"
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(CONFIGURATION.format(port=self.port, folder=self.folder))
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._do("pg_ctl", "start", "-w", "-t", "60", "-l", str(self.folder / "log"))

    def stop(self, how: str = "immediate") -> None:
        """Stop it: "immediate" as if it had crashed, "fast" with a goodbye to everybody who is connected."""
        self._do("pg_ctl", "stop", "-w", "-t", "60", "-m", how)

    def remove(self) -> None:
        """Stop it and remove all it has."""
        self.stop()
        shutil.rmtree(self.folder)

    def place(self) -> str:
        """Return the URL of an empty store: a schema of its own, quicker to make and to remove than a database."""
        import psycopg

        name = f"s{next(self._names)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return f"{self.url()}?options=-csearch_path%3D{name}&artifacts={self.folder}/artifacts-{name}"

    def url(self) -> str:
        """Return the URL of its database."""
        return f"postgresql://{USER}:{QUOTED}@127.0.0.1:{self.port}/postgres"

    def _do(self, program: str, *arguments: str) -> None:
        programs = _programs()
        assert programs is not None
        command = [str(programs / program), "-D", str(self._data), *arguments]
        # Its output goes to files: a pipe would stay open as long as the server lives.
        with (self.folder / "said").open("w") as said:
            done = subprocess.run(command, stdout=said, stderr=subprocess.STDOUT, user=self._owner, cwd=self.folder)
        assert done.returncode == 0, (self.folder / "said").read_text()


def _programs() -> Path | None:
    """Return the directory of the newest server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _account() -> str | None:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return None
