"""Whether everything that NASight needs is there and works, and how to get what is missing."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from nas_core.errors import NasightError
from nas_core.evaluation.calibration_cache import calibration_directory
from nas_core.evaluation.throughput import Throughput, measure_throughput
from nas_core.records import Record, RunRecord
from nas_core.runs.bar import time_text
from nas_core.runs.machine import Machine, Package, look_at_machine, packages
from nas_core.runs.progress import Progress
from nas_core.store import open_store
from nas_core.store.opening import default_location

__all__ = ["Diagnosis", "Finding", "diagnose"]

Health = Literal["ok", "missing", "broken"]
Told = Callable[[str, float], None]

LOW_DISK, LOW_MEMORY, SEARCH = 2e9, 1e9, 500
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DEVELOPMENT = ("test",)  # extras that only somebody who changes NASight needs
CALIBRATION = (
    "The time of a search is measured when somebody asks for it, with candidates of the space and the data at hand, "
    "and kept for this machine, its cores and device, and the versions of torch and NASight in {folder}"
)


class Finding(Record):
    """One thing that was looked at.

    Attributes:
        name: What.
        health: ``ok``; ``missing`` where something works less well or not at all that not everybody needs; ``broken``
            where NASight does not work without it.
        words: What was found.
        fix: How to get or repair it; empty when it is ok.
    """

    name: str
    health: Health
    words: str
    fix: str = ""


class Diagnosis(Record):
    """What was found on this machine.

    Attributes:
        machine: Processor, memory, devices.
        packages: Required distributions with their versions.
        findings: One of each thing that was looked at.
        calibration: Where estimates of time come from, and where they are kept.
        throughput: The measured speed; None when it was not measured.
    """

    machine: Machine
    packages: tuple[Package, ...]
    findings: tuple[Finding, ...]
    calibration: str
    throughput: Throughput | None = None

    @property
    def works(self) -> bool:
        """Whether nothing that is needed is broken."""
        return all(f.health != "broken" for f in self.findings)


def diagnose(location: str | None = None, *, seconds: float = 10.0, on_progress: Told | None = None) -> Diagnosis:
    """Look at everything, then measure the speed.

    Args:
        location: Of the store; the user's own when None. Nothing is created where there is no store yet.
        seconds: About how long the measurement of the speed may take; 0 for none.
        on_progress: Told what is looked at and the share that is done, from the calling thread.
    """
    told = on_progress or (lambda words, share: None)
    told("Looking at the packages", 0.0)
    installed = packages()
    machine = look_at_machine()
    findings = [*_packages(installed), *_machine(machine), _graphviz(), _browser()]
    told("Looking at the store", 0.05)
    findings += _store(location)
    speed: Throughput | None = None
    if seconds > 0:
        told("Compiling what trains images and sequences, once on a machine", 0.07)
        findings.append(_kernels())
        try:
            speed = measure_throughput(
                seconds, on_progress=lambda share: told("Training random candidates", 0.1 + 0.9 * share)
            )
            findings.append(_speed(speed))
        except Exception as error:  # noqa: BLE001 - whatever breaks the training is what we are here to report
            findings.append(_broken("training", f"{type(error).__name__}: {error}", "reinstall torch and NASight"))
    kept = CALIBRATION.format(folder=calibration_directory())
    return Diagnosis(machine=machine, packages=installed, findings=tuple(findings), calibration=kept, throughput=speed)


def _broken(name: str, words: str, fix: str) -> Finding:
    return Finding(name=name, health="broken", words=words, fix=fix)


def _packages(installed: tuple[Package, ...]) -> list[Finding]:
    """Return one finding for what everybody needs, and one for each extra."""
    if not installed:
        words = "NASight itself is not installed, so nobody knows which packages it needs"
        return [Finding(name="packages", health="missing", words=words, fix="pip install .")]
    found = []
    for extra in sorted({p.extra for p in installed} - set(DEVELOPMENT)):
        own = [p for p in installed if p.extra == extra]
        wrong = [p for p in own if not p.suits]
        name = f"extra {extra}" if extra else "packages"
        if not wrong:
            found.append(Finding(name=name, health="ok", words=f"{len(own)} installed, all in versions that suit"))
            continue
        words = "; ".join(f"{p.name} is {p.version or 'not installed'}, needed is {p.needed or 'any'}" for p in wrong)
        fix = f'pip install "nasight[{extra}]"' if extra else "pip install --upgrade nasight"
        found.append(Finding(name=name, health="missing" if extra else "broken", words=words, fix=fix))
    return found


def _machine(machine: Machine) -> list[Finding]:
    """Return findings about the processor, the memory and the accelerator."""
    cores = f"{machine.usable_cores} of {machine.cores} cores usable, {machine.threads} threads in torch"
    found = [Finding(name="processor", health="ok", words=f"{machine.processor}; {cores}")]
    if machine.omp_num_threads:
        words = f"{cores}; OMP_NUM_THREADS={machine.omp_num_threads} lowers how many networks are trained side by side"
        if machine.threads < machine.usable_cores:
            found[0] = Finding(name="processor", health="missing", words=words, fix="unset OMP_NUM_THREADS")
    if machine.devices:
        found.append(Finding(name="accelerator", health="ok", words=", ".join(machine.devices)))
    else:
        fix = "not needed for tables; for large images, install the build of torch for your GPU (https://pytorch.org)"
        words = "None that this torch can use: candidates are trained on the processor"
        if machine.driver:
            words = f"A driver of NVIDIA is here, but torch {_version_of('torch')} cannot use it"
            fix = "install the build of torch for your version of CUDA (https://pytorch.org)"
        found.append(Finding(name="accelerator", health="missing", words=words, fix=fix))
    if machine.memory_bytes is not None:
        free = machine.memory_bytes if machine.free_bytes is None else machine.free_bytes
        words = f"{free / 1e9:.1f} of {machine.memory_bytes / 1e9:.1f} GB free"
        low = free < LOW_MEMORY
        fix = "close other programs, or search with smaller packs" if low else ""
        found.append(Finding(name="memory", health="missing" if low else "ok", words=words, fix=fix))
    return found


def _graphviz() -> Finding:
    """Draw two nodes: the pictures of architectures need it."""
    try:
        import pygraphviz

        from nas_core.spaces.graph_drawing import GRAPHVIZ

        with GRAPHVIZ:
            drawn = pygraphviz.AGraph(string="digraph { a -> b }").draw(format="svg", prog="dot")
        if b"<svg" not in drawn:
            raise ValueError("it draws nothing")
    except Exception as error:  # noqa: BLE001 - a missing library shows itself as anything
        words = f"Architectures cannot be drawn ({type(error).__name__}: {error})"
        return _broken("Graphviz", words, "pip install --force-reinstall pygraphviz, or install Graphviz itself")
    return Finding(name="Graphviz", health="ok", words=f"Draws architectures (pygraphviz {pygraphviz.__version__})")


def _kernels() -> Finding:
    """Compile or load what trains networks on a processor."""
    began = time.perf_counter()
    try:
        from nas_core.training.compiled.ready import kept_in, prepare

        for family in ("tabular", "image", "sequence"):
            prepare(family)
    except Exception as error:  # noqa: BLE001 - a compiler that does not suit shows itself as anything
        return _broken("kernels", f"{type(error).__name__}: {error}", "pip install --force-reinstall numba llvmlite")
    seconds, place = time.perf_counter() - began, kept_in()
    words = f"Training on a processor: ready after {seconds:.1f} s"
    if place:
        return Finding(name="kernels", health="ok", words=f"{words}, kept in {place}")
    fix = "let NUMBA_CACHE_DIR name a folder that can be written"
    return Finding(name="kernels", health="missing", words=f"{words}; each process compiles them anew", fix=fix)


def _browser() -> Finding:
    """Look for the browser that the tests drive; the studio opens in any browser."""
    chosen = os.environ.get("NASIGHT_CHROMIUM")
    found = chosen or next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found:
        return Finding(name="Chromium", health="ok", words=f"{found}; only the browser tests need it")
    words = "None found; only the browser tests need it, the studio opens in any browser"
    return Finding(name="Chromium", health="missing", words=words, fix="install Chromium, or set NASIGHT_CHROMIUM")


def _store(location: str | None) -> list[Finding]:
    """Open the store that is there, or see whether one can be made, and how much room is left."""
    text = str(default_location() if location is None else location)
    path = Path(text.removeprefix("sqlite:///")).expanduser()
    if "://" in text.removeprefix("sqlite:///") or text == "memory:" or path.exists():
        try:
            store = open_store(location)
            records = store.runs()
            store.close()
        except (NasightError, OSError) as error:
            return [_broken("store", f"{text} cannot be opened: {error}", "choose another with --store")]
        runs = len(records)
        found = [Finding(name="store", health="ok", words=f"{text}, {runs} run{'s' * (runs != 1)}"), *_lately(records)]
    else:
        found = [_new_store(text, path)]
    return found if "://" in text.removeprefix("sqlite:///") or text == "memory:" else [*found, _disk(_nearest(path))]


def _lately(records: Sequence[RunRecord]) -> list[Finding]:
    """Return how fast the newest run was that found something, where there is one."""
    for record in sorted(records, key=lambda r: -r.created):
        now = Progress.model_validate(record.progress)
        if now.evaluated and now.elapsed:
            day = datetime.fromtimestamp(record.created).strftime("%Y-%m-%d %H:%M")
            words = (
                f"{record.name}, {day}: {now.evaluated} candidates in {time_text(now.elapsed)}, "
                f"{now.evaluated / now.elapsed:.2g} a second{f' on {now.device}' if now.device else ''}"
            )
            return [Finding(name="newest run", health="ok", words=words)]
    return []


def _new_store(text: str, path: Path) -> Finding:
    """Return whether a store can be made at ``path``, without making it."""
    nearest = _nearest(path)
    try:
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as error:
        return _broken("store", f"{text} cannot be made: {nearest} is not writable ({error})", "choose another place")
    return Finding(name="store", health="ok", words=f"{text}, which the first run makes")


def _nearest(path: Path) -> Path:
    """Return the nearest directory above ``path``, or itself, that exists."""
    return next(p for p in (path, *path.absolute().parents) if p.is_dir())


def _disk(place: Path) -> Finding:
    usage = shutil.disk_usage(place)
    words = f"{usage.free / 1e9:.1f} of {usage.total / 1e9:.1f} GB free beside the store"
    if usage.free < LOW_DISK:
        return Finding(name="disk", health="missing", words=words, fix="make room, or choose another with --store")
    return Finding(name="disk", health="ok", words=words)


def _version_of(name: str) -> str:
    return next((p.version or "" for p in packages() if p.name == name), "")


def _speed(speed: Throughput) -> Finding:
    words = (
        f"{speed.packed:.1f} candidates a second in packs of {speed.pack}, {speed.alone:.1f} one fit at a time: packs "
        f"are {speed.gain:.1f} times as fast ({speed.data}, {speed.device}). To train {SEARCH} such candidates takes "
        f"about {time_text(SEARCH / speed.packed)}"
    )
    return Finding(name="training", health="ok", words=words)
