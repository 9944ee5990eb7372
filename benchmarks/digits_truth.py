"""Does the digits study find what was planted? Whole studies over several seeds, beside the truth and the oracle.

    python benchmarks/digits_truth.py           # 5 studies, a quarter of an hour on two cores
    python benchmarks/digits_truth.py --quick   # 1 study, few tunings; prints, writes nothing
    python benchmarks/digits_truth.py --world   # the table of single sets alone

The oracle trains base + planted cures at weight 1; it and the bare base are tuned alike, by random search over the
study's own space, best on validation, then measured on the test set with fresh seeds. Writes results/digits.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

import autodc
from autodc import seeds
from autodc.adapters.sources import read_source
from autodc.adapters.trainers import make_trainer
from autodc.data.catalogue import Catalogue, build_catalogue, open_test
from autodc.data.dataset import Dataset
from autodc.data.where import select
from autodc.studyfile.study import ParameterSpec, StudySpec
from autodc.trial.executor import TrainerRef
from autodc.trial.trainer import TrainingJob, TrainPart

ROOT = Path(__file__).resolve().parent.parent
STUDY = ROOT / "configs" / "digits" / "study.yaml"
RESULTS = ROOT / "benchmarks" / "results" / "digits.md"
STUDY_SEEDS = (7, 101, 102, 103, 104)
TUNINGS, QUICK_TUNINGS = 24, 4
WORLD_SEEDS, ORACLE_SEEDS = 3, 5
ROOT_SEED = 20_261
WORLD_HYPERPARAMETERS = {"lr": 0.01, "dropout": 0.2, "width": 16, "weight_decay": 1e-4}

Scores = dict[str, float]
Job = tuple[dict[str, float], dict[str, Any], int, str]
"""Weights of the datasets beside the base, hyperparameters, seed, and the rows to score: validation or test."""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="one study, few tunings, nothing is written")
    options.add_argument("--world", action="store_true", help="only the table of single sets")
    chosen = options.parse_args()
    with pool_of_trainers() as pool:
        world = _world(pool)
        print(world, flush=True)
        if chosen.world:
            return 0
        base, oracle = _oracle(pool, QUICK_TUNINGS if chosen.quick else TUNINGS)
    studies = _studies(STUDY_SEEDS[:1] if chosen.quick else STUDY_SEEDS, base, oracle)
    print(studies)
    if not chosen.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(f"# Digits: found against planted\n\n{studies}\n{world}", encoding="utf-8")
    return 0


def _world(pool: Any) -> str:
    """The table of what each set does, alone with the base and beside the cures, on validation."""
    spec, names = _spec(), [candidate.name for candidate in _spec().data.candidates]
    cures = _truth()["cures"]
    rows: dict[str, list[str]] = {"base": []} | {f"base + {name}": [name] for name in names}
    rows |= {"base + cures": list(cures)}
    rows |= {f"base + cures + {name}": [*cures, name] for name in names if name not in cures}
    seeds_ = range(WORLD_SEEDS)
    jobs: list[Job] = [
        (dict.fromkeys(sets, 1.0), WORLD_HYPERPARAMETERS, seed, "validation")
        for sets in rows.values()
        for seed in seeds_
    ]
    found = pool.map(_trained, jobs, chunksize=1)
    slices = [part.name for part in spec.slices]
    text = f"## What each set does\n\nAccuracy in % on validation, mean of {WORLD_SEEDS} seeds, weight 1, "
    text += f"hyperparameters {WORLD_HYPERPARAMETERS}.\n\n"
    text += f"| training | {' | '.join(slices)} | objective |\n|{' --- |' * (len(slices) + 2)}\n"
    for i, name in enumerate(rows):
        mean = _mean(found[i * WORLD_SEEDS : (i + 1) * WORLD_SEEDS])
        cells = " | ".join(f"{100 * mean[part]:.1f}" for part in slices)
        text += f"| {name} | {cells} | {100 * _objective(mean):.1f} |\n"
    return text


def _oracle(pool: Any, tunings: int) -> tuple[float, float]:
    """The objective on the test set of the bare base and of base + cures, both tuned by the same number of trials."""
    space, cures = _spec().search_space, _truth()["cures"]
    draws = [_draw(space, number) for number in range(tunings)]
    ends = []
    for weights in ({}, dict.fromkeys(cures, 1.0)):
        tried = pool.map(
            _trained, [(weights, draw, 1000 + i, "validation") for i, draw in enumerate(draws)], chunksize=1
        )
        best = draws[int(np.argmax([_objective(scores) for scores in tried]))]
        fresh = pool.map(_trained, [(weights, best, 2000 + i, "test") for i in range(ORACLE_SEEDS)], chunksize=1)
        ends.append(_objective(_mean(fresh)))
    return ends[0], ends[1]


def _studies(study_seeds: Iterable[int], base: float, oracle: float) -> str:
    """Run whole studies and hold each against the truth."""
    truth = _truth()
    useless = {name for kind in ("duplicates", "mislabelled", "off_domain") for name in truth[kind]}
    rows, whole, wrong, shares = "", 0, 0, []
    for seed in study_seeds:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            answer = autodc.run(_seeded(seed), None, folder).to_dict()
        kept = set(answer["kept"])
        share = (_objective(answer["test"]["after"]) - base) / (oracle - base)
        shares.append(share)
        whole += kept >= set(truth["cures"])
        wrong += bool(kept & useless)
        spent = answer["spent"]
        rows += f"| {seed} | {', '.join(sorted(kept))} | {', '.join(answer['undecided']) or '–'} | {share:.2f} | "
        rows += f"{spent['trainings']:.0f} | {spent['busy_share']:.2f} | {time.monotonic() - began:.0f} |\n"
        print(rows.splitlines()[-1], file=sys.stderr, flush=True)
    count = len(shares)
    head = "`python benchmarks/digits_truth.py`\n\n"
    head += f"Planted cures: {', '.join(truth['cures'])}. Test objective of the tuned base {100 * base:.1f} %, "
    head += f"of base + cures tuned alike {100 * oracle:.1f} %.\n\n"
    head += f"- every planted cure kept: {whole} of {count} studies\n"
    head += f"- a mislabelled, off-domain or duplicate set kept: {wrong} of {count} studies\n"
    head += f"- share of the gap closed on the sealed test: mean {np.mean(shares):.2f}, least {min(shares):.2f}\n\n"
    head += "| study seed | kept | undecided | gap closed | trainings | busy | seconds |\n|" + " --- |" * 7 + "\n"
    return head + rows


def _trained(job: Job) -> Scores:
    """Train once and score every slice; runs in a process of the pool."""
    weights, hyperparameters, number, part = job
    spec, catalogue = _spec(), _catalogue()
    held = catalogue.validation if part == "validation" else _test()
    with tempfile.TemporaryDirectory() as folder:
        parts = tuple(
            TrainPart(
                name=name,
                x=catalogue[name].x,
                y=_targets(catalogue[name]),
                metadata=catalogue[name].metadata,
                weight=weight,
                stage="main",
                folder=Path(folder),
            )
            for name, weight in {"base": 1.0, **weights}.items()
        )
        training = TrainingJob(
            kind=spec.task.kind,
            n_classes=len(catalogue.classes or ()),
            train=parts,
            predict={part: held.x},
            hyperparameters=hyperparameters,
            recipe="concat",
            seed=seeds.integer(ROOT_SEED, part, number),
            fidelity=1.0,
            warm_start=None,
            out=Path(folder),
        )
        ref = TrainerRef(name=spec.task.trainer, options=spec.task.options, folder=spec.folder)
        right = make_trainer(ref).train(training).outputs[part].argmax(1) == _targets(held)
    return {
        one.name: float(
            right[select(one.where, held.metadata, None, place=one.name) if one.where else slice(None)].mean()
        )
        for one in spec.slices
    }


@cache
def _spec() -> StudySpec:
    return autodc.load(str(STUDY))


@cache
def _catalogue() -> Catalogue:
    return build_catalogue(_spec(), read_source)


@cache
def _test() -> Dataset:
    return open_test(_spec(), read_source, _catalogue())


@cache
def _truth() -> Mapping[str, list[str]]:
    truth: Mapping[str, list[str]] = YAML(typ="safe").load(STUDY.with_name("truth.yaml").read_text(encoding="utf-8"))
    return truth


def _targets(data: Dataset) -> Any:
    assert data.y is not None
    return data.y


def _seeded(seed: int) -> StudySpec:
    spec = _spec()
    tracking = spec.tracking.model_copy(update={"uri": "none"})
    return spec.model_copy(update={"seed": seed, "tracking": tracking}).placed(spec.folder)


def _objective(scores: Mapping[str, float]) -> float:
    return float(np.mean([scores[target.name] for target in _spec().targets]))


def _mean(scores: list[Scores]) -> Scores:
    return {name: float(np.mean([one[name] for one in scores])) for name in scores[0]}


def _draw(space: Mapping[str, ParameterSpec], number: int) -> dict[str, Any]:
    """A random point of a space of floats and ints."""
    rng = seeds.generator(ROOT_SEED, "tuning", number)
    point: dict[str, Any] = {}
    for name, one in space.items():
        assert one.low is not None
        assert one.high is not None
        value = np.exp(rng.uniform(np.log(one.low), np.log(one.high))) if one.log else rng.uniform(one.low, one.high)
        point[name] = round(value) if one.type == "int" else float(value)
    return point


def pool_of_trainers() -> Any:
    """A process a core, each training on one thread."""
    os.environ["OMP_NUM_THREADS"] = "1"
    return multiprocessing.get_context("spawn").Pool(os.cpu_count())


if __name__ == "__main__":
    sys.exit(main())
