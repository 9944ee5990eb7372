"""What shadow mode found, on the terminal: the same plain data that --json prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from autodc.cli.terminal import Column, console, print_table
from autodc.review import shadow

_PICKS = (
    Column(name="where"),
    Column(name="picked", right=True),
    Column(name="fail in validation", right=True, drop=1),
)
MOST = 6


def show_shadow(found: Mapping[str, Any]) -> None:
    """The estimate, what makes it doubtful, what was picked, where it lies and what to do with it."""
    out = console()
    out.print(Text(shadow.headline(found) + ".", style="bold"))
    for text in shadow.warnings(found):
        out.print(Text.assemble(("! ", "yellow"), text))
    for one in found["drift"]["moved"][:MOST]:
        out.print(f"moved: {shadow.moved_words(one)}")
    for text in shadow.represents(found)[:MOST]:
        out.print(text)
    counts = Counter(one["condition"] or one["why"] for one in found["picks"])
    rates = {one["rule"]: shadow.percent(one["failures"]) for one in found["learned"]["conditions"]}
    rows = [[name, str(number), rates.get(name, "")] for name, number in counts.most_common()]
    print_table(out, _PICKS, rows, f"{len(found['picked'])} rows to label")
    for name, file in found["files"].items():
        out.print(f"{name.replace('_', ' ')}: {found['out']}/{file}", soft_wrap=True)
    out.print("once its labels are filled in, the sheet is a candidate of the study file:")
    for line in shadow.use_words(found):
        out.print(f"    {line}", soft_wrap=True)
