"""`autodc compare` on the screen: what each contender is, its slices, its mixture, the paired differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from autodc.cli.terminal import Column, console, duration, print_table
from autodc.review.numbers import Numbers

PAIRED = {"seed": "same seeds", "order": "own seeds"}


def show_compared(found: Mapping[str, Any]) -> None:
    """Tables of `autodc compare --json`."""
    out, studies = console(), found["studies"]
    numbers = Numbers.for_values([s["value"] for one in studies for s in one["slices"].values()] or [0.0])
    _studies(out, studies, numbers)
    _slices(out, studies, numbers)
    _mixtures(out, studies, found["verdicts"])
    for one in found["differences"]:
        _difference(out, one, numbers)
    for one in studies:
        if one["note"]:
            out.print(f"{one['label']}: without intervals: {one['note']}", soft_wrap=not out.is_terminal)


def _studies(out: Console, studies: Sequence[Mapping[str, Any]], numbers: Numbers) -> None:
    names = dict.fromkeys(one["name"] for one in studies)
    several = len(names) > 1 and any(one["name"] not in one["label"] for one in studies)
    columns = [
        Column(name="run"),
        *([Column(name="study")] if several else []),
        Column(name="objective", right=True),
        Column(name="kept", wraps=True, drop=1),
        Column(name="trainings", right=True),
        Column(name="time", right=True, drop=2),
        Column(name="cost", right=True, drop=3),
        Column(name="state", drop=4),
    ]
    rows = [
        [
            one["label"],
            *([one["name"]] if several else []),
            numbers.plain(one["objective"]["value"]) if one["objective"] else "",
            ", ".join(one["kept"]) or "nothing",
            f"{one['spent']['trainings']:g}",
            duration(one["spent"]["wall_seconds"]),
            f"{one['spent']['cost']:g}",
            one["stopped_because"] or "runs",
        ]
        for one in studies
    ]
    print_table(out, columns, rows, "runs" if len(names) > 1 else f"runs of study {studies[0]['name']}")


def _slices(out: Console, studies: Sequence[Mapping[str, Any]], numbers: Numbers) -> None:
    """A line a slice; an interval is of 95%, for new trainings and new rows."""
    names = dict.fromkeys(name for one in studies for name in one["slices"])
    columns = [Column(name="slice"), *(Column(name=one["label"], right=True) for one in studies)]
    rows = [[name, *(_value(one["slices"].get(name), numbers) for one in studies)] for name in names]
    if any(one["test"] for one in studies):
        sealed = dict.fromkeys(name for one in studies for name in one["test"] or ())
        rows += [[f"{name}, test", *(_sealed(one["test"], name, numbers) for one in studies)] for name in sealed]
    print_table(out, columns, rows, "slices on the rows that decide, with 95% intervals")


def _value(seen: Mapping[str, Any] | None, numbers: Numbers) -> str:
    if seen is None:
        return ""
    value = numbers.plain(seen["value"])
    return value if seen["low"] is None else f"{value} ({numbers.plain(seen['low'])}-{numbers.plain(seen['high'])})"


def _sealed(test: Mapping[str, float] | None, name: str, numbers: Numbers) -> str:
    return numbers.plain(test[name]) if test and name in test else ""


def _mixtures(out: Console, studies: Sequence[Mapping[str, Any]], verdicts: Mapping[str, Mapping[str, Any]]) -> None:
    """What each is trained on, with the verdict of its study on the dataset, and the settings that differ."""
    columns = [Column(name="dataset"), *(Column(name=one["label"], right=True) for one in studies)]
    names = dict.fromkeys([*(name for one in studies for name in one["mixture"]), *verdicts])
    rows: list[list[Text | str]] = [[name, *(_weight(one, name) for one in studies)] for name in names]
    settings = dict.fromkeys(key for one in studies for key in one["hyperparameters"])
    told = {key: [_setting(one["hyperparameters"].get(key, "")) for one in studies] for key in settings}
    told["recipe"] = [one["recipe"] for one in studies]
    rows += [[key, *values] for key, values in told.items() if len(set(values)) > 1]
    print_table(out, columns, rows, "mixtures (weight and verdict), and settings that differ")


def _weight(one: Mapping[str, Any], name: str) -> str:
    weight, verdict = one["mixture"].get(name), one["verdicts"].get(name)
    return " ".join(word for word in ("" if weight is None else f"{weight:.2f}", verdict or "") if word)


def _setting(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _difference(out: Console, one: Mapping[str, Any], numbers: Numbers) -> None:
    """One pair of contenders; up is better for the first named."""
    title = f"{one['of']} against {one['beside']}"
    if not one["comparable"]:
        out.print(f"{title}: not comparable row by row: {one['why']}", soft_wrap=not out.is_terminal)
        _left_out(out, one)
        return
    columns = [
        Column(name="slice"),
        Column(name="role", drop=2),
        Column(name="difference", right=True),
        Column(name="95% interval", right=True),
        Column(name="rows", right=True, drop=1),
    ]
    rows: list[list[Text | str]] = [
        [name, seen["role"], *_moved(seen, numbers)] for name, seen in one["slices"].items()
    ]
    if one["objective"]:
        rows.append(["together", "objective", *_moved(one["objective"], numbers)])
    pairs = f"{one['pairs']} pair{'s' if one['pairs'] > 1 else ''} of {PAIRED[one['paired_by']]}"
    print_table(out, columns, rows, f"{title}: {pairs}, up is better")
    _left_out(out, one)
    if one["searched_on"]:
        words = f"the search of {' and of '.join(one['searched_on'])} saw these rows: what it is ahead is told too well"
        out.print(words, soft_wrap=not out.is_terminal)


def _moved(seen: Mapping[str, Any], numbers: Numbers) -> list[Text | str]:
    low, high = seen["low"], seen["high"]
    span = "one pair, no interval" if low is None else numbers.span(low, high)
    colour = "" if low is None else "green" if low > 0 else "red" if high < 0 else ""
    return [Text(numbers.signed(seen["difference"]), style=colour), span, f"{seen['rows']}"]


def _left_out(out: Console, one: Mapping[str, Any]) -> None:
    for name, why in one.get("left_out", {}).items():
        out.print(f"  {name}: {why}", soft_wrap=not out.is_terminal)
