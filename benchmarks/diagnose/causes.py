"""Does the planted attribute come first? By the matched gap and by the shift of counterfactuals, on Fashion-MNIST.

    python -m benchmarks.diagnose.causes [--settings 12] [--first 0] [--vae 4] [--out PAGE]

The failing rows of a planted condition are compared; which attribute is the planted one was written down from what the
condition does, before any result: see MEANT.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from autodc.adapters.decoders import ConditionalAutoencoder
from autodc.diagnose.causes import causes
from autodc.diagnose.counterfactual import counterfactuals
from autodc.diagnose.decoder import Components
from benchmarks.diagnose.measures import measures
from benchmarks.diagnose.world import setting

MEANT = {
    "dark": ("brightness", "lightest"),
    "veiled": ("contrast", "darkest"),
    "blurred": ("sharpness",),
    "noisy": ("grain",),
    "turned": ("slant",),
    "shifted": ("centre_row", "centre_column"),
    "barred": ("fullest_row",),
    "framed": ("border",),
    "inverted": ("border", "darkest"),
    "thick": ("ink",),
    "coarse": ("flat_share",),
    "shrunk": ("height", "width"),
}
"""Condition → the measures that say it; a log of the condition is one too, where it is given."""
MIXED = 0.3
"""Share of a finding's rows that are others, and of the condition's that are not in it."""


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--settings", type=int, default=12)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--vae", type=int, default=4, help="settings in which the autoencoder is tried too")
    parser.add_argument("--out", default="benchmarks/results/diagnose_causes.md")
    given = parser.parse_args()
    hits: dict[str, list[tuple[str, bool, bool]]] = defaultdict(list)
    seconds: dict[str, list[float]] = defaultdict(list)
    found: dict[str, list[float]] = defaultdict(list)
    for number in range(given.first, given.first + given.settings):
        world = setting(number)
        rng = np.random.default_rng(number)
        views = {kind: world.view(kind) for kind in ("pixels", "given")}
        half = views["pixels"].halves(rng)[0]
        for name, mask in world.truth.items():
            inside = mask[half]
            mixed = (inside & (rng.random(len(half)) > MIXED)) | (rng.random(len(half)) < MIXED * inside.mean())
            for kind, view in views.items():
                for label, rows in (("condition", inside), ("mixed", mixed)):
                    start = time.perf_counter()
                    told = [one.attribute for one in causes(view.take(half), rows, seed=number)]
                    seconds["gap"].append(time.perf_counter() - start)
                    meant = (*MEANT[name], f"{name}_log")
                    hits[f"gap, {kind}, {label}"].append(
                        (name, told[:1] != [] and told[0] in meant, any(a in meant for a in told[:3]))
                    )
            seen = views["pixels"].take(half)
            for decoder in (Components(), *([ConditionalAutoencoder()] if number < given.first + given.vae else [])):
                start = time.perf_counter()
                result = counterfactuals(
                    seen, inside, world.model.probabilities, measures, decoder=decoder, seed=number
                )
                took = time.perf_counter() - start
                seconds[decoder.name].append(took * 100 / result.tried)
                seconds[f"{decoder.name} a call"].append(took)
                found[decoder.name].append(len(result.rows) / result.tried)
                told = [one.attribute for one in result.shifts]
                hits[f"shift, {decoder.name}"].append(
                    (name, told[:1] != [] and told[0] in MEANT[name], any(a in MEANT[name] for a in told[:3]))
                )
            print(number, name, {k: v[-1][1:] for k, v in hits.items()}, told[:3], flush=True)
    Path(given.out).write_text(page(given, hits, seconds, found))


def page(given: argparse.Namespace, hits: dict, seconds: dict, found: dict) -> str:
    """The figures as a page."""
    lines = [
        "# Causes: is the planted attribute the first that is told?",
        "",
        f"`python -m benchmarks.diagnose.causes --settings {given.settings} --first {given.first} --vae {given.vae}`, "
        f"{platform.machine()}, {platform.system()}, one thread, other work on the machine. Settings {given.first} to "
        f"{given.first + given.settings - 1} of `benchmarks/diagnose/world.py`; half of the 6,000 validation rows.",
        "",
        "| by | planted | first | top three |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, rows in hits.items():
        lines.append(
            f"| {name} | {len(rows)} | {np.mean([r[1] for r in rows]):.0%} | {np.mean([r[2] for r in rows]):.0%} |"
        )
    lines += [
        "",
        "`condition`: the rows inside are those of the condition. `mixed`: 30% of them are missing, and as many others "
        "are among them. `pixels`: sixteen measures of the pictures and two distractors; `given`: also logs of the "
        "conditions, with errors. Targets: first 80%, top three 90%.",
        "",
        "Not among the first three, by condition: "
        + "; ".join(f"{k}: {', '.join(sorted(r[0] for r in v if not r[2])) or 'none'}" for k, v in hits.items())
        + ".",
        "",
        "| | median | longest |",
        "| --- | ---: | ---: |",
        f"| seconds of one matched gap | {np.median(seconds['gap']):.2f} | {max(seconds['gap']):.2f} |",
    ]
    for name in [one for one in ("pca", "vae") if found[one]]:
        for what, key in (("of one call", f"{name} a call"), ("for 100 images at that rate", name)):
            lines.append(f"| seconds {what}, {name} | {np.median(seconds[key]):.2f} | {max(seconds[key]):.2f} |")
        lines.append(f"| failing images with a counterfactual, {name} | {np.median(found[name]):.0%} | – |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
