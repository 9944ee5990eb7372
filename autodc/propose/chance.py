"""Whether rows that were chosen helped because they are the right ones, or because they are more rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from autodc.propose.proposal import FAILING, MISSING, Proposal

Said = Literal["right", "more", "open"]
"""The right data; more data, whichever; not settled."""
TIMES = 2.0
"""The right rows bring so many times what as many by chance bring."""


def said(gain: float, ahead: float, low: float, high: float, *, alone: bool = True) -> Said:
    """Judge rows beside their control.

    gain: what the chosen rows bring; ahead: by how much that is more than what the control brings, of the same seeds
    and rows; low, high: its interval; alone: the control was measured by itself, and where the chosen rows were kept.
    With others beside it, or on the objective where a finding's own slice kept them, it can only look better than it
    is. Right: surely ahead, and at least twice the control. More: not surely ahead, and surely not twice the control;
    what is merely not known is open.
    """
    half = (1 - 1 / TIMES) * max(gain, 0.0)
    if low > 0 and ahead >= half:
        return "right"
    return "more" if alone and low <= 0 and high < half else "open"


def beside_chosen(found: Sequence[Proposal]) -> list[Proposal]:
    """These proposals, each control beside chosen rows alone: rows that are themselves by chance need none."""
    chosen = {one.name for one in found if one.finding is not None or {FAILING, MISSING} & set(one.tags)}
    held = [(one, tuple(n for n in one.control_of if n in chosen)) for one in found]
    return [replace(one, control_of=names) for one, names in held if names or not one.control_of]


def with_controls(found: Sequence[Proposal], made: Sequence[str]) -> list[Proposal]:
    """These proposals in the order of `made`, each control right behind the first that it stands beside.

    A control whose every other was left out is left out too.
    """
    by_name = {one.name: one for one in found}
    ordered = list[Proposal]()
    for name in made:
        ordered.append(by_name[name])
        held = [one for one in found if name in one.control_of and one.name not in {other.name for other in ordered}]
        ordered += [replace(one, control_of=tuple(n for n in one.control_of if n in made)) for one in held]
    return ordered


def affordable(ordered: Sequence[Proposal], money: float) -> tuple[list[Proposal], list[tuple[Proposal, float]]]:
    """These without the controls that the money does not pay beside all else, and those, each with what is left for it.

    A control was weighed as if all that it stands beside were made and shared its cost; it is paid whole.
    """
    left = money - sum(one.cost for one in ordered if not one.control_of)
    paid, dear = list[Proposal](), list[tuple[Proposal, float]]()
    for one in ordered:
        if one.control_of and one.cost > left:
            dear.append((one, max(0.0, left)))
            continue
        paid.append(one)
        left -= one.cost if one.control_of else 0.0
    return paid, dear
