"""LightningModules as users write them."""

import pytorch_lightning as pl
import torch
from torch import nn


class LitDigits(pl.LightningModule):
    """A multi-layer perceptron that logs, as most do, and brings a schedule of its own."""

    def __init__(self, n_classes: int, input_shape: tuple[int, ...], hidden: int = 48, lr: float = 0.01):
        super().__init__()
        self.save_hyperparameters()
        size = torch.Size(input_shape).numel()
        self.net = nn.Sequential(
            nn.Flatten(), nn.Linear(size, hidden), nn.ReLU(), nn.Dropout(0.1), nn.Linear(hidden, n_classes)
        )

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = nn.functional.cross_entropy(self(x), y)
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch, batch_idx):
        raise AssertionError("validation rows are not for a trainer")

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=self.hparams.lr, total_steps=self.trainer.estimated_stepping_batches
        )
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]


class LitByHand(LitDigits):
    """Steps its optimizer itself, and predicts probabilities."""

    def __init__(self, n_classes, input_shape, lr=0.01):
        super().__init__(n_classes, input_shape, lr=lr)
        self.automatic_optimization = False
        self.steps = 0

    def training_step(self, batch, batch_idx):
        self.steps += 1
        optimizer = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(nn.functional.cross_entropy(self(batch[0]), batch[1]))
        optimizer.step()

    def predict_step(self, batch, batch_idx):
        return self(batch).softmax(1)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


def make(n_classes, input_shape, **more):
    """A function that returns a module."""
    return LitDigits(n_classes, input_shape, **more)


class Recorder(pl.LightningModule):
    """Keeps what it is given; it learns nothing."""

    def __init__(self, n_outputs=1, n_columns=0, n_categories=(), input_shape=()):
        super().__init__()
        self.told = (n_outputs, n_columns, list(n_categories), tuple(input_shape))
        self.weight = nn.Parameter(torch.zeros(()))
        self.batches = []

    def training_step(self, batch, batch_idx):
        self.batches.append(batch)
        return self.weight * 0

    def forward(self, x):
        self.batches.append(x)
        first = next(iter(x.values())) if isinstance(x, dict) else x
        return torch.zeros(len(first), self.told[0])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=1.0)


class Boxes(Recorder):
    """Predicts something else than numbers."""

    def predict_step(self, batch, batch_idx):
        return [{"boxes": torch.zeros(1, 1)} for _ in batch]


def noisy(x, training):
    """Adds noise where rows are trained on."""
    return x + torch.randn_like(x) * 0.01 if training else x
