"""Findings on the terminal, drawn from the same plain data that --json prints."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from autodc.cli.terminal import Column, console, print_table
from autodc.review.edges import edge_words
from autodc.review.labels import label_words, looked_at
from autodc.review.more_rows import offer_words, slice_words
from autodc.review.numbers import count
from autodc.review.unit_tests import unit_test_words

if TYPE_CHECKING:
    from autodc.verbs.diagnosed import DiagnosisResult

CAUSES_SHOWN, LISTED = 3, 6
"""Causes of a finding, and lines about labels or slices, that are told; the page has all."""
COLUMNS = (
    Column(name=""),
    Column(name="where it fails", wraps=True),
    Column(name="inside", right=True),
    Column(name="elsewhere", right=True, drop=1),
    Column(name="worse by, 95%", right=True),
    Column(name="rows", right=True, drop=2),
)
"""Of the table of what is confirmed: errors inside and elsewhere, what is beyond the class, rows that confirm it."""


def show_diagnosis(result: DiagnosisResult) -> None:
    """What was found, what is only suspected, what could not be done, and how to go on."""
    out = console()
    sure = [one for one in result.views if one["status"] == "confirmed"]
    others = [one for one in result.views if one["status"] != "confirmed"]
    out.print(Text.assemble((result.study, "bold"), f": {result.model}, on {count(result.rows, 'explore row')}"))
    if not sure and result.rows:
        out.print("No weakness was confirmed on rows on which it was not found.")
    if sure:
        out.print()
        print_table(out, COLUMNS, [_cells(one) for one in sure])
    for one in sure:
        _show(out, one)
        if (near := result.nearest.get(one["id"])) is not None:
            _show_nearest(out, near)
    if others:
        out.print("\nsuspected, not confirmed; most such things are luck:")
    for one in others:
        out.print(
            Text.assemble((one["id"], "yellow"), f"  {one['words']}: {one['difference_words']} ({one['interval']})")
        )
        if one["settled_by"]:
            _indented(out, one["settled_by"])
    if result.gone:
        out.print("\nconfirmed in a round before, and gone now:")
    for one in result.gone:
        out.print(
            Text.assemble((one["id"], "green"), f"  {one['words']}: {one['difference_words']} in round {one['round']}")
        )
    more = [*slice_words(result.more_rows["slices"]), *map(offer_words, result.more_rows["offers"])]
    _show_list(out, "what more data would do:", more)
    _show_list(out, "edge cases:", [words] if (words := edge_words(result.checks.edges)) else [])
    _show_list(out, _label_head(result.checks.labels), label_words(result.checks.labels))
    _show_list(out, "unit tests that tell nothing:", unit_test_words(result.checks.unit_tests))
    if result.folder is None and sure and not more:
        out.print(
            "\nwhat more data would do: a run tells it of every candidate, --curves of rows like those of the base"
        )
    for note in result.notes:
        out.print(Text(f"\nnot looked at: {note}", style="yellow"))
    if result.promoted:
        out.print(f"\n{result.promoted}")
    out.print(f"\npage:    {result.page}", soft_wrap=True)
    promotable = [one["id"] for one in sure if one["kind"] == "attributes" and "slice" not in one.get("told", {})]
    if result.folder is not None and promotable and not result.promoted:
        where = shlex.quote(str(result.folder))
        out.print(f"promote: autodc diagnose {where} --promote {promotable[0]}", soft_wrap=True)


def show_finding(found: Mapping[str, Any]) -> None:
    """The evidence behind one finding."""
    out = console()
    _show(out, found, most=len(found["why"]))
    of = "the incumbent" if found["of_incumbent"] else f"the incumbent of round {found['round']}, not today's"
    rows = count(found["looked_at"], "explore row")
    how = f"Looked for on half of {rows}, tried on the other half"
    if "slice" in found.get("told", {}):
        how = f"Named by the study, tried on all {rows}"
    out.print(f"{how}; it is of {of}.")
    if found["kind"] == "attributes":
        out.print(f"As a condition: {found['rule']}", soft_wrap=not out.is_terminal)
    if found["slices"]:
        out.print(f"It is a slice of the study: {', '.join(found['slices'])}")
    if found["ids"]:
        some = ", ".join(map(str, found["ids"][:10]))
        out.print(f"Rows of validation inside, the worst first: {some}{' …' if len(found['ids']) > 10 else ''}")


def _cells(one: Mapping[str, Any]) -> list[str | Text]:
    rows = str(one["rows"]["confirmed"])
    return [Text(one["id"], style="bold red"), one["words"], one["inside"], one["outside"], one["interval"], rows]


def _show(out: Console, one: Mapping[str, Any], most: int = CAUSES_SHOWN) -> None:
    colour = "red" if one["status"] == "confirmed" else "yellow"
    out.print(Text.assemble("\n", (one["id"], f"bold {colour}"), f"  {one['status']}  ", (one["words"], "bold")))
    _indented(out, f"{one['sentence']}; {one['size']}")
    for words in one["apart"][:most]:
        _indented(out, f"apart: {words}")
    for words in one["why"][:most]:
        _indented(out, f"why: {words}")
    if one["unlabelled"]:
        _indented(out, one["unlabelled"])
    if one["more"]:
        _indented(out, f"more data: {one['more']}")


def _show_nearest(out: Console, near: Mapping[str, Any]) -> None:
    """What would have to be different, in a line or two."""
    told = [f"{one['attribute']} {one['before']:.3g} → {one['after']:.3g}" for one in near["shifts"][:CAUSES_SHOWN]]
    told = told or [f"{name} in {share:.0%}" for name, share in list(near.get("needed", {}).items())[:CAUSES_SHOWN]]
    if near["found"] and told:
        _indented(out, f"passes with: {', '.join(told)} (found for {near['found']} of {near['tried']} failing rows)")


def _label_head(labels: Mapping[str, Any]) -> str:
    some = looked_at(labels)
    return f"labels ({some}):" if some else "labels:"


def _show_list(out: Console, head: str, said: Sequence[str]) -> None:
    if said:
        out.print(f"\n{head}")
    for words in said[:LISTED]:
        _indented(out, words)
    if len(said) > LISTED:
        _indented(out, f"… {len(said) - LISTED} more on the page")


def _indented(out: Console, words: str) -> None:
    out.print(Padding(Text(words), (0, 0, 0, 4), expand=False))
