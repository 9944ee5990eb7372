"""The study file as a person reads it: what was found, why it is so, and what to change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodc.studyfile.study import StudySpec
from autodc.table import Table
from autodc.verbs.draft.choices import Choices
from autodc.verbs.draft.cutting import TEST, VALIDATION
from autodc.verbs.draft.lines import comment, entry, item

SHOWN = 6
ORDER = ("name", "where", "role", "margin")
LONG = 60


def page(choices: Choices, spec: StudySpec) -> str:
    """The text of study.yaml. spec: with its slices."""
    study = choices.study()
    slices = [{key: value for key in ORDER if (value := getattr(one, key)) is not None} for one in spec.slices]
    lines = [
        *comment(f"Written by `autodc init` for {_source(choices)}. `autodc check` says what it can show."),
        *(one for key in ("schema_version", "name", "seed") for one in entry(key, study[key])),
        "",
        "task:",
        *comment(about_task(choices), 2),
        *(one for key, value in study["task"].items() for one in entry(key, value, 2)),
        "",
        *_data(choices, study["data"]),
        "",
        *entry("metrics", study["metrics"]),
        "",
        *comment(_about_slices(choices, len(slices))),
        "slices:",
        *(one for part in slices for one in item(part, 2)),
        "",
        "search_space:",
        *(one for name, value in study["search_space"].items() for one in entry(name, value, 2)),
        "",
        *comment("the quickest things that work, measured first: what the night is to beat"),
        *entry("baselines", study["baselines"]),
        "",
        *(one for key in ("loop", "search", "budget", "tracking") if key in study for one in entry(key, study[key])),
    ]
    return "\n".join(lines) + "\n"


def about_task(choices: Choices) -> str:
    """What is learned."""
    rows, classes = choices.rows, choices.rows.classes
    target = ", ".join(rows.target) or "the target"
    if classes:
        told = ", ".join(f"{name} {count}" for name, count in list(classes.items())[:SHOWN])
        more = f" and {len(classes) - SHOWN} more" if len(classes) > SHOWN else ""
        return f"{target}: {len(classes)} classes ({_cut(told)}{more})"
    return f"{target}: {'images' if rows.kind == 'image_to_image' else 'numbers'}"


def about_inputs(choices: Choices) -> str:
    """What it is learned from, and what is left out."""
    rows = choices.rows
    names = [name for name in rows.inputs if name not in choices.aside]
    if rows.form == "table":
        told = f"inputs: {_listed(names)}"
        if isinstance(x := rows.data.x, Table) and (dates := [n for n in names if x.schema.get(n) == "date"]):
            several = "dates, inputs" if len(dates) > 1 else "a date, an input"
            told += f"; {_listed(dates)}: {several} as numbers; where it is no property, add it to metadata: [...]"
    elif rows.form == "text":
        told = f"input: the text in {_listed(names)}; other columns are for slices"
    else:
        size, mode = rows.options.get("size"), rows.options.get("mode")
        images = f"inputs: images, read as {size[0]} × {size[1]} {mode}" if isinstance(size, list) else "inputs: images"
        told = {"images": images, "vectors": "inputs: rows of numbers"}.get(rows.form, "inputs: files")
    left = {why: [name for name, one in choices.aside.items() if one == why] for why in choices.aside.values()}
    told += "; left out: " + ", ".join(f"{_listed(names)} ({why})" for why, names in left.items()) if left else ""
    told += f"; {rows.lost} rows without a target are left out" if rows.lost else ""
    return told + (f"; rows of one {rows.group} stay together" if rows.group else "")


def about_held(choices: Choices) -> str:
    """Where validation and test come from."""
    if choices.cut is None:
        words = "beside the source, told by their names" if choices.test else "beside the source, told by its name"
        return words if choices.test else f"{words}; no test set: add `test: {{source: ...}}`, it stays sealed"
    counts = {part: len(rows) for part, rows in choices.cut.parts.items()}
    told = ", ".join(f"{count} rows {part}" for part, count in counts.items())
    end = "" if TEST in counts or choices.test else "; too few rows for a test set"
    return f"{choices.cut.why}: {told}{end}"


def about_candidates(choices: Choices) -> str:
    """What is offered, and what is not."""
    unfit = "; ".join(f"{name}: {_cut(why)}" for name, why in list(choices.unfit.items())[:SHOWN])
    more = f"; and {len(choices.unfit) - SHOWN} more" if len(choices.unfit) > SHOWN else ""
    return f"not used: {unfit}{more}" if unfit else ""


def _source(choices: Choices) -> str:
    return f"{choices.rows.named}, {len(choices.rows.data)} rows"


def _data(choices: Choices, data: Mapping[str, Any]) -> list[str]:
    lines = ["data:", *comment(about_inputs(choices), 2), *entry("base", data["base"], 2)]
    if "candidates" in data:
        lines += [*comment("might be added to the training rows; the study finds out which help", 2), "  candidates:"]
        lines += [one for part in data["candidates"] for one in item(part, 4)]
    else:
        lines += ["  # candidates: [{name: more, source: ../more.csv}]  # what might be added"]
    if told := about_candidates(choices):
        lines += comment(told, 2)
    lines += comment(about_held(choices), 2)
    lines += [one for key in (VALIDATION, TEST) if key in data for one in entry(key, data[key], 2)]
    if "overlap" in data:
        lines += comment("training rows that are also held out are left out", 2)
        lines += entry("overlap", data["overlap"], 2)
    return lines


def _about_slices(choices: Choices, count: int) -> str:
    if count == 1:
        return "where the model is weak: {name: weak, where: \"column = 'value'\", role: target}"
    return (
        "a target should get better; a guard may lose its margin at most, here what its rows can certify. Where the "
        "model is weak, write `role: target` and no margin"
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(_cut(name) for name in names[:SHOWN]) + more


def _cut(text: str) -> str:
    return text if len(text) <= LONG * 2 else f"{text[: LONG * 2]}…"
