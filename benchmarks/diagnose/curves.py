"""Learning curves of real trainings: fitted on up to n rows, held against the error at 2n, 4n and at full size.

    OMP_NUM_THREADS=1 python -m benchmarks.diagnose.curves    # writes benchmarks/results/diagnose_curves.md

A base lacks a condition or people; n of its rows are added; the error is that of the slice. The error that is
predicted is the mean of trainings of other seeds, on other draws of the n rows.
"""

from __future__ import annotations

import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import curve_fit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from autodc.diagnose.curves import Point, learning_curve, worth
from benchmarks.clothes import clothes
from benchmarks.diagnose.rows import census, digits
from benchmarks.tables import table
from benchmarks.worlds.conditions import CONDITIONS, photograph

Array = np.ndarray[Any, Any]
Errors = dict[int, list[float]]
"""Rows → errors of trainings; the first FITTED are for the fit, the others the truth."""

PAGE = Path(__file__).resolve().parents[1] / "results" / "diagnose_curves.md"
FITTED, HELD = 3, 3
FEW, OTHERS = ("bold", "struck", "mirrored", "halved"), ("turned", "shifted", "screened", "masked")
"""Conditions of the clothes; nothing of the law was chosen by the others."""


def campaign(fit: Callable[[Array, Array, int], Any], base: Any, more: Any, held: Any, sizes: Sequence[int]) -> Errors:
    errors: Errors = {}
    for n in sizes:
        errors[n] = []
        for seed in range(FITTED + HELD):
            rows = np.random.default_rng([seed, n]).permutation(len(more[1]))[:n]
            x, y = np.concatenate([base[0], more[0][rows]]), np.concatenate([base[1], more[1][rows]])
            errors[n].append(float(np.mean(fit(x, y, seed).predict(held[0]) != held[1])))
    return errors


def linear(x: Array, y: Array, seed: int) -> Any:
    return LogisticRegression(C=1.0, max_iter=200).fit(x, y)


def network(x: Array, y: Array, seed: int) -> Any:
    return MLPClassifier((64,), batch_size=64, learning_rate_init=3e-3, max_iter=20, random_state=seed).fit(x, y)


def trees(x: Array, y: Array, seed: int) -> Any:
    return HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, random_state=seed).fit(x, y)


def pictures(
    name: str, kinds: Sequence[str], fit: Callable[..., Any], sizes: Sequence[int], base: int, held: int
) -> Iterator[tuple[str, Errors]]:
    images, labels = clothes() if name == "Fashion-MNIST" else digits()
    for kind in kinds:
        rng = np.random.default_rng([1, *kind.encode()])
        order = rng.permutation(len(labels))
        cuts = np.split(order, [base, base + sizes[-1], base + sizes[-1] + held])[:3]
        of = ("plain", kind, kind)
        one, more, test = ((photograph(images[r], k, rng), labels[r]) for r, k in zip(cuts, of, strict=True))
        yield kind, campaign(fit, one, more, test, sizes)


def people() -> Iterator[tuple[str, Errors]]:
    table = census()
    kinds = {
        "women": ((table.sex == "Female") & (table.employer == "Private"), 800),
        "self-employed": (table.employer.str.startswith("Self"), 800),
    }
    men = np.flatnonzero((table.sex == "Male") & (table.employer == "Private"))
    inputs = table.drop(columns=["income", "sex", "employer"])
    x = inputs.apply(lambda c: c if c.dtype.kind in "fi" else c.astype("category").cat.codes).to_numpy(float)
    y = (table.income == "over").to_numpy(int)
    for name, (mask, most) in kinds.items():
        order = np.random.default_rng(3).permutation(np.flatnonzero(mask))
        more, test = order[:most], order[most:]
        base = np.random.default_rng(4).permutation(men)[:500]
        sizes = (0, 25, 50, 100, 200, 400, 800)
        yield name, campaign(trees, (x[base], y[base]), (x[more], y[more]), (x[test], y[test]), sizes)


def groups() -> Iterator[tuple[str, Iterator[tuple[str, Errors]]]]:
    yield "digits, linear", pictures("digits", list(CONDITIONS), linear, (0, 25, 50, 100, 200, 400), 300, 900)
    yield "census, boosted trees", people()
    sizes = (0, 50, 100, 200, 400, 800, 1600)
    yield "Fashion-MNIST, network", pictures("Fashion-MNIST", FEW, network, sizes, 1000, 1500)
    yield "Fashion-MNIST, conditions unseen", pictures("Fashion-MNIST", OTHERS, network, sizes, 1000, 1500)


def points(errors: Errors, most: int, trainings: int, shift: int) -> list[Point]:
    return [Point(rows=n, error=errors[n][(shift + k) % FITTED]) for n in errors if n <= most for k in range(trainings)]


def least_squares(some: Sequence[Point], rows: float) -> float:
    """The law without a floor by least squares, as one would first try it."""
    n, e = np.array([p.rows for p in some]), np.array([p.error for p in some])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            best, _ = curve_fit(
                lambda n, e0, s, b: e0 * (1 + n / s) ** -b, n, e, p0=(e[0], 50, 0.5), bounds=((0, 1, 0), (1, 1e4, 3))
            )
    except (RuntimeError, ValueError, TypeError):
        return float(e[-1])
    return float(best[0] * (1 + rows / best[1]) ** -best[2])


def judged(found: list[tuple[str, str, Errors]], trainings: int, times: int) -> dict[str, dict[str, list[float]]]:
    results: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for group, _, errors in found:
        sizes = sorted(errors)
        for most in sizes[3:]:
            if most * times not in errors:
                continue
            truth = float(np.mean(errors[most * times][FITTED:]))
            noise = float(np.std(errors[most * times][FITTED:], ddof=1) / np.sqrt(HELD))
            for shift in range(1 if trainings == FITTED else FITTED):
                some = points(errors, most, trainings, shift)
                told = learning_curve(some).at(most * times)
                for name in (group, "all"):
                    one = results[name]
                    one["ours"].append(abs(told.mid - truth))
                    one["least squares"].append(abs(least_squares(some, most * times) - truth))
                    one["no change"].append(abs(some[-1].error - truth))
                    one["covered"].append(told.low - noise <= truth <= told.high + noise)
                    one["width"].append(told.high - told.low)
    return results


def offers(found: list[tuple[str, str, Errors]]) -> list[tuple[object, ...]]:
    """What a dataset is worth at full size, from samples of an eighth at most, three trainings each."""
    results: dict[str, list[tuple[float, bool, float]]] = defaultdict(list)
    for group, _, errors in found:
        full = max(errors)
        some = points(errors, full // 8, FITTED, 0)
        told = worth(some, full, least=0.02).gain
        truth = float(np.mean(errors[0][FITTED:]) - np.mean(errors[full][FITTED:]))
        measured = np.mean(errors[0][:FITTED]) - np.mean(errors[full // 8][:FITTED]) if full // 8 in errors else np.nan
        results[group].append((abs(told.mid - truth), told.low <= truth <= told.high, abs(measured - truth)))
    return [
        (group, len(rows), *(f"{np.mean([one[k] for one in rows]):.3f}" for k in (0, 2, 1)))
        for group, rows in results.items()
    ]


def page(found: list[tuple[str, str, Errors]], seconds: float) -> str:
    pages = [
        "# Learning curves",
        "`OMP_NUM_THREADS=1 python -m benchmarks.diagnose.curves`: a base that lacks a condition (digits: eight, "
        "Fashion-MNIST: four, and four by which nothing of the law was chosen) or people (census: two), and n rows of "
        "it added, twice as many each time. A curve is fitted to the errors on up to n rows (n = 0 and three sizes at "
        "least) and asked for the error of the slice at 2n or 4n; the truth is the mean of three trainings of other "
        "seeds and draws. *least squares*: the law without a floor, by scipy. *no change*: the last error. *covered*: "
        "the truth, give or take its own standard error, lies in the interval of 90%.",
    ]
    for times, trainings in ((2, 1), (2, 3), (4, 1), (4, 3)):
        results = judged(found, trainings, times)
        head = ("rows", "predictions", "mean error, ours", "median", "least squares", "no change", "covered", "width")
        lines = []
        for name, one in results.items():
            mean = {key: float(np.mean(values)) for key, values in one.items()}
            middle = float(np.median(one["ours"]))
            numbers = (mean["ours"], middle, mean["least squares"], mean["no change"], mean["covered"], mean["width"])
            lines.append((name, len(one["ours"]), *(f"{value:.3f}" for value in numbers)))
        lines.sort(key=lambda line: line[0] == "all")
        word = "one training" if trainings == 1 else f"{trainings} trainings"
        pages += [f"## {times} times the rows, {word} a size", table(head, lines)]
    head = ("rows", "datasets", "error of the gain, ours", "taking the gain on the sample", "covered")
    pages += ["## A dataset on offer at full size, from an eighth of it and less", table(head, offers(found))]
    pages += [f"One core of a shared machine, {seconds:.0f} s, trainings included."]
    return "\n\n".join(pages) + "\n"


def main() -> None:
    start, found = time.perf_counter(), list[tuple[str, str, Errors]]()
    for group, some in groups():
        found += [(group, kind, errors) for kind, errors in some]
        PAGE.write_text(page(found, time.perf_counter() - start))
        print(group, flush=True)
    print(PAGE.read_text())


if __name__ == "__main__":
    main()
