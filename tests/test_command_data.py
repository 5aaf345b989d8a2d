"""How data of every kind are asked for on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from nas_core.command import app, parse_size
from nas_core.data import DataSource, Problem, load_data
from nas_core.errors import SettingsError
from nas_core.spaces import SearchSpace

RNG = np.random.default_rng(0)
LINES = [f"{i},{i % 5},{i % 7}:{'ab'[i % 2]}" for i in range(40)]


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    y = np.arange(60) % 3
    X = RNG.integers(0, 64, (60, 8, 8)) + 64 * y[:, None, None]
    np.savez(tmp_path / "a.npz", x=X.astype(np.uint8), y=y)
    return tmp_path / "a.npz"


@pytest.fixture
def series(tmp_path: Path) -> Path:
    (tmp_path / "a.ts").write_text("@classLabel true a b\n@data\n" + "\n".join(LINES) + "\n")
    return tmp_path / "a.ts"


def said(*arguments: str, store: Path) -> str:
    """Return what is said on stderr when a search is refused."""
    result = CliRunner().invoke(app, ["search", *arguments, "--store", str(store / "store")])
    assert result.exit_code == 2, result.output
    assert "Fix:" in result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.mark.parametrize(
    ("text", "size"), [("28x28", (28, 28)), ("32×48", (32, 48)), ("64", (64, 64)), (" 8 X 9 ", (8, 9))]
)
def test_sizes(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "28x", "28x28x3", "-4x4", "2.5x2", "123456"])
def test_texts_that_are_no_size(text: str) -> None:
    with pytest.raises(SettingsError, match="is not a size of images"):
        parse_size(text)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "big"], "'big' is not a size"),
        (["--modality", "sound"], "no modality 'sound'"),
        (["--modality", "sequence", "--size", "4x4"], "A size is given, but a holds series"),
        (["--colour", "sepia"], "no colour 'sepia'"),
        (["--family", "tabular"], "family 'tabular' reads tabular data, a is image"),
        (["--family", "magic"], "no search-space family 'magic'"),
        (["--preset", "wild"], "no preset 'wild'"),
        (["--class-weights", "heavy"], "no class weights 'heavy'"),
        (["--target-transform", "sqrt"], "no target transform 'sqrt'"),
        (["--groups", "a", "--order", "b"], "Both --groups and --order"),
        (["--target", "z"], "no array 'z'"),
        (["--test", "absent.npz"], "There is no file"),
        (["--kind", "a=b"], "gives no column a kind"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: list[str], message: str, arrays: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in said(str(arrays), *options, store=tmp_path)


def test_a_space_of_other_images_is_refused(arrays: Path, series: Path, tmp_path: Path) -> None:
    space = SearchSpace.for_problem(Problem.create(load_data("digits_images")))
    file = tmp_path / "digits.yaml"
    file.write_text(space.to_yaml(), encoding="utf-8")
    told = said(str(arrays), "--space", str(file), store=tmp_path)
    assert "made for other data: images of 1 × 8 × 8, 10 outputs" in told
    assert "a space for images of 1 × 8 × 8, 3 outputs of this data" in told
    assert "made for other data: images" in said("iris", "--space", str(file), store=tmp_path)
    assert "is of the family 'image'" in said(
        "digits_images", "--space", str(file), "--family", other_family(), store=tmp_path
    )


def other_family() -> str:
    from nas_core.spaces.family import families_for

    return families_for("image")[-1]


def test_how_the_data_were_understood_is_said(series: Path, tmp_path: Path) -> None:
    told = said(str(series), "--preset", "wild", store=tmp_path)
    assert "Reading 40 series of 1 × 3, 2 classes." in told
    (tmp_path / "b.ts").write_text("@classLabel true a b\n@data\n1,2,3:a\n4,5,6:b\n")
    told = said(str(series), "--test", str(tmp_path / "b.ts"), "--length", "2", "--preset", "wild", store=tmp_path)
    assert "Reading 42 series of 1 × 2, 2 classes; 2 of them are declared test rows." in told
    assert "Note: 42 series are longer than 2 steps" in told


def test_every_format_is_named_where_a_name_is_unknown(tmp_path: Path) -> None:
    told = said("nothing_here", store=tmp_path)
    for part in (".csv", ".npz", ".zip", "idx3", ".ts", "openml:", "digits_images"):
        assert part in told


@pytest.mark.slow
def test_a_search_over_arrays_ends_with_a_front(arrays: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["search", str(arrays), "--size", "4x4", "--candidates", "2", "--store", str(tmp_path / "s"), "--json"]
    )
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["state"] == "done"
    assert len(document["candidates"]) == 2


def test_a_source_recorded_before_there_were_wishes_still_loads() -> None:
    source = DataSource.model_validate({"kind": "builtin", "location": "iris", "target": "species", "kinds": {}})
    assert source.reading.modality is None
    assert DataSource.model_validate_json(source.model_dump_json()) == source
