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

from nas_core.runs import viewer

_components = cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(scope="module", autouse=True)
def _at_a_test_s_pace() -> Iterator[None]:
    """Look for packages with components once, not for every AppTest; let no page show what another saw just before.

    The studio's tabs share one look at a run for a moment; a test looks again sooner than that.
    """
    patch = pytest.MonkeyPatch()
    patch.setattr(manifest_scanner, "scan_component_manifests", _components)
    patch.setattr(viewer, "FRESH_SECONDS", 0.0)
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
