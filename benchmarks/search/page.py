"""results/search.md and its curves, from the rows on file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.search import curves, raw
from benchmarks.search.campaign import SETTINGS
from benchmarks.search.cases import SYNTHETIC
from benchmarks.search.costs import CostRecord
from benchmarks.search.figures import demands, first_hit, mean, median_to, of, shares
from benchmarks.search.peers import TITLES
from benchmarks.search.published import GOAL, ReplayRecord
from benchmarks.search.raw import RESULTS, Row
from benchmarks.search.runs import Record
from benchmarks.search.studies import StudyRecord

PAGE, CURVES = RESULTS / "search.md", RESULTS / "search_curves.svg"
SHOWN = (40, 60, 80, 100, 120, 160, 200)

INTRO = """# Search, beside its peers

`make bench-search` (all but the replay), `python -m benchmarks.search.replay --data DIR` (the replay), parts again with
`python -m benchmarks.search --only WORLD --samplers a,b`. Rows: `search_raw.jsonl`. Measured {stamps}.{parts}

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


def write(rows: Sequence[Row] | None = None) -> str:
    """Write the page and the curves; return the page."""
    known = raw.read() if rows is None else list(rows)
    curves.draw(known, {w: s.title for w, s in SETTINGS.items()}, TITLES, CURVES)
    text = page(known)
    PAGE.write_text(text, encoding="utf-8")
    return text


def page(rows: Sequence[Row]) -> str:
    """The page as text."""
    stamps = {row.stamp for row in rows}
    apart = " Parts were measured apart; every table says when." if len(stamps) > 1 else ""
    parts = [INTRO.format(stamps=raw.stamps(rows), parts=apart), _targets(rows)]
    parts.append(f"## Curves\n\n![what is left of the gap against trainings]({CURVES.name})\n\nSolid: recommended. ")
    parts[-1] += "Dotted: the peer's own answer. Bands: from the worst to the best fifth of the runs.\n"
    parts += [_world(rows, world) for world in SETTINGS if of(rows, [world], "mixture")]
    parts += [_studies(rows), _replay(rows), _costs(rows)]
    return "\n".join(part for part in parts if part)


def table(rows: Sequence[Record], world: str) -> str:
    """The table of one world, at tuned seeds and at the others."""
    known = [r for r in rows if r.world == world]
    stops = [s for s in SHOWN if any(s in r.stops for r in known)]
    stops = stops if len(stops) <= 4 else [s for s in stops if s in (40, 60, 80, 160, 200)]
    stops = stops or sorted({s for r in known for s in r.stops})
    head = ["peer", "runs", *(f"at {s}" for s in stops), *(f"own at {s}" for s in stops)]
    lines = [_line([*head, "to 90%", "own to 90%", "optimism", "own optimism", "CPU optimiser / trainings"])]
    lines.append(_line(["---"] * (len(head) + 5)))
    for unseen in (False, True):
        for peer, title in TITLES.items():
            runs = of(known, [world], peer, unseen)
            if runs:
                lines.append(_peer(runs, title + (", seeds 901 and 902" if unseen else ""), stops))
    return "\n".join(lines)


def _peer(runs: Sequence[Record], title: str, stops: Sequence[int]) -> str:
    still = runs[0].peer in ("uniform", "base")
    cells = [title, str(len(runs))]
    for own in (False, True):
        cells += ["" if still and not own else mean(shares(runs, s, own)) for s in stops]
    cells += ["" if still else median_to(runs)[1], "" if still else median_to(runs, own=True)[1]]
    units = [r.gap if r.world in SYNTHETIC else 1.0 for r in runs]
    for ends in ([r.optimism[-1] for r in runs], [r.own_optimism[-1] for r in runs]):
        cells.append(_signed([None if end is None else end / unit for end, unit in zip(ends, units, strict=True)]))
    cost = f"{np.mean([r.optimiser for r in runs]):.1f} / {np.mean([r.training for r in runs]):.1f} s"
    return _line([*cells, "" if still else cost])


def _world(rows: Sequence[Row], world: str) -> str:
    known = [r for r in rows if isinstance(r, Record) and r.world == world]
    few = SETTINGS[world].few
    notes = [f"{TITLES[p]}: {n} runs of {last} trainings, for its cost." for p, (n, last) in few.items()]
    note = " ".join([f"Measured {raw.stamps(known)}.", *notes])
    return f"## {SETTINGS[world].title}\n\n{note}\n\n{table(known, world)}\n"


def _targets(rows: Sequence[Row]) -> str:
    text = (
        "TPE: the better of its own answer and of ours from its trainings (synthetic: of plain and multivariate too)."
    )
    lines = [
        f"## Beside the targets\n\n{text}\n",
        _line(["world", "measure", "target", "measured", "met"]),
        _line(["---"] * 5),
    ]
    words = {True: "yes", False: "**no**", None: "not measured"}
    lines += [_line([d.where, d.measure, d.target, d.found, words[d.met]]) for d in demands(rows)]
    return "\n".join(lines) + "\n"


def _studies(rows: Sequence[Row]) -> str:
    studies = [r for r in rows if isinstance(r, StudyRecord)]
    if not studies:
        return ""
    head = ["world", "seed", "share", "kept", "cures kept / proposed / all", "wrong", "trainings", "CPU s"]
    text = f"Measured {raw.stamps(studies)}. At most 240 trainings, 160 of search."
    lines = [f"## Whole studies with the gate\n\n{text}\n"]
    lines += [_line(head), _line(["---"] * len(head))]
    for r in studies:
        kept = ", ".join(sorted(r.kept.values())) or "–"
        cures = f"{r.cures} / {r.proposed} / {r.wanted}"
        wrong = ", ".join(r.kept[n] for n in r.wrong) or "–"
        lines.append(
            _line([r.world, str(r.seed), f"{r.share:.2f}", kept, cures, wrong, f"{r.trained:.0f}", f"{r.seconds:.0f}"])
        )
    return "\n".join(lines) + "\n"


def _replay(rows: Sequence[Row]) -> str:
    replayed = [r for r in rows if isinstance(r, ReplayRecord)]
    if not replayed:
        return ""
    stops = (20, 30, 40, 60, 100)
    head = ["method", "runs", *(f"share at {s}" for s in stops), "to 95%, median", "mean curve at 95%", "CPU s a run"]
    text = "512 published runs of 1M-parameter models, 17 domains, mean of 13 losses; 0 is the mean of the table, 1 "
    text += f"its best row. Eight random rows first, then four in flight. Measured {raw.stamps(replayed)}.\n"
    lines = [f"## Replay of RegMix's runs\n\n{text}", _line(head), _line(["---"] * len(head))]
    for method in dict.fromkeys(r.method for r in replayed):
        group = [r for r in replayed if r.method == method]
        at = [mean([r.share[s - r.first] for r in group if s - r.first < len(r.share)]) for s in stops]
        middle = float(np.median([first_hit(r) for r in group]))
        end = group[0].first + len(group[0].share) - 1
        hit = f"{middle:.0f}" if np.isfinite(middle) else f"> {end}"
        above = np.flatnonzero(np.mean([r.share for r in group], axis=0) >= GOAL)
        crossed = str(group[0].first + int(above[0])) if len(above) else f"> {end}"
        lines.append(_line([method, str(len(group)), *at, hit, crossed, f"{np.mean([r.seconds for r in group]):.0f}"]))
    return "\n".join(lines) + "\n"


def _costs(rows: Sequence[Row]) -> str:
    costs = sorted((r for r in rows if isinstance(r, CostRecord)), key=lambda r: r.candidates)
    if not costs:
        return ""
    head = ["candidates", "trials", "mean ms a proposal", "without refit", "a refit", "a recommendation", "target"]
    text = "CPU of our sampler late in a study; a refit comes once for every quarter that the data grows."
    lines = [f"## What the optimiser costs\n\n{text} Measured {raw.stamps(costs)}.\n", _line(head)]
    lines.append(_line(["---"] * len(head)))
    for r in costs:
        numbers = [r.candidates, r.trials, r.mean, r.proposal, r.refit, r.recommendation]
        lines.append(_line([*(f"{n:,.0f}" for n in numbers), f"≤ {r.target:.0f}"]))
    return "\n".join(lines) + "\n"


def _signed(values: Sequence[float | None]) -> str:
    known = [v for v in values if v is not None]
    return f"{np.mean(known):+.3f}" if known else ""


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
