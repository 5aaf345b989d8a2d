"""Everything a person can hand over that cannot work, through the command line: one table of input and answer.

Each answer says what was given, what is allowed where there is a choice, and how to fix it; it ends with exit code 2,
prints nothing on stdout and no traceback. The messages themselves are tested where they are made.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from bad_files import BAD_FILES, GOOD, ROWS, BadFile
from typer.testing import CliRunner, Result

from dashboard import process
from dashboard.command import app
from dashboard.uploads import keep_uploads
from nas_core.data import Problem, load_data
from nas_core.errors import DataError
from nas_core.runs.books import misfits
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, open_store
from nas_core.store.checking import check_store
from nas_core.store.sql import SqlStore


@pytest.fixture(autouse=True)
def _the_studio_forgets_its_store() -> Iterator[None]:
    yield
    process.configure(opened=InMemoryStore())


def nasight(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def refused(result: Result, given: str, allowed: str, fix: str) -> None:
    """Check that a command ended with a message of these three parts, and with nothing else."""
    said = result.stderr
    assert result.exit_code == 2, repr(result.exception)
    assert isinstance(result.exception, SystemExit)  # any other exception is what a person sees as a traceback
    assert given in said.split("Allowed:")[0].split("Fix:")[0]
    assert allowed in said
    assert fix in said.rpartition("Fix:")[2]
    assert said.count("Fix:") == 1
    assert "Traceback" not in said
    assert result.stdout == ""


def intact(place: Path) -> None:
    """Check that the store at ``place`` is sound, and that nothing was begun in it."""
    if (place / "nasight.sqlite").exists():
        store = open_store(place)
        assert store.runs() == []
        assert isinstance(store, SqlStore)
        assert check_store(store, misfits).sound
        store.close()


@pytest.mark.parametrize("bad", BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_nothing_can_be_learned_from(bad: BadFile, tmp_path: Path) -> None:
    file, place = tmp_path / bad.name, tmp_path / "store"
    file.write_bytes(bad.content)
    refused(nasight("search", str(file), "--store", str(place)), bad.given, bad.allowed, bad.fix)
    assert file.read_bytes() == bad.content
    intact(place)


@pytest.mark.parametrize("bad", BAD_FILES.values(), ids=BAD_FILES)
def test_an_upload_nothing_can_be_learned_from(bad: BadFile, tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    try:
        with pytest.raises(DataError) as caught:
            Problem.create(load_data(keep_uploads(store, [(bad.name, bad.content)])))
        assert store.runs() == []
    finally:
        store.close()
    assert bad.given in caught.value.given
    assert bad.allowed in caught.value.allowed
    assert bad.fix in caught.value.fix
    assert caught.value.fix


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
    "λ of minus infinity": (("--weight", "-inf"), "λ is -inf", "from 0 (accuracy only) to 1", "choose a λ"),
    "family below 0": (("--family-weight", "structure=-1"), "'structure=-1' is no weight", "zero or more", "=2"),
    "family of NaN": (("--family-weight", "structure=nan"), "is no weight", "zero or more", "structure=2"),
    "family of infinity": (("--family-weight", "structure=inf"), "is inf", "a finite number", "use 0"),
    "family of no name": (("--family-weight", "=1"), "'=1' is no weight", "structure, summary, explanation", "=2"),
    "all families 0": (
        (*("--family-weight", "structure=0", "--family-weight", "summary=0"), "--family-weight", "explanation=0"),
        "all families are zero", "at least one weight above zero", "a positive weight",
    ),
    "measure that is none": (("--measure-weight", "beauty=1"), "'beauty=1' is no weight", "additivity", "=2"),
    "goal without a value": (("--goal", "accuracy"), "'accuracy' is no goal", "NAME=NUMBER", "write for example"),
    "goal for nothing": (("--goal", "=1"), "A goal is set for ''", "interpretability", "write for example"),
    "goal that is not measured": (("--goal", "beauty=1"), "'beauty', which is not measured", "tree_fidelity", ""),
    "goal beyond perfect": (("--goal", "interpretability=2"), "is 2.0", "a score from 0 to 1", "such as 0.9"),
    "goal of NaN": (("--goal", "performance=nan"), "is nan", "a finite number", "such as 0.9"),
    "two goals for one": (
        ("--goal", "interpretability=0.5", "--goal", "interpretability=0.6"), "2 goals", "one goal for each", "keep",
    ),
    "until goals without any": (("--until-goals",), "no goal is set", "at least one goal line", "set a goal"),
    "budget of 0": (("--candidates", "0"), "The number for candidates is 0", "from 1", "choose 1 or more"),
    "budget below 0": (("--candidates", "-3"), "is -3", "from 1", "choose 1 or more"),
    "time of 0": (("--time", "0s"), "'0s' is not a time", "60s, 5m, 1h30m", "write it like these"),
    "time of NaN": (("--time", "nan"), "'nan' is not a time", "60s, 5m, 1h30m", "write it like these"),
    "time without end": (("--time", "9" * 400), "budget is inf", "a number of seconds", "choose for example"),
    "seed below 0": (("--seed", "-1"), "The seed is -1", "a whole number from 0", "choose for example 0"),
    "strategy that is none": (("--strategy", "magic"), "no strategy 'magic'", "nsga2, random", "choose one"),
    "family of networks that is none": (("--family", "x"), "no search-space family 'x'", "tabular", "choose one"),
    "preset that is none": (("--preset", "x"), "no preset 'x'", "transparent, balanced", "choose one"),
    "metric that is none": (("--metric", "x"), "no metric 'x'", "roc_auc", "choose one of them"),
    "task that is none": (("--task", "clustering"), "no task 'clustering'", "regression", "choose one of them"),
    "device that is none": (("--device", "tpu"), "no device 'tpu'", "auto, cpu", "choose auto"),
    "device that is not here": (("--device", "mps"), "'mps' is not available", "auto", "choose auto"),
    "groups of no column": (("--groups", "z"), "cannot be split by 'z'", "a, b", "choose one"),
    "groups of the target": (("--groups", "target"), "it is the target", "a, b", "choose one"),
    "groups and order": (("--groups", "a", "--order", "b"), "Both --groups and --order", "one of them", "drop one"),
    "size of no image": (("--size", "0x0"), "size is (0, 0)", "from 1 to 1024 pixels", "check it"),
    "size of a table": (("--size", "8x8"), "A size is given", "for images", "leave the size out"),
    "test file that is not there": (("--test", "/nowhere/t.csv"), "no file", "the path of a file", "check the path"),
    "run that is not there": (("--warm", "nope"), "no run 'nope'", "the store is empty", "lists them"),
    "store of a URL": (("--store", "http://x/y"), "'http://x/y' is not a store", "postgresql://", "give a path"),
    "store of no server": (
        ("--store", "postgresql://nobody@127.0.0.1:1/x"), "cannot be reached", "", "start the server",
    ),
    "store of a bad URL": (("--store", "postgresql://a:b@h:port/x"), "cannot be read", "postgresql://", "correct the"),
    "store without a name": (("--store", ""), "'' is not a store", "a directory", "give a path"),
    "store of a zero byte": (("--store", "a\0b"), "is no path of a store", "a path", "choose another path"),
    "store of a long name": (("--store", "/" + "a" * 5000), "is no path of a store", "a path", "choose another path"),
    "store that is read-only": (
        ("--store", "/proc/nasight"), "cannot be written", "where you may write", "choose another path with --store",
    ),
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
    intact(tmp_path / "store")
    assert junk.read_text(encoding="utf-8") == GOOD * 20


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("search", "wine", "--weight", "half"), "--weight"),
        (("search", "wine", "--beauty", "1"), "No such option: --beauty"),
        (("search", "wine", "--length", "0"), "greater than or equal to 1"),
        (("search", "wine", "--plateau", "0"), "greater than or equal to 1"),
        (("demo", "--no-browser", "--port", "x"), "--port"),
        (("search",), "DATA"),
        (("frobnicate",), "No such command 'frobnicate'"),
    ],
)
def test_what_no_command_takes(options: Sequence[str], said: str) -> None:
    result = nasight(*options)
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)
    assert said in result.stderr
    assert "-h" in result.stderr  # where what is allowed is told
    assert "Traceback" not in result.stderr


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


BAD_DATA = {
    "no name": ("", "The name of the data is empty", "a built-in data set", "give one"),
    "no such set": ("wines", "no built-in data set or file 'wines'", "wine, iris", "check the name"),
    "no such file": ("nowhere/t.csv", "There is no file", "the path of a file", "check the path"),
    "a zero byte": ("a\0b.csv", "'a\\x00b.csv' cannot be opened", "that you may read", "check the path"),
    "a name without end": ("a" * 5000, "cannot be opened (File name too long)", "that you may read", "check the path"),
    "a URL": ("http://localhost:1/t.csv", "is a URL", "a table (.csv", "download it"),
    "a bucket": ("s3://bucket/t.csv", "is a URL", "a table (.csv", "download it"),
    "a device": ("/dev/zero", "the ending '(none)'", "a table (.csv", "save the table as CSV"),
    "a spreadsheet": ("t.xlsx", "the ending '.xlsx'", "a table (.csv", "save the table as CSV"),
    "a pickle": ("t.pkl", "the ending '.pkl'", "a table (.csv", "save the table as CSV"),
    "OpenML without a name": ("openml:", "names no data set", "openml:31", "openml.org"),
}


@pytest.mark.parametrize(("data", "given", "allowed", "fix"), BAD_DATA.values(), ids=BAD_DATA)
def test_data_that_are_none(data: str, given: str, allowed: str, fix: str, tmp_path: Path) -> None:
    refused(nasight("search", data, "--store", str(tmp_path / "store")), given, allowed, fix)
    intact(tmp_path / "store")


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in pairwise("abcdefghi")
)
"""Nine lines that stand for a billion texts."""

BAD_SPACE_TEXTS = {
    "bomb of aliases": ("s.yaml", BOMB, "stands for 1,234,567,", "at most 500,000", "write it without aliases"),
    "value within itself": ("s.yaml", "family: &a {b: *a}", "stands within itself", "", "without aliases"),
    "brackets without end": ("s.yaml", "[" * 100_000, "maximum nesting depth", "", "correct this line"),
    "braces without end": ("s.json", '{"a":' * 100_000, "nested too deeply", "a few levels", "correct it"),
    "a number without end": ("s.json", f'{{"outputs": {"9" * 5000}}}', "5000 digits", "4,300 digits", "correct this"),
    "the same in YAML": ("s.yaml", f"outputs: {'9' * 5000}", "5000 digits", "4,300 digits", "put it in quotes"),
    "a date that never was": ("s.yaml", "family: 2001-99-99", "month must be in 1..12", "dates that exist", "quotes"),
    "half a surrogate": ("s.json", '{"family": "\\ud800"}', "half of a surrogate pair", "Unicode text", "correct this"),
    "not a number": ("s.json", '{"outputs": NaN}', "cannot be read", "finite numbers", "correct this value"),
    "code": ("s.yaml", '!!python/object/apply:os.system ["id"]', "could not determine a constructor", "", "correct"),
    "a list": ("s.json", "[1, 2]", "holds list, not a declaration", "family, features", "start from the exported"),
    "nothing": ("s.yaml", "", "holds NoneType", "family, features", "start from the exported text"),
    "no JSON": ("s.json", "{", "is not JSON", "", "correct this line"),
    "two documents": ("s.yaml", "a: 1\n---\nb: 2", "another document", "", "correct this line"),
    "another program's": ("s.yaml", "version: 3\nservices: {}", "line 2, services", "", "correct the named fields"),
    "far too long": ("s.json", " " * 4_000_001, "4,000,001 characters", "at most 4,000,000", "the exported text"),
}


@pytest.mark.parametrize(("name", "text", "given", "allowed", "fix"), BAD_SPACE_TEXTS.values(), ids=BAD_SPACE_TEXTS)
def test_a_text_that_is_no_space(
    name: str, text: str, given: str, allowed: str, fix: str, table: Path, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    place = tmp_path / "store"
    refused(nasight("search", str(table), "--space", str(tmp_path / name), "--store", str(place)), given, allowed, fix)
    intact(place)


BAD_STARTS = {
    "no architectures": ("[]", "an empty list", "a JSON list", "correct the file"),
    "a number": ("[1]", "Architecture 1 of", "a JSON list", "correct it"),
    "brackets without end": ("[" * 100_000, "nested too deeply", "a few levels", "correct it"),
    "a number without end": (f"[{'9' * 5000}]", "5000 digits", "4,300 digits", "correct this value"),
    "another space": ('[{"family": "image", "values": {}}]', "of the family 'image'", "'tabular'", "--family"),
    "no JSON": ("nope", "is not JSON", "a JSON list", "correct this line"),
}


@pytest.mark.parametrize(("text", "given", "allowed", "fix"), BAD_STARTS.values(), ids=BAD_STARTS)
def test_a_start_that_is_none(text: str, given: str, allowed: str, fix: str, table: Path, tmp_path: Path) -> None:
    start, place = tmp_path / "start.json", tmp_path / "store"
    start.write_text(text, encoding="utf-8")
    refused(nasight("search", str(table), "--start", str(start), "--store", str(place)), given, allowed, fix)
    intact(place)


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
    elsewhere = [*place, "--host", "203.0.113.7"]
    refused(
        nasight(*elsewhere), "Everybody who can reach 203.0.113.7 could open the studio", "--auth token", "--auth token"
    )
    elsewhere.append("--open-to-network")
    refused(nasight(*elsewhere), "'203.0.113.7' is not one of this machine", "127.0.0.1", "--host")


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
