"""The files that scikit-learn's cache of OpenML holds for one small data set, number 31, called credit."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

__all__ = ["ARFF", "put", "put_openml"]

ROWS = [f"{i},{i % 7 / 2},{'red' if i % 3 else 'blue'},{'?' if i == 4 else i % 5},{'good' if i % 2 else 'bad'}"
        for i in range(40)]  # fmt: skip
ARFF = (
    "@relation credit\n@attribute row INTEGER\n@attribute amount REAL\n@attribute colour {red,blue}\n"
    "@attribute years INTEGER\n@attribute class {good,bad}\n@data\n" + "\n".join(ROWS) + "\n"
)


def feature(index: int, name: str, kind: str, **said: str) -> dict[str, object]:
    levels = {"colour": ["red", "blue"], "class": ["good", "bad"]}.get(name)
    return {
        "index": str(index), "name": name, "data_type": kind, "is_target": "false", "is_ignore": "false",
        "is_row_identifier": "false", "number_of_missing_values": "0", **({"nominal_value": levels} if levels else {}),
        **said,
    }  # fmt: skip


FEATURES = [
    feature(0, "row", "numeric", is_row_identifier="true"),
    feature(1, "amount", "numeric"),
    feature(2, "colour", "nominal"),
    feature(3, "years", "numeric", number_of_missing_values="1"),
    feature(4, "class", "nominal", is_target="true"),
]


def put_openml(root: Path, **changes: str) -> None:
    """Write the cache below ``root``; ``changes`` replace fields of the description."""
    description = {
        "id": "31", "name": "credit", "description": "made up", "version": "1", "format": "ARFF", "status": "active",
        "url": "https://www.openml.org/data/v1/download/31/credit.arff", "file_id": "31", "default_target_attribute":
        "class", "md5_checksum": hashlib.md5(ARFF.encode()).hexdigest(), **changes,
    }  # fmt: skip
    listed = {"data": {"dataset": [{"did": 31, "name": "credit", "version": 1, "status": "active"}]}}
    files = {
        "api/v1/json/data/31": {"data_set_description": description},
        "api/v1/json/data/features/31": {"data_features": {"feature": FEATURES}},
        "api/v1/json/data/qualities/31": {
            "data_qualities": {"quality": [{"name": "NumberOfInstances", "value": "40"}]}
        },
        "api/v1/json/data/list/data_name/credit/limit/2/status/active/": listed,
        "api/v1/json/data/list/data_name/credit/limit/2/data_version/1": listed,
    }
    for name, content in files.items():
        put(root, name, json.dumps(content))
    put(root, "data/v1/download/31/credit.arff", ARFF)


def put(root: Path, name: str, content: str) -> None:
    """Write one file of the cache."""
    file = root / "openml" / "openml.org" / (name + ".gz")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(content.encode()))
