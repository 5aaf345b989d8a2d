"""The command line of the studio: what it says when something is in the way."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashboard.command import Entrance, Login, app, greeting
from dashboard.server import free_port
from nas_core.errors import SettingsError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))
from studio_process import start


def test_help_names_the_demo_and_the_commands_of_the_engine() -> None:
    said = CliRunner().invoke(app, ["--help"]).output
    for command in ("demo", "search", "runs", "show"):
        assert command in said


def test_a_store_that_cannot_be_written_is_said_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    result = CliRunner().invoke(app, ["--no-browser", "--store", str(tmp_path / "file" / "below")])
    assert result.exit_code == 2
    assert "Fix:" in result.output
    assert "Traceback" not in result.output


def test_a_port_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", "--no-browser", "--port", "70000", "--store", str(tmp_path)])
    assert result.exit_code == 2
    assert "Port 70000 does not exist" in result.output


@pytest.mark.parametrize("command", [[], ["studio"], ["demo"]])
def test_another_address_without_a_token_is_refused(tmp_path: Path, command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--no-browser", "--host", "0.0.0.0", "--store", str(tmp_path)])
    assert result.exit_code == 2
    assert "Everybody who can reach 0.0.0.0" in result.output
    assert "--auth token" in result.output
    assert "--open-to-network" in result.output


def test_links_with_random_tokens_are_printed_and_never_the_same(tmp_path: Path) -> None:
    keys = Entrance(Login.TOKEN).keys("0.0.0.0"), Entrance(Login.TOKEN).keys("127.0.0.1")
    lines = [list(greeting("http://127.0.0.1:1", one)) for one in keys]
    assert [len(said) for said in lines] == [3, 3]
    tokens = {line.rpartition("?token=")[2] for said in lines for line in said[1:]}
    assert len(tokens) == 4
    assert all(len(token) >= 32 for token in tokens)


def test_a_token_of_the_environment_protects_without_being_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Entrance().keys("127.0.0.1") is None
    assert Entrance(open_to_network=True).keys("0.0.0.0") is None
    monkeypatch.setenv("NASIGHT_TOKEN", "a-token-of-the-environment")
    keys = Entrance().keys("0.0.0.0")
    assert keys is not None
    assert keys.role_of("a-token-of-the-environment") == "driver"
    assert Entrance(Login.NONE).keys("127.0.0.1") is None
    monkeypatch.setenv("NASIGHT_TOKEN", "short")
    with pytest.raises(SettingsError, match="5 letters"):
        Entrance().keys("127.0.0.1")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_port_in_use_is_said_and_the_next_one_taken_and_a_signal_ends_it(tmp_path: Path, how: signal.Signals) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        expected = free_port("127.0.0.1", port)
        studio = start(["-m", "dashboard.command", "--no-browser", "--port", str(port)], tmp_path)
        assert studio.url == f"http://127.0.0.1:{expected}"
        assert f"Port {port} is in use; using {expected} instead" in studio.said
        assert studio.stop(how) == 0
