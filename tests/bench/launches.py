"""How many operations a gradient step of 64 networks of sequences takes: as one pack, and one network after the other.

    python tests/bench/launches.py [networks]

An accelerator waits for launches while networks are small, and each operation that computes something is one of them.
Each line: the data, the preset; operations of the pack; of the networks one by one as torch computes them on a
processor, and their ratio to the pack's; the same with each recurrent layer counted as one operation forwards and one
backwards, as a library of an accelerator hides its launches; the processor time of both, in seconds.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.remove(str(Path(__file__).resolve().parent))  # names in this folder must not hide those of libraries
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))

import torch
from operation_count import Counted, WholeCells
from sequence_samples import DATA, PRESETS, begun, begun_alone, lesson_of, some

ROWS = 16


def counts(kind: str, preset: str, networks: int) -> str:
    """Return the line of one kind of data and one preset."""
    lesson, items = lesson_of(kind), some(kind, preset, networks)
    rows = lesson.train.batch(torch.arange(ROWS))
    found, seconds = [], []
    for training in (begun(kind, items, lesson), *(begun_alone(kind, item, lesson) for item in items)):
        training._step(*rows)
        began = time.process_time()
        training._step(*rows)
        seconds.append(time.process_time() - began)
        with Counted() as own:
            training._step(*rows)
        with Counted() as whole, WholeCells():
            training._step(*rows)
        found.append((own.count, whole.count))
    pack, single, whole_cells = found[0][0], sum(own for own, _ in found[1:]), sum(cells for _, cells in found[1:])
    return (
        f"{kind:8}{preset:12}{lesson.train.x.shape[-1]:3} steps  pack {pack:5}"
        f"  one by one {single:6} ({single / pack:4.1f})  whole cells {whole_cells:6} ({whole_cells / pack:4.1f})"
        f"  {seconds[0]:.3f} s and {sum(seconds[1:]):.3f} s"
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    for kind in DATA:
        for preset in PRESETS:
            print(counts(kind, preset, int(sys.argv[1]) if len(sys.argv) > 1 else 64), flush=True)
