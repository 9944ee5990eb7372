"""What a request promises, held against trainings with as many rows as were asked for, a quarter to four times as many.

    OMP_NUM_THREADS=1 python -m benchmarks.requests    # writes benchmarks/results/requests.md

A base lacks a condition or people. Its error on 60 rows of them, with the interval that a finding has, is all that the
request is told; no training with such rows is known to it. The gain that is predicted is the mean of two trainings,
on other draws of the rows, on all other rows of the kind, which is SHARE of validation. What is usual was chosen by the
first two groups; nothing was chosen by the others.
"""

from __future__ import annotations

import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from autodc.propose.requests import STEPS, Ask, Weakness, ask
from benchmarks.clothes import clothes, images
from benchmarks.diagnose import conditions as cameras
from benchmarks.diagnose.curves import linear, network, trees
from benchmarks.diagnose.rows import census, digits
from benchmarks.tables import table
from benchmarks.worlds.conditions import CONDITIONS, SCANNERS, photograph, scan

Array = np.ndarray[Any, Any]
Rows = tuple[Array, Array]
Kind = tuple[str, Rows, Rows, Rows, Rows]
"""Its name; the base, more rows of the kind, held-out rows of the kind, held-out rows of others."""

UNSEEN = tuple(name for name in cameras.CONDITIONS if name not in CONDITIONS)
Take = Callable[[Array, str, np.random.Generator], Array]

PAGE = Path(__file__).resolve().parent / "results" / "requests.md"
SHARE, SEEN, SEEDS = 0.15, 60, 2
CLOTHES = ("bold", "struck", "mirrored", "turned", "shifted", "masked")


def kinds(
    take: Take, images: Array, labels: Array, names: Iterable[str], sizes: tuple[int, int, int]
) -> Iterator[Kind]:
    """Rows under conditions that the base has none of. sizes: of the base, of more rows, of what is held out."""
    for name in names:
        rng = np.random.default_rng([2, *name.encode()])
        base, more, held = np.split(rng.permutation(len(labels)), np.cumsum(sizes))[:3]
        of = ((base, "plain"), (more, name), (held, name), (held, "plain"))
        yield name, *((take(images[rows], kind, rng), labels[rows]) for rows, kind in of)  # type: ignore[misc]


def camera(x: Array, kind: str, rng: np.random.Generator) -> Array:
    """Pictures of 28 × 28 bytes under one of the cameras' conditions, at 14 × 14."""
    taken = cameras.photograph(x, np.full(len(x), kind), rng.random(len(x)), rng)
    return taken.reshape(-1, 14, 2, 14, 2).mean((2, 4), dtype=np.float32).reshape(len(x), -1) / np.float32(255)


def scanned(x: Array, kind: str, rng: np.random.Generator) -> Array:
    """Counts of 8 × 8 by a scanner, of 0 to 1."""
    return np.asarray(scan(x, kind, rng) / 16)


def people() -> Iterator[Kind]:
    """Adults of the census: a base of men in private companies, and what it lacks."""
    known = census()
    private = known.employer == "Private"
    kinds = {
        "women": (known.sex == "Female") & private,
        "self-employed": known.employer.str.startswith("Self"),
        "public": known.employer.str.contains("gov"),
    }
    inputs = known.drop(columns=["income", "sex", "employer"])
    x = inputs.apply(lambda c: c if c.dtype.kind in "fi" else c.astype("category").cat.codes).to_numpy(float)
    y = (known.income == "over").to_numpy(int)
    men = np.random.default_rng(4).permutation(np.flatnonzero((known.sex == "Male") & private))
    base, others = men[:500], men[500:2500]
    for name, mask in kinds.items():
        own = np.random.default_rng(3).permutation(np.flatnonzero(mask))
        if len(own) > 1400:
            yield name, *((x[r], y[r]) for r in (base, own[:800], own[800:3000], others))  # type: ignore[misc]


def groups() -> Iterator[tuple[str, Callable[..., Any], Iterator[Kind]]]:
    yield "digits, linear", linear, kinds(photograph, *digits(), CONDITIONS, (300, 800, 600))
    yield "Fashion-MNIST, network", network, kinds(photograph, *clothes(), CLOTHES, (1000, 800, 1500))
    known = load_digits()
    yield (
        "digits of poor scanners, linear",
        linear,
        kinds(scanned, known.images, known.target, SCANNERS, (300, 800, 600)),
    )
    yield "Fashion-MNIST by cameras, network", network, kinds(camera, *images(), UNSEEN, (1000, 800, 1500))
    yield "census, boosted trees", trees, people()


def campaign(fit: Callable[..., Any], one: Kind) -> tuple[Ask, dict[float, float]] | None:
    """A request, and the gain that was measured at each of STEPS of it; None where the base does not fail."""
    _, base, more, held, plain = one
    start = fit(*base, 0)
    wrong = start.predict(held[0]) != held[1]
    seen, outside = wrong[:SEEN].mean(), float(np.mean(start.predict(plain[0]) != plain[1]))
    reach = 1.96 * 1.5 * np.sqrt(max(seen * (1 - seen), 0.02) / SEEN)
    if seen - outside - reach <= 0:
        return None
    gap = float(seen - outside)
    told = Weakness(
        id="F1", is_sure=True, inside=float(seen), difference=gap, low=gap - reach, high=gap + reach, share=SHARE
    )
    asked = ask(told, len(base[1]))
    before = np.mean([np.mean(fit(*base, seed).predict(held[0][SEEN:]) != held[1][SEEN:]) for seed in range(SEEDS)])
    gains = {}
    for times in STEPS:
        n = max(1, round(times * asked.rows))
        if n > len(more[1]):
            continue
        errors = []
        for seed in range(SEEDS):
            rows = np.random.default_rng([seed, n]).permutation(len(more[1]))[:n]
            model = fit(np.concatenate([base[0], more[0][rows]]), np.concatenate([base[1], more[1][rows]]), seed)
            errors.append(np.mean(model.predict(held[0][SEEN:]) != held[1][SEEN:]))
        gains[times] = float(before - np.mean(errors))
    return asked, gains


def judged(found: list[tuple[Ask, dict[float, float]]]) -> Iterator[tuple[object, ...]]:
    """By times the rows asked for: measured, promised, their distance, and how often the interval has the truth."""
    for times in STEPS:
        seen = []
        for asked, gains in found:
            step = next(s for s in asked.steps if s["rows"] == max(1, round(times * asked.rows)))
            if times in gains:
                seen.append((gains[times], step["inside_low"], step["inside_mid"], step["inside_high"]))
        if not seen:
            continue
        truth, low, mid, high = np.array(seen).T
        inside = f"{np.mean((low <= truth) & (truth <= high)):.0%}"
        beyond = f"{np.mean(truth < low):.0%} / {np.mean(truth > high):.0%}"
        distance = f"{np.mean(mid - truth):+.3f}, {np.mean(np.abs(mid - truth)):.3f}"
        yield (
            times,
            len(seen),
            f"{truth.mean():.3f}",
            f"{mid.mean():.3f} ({low.mean():.3f} to {high.mean():.3f})",
            distance,
            inside,
            beyond,
        )


HEAD = (
    "times the rows",
    "requests",
    "measured",
    "promised, mean",
    "off by: mean, absolute",
    "inside 90%",
    "below / above",
)


def page(found: dict[str, list[tuple[Ask, dict[float, float]]]], left_out: int, seconds: float) -> str:
    every = [one for some in found.values() for one in some]
    lines = [
        "# What requests promise, and what rows bring",
        "",
        *(__doc__ or "").split("\n\n", 1)[1].strip().split("\n"),
        "",
    ]
    lines += ["Gains are of the error of the rows of the kind. All together:", "", table(HEAD, list(judged(every))), ""]
    for name, some in found.items():
        rows = [one.rows for one, _ in some]
        lines += [
            f"## {name}",
            "",
            f"{len(some)} requests, of {min(rows)} to {max(rows)} rows.",
            "",
            table(HEAD, list(judged(some))),
            "",
        ]
    lines.append(
        f"{left_out} kinds on which the base does not surely fail are no findings. {seconds:.0f} s on one core."
    )
    return "\n".join(lines) + "\n"


def main() -> None:
    start, found, left_out = time.perf_counter(), defaultdict[str, list[tuple[Ask, dict[float, float]]]](list), 0
    warnings.simplefilter("ignore")  # these networks are trained for so many steps, not to the end
    for group, fit, some in groups():
        for one in some:
            come = campaign(fit, one)
            left_out += come is None
            if come is not None:
                found[group].append(come)
        PAGE.write_text(page(found, left_out, time.perf_counter() - start))
        print(group, flush=True)
    print(PAGE.read_text())


if __name__ == "__main__":
    main()
