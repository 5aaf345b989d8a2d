"""Every registered family keeps the contract."""

from __future__ import annotations

import pytest
from family_contract import FamilyContract
from space_examples import example_space

from nas_core.errors import SpaceError
from nas_core.spaces import SearchSpace, family_named, family_names


class TestTabular(FamilyContract):
    def spaces(self) -> list[SearchSpace]:
        presets = [example_space(8, preset=p) for p in ("transparent", "balanced", "accurate")]
        return [*presets, example_space(5, outputs=3), example_space(1)]


def test_every_family_has_a_contract_test() -> None:
    assert {name.capitalize() for name in family_names()} <= {n.removeprefix("Test") for n in globals()}


def test_unknown_family_is_named_with_those_there_are() -> None:
    with pytest.raises(SpaceError, match=r"no search-space family 'image2d'.*tabular"):
        family_named("image2d")
