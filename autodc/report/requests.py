"""Writes requests for people and for programs: `requests/R1.md` and `R1.json`, with the examples beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autodc.files import write_whole
from autodc.report.findings import PICTURES, Exhibits, cards_of
from autodc.report.pictures import png_file
from autodc.report.sheets import write_sheet
from autodc.review.numbers import as_sentence, count
from autodc.review.requests import FOLDER, views
from autodc.study.journal.state import State

Array = np.ndarray[Any, Any]

EXAMPLES = 6
"""Rows that are shown of those that fail."""
_OVER = {"delivered": "something was delivered", "gone": "no longer needed, the weakness is gone"}


def write_requests(state: State, folder: Path, exhibits: Exhibits) -> list[Path]:
    """Write every request of a study into its run folder; return what people read. exhibits: of its findings."""
    found = []
    for one in views(state):
        arrays = exhibits(one["exhibit"]) if one["exhibit"] else None
        examples = _examples(arrays, folder / FOLDER / one["id"])
        if (rows := exhibits(one["stored_sheet"]) if one["stored_sheet"] else None) is not None:
            write_sheet(rows, one["to_label"]["rows"], folder / one["to_label"]["sheet"])
        told = {key: value for key, value in one.items() if key not in ("exhibit", "stored_sheet")}
        write_whole(folder / FOLDER / f"{one['id']}.json", json.dumps({**told, "examples": examples}, indent=2) + "\n")
        write_whole(folder / one["file"], _page(one, examples))
        found.append(folder / one["file"])
    return found


def _examples(arrays: Mapping[str, Array] | None, folder: Path) -> list[dict[str, Any]]:
    """The rows that fail worst, as JSON, their pictures written into the folder."""
    if arrays is None:
        return []
    cards = cards_of(arrays)
    rows = cards["rows"][: min(cards["failing"], EXAMPLES)]
    for k, row in enumerate(rows):
        row["kind"], row["pictures"] = cards["kind"], {}
        for name, said in PICTURES:
            if name in arrays:
                file = f"{said}-{row['id']}.png"
                write_whole(folder / file, png_file(arrays[name][k]))
                row["pictures"][said] = f"{folder.name}/{file}"
    return list(rows)


def _page(one: Mapping[str, Any], examples: Sequence[Mapping[str, Any]]) -> str:
    """A request as Markdown."""
    rank = f"priority {one['priority']}" if one["priority"] else _OVER[one["status"]]
    sure = "" if one["finding_status"] == "confirmed" else ", which is only suspected"
    rule = f", as a condition: `{one['rule']}`" if one["is_rule"] else ". No condition tells it; the examples below do"
    sheet = "" if one["to_label"] is None else one["to_label"]["sheet"]
    lines = [
        f"# {one['id']}: {one['rows']:,} rows {_plain(one['which'])}",
        "",
        f"Asked for in round {one['round']}, {rank}. It is for finding {one['finding']}{sure}.",
        "",
        "## What is needed",
        "",
        f"- **Which rows**: {_plain(one['which'])}{rule}.",
        f"- **How many**: {_many(one)}.",
        f"- **Why**: {one['sentence']}.",
        *(f"  - {words}" for words in one["why"][:5]),
        *([f"- **Choosing rows without labels**: {one['unlabelled']}"] if one["unlabelled"] and not sheet else []),
        f"- **Form**: {_form(one['inputs'], sheet)}.",
        f"- **Where to**: {one['how']}.",
        f"- **When**: {one['until_words']}.",
        "",
        "## What it is expected to bring",
        "",
        f"The error of these rows is {one['before']} now. By how much it is expected to fall, with 90% intervals "
        f"({one['basis']}):",
        "",
        "| rows | error of these rows falls by | error of all rows falls by |",
        "| ---: | ---: | ---: |",
        *(f"| {step['rows']:,} | {step['inside']} | {step['gain']} |" for step in one["steps"]),
        "",
        "## What it costs",
        "",
        as_sentence(one["cost_words"]),
        "",
        one["tonight"],
        "",
    ]
    if one["kept_words"]:
        lines += ["## What was delivered", "", *(f"- {words}." for words in one["kept_words"]), ""]
    return "\n".join([*lines, *_shown(examples)])


def _many(one: Mapping[str, Any]) -> str:
    if one["to_label"] is None:
        return f"about {one['rows']:,}, labelled as the base is"
    return f"the {one['rows']:,} that are on the sheet, each with a label as the base has them"


def _form(inputs: Mapping[str, Any], sheet: str) -> str:
    """What is delivered: labels by id, or rows with the inputs of the base."""
    return f"labels by id, as in `{sheet}`" if sheet else f"{_as_base(inputs)}; no copy of a validation or test row"


def _as_base(inputs: Mapping[str, Any]) -> str:
    """The inputs of the base in words."""
    match inputs.get("kind"):
        case "arrays":
            shape = " x ".join(map(str, inputs["shape"])) or "1"
            return f"arrays of {shape} numbers a row ({inputs['dtype']}), with the metadata columns of the base"
        case "table":
            columns = ", ".join(f"`{name}` {kind}" for name, kind in list(inputs["columns"].items())[:40])
            return f"a table with the columns {columns}, and the target"
        case "text":
            return "texts with their labels"
        case "files":
            return "files with their labels"
    return "as the base"


def _shown(examples: Sequence[Mapping[str, Any]]) -> list[str]:
    """Examples as Markdown: pictures, quoted texts, or a table of values."""
    if not examples:
        return []
    lines = ["## Rows that fail, the worst first", ""]
    kind = examples[0]["kind"]
    if kind == "image":
        for row in examples:
            lines += [" ".join(f"![{said} of row {row['id']}]({file})" for said, file in row["pictures"].items())]
            lines += ["", f"row {row['id']}{_judged(row)}", ""]
        return lines
    if kind == "text":
        for row in examples:
            lines += [f"> {_plain(row['text'])}", "", f"row {row['id']}{_judged(row)}", ""]
        return lines
    columns = list(examples[0]["values"])
    head = ["row", "truth", "predicted", *map(_plain, columns)]
    lines += [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for row in examples:
        cells = [row["id"], row.get("target"), row.get("prediction"), *(row["values"].get(name) for name in columns)]
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    return [*lines, "", f"{count(len(examples), 'row')} of validation; do not train on them.", ""]


def _judged(row: Mapping[str, Any]) -> str:
    if "target" not in row:
        return ""
    return f": {_cell(row['target'])}, predicted {_cell(row['prediction'])}"


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return _plain(f"{value:.4g}" if isinstance(value, float) else str(value))


def _plain(text: str) -> str:
    """Text on one line that breaks no table and no list of Markdown."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")
