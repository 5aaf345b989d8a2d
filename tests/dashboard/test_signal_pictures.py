"""Pictures of images, series and texts with their attributions: the numbers they are drawn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.components.explain_signal import words_html
from dashboard.components.signal_plan import BACKGROUNDS, affordable_rows
from dashboard.figures.signal_attributions import mean_figure, overlay_figure, picture_figure, series_figure, tinted
from dashboard.theme import DARK, LIGHT, Palette
from dashboard.views.signal_attributions import (
    cell_rows,
    cells_view,
    mean_view,
    of_predicted,
    picture_view,
    series_view,
    words_view,
)
from nas_core.data import Dataset
from nas_core.data.arrays import signal_dataset
from nas_core.data.signal import Signal, image_signal, sequence_signal
from nas_core.explanations import Attribution

WORDS = ("", "?", "<b>", "good", "film")


def data_of(signal: Signal, rows: int = 12) -> Dataset:
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 16, (rows, signal.columns))
    if signal.vocabulary:
        X = np.floor(X) % 5
        X[:, -2:] = 0
    return signal_dataset(X, np.arange(rows) % 3, signal, name="toy", classes=("a", "b", "c"))


def attributed(data: Dataset, n: int = 4, *, maps: bool = False, **changes: object) -> Attribution:
    rng = np.random.default_rng(1)
    signal = data.signal
    values = rng.normal(size=(n, data.P, 3))
    places = None
    if maps:
        places = rng.normal(size=(n, 3, *signal.place))
        holds = signal.owner[: places[0, 0].size, None] == np.arange(data.P)
        values = (places.reshape(n, 3, -1) @ holds).transpose(0, 2, 1)
    made = Attribution(values, np.array([0.1, 0.2, 0.3]), values.sum(1), data.X[:n], data.feature_names, data.classes,
                       "cell_shap", maps=places)  # fmt: skip
    return replace(made, **changes)


IMAGE = Signal(modality="image", shape=(1, 6, 4), cell=(2, 2))
SERIES = Signal(modality="sequence", shape=(2, 10), cell=(1, 2))
TEXT = Signal(modality="sequence", shape=(1, 7), cell=(1, 1), vocabulary=5, words=WORDS, padded=True)


def test_every_pixel_has_the_value_of_its_patch() -> None:
    data = data_of(IMAGE)
    found = attributed(data)
    view = picture_view(found, 1, 2, data)
    assert view.overlay.shape == view.pixels.shape == (6, 4)
    for y in range(6):
        for x in range(4):
            patch = (y // 2) * 2 + x // 2
            assert view.overlay[y, x] == view.totals[y, x] == found.values[2, patch, 1]
            assert view.patches[y, x] == f"patch {y // 2 + 1}.{x // 2 + 1}"
    assert view.pixels.min() >= 0
    assert view.pixels.max() <= 1
    assert not view.smooth


def test_maps_are_drawn_at_every_pixel_and_patches_told_by_their_sum() -> None:
    data = data_of(IMAGE)
    found = attributed(data, maps=True)
    view = picture_view(found, 0, 1, data)
    assert np.array_equal(view.overlay, found.maps[1, 0])
    assert view.totals[0, 0] == pytest.approx(found.maps[1, 0, :2, :2].sum())
    assert view.smooth


@given(st.integers(0, 50))
def test_colours_end_at_the_99th_percentile_and_are_symmetric(seed: int) -> None:
    data = data_of(IMAGE)
    rng = np.random.default_rng(seed)
    maps = rng.normal(size=(4, 3, 6, 4))
    maps[0, 0, 0, 0] = 1e6
    view = picture_view(_with_maps(data, maps), 0, 1, data)
    assert view.limit == pytest.approx(np.percentile(np.abs(maps[1, 0]), 99))
    trace = next(t for t in overlay_figure(view, LIGHT).data if t.meta == "overlay")
    assert trace.zmin == -trace.zmax == -view.limit
    assert trace.colorscale[1][1].endswith(",0)")


def _with_maps(data: Dataset, maps: np.ndarray) -> Attribution:
    return replace(attributed(data), maps=maps)


def test_nothing_to_see_has_colours_all_the_same() -> None:
    data = data_of(IMAGE)
    found = replace(attributed(data), values=np.zeros((4, 6, 3)))
    assert picture_view(found, 0, 0, data).limit == 1
    one = np.zeros((4, 6, 3))
    one[0, 3, 0] = 5.0
    assert picture_view(replace(found, values=one), 0, 0, data).limit == 5


def test_colour_images_keep_their_colours_and_other_channels_are_averaged() -> None:
    for channels, shape in ((3, (4, 4, 3)), (2, (4, 4)), (1, (4, 4))):
        data = data_of(image_signal(channels, 4, 4))
        view = picture_view(attributed(data), 0, 0, data)
        assert view.pixels.shape == shape
        image = picture_figure(view, LIGHT).data[0]
        assert np.asarray(image.z).shape == (4, 4, 3)
    grey = data_of(IMAGE)
    z = np.asarray(picture_figure(picture_view(attributed(grey), 0, 0, grey), LIGHT).data[0].z)
    low, high = grey.X[:4].min(), grey.X[:4].max()
    assert z[..., 0] == pytest.approx(255 * (grey.X[0].reshape(6, 4) - low) / (high - low), abs=0.51)


def test_the_picture_under_an_overlay_is_faded_towards_the_ground() -> None:
    data = data_of(IMAGE)
    view = picture_view(attributed(data), 0, 0, data)
    plain, light, dark = (
        np.asarray(f.data[0].z, float)
        for f in (picture_figure(view, LIGHT), overlay_figure(view, LIGHT), overlay_figure(view, DARK))
    )
    assert np.ptp(light) < 0.3 * np.ptp(plain)
    assert light.min() > 150
    assert dark.max() < 110


def test_pictures_have_one_size_whatever_their_shape_and_keep_it() -> None:
    sizes = set()
    for side in (4, 7, 28):
        data = data_of(image_signal(1, side, side))
        figure = overlay_figure(picture_view(attributed(data), 0, 0, data), LIGHT)
        sizes.add((figure.layout.width, figure.layout.height))
        assert list(figure.layout.yaxis.range) == [side - 0.5, -0.5]
    assert len(sizes) == 1


def test_a_series_stands_on_what_its_steps_add() -> None:
    data = data_of(SERIES)
    found = attributed(data)
    view = series_view(found, 2, 1, data)
    assert view.overlay == pytest.approx(np.repeat(found.values[1, :, 2], 2))
    assert view.names[:3] == ("steps 1–2", "steps 1–2", "steps 3–4")
    assert np.array_equal(view.lines, data.X[1].reshape(2, 10))
    figure = series_figure(view, LIGHT)
    lines = [t for t in figure.data if t.meta == "line"]
    assert [list(t.y) for t in lines] == [list(row) for row in view.lines]
    bars = next(t for t in figure.data if t.meta == "bars")
    assert list(bars.y) == list(view.overlay)
    assert [c == LIGHT.diverging[0] for c in bars.marker.color] == [v < 0 for v in view.overlay]
    ground = next(t for t in figure.data if t.meta == "ground")
    assert np.array_equal(ground.z[0], view.overlay)
    assert figure.layout.showlegend


def test_padding_is_no_value_of_a_series() -> None:
    data = data_of(Signal(modality="sequence", shape=(1, 6), cell=(1, 1), padded=True))
    raw = data.X[:4].copy()
    raw[0, 4:] = np.nan
    found = replace(attributed(data), data=raw)
    assert series_figure(series_view(found, 0, 0, data), LIGHT).layout.yaxis.range[0] < np.nanmin(raw[0])
    assert cells_view(found, 0, np.arange(4), data).texts[0][5] == "padding"


def test_words_are_coloured_by_what_they_add_and_cannot_bring_tags_with_them() -> None:
    data = data_of(TEXT)
    raw = np.array([[2, 3, 4, 0, 0, 0, 0]] * 4, float)
    values = np.zeros((4, 7, 3))
    values[0, :3, 0] = [0.5, -2.0, 1.0]
    found = replace(attributed(data), data=raw, values=values)
    view = words_view(found, 0, 0, data)
    assert [w.word for w in view.words] == ["<b>", "good", "film"]
    assert [w.value for w in view.words] == [0.5, -2.0, 1.0]
    assert view.words[1].strength == -1
    html = words_html(view, dark=False)
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert tinted(-1.0, LIGHT) in html
    assert "good: −2.000 log-odds" in html
    empty = words_view(replace(found, data=np.zeros((4, 7))), 0, 0, data)
    assert "no words" in words_html(empty, dark=True)
    assert cells_view(found, 0, np.arange(4), data).texts[0][:4] == ("<b>", "good", "film", "padding")


def contrast(first: str, second: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(first), light(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("strength", [-1.0, 1.0])
def test_letters_can_be_read_on_the_strongest_colour(colours: Palette, strength: float) -> None:
    red, green, blue, alpha = (float(v) for v in tinted(strength, colours)[5:-1].split(","))
    ground = [int(colours.background[i : i + 2], 16) for i in (1, 3, 5)]
    mixed = [round(alpha * c + (1 - alpha) * g) for c, g in zip((red, green, blue), ground)]
    assert contrast("#" + "".join(f"{m:02x}" for m in mixed), colours.ink) >= 4.5


@pytest.mark.parametrize("signal", [IMAGE, SERIES, TEXT])
@pytest.mark.parametrize("maps", [False, True])
def test_the_mean_is_that_of_absolute_values_and_inside_its_interval(signal: Signal, maps: bool) -> None:
    data = data_of(signal)
    found = attributed(data, maps=maps)
    view = mean_view(found, 1, data)
    assert view.mean.shape == signal.place
    if maps:
        assert view.mean == pytest.approx(np.abs(found.maps[:, 1]).mean(0))
    else:
        cells = signal.owner[: view.mean.size].reshape(signal.place)
        assert view.mean == pytest.approx(np.abs(found.values[:, :, 1]).mean(0)[cells])
    assert (view.low <= view.mean + 1e-12).all()
    assert (view.mean <= view.high + 1e-12).all()
    trace = mean_figure(view, LIGHT).data[0]
    shown = trace.z if signal.modality == "image" else trace.y
    assert np.asarray(shown).ravel() == pytest.approx(view.mean.ravel())


def test_the_predicted_class_is_each_rows_own() -> None:
    data = data_of(IMAGE)
    for maps in (False, True):
        found = attributed(data, maps=maps)
        own = of_predicted(found)
        for i in range(4):
            k = int(np.argmax(found.outputs[i]))
            assert np.array_equal(own.values[i, :, 0], found.values[i, :, k])
            assert own.outputs[i, 0] == found.outputs[i].max()
            assert not maps or np.array_equal(own.maps[i, 0], found.maps[i, k])
        assert mean_view(own, 0, data).rows == 4


def test_the_table_lists_the_largest_first_and_leaves_out_what_adds_nothing() -> None:
    data = data_of(IMAGE)
    values = np.zeros((4, 6, 3))
    values[1, [0, 3, 5], 0] = [1.0, -3.0, 4.0]
    found = cell_rows(cells_view(replace(attributed(data), values=values), 0, np.arange(4), data), 1)
    assert [r.name for r in found] == ["patch 3.2", "patch 2.2", "patch 1.1"]
    assert [r.share for r in found] == pytest.approx([0.5, 0.375, 0.125])


def test_shares_have_one_colour_and_a_unit_of_their_own() -> None:
    data = data_of(SERIES)
    found = replace(attributed(data), values=np.full((4, 5, 3), 0.2), unit="share", additive=False)
    view = series_view(found, 0, 0, data)
    assert not view.signed
    assert view.unit == "share of attention"
    ground = next(t for t in series_figure(view, LIGHT).data if t.meta == "ground")
    assert ground.zmin == 0


@given(st.integers(0, 10**12), st.integers(1, 60))
def test_the_rows_fit_the_budget_unless_they_are_few(cost: int, wanted: int) -> None:
    budget = 4_000_000_000
    rows, against = affordable_rows(cost, budget, wanted)
    assert against in BACKGROUNDS
    assert min(3, wanted) <= rows <= wanted
    assert rows <= 3 or rows * against * cost <= budget
    if cost * BACKGROUNDS[0] * wanted <= budget:
        assert (rows, against) == (wanted, BACKGROUNDS[0])


def test_long_sequences_have_runs_of_steps() -> None:
    data = data_of(sequence_signal(1, 100))
    view = series_view(attributed(data), 0, 0, data)
    assert len(view.overlay) == len(view.names) == 100
    assert view.names[0] == "steps 1–4"
