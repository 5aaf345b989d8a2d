"""What every test shares: one thread for numerics, two processes for many tests, a PostgreSQL server on request.

Tests run beside other processes (studios, workers, a Chromium); with one OpenMP pool per library and process the
threads of a two-core machine wait for each other, and a fit takes ten times as long as with one thread.

Where folders are tested, their files are shared out to two workers (pytest-xdist). What needs a Chromium stays together
on one of them, which begins with it: there is one browser and one studio under test at a time. A file or a single test
runs in this process, and so does everything with ``-n 0`` or ``-p no:xdist``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import Server, missing

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before the first import of NumPy, scikit-learn or PyTorch

WORKERS = 2
BROWSER = Path(__file__).parent / "browser"


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Share the tests out where nobody said how to run them; pytest-xdist reads these options after this."""
    chosen = config.option
    if "PYTEST_XDIST_WORKER" in os.environ:
        return  # a worker is a pytest of its own, and must not have workers too
    if not config.pluginmanager.hasplugin("xdist") or chosen.numprocesses is not None or chosen.usepdb:
        return
    folders = [config.invocation_params.dir.joinpath(name) for name in config.args]
    if all(folder.is_dir() for folder in folders) and folders != [BROWSER]:
        chosen.numprocesses, chosen.dist, chosen.loadscopereorder = WORKERS, "loadgroup", False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of a file together on a worker, and all that need a browser; those take longest and come first."""
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        name = "browser" if _needs_browser(item) else str(item.path.relative_to(config.rootpath))
        item.add_marker(pytest.mark.xdist_group(name))
    items.sort(key=lambda item: not _needs_browser(item))


def _needs_browser(item: pytest.Item) -> bool:
    return BROWSER in item.path.parents


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A real PostgreSQL server, started when the first test needs it."""
    if reason := missing():
        pytest.skip(reason)
    server = Server()
    yield server
    server.remove()
