"""A candidate as a ``torch.export`` program (.pt2)."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from nas_core.exports.quiet import quiet

if TYPE_CHECKING:
    import torch

    from nas_core.exports.portable import Check, Portable

__all__ = ["exported_program", "torch_file"]


def exported_program(portable: Portable) -> torch.export.ExportedProgram:
    """Return the program of raw rows to predictions, for any number of rows."""
    import torch

    rows = portable.input(portable.checked_raw[:3])
    with quiet("torch.export"):
        return torch.export.export(
            portable.module, (rows,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},), strict=False
        )


def torch_file(portable: Portable, facts: dict[str, Any]) -> tuple[bytes, Check]:
    """Return the file, with ``facts`` and its check as ``nasight.json`` inside, after reading it back and comparing.

    Raises:
        ExportError: Its predictions differ by more than 1e-4.
    """
    import torch

    from nas_core.training.device import one_thread

    program = exported_program(portable)
    with quiet("torch.export"), torch.inference_mode(), one_thread():
        plain = io.BytesIO()
        torch.export.save(program, plain)
        plain.seek(0)
        found = torch.export.load(plain).module()(portable.input(portable.checked_raw)).numpy()
        check = portable.compared(found, f"PyTorch {torch.__version__}")
        told = {**facts, "input": portable.written.input, "torch": torch.__version__, "check": check.document()}
        file = io.BytesIO()
        torch.export.save(program, file, extra_files={"nasight.json": json.dumps(told, ensure_ascii=False)})
    return file.getvalue(), check
