"""Train a small network on the photographs of a CSV file with the columns `path` and `label`.

    python train.py --data train.csv --val validation.csv --lr 0.005 --epochs 8

It is a script as there are many; the five lines marked `autodc` are what it took to search its training data.
"""

import argparse

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset

from autodc.program import Job  # autodc

SIDE, CLASSES = 16, 10


class Photographs(Dataset):
    def __init__(self, table):
        self.images = [opened(path) for path in table["path"]]
        self.labels = table["label"].tolist() if "label" in table else [-1] * len(table)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, row):
        return self.images[row], self.labels[row]


def opened(path):
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("L").resize((SIDE, SIDE)), dtype=np.float32) / 255
    return torch.from_numpy(pixels)[None]


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
    parser.add_argument("--val")
    parser.add_argument("--lr", type=float, default=0.005)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="model.pt")
    parser.add_argument("--job", type=Job.open)  # autodc
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    table = args.job.draw().frame().rename(columns={"y": "label"}) if args.job else pd.read_csv(args.data)  # autodc
    model = train(Photographs(table), args.lr, args.epochs)
    torch.save(model.state_dict(), args.model)
    if args.val:
        held = pd.read_csv(args.val)
        right = scores(model, Photographs(held)).argmax(dim=1).numpy() == held["label"].to_numpy()
        print(f"val_acc {right.mean():.4f}")
    if args.job:  # autodc
        args.job.predict_with(lambda paths: scores(model, Photographs(pd.DataFrame({"path": paths}))))  # autodc


if __name__ == "__main__":
    main()
