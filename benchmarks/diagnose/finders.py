"""What diagnosis finds of what was planted, beside its peers, and how often luck is confirmed.

    OMP_NUM_THREADS=1 python -m benchmarks.diagnose.finders [--first 40] [--settings 10] [--permuted 100]

writes benchmarks/results/diagnose_finders.md. Settings 0 to 29 were looked at while the finders were built, 30 to 39
once in an earlier page; those from 40 on were not. `--only PART` does a part of it (pixels, given, blind, permuted,
permuted-1 to permuted-7, time or real) and keeps it beside the models; the page is written once every part is kept.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from autodc import seeds
from autodc.adapters.finders.registry import USUAL
from autodc.diagnose.diagnosis import Diagnosis, diagnose, worst_first
from autodc.diagnose.named_slices import Named
from autodc.diagnose.view import View
from benchmarks.diagnose.measures import measures
from benchmarks.diagnose.peers import METHODS, Method
from benchmarks.diagnose.world import Setting, cache_folder, setting
from benchmarks.tables import table

Array = np.ndarray[Any, Any]

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "benchmarks" / "results" / "diagnose_finders.md"
OURS = USUAL
ON_FRESH = "autodc diagnose, on fresh rows"
TOPS, PURE, TEN = (3, 5, 10), 0.7, 10
KINDS = {
    "pixels": "attributes are measures of the pictures",
    "given": "the camera's log tells the conditions, with errors",
    "blind": "no attribute has to do with what was planted",
}


def found(masks: Sequence[Array], view: View, planted: Array) -> tuple[list[bool], list[bool]]:
    """Of each mask: whether seven of its ten worst rows were planted, and whether seven tenths of all its rows were."""
    order, worst, pure = worst_first(view), [], []
    for mask in masks:
        rows = order[mask[order]]
        worst.append(len(rows) >= TEN and planted[rows[:TEN]].mean() >= PURE)
        pure.append(len(rows) >= TEN and planted[rows].mean() >= PURE)
    return worst, pure


def section(numbers: Sequence[int], kind: str) -> list[str]:
    """One line a method: shares of planted slices among its first 3, 5, 10, and seconds."""
    hits: dict[str, list[list[bool]]] = {"autodc diagnose": [], ON_FRESH: [], **{name: [] for name in METHODS}}
    seconds: dict[str, list[float]] = defaultdict(list)
    for number in numbers:
        world, view = setting(number), setting(number).view(kind)
        one, two = view.halves(np.random.default_rng(seeds.child(number, "diagnose", "halves")))
        found_on, tried_on = view.take(one), view.take(two)
        answers = {}
        start = time.process_time()
        whole = diagnose(view, OURS, seed=number)
        seconds["autodc diagnose"].append(time.process_time() - start)
        answers["autodc diagnose"] = [whole.mask(f.id, tried_on) for f in whole.findings]
        new = world.draw(len(tried_on), _shares(world), number)
        fresh = world.view_of(new, kind)
        again = [whole.mask(f.id, fresh) for f in whole.findings]
        for name, method in METHODS.items():
            answers[name], spent = _answer(name, method, (found_on, tried_on, TEN, number), kind)
            seconds[name].append(spent)
        for condition, planted in world.truth.items():
            for name, masks in answers.items():
                hits[name].append(_hits(found(masks, tried_on, planted[two])))
            hits[ON_FRESH].append(_hits(found(again, fresh, new.condition == condition)))
    head = ("method", "worst ten: top 3", "5", "10", "all inside: top 3", "5", "10", "CPU-s")
    lines = [
        (
            name,
            *(f"{share:.0%}" for share in np.mean(rows, axis=0)),
            f"{np.mean(seconds[name]):.2f}" if name in seconds else "",
        )
        for name, rows in hits.items()
    ]
    return [f"### {kind}: {KINDS[kind]} ({len(hits['beam'])} planted slices)", "", table(head, lines), ""]


def _hits(flags: tuple[list[bool], list[bool]]) -> list[bool]:
    return [any(kind[:top]) for kind in flags for top in TOPS]


def _shares(world: Setting) -> dict[str, float]:
    """Of the conditions among the validation rows."""
    return {name: float((world.validation.condition == name).mean()) for name in (*world.planted, *world.benign)}


OF_NO_ATTRIBUTES = ("confidence only", "PlaneSpot", "clusters", "clusters of HDBSCAN")
KEPT: dict[tuple[str, int], tuple[list[Array], float]] = {}


def _answer(name: str, method: Method, given: tuple[View, View, int, int], kind: str) -> tuple[list[Array], float]:
    """Masks and CPU seconds; a method that reads no attributes answers once a setting."""
    key = (name if name in OF_NO_ATTRIBUTES else f"{name} {kind}", given[3])
    if key not in KEPT:
        start = time.process_time()
        masks = list(method(*given))
        KEPT[key] = (masks, time.process_time() - start)
    return KEPT[key]


LUCK = {
    "3,000 rows": (3000, 1, False),
    "1,000 rows": (1000, 1, False),
    "300 rows": (300, 1, False),
    "1,000 rows in groups of 4, alike": (1000, 4, False),
    "300 rows in groups of 4, alike": (300, 4, False),
    "1,000 rows, four slices named": (1000, 1, True),
    "300 rows in groups of 4, alike, four slices named": (300, 4, True),
}
"""World → its rows, rows of a group, whether the study names slices."""
WORLDS = {f"permuted-{number}": name for number, name in enumerate(LUCK, start=1)}
PARTS = (*KINDS, *WORLDS, "time", "real")


def permuted(runs: int, first: int, rows: int = 3000, size: int = 1, slices: bool = False) -> tuple[int, int]:
    """Runs in which something was confirmed where errors were dealt out anew, and findings confirmed in all.

    size: rows of a group, which have the same attributes and, half of them, the same error; slices: whether the study
    names four, of which one is a guard.
    """
    fooled = confirmed = 0
    for run in range(runs):
        rng = np.random.default_rng(seeds.child(run, "permuted"))
        view = _measured(first + run % 4)
        view = view.take(np.repeat(rng.permutation(len(view))[: rows // size], size))
        groups = np.repeat(np.arange(rows // size), size)
        error = rng.permutation(view.error)
        error = np.where(rng.random(len(view)) < 0.5, error[groups * size], error) if size > 1 else error
        view = replace(view, ids=np.arange(len(view)), groups=groups, error=error, failed=error > 0)
        named = _named(view) if slices else ()
        count = len(diagnose(view, OURS, named=named, seed=run).confirmed)
        fooled, confirmed = fooled + (count > 0), confirmed + count
    return fooled, confirmed


@cache
def _measured(number: int) -> View:
    """The view of a setting without its pictures, of which measures take longer than a diagnosis."""
    return replace(setting(number).view("pixels"), x=None)


def _named(view: View) -> list[Named]:
    """Slices as a study might name them, which have to do with nothing."""
    told = view.attributes
    masks = {
        "early": told.hour < 6,
        "late": told.hour >= 20,
        "bright": told.brightness > told.brightness.quantile(0.9),
        "plain": (told.hour >= 6) & (told.hour < 20),
    }
    return [
        Named(name=name, where=name, mask=mask.to_numpy(bool), is_target=name != "plain")
        for name, mask in masks.items()
    ]


def seconds_of_3000(number: int) -> float:
    """CPU seconds of a whole diagnosis of 3,000 rows and 20 columns or more."""
    view = setting(number).view("given").take(np.arange(3000))
    assert view.attributes.shape[1] >= 20
    start = time.process_time()
    diagnose(view, OURS, seed=1)
    return time.process_time() - start


def census() -> View:
    """Boosted trees trained on men in private firms, judged on everyone."""
    data = ROOT / "configs" / "census" / "data"
    base, held = pd.read_csv(data / "base.csv"), pd.read_parquet(data / "validation.parquet")
    told = ["sex", "employer"]
    inputs = [c for c in base.columns if c not in (*told, "income")]
    types = {c: "category" for c in inputs if not pd.api.types.is_numeric_dtype(base[c])}
    x = [frame[inputs].astype(types) for frame in (base, held)]
    for name in types:
        x[1][name] = x[1][name].cat.set_categories(x[0][name].cat.categories)
    x = [frame.apply(lambda c: c.astype(float) if pd.api.types.is_numeric_dtype(c) else c) for frame in x]
    model = HistGradientBoostingClassifier(max_iter=60, random_state=0, categorical_features="from_dtype")
    model.fit(x[0], base.income)
    return _view(model.predict_proba(x[1]), model.classes_, held.income.to_numpy(object), held[[*told, *inputs]], {})


def digits() -> View:
    """Logistic regression on the first 500 of scikit-learn's digits, judged on the rest."""
    data = load_digits()
    x, y = data.images, data.target
    flat = x.reshape(len(x), -1) / 16
    model = LogisticRegression(max_iter=500).fit(flat[:500], y[:500])
    told = measures(np.round(x[500:] * 255 / 16).astype(np.uint8))
    pca = PCA(16, random_state=0).fit(flat[:500]).transform(flat[500:]).astype(np.float32)
    return _view(model.predict_proba(flat[500:]), model.classes_, y[500:], told, {"pca": pca})


def _view(p: Array, classes: Array, target: Array, attributes: pd.DataFrame, embeddings: dict[str, Array]) -> View:
    prediction = classes[p.argmax(1)]
    failed = prediction != target
    return View(
        ids=np.arange(len(p)),
        error=failed.astype(float),
        failed=failed,
        target=target,
        prediction=prediction,
        attributes=attributes.reset_index(drop=True),
        groups=np.arange(len(p)),
        probabilities=p,
        classes=tuple(classes),
        embeddings=embeddings,
    )


def told(name: str, view: View, result: Diagnosis) -> list[str]:
    """The first findings of real data, as a person reads them."""
    lines = [f"{name}: {len(view)} rows, {view.error.mean():.1%} wrong", "", "```"]
    for one in result.findings[:6]:
        gap = one.error
        what = one.rule or "a cluster that no attribute sets apart"
        lines.append(
            f"{one.status:9} {one.confirmed:4} rows  {gap.inside:4.0%} wrong, {gap.outside:4.0%} elsewhere  "
            f"[{gap.low:+.2f}, {gap.high:+.2f}]  {one.by}: {what}"
        )
    return [*lines, "```", ""]


def made(part: str, options: argparse.Namespace) -> str:
    """One part of the page."""
    if part in WORLDS:
        world = WORLDS[part]
        return " | ".join(("", world, *map(str, permuted(options.permuted, options.first, *LUCK[world])), "")).strip()
    if part == "time":
        return f"{seconds_of_3000(options.first):.1f}"
    numbers = range(options.first, options.first + options.settings)
    return "\n".join(of_real() if part == "real" else section(numbers, part))


def of_real() -> list[str]:
    """What is told of data in which nothing is planted."""
    views = (("census", census()), ("digits", digits()))
    return [line for name, view in views for line in told(name, view, diagnose(view, OURS, seed=1))]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--first", type=int, default=40)
    asked.add_argument("--settings", type=int, default=10)
    asked.add_argument("--permuted", type=int, default=100)
    asked.add_argument("--only", choices=("permuted", *PARTS))
    options = asked.parse_args()
    stem = f"finders-{options.first}-{options.settings}-{options.permuted}"
    files = {part: cache_folder() / f"{stem}-{part}.md" for part in PARTS}
    for part in PARTS:
        if options.only in (None, part) or (options.only == "permuted" and part in WORLDS):
            files[part].write_text(made(part, options), encoding="utf-8")
            print(files[part].read_text(encoding="utf-8"), flush=True)
    if not all(file.is_file() for file in files.values()):
        return
    kept = {part: file.read_text(encoding="utf-8") for part, file in files.items()}
    text = [
        "# Where a model fails: planted failures found",
        "",
        "`OMP_NUM_THREADS=1 python -m benchmarks.diagnose.finders "
        f"--first {options.first} --settings {options.settings} --permuted {options.permuted}`",
        f"on {os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}.",
        "",
        "Fashion-MNIST under twelve conditions; a network trained without three of them",
        "(`benchmarks/diagnose/world.py`). 6,000 validation rows: found on one half, held against the truth on the",
        "other. A planted slice is found where a suspicion has precision@10 of at least .7: among the ten rows inside",
        "that a person sees first, those on which the model errs most (*worst ten*); or, stricter, among all rows",
        "inside (*all inside*). Peers are in their own order; `autodc diagnose` tells what it confirmed first. It",
        "looks at either half and confirms on the other, so some of its findings are held against rows they were found",
        "on: the second line holds the same findings against 3,000 rows that nobody saw.",
        "",
        *(kept[part] for part in KINDS),
        "## Luck and time",
        "",
        f"Errors dealt out anew, {options.permuted} diagnoses each:",
        "",
        "| world | diagnoses that confirm anything | findings confirmed |",
        "| --- | --- | --- |",
        *(kept[part] for part in WORLDS),
        "",
        f"A whole diagnosis of 3,000 rows and 24 columns, the usual finders: {kept['time']} CPU-s.",
        "",
        "## Real data, nothing planted",
        "",
        kept["real"],
    ]
    PAGE.write_text("\n".join(text).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
