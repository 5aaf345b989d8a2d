"""What a person prepares for the next run, and where it is kept, so that a reload does not lose it.

A draft is a small file beside the store, named by its content; the URL says the name (``?draft=…``). So a draft never
changes under anybody, a link to it always means the same, and going back in the browser goes back to the one before.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dashboard.access import may_write
from dashboard.views.drawing import Drawing
from dashboard.views.space_history import History
from nas_core.data import CLASS_WEIGHTS, TARGET_TRANSFORMS, ClassWeights, SplitScheme, TransformName
from nas_core.data.splits import RANDOM
from nas_core.errors import NasightError

if TYPE_CHECKING:
    from nas_core.data import DataSource
    from nas_core.spaces import SearchSpace
    from nas_core.store import Store

__all__ = ["Draft", "find_draft", "keep_draft"]

_NAME = re.compile(r"[0-9a-f]{16}")
Name = TypeVar("Name", bound=str)


@dataclass(frozen=True)
class Draft:
    """What a person prepares for the next run.

    Attributes:
        source: Where the rows come from; None until chosen (the Run page then offers breast_cancer).
        metric: Name of the performance metric; None for the task's default.
        split_seed: Seed of the train / validation / test split.
        fractions: Shares of the three parts.
        scheme: Whether rows are split at random, by group or by time.
        class_weights: Whether all classes count the same in the training loss.
        target_transform: What a regression is trained on.
        family: Family of networks to search; None for the first one that suits the data.
        preset: Preset the space starts from.
        space: The edited space; None for the preset unchanged.
        history: The versions of the space, once it has been edited.
        drawing: The architecture a person draws by hand.
    """

    source: DataSource | None = None
    metric: str | None = None
    split_seed: int = 0
    fractions: tuple[float, float, float] = (0.6, 0.2, 0.2)
    scheme: SplitScheme = RANDOM
    class_weights: ClassWeights = "none"
    target_transform: TransformName = "none"
    family: str | None = None
    preset: str = "balanced"
    space: SearchSpace | None = None
    history: History = field(default_factory=History)
    drawing: Drawing | None = None

    def to_json(self) -> str:
        """Return the draft as JSON text; equal drafts give equal text."""
        return json.dumps(
            {
                "source": None if self.source is None else self.source.model_dump(mode="json"),
                "metric": self.metric,
                "split_seed": self.split_seed,
                "fractions": list(self.fractions),
                "scheme": self.scheme.model_dump(mode="json"),
                "class_weights": self.class_weights,
                "target_transform": self.target_transform,
                "family": self.family,
                "preset": self.preset,
                "history": self.history.to_plain(),
                "drawing": None if self.drawing is None else self.drawing.to_plain(),
                "space": None if self.space is None else self.space.model_dump(mode="json"),
            },
            sort_keys=True,
        )

    @classmethod
    def from_json(cls, text: str) -> Draft:
        """Return the draft that :meth:`to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError, NasightError: The text is not a draft.
        """
        from nas_core.data import DataSource
        from nas_core.spaces import SearchSpace

        read = json.loads(text)
        train, valid, test = read["fractions"]
        return cls(
            source=None if read["source"] is None else DataSource.model_validate(read["source"]),
            metric=read["metric"],
            split_seed=int(read["split_seed"]),
            fractions=(float(train), float(valid), float(test)),
            scheme=SplitScheme.model_validate(read.get("scheme", {})),
            class_weights=_known(read.get("class_weights", "none"), CLASS_WEIGHTS),
            target_transform=_known(read.get("target_transform", "none"), TARGET_TRANSFORMS),
            family=read.get("family"),
            preset=str(read["preset"]),
            history=History.from_plain(read["history"]) if read.get("history") else History(),
            drawing=Drawing.from_plain(read["drawing"]) if read.get("drawing") else None,
            space=None if read["space"] is None else SearchSpace.model_validate(read["space"]),
        )


def _known(value: str, names: tuple[Name, ...]) -> Name:
    """Return ``value`` as one of ``names``."""
    found = next((name for name in names if name == value), None)
    if found is None:
        raise ValueError(f"{value!r} is none of {', '.join(names)}")
    return found


def keep_draft(store: Store, draft: Draft) -> str | None:
    """Write a draft and return its name; None when it cannot or may not be, and then it lasts as long as the tab."""
    folder = _folder(store)
    if folder is None or not may_write():
        return None
    text = draft.to_json()
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    path = folder / f"{name}.json"
    if path.is_file():
        return name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as file:
            file.write(text)
        os.replace(file.name, path)
    except OSError:
        return None
    return name


def find_draft(store: Store, name: str) -> Draft | None:
    """Return the draft called ``name``, None when there is none that can be read."""
    folder = _folder(store)
    if folder is None or not _NAME.fullmatch(name):
        return None
    try:
        return Draft.from_json((folder / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, NasightError):  # gone, cut short, or written by another version
        return None


def _folder(store: Store) -> Path | None:
    """Return the folder of drafts beside a store on disk; a store in memory has none."""
    location = Path(store.url)
    return location.parent / "drafts" if location.is_absolute() else None
