"""Whether a generator's parameters are found: what was planted is known, and the generator is not what planted it.

    OMP_NUM_THREADS=1 python -m benchmarks.loop.parameters [--first 40] [--settings 6]

prints a line of JSON a planted condition and writes benchmarks/results/loop_parameters.md. Worlds are those of
`benchmarks/diagnose/world.py`: Fashion-MNIST, three
planted conditions of a strength that changes from picture to picture. The finding is the rule of the beam, over
measures of the pictures, that fits the planted rows best; the generator is `image` with all its parameters; 200 rows
are made of the 6,000 of the base, and the network is trained again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autodc.adapters.enrichers.image import FittedImage
from autodc.adapters.generators.image import PARAMETERS
from autodc.data.attributes import Rows
from autodc.diagnose.beam import Beam
from autodc.propose.made import read
from autodc.trial.call import Call, CallError, CallPart
from autodc.wire.makers_generate import generate
from benchmarks.diagnose.world import Network, Pictures, Setting, setting

Array = np.ndarray[Any, Any]

PAGE = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "loop_parameters.md"
MEANT = {
    "dark": {"brightness": (0.1, 1 / 3)},
    "veiled": {"contrast": (0.15, 0.5), "background": (0.25, 0.5)},
    "blurred": {"blur": (1.2 / 28, 3.2 / 28)},
    "noisy": {"noise": (0.2, 0.4)},
    "turned": {"rotation": (30, 45)},
    "shifted": {"shift_x": (4 / 28, 0.25), "shift_y": (4 / 28, 0.25)},
    "inverted": {"invert": (True, True)},
    "thick": {"stroke": (1 / 28, 3 / 28)},
    "shrunk": {"scale": (0.5, 0.6)},
}
"""Planted condition → the parameters that make it, and the sizes that were planted, as far as `image` declares them.
barred, framed and coarse have no
parameter of ours that makes them."""
ROWS = 200


def asked(part: list[CallPart], folder: Path, number: int, **more: Any) -> tuple[Any, dict[str, Any]]:
    out = folder / f"made{len(list(folder.iterdir()))}"
    out.mkdir()
    told = {"name": "image", "generator": "image", "rows": ROWS, "seed": number, "classes": list(range(10)), **more}
    facts = generate(Call(arguments=told, parts={one.name: one for one in part}, out=out))["facts"]
    return read(out), facts


def error_on(world: Setting, made: Any, condition: str, repeats: int = 2) -> float:
    """Error of the network on fresh rows of the condition, trained with these rows too; mean of some trainings."""
    fresh = world.draw(2000, {condition: 1.0}, seed=9)
    base = world.base
    found = []
    for seed in range(repeats):
        x, y = base.x, base.y
        if made is not None:
            x, y = np.concatenate([x, np.asarray(made.x)]), np.concatenate([y, made.y])
        parts = {name: np.zeros(len(y)) for name in ("condition", "strength", "source", "hour", "device")}
        network = Network(Pictures(x=x, y=y, **parts), 100 + seed)
        found.append(float((network.probabilities(fresh.x).argmax(1) != fresh.y).mean()))
    return float(np.mean(found))


def look(number: int, folder: Path) -> list[dict[str, Any]]:
    world, found = setting(number), []
    view = world.view("pixels")
    half = np.arange(len(view)) % 5 < 2  # as data.explore_share has it
    some = view.take(np.flatnonzero(half))
    rules = [one.rule for one in Beam().find(some, 10, 0) if one.rule is not None]
    rows = world.validation.x[half]
    nothing = pd.DataFrame(index=range(len(rows)))
    frame = FittedImage(0.0, 255.0).attributes(Rows(x=rows, metadata=nothing))
    base = CallPart(
        name="base", x=world.base.x, y=world.base.y, metadata=pd.DataFrame(index=range(len(world.base))), folder=folder
    )
    for condition, mask in world.truth.items():
        if condition not in MEANT:
            continue
        planted = mask[half]
        fits = [
            (2 * (r.mask(some.columns) & planted).sum() / (r.mask(some.columns).sum() + planted.sum()), r)
            for r in rules
        ]
        score, rule = max(fits, key=lambda one: one[0])
        looked = frame.assign(_failed=some.failed, _inside=rule.mask(some.columns))
        parts = [base, CallPart(name="looked", x=rows, y=world.validation.y[half], metadata=looked, folder=folder)]
        row: dict[str, Any] = {"setting": number, "planted": condition, "rule": rule.sql, "fit": round(float(score), 2)}
        started = time.perf_counter()
        try:
            made, facts = asked(parts, folder, number, attributes=["image"])
        except CallError as error:
            found.append({**row, "found": False, "told": error.problem})
            continue
        row["seconds"] = round(time.perf_counter() - started, 1)
        moved = {n: v for n, v in facts["parameters"].items() if v[0] != v[-1] or v[0] != PARAMETERS[n]["identity"]}
        row |= {"moved": moved, "sure": facts["sure"], "usual": facts["usual"], "found": is_found(condition, moved)}
        anything, _ = asked(parts[:1], folder, number, attributes=["image"])
        row["before"] = error_on(world, None, condition)
        row["after"] = error_on(world, made, condition)
        row["anything"] = error_on(world, anything, condition)
        found.append(row)
    return found


def is_found(condition: str, moved: dict[str, Any]) -> bool:
    """Whether one of the parameters that make the condition was moved, the middle of its region within what was planted
    (a declared range may end before that)."""
    for name, (low, high) in MEANT[condition].items():
        if name not in moved:
            continue
        values = moved[name]
        if isinstance(values[0], bool):
            return True
        sides = [values] if len(values) < 4 else [values[:2], values[2:]]
        if any(low <= abs(sum(side) / 2) <= high for side in sides):
            return True
    return False


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--first", type=int, default=40)
    parser.add_argument("--settings", type=int, default=6)
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument(
        "--lines", type=Path, nargs="*", help="what earlier calls printed: of these the page is written"
    )
    told = parser.parse_args()
    rows = []
    if told.lines:
        kept = [json.loads(line) for file in told.lines for line in file.read_text(encoding="utf-8").splitlines()]
        write(kept, told)
        return
    with tempfile.TemporaryDirectory() as folder:
        for number in range(told.first, told.first + told.settings):
            for row in look(number, Path(folder)):
                print(json.dumps(row), flush=True)
                rows.append(row)
    write(rows, told)


def write(rows: list[dict[str, Any]], told: argparse.Namespace) -> None:
    hits, made = sum(r["found"] for r in rows), [r for r in rows if "after" in r]
    settings = sorted({r["setting"] for r in rows})
    gain, by_chance = (float(np.mean([r["before"] - r[n] for r in made])) for n in ("after", "anything"))
    lines = [
        "# Parameters of a generator: found or not\n",
        "    OMP_NUM_THREADS=1 python -m benchmarks.loop.parameters "
        f"--first {settings[0]} --settings {len(settings)}\n",
        f"{platform.machine()}, {os.cpu_count()} cores. {' '.join((__doc__ or '').split('.md.')[1].split())}\n",
        f"**Found: {hits} of {len(rows)}**: the generator moves a parameter that makes the "
        f"planted condition, the middle",
        "of its region within what was planted. Gain in error on fresh rows of the condition, mean:",
        f"**{gain:.3f}** with {ROWS} rows of the region, {by_chance:.3f} with {ROWS} rows of all that is declared. The",
        f"maker takes {np.median([r['seconds'] for r in made]):.1f} s on a busy machine (median).\n",
        "| setting | planted | rule (its F1 on planted rows) | moved | found "
        "| sure (at rest) | before | after | anything |",
        "| ---: | --- | --- | --- | --- | --- | ---: | ---: | ---: |",
    ]
    for r in rows:
        moved = ", ".join(f"{n} {'…'.join(f'{v:.3g}' for v in vs)}" for n, vs in r.get("moved", {}).items())
        told_of = moved or r.get("told", "")
        figures = " | ".join(f"{r[n]:.3f}" if n in r else "" for n in ("before", "after", "anything"))
        sure = f"{r['sure']:.2f} ({r['usual']:.2f})" if "sure" in r else ""
        found = "yes" if r["found"] else "**no**"
        rule = f"`{r['rule']}` ({r['fit']})"
        lines.append(f"| {r['setting']} | {r['planted']} | {rule} | {told_of} | {found} | {sure} | {figures} |")
    told.page.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
