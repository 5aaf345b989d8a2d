"""What the README promises: its commands exist with their options, its code runs, its links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

from dashboard.command import app
from nas_core import builtin_names

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COMMANDS = ("demo", "search", "resume", "runs", "show", "log", "graph", "benchmark", "audit", "insight", "export",
            "report", "reproduce", "baselines", "check", "backup", "delete", "doctor")  # fmt: skip


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def marked(name: str) -> str:
    """Return the one command marked ``<!-- name -->``."""
    found = re.findall(rf"<!-- {name} -->\n```bash\n(.*?)\n```", README)
    assert len(found) == 1
    return str(found[0])


def test_the_two_commands_install_and_start_what_the_project_offers() -> None:
    make, install, start = marked("run").split(" && ")
    assert make == "python3 -m venv .venv"
    assert install == ".venv/bin/pip install ."
    program, command = start.split()
    assert PROJECT["scripts"] == {Path(program).name: "dashboard.command:main"}
    assert command in COMMANDS
    make, install, test = marked("test").split(" && ")
    assert make == "python3 -m venv .venv"
    extra = re.search(r'pip install -e "\.\[(\w+)\]"$', install)
    assert extra is not None
    assert any(requirement.startswith("pytest") for requirement in PROJECT["optional-dependencies"][extra.group(1)])
    assert test == ".venv/bin/python -m pytest"


def test_the_python_version_is_the_one_the_project_needs() -> None:
    needed = PROJECT["requires-python"].removeprefix(">=")
    assert f"Python {needed} or newer" in README


def command_lines() -> list[str]:
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    return [line for line in lines if line.startswith("nasight ")]


@pytest.mark.parametrize("line", command_lines())
def test_every_command_line_is_understood(line: str) -> None:
    _, name, *arguments = shlex.split(line.split(" > ")[0])
    group = typer.main.get_command(app)
    assert isinstance(group, click.Group) or hasattr(group, "commands")
    command = group.commands[name]
    context = command.make_context(name, arguments)  # a wrong option or argument raises a usage error here
    assert context.params


def test_there_are_command_lines_for_every_engine_command() -> None:
    assert {line.split()[1] for line in command_lines()} == set(COMMANDS) - {"demo"} | {"studio"}


def test_the_built_in_sets_are_named() -> None:
    sentence = re.search(r"`DATA` is one of (.*?), or a file", README, re.DOTALL)
    assert sentence is not None
    assert set(re.findall(r"`(\w+)`", sentence.group(1))) == set(builtin_names())


def test_links_and_pictures_lead_to_files() -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", README):
        assert (ROOT / target).is_file(), target
    for script in re.findall(r"`python (tests/\S+\.py)`", README):
        assert (ROOT / script).is_file(), script


SAYS = (
    r"0\.14\d of the variation is interaction; 2 features count\nit needs gradients, .*",
    r"[0-9a-f]{16} 0\.9\d*|[0-9a-f]{16} 1\.0",
)


@pytest.mark.slow
@pytest.mark.parametrize(("code", "says"), list(zip(blocks("python"), SAYS, strict=True)))
def test_the_python_examples_run_as_they_are_written(code: str, says: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=240
    )
    assert result.returncode == 0, result.stderr
    assert re.fullmatch(says, result.stdout.strip()), result.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_has_its_help(command: str) -> None:
    result = CliRunner().invoke(app, [*([command] if command else []), "--help"])
    assert result.exit_code == 0
    assert "Usage: " in result.stdout
    own = {"": COMMANDS, "benchmark": ("--variables",), "baselines": ("--measures",)}
    assert all(word in result.stdout for word in own.get(command, ("--store",)))


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (awk,) = re.findall(r"command_text=\$\((awk .*)\)$", script, re.MULTILINE)
    found = subprocess.run(["bash", "-c", awk], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert found.strip() == marked("test")


def test_every_asset_of_a_package_is_installed_with_it() -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    for package, patterns in data.items():
        installed = {path for pattern in patterns for path in (ROOT / package).glob(pattern)}
        files = {p for p in (ROOT / package).rglob("*") if p.is_file() and p.parent.name != "__pycache__"}
        there = {p for p in files if p.suffix != ".py"}
        assert there <= installed
