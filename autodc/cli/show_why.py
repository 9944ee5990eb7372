"""The evidence behind one verdict on the terminal, drawn from the same plain data that --json prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from autodc.cli.alarms import tell
from autodc.cli.terminal import Column, console, print_table
from autodc.review import views
from autodc.review.explain import FAR_BOUND
from autodc.review.numbers import Numbers, as_sentence, count, tenths

_EVIDENCE = (
    Column(name="slice"),
    Column(name="role", drop=3),
    Column(name="rows", right=True, drop=4),
    Column(name="difference", right=True),
    Column(name="interval", right=True),
    Column(name="at", right=True, drop=1),
    Column(name="margin", right=True, drop=2),
    Column(name="since start", right=True, drop=5),
    Column(name="found"),
)


def show_why(found: Mapping[str, Any]) -> None:
    """The evidence behind one verdict."""
    out = console()
    out.print(Text.assemble((found["dataset"], "bold"), f": {found['verdict']}"))
    tell(found["alarms"], out)
    if found["summary"]:
        out.print(found["summary"])
    if found.get("promise"):
        out.print(f"{found['promise']}.")
    for words in (found.get("chance"), found.get("expected")):
        if words:
            out.print(as_sentence(words))
    for words in found["labels"]:
        out.print(f"Labels: {words}.")
    for comparison in found["comparisons"]:
        _show_comparison(out, comparison)
    if found["search"] is not None:
        effect = found["search"]
        out.print(
            f"The search last believed it worth {effect['gain']:+.4f} ± {effect['sd']:.4f} of the objective "
            f"at weight {effect['weight']:.2f}. A belief proposes; it decides nothing."
        )


def show_row(found: Mapping[str, Any]) -> None:
    """Where a row comes from, a line a step, and what was decided of its dataset."""
    out = console()
    target = "" if found["target"] is None else f", {found['target']}"
    out.print(Text.assemble((f"row {found['row']} of {found['dataset']}", "bold"), target))
    for at, words in enumerate(found["words"]):
        out.print(f"{'made of ' if at else ''}{words}", soft_wrap=not out.is_terminal)
    if found["verdict"]:
        out.print(found["verdict"])
    weight = found["weight"]
    out.print(f"In the model's training set with weight {weight:g}." if weight else "Not in the model's training set.")
    for note in found["notes"]:
        out.print(Text.assemble(("! ", "yellow"), note))


def _show_comparison(out: Console, comparison: Mapping[str, Any]) -> None:
    looks = comparison["looks"]
    spends = f"It may spend {comparison['alpha']:.4f} of the error budget"
    claims = comparison["share"] > 0
    out.print(
        f"\ncomparison {comparison['id']}, round {comparison['round']}: {comparison['subject']}, {comparison['arms']}. "
        f"{spends if claims else 'It claims nothing and spends nothing of the error budget'}; "
        f"{count(comparison['trainings'], 'training')} of its own."
    )
    if looks:
        out.print(f"What was measured, on {count(looks[-1]['pairs'], 'pair')}; intervals as certain as the gate asks:")
        _print_evidence(out, looks[-1])
        out.print("How many standard errors it was ahead / had to be, look by look; level: what it may spend in all:")
        _print_bounds(out, looks)
    for reason in comparison["reasons"]:
        out.print(f"{comparison['verdict']} {reason['code']}: {reason['text']}")


def _print_evidence(out: Console, look: Mapping[str, Any]) -> None:
    """The last look: slice by slice, what was measured and what was demanded."""
    numbers = Numbers.for_values(
        abs(seen[key])
        for _, seen in views.evidence_rows(look)
        for key in ("difference", "low", "high")
        if seen[key] is not None
    )
    rows = []
    for name, seen in views.evidence_rows(look):
        span = numbers.span(seen["low"], seen["high"]).replace(" to ", " … ")
        known = seen["low"] is not None and seen["high"] is not None
        rows.append(
            [
                name,
                seen["role"],
                str(seen["rows"]),
                numbers.signed(seen["difference"]),
                span,
                f"{seen['level']:.0%}" if known else "",
                "" if seen["margin"] is None else f"{seen['margin']:g}",
                "" if seen["anchor"] is None else numbers.signed(seen["anchor"]),
                seen["state"],
            ]
        )
    print_table(out, _EVIDENCE, rows)


def _print_bounds(out: Console, looks: Sequence[Mapping[str, Any]]) -> None:
    """Every look: how far the evidence had come, and how far it had to. The first looks go where there is no room."""
    columns = [
        Column(name="slice"),
        Column(name="level", right=True, drop=len(looks)),
        *(
            Column(name=count(look["pairs"], "pair"), right=True, drop=max(0, len(looks) - 1 - k))
            for k, look in enumerate(looks)
        ),
    ]
    rows = []
    for name, last in views.evidence_rows(looks[-1]):
        cells = []
        for look in looks:
            seen = dict(views.evidence_rows(look)).get(name)
            cells.append("" if seen is None or not _asked(seen) else _ahead(seen["z"], seen["bound"]))
        if any(cells):
            rows.append([name, "" if last["alpha"] is None else f"{last['alpha']:.4f}", *cells])
    print_table(out, columns, rows)


def _asked(seen: Mapping[str, Any]) -> bool:
    """Whether something was demanded of a slice."""
    return seen["bound"] is not None or seen["alpha"] is not None


def _ahead(z: float | None, bound: float | None) -> str:
    far = bound is None or bound > FAR_BOUND
    return f"{tenths(z)} / {f'over {FAR_BOUND:g}' if far else tenths(bound)}"
