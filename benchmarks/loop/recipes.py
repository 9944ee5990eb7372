"""A synthetic set with another labelling convention: does a night find the recipe or the label map by itself?

    OMP_NUM_THREADS=1 python -m benchmarks.loop.recipes    # writes benchmarks/results/loop_recipes.md

Few real rows are the base. Six times as many, drawn over (softer, of other contrast, noisy, turned), are the only
candidate; two or three of its classes are swapped, passed round, or one is called by another's name: which ones, the
seed draws. Nothing tells the study of it: it has the recipes and the proposer of label maps that a user may name, and
`small` trainings. The peers train on the same rows with as many trainings as the study spent, TPE on all validation
rows, the five best settings trained twice more: the base alone, the plain mix (base and candidate at weight 1), and
the recipe or the right labels given. All are measured on the sealed test with fresh seeds. What was measured is kept
in benchmarks/results/loop_recipes_raw.jsonl; a line that is there is not measured again.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import yaml
from scipy import ndimage

from autodc.trial.executor import TrainerRef
from autodc.trial.trainer import TrainPart
from benchmarks import lines
from benchmarks.clothes import clothes
from benchmarks.diagnose.rows import digits
from benchmarks.loop.training import outputs, part
from benchmarks.tables import table

Array = np.ndarray[Any, Any]

RESULTS = Path(__file__).resolve().parents[1] / "results"
PAGE, RAW = RESULTS / "loop_recipes.md", RESULTS / "loop_recipes_raw.jsonl"
SEEDS, FRESH, FIRST_FRESH = 5, 5, 900_000
SIZES = {"digits": (100, 600, 500, 597), "Fashion-MNIST": (200, 1200, 1000, 3000)}
"""Rows of the base, of the synthetic set, of validation and of the test."""
WAYS = ("swapped", "shifted", "merged", "swapped", "shifted")
"""What the synthetic set does with names, by seed."""
TORCH = {"trainer": "torch_image", "options": {"network": "mlp", "steps": 120}}
LR = {
    "lr": {"type": "float", "low": 1e-3, "high": 3e-2, "log": True},
    "weight_decay": {"type": "float", "low": 1e-5, "high": 1e-2, "log": True},
}
FINETUNE = {
    "pretrain_share": {"type": "float", "low": 0.2, "high": 0.8, "when": {"recipe": "pretrain_finetune"}},
    "finetune_lr_factor": {
        "type": "float",
        "low": 0.1,
        "high": 1.0,
        "log": True,
        "when": {"recipe": "pretrain_finetune"},
    },
}
ADAPTER = {"adapter_warmup": {"type": "float", "low": 0.1, "high": 0.6, "when": {"recipe": "label_adapt"}}}
RECIPES = ["concat", "pretrain_finetune", "label_adapt"]
SVC = {"trainer": "sklearn", "options": {"estimator": "SVC", "params": {"probability": False}}}
SVC_SPACE = {
    "C": {"type": "float", "low": 0.3, "high": 100.0, "log": True},
    "gamma": {"type": "float", "low": 0.001, "high": 0.1, "log": True},
}
STUDIES: Mapping[str, Mapping[str, Any]] = {
    "recipes and label map": {
        "task": TORCH,
        "recipes": RECIPES,
        "space": LR | FINETUNE | ADAPTER,
        "propose": ["given", "label_map"],
    },
    "recipes alone": {"task": TORCH, "recipes": RECIPES, "space": LR | FINETUNE | ADAPTER, "propose": ["given"]},
    "label map alone, SVC": {"task": SVC, "recipes": ["concat"], "space": SVC_SPACE, "propose": ["given", "label_map"]},
}
TRAININGS = 90
FOUND = ("label map", "pretrain_finetune", "label_adapt")
"""Ends of a study that take the other convention into account."""
BESIDE = ("plain mix", "base alone", "pretrain_finetune given", "label_adapt given", "right labels given")


class World:
    """The rows of one seed."""

    def __init__(self, name: str, seed: int) -> None:
        self.name, self.seed, self.way = name, seed, WAYS[seed % len(WAYS)]
        rng = np.random.default_rng([31, seed, list(SIZES).index(name)])
        x, y = clothes() if name == "Fashion-MNIST" else digits()
        order = rng.permutation(len(x))[: sum(SIZES[name])]
        base, made, validation, test = np.split(order, np.cumsum(SIZES[name])[:-1])
        self.classes = rng.permutation(10)[: 3 if self.way == "shifted" else 2].tolist()
        to = np.arange(10)
        to[self.classes] = np.roll(self.classes, -1)
        if self.way == "merged":
            to[self.classes[1]] = self.classes[1]
        rows, pen = drawn_over(x[made], rng)
        self.base, self.validation, self.test = ((x[rows], y[rows]) for rows in (base, validation, test))
        self.made, self.right, self.pen = (rows, to[y[made]]), y[made], pen

    def parts(self, *, made: bool = False, right: bool = False, stage: str = "main") -> tuple[TrainPart, ...]:
        """The base, and what was made, its labels as the base has them where they are right."""
        found = [part("base", *self.base)]
        if made:
            labels = self.right if right else self.made[1]
            found.append(part("made", self.made[0], labels, stage=stage, tags=("synthetic",)))
        return tuple(found)


def drawn_over(x: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Images as a simple renderer makes them, with one of three pens: soft, noisy, turned."""
    pen = rng.integers(0, 3, len(x))
    found = np.asarray(x, dtype=float).copy()
    soft = sum(np.roll(x, by, axis=axis) for axis in (1, 2) for by in (-1, 1)) / 8 + x / 2
    found[pen == 0] = 0.2 + 0.6 * soft[pen == 0]
    noisy = pen == 1
    found[noisy] = 0.8 * x[noisy] + rng.normal(0, 0.12, x[noisy].shape)
    for row in np.flatnonzero(pen == 2):
        found[row] = ndimage.rotate(x[row], rng.uniform(-18, 18), reshape=False, order=1)
    return np.clip(found, 0, 1), np.array(["soft", "noisy", "turned"])[pen]


class Unfinished(Exception):
    """A night was ended before its time; the same call goes on with it."""


def night(world: World, study: str, keep: Path | None = None, seconds: float | None = None) -> dict[str, Any]:
    """Write a study as a user would, run it by the command line, and read its result.

    keep: where it lies, and goes on; seconds: it is interrupted after so many (Unfinished).
    """
    ours = STUDIES[study]
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        flat = ours["task"]["trainer"] == "sklearn"
        for name, (x, y), more in (
            ("base", world.base, {}),
            ("made", world.made, {"pen": world.pen}),
            ("validation", world.validation, {}),
            ("test", world.test, {}),
        ):
            rows = x.reshape(len(x), -1) if flat else x
            np.savez(folder / f"{name}.npz", x=rows.astype(np.float32), y=y, **more)
        spec = {
            "schema_version": 1,
            "name": "convention",
            "seed": world.seed,
            "task": {"kind": "classification", **ours["task"]},
            "data": {
                "base": {"source": "base.npz"},
                "candidates": [{"name": "made", "source": "made.npz", "tags": ["synthetic"]}],
                "validation": {"source": "validation.npz"},
                "test": {"source": "test.npz"},
            },
            "metrics": {"primary": "accuracy"},
            "slices": [{"name": "overall", "role": "target"}],
            "search_space": ours["space"],
            "recipes": ours["recipes"],
            "loop": {"rounds": 1, "propose": ours["propose"]},
            "search": {"trials_per_round": 30},
            "budget": {"trainings": TRAININGS},
            "tracking": {"uri": "none"},
        }
        (folder / "study.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
        (folder / "machine.yaml").write_text("runner: inline\n", encoding="utf-8")
        command = [str(Path(sys.executable).parent / "autodc"), "run", "study.yaml", "--out", "run"]
        command += ["--machine", "machine.yaml"]
        running = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            _, said = running.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGINT)
            running.communicate()
            raise Unfinished from None
        if running.returncode:
            raise RuntimeError(f"{world.name} {world.seed} {study}: {said[-2000:]}")
        result = json.loads((folder / "run" / "result.json").read_text(encoding="utf-8"))
    return {
        "test": result["test"]["after"]["overall"],
        "start": result["test"]["before"]["overall"],
        "kept": result["kept"],
        "incumbent": result["incumbent"],
        "spent": result["spent"]["trainings"],
        "candidates": sorted(result["candidates"]),
    }


def found_by(seen: Mapping[str, Any]) -> str:
    """What the loop ended with: the way it uses what was made, in words; empty where it mixes plainly or not at all."""
    plan, names = seen["incumbent"], set(seen["incumbent"]["mixture"])
    if "made-mapped" in names:
        return "label map"
    if "made" not in names:
        return "without it"
    if plan["recipe"] == "pretrain_finetune" and plan["stages"].get("made") == "pretrain":
        return "pretrain_finetune"
    return plan["recipe"] if plan["recipe"] == "label_adapt" else "plain mix"


def trained(
    world: World,
    task: Mapping[str, Any],
    parts: tuple[TrainPart, ...],
    recipe: str,
    settings: Mapping[str, Any],
    seed: int,
) -> tuple[float, float]:
    """Accuracy on validation and on the test."""
    flat = task["trainer"] == "sklearn"

    def shaped(x: Array) -> Array:
        return np.asarray((x.reshape(len(x), -1) if flat else x).astype(np.float32))

    if flat:
        parts = tuple(part(p.name, shaped(np.asarray(p.x)), p.y, stage=p.stage, tags=p.tags) for p in parts)
    trainer = TrainerRef(name=task["trainer"], options=task["options"], folder=".")
    held = {"validation": shaped(world.validation[0]), "test": shaped(world.test[0])}
    found = outputs(trainer, parts, held, settings, seed, classes=10, recipe=recipe)
    return tuple(  # type: ignore[return-value]
        float((found[name].argmax(axis=1) == rows[1]).mean())
        for name, rows in (("validation", world.validation), ("test", world.test))
    )


def peer(
    world: World,
    task: Mapping[str, Any],
    space: Mapping[str, Any],
    budget: int,
    parts: tuple[TrainPart, ...],
    recipe: str = "concat",
) -> dict[str, Any]:
    """Tune by TPE, the five best twice more; accuracy on the test with fresh seeds."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def value(settings: Mapping[str, Any], seed: int) -> float:
        return trained(world, task, parts, recipe, settings, seed)[0]

    def asked(trial: optuna.Trial) -> float:
        settings = {
            name: trial.suggest_float(name, one["low"], one["high"], log=one.get("log", False))
            for name, one in space.items()
        }
        return value(settings, trial.number)

    best, again = 5, 2
    search = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=world.seed))
    search.optimize(asked, n_trials=budget - best * again)
    first = sorted(search.trials, key=lambda one: -float(one.value or 0))[:best]
    means = [np.mean([one.value, *(value(one.params, 500 + k) for k in range(again))]) for one in first]
    settings = first[int(np.argmax(means))].params
    tests = [trained(world, task, parts, recipe, settings, FIRST_FRESH + k)[1] for k in range(FRESH)]
    return {"test": float(np.mean(tests)), "settings": settings, "validation": float(max(means))}


def peers(world: World, study: str, budget: int) -> dict[str, Callable[[], dict[str, Any]]]:
    """What a study is held against, by name."""
    task = STUDIES[study]["task"]
    space = SVC_SPACE if task is SVC else LR
    found = {
        "base alone": lambda: peer(world, task, space, budget, world.parts()),
        "plain mix": lambda: peer(world, task, space, budget, world.parts(made=True)),
        "right labels given": lambda: peer(world, task, space, budget, world.parts(made=True, right=True)),
    }
    if task is TORCH:
        found["pretrain_finetune given"] = lambda: peer(
            world, task, LR | FINETUNE, budget, world.parts(made=True, stage="pretrain"), "pretrain_finetune"
        )
        found["label_adapt given"] = lambda: peer(
            world, task, LR | ADAPTER, budget, world.parts(made=True), "label_adapt"
        )
    return found


def known() -> dict[tuple[str, int, str], dict[str, Any]]:
    """What was measured."""
    return {(one["world"], one["seed"], one["what"]): one for one in lines.read(RAW)}


def main() -> None:
    """Measure what is not known, and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--worlds", nargs="+", default=list(SIZES))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(SEEDS)))
    parser.add_argument("--studies", nargs="+", default=list(STUDIES))
    parser.add_argument("--studies-only", action="store_true", help="leave the peers out")
    parser.add_argument("--peers-only", action="store_true", help="leave the studies out")
    parser.add_argument("--peers", nargs="+", help="these alone")
    parser.add_argument("--keep", type=Path, help="folder that keeps the folders of the studies")
    parser.add_argument("--minutes", type=float, help="end after so many; with --keep the same call goes on")
    told = parser.parse_args()
    began_at = time.perf_counter()

    def left() -> float | None:
        if told.minutes is None:
            return None
        if (seconds := told.minutes * 60 - (time.perf_counter() - began_at)) <= 0:
            raise Unfinished
        return float(seconds)

    def measured(world: World, what: str, how: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        seen = known()
        key = (world.name, world.seed, what)
        if key not in seen:
            began = time.perf_counter()
            one = {"world": world.name, "seed": world.seed, "what": what, **how()}
            one["seconds"] = round(time.perf_counter() - began, 1)
            lines.add(RAW, [one])
            print(world.name, world.seed, world.way, what, f"{one['test']:.3f}", f"{one['seconds']:.0f} s", flush=True)
            return one
        return seen[key]

    def measure(world: World, study: str) -> None:
        keep = told.keep and told.keep / f"{world.name}-{world.seed}-{study}".replace(" ", "_").replace(",", "")
        if not told.peers_only:
            seen = measured(world, study, lambda: night(world, study, keep, left()))
            print("  ", found_by(seen), seen["kept"], seen["incumbent"]["mixture"], flush=True)
        for peer_name, how in {} if told.studies_only else peers(world, study, TRAININGS).items():
            if not told.peers or peer_name in told.peers:
                _ = left()
                measured(world, f"{peer_name}, {_sort(study)}", how)

    try:
        for seed, name, study in product(told.seeds, told.worlds, told.studies):
            measure(World(name, seed), study)
    except Unfinished:
        print("unfinished", flush=True)
    write()


def write() -> None:
    """Write the page of what is known."""
    seen = known()
    counts, rows = list[list[str]](), list[list[str]]()
    for name, study in product(SIZES, STUDIES):
        whole = (study, f"plain mix, {_sort(study)}")
        of = [seed for seed in range(SEEDS) if all((name, seed, what) in seen for what in whole)]
        if not of:
            continue
        hows = [found_by(seen[name, seed, study]) for seed in of]
        tests = np.array([_tests(seen, name, study, seed) for seed in of])
        for seed, how, values in zip(of, hows, tests, strict=True):
            world = World(name, seed)
            cells = [f"{one:.3f}" if np.isfinite(one) else "–" for one in values]
            rows.append([name, study, str(seed), f"{world.way} {'→'.join(map(str, world.classes))}", how, *cells])
        found = np.isin(hows, FOUND)
        ahead = found & (tests[:, 0] > tests[:, 1])
        means = [f"{one:.3f}" for one in tests[:, :3].mean(axis=0)]
        counts.append([name, study, f"{found.sum()} of {len(of)}", f"{ahead.sum()} of {len(of)}", *means])
    text = str(__doc__).split("\n\n", 1)[1].split("\n\n", 1)[1].replace("`small`", str(TRAININGS)).replace("\n", " ")
    page = [
        "# A recipe or label map found by the loop",
        "`OMP_NUM_THREADS=1 python -m benchmarks.loop.recipes`: " + text,
        f"{os.cpu_count()} cores; means of {FRESH} fresh trainings a peer. Target: found in at least 4 of 5 seeds, "
        "ahead of the plain mix.",
        table(["rows", "study", "found", "found and ahead of plain mix", "end", "plain mix", "base alone"], counts),
        table(
            [
                "rows",
                "study",
                "seed",
                "convention",
                "ended with",
                "end",
                "plain mix",
                "base alone",
                "pretrain given",
                "adapter given",
                "labels given",
            ],
            rows,
        ),
    ]
    PAGE.write_text("\n\n".join(page) + "\n", encoding="utf-8")
    print(page[3])


def _tests(seen: Mapping[tuple[str, int, str], Mapping[str, Any]], name: str, study: str, seed: int) -> list[float]:
    """Accuracy on the test of the end of a study, then of what it is held against; NaN where that was not measured."""
    beside = (seen.get((name, seed, f"{what}, {_sort(study)}"), {}) for what in BESIDE)
    return [float(one.get("test", "nan")) for one in (seen[name, seed, study], *beside)]


def _sort(study: str) -> str:
    """The learner of a study, as the names of its peers have it."""
    return "SVC" if STUDIES[study]["task"] is SVC else "torch"


if __name__ == "__main__":
    main()
