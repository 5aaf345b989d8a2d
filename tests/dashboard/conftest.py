"""What a test of the studio starts with: nothing that another file's pages have computed, and no work twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache

import pytest

# As in the studio (dashboard.server.options): no full garbage collection after every run of a script.
os.environ.setdefault("STREAMLIT_RUNNER_POST_SCRIPT_GC", "false")

import streamlit
from streamlit.components.v2 import manifest_scanner


@pytest.fixture(scope="session", autouse=True)
def _installed_packages_read_once() -> Iterator[None]:
    """Look for packages with Streamlit components once and not for every AppTest: it takes longer than most pages."""
    patch = pytest.MonkeyPatch()
    patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
    yield
    patch.undo()


@pytest.fixture(scope="module", autouse=True)
def _nothing_computed_before() -> Iterator[None]:
    """Empty Streamlit's caches: they are keyed by run and candidate, and each file has another store of ``run-1``."""
    streamlit.cache_resource.clear()
    streamlit.cache_data.clear()
    yield
    streamlit.cache_resource.clear()
    streamlit.cache_data.clear()
