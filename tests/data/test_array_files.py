"""Arrays in ``.npz`` files: found by name, shaped by kind, refused when they are too much or not plain numbers."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from nas_core.data import Problem, load, load_data
from nas_core.data.npz import read_npz
from nas_core.errors import DataError

RNG = np.random.default_rng(0)
Y = np.arange(40) % 4
TRAIN = {"x_train": np.zeros((40, 5, 5)), "y_train": Y}


def save(file: Path, **arrays: Any) -> Path:
    np.savez_compressed(file, **arrays)
    return file


def header_only(shape: tuple[int, ...], dtype: str = "<f8") -> bytes:
    """Return an array file that claims a shape and holds nothing."""
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": dtype, "fortran_order": False, "shape": shape})
    return out.getvalue()


def images(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, (40, *shape), dtype=np.uint8)


@pytest.mark.parametrize(
    ("X", "shape"),
    [
        (images(6, 7), (1, 6, 7)),
        (images(6, 7, 3), (3, 6, 7)),
        (images(3, 6, 7), (3, 6, 7)),
        (images(6, 7, 1), (1, 6, 7)),
        (images(2, 6, 7), (2, 6, 7)),
        (images(6, 7, 2), (2, 6, 7)),
        (images(4, 4, 4), (4, 4, 4)),
        (images(6, 7).astype(float) / 255, (1, 6, 7)),
        (images(12), (1, 12)),
        (images(3, 50).astype(np.float32), (3, 50)),
        (images(50, 3).astype(np.float32), (3, 50)),
        (images(6, 50).astype(np.float16), (6, 50)),
    ],
)
def test_the_shape_says_what_the_rows_are(X: np.ndarray, shape: tuple[int, ...], tmp_path: Path) -> None:
    dataset = load_data(save(tmp_path / "a.npz", x=X, y=Y))
    assert dataset.signal.shape == shape
    assert dataset.modality == ("image" if len(shape) == 3 else "sequence")
    assert dataset.classes == ("0", "1", "2", "3")
    assert dataset.hash == load(dataset.source).hash
    assert Problem.create(dataset).train.E.shape[1] == np.prod(shape)


def test_channels_keep_their_place() -> None:
    with TemporaryDirectory() as folder:
        first, last = images(3, 6, 7), None
        last = np.moveaxis(first, 1, 3)
        a = load_data(save(Path(folder) / "first.npz", x=first, y=Y))
        b = load_data(save(Path(folder) / "last.npz", x=last, y=Y))
    assert a.hash == b.hash
    assert np.array_equal(a.X.reshape(40, 3, 6, 7), first)


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_Train", "Y_Train", "X_Test", "Y_Test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("data", "target", "data_test", "target_test"),
        ("xtrain", "ytrain", "xtest", "ytest"),
    ],
)
def test_a_test_part_is_held_out(names: tuple[str, ...], tmp_path: Path) -> None:
    X = images(5, 5)
    file = save(tmp_path / "a.npz", **dict(zip(names, (X[:30], Y[:30], X[30:], Y[30:]))))
    dataset = load_data(file)
    assert dataset.held_out.tolist() == list(range(30, 40))
    assert np.array_equal(dataset.X.reshape(X.shape), X)
    assert np.array_equal(dataset.y, Y)
    assert Problem.create(dataset).split.test.tolist() == list(range(30, 40))
    alone = load_data(file, test="")
    assert alone.held_out is None
    assert np.array_equal(alone.X, dataset.X[:30])


def test_validation_rows_join_and_leftovers_are_named(tmp_path: Path) -> None:
    X = images(5, 5)
    file = save(tmp_path / "a.npz", train_images=X[:20], train_labels=Y[:20, None], val_images=X[20:30],
                val_labels=Y[20:30, None], test_images=X[30:], test_labels=Y[30:, None], ids=np.arange(3))  # fmt: skip
    dataset = load_data(file)
    assert np.array_equal(dataset.X.reshape(X.shape), X)
    assert dataset.held_out.tolist() == list(range(30, 40))
    assert dataset.notes == (
        "Arrays that are not used: ids.",
        "The 10 rows of val_images join those of train_images; the validation part is drawn from both.",
    )


def test_two_arrays_need_no_names_and_a_target_can_be_chosen(tmp_path: Path) -> None:
    X = images(5, 5)
    assert np.array_equal(load_data(save(tmp_path / "a.npz", pictures=X, what=Y)).y, Y)
    file = save(tmp_path / "b.npz", x=X, y=Y, weight=np.linspace(0, 1, 40))
    chosen = load_data(file, target="weight")
    assert (chosen.task, chosen.target, chosen.y[-1]) == ("regression", "weight", 1.0)
    assert chosen.hash == load(chosen.source).hash


def test_labels_of_every_kind(tmp_path: Path) -> None:
    X = images(5, 5)
    words = np.array(["cat", "dog", "eel", "fox"])[Y]
    assert load_data(save(tmp_path / "a.npz", x=X, y=words)).classes == ("cat", "dog", "eel", "fox")
    assert load_data(save(tmp_path / "b.npz", x=X, y=np.eye(4)[Y])).y.tolist() == Y.tolist()
    assert load_data(save(tmp_path / "c.npz", x=X, y=Y.astype(float))).classes == ("0", "1", "2", "3")
    assert load_data(save(tmp_path / "d.npz", x=X, y=Y > 1)).classes == ("False", "True")
    assert load_data(save(tmp_path / "e.npz", x=X, y=RNG.normal(size=40))).task == "regression"
    many = np.arange(300) // 6
    file = save(tmp_path / "f.npz", x=RNG.random((300, 4, 4)), y=many)
    assert len(load_data(file).classes) == 50
    assert load_data(file, task="regression").classes == ()


def test_a_wish_about_the_modality_counts(tmp_path: Path) -> None:
    X = RNG.random((40, 6, 8))
    file = save(tmp_path / "a.npz", x=X, y=Y)
    assert load_data(file).modality == "image"
    series = load_data(file, modality="sequence")
    assert series.signal.shape == (6, 8)
    assert np.allclose(series.X.reshape(X.shape), X)
    flat = save(tmp_path / "b.npz", x=X.reshape(40, 48), y=Y)
    table = load_data(flat, modality="tabular")
    assert (table.modality, table.P, table.feature_names[0], table.target) == ("tabular", 48, "x1", "y")
    assert table.hash == load(table.source).hash
    assert any("choose the modality tabular" in note for note in load_data(flat).notes)
    with pytest.raises(DataError, match=r"\(6, 8\)\. Allowed: \(rows, columns\) for a table"):
        load_data(file, modality="tabular")
    with pytest.raises(DataError, match=r"have the shape \(40, 48\)\. Allowed: \(rows, height, width\)"):
        load_data(flat, modality="image")


def test_size_colour_and_length(tmp_path: Path) -> None:
    X = images(6, 8, 3)
    file = save(tmp_path / "a.npz", x=X, y=Y)
    small = load_data(file, size=(3, 4))
    means = X.reshape(40, 3, 2, 4, 2, 3).mean(axis=(2, 4))
    assert np.allclose(small.X.reshape(40, 3, 3, 4), np.moveaxis(means, 3, 1), atol=1e-3)
    assert "All 40 images are resized from 6 × 8 to 3 × 4 pixels." in small.notes
    grey = load_data(file, colour="grey")
    assert grey.signal.shape == (1, 6, 8)
    assert np.allclose(grey.X.reshape(40, 6, 8), X @ np.array([0.299, 0.587, 0.114]), atol=1e-3)
    assert load_data(save(tmp_path / "b.npz", x=X[..., 0], y=Y), colour="colour").signal.shape == (3, 6, 8)
    with pytest.raises(DataError, match="2 channels, which are no colours"):
        load_data(save(tmp_path / "c.npz", x=X[..., :2], y=Y), colour="grey")
    series = save(tmp_path / "d.npz", x=RNG.random((40, 20)), y=Y)
    assert load_data(series, length=7).signal.shape == (1, 7)
    for wishes, message in (
        ({"size": (4, 4)}, "A size is given, but d holds series or texts"),
        ({"colour": "grey"}, "A colour is given"),
        ({"modality": "image"}, "have the shape"),
        ({"size": (0, 4)}, "setting size"),
        ({"size": (4, 5000)}, "setting size"),
        ({"modality": "sound"}, "setting modality is 'sound'"),
    ):
        with pytest.raises(DataError, match=message):
            load_data(series, **wishes)
    with pytest.raises(DataError, match="A length is given, but a holds images"):
        load_data(file, length=3)


def test_missing_values_at_the_end_of_a_series_are_padding_and_others_are_filled(tmp_path: Path) -> None:
    X = RNG.random((40, 2, 6))
    X[3, :, 4:] = np.nan
    X[5, 0, 2] = np.nan
    dataset = load_data(save(tmp_path / "a.npz", x=X, y=Y), modality="sequence")
    values = dataset.X.reshape(40, 2, 6)
    assert dataset.signal.padded
    assert np.isnan(values[3, :, 4:]).all()
    assert np.isnan(values).sum() == 4
    assert values[5, 0, 2] == pytest.approx((X[5, 0, 1] + X[5, 0, 3]) / 2, rel=1e-6)
    with pytest.raises(DataError, match="missing, infinite or extreme"):
        load_data(tmp_path / "a.npz", modality="image")


def test_a_test_file_of_its_own(tmp_path: Path) -> None:
    X = images(5, 5)
    train, test = save(tmp_path / "a.npz", x=X[:30], y=Y[:30]), save(tmp_path / "b.npz", x=X[30:], y=Y[30:])
    dataset = load_data(train, test=test)
    assert dataset.held_out.tolist() == list(range(30, 40))
    assert dataset.hash == load(dataset.source).hash
    with pytest.raises(DataError, match=r"rows of the shape \(5, 5\), c.npz of \(5, 4\)"):
        load_data(train, test=save(tmp_path / "c.npz", x=X[30:, :, :4], y=Y[30:]))
    with pytest.raises(DataError, match=r"There is no file .*absent.npz"):
        load_data(train, test=tmp_path / "absent.npz")


class Trap:
    """Opens a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return open, (str(self.file), "w")


def test_python_objects_are_refused_and_never_run(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    objects = np.empty(40, dtype=object)
    objects[:] = [Trap(touched)] * 40
    file = tmp_path / "a.npz"
    np.savez(file, x=images(5, 5), y=objects)
    with pytest.raises(DataError, match=r"array 'y' of a.npz holds Python objects.*allow_pickle=False.*asarray"):
        load_data(file)
    file.write_bytes(pickle.dumps(Trap(touched)))
    with pytest.raises(DataError, match=r"cannot be read as \.npz"):
        load_data(file)
    assert not touched.exists()


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((100_000, 1_000, 1_000), "100,000,000,000 numbers"),
        ((10**15,), "1,000,000,000,000,000 rows"),
        ((10**9, 0), "1,000,000,000 rows"),
        ((-5, 3), "the shape"),
        ((1_000_000,), "unpacks to 4,000 MB"),
    ],
)
def test_a_bomb_is_refused_by_its_header(shape: tuple[int, ...], message: str, tmp_path: Path) -> None:
    file = tmp_path / "bomb.npz"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", header_only(shape, "<U1000" if shape == (1_000_000,) else "<f8"))
        archive.writestr("y.npy", header_only((40,), "<i8") + Y.tobytes())
    with pytest.raises(DataError, match=message):
        load_data(file)


def test_a_member_that_unpacks_to_a_thousandfold_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "zeros.npz"
    np.savez_compressed(file, x=np.zeros((40, 256, 256)), y=Y)
    with pytest.raises(DataError, match=r"'x.npy', which unpacks to [\d,]+ times its size, as bombs do"):
        load_data(file)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((40, 5, 5))}, "no arrays whose names say rows and labels"),
        ({"x": np.zeros((40, 5, 5)), "images": np.ones((40, 5, 5)), "y": Y}, "'x' and 'images' .* both be meant"),
        ({"x": np.zeros((40, 5, 5)), "y": Y[:30]}, "do not fit together"),
        ({"x": np.zeros((40, 5, 5)), "y": np.zeros((40, 2))}, r"labels of a.npz have the shape \(40, 2\)"),
        ({"x": np.zeros((40, 5, 5)), "y": np.zeros(40)}, "one class only: '0'"),
        ({"x": np.zeros((40, 5, 5)), "y": np.arange(40) // 39}, r"too few rows: '1' \(1\)"),
        ({"x": np.zeros((4, 5, 5)), "y": Y[:4]}, "4 rows and 4 labels"),
        ({"x": np.full((40, 5, 5), "a"), "y": Y}, "do not fit together"),
        ({"x": np.zeros((40, 5, 5), dtype=complex), "y": Y}, "the type complex128"),
        ({"x": np.full((40, 5, 5), np.inf), "y": Y}, "missing, infinite or extreme"),
        ({"x": np.full((40, 5), 1e30), "y": Y}, r"Series 1 of a holds 1e\+30"),
        ({"x": np.zeros((40, 5, 5)), "y": np.where(Y, np.nan, 1.0)}, "labels that are not finite"),
        ({**TRAIN, "x_test": np.zeros((9, 4, 5)), "y_test": Y[:9]}, "different shapes"),
        ({**TRAIN, "x_test": np.zeros((9, 5, 5)), "y_test": Y[:9] + 7}, "too few rows"),
        ({"x": np.zeros((40, 20, 20, 20)), "y": Y}, r"images of a.npz have the shape \(40, 20, 20, 20\)"),
        ({}, "holds no arrays"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=message) as error:
        load_data(tmp_path / "a.npz")
    assert "Fix:" in str(error.value)


def test_a_target_that_is_not_there_lists_the_arrays(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no array 'z' .* it holds x \(40, 5, 5\), y \(40,\)"):
        load_data(save(tmp_path / "a.npz", x=images(5, 5), y=Y), target="z")


WHOLE = io.BytesIO()
np.savez(WHOLE, x=images(4, 4), y=Y)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE.getvalue()) - 1), st.integers(0, 255)), max_size=12),
    st.integers(0, len(WHOLE.getvalue())),
    st.booleans(),
)
def test_broken_bytes_are_refused_with_a_message(changes: list[tuple[int, int]], end: int, whole: bool) -> None:
    content = bytearray(WHOLE.getvalue())
    for place, value in changes:
        content[place] = value
    with TemporaryDirectory() as folder:
        file = Path(folder) / "a.npz"
        file.write_bytes(bytes(content if whole else content[:end]) or b"x")
        try:
            read_npz(file)
        except DataError as error:
            event(f"refused: {error.given.split('(')[0][:40]}")
        else:
            event("read")


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=120))
def test_any_bytes_as_a_header(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "a.npz"
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + content)
            archive.writestr("y.npy", content)
        with pytest.raises(DataError):
            read_npz(file)
