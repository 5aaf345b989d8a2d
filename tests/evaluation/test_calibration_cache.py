"""Calibrations that are kept: found again for the same, not for anything else, and never in the way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nas_core.data import Problem, Recipe, load_data
from nas_core.evaluation import calibration_cache
from nas_core.evaluation.calibration import Calibration, Law
from nas_core.evaluation.calibration_cache import calibration_directory, keep_calibration, kept_calibration
from nas_core.spaces import SearchSpace


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NASIGHT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "calibrations"


@pytest.fixture(scope="module")
def problem() -> Problem:
    return Problem.create(load_data("iris"))


@pytest.fixture(scope="module")
def space(problem: Problem) -> SearchSpace:
    return SearchSpace.for_problem(problem)


def found(space: SearchSpace, fixed: float = 0.25) -> Calibration:
    return Calibration(space, Law(fixed, (1e-9, 2.0), ((10.0, 0.1), (20.0, 0.3))), 2, (0.2, 0.4), "3 packs", 0.6)


def test_what_was_kept_is_found_again_to_the_last_digit(problem: Problem, space: SearchSpace) -> None:
    assert kept_calibration(problem, space) is None
    keep_calibration(problem, found(space, fixed=0.1 + 0.2))
    again = kept_calibration(problem, space)
    assert again is not None
    assert again.calibration(space) == found(space, fixed=0.1 + 0.2)
    assert again.made > 1e9


def test_it_is_kept_for_these_data_this_recipe_and_this_space_alone(problem: Problem, space: SearchSpace) -> None:
    keep_calibration(problem, found(space))
    others = (Problem.create(load_data("wine")), Problem.create(load_data("iris"), recipe=Recipe(max_epochs=7)),
              Problem.create(load_data("iris"), seed=3))  # fmt: skip
    assert all(kept_calibration(other, space) is None for other in others)
    assert kept_calibration(problem, SearchSpace.for_problem(problem, "transparent")) is None
    assert kept_calibration(problem, space.changed()) is not None, "the count of edits changes nothing"


@pytest.mark.parametrize("what", ["cores", "host", "version"])
def test_another_machine_or_version_measures_again(
    what: str, problem: Problem, space: SearchSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    keep_calibration(problem, found(space))
    match what:
        case "cores":
            monkeypatch.setattr(os, "cpu_count", lambda: 977)
        case "host":
            monkeypatch.setattr(calibration_cache.platform, "node", lambda: "elsewhere")
        case "version":
            monkeypatch.setattr(calibration_cache, "_version", lambda name: "99")
    assert kept_calibration(problem, space) is None


@pytest.mark.parametrize("damage", ["", "{", '{"made": 1}', "\0\xff", "[1, 2]"])
def test_damage_is_ignored_and_replaced(damage: str, problem: Problem, space: SearchSpace, folder: Path) -> None:
    keep_calibration(problem, found(space))
    (file,) = folder.iterdir()
    file.write_text(damage, encoding="latin-1")
    assert kept_calibration(problem, space) is None
    keep_calibration(problem, found(space))
    assert kept_calibration(problem, space) is not None
    assert list(folder.iterdir()) == [file], "nothing unfinished is left"


def test_a_folder_that_cannot_be_written_keeps_nothing(problem: Problem, space: SearchSpace, folder: Path) -> None:
    folder.parent.write_text("a file")
    keep_calibration(problem, found(space))
    assert kept_calibration(problem, space) is None


def test_the_oldest_go(problem: Problem, space: SearchSpace, folder: Path) -> None:
    folder.mkdir(parents=True)
    for age in range(calibration_cache.KEPT + 5):
        (folder / f"{age}.json").write_text("{}")
        os.utime(folder / f"{age}.json", (1e9 - age, 1e9 - age))
    keep_calibration(problem, found(space))
    left = {file.stem for file in folder.iterdir()}
    assert len(left) == calibration_cache.KEPT
    assert kept_calibration(problem, space) is not None
    assert "0" in left
    assert str(calibration_cache.KEPT) not in left


def test_the_folder_follows_the_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NASIGHT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert calibration_directory() == tmp_path / "nasight" / "calibrations"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert calibration_directory() == tmp_path / ".cache" / "nasight" / "calibrations"
