"""Everything a person can hand over that cannot work, through the command line: one table of input and answer.

Each answer says what was given, what is allowed where there is a choice, and how to fix it; it ends with exit code 2,
prints nothing on stdout and no traceback. The messages themselves are tested where they are made.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dashboard import process
from dashboard.command import app
from nas_core.data import Problem, load_data
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, open_store

ROWS = [f"{i * 7 % 13},{i % 5},{'yes' if i % 3 else 'no'}" for i in range(60)]
GOOD = "\n".join(["a,b,target", *ROWS, ""])


@pytest.fixture(autouse=True)
def _the_studio_forgets_its_store() -> Iterator[None]:
    yield
    process.configure(opened=InMemoryStore())


def nasight(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def refused(result: Result, given: str, allowed: str, fix: str) -> None:
    """Check that a command ended with a message of these three parts, and with nothing else."""
    said = result.stderr
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)  # any other exception is what a person sees as a traceback
    assert given in said.split("Allowed:")[0].split("Fix:")[0]
    assert allowed in said
    assert fix in said.rpartition("Fix:")[2]
    assert said.count("Fix:") == 1
    assert "Traceback" not in said
    assert result.stdout == ""


def replaced(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def with_target(value: str) -> str:
    return "\n".join(["a,b,target", *(f"{i * 7 % 13},{i % 5},{value}" for i in range(60)), ""])


BAD_TABLES = {
    "empty": ("", "is empty", "a header line and rows", "correct it, and save it as CSV"),
    "malformed": (GOOD + '1,2,"yes\n', "malformed near line 62", "quotes opened and closed", "correct it, and save it"),
    "a line too short": (GOOD + "1,2\n", "line 62 has 2 fields, the header has 3", "the same number", "correct"),
    "no target value": (with_target(""), "'target' has no value in any row", "a target with values", "choose another"),
    "one class": (with_target("yes"), "one class only: 'yes'", "at least two classes", "choose another target"),
    "infinite": (replaced("\n0,0,", "\ninf,0,"), "'a' holds an infinite value in row 1", "finite numbers", "replace"),
    "repeated names": (replaced("a,b", "a,a"), "the column name 'a' 2 times", "differ from each other", "rename"),
    "one row": ("a,b,target\n1,2,yes\n", "has 1 row", "at least 10 rows", "add rows"),
    "text as number": (
        replaced("\n0,0,", "\nabout,0,"), "'a' holds text where numbers are expected: 'about' in row 1",
        "numbers, and empty cells", "set the kind of this column to 'categorical' or 'ignore'",
    ),
    "only empty features": (
        "\n".join(["a,target", *(f",{'yes' if i % 3 else 'no'}" for i in range(60)), ""]),
        "no column to learn from", "at least one numeric or categorical feature", "choose another target",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "given", "allowed", "fix"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_table_nothing_can_be_learned_from(content: str, given: str, allowed: str, fix: str, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text(content, encoding="utf-8")
    refused(nasight("search", str(table), "--store", str(tmp_path / "store")), given, allowed, fix)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(GOOD, encoding="utf-8")
    return path


BAD_SETTINGS = {
    "missing target": (("--target", "goal"), "no column 'goal' to predict", "a, b, target", "choose one"),
    "λ above 1": (("--weight", "1.5"), "λ is 1.5", "from 0 (accuracy only) to 1", "choose a λ"),
    "λ below 0": (("--weight", "-0.1"), "λ is -0.1", "from 0 (accuracy only) to 1", "choose a λ"),
    "λ not a number": (("--weight", "nan"), "λ is nan", "from 0 (accuracy only) to 1", "choose a λ"),
    "kind that is none": (("--kind", "a=text"), "'a=text' gives no column a kind", "NAME=ignore", "write it"),
    "kind of no column": (("--kind", "z=ignore"), "no column 'z'", "a, b", "check the kinds"),
    "kind without a name": (("--kind", "numeric"), "'numeric' gives no column a kind", "NAME=numeric", "write it"),
    "store below a file": (
        ("--store", "{table}/below"), "cannot be written (Not a directory)", "a directory where you may write",
        "choose another path with --store",
    ),
    "store that is a table": (
        ("--store", "{junk}"), "is not a NASight store", "a SQLite file that NASight made", "choose another path",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("options", "given", "allowed", "fix"), BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_a_setting_outside_what_is_allowed(
    options: Sequence[str], given: str, allowed: str, fix: str, table: Path, tmp_path: Path
) -> None:
    junk = tmp_path / "junk.sqlite"
    junk.write_text(GOOD * 20, encoding="utf-8")
    filled = [o.format(table=table, junk=junk) for o in options]
    # the last --store counts
    refused(nasight("search", str(table), "--store", str(tmp_path / "store"), *filled), given, allowed, fix)
    assert junk.read_text(encoding="utf-8") == GOOD * 20


def test_no_command_takes_a_store_that_cannot_be_written(table: Path) -> None:
    for command in (["search", "wine"], ["resume", "latest"], ["runs"], ["show", "latest"], ["demo", "--no-browser"]):
        result = nasight(*command, "--store", str(table / "below"))
        refused(result, "cannot be written", "where you may write", "choose another path with --store")


def a_space(table: Path, change: Callable[[str], str]) -> Path:
    text = SearchSpace.for_problem(Problem.create(load_data(str(table)))).to_yaml()
    assert change(text) != text
    path = table.with_suffix(".yaml")
    path.write_text(change(text), encoding="utf-8")
    return path


BAD_SPACES = {
    "no valid candidate": (
        "max_parameters: null", "max_parameters: 1",
        "no valid candidate: the constraint max_parameters refused 200 of 200", "at most 1 allowed", "relax",
    ),
    "required and forbidden": (
        "features_required: []\n  features_forbidden: []", "features_required: [a]\n  features_forbidden: [a]",
        "'a' is both required and forbidden", "", "choose one of the two",
    ),
    "unknown feature": (
        "features_required: []", "features_required: [z]", "'z', which is no feature", "a, b", "correct the name",
    ),
    "text as number": (
        "max_parameters: null", "max_parameters: lots", "constraints.max_parameters: Input should be a valid integer",
        "", "correct the named fields",
    ),
    "no YAML": ("family:", "family: [", "is not YAML", "", "correct this line"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "given", "allowed", "fix"), BAD_SPACES.values(), ids=BAD_SPACES)
def test_a_space_that_cannot_be_searched_leaves_no_run(
    old: str, new: str, given: str, allowed: str, fix: str, table: Path, tmp_path: Path
) -> None:
    space = a_space(table, lambda text: text.replace(old, new, 1))
    place = tmp_path / "store"
    refused(nasight("search", str(table), "--space", str(space), "--store", str(place)), given, allowed, fix)
    store = open_store(place)
    assert store.runs() == []
    store.close()


def test_a_port_that_cannot_be_had(tmp_path: Path) -> None:
    place = ["--no-browser", "--store", str(tmp_path)]
    refused(nasight("demo", *place, "--port", "0"), "Port 0 does not exist", "1 to 65535", "use --port")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 65535))
        taken.listen()
        result = nasight(*place, "--port", "65535")
    refused(result, "65535", "a port nothing else listens on", "choose another with --port")
    refused(nasight(*place, "--host", "203.0.113.7"), "'203.0.113.7' is not one of this machine", "127.0.0.1", "--host")


def test_a_column_without_values_is_left_out_and_named(table: Path, tmp_path: Path) -> None:
    table.write_text("\n".join(["empty,a,b,target", *(f",{row}" for row in ROWS), ""]), encoding="utf-8")
    found = nasight("search", str(table), "--candidates", "1", "--store", str(tmp_path / "store"), "--json")
    assert found.exit_code == 0
    assert "Note: Column 'empty' is left out: every value is missing." in found.stderr
    assert "Predicting the column 'target' (classification); choose another with --target." in found.stderr
    kept = nasight("search", str(table), "--kind", "empty=numeric", "--store", str(tmp_path / "store"))
    refused(kept, "'empty' has no value in any row", "a column with values", "set its kind to 'ignore'")


def test_two_thousand_columns_are_searched(table: Path, tmp_path: Path) -> None:
    draw = random.Random(0)
    rows = [[f"{draw.gauss(0, 1):.3f}" for _ in range(2000)] for _ in range(60)]
    lines = [",".join([*row, "yes" if float(row[7]) > 0 else "no"]) for row in rows]
    table.write_text("\n".join([",".join(f"c{j}" for j in range(2000)) + ",target", *lines]), encoding="utf-8")
    found = nasight("search", str(table), "--candidates", "4", "--store", str(tmp_path / "store"), "--json")
    assert found.exit_code == 0, found.stderr
    assert found.stdout.count('"status": "done"') + found.stdout.count('"status": "ineligible"') == 4
