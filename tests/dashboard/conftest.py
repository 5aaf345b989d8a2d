"""What a test of the studio starts with: nothing that another file's pages have computed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit


@pytest.fixture(scope="module", autouse=True)
def _nothing_computed_before() -> Iterator[None]:
    """Empty Streamlit's caches: they are keyed by run and candidate, and each file has another store of ``run-1``."""
    streamlit.cache_resource.clear()
    streamlit.cache_data.clear()
    yield
    streamlit.cache_resource.clear()
    streamlit.cache_data.clear()
