"""The forms that edit a search space: one control per thing that a variable or the constraints declare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.texts import spoken, text
from dashboard.views.space import checked_pairs, named_options, range_changed
from dashboard.views.space_fields import Field, option_words, record_fields
from nas_core.errors import SpaceError

if TYPE_CHECKING:
    from nas_core.spaces import SearchSpace

__all__ = ["checked", "constraints_form", "variables_form"]

Variable = Any
WIDEST_SLIDER = 64  # a range with more values than this is typed, not dragged


def variables_form(space: SearchSpace, known: Sequence[SearchSpace]) -> SearchSpace | None:
    """Draw the variables of ``space``; return the edited space when Apply was pressed.

    Args:
        known: The presets' spaces, whose choices together are what a list offers.

    Raises:
        SpaceError: What was entered is not a valid space.
    """
    with st.form(f"space_variables_{space.id}", border=False):
        columns = st.columns(2, gap="medium")
        entered = []
        heights = [0.0, 0.0]
        for variable in space.variables:
            others = [s.by_name[variable.name] for s in known if type(s.by_name.get(variable.name)) is type(variable)]
            fields = record_fields(variable, others, label=spoken(variable.label or variable.name))
            side = heights.index(min(heights))
            heights[side] += sum(map(_height, fields)) + (1.0 if len(fields) > 1 else 0.0)
            with columns[side]:
                entered.append(_variable(variable, others, fields, f"space_{space.id}_{variable.name}"))
        pressed = st.form_submit_button(text("space.apply"), type="primary")
    if not pressed:
        return None
    return checked(lambda: space.changed(variables=tuple(v.model_validate({**v.model_dump(), **changes})
                                                         for v, changes in zip(space.variables, entered))))  # fmt: skip


def _height(field: Field) -> float:
    """Return about how many rows a control takes, so that the two columns end at about the same height."""
    if field.kind != "choices":
        return 1.4
    letters = sum(len(option_words(field.names[0], option)) + 4 for option in field.options or field.value)
    return 0.7 + 0.55 * -(-letters // 34)


def _variable(variable: Variable, known: Sequence[Variable], fields: Sequence[Field], key: str) -> dict[str, Any]:
    """Draw one variable and return the fields of it that were entered."""
    label = spoken(variable.label or variable.name)
    if not fields:
        return {}
    if len(fields) == 1:
        return _entered(variable, known, fields[0], key)
    with st.container(border=True, gap="small"):
        st.markdown(f"**{label}**")
        entered: dict[str, Any] = {}
        for field in fields:
            entered |= _entered(variable, known, field, f"{key}_{field.names[0]}")
        return entered


def _entered(variable: Variable, known: Sequence[Variable], field: Field, key: str) -> dict[str, Any]:
    if field.kind == "reals" and hasattr(variable, "zero"):
        may_be_zero = any(getattr(v, "zero", 0) > 0 for v in [*known, variable])
        return _real(variable, field.label, key, may_be_zero)
    return _control(field, key)


def _control(field: Field, key: str) -> dict[str, Any]:
    """Draw the control of one field and return what was entered."""
    name = field.names[0]
    about = field.help or None
    if field.kind == "choices":
        return {name: _choices(field, key, about)}
    if field.kind == "range" and (field.high or 0) - (field.low or 0) <= WIDEST_SLIDER:
        ends = st.slider(field.label, int(field.low or 0), int(field.high or 0), field.value, key=key, help=about)
        return dict(zip(field.names, ends))
    if field.kind in ("range", "reals"):
        return _ends(field, key)
    if field.kind == "flag":
        return {name: st.toggle(field.label, field.value, key=key, help=about)}
    if field.kind == "one":
        options = list(field.options or ())
        at = options.index(field.value) if field.value in options else 0
        return {name: st.selectbox(field.label, options, at, key=key, help=about,
                                   format_func=lambda o: option_words(name, o))}  # fmt: skip
    return {name: _number(field, field.label, field.value, key)}


def _choices(field: Field, key: str, about: str | None) -> tuple[Any, ...]:
    """Draw the options of a list as pills; the order stays as it was where the choices do."""
    offered = tuple(field.options or field.value)
    chosen = st.pills(field.label, offered, selection_mode="multi", default=list(field.value), key=key, wrap=True,
                      help=about, format_func=lambda o: option_words(field.names[0], o))  # fmt: skip
    if set(chosen) == set(field.value):
        return tuple(field.value)
    return tuple(c for c in offered if c in chosen)


def _ends(field: Field, key: str) -> dict[str, Any]:
    found = {}
    for column, name, end, value in zip(st.columns(2, vertical_alignment="bottom"), field.names, ("low", "high"),
                                        field.value):  # fmt: skip
        with column:
            found[name] = _number(field, text(f"space.{end}", label=field.label), value, f"{key}_{end}")
    return found


def _number(field: Field, label: str, value: Any, key: str) -> Any:
    """Draw a number, empty where there is no limit."""
    kind: Any = int if field.whole else float
    low, high, start = (None if end is None else kind(end) for end in (field.low, field.high, value))
    entered = st.number_input(
        label, min_value=low, max_value=high, step=1 if field.whole else None, key=key, help=field.help or None,
        value=start, placeholder=text("space.no_limit"),
    )  # fmt: skip
    return value if entered is None and not field.optional else entered


def _real(variable: Variable, label: str, key: str, may_be_zero: bool) -> dict[str, Any]:
    """Draw a range; ``may_be_zero`` also offers exactly 0, which a logarithmic range does not hold."""
    step = None if variable.log else variable.step
    ends = []
    for column, end in zip(st.columns(2, vertical_alignment="bottom"), ("low", "high")):
        value = getattr(variable, end)
        style = "%.2f" if not variable.log else "%.1e" if value < 1e-4 else "%.3g"
        ends.append(column.number_input(text(f"space.{end}", label=label), value=value, format=style, step=step,
                                        key=f"{key}_{end}"))  # fmt: skip
    zero = variable.zero > 0
    if variable.log and may_be_zero:
        zero = st.checkbox(text("space.may_be_zero", label=label), zero, key=f"{key}_zero")
    return range_changed(variable, float(ends[0]), float(ends[1]), zero)


def constraints_form(space: SearchSpace, known: Sequence[SearchSpace] = ()) -> SearchSpace | None:
    """Draw the constraints of ``space``; return the edited space when Apply was pressed.

    Raises:
        SpaceError: What was entered contradicts itself or the space.
    """
    limits: Any = space.constraints  # each family has its own record of them
    fields = record_fields(limits, [s.constraints for s in known])
    key = f"space_{space.id}"
    with st.form(f"space_constraints_{space.id}", border=False):
        numbers = [f for f in fields if f.kind in ("number", "range", "reals")]
        columns = st.columns(3, gap="small")
        entered: dict[str, Any] = {}
        for i, field in enumerate(numbers):
            with columns[i % 3]:
                entered |= _control(field, f"{key}_{field.names[0]}")
        for field in fields:
            if field not in numbers:
                entered |= _limit(space, field, f"{key}_{field.names[0]}")
        pressed = st.form_submit_button(text("space.apply"), type="primary")
    if not pressed:
        return None
    for field in fields:
        if field.kind == "directions":
            entered[field.names[0]] = _one_way(entered[field.names[0]])
        if field.kind == "pairs":
            entered[field.names[0]] = checked_pairs(entered[field.names[0]])
    return checked(lambda: space.changed(constraints=type(limits).model_validate({**limits.model_dump(), **entered})))


def _limit(space: SearchSpace, field: Field, key: str) -> dict[str, Any]:
    """Draw a constraint that is not a number; directions and pairs are returned as they were entered."""
    name = field.names[0]
    if field.kind == "choices":
        options = named_options(space, name, field.value)
        return {name: tuple(st.multiselect(field.label, options, list(field.value), key=key, help=field.help or None))}
    if field.kind == "directions":
        numeric = [f.name for f in space.features if f.kind == "numeric"]
        ways = {}
        for column, way, sign in zip(st.columns(2), ("up", "down"), (1, -1)):
            chosen = [n for n, s in field.value.items() if s == sign]
            ways[way] = column.multiselect(text(f"space.monotone_{way}"), numeric, chosen, key=f"{key}_{way}")
        return {name: ways}
    if field.kind == "pairs":
        return {name: _pairs(field.value, [f.name for f in space.features], field.label, key)}
    return _control(field, key)


def _one_way(ways: Mapping[str, Sequence[str]]) -> dict[str, int]:
    if both := sorted(set(ways["up"]) & set(ways["down"])):
        raise SpaceError(text("space.both_directions", names=", ".join(both)))
    return dict.fromkeys(ways["up"], 1) | dict.fromkeys(ways["down"], -1)


def _pairs(
    present: Sequence[tuple[str, str]], names: Sequence[str], label: str, key: str
) -> list[dict[str, Any]]:  # fmt: skip
    import pandas as pd

    st.markdown(label)
    seed = pd.DataFrame(list(present), columns=["one", "two"], dtype="object")
    edited = st.data_editor(
        seed, num_rows="dynamic", hide_index=True, key=key, width="stretch", height=146, alt=label,
        column_config={
            "one": st.column_config.SelectboxColumn(text("space.pair_one"), options=list(names)),
            "two": st.column_config.SelectboxColumn(text("space.pair_two"), options=list(names)),
        },
    )  # fmt: skip
    return [{str(name): value for name, value in row.items()} for row in edited.to_dict("records")]


def checked(build: Callable[[], SearchSpace]) -> SearchSpace:
    """Return what ``build`` makes; a fault that pydantic finds is raised as SpaceError with the field's name."""
    from pydantic import ValidationError

    try:
        return build()
    except ValidationError as error:
        first = error.errors()[0]
        inner = (first.get("ctx") or {}).get("error")
        if isinstance(inner, SpaceError):
            raise inner from None
        where = ".".join(str(p) for p in first["loc"])
        said = str(first["msg"]).removeprefix("Value error, ")
        raise SpaceError(f"{where}: {said}" if where else said, fix="correct this field") from None
