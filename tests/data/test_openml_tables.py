"""Tables of OpenML, from a folder of scikit-learn's own cache; no test touches the network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from openml_cache import ARFF, put, put_openml

from nas_core.data import load, load_data, load_frame
from nas_core.data.openml import is_openml
from nas_core.errors import DataError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which scikit-learn finds data set 31 and nothing else, and no way to the network."""
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("no_proxy", "")
    put_openml(tmp_path)
    return tmp_path


@pytest.mark.parametrize("location", ["openml:31", "openml:credit", "openml:Credit@1", "OpenML:31"])
def test_a_table_is_found_by_number_and_by_name(cache: Path, location: str) -> None:
    dataset = load_data(location)
    assert (dataset.name, dataset.target, dataset.task) == ("credit (version 1)", "class", "classification")
    assert dataset.feature_names == ("amount", "colour", "years")  # the identifier of rows is none
    assert dataset.features[1].levels == ("blue", "red")
    assert dataset.features[2].missing == 1
    assert dataset.X[:3, 0].tolist() == [0.0, 0.5, 1.0]
    assert [dataset.classes[k] for k in dataset.y[:3]] == ["bad", "good", "bad"]
    assert dataset.source.location == "openml:31"  # exactly this version
    assert load(dataset.source).hash == dataset.hash
    assert list(load_frame(dataset.source).columns) == ["amount", "colour", "years", "class"]


def test_another_target_and_what_openml_warns_of(cache: Path) -> None:
    put_openml(cache, status="deactivated")
    dataset = load_data("openml:31", target="amount", kinds={"class": "ignore"})
    assert (dataset.target, dataset.task) == ("amount", "regression")
    assert dataset.feature_names == ("colour", "years")
    assert "Version 1 of dataset credit is inactive" in dataset.notes[0]
    assert np.array_equal(dataset.y, [i % 7 / 2 for i in range(40)])


def test_without_a_network_the_way_on_is_said(cache: Path) -> None:
    with pytest.raises(DataError, match=r"openml:adult could not be fetched from openml.org \(.*\)") as error:
        load_data("openml:adult")
    assert "an internet connection the first time" in str(error.value)
    assert "download the data as CSV" in str(error.value)


def test_a_damaged_copy_and_a_sparse_table_are_refused(cache: Path) -> None:
    put(cache, "data/v1/download/31/credit.arff", ARFF.replace("red", "rad"))
    with pytest.raises(DataError, match=r"could not be fetched from openml\.org"):  # scikit-learn asks for another copy
        load_data("openml:31")
    put_openml(cache, format="Sparse_ARFF")
    with pytest.raises(DataError, match=r"Sparse ARFF.*Allowed: .* dense table"):
        load_data("openml:31")


@pytest.mark.parametrize("name", ["", "credit@", "a b", "../x", "x?y", "a@b"])
def test_other_names_are_refused_before_anything_is_fetched(name: str) -> None:
    location = f"openml:{name}"
    assert is_openml(location)
    with pytest.raises(DataError, match=r"names no data set of OpenML.*openml:31"):
        load_data(location)


def test_a_test_file_makes_no_sense_here(cache: Path) -> None:
    with pytest.raises(DataError, match="A test file is given, but credit"):
        load_data("openml:31", test="x.csv")
