"""Tables that hold series, texts or pixels: recognised when unmistakable, read so when a person says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from nas_core.data import Dataset, Problem, load, load_data
from nas_core.data.tokens import PADDING, UNKNOWN, vocabulary, words_of
from nas_core.errors import DataError

RNG = np.random.default_rng(0)
Change = Callable[[pd.DataFrame], pd.DataFrame]


def save(folder: Path, frame: pd.DataFrame, name: str = "a.csv") -> Path:
    frame.to_csv(folder / name, index=False)
    return folder / name


def long_table(series: int = 12, steps: int = 5, **columns: object) -> pd.DataFrame:
    """Return a long table in random order; the value of series s at time t is 100 s + t."""
    s, t = np.divmod(np.arange(series * steps), steps)
    frame = pd.DataFrame({"id": s, "time": t, "value": 100.0 * s + t, "label": np.where(s % 2, "b", "a"), **columns})
    return frame.sample(frac=1, random_state=1)


def reloaded(dataset: Dataset) -> Dataset:
    assert load(dataset.source).hash == dataset.hash
    assert np.isfinite(Problem.create(dataset).train.E).all()
    return dataset


# --- long tables ----------------------------------------------------------------------------------------------------


def test_a_long_table_is_recognised(tmp_path: Path) -> None:
    frame = long_table()
    dataset = reloaded(load_data(save(tmp_path, frame)))
    order = list(dict.fromkeys(frame["id"]))
    assert (dataset.modality, dataset.signal.shape, dataset.target) == ("sequence", (1, 5), "label")
    assert np.array_equal(dataset.X, [[100 * s + t for t in range(5)] for s in order])
    assert [dataset.classes[k] for k in dataset.y] == ["ab"[s % 2] for s in order]
    assert "Rows that share 'id' are read as one series in the order of 'time'" in dataset.notes[0]
    table = reloaded(load_data(tmp_path / "a.csv", modality="tabular"))
    assert (table.modality, table.N) == ("tabular", 60)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.rename(columns={"id": "person"}),
        lambda f: f.rename(columns={"time": "hour"}),
        lambda f: f.rename(columns={"label": "outcome"}),
        lambda f: f.assign(label=f.label.sample(frac=1, random_state=0).to_numpy()),
        lambda f: f.assign(time=0),
        lambda f: f[f.id < 9],
        lambda f: f[f.time < 2],
        lambda f: f.drop(columns="value"),
        lambda f: f.assign(time="soon"),
    ],
)
def test_whatever_is_less_than_that_stays_a_table(change: Change, tmp_path: Path) -> None:
    frame = change(long_table()).assign(more=RNG.permutation(60)[: len(change(long_table()))] / 7)
    kept = frame if "value" in frame else frame.drop(columns="more")
    try:
        dataset = load_data(save(tmp_path, kept))
    except DataError as error:
        assert "no column to learn from" in str(error) or "rows" in str(error)  # noqa: PT017 - a table's message
    else:
        assert dataset.modality == "tabular"


@pytest.mark.parametrize(
    "stamp", [lambda t: t, lambda t: f"2024-03-{t + 1:02d}", lambda t: f"2024-03-{t + 1:02d} 12:00:00"]
)
def test_columns_can_be_said_and_times_can_be_dates(stamp: Callable[[int], str], tmp_path: Path) -> None:
    frame = long_table().rename(columns={"id": "person", "time": "day", "label": "outcome"})
    frame = frame.assign(day=[stamp(t) for t in frame.day], second=-frame.value, noise=1.5)
    dataset = reloaded(
        load_data(save(tmp_path, frame), target="outcome", id="person", time="day", values=["value", "second"])
    )
    X = dataset.X.reshape(12, 2, 5)
    assert (np.diff(X[:, 0]) == 1).all()
    assert np.array_equal(X[:, 1], -X[:, 0])


def test_unequal_lengths_gaps_and_quantities(tmp_path: Path) -> None:
    frame = long_table().sort_values(["id", "time"])
    frame = frame[(frame.id != 3) | (frame.time < 3)].assign(label=lambda f: f.id / 7.0)
    frame.loc[(frame.id == 5) & (frame.time == 2), "value"] = np.nan
    frame.loc[frame.id == 7, "label"] = np.nan
    frame.loc[(frame.id == 8) & (frame.time == 4), "time"] = 9
    dataset = reloaded(load_data(save(tmp_path, frame)))
    assert (dataset.task, dataset.N, dataset.signal.padded) == ("regression", 11, True)
    assert np.array_equal(dataset.X[3], [300, 301, 302, np.nan, np.nan], equal_nan=True)
    assert dataset.X[5].tolist() == [500, 501, 502, 503, 504]
    for part in ("1 series are left out", "1 missing values are interpolated", "3 to 5 steps", "uneven steps"):
        assert any(part in note for note in dataset.notes)


def test_test_rows_are_series_of_their_own_even_under_the_same_id(tmp_path: Path) -> None:
    train, test = save(tmp_path, long_table()), save(tmp_path, long_table(4).assign(value=7.0), "b.csv")
    dataset = reloaded(load_data(train, test=test))
    assert dataset.N == 16
    assert dataset.held_out.tolist() == [12, 13, 14, 15]
    assert (dataset.X[12:] == 7).all()
    with pytest.raises(DataError, match=r"The test file c.csv has no column 'value'"):
        load_data(train, test=save(tmp_path, long_table().drop(columns="value"), "c.csv"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(label=np.arange(60) % 2), "'label' changes within the series"),
        (lambda f: f.assign(time=0), "has the time '0' twice"),
        (lambda f: f.assign(time=np.where(f.time == 1, np.nan, f.time)), "time 'time' is missing in row"),
        (lambda f: f.assign(time="soon"), "time 'time' holds 'soon'"),
        (lambda f: f.rename(columns={"time": "hour"}), "no columns of a long table"),
        (lambda f: f.assign(value=[f"v{v}" for v in f.value]), "no columns of a long table"),
    ],
)
def test_a_long_table_that_is_none_is_explained(change: Change, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        load_data(save(tmp_path, change(long_table())), id="id", time="time", modality="sequence")


# --- wide tables ----------------------------------------------------------------------------------------------------


def test_columns_as_pixels_or_steps(tmp_path: Path) -> None:
    X = RNG.integers(0, 9, (40, 12))
    X[:, 5] = 0  # a constant pixel stays
    frame = pd.DataFrame(X, columns=[f"pixel{j}" for j in range(12)]).assign(label=np.arange(40) % 3, name="x")
    file = save(tmp_path, frame)
    image = reloaded(load_data(file, modality="image", size=(3, 4), target="label"))
    assert image.signal.shape == (1, 3, 4)
    assert np.array_equal(image.X, X)
    assert any("left out: name" in n for n in image.notes)
    series = reloaded(load_data(file, modality="sequence", target="label"))
    assert (series.signal.shape, series.hash == image.hash) == ((1, 12), False)
    assert np.array_equal(load_data(file, modality="sequence", values=["pixel3", "pixel1"], target="label").X,
                          X[:, [3, 1]])  # fmt: skip
    square = reloaded(load_data(file, modality="image", target="label", kinds={"pixel0": "ignore", "pixel1": "ignore",
                                                                              "pixel2": "ignore"}))  # fmt: skip
    assert square.signal.shape == (1, 3, 3)
    assert load_data(file).modality == "tabular"
    with pytest.raises(DataError, match=r"12 numeric columns of a are not the pixels of an image of 5 × 5"):
        load_data(file, modality="image", size=(5, 5), target="label")
    with pytest.raises(DataError, match=r"'name' is no column of numbers"):
        load_data(file, modality="sequence", values=["name"], target="label")


def test_test_rows_of_a_plain_table(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": RNG.normal(size=40), "c": ["u", "v"] * 20, "target": np.arange(40) % 2})
    frame.loc[[3, 33], "target"] = np.nan
    train, test = save(tmp_path, frame[:30]), save(tmp_path, frame[30:], "b.csv")
    dataset = load_data(train, test=test)
    assert dataset.N == 38
    assert dataset.held_out.tolist() == list(range(29, 38))
    assert np.array_equal(dataset.X[29:, 0], frame.a[30:].drop(index=33))
    assert load(dataset.source).hash == dataset.hash


# --- texts ----------------------------------------------------------------------------------------------------------

SENTENCES = ["The cat sat on the mat", "A dog ran, and ran!", "It's a cat; isn't it?", "Dogs and cats — no words 42"]


def text_table(rows: int = 40) -> pd.DataFrame:
    texts = [f"{SENTENCES[i % 4]} number{i // 8} of unique{i}" for i in range(rows)]
    return pd.DataFrame({"text": texts, "label": ["up" if i % 4 < 2 else "down" for i in range(rows)]})


def test_words() -> None:
    assert words_of("It’s the CAT's 2nd naïve_word, don't!") == ["it's", "the", "cat's", "2nd", "naïve_word", "don't"]
    assert words_of("我爱cats。") == ["我", "爱", "cats"]
    assert words_of(" — !") == []


def test_a_text_with_a_label_is_recognised(tmp_path: Path) -> None:
    frame = text_table()
    frame.loc[7, "text"] = "!!!"
    dataset = reloaded(load_data(save(tmp_path, frame)))
    signal = dataset.signal
    assert (dataset.modality, dataset.target, dataset.classes) == ("sequence", "label", ("down", "up"))
    assert signal.words[:2] == (PADDING, UNKNOWN)
    assert len(signal.words) == signal.vocabulary
    assert "unique3" not in signal.words  # only one text has it
    for row in (0, 5, 38):
        ids = dataset.X[row].astype(int)
        expected = [w if w in signal.words else UNKNOWN for w in words_of(frame.text[row])]
        assert [signal.words[k] for k in ids if k] == expected
        assert (ids[len(expected) :] == 0).all()
    assert dataset.X[7].tolist() == [1] + [0] * (signal.columns - 1)
    assert "'text' is read as a text" in dataset.notes[0]
    assert any("1 texts have no word" in n for n in dataset.notes)


def test_the_vocabulary_never_reads_declared_test_rows(tmp_path: Path) -> None:
    train = save(tmp_path, text_table())
    test = pd.DataFrame({"text": ["zebra zebra zebra cat", "zebra of the mat"] * 5, "label": ["up", "down"] * 5})
    dataset = reloaded(load_data(train, test=save(tmp_path, test, "b.csv")))
    assert "zebra" not in dataset.signal.words
    assert dataset.held_out.tolist() == list(range(40, 50))
    assert dataset.X[40, :4].tolist() == [1, 1, 1, dataset.signal.words.index("cat")]
    assert dataset.signal.words == load_data(train).signal.words


def test_a_text_among_other_columns_is_read_when_a_person_says_so(tmp_path: Path) -> None:
    frame = text_table().assign(price=RNG.random(40))[["price", "label", "text"]]
    file = save(tmp_path, frame)
    assert load_data(file).modality == "tabular"
    by_name = reloaded(load_data(file, text="text"))
    guessed = reloaded(load_data(file, modality="sequence"))
    assert by_name.hash == guessed.hash == load_data(save(tmp_path, text_table(), "b.csv")).hash
    assert any("'text' is read: other columns are left out (price)" in n for n in by_name.notes)
    priced = load_data(file, text="text", target="price")
    assert (priced.task, priced.target) == ("regression", "price")
    with pytest.raises(DataError, match=r"no column 'body' with a text"):
        load_data(file, text="body")
    with pytest.raises(DataError, match=r"no column 'label' with a text beside the target 'label'"):
        load_data(file, text="label", target="label")
    with pytest.raises(DataError, match="no word that occurs in two"):
        load_data(save(tmp_path, frame.assign(text=[f"w{i}" for i in range(40)]), "c.csv"), text="text")


def test_the_length_is_bounded(tmp_path: Path) -> None:
    frame = text_table()
    frame.loc[0, "text"] = "cat " * 900
    dataset = load_data(save(tmp_path, frame))
    lengths = [len(words_of(t)) for t in frame.text]
    assert dataset.signal.columns == int(np.ceil(np.quantile(lengths, 0.95)))
    assert any("1 texts are longer than" in n for n in dataset.notes)
    assert load_data(tmp_path / "a.csv", length=300).signal.columns == 300
    frame["text"] = ["cat dog " * 400 + str(i) for i in range(40)]
    assert load_data(save(tmp_path, frame, "b.csv")).signal.columns == 256


@given(st.lists(st.lists(st.sampled_from("abcdefg"), max_size=6), max_size=12), st.integers(1, 4))
def test_the_vocabulary_holds_the_words_of_most_texts(texts: list[list[str]], most: int) -> None:
    found = vocabulary(texts, most)
    counts = Counter(w for words in texts for w in set(words))
    assert len(found) <= most
    assert all(counts[w] >= 2 for w in found)
    left = [w for w in counts if counts[w] >= 2 and w not in found]
    assert not left or (len(found) == most and max(counts[w] for w in left) <= min(counts[w] for w in found))


cells = st.sampled_from(["", "1", "2", "3.5", "a b c d", "the cat sat on", "2024-01-01", "?", "é", "inf", "-1", "x"])


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.lists(cells, min_size=1, max_size=5), min_size=2, max_size=5),
    st.permutations(["id", "time", "value", "text", "label", "a", "target"]),
    st.sampled_from([None, "image", "sequence", "tabular"]),
    st.sampled_from([{}, {"text": "text"}, {"id": "id", "time": "time"}, {"values": ["value"]}, {"size": (2, 2)}]),
    st.integers(0, 30),
)  # fmt: skip
def test_any_table_with_any_wish(
    pools: list[list[str]], names: list[str], modality: str | None, wishes: dict[str, object], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    lines = [",".join(p[rng.integers(len(p))] for p in pools) for _ in range(40)]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "a.csv"
        file.write_text("\n".join([",".join(names[: len(pools)]), *lines]), encoding="utf-8")
        try:
            dataset = load_data(file, modality=modality, **wishes)
        except DataError as error:
            event(f"refused: {error.allowed[:30]}")
        else:
            event(f"read as {dataset.modality}")
            assert load(dataset.source).hash == dataset.hash
