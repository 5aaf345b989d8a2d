"""Every registered family keeps the contract."""

from __future__ import annotations

import pytest
from family_contract import FamilyContract
from space_examples import example_space

from nas_core.data.signal import image_signal, sequence_signal
from nas_core.errors import SpaceError
from nas_core.spaces import (
    SearchSpace,
    cell_space,
    families_for,
    family_named,
    family_names,
    image_space,
    sequence_space,
)


class TestTabular(FamilyContract):
    def spaces(self) -> list[SearchSpace]:
        presets = [example_space(8, preset=p) for p in ("transparent", "balanced", "accurate")]
        return [*presets, example_space(5, outputs=3), example_space(1)]


class TestImage(FamilyContract):
    def spaces(self) -> list[SearchSpace]:
        digits = [image_space(image_signal(1, 8, 8), 10, p) for p in ("transparent", "balanced", "accurate", "lenet")]
        return [
            *digits,
            image_space(image_signal(3, 28, 21), 1, "balanced"),
            image_space(image_signal(1, 1, 2), 3, "lenet"),
        ]


class TestSequence(FamilyContract):
    def spaces(self) -> list[SearchSpace]:
        series = [sequence_space(sequence_signal(2, 24), 3, p) for p in ("transparent", "balanced", "accurate")]
        words = sequence_space(sequence_signal(1, 12, vocabulary=30), 2)
        padded, short = sequence_signal(1, 40, padded=True), sequence_signal(1, 1)
        return [*series, words, sequence_space(padded, 1), sequence_space(short, 2)]


class TestCell(FamilyContract):
    def spaces(self) -> list[SearchSpace]:
        presets = [cell_space(image_signal(1, 8, 8), 10, p) for p in ("balanced", "small", "nas_bench_201")]
        return [*presets, cell_space(image_signal(3, 28, 21), 1)]


def test_the_first_family_of_a_modality_is_its_default() -> None:
    assert families_for("tabular") == ("tabular",)
    assert families_for("image") == ("image", "cell")
    assert families_for("sequence") == ("sequence",)


def test_every_family_has_a_contract_test() -> None:
    assert {name.capitalize() for name in family_names()} <= {n.removeprefix("Test") for n in globals()}


def test_unknown_family_is_named_with_those_there_are() -> None:
    with pytest.raises(SpaceError, match=r"no search-space family 'image2d'.*tabular"):
        family_named("image2d")
