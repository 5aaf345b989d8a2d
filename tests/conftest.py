"""What every test shares: one thread for numerics, and a PostgreSQL server where one is needed.

Tests run beside other processes (studios, workers, a Chromium); with one OpenMP pool per library and process the
threads of a two-core machine wait for each other, and a fit takes ten times as long as with one thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from postgres_server import Server, missing

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before the first import of NumPy, scikit-learn or PyTorch


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A real PostgreSQL server, started when the first test needs it."""
    if reason := missing():
        pytest.skip(reason)
    server = Server()
    yield server
    server.remove()
