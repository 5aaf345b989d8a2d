"""The data card says what a problem learns from, and no name in it can be anything but text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_core.data import Problem, SplitScheme, dataset_from_frame, load_data
from nas_core.data.card import DataCard, data_card
from nas_core.data.leaks import column_warnings
from nas_core.escaping import markdown_text


def test_the_card_of_a_classification(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=100), "twin": 0.0, "who": rng.integers(0, 20, 100)})
    frame["twin"] = 2 * frame.x
    frame.loc[:9, "x"] = np.nan
    frame["target"] = rng.choice(["a", "b"], 100, p=[0.8, 0.2])
    file = tmp_path / "people.csv"
    frame.to_csv(file, index=False)
    problem = Problem.create(
        load_data(file, aside="who"), "f1", seed=4, scheme=SplitScheme(kind="group", column="who"),
        class_weights="balanced",
    )  # fmt: skip
    card = data_card(problem, column_warnings(problem.dataset, problem.split.train))
    assert (card.rows, card.kinds, card.missing) == (100, {"numeric": 2, "categorical": 0}, {"x": 10})
    assert card.source == "file people.csv"  # no folder of this machine
    assert str(tmp_path) not in card.to_markdown() + card.to_json()
    assert [p.name for p in card.parts] == ["train", "validation", "test"]
    assert sum(p.rows for p in card.parts) == 100
    assert card.split == "60 / 20 / 20 % by group: rows with the same who stay together"
    assert sum(c.rows * c.weight for c in card.classes) == pytest.approx(100, rel=0.1)
    assert card.classes[1].weight > 1.5 > 1 > card.classes[0].weight
    assert (card.metric, card.seed, card.licence, card.data_hash) == ("F1", 4, "unknown", problem.dataset.hash)
    assert DataCard.model_validate_json(card.to_json()) == card
    told = card.to_markdown()
    assert "| x | 10 |" in told
    assert "by group\\: rows with the same who stay together, seed 4." in told


def test_the_card_of_a_regression() -> None:
    problem = Problem.create(load_data("diabetes"), "mae", target_transform="log1p")
    card = data_card(problem)
    assert card.quantity is not None
    assert card.quantity.trained_on == "ln(1 + progression)"
    assert "trained on ln(1 + progression)." in card.to_markdown()
    assert card.kinds == {"numeric": 9, "categorical": 1}
    assert problem.test_opened == 0


def test_the_card_of_images() -> None:
    card = data_card(Problem.create(load_data("digits_images")))
    assert card.kinds == {"patches": 16}
    assert "1 × 8 × 8 pixels in 16 patches" in card.to_markdown()
    assert [c.name for c in card.classes] == [str(k) for k in range(10)]


def test_rows_that_a_search_leaves_out_are_told() -> None:
    frame = pd.DataFrame({"x": np.arange(500) % 17, "target": np.arange(500) % 2})
    card = data_card(Problem.create(dataset_from_frame(frame), max_train_rows=50, max_valid_rows=20))
    assert [(p.rows, p.used) for p in card.parts] == [(300, 50), (100, 20), (100, 0)]


HOSTILE = "a|b\n# head <script>alert(1)</script> ![i](http://x) `c` *b* :red[x] $y$"


def test_names_cannot_become_markup() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({HOSTILE: rng.normal(size=60), "target": rng.choice(["1. <b>", "- |x|"], 60)})
    frame.loc[0, HOSTILE] = np.nan
    told = data_card(Problem.create(dataset_from_frame(frame, "target", name="<img src=x>"))).to_markdown()
    assert "<" not in told
    assert "\n# head" not in told
    for line in told.splitlines():
        if line.startswith("|"):
            assert line.replace("\\|", "").count("|") in (3, 4, 5)


@given(st.text(max_size=60))
def test_escaped_text_is_one_line_without_open_markup(text: str) -> None:
    told = markdown_text(text)
    assert len(told.splitlines()) <= 1
    assert not set("<>") & set(told)
    bare = told.replace("\\\\", "")
    for sign in "`*_[]|#~$:@":
        assert bare.count(sign) == bare.count(f"\\{sign}")
    plain = told.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert plain.replace("\\", "") == " ".join(text.split()).replace("\\", "")
