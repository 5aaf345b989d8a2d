"""The measured speed of this machine."""

from __future__ import annotations

import pytest

from nas_core.errors import SettingsError
from nas_core.evaluation.throughput import PACK, measure_throughput


def test_packs_and_single_fits_are_measured_and_progress_is_told() -> None:
    shares: list[float] = []
    found = measure_throughput(0.1, on_progress=shares.append)
    assert (found.data, found.device, found.pack) == ("breast_cancer", "cpu", PACK)
    assert found.packs == 1
    assert 1 <= found.fits <= PACK
    assert min(found.packed, found.alone) > 0
    assert found.gain == found.packed / found.alone
    assert found.gain == found.packed / found.alone
    assert len(shares) == found.packs + found.fits
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_no_time_is_refused(seconds: float) -> None:
    with pytest.raises(SettingsError, match="seconds for a measurement"):
        measure_throughput(seconds)
