"""What a person writes for a cluster: understood, or refused with the reason before there is a run."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from types import ModuleType

import pytest

from nas_core.errors import SettingsError
from nas_core.evaluation.cluster.address import Address, check_cluster, cluster_address, open_with_token
from nas_core.runs.executing import check_executor
from nas_core.runs.settings import RunSettings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No token anywhere, and the usual mode."""
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.setenv(name, "")  # so that it is put back, whatever a test does to it
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("local", None),
        ("ray", Address()),
        ("ray://10.0.0.5:6379", Address("10.0.0.5", 6379)),
        ("ray://head.lab:1", Address("head.lab", 1)),
        ("ray://[::1]:6379", Address("::1", 6379)),
    ],
)
def test_an_executor_is_understood(text: str, meant: Address | None) -> None:
    assert cluster_address(text) == meant
    assert RunSettings(executor=text).executor == text


@pytest.mark.parametrize(
    "text",
    ["", "Ray", "ray:", "ray://", "ray://host", "ray://host:", "ray://host:0", "ray://host:65536", "ray://a b:1",
     "ray://u:p@host:1", "http://host:1", "ray://host:1/x", "dask"],
)  # fmt: skip
def test_what_is_no_executor_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"There is no executor .*Allowed: local; ray .*ray://10\.0\.0\.5:6379"):
        RunSettings(executor=text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task_cpus", 0), ("task_cpus", True), ("task_cpus", float("nan")),
        ("task_gpus", -1), ("task_gpus", "x"), ("task_gpus", float("inf")),
    ],
)  # fmt: skip
def test_a_task_takes_a_number_of_cores(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=f"The number for {name} is "):
        RunSettings.model_validate({name: value})


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # what Python keeps of a module that cannot be imported
    with pytest.raises(SettingsError, match=r'needs Ray, which is not installed.*pip install "nasight\[ray\]"'):
        check_cluster("ray")
    check_cluster("local")


def test_a_cluster_without_token_authentication_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with pytest.raises(SettingsError, match="RAY_AUTH_MODE is 'disabled': everybody who reaches a port"):
        check_cluster("ray")


def test_a_cluster_of_others_needs_their_token(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no token for the cluster at 127\.0\.0\.1:1"):
        check_cluster("ray://127.0.0.1:1")
    check_cluster("ray")  # its own cluster gets one made
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("t" * 64)
    with pytest.raises(SettingsError, match="No Ray cluster answers"):
        check_cluster("ray://127.0.0.1:1")


def test_a_silent_address_is_refused_before_there_is_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "t" * 64)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = f"ray://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(SettingsError, match=r"No Ray cluster answers at 127\.0\.0\.1:.*start the cluster"):
            check_executor(RunSettings(executor=address))
        listening.listen()
        check_executor(RunSettings(executor=address))


def test_tasks_without_a_gpu_cannot_train_on_one() -> None:
    with pytest.raises(SettingsError, match=r"the tasks on the cluster take no GPU.*--task-gpus 0\.25"):
        check_executor(RunSettings(executor="ray", device="cuda"))
    check_executor(RunSettings(executor="ray", device="cuda", task_gpus=0.5))


def test_ray_must_not_be_imported_without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", ModuleType("ray"))
    with pytest.raises(SettingsError, match="Ray was imported before RAY_AUTH_MODE was set"):
        open_with_token(Address())
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "mine")
    open_with_token(Address())
    assert os.environ["RAY_AUTH_TOKEN"] == "mine"


def test_its_own_cluster_gets_a_token_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ray", raising=False)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    open_with_token(Address("head", 1))
    assert "RAY_AUTH_TOKEN" not in os.environ
    open_with_token(Address())
    assert len(os.environ["RAY_AUTH_TOKEN"]) == 64
    assert (os.environ["RAY_AUTH_MODE"], os.environ["RAY_USAGE_STATS_ENABLED"]) == ("token", "0")
