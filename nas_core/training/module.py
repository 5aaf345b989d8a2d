"""The LightningModule that trains a whole pack in one ``Trainer.fit``, and the quiet Trainer that runs it."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable

import pytorch_lightning as pl
import torch
from torch import Tensor

from nas_core.training.device import repeatable
from nas_core.training.engine import PackEngine
from nas_core.training.progress import PackProgress, StopSignal

__all__ = ["OnEpoch", "PackModule", "fit_quietly"]

OnEpoch = Callable[[PackProgress], None]


class PackModule(pl.LightningModule):
    """Trains K candidates at once; the data lie on the device, and Lightning's batch is a whole epoch of them.

    Optimisation is manual: each candidate has its own optimiser, learning rate and early stop inside the engine. One
    call of Lightning costs about as much as a tenth of a gradient step of a pack, so it makes one per epoch.
    """

    def __init__(self, engine: PackEngine, stop: StopSignal | None = None, on_epoch: OnEpoch | None = None) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.engine, self.stop, self.on_epoch = engine, stop, on_epoch
        self.cancelled = False
        self.began = time.perf_counter()

    def let_go(self) -> None:
        """Forget the engine: module and trainer hold each other, so its buffers would wait for a garbage collection."""
        del self.engine

    def train_dataloader(self) -> range:
        """Return one batch for each epoch: the engine cuts it into gradient steps."""
        return range(1)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return an optimiser of nothing: Lightning wants one, the engine has its own."""
        return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.0)

    def training_step(self, batch: int, batch_idx: int) -> Tensor | None:
        """Train all candidates for one epoch; end the fit between two gradient steps when a stop was asked for."""
        with torch.inference_mode():  # the gradients are written out: autograd has nothing to do
            for number, rows in self.engine.batches(self.current_epoch):
                if self.stop is not None and self.stop.is_set():
                    self.cancelled = self.trainer.should_stop = True
                    break
                self.engine.step(number, rows)
        return None

    def on_train_epoch_end(self) -> None:
        """Validate all candidates and let go those that are finished."""
        if self.cancelled:
            return
        with torch.inference_mode():
            self.engine.end_epoch()
        if not self.engine.active:
            self.trainer.should_stop = True
        if self.on_epoch is not None:
            engine = self.engine
            self.on_epoch(
                PackProgress(engine.epoch + 1, engine.schedule.max_epochs, engine.active, len(engine.candidates),
                             time.perf_counter() - self.began)
            )  # fmt: skip


def fit_quietly(module: pl.LightningModule, device: torch.device, max_epochs: int) -> None:
    """Run ``Trainer.fit`` in the calling thread without files, log lines or progress bars; −1 epochs: until stopped."""
    for name in ("pytorch_lightning.utilities.rank_zero", "pytorch_lightning.accelerators.cuda"):
        logging.getLogger(name).setLevel(logging.ERROR)
    kind = device.type
    with warnings.catch_warnings(), repeatable():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            accelerator={"cuda": "gpu"}.get(kind, kind), devices=1, max_epochs=max_epochs,
            logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            num_sanity_val_steps=0, inference_mode=True,
        )  # fmt: skip
        trainer.fit(module)
