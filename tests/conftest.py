"""What every test shares: one thread for numerics, two processes for many tests, a PostgreSQL server on request.

Tests run beside other processes (studios, workers, a Chromium); with one OpenMP pool per library and process the
threads of a two-core machine wait for each other, and a fit takes ten times as long as with one thread.

Where folders are tested, their files are shared out to two workers (pytest-xdist). What needs a Chromium stays together
on one of them, which begins with it: there is one browser and one studio under test at a time. A file or a single test
runs in this process, and so does everything with ``-n 0`` or ``-p no:xdist``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from postgres_server import Server, missing

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before the first import of NumPy, scikit-learn or PyTorch

WORKERS = 2
BROWSER = "tests/browser"


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Share the tests out where nobody said how to run them; pytest-xdist reads these options after this."""
    chosen = config.option
    inside = "PYTEST_XDIST_WORKER" in os.environ  # a worker comes through here as well: it must not have workers
    if inside or not config.pluginmanager.hasplugin("xdist") or chosen.numprocesses is not None or chosen.usepdb:
        return
    folders = [config.invocation_params.dir.joinpath(name) for name in config.args]
    if all(folder.is_dir() for folder in folders) and folders != [config.rootpath / BROWSER]:
        chosen.numprocesses, chosen.dist, chosen.loadscopereorder = WORKERS, "loadfile", False


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file together on one worker, and all that need a browser."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _scope(nodeid)

    return None if config.getoption("dist") == "each" else ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what needs a browser: together it takes longest."""
    items.sort(key=lambda item: _scope(item.nodeid) != BROWSER)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what is measured here out of the cache of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NASIGHT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def _scope(nodeid: str) -> str:
    path = nodeid.partition("::")[0]
    return BROWSER if path.startswith(f"{BROWSER}/") else path


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """Put ``__main__`` back after each test: AppTest leaves its script there, and worker processes would run it."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A real PostgreSQL server, started when the first test needs it."""
    if reason := missing():
        pytest.skip(reason)
    server = Server()
    yield server
    server.remove()
