"""Results on the terminal: tables on stdout, drawn from the same plain data that --json prints."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autodc.adapters.mlflow_store import opening
from autodc.cli.alarms import tell
from autodc.cli.live import duration
from autodc.cli.terminal import Column, console, print_table
from autodc.gate.reasons import FAR_BOUND
from autodc.review import views
from autodc.review.numbers import Numbers, count, tenths
from autodc.verbs.run import REPORT, Result, open_result

_COLOURS = {"keep": "green", "drop": "red", "undecided": "yellow"}
_VERDICTS = (
    Column(name="dataset"),
    Column(name="verdict"),
    Column(name="weight", right=True, drop=2),
    Column(name="slice"),
    Column(name="difference", right=True),
    Column(name="interval", right=True),
    Column(name="pairs", right=True, drop=1),
    Column(name="why", drop=3),
)
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


def show_result(result: Result) -> None:
    """The verdict table, the slices before and after, where the rest is."""
    state, content = open_result(result.folder)
    out = console()
    print_table(
        out, _VERDICTS, [_verdict_cells(row) for row in views.verdict_rows(state)], f"{content['study']}: verdicts"
    )
    _print_slices(out, content)
    used = content["spent"]
    busy = f", workers {used['busy_share']:.0%} busy" if used["busy_share"] is not None else ""
    failed = sum(t.outcome is not None and t.outcome.status == "failed" for t in state.trials)
    lost = f" ({failed} failed)" if failed else ""
    out.print(
        f"{used['trainings']:g} trainings{lost} in {duration(used['wall_seconds'])}{busy}; "
        f"stopped because: {content['stopped_because']}"
    )
    if content["left"]:
        out.print(f"left:   {content['left']['text']}", soft_wrap=not out.is_terminal)
    if go_on := views.going_on(state):
        out.print(go_on, soft_wrap=not out.is_terminal)
    out.print(f"report: {result.folder / REPORT}", soft_wrap=True)
    if content.get("mlflow"):
        out.print(f"MLflow: {opening(content['mlflow'])}", soft_wrap=True)
    out.print(f"why:    autodc why {shlex.quote(str(result.folder))} DATASET", soft_wrap=True)


def _verdict_cells(row: Mapping[str, Any]) -> list[Any]:
    told = row["difference"] is not None
    return [
        row["dataset"],
        Text(row["verdict"], style=_COLOURS[row["verdict"]]),
        f"{row['weight']:.2f}" if row["weight"] else "",
        row["slice"] or "",
        f"{row['difference']:+.3f}" if told else "",
        _interval(row) if told else "",
        str(row["pairs"]) if told else "",
        row["why"],
    ]


def _interval(row: Mapping[str, Any]) -> str:
    """An interval with its level, or that there is none."""
    if row["low"] is None or row["high"] is None:
        return "not known"
    level = f" ({row['level']:.0%})" if row["level"] else ""
    return f"{row['low']:+.3f} … {row['high']:+.3f}{level}"


def _print_slices(out: Console, content: Mapping[str, Any]) -> None:
    """Validation and, where it was opened, the test set, start and end."""
    test = content["test"]
    columns = [Column(name="slice"), Column(name="validation before", right=True), Column(name="after", right=True)]
    if test:
        columns = [
            Column(name="slice"),
            Column(name="validation before", right=True, drop=2),
            Column(name="validation after", right=True, drop=1),
            *(Column(name=name, right=True) for name in ("test before", "after", "difference", "interval")),
        ]
    rows = []
    for name, before in content["validation"]["before"].items():
        cells = [name, f"{before:.3f}", f"{content['validation']['after'].get(name, float('nan')):.3f}"]
        if test and name in test["before"]:
            seen = test["differences"][name]
            cells += [
                f"{test['before'][name]:.3f}",
                f"{test['after'][name]:.3f}",
                f"{seen['difference']:+.3f}",
                f"{seen['low']:+.3f} … {seen['high']:+.3f}",
            ]
        rows.append(cells + [""] * (len(columns) - len(cells)))
    print_table(out, columns, rows, "slices, start and end" + ("" if test else " (no test set was opened)"))


def show_status(found: Mapping[str, Any]) -> None:
    """Where a study is."""
    out, trainings = console(), found["trainings"]
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_row("study", found["study"])
    table.add_row("state", _where(found))
    if found["testing"]:
        table.add_row("testing", f"{found['testing']['subject']}: {views.PURPOSES[found['testing']['purpose']]}")
    most = f" of at most {trainings['budget']:g}" if trainings["budget"] is not None else ""
    table.add_row(
        "trainings", f"{trainings['done']} done{most}, {trainings['under_way']} open, {trainings['failed']} failed"
    )
    table.add_row("kept", ", ".join(found["kept"]) or "nothing yet")
    for verdict in ("drop", "undecided"):
        names = [n for n, v in found["verdicts"].items() if v == verdict]
        table.add_row(verdict, ", ".join(names) or "none")
    account, test_set = found["ledger"], found["test_set"]
    table.add_row(
        "error budget",
        f"{account['taken']} of {account['planned']} planned tests taken, {account['left']:.4g} of q = "
        f"{account['q']:g} left; {account['looks']} looks at validation",
    )
    table.add_row("test set", _opened(test_set))
    table.add_row("time", _time(found))
    if found["left"]:
        table.add_row("left", found["left"]["text"])
    for alarm in found["alarms"]:
        table.add_row("warning", Text(alarm, style="bold red"))
    for warning in found["warnings"]:
        table.add_row("warning", Text(warning))
    out.print(table)


def _where(found: Mapping[str, Any]) -> str:
    """Round and phase in words; before the first round and after the last there is no round to name."""
    doing = found["doing"]
    if found["finished"]:
        after = f" after round {found['round']} of {found['rounds']}" if found["round"] else ""
        return f"finished: {found['stopped_because']}{after}"
    if not found["round"]:
        return f"{doing}; {count(found['rounds'], 'round')} to come" if doing else "begun, nothing was trained yet"
    return f"round {found['round']} of {found['rounds']}, {doing}"


def _time(found: Mapping[str, Any]) -> str:
    """Used and left, as far as either is known."""
    seconds = found["spent"]["wall_seconds"]
    used = f"{duration(seconds)} used" if seconds >= 1 else "hardly any used"
    if found["finished"]:
        return used
    left, ago = found["seconds_left"], found["last_event_seconds_ago"]
    known = f"at most {duration(left)} left" if left is not None else "how much is left is not known yet"
    return f"{used}, {known}" + (f"; last event {duration(ago)} ago" if ago is not None else "")


def _opened(test_set: Mapping[str, Any] | None) -> Text | str:
    """How often and when the sealed test set was opened; red from the second time on."""
    if test_set is None:
        return "none"
    times = test_set["opened"]
    if times == 0:
        return "sealed"
    when = ", ".join(test_set["at"])
    return f"opened once, {when}" if times == 1 else Text(f"opened {times} times: {when}", style="bold red")


def show_why(found: Mapping[str, Any]) -> None:
    """The evidence behind one verdict."""
    out = console()
    out.print(Text.assemble((found["dataset"], "bold"), f": {found['verdict']}"))
    tell(found["alarms"], out)
    if found["summary"]:
        out.print(found["summary"])
    for comparison in found["comparisons"]:
        _show_comparison(out, comparison)
    if found["search"] is not None:
        effect = found["search"]
        out.print(
            f"The search last believed it worth {effect['gain']:+.4f} ± {effect['sd']:.4f} of the objective "
            f"at weight {effect['weight']:.2f}. A belief proposes; it decides nothing."
        )


def _show_comparison(out: Console, comparison: Mapping[str, Any]) -> None:
    looks = comparison["looks"]
    out.print(
        f"\ncomparison {comparison['id']}, round {comparison['round']}: {comparison['subject']}, {comparison['arms']}. "
        f"It may spend {comparison['alpha']:.4f} of the error budget; {comparison['trainings']} trainings of its own."
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
        abs(seen[key]) for _, seen in _seen(look) for key in ("difference", "low", "high") if seen[key] is not None
    )
    rows = []
    for name, seen in _seen(look):
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
    for name, last in _seen(looks[-1]):
        cells = []
        for look in looks:
            seen = dict(_seen(look)).get(name)
            cells.append("" if seen is None or not _tested(seen) else _ahead(seen["z"], seen["bound"]))
        if any(cells):
            rows.append([name, "" if last["alpha"] is None else f"{last['alpha']:.4f}", *cells])
    print_table(out, columns, rows)


def _seen(look: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    targets = sum(seen["role"] == "target" and seen["needed"] is None for seen in look["slices"].values())
    together = [("(targets together)", look["objective"])] if targets > 1 else []
    return [*look["slices"].items(), *together]


def _tested(seen: Mapping[str, Any]) -> bool:
    """Whether something was demanded of a slice."""
    return seen["bound"] is not None or seen["alpha"] is not None


def _ahead(z: float | None, bound: float | None) -> str:
    far = bound is None or bound > FAR_BOUND
    return f"{tenths(z)} / {f'over {FAR_BOUND:g}' if far else tenths(bound)}"
