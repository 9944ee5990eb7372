"""What an evaluation found, on the terminal: the same plain data that --json prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from autodc.adapters.mlflow.store import opening
from autodc.cli.terminal import Column, console, print_table
from autodc.review import evaluation

_COLOURS = {"worse": "red", "slipped": "yellow", "better": "green", "held": "green"}
_DIFFERENCES = (
    Column(name="slice"),
    Column(name="rows", right=True, drop=3),
    Column(name="difference", right=True),
    Column(name="95% interval", right=True),
    Column(name="stands"),
    Column(name="would show", right=True, drop=1),
)


def show_evaluation(found: Mapping[str, Any]) -> None:
    """The answer, every slice, the differences, what it costs, and where the page is."""
    out, against = console(), found["against"]
    tone = "bold red" if against is not None and against["regressions"] else "bold"
    out.print(Text(f"{evaluation.headline(found)}.", style=tone), soft_wrap=not out.is_terminal)
    print_table(out, *_slices(found))
    if against is not None:
        rows = [
            [
                row["name"],
                row["rows_words"],
                row["difference_words"],
                row["span_words"],
                Text(row["standing_words"], style=_COLOURS.get(row["standing"], "")),
                row["shows_words"],
            ]
            for row in evaluation.difference_table(found)
        ]
        print_table(out, _DIFFERENCES, rows, f"less {against['method']}, up is better")
        if any(row["standing"] == "open" for row in evaluation.difference_table(found)):
            out.print("not shown: neither better nor worse on these rows; `would show` is the loss they could tell")
        for broken, words in evaluation.limit_words(found):
            out.print(Text(words, style="red" if broken else ""), soft_wrap=not out.is_terminal)
    costs = [[f"{row['what']}, {row['unit']}", *row["cells"]] for row in evaluation.cost_table(found)]
    columns = [Column(name="cost"), *(Column(name=name) for name in ("method", "other")[: len(costs[0]) - 1])]
    print_table(out, columns, costs, "p50 / p95 / p99 where a time is a distribution")
    for note in found["notes"]:
        out.print(Text.assemble(("! ", "yellow"), note), soft_wrap=not out.is_terminal)
    out.print(f"page:   {found['page']}", soft_wrap=True)
    if found["mlflow"]:
        out.print(f"MLflow: {opening(found['mlflow'])}", soft_wrap=True)


def _slices(found: Mapping[str, Any]) -> tuple[list[Column], list[list[str]], str]:
    with_other = found["against"] is not None
    columns = [
        Column(name="slice"),
        Column(name="rows", right=True, drop=2),
        Column(name="value", right=True),
        Column(name="95% interval", right=True),
    ]
    columns += [Column(name="other", right=True)] if with_other else []
    columns += [Column(name="constant", right=True, drop=1)]
    rows = []
    for row in evaluation.slice_table(found):
        other = [row["other_words"]] if with_other else []
        rows.append(
            [row["name"], str(row["rows"]), row["value_words"], row["span_words"], *other, row["constant_words"]]
        )
    return columns, rows, f"{found['study']}, {found['metric']['name']}: {found['method']}"
