"""The forms that edit a search space: one field per variable, by what the variable declares, and the constraints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.texts import text
from dashboard.views.space import LIMITS, checked_pairs, menu, range_changed
from nas_core.errors import SpaceError

if TYPE_CHECKING:
    from nas_core.spaces import SearchSpace

__all__ = ["constraints_form", "variables_form"]

Variable = Any


def variables_form(space: SearchSpace, known: Sequence[SearchSpace]) -> SearchSpace | None:
    """Draw the variables of ``space``; return the edited space when Apply was pressed.

    Args:
        known: The presets' spaces, whose choices together are what a list offers.

    Raises:
        SpaceError: What was entered is not a valid space.
    """
    with st.form(f"space_variables_{space.id}", border=False):
        columns = st.columns(2, gap="medium")
        fields = []
        for i, variable in enumerate(space.variables):
            with columns[i % 2]:
                offered = menu(variable.name, [*known, space])
                may_be_zero = any(getattr(s.by_name.get(variable.name), "zero", 0) > 0 for s in [*known, space])
                fields.append(_field(variable, offered, f"space_{space.id}_{variable.name}", may_be_zero))
        pressed = st.form_submit_button(text("space.apply"), type="primary")
    if not pressed:
        return None
    return checked(lambda: space.changed(variables=tuple(v.model_validate({**v.model_dump(), **changes})
                                                         for v, changes in zip(space.variables, fields))))  # fmt: skip


def _field(variable: Variable, offered: Sequence[Any], key: str, may_be_zero: bool) -> dict[str, Any]:
    """Draw one variable and return the fields of it that were entered."""
    label = variable.label or variable.name
    if hasattr(variable, "choices"):
        chosen = st.pills(label, offered, selection_mode="multi", default=list(variable.choices), key=key, wrap=True)
        return {"choices": tuple(c for c in offered if c in chosen)}
    if hasattr(variable, "zero"):
        return _real(variable, label, key, may_be_zero)
    if hasattr(variable, "low"):
        low, high = st.slider(label, 0, max(6, variable.high), (variable.low, variable.high), key=key)
        return {"low": low, "high": high}
    if hasattr(variable, "signs"):
        names = {1: text("space.increasing"), -1: text("space.decreasing")}
        chosen = st.pills(text("space.marks"), [1, -1], selection_mode="multi", default=list(variable.signs), key=key,
                          format_func=names.__getitem__, wrap=True)  # fmt: skip
        return {"signs": tuple(s for s in (1, -1) if s in chosen)}
    if hasattr(variable, "linear"):
        return {"linear": st.toggle(text("space.allow_linear"), variable.linear, key=key,
                                    help=text("space.allow_linear_help"))}  # fmt: skip
    return {}


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


def constraints_form(space: SearchSpace) -> SearchSpace | None:
    """Draw the constraints of ``space``; return the edited space when Apply was pressed.

    Raises:
        SpaceError: What was entered contradicts itself or the space.
    """
    limits: Any = space.constraints  # each family has its own record of them
    names = [f.name for f in space.features]
    numeric = [f.name for f in space.features if f.kind == "numeric"]
    key = f"space_{space.id}"
    with st.form(f"space_constraints_{space.id}", border=False):
        columns = st.columns(3, gap="small")
        numbers = {
            name: columns[i % 3].number_input(
                text(f"space.{name}"), min_value=0 if name == "max_depth" else 1, step=1, key=f"{key}_{name}",
                value=getattr(limits, name, None), placeholder=text("space.no_limit"),
            )
            for i, name in enumerate(LIMITS)
        }  # fmt: skip
        required = st.multiselect(
            text("space.features_required"), names, list(limits.features_required), key=f"{key}_required"
        )
        forbidden = st.multiselect(
            text("space.features_forbidden"), names, list(limits.features_forbidden), key=f"{key}_forbidden"
        )
        directions = limits.monotone_required
        left, right = st.columns(2)
        up = left.multiselect(
            text("space.monotone_up"), numeric, [n for n, s in directions.items() if s > 0], key=f"{key}_up"
        )
        down = right.multiselect(
            text("space.monotone_down"), numeric, [n for n, s in directions.items() if s < 0], key=f"{key}_down"
        )
        pairs = _pairs(limits.forbidden_pairs, names, f"{key}_pairs")
        pressed = st.form_submit_button(text("space.apply"), type="primary")
    if not pressed:
        return None
    if both := sorted(set(up) & set(down)):
        raise SpaceError(text("space.both_directions", names=", ".join(both)))
    fields = {
        **numbers, "features_required": tuple(required), "features_forbidden": tuple(forbidden),
        "monotone_required": dict.fromkeys(up, 1) | dict.fromkeys(down, -1), "forbidden_pairs": pairs,
    }  # fmt: skip
    return checked(lambda: space.changed(constraints=type(limits).model_validate(fields)))


def _pairs(present: Sequence[tuple[str, str]], names: Sequence[str], key: str) -> tuple[tuple[str, str], ...]:
    import pandas as pd

    st.markdown(text("space.pairs"))
    seed = pd.DataFrame(list(present), columns=["one", "two"], dtype="object")
    edited = st.data_editor(
        seed, num_rows="dynamic", hide_index=True, key=key, width="stretch", height=146, alt=text("space.pairs"),
        column_config={
            "one": st.column_config.SelectboxColumn(text("space.pair_one"), options=list(names)),
            "two": st.column_config.SelectboxColumn(text("space.pair_two"), options=list(names)),
        },
    )  # fmt: skip
    return checked_pairs({str(name): value for name, value in row.items()} for row in edited.to_dict("records"))


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
