"""results/search.md, from the rows on file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks import tables
from benchmarks.search import curves, rows
from benchmarks.search.campaign import SETTINGS
from benchmarks.search.costs import CostRecord
from benchmarks.search.figures import demands, median_to, of, shares
from benchmarks.search.peers import PEERS
from benchmarks.search.rows import RESULTS, Row
from benchmarks.search.runs import Record
from benchmarks.search.worlds import SYNTHETIC
from benchmarks.tables import mean

PAGE, CURVES = RESULTS / "search.md", RESULTS / "search_curves.svg"
EARLIER = RESULTS / "search_earlier.md"
"""What earlier versions measured and this one does not; it ends the page."""
SHOWN = (40, 60, 80, 100, 120, 160, 200)

INTRO = """# Search, beside its peers

`make bench-search`, parts again with `python -m benchmarks.search --only WORLD --samplers a,b`.
Rows: `search_raw.jsonl`. Measured {stamps}.{parts}

How to read it:

- *Share*: how much of the gap between the tuned base (synthetic worlds: the untuned start) and the oracle the answer
  closes on test, by five fresh trainings in the worlds of real trainings, by the truth in synthetic ones. 1 is the
  oracle: base and every cure at weight 1, tuned by 150 draws (real), local search from many starts (synthetic), the
  best of all subsets (subsets). Weights other than 1 can pass 1. Mean ± standard error over runs.
- *Recommended*: what our recommender makes of the trainings of a peer. *Own*: the peer's own answer, for a sampler the
  trial with the best value, for the loops what they hold, for RegMix the mean of the 100 best of 10,000 simulated
  mixtures, for Shapley all of positive value. So a gain in where to look stands apart from a gain in what to believe.
- *To 90%*: median over runs of the trainings until the recommended answer closes 90% of the gap, straight lines
  between stops; a run that never does counts as later than its end.
- *Optimism*: what the answer was believed to be worth less its test objective, as accuracy (synthetic: as a share of
  the gap), at the last stop: the model's mean for the recommended, the best value for the trial of a sampler.
- *CPU*: seconds of the optimiser in one run, beside those of its trainings. Samplers have four trainings in flight;
  loops wait for each, which is to their advantage here.
- Runs are at world seeds that tuning may have looked at; 901 and 902 were in none and stand apart.
"""


def write() -> str:
    """Write the page and the curves; return the page."""
    known = rows.read()
    worlds = {w: s.title for w, s in SETTINGS.items() if of(known, [w], "mixture")}
    curves.draw({w: {p: of(known, [w], p) for p in PEERS} for w in worlds}, worlds, CURVES)
    text = page(known)
    PAGE.write_text(text, encoding="utf-8")
    return text


def page(known: Sequence[Row]) -> str:
    """The page as text."""
    apart = " Parts were measured apart; every table says when." if len({row.stamp for row in known}) > 1 else ""
    parts = [INTRO.format(stamps=rows.stamps(known), parts=apart), "## Beside the targets\n"]
    parts.append(
        "TPE: the better of its own answer and of ours from its trainings (synthetic: plain and multivariate).\n"
    )
    words = {True: "yes", False: "**no**", None: "not measured"}
    asked = [[*demand, words[met]] for *demand, met in demands(known)]
    parts.append(tables.table(["world", "measure", "target", "measured", "met"], asked) + "\n")
    parts.append(f"## Curves\n\n![what is left of the gap against trainings]({CURVES.name})\n\nSolid: recommended. ")
    parts[-1] += "Dotted: the peer's own answer. Bands: from the worst to the best fifth of the runs.\n"
    for world, setting in SETTINGS.items():
        if mine := [r for r in known if isinstance(r, Record) and r.world == world]:
            notes = [
                f"{PEERS[p][0]}: {n} runs of {last} trainings, for its cost." for p, (n, last) in setting.few.items()
            ]
            note = " ".join([f"Measured {rows.stamps(mine)}.", *notes])
            parts.append(f"## {setting.title}\n\n{note}\n\n{table(mine, world)}\n")
    if costs := sorted((r for r in known if isinstance(r, CostRecord)), key=lambda r: r.candidates):
        head = ["candidates", "trials", "mean ms a proposal", "without refit", "a refit", "a recommendation", "target"]
        text = "CPU of our sampler late in a study; a refit comes once for every quarter that the data grows."
        figures = [(r.candidates, r.trials, r.mean, r.proposal, r.refit, r.recommendation) for r in costs]
        cells = [[*(f"{n:,.0f}" for n in f), f"≤ {r.target:.0f}"] for f, r in zip(figures, costs, strict=True)]
        parts.append(
            f"## What the optimiser costs\n\n{text} Measured {rows.stamps(costs)}.\n\n{tables.table(head, cells)}\n"
        )
    return "\n".join([*parts, EARLIER.read_text(encoding="utf-8")])


def table(known: Sequence[Record], world: str) -> str:
    """The table of one world, at tuned seeds and at the others."""
    stops = [s for s in SHOWN if any(s in r.stops for r in known)]
    stops = stops if len(stops) <= 4 else [s for s in stops if s in (40, 60, 80, 160, 200)]
    stops = stops or sorted({s for r in known for s in r.stops})
    head = ["peer", "runs", *(f"at {s}" for s in stops), *(f"own at {s}" for s in stops)]
    head += ["to 90%", "own to 90%", "optimism", "own optimism", "CPU optimiser / trainings"]
    found = []
    for unseen in (False, True):
        for peer, (title, _) in PEERS.items():
            if runs := of(known, [world], peer, unseen):
                found.append(_peer(runs, title + (", seeds 901 and 902" if unseen else ""), stops))
    return tables.table(head, found)


def _peer(runs: Sequence[Record], title: str, stops: Sequence[int]) -> list[str]:
    still = runs[0].peer in ("uniform", "base")
    cells = [title, str(len(runs))]
    for own in (False, True):
        cells += ["" if still and not own else mean(shares(runs, s, own)) for s in stops]
    cells += ["" if still else median_to(runs, own)[1] for own in (False, True)]
    units = [r.gap if r.world in SYNTHETIC else 1.0 for r in runs]
    for ends in ([r.optimism[-1] for r in runs], [r.own_optimism[-1] for r in runs]):
        signed = [end / unit for end, unit in zip(ends, units, strict=True) if end is not None]
        cells.append(f"{np.mean(signed):+.3f}" if signed else "")
    cost = f"{np.mean([r.optimiser for r in runs]):.1f} / {np.mean([r.training for r in runs]):.1f} s"
    return [*cells, "" if still else cost]
