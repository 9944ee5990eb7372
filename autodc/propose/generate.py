"""The proposer `generate`: rows of every generator for what the incumbent fails at, by parameters that the maker finds.

It learns from what became of earlier proposals: around what was kept, away from what was dropped, more of what was
left undecided.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

from autodc import seeds
from autodc.diagnose.finding import Finding
from autodc.propose.parameters import BOTH_SIDES
from autodc.propose.proposal import Proposal
from autodc.studyfile.study import GeneratorSpec

BY = "generate"
MAKER = "autodc.wire.makers_generate:generate"
TOO_LONG = "ADC-PROP-080"
"""The code of a proposal that was not made in its time: its generator is not asked again."""
MORE = 2
"""An undecided proposal is made again with so many times the rows."""
MOST_TIMES = 8
"""A proposal has so many times the rows of the study file at most."""
ROOM = 0.25
"""Around the region of what was kept there is room of this share of what is declared, on both sides."""
HALF_STAYS = 0.5
"""Of a gap within such a region as much stays one."""
GIVEN_UP = 2
"""A generator that was dropped so often for a finding is not asked for it again."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What became of an earlier proposal of this proposer."""

    generator: str
    finding: str
    rule: str
    """Of that finding."""
    parameters: Mapping[str, Sequence[Any]]
    """Where its rows were made: `facts.parameters` of what the maker told."""
    verdict: Literal["keep", "drop", "undecided"]
    rows: int = 0


def proposals(
    specs: Sequence[GeneratorSpec],
    declared: Mapping[str, Mapping[str, Mapping[str, Any]]],
    findings: Sequence[Finding],
    history: Sequence[Past],
    seed: int,
    *,
    folder: str = "",
    attributes: Sequence[str] = (),
    classes: Sequence[Any] = (),
) -> tuple[Proposal, ...]:
    """Propose a dataset for each finding, best first, of each generator; without findings none.

    declared: generator → its `parameters`; folder: of the study file; attributes: enrichers of the study; classes:
    labels in the order of their codes. The same arguments, the same proposals.
    """
    found = []
    for finding in findings:
        for spec in specs:
            past = [one for one in history if one.generator == spec.name and _related(one, finding)]
            if _is_given_up(past, finding):
                continue
            rows, kept = _rows_wanted(spec, past), _of_verdict(past, "keep")
            turn = sum(one.finding == finding.id for one in past) + 1
            name = f"{spec.name}-{finding.id}" + (f"-{turn}" if turn > 1 else "")
            arguments: dict[str, Any] = {
                "name": spec.name,
                "generator": spec.generator,
                "options": dict(spec.options),
                "folder": folder,
                "rows": rows,
                "seed": seeds.integer(seed, BY, spec.name, finding.id, turn),
                "rule": finding.rule,
                "attributes": list(attributes),
                "classes": list(classes),
                "parameters": _around(kept[-1], declared.get(spec.name, {})) if kept else {},
                "avoid": [
                    {n: list(v) for n, v in one.parameters.items()}
                    for one in _of_verdict(past, "drop")
                    if one.parameters
                ],
            }
            found.append(
                Proposal(
                    name=name,
                    by=BY,
                    maker=MAKER,
                    arguments=arguments,
                    parts=("base",),
                    rows=rows,
                    cost=rows * spec.cost_per_row,
                    finding=finding.id,
                    tags=("synthetic",),
                    words=f"{rows} rows of {spec.name}, made like those where {finding.rule}",
                )
            )
    return tuple(found)


def _of_verdict(past: Sequence[Past], verdict: str) -> list[Past]:
    return [one for one in past if one.verdict == verdict]


def _is_given_up(past: Sequence[Past], finding: Finding) -> bool:
    """Whether a generator was dropped so often for this finding, and never kept, that it is asked no more."""
    dropped = [one for one in _of_verdict(past, "drop") if one.finding == finding.id]
    return len(dropped) >= GIVEN_UP and not _of_verdict(past, "keep")


def _rows_wanted(spec: GeneratorSpec, past: Sequence[Past]) -> int:
    """More than before where they could not be decided on."""
    undecided = _of_verdict(past, "undecided")
    if not undecided or _of_verdict(past, "keep"):
        return spec.rows
    return min(max(max(one.rows for one in undecided) * MORE, spec.rows), MOST_TIMES * spec.rows)


def most_rows(rows: int, turn: int) -> int:
    """How many rows a dataset has at most in the turn-th round, 1 the first, where a study file asks for so many."""
    return int(min(MORE ** (turn - 1), MOST_TIMES)) * rows


def _related(past: Past, finding: Finding) -> bool:
    """Whether an earlier proposal was for this finding, or for one told by the same attributes."""
    if past.finding == finding.id:
        return True
    return bool(_attributes(past.rule)) and _attributes(past.rule) == _attributes(finding.rule)


def _attributes(rule: str) -> frozenset[str]:
    """The columns that a rule names."""
    found = re.findall(
        r'"((?:[^"]|"")+)"|([A-Za-z_]\w*)\s*(?:>=|<=|=|<|>|IN\b|IS\b)', re.sub(r"'(?:[^']|'')*'", "''", rule)
    )
    return frozenset(quoted or plain for quoted, plain in found)


def _around(past: Past, declared: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The region of an earlier proposal with some room, within what is declared.

    Of both sides of a gap each has room; half of the gap stays one.
    """
    found = {}
    for name, values in past.parameters.items():
        about = declared.get(name, {})
        if "low" not in about:
            found[name] = list(values)
            continue
        low, high = float(about["low"]), float(about["high"])
        room = ROOM * (high - low) if values[0] != values[-1] else 0.0
        ends = [max(low, values[0] - room), min(high, values[-1] + room)]
        if len(values) == BOTH_SIDES:
            inward = min(room, (values[2] - values[1]) * HALF_STAYS / 2)
            ends[1:1] = [values[1] + inward, values[2] - inward]
        found[name] = [round(end) for end in ends] if about.get("type") == "int" else ends
    return found
