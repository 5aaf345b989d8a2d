"""Many trials into the tables of an Optuna storage at once.

``Study.add_trials`` adds one after the other, with some queries for each parameter and attribute: minutes for a
thousand candidates. The tables have had these columns since Optuna 3; where they have not, nothing is written here, and
the slow way is left.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

__all__ = ["fill_tables"]

COLUMNS = {
    "trials": ("trial_id", "number", "study_id", "state", "datetime_start", "datetime_complete"),
    "trial_values": ("trial_id", "objective", "value", "value_type"),
    "trial_params": ("trial_id", "param_name", "param_value", "distribution_json"),
    "trial_user_attributes": ("trial_id", "key", "value_json"),
    "trial_system_attributes": ("trial_id", "key", "value_json"),
}
GIVEN = {"trial_value_id", "param_id", "trial_user_attribute_id", "trial_system_attribute_id"}
"""Keys that the database numbers itself."""


def fill_tables(
    path: Path, trials: Sequence[FrozenTrial], on_progress: Callable[[int, int], None] | None = None
) -> bool:
    """Write trials, numbered in their order, into the only study of a storage; False where its tables are others."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, columns in COLUMNS.items():
            there = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            if there - GIVEN != set(columns):
                return False
        ((study,),) = connection.execute("SELECT study_id FROM studies").fetchall()
        texts: dict[Any, str] = {}
        for number, trial in enumerate(trials):
            for table, rows in _rows(number, int(study), trial, texts):
                names, marks = ", ".join(COLUMNS[table]), ", ".join("?" * len(COLUMNS[table]))
                connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)
            if on_progress is not None and (number % 50 == 49 or number + 1 == len(trials)):
                on_progress(number + 1, len(trials))
    return True


def _rows(
    number: int, study: int, trial: FrozenTrial, texts: dict[Any, str]
) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Yield the rows of one trial by table; ``texts`` keeps the JSON of distributions, which many trials share."""
    from optuna.distributions import distribution_to_json

    own = number + 1
    moments = [
        None if t is None else t.strftime("%Y-%m-%d %H:%M:%S.%f")
        for t in (trial.datetime_start, trial.datetime_complete)
    ]
    yield "trials", [(own, number, study, trial.state.name, *moments)]
    values = trial.values or []
    yield "trial_values", [(own, at, float(value), "FINITE") for at, value in enumerate(values)]
    params = []
    for name, value in trial.params.items():
        spread = trial.distributions[name]
        if id(spread) not in texts:
            texts[id(spread)] = distribution_to_json(spread)
        params.append((own, name, spread.to_internal_repr(value), texts[id(spread)]))
    yield "trial_params", params
    for table, attributes in (("user", trial.user_attrs), ("system", trial.system_attrs)):
        yield f"trial_{table}_attributes", [(own, key, json.dumps(value)) for key, value in attributes.items()]
