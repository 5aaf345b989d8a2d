"""What a form offers is read off the declaration of a record, whatever record it is."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field as Declared
from recorded import run_problem

from dashboard.views.space import named_options
from dashboard.views.space_fields import label_of, option_words, record_fields
from nas_core.records import Record
from nas_core.spaces import Categorical, Flag, Integer, Real, SearchSpace, TabularConstraints


class Limits(Record):
    """Constraints of no family there is."""

    max_stages: int | None = Declared(default=None, ge=1, le=9)
    min_rate: float | None = None
    low_width: int = Declared(default=2, ge=1)
    high_width: int = Declared(default=8, le=64)
    first_low: int = 0
    first_high: int = 3
    shortcut: bool = False
    order: Literal["early", "late"] = "early"
    names_forbidden: tuple[str, ...] = ()
    sizes: tuple[Literal[1, 3], ...] = (1, 3)
    seen: Annotated[int, Declared(ge=3, lt=8)] = 5
    directions: dict[str, int] = Declared(default_factory=dict)
    pairs: tuple[tuple[str, str], ...] = ()
    odd: tuple[tuple[int, int], ...] = ()


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, ...], object]:
    return {f.names: f for f in record_fields(Limits())}


def test_every_declared_type_has_its_control(found) -> None:  # type: ignore[no-untyped-def]
    kinds = {names: field.kind for names, field in found.items()}
    assert kinds == {
        ("max_stages",): "number", ("min_rate",): "number", ("low_width", "high_width"): "range",
        ("first_low", "first_high"): "range", ("shortcut",): "flag", ("order",): "one",
        ("names_forbidden",): "choices", ("sizes",): "choices", ("seen",): "number", ("directions",): "directions",
        ("pairs",): "pairs",
    }  # fmt: skip


def test_bounds_and_emptiness_are_the_declared_ones(found) -> None:  # type: ignore[no-untyped-def]
    stages, rate, width, seen = (found[n] for n in (("max_stages",), ("min_rate",), ("low_width", "high_width"),
                                                    ("seen",)))  # fmt: skip
    assert (stages.low, stages.high, stages.optional, stages.whole) == (1, 9, True, True)
    assert (rate.low, rate.optional, rate.whole) == (None, True, False)
    assert (width.low, width.high, width.value) == (1, 64, (2, 8))
    assert (seen.low, seen.high, seen.optional) == (3, 7, False)
    assert found[("sizes",)].options == (1, 3)
    assert found[("names_forbidden",)].options is None


def test_a_field_that_no_control_can_show_is_left_to_the_text(found) -> None:  # type: ignore[no-untyped-def]
    assert ("odd",) not in found


def test_an_undeclared_end_of_a_range_leaves_room_for_more() -> None:
    (field,) = record_fields(Integer(name="blocks", low=1, high=5), [Integer(name="blocks", low=1, high=8)])
    assert (field.low, field.high) == (0, 16)
    (negative,) = record_fields(Integer(name="shift", low=-3, high=1))
    assert (negative.low, negative.high) == (-3, 6)


def test_a_variable_with_one_field_is_called_by_its_own_name() -> None:
    (field,) = record_fields(Categorical(name="width", choices=(4, 8)), label="Units per layer")
    assert (field.label, field.kind) == ("Units per layer", "choices")
    assert record_fields(Flag(name="shortcut")) == ()


def test_choices_of_the_presets_can_be_chosen_too_numbers_in_order() -> None:
    (field,) = record_fields(Categorical(name="k", choices=(8, 2)), [Categorical(name="k", choices=(4, 64))])
    assert field.options == (2, 4, 8, 64)
    assert field.value == (8, 2)


def test_the_ends_of_a_real_variable_are_one_field() -> None:
    (field,) = record_fields(Real(name="rate", low=0.001, high=0.1, log=True, zero=0.2))
    assert (field.names, field.kind, field.value) == (("low", "high"), "reals", (0.001, 0.1))


def test_labels_come_from_the_catalogue_or_the_name() -> None:
    assert label_of("max_parameters") == "Parameters, at most"
    assert label_of("max_dilated_blocks") == "Dilated blocks, at most"
    assert label_of("min_skips") == "Skips, at least"
    assert label_of("kernel_sizes") == "Kernel sizes"
    assert option_words("signs", -1) == "decreasing"
    assert option_words("choices", "relu") == "relu"


def test_every_variable_and_constraint_of_the_tabular_family_can_be_edited() -> None:
    space = SearchSpace.for_problem(run_problem("iris"))
    for variable in space.variables:
        assert record_fields(variable), variable.name
    names = {name for field in record_fields(space.constraints) for name in field.names}
    assert names == set(TabularConstraints.model_fields)


def test_a_constraint_may_name_features_or_what_the_variables_offer() -> None:
    space = SearchSpace.for_problem(run_problem("iris"))
    features = [f.name for f in space.features]
    assert named_options(space, "features_required", ()) == features
    offered = named_options(space, "operations_forbidden", ("gone",))
    assert {"relu", "gone"} <= set(offered)
    assert not set(features) & set(offered)


def test_choices_stand_in_the_order_of_the_longest_list() -> None:
    few, many = Categorical(name="o", choices=("c", "a")), Categorical(name="o", choices=("a", "b", "c"))
    assert record_fields(few, [many])[0].options == ("a", "b", "c")
