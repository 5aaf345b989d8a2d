"""What is read of candidates: of every family, only of those that count, and nothing that was not decided."""

from __future__ import annotations

import numpy as np
import pytest
from searched import FAMILIES, searched

from nas_core.errors import SettingsError
from nas_core.insight.aims import aim_names, aim_of
from nas_core.insight.facets import facets_of, levelled
from nas_core.insight.material import FEWEST, gather
from nas_core.spaces import choices_of, forbid

EXPECTED = {
    "tabular": {"groups.features", "groups.curves", "groups.together", "depth", "activation", "learning_rate"},
    "image": {"stages.depth", "stages.operations", "stages.widths", "stages.transitions", "head"},
    "cell": {"cell.edge_0_1", "cell.edge_2_3", "stages", "width"},
    "sequence": {"layers.depth", "layers.kinds", "layers.widths", "pooling"},
}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_read_question_by_question(family: str) -> None:
    run = searched(family)
    assert EXPECTED[family] <= {f.key for f in run.material.facets}
    for facet in run.material.facets:
        n = len(run.material)
        assert facet.columns.shape == (n, len(facet.names))
        assert facet.columns[facet.decided].var(axis=0).min() > 0
        assert ((facet.level >= 0) == facet.decided).all()
        assert set(facet.level[facet.decided]) == set(range(len(facet.levels)))
        for at in (0, n // 2, n - 1):
            values = run.material.architectures[run.material.ids[at]].values
            assert np.array_equal(facet.read(values), facet.columns[at])


def test_the_activation_of_a_linear_network_was_not_decided() -> None:
    run = searched("tabular")
    activation = run.material.facet("activation")
    linear = [run.material.architectures[i].values["depth"] == 0 for i in run.material.ids]
    assert any(linear)
    assert np.array_equal(~activation.decided, np.array(linear))


def test_failed_candidates_are_left_out_and_counted() -> None:
    run = searched("tabular", 60, failing=5)
    assert (len(run.material), run.material.eligible, run.material.left_out) == (55, 55, 5)
    assert not run.material.sampled
    assert run.material.missing == 0


def test_too_few_candidates_say_how_many_are_missing() -> None:
    run = searched("tabular", 12, failing=2)
    assert run.material.missing == FEWEST - 10
    assert run.material.facets == ()


def test_of_many_candidates_as_many_as_asked_for_are_drawn_alike_every_time() -> None:
    run = searched("tabular", 80)
    one, two = (gather(run.snapshot, run.evaluations, run.space, most=40) for _ in range(2))
    assert len(one) == 40
    assert one.sampled
    assert one.eligible == 78
    assert one.ids == two.ids


def test_an_option_that_an_edit_took_away_is_still_read() -> None:
    run = searched("tabular")
    choice = next(c for c in choices_of(run.space) if (c.variable, c.option) == ("activation", "tanh"))
    edited = forbid(run.space, choice)
    material = gather(run.snapshot, run.evaluations, edited)
    assert "tanh" in material.facet("activation").levels
    assert len(material) == len(run.material)


def test_an_unknown_choice_and_an_unknown_aim_are_errors() -> None:
    run = searched("tabular")
    with pytest.raises(SettingsError, match="No choice 'colour' varies"):
        run.material.facet("colour")
    with pytest.raises(SettingsError, match="nothing called 'beauty'"):
        aim_of("beauty", run.snapshot, run.ranking)


def test_every_aim_has_a_value_for_each_candidate() -> None:
    run = searched("tabular")
    assert aim_names(run.snapshot)[:3] == ("performance", "interpretability", "scalar")
    for name in aim_names(run.snapshot)[:-1]:
        aim = run.material.aim(name, run.ranking)
        assert aim.values.shape == (len(run.material),)
        assert np.isfinite(aim.values).all()
    seconds = run.material.aim("seconds", run.ranking)  # the synthetic evaluator takes no time
    assert np.isnan(seconds.values).all()


def test_few_numbers_are_levels_and_many_are_binned() -> None:
    decided = np.ones(100, dtype=bool)
    labels, level = levelled([float(i % 3) for i in range(100)], decided, None, lambda v: f"{v:.0f}")
    assert labels == ("0", "1", "2")
    assert level[:4].tolist() == [0, 1, 2, 0]
    labels, level = levelled([float(i) for i in range(100)], decided, None, lambda v: f"{v:.0f}")
    assert labels == ("0 – 19", "20 – 39", "40 – 59", "60 – 79", "80 – 99")
    assert np.bincount(level).tolist() == [20] * 5


def test_a_choice_that_all_made_alike_is_named() -> None:
    run = searched("tabular")
    same = [run.material.architectures[run.material.ids[0]]] * 3
    facets, constant = facets_of(run.space, same)
    assert facets == ()
    assert "Optimiser" in constant
