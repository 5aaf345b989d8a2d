"""The doctor: what is there is found, what is missing is named with its cure, what is broken is told from it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nas_core.command import app
from nas_core.records import RunRecord, RunState
from nas_core.runs import doctor
from nas_core.runs.doctor import Diagnosis, Finding, diagnose
from nas_core.runs.machine import Package, look_at_machine, memory_bytes, packages
from nas_core.store import open_store


def found_in(diagnosis: Diagnosis) -> dict[str, Finding]:
    return {f.name: f for f in diagnosis.findings}


def package(name: str, version: str | None, extra: str = "", *, suits: bool = False) -> Package:
    return Package(name=name, needed=">=2", version=version, extra=extra, suits=suits)


def test_this_installation_works_and_nothing_is_created(tmp_path: Path) -> None:
    said: list[tuple[str, float]] = []
    diagnosis = diagnose(str(tmp_path / "new"), seconds=0, on_progress=lambda *told: said.append(told))
    assert diagnosis.works
    assert diagnosis.throughput is None
    findings = found_in(diagnosis)
    assert {"packages", "processor", "accelerator", "Graphviz", "Chromium", "store", "disk"} <= set(findings)
    assert "which the first run makes" in findings["store"].words
    assert list(tmp_path.iterdir()) == []
    assert [share for _, share in said] == sorted(share for _, share in said)
    for finding in diagnosis.findings:
        assert bool(finding.fix) == (finding.health != "ok")


def test_a_store_that_is_there_is_opened(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.close()
    assert "0 runs" in found_in(diagnose(str(tmp_path), seconds=0))["store"].words
    in_memory = found_in(diagnose("memory:", seconds=0))
    assert in_memory["store"].health == "ok"
    assert "disk" not in in_memory


@pytest.mark.parametrize("location", ["nosuch://server/base", "{}/no.sqlite"])
def test_a_store_that_cannot_be_opened_is_broken(location: str, tmp_path: Path) -> None:
    (tmp_path / "no.sqlite").write_text("this is no database at all " * 100)
    diagnosis = diagnose(location.format(tmp_path), seconds=0)
    assert found_in(diagnosis)["store"].health == "broken"
    assert not diagnosis.works


def test_a_place_that_is_not_writable_is_broken(tmp_path: Path) -> None:
    assert doctor._new_store("gone", tmp_path).health == "ok"
    where = Path("/proc") if sys.platform == "linux" else tmp_path
    if sys.platform != "linux":
        os.chmod(tmp_path, 0o500)
    finding = doctor._new_store("gone", where / "deep" / "er")
    assert finding.health == "broken"
    assert "not writable" in finding.words


def test_packages_of_extras_are_missing_and_needed_ones_broken() -> None:
    installed = (
        package("torch", "1.0"), package("rich", "13", suits=True), package("interpret-core", None, "baselines"),
        package("ray", "2.60", "cluster", suits=True), package("pytest", None, "test"),
    )  # fmt: skip
    found = {f.name: f for f in doctor._packages(installed)}
    assert set(found) == {"packages", "extra baselines", "extra cluster"}
    assert found["packages"].health == "broken"
    assert found["packages"].words == "torch is 1.0, needed is >=2"
    assert found["extra baselines"].health == "missing"
    assert "interpret-core is not installed" in found["extra baselines"].words
    assert found["extra baselines"].fix == 'pip install "nasight[baselines]"'
    assert found["extra cluster"].health == "ok"
    assert doctor._packages(())[0].health == "missing"


def test_the_packages_are_those_of_the_installed_distribution() -> None:
    known = {p.name: p for p in packages()}
    assert known["torch"].suits
    assert known["torch"].version is not None
    assert known["interpret-core"].extra in ("baselines", "test")


def test_a_lowered_number_of_threads_and_little_memory_are_pointed_out() -> None:
    machine = look_at_machine().model_copy(
        update={"usable_cores": 8, "threads": 1, "omp_num_threads": "1", "memory_bytes": 8_000_000_000,
                "free_bytes": 500_000_000, "devices": ("Some GPU",)}
    )  # fmt: skip
    found = {f.name: f for f in doctor._machine(machine)}
    assert "OMP_NUM_THREADS=1" in found["processor"].words
    assert found["processor"].fix == "unset OMP_NUM_THREADS"
    assert (found["memory"].health, found["memory"].words) == ("missing", "0.5 of 8.0 GB free")
    assert (found["accelerator"].health, found["accelerator"].words) == ("ok", "Some GPU")
    unused = machine.model_copy(update={"devices": (), "driver": True})
    found = {f.name: f for f in doctor._machine(unused)}
    assert found["accelerator"].health == "missing"
    assert "cannot use it" in found["accelerator"].words
    assert "version of CUDA" in found["accelerator"].fix


def test_the_newest_run_that_found_something_says_how_fast_it_was() -> None:
    def made(name: str, created: float, **progress: object) -> RunRecord:
        return RunRecord(id=name, name=name, created=created, state=RunState.DONE, problem={}, space={}, settings={},
                         data_hash="", progress=progress)  # fmt: skip

    records = [made("old", 1e9, evaluated=9, elapsed=9.0), made("empty", 3e9),
               made("new", 2e9, evaluated=100, elapsed=40.0, device="cpu")]  # fmt: skip
    assert doctor._lately([]) == doctor._lately(records[1:2]) == []
    (finding,) = doctor._lately(records)
    assert finding.words.startswith("new, 2033-05-")
    assert finding.words.endswith("100 candidates in 40 s, 2.5 a second on cpu")


def test_memory_is_that_of_the_container_where_it_has_less(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\n")
    assert memory_bytes(tmp_path) == (16_000_000 * 1024, 8_000_000 * 1024)
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("max\n")
    assert memory_bytes(tmp_path)[0] == 16_000_000 * 1024
    (group / "memory.max").write_text("4000000000\n")
    (group / "memory.current").write_text("1000000000\n")
    assert memory_bytes(tmp_path) == (4_000_000_000, 3_000_000_000)


def test_the_command_prints_one_document_or_a_table(tmp_path: Path) -> None:
    asked = ["doctor", "--seconds", "0", "--store", str(tmp_path / "new")]
    answer = CliRunner().invoke(app, [*asked, "--json"])
    assert answer.exit_code == 0, answer.output
    document = json.loads(answer.stdout)
    assert {"machine", "packages", "findings", "calibration", "throughput"} == set(document)
    assert Diagnosis.model_validate(document).works
    answer = CliRunner().invoke(app, asked)
    assert answer.exit_code == 0, answer.output
    assert "Everything that is needed works." in answer.stdout
    assert "Graphviz" in answer.stdout


def test_the_command_ends_with_1_when_something_is_broken() -> None:
    answer = CliRunner().invoke(app, ["doctor", "--seconds", "0", "--store", "nosuch://server/base"])
    assert answer.exit_code == 1
    assert "Something that is needed is broken" in answer.stdout


def test_the_speed_is_measured_when_there_is_time_for_it(tmp_path: Path) -> None:
    diagnosis = diagnose(str(tmp_path), seconds=0.05)
    assert diagnosis.throughput is not None
    assert "one fit at a time" in found_in(diagnosis)["training"].words
    assert "To train 500 such candidates takes about" in found_in(diagnosis)["training"].words
    kernels = found_in(diagnosis)["kernels"]
    assert kernels.health == "ok"
    assert Path(kernels.words.rpartition("kept in ")[2]).is_dir()
