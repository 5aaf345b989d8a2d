"""How many candidates a run asks for at once."""

from __future__ import annotations

import pytest

from nas_core.runs.settings import RunSettings


def test_tables_ask_for_packs_and_signals_for_a_few() -> None:
    tables, signals = RunSettings().suited(signals=False), RunSettings().suited(signals=True, cores=2)
    assert (tables.pack_size, tables.first_pack) == (64, 16)
    assert (signals.pack_size, signals.first_pack) == (8, 8)
    many = RunSettings().suited(signals=True, cores=16)
    assert (many.pack_size, many.first_pack) == (32, 32)


@pytest.mark.parametrize("signals", [True, False])
def test_what_somebody_chose_stays(signals: bool) -> None:
    chosen = RunSettings(pack_size=5, first_pack=3).suited(signals=signals)
    assert (chosen.pack_size, chosen.first_pack) == (5, 3)
    small = RunSettings(pack_size=4).suited(signals=signals)
    assert (small.pack_size, small.first_pack) == (4, 4)
    assert chosen.suited(signals=not signals) == chosen
