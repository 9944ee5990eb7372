"""A LightningModule as it stands in a project: nothing here knows of autodc."""

import pytorch_lightning as pl
import torch
from torch import nn
from torch.nn import functional


class LitDigits(pl.LightningModule):
    """Two convolutions on scans; classes, input shape and learning rate are arguments."""

    def __init__(self, n_classes, input_shape, lr=3e-3, width=12, dropout=0.1):
        super().__init__()
        self.save_hyperparameters()
        height, wide = input_shape
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(dropout),
        )
        self.head = nn.Linear(2 * width * -(-height // 2) * -(-wide // 2), n_classes)

    def forward(self, x):
        return self.head(self.body(x.unsqueeze(1)))

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = functional.cross_entropy(self(x), y)
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)
        steps = self.trainer.estimated_stepping_batches
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=self.hparams.lr, total_steps=steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def shifted(x, training):
    """Move a scan that is trained on by up to one pixel each way."""
    if not training:
        return x
    down, right = torch.randint(-1, 2, (2,)).tolist()
    return torch.roll(x, (down, right), dims=(0, 1))
