"""The page of the real cases, as it stands in benchmarks/results/real.md."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.real.figures import BEHIND, Summary, Told, mean
from benchmarks.real.night import FRESH, TRAININGS
from benchmarks.real.peers import PEERS
from benchmarks.real.reference import MATTERS, SEEDS
from benchmarks.tables import table

HEAD = """# The loop on real cases

`python -m benchmarks.real`{took}, Python {version}. Natural sources whose data ship in packages: benchmarks/real/cases.

Each night draws its validation rows and runs the product's own study with its defaults, {trainings} trainings at most;
each peer has {trainings} trainings on all validation rows and takes what it saw be best, without a look at guards. All
are measured by {fresh} fresh trainings on held-out rows that nothing else has seen. Points over the untuned base:
hundredths of accuracy; elsewhere per cent of the untuned base's error."""

CASES_HEAD = (
    *("case", "nights", "autodc (trainings)", *(title for title, _ in PEERS.values()), "autodc less the best of these"),
    *("worst night against tuned base", f"nights > {BEHIND} behind everything in"),
    *("decided", "of these right", "gain printed over held-out gain"),
)
NIGHT_HEAD = ("case, night", "trainings", "autodc", *PEERS, "kept", "dropped", "undecided")
CANDIDATE_HEAD = ("candidate", "alone", "in all", "beside the best", "class", "kept", "dropped", "undecided")


def page(
    nights: Sequence[Told],
    half: Sequence[Told],
    references: Mapping[str, Mapping[str, Any]],
    titles: Mapping[str, str],
    seconds: float,
) -> str:
    """Write it. half: nights with half the trainings of the peers."""
    took = f", {seconds / 60:.0f} minutes in two processes" if seconds else ""
    parts = [
        HEAD.format(took=took, version=platform.python_version(), trainings=TRAININGS, fresh=FRESH),
        *(_cases(nights) if nights else ()),
    ]
    if half:
        parts += [f"## With {TRAININGS // 2} trainings, against peers with {TRAININGS}", *_cases(half)]
    parts += [
        f"""## What each candidate is worth

Means of {SEEDS} seeds on held-out rows, settings tuned on rows of their own. Alone: added to the base; in all: what
everything loses without it; beside the best: what it adds to the best set, or would (that set was found by leaving
out what is worst, on these rows). Below {MATTERS} points or two standard errors (seeds and rows) is nothing."""
    ]
    for name, reference in references.items():
        mine = [n for n in nights if n.case == name]
        parts += [f"### {name}: {titles[name]}", _reference(reference), _candidates(reference, mine)]
    parts += ["## Night by night", table(NIGHT_HEAD, [_night(n) for n in [*nights, *half]])]
    return "\n\n".join(parts)


def _cases(nights: Sequence[Told]) -> list[str]:
    names = list(dict.fromkeys(n.case for n in nights))
    summaries = {name: Summary(nights=[n for n in nights if n.case == name]) for name in names}
    rows = [_case(name, one) for name, one in summaries.items()]
    ahead = [one.ahead for one in summaries.values() if one.ahead is not None]
    everything = Summary(nights=nights)
    late, of = everything.behind("everything")
    base = everything.worst("base")
    measures = [
        ("autodc less the best peer by case, worst case", "≥ −0.2", _number(min(ahead) if ahead else None)),
        ("the same, mean of the cases", "≥ 0", _number(mean(ahead) if ahead else None)),
        ("worst night against the tuned base", f"≥ −{BEHIND}", _number(base)),
        (f"nights > {BEHIND} behind everything in, tuned", "≤ 5%", f"{late} of {of}"),
        ("candidates decided", "≥ 60%", _share(everything.decided)),
        ("of these right by the reference", "≥ 90%", _share(everything.right)),
    ]
    return [table(CASES_HEAD, rows), table(("measure", "target", "measured"), measures)]


def _case(name: str, one: Summary) -> Sequence[object]:
    late, of = one.behind("everything")
    rival = one.rival
    return (
        name,
        len(one.nights),
        f"{one.end:+.2f} ({one.spent:.0f})",
        *(_number(one.peer(peer)) for peer in PEERS),
        "–" if rival is None else f"{_number(one.ahead)} ({rival[0]})",
        _number(one.worst("base")),
        f"{late} of {of}",
        _share(one.decided),
        _share(one.right),
        "–" if one.optimism is None else f"{100 * one.optimism:+.0f}%",
    )


def _reference(reference: Mapping[str, Any]) -> str:
    return (
        f"Tuned base {reference['base_tuned']:+.2f}, everything in {reference['everything_tuned']:+.2f}, best set "
        f"{reference['best_tuned']:+.2f}: {', '.join(reference['best']) or 'none'}."
    )


def _candidates(reference: Mapping[str, Any], nights: Sequence[Told]) -> str:
    rows = []
    for name, one in reference["candidates"].items():
        count = Counter(n.verdicts.get(name, "") for n in nights)
        worth = (f"{value:+.2f} ± {error:.2f}" for value, error in (one[k] for k in ("alone", "in_all", "beside")))
        rows.append((name, *worth, one["class"], count["keep"], count["drop"], count["undecided"]))
    return table(CANDIDATE_HEAD, rows)


def _night(n: Told) -> Sequence[object]:
    listed = (", ".join(k for k, v in n.verdicts.items() if v == verdict) for verdict in ("keep", "drop", "undecided"))
    gains = (_number(n.peers.get(peer)) for peer in PEERS)
    return (f"{n.case} {n.seed}", f"{n.spent:.0f}", f"{n.end:+.2f}", *gains, *(one or "–" for one in listed))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}%"
