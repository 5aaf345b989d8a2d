"""Read a report of pip-audit: ``audited.py REPORT EXIT_STATUS``; fails for a known hole that a newer version closes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

__all__ = ["verdict"]


def verdict(report: str, status: int) -> tuple[int, list[str]]:
    """Return the exit status of the audit, and what to print.

    Args:
        report: What pip-audit wrote, JSON; empty when it came to no end.
        status: How it ended: 0, 1 for known holes, 124 for too slow.
    """
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return 0, [f"pip-audit: skipped, it came to no end (exit status {status})"]
    audited = [p for p in packages if "vulns" in p and "skip_reason" not in p]
    if not audited:
        return 0, [f"pip-audit: skipped, its service knows none of the {len(packages)} packages"]
    holes = [(p, v) for p in audited for v in p["vulns"]]
    lines = [f"pip-audit: {len(audited)} of {len(packages)} packages audited, {len(holes)} known holes"]
    lines += [
        f"  {p['name']} {p['version']}: {v['id']}, closed in {', '.join(v['fix_versions']) or 'no version yet'}"
        for p, v in holes
    ]
    return int(any(v["fix_versions"] for _, v in holes)), lines


if __name__ == "__main__":
    found, words = verdict(Path(sys.argv[1]).read_text(encoding="utf-8"), int(sys.argv[2]))
    print("\n".join(words))
    sys.exit(found)
