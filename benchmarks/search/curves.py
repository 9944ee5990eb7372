"""Regret curves: what is left of the gap against trainings, one panel a world."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.search.figures import first_hit, of
from benchmarks.search.published import ReplayRecord
from benchmarks.search.raw import Row

COLOURS: Mapping[str, str] = {
    "mixture": "#0b5cad",
    "tpe-multivariate": "#d1495b",
    "tpe": "#e9a03b",
    "gp": "#2e8b57",
    "random": "#808080",
    "regmix": "#7b4fa3",
    "naive": "#5d4a2f",
    "naive-3": "#b08d57",
    "greedy-3": "#111111",
    "shapley": "#c58bc5",
}
BANDS = ("mixture", "tpe-multivariate", "random")
LOW, HIGH = 0.2, 0.8


def draw(rows: Sequence[Row], worlds: Mapping[str, str], titles: Mapping[str, str], file: Path) -> None:
    """Write an SVG. worlds: name → title of the panel; peers keep their colour throughout; solid lines are what our
    recommender makes of a peer's trainings, dotted ones the peer's own answer."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "autodc", "font.size": 8, "path.simplify": True})
    shown = [w for w in worlds if of(rows, [w], "mixture")]
    replayed = [r for r in rows if isinstance(r, ReplayRecord)]
    count = len(shown) + bool(replayed)
    columns = min(3, max(1, count))
    lines = max(1, -(-count // columns))
    figure, axes = pyplot.subplots(lines, columns, figsize=(4.2 * columns, 3.1 * lines), squeeze=False)
    for axis in axes.flat[count:]:
        axis.set_axis_off()
    for axis, world in zip(axes.flat, shown, strict=False):
        for peer, colour in COLOURS.items():
            _line(axis, rows, world, peer, colour, titles[peer])
        axis.set_title(worlds[world])
        _dress(axis)
    if replayed:
        _replay(axes.flat[len(shown)], replayed)
    handles = {}
    for axis in axes.flat[: len(shown)]:
        handles |= {label: handle for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="lower center", ncols=5, frameon=False)
    figure.tight_layout(rect=(0, 0.06 if lines > 1 else 0.12, 1, 1))
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    file.write_text("\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n", encoding="utf-8")


def _line(axis, rows, world, peer, colour, title):  # type: ignore[no-untyped-def]
    runs = of(rows, [world], peer)
    if not runs:
        return
    stops = runs[0].stops
    regret = 1 - np.array([r.share for r in runs])
    axis.plot(stops, regret.mean(0), color=colour, label=title, linewidth=2 if peer == "mixture" else 1.1)
    if peer in BANDS and len(runs) > 2:
        low, high = np.quantile(regret, [LOW, HIGH], axis=0)
        axis.fill_between(stops, low, high, color=colour, alpha=0.15, linewidth=0)
    if peer != "mixture":
        own = 1 - np.array([r.own for r in runs])
        axis.plot(stops, own.mean(0), color=colour, linewidth=0.9, linestyle=":")


def _replay(axis, records):  # type: ignore[no-untyped-def]
    colours = ("#0b5cad", "#d1495b", "#808080", "#7b4fa3")
    for method, colour in zip(dict.fromkeys(r.method for r in records), colours, strict=False):
        group = [r for r in records if r.method == method]
        regret = 1 - np.array([r.share for r in group])
        stops = group[0].first + np.arange(regret.shape[1])
        middle = np.median([first_hit(r) for r in group])
        axis.plot(stops, regret.mean(0), color=colour, label=f"{method} ({middle:.0f} to 95%)", linewidth=1.2)
        low, high = np.quantile(regret, [LOW, HIGH], axis=0)
        axis.fill_between(stops, low, high, color=colour, alpha=0.12, linewidth=0)
    axis.set_title("Replay of RegMix's 512 runs")
    axis.legend(frameon=False, fontsize=6)
    _dress(axis)


def _dress(axis):  # type: ignore[no-untyped-def]
    axis.axhline(0, color="#999999", linewidth=0.6)
    axis.set_ylim(-0.15, 1.05)
    axis.set_xlabel("trainings")
    axis.set_ylabel("share of the gap left")
    axis.spines[["top", "right"]].set_visible(False)
