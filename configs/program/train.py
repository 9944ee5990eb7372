"""Train a small network on the photographs of a CSV file with the columns `path` and `label`.

    python train.py --data train.csv --val validation.csv --lr 0.005 --epochs 8

It is a script as there are many; the five lines marked `autodc` are what it took to search its training data.
"""

import argparse

import numpy as np
import pandas as pd
import torch
from autodc.program import Job  # autodc
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset

SIDE, CLASSES = 16, 10


class Photographs(Dataset):
    def __init__(self, table):
        self.table = table

    def __len__(self):
        return len(self.table)

    def __getitem__(self, row):
        with Image.open(self.table["path"].iloc[row]) as image:
            pixels = np.asarray(image.convert("L").resize((SIDE, SIDE)), dtype=np.float32) / 255
        label = self.table["label"].iloc[row] if "label" in self.table else -1
        return torch.from_numpy(pixels)[None], int(label)


class Network(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(32 * (SIDE // 4) ** 2, CLASSES),
        )


def train(data, lr, epochs):
    model = Network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    for _ in range(epochs):
        for x, y in DataLoader(data, batch_size=32, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
    return model.eval()


@torch.no_grad()
def scores(model, data):
    return torch.cat([model(x).softmax(dim=1) for x, _ in DataLoader(data, batch_size=256)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="train.csv")
    parser.add_argument("--val", default="validation.csv")
    parser.add_argument("--lr", type=float, default=0.005)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="model.pt")
    parser.add_argument("--job")  # autodc
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    job = Job.open(options.job) if options.job else None  # autodc
    table = job.draw().frame().rename(columns={"y": "label"}) if job else pd.read_csv(options.data)  # autodc
    model = train(Photographs(table), options.lr, options.epochs)
    torch.save(model.state_dict(), options.model)
    if job:
        return job.predict_with(lambda paths: scores(model, Photographs(pd.DataFrame({"path": paths}))))  # autodc
    held = pd.read_csv(options.val)
    right = scores(model, Photographs(held)).argmax(dim=1).numpy() == held["label"].to_numpy()
    print(f"val_acc {right.mean():.4f}")


if __name__ == "__main__":
    main()
