"""Regret curves: what is left of the gap against trainings, one panel a world."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.search.peers import PEERS
from benchmarks.search.runs import Record

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
COLUMNS = 3


def draw(runs: Mapping[str, Mapping[str, Sequence[Record]]], titles: Mapping[str, str], file: Path) -> None:
    """Write an SVG. runs: world → peer → its runs. Solid lines are what our recommender makes of a peer's trainings,
    dotted ones the peer's own answer."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "autodc", "font.size": 8, "path.simplify": True})
    lines = max(1, -(-len(runs) // COLUMNS))
    figure, axes = pyplot.subplots(lines, COLUMNS, figsize=(4.2 * COLUMNS, 3.1 * lines), squeeze=False)
    handles = {}
    for axis in axes.flat[len(runs) :]:
        axis.set_axis_off()
    for axis, (world, peers) in zip(axes.flat, runs.items(), strict=False):
        for peer, colour in COLOURS.items():
            if peers[peer]:
                _line(axis, peers[peer], peer, colour)
        axis.set(title=titles[world], ylim=(-0.15, 1.05), xlabel="trainings", ylabel="share of the gap left")
        axis.axhline(0, color="#999999", linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
        handles |= {label: handle for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="lower center", ncols=5, frameon=False)
    figure.tight_layout(rect=(0, 0.06 if lines > 1 else 0.12, 1, 1))
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    file.write_text("\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n", encoding="utf-8")


def _line(axis, runs, peer, colour):  # type: ignore[no-untyped-def]
    stops, regret = runs[0].stops, 1 - np.array([r.share for r in runs])
    axis.plot(stops, regret.mean(0), color=colour, label=PEERS[peer][0], linewidth=2 if peer == "mixture" else 1.1)
    if peer in BANDS and len(runs) > 2:
        low, high = np.quantile(regret, [0.2, 0.8], axis=0)
        axis.fill_between(stops, low, high, color=colour, alpha=0.15, linewidth=0)
    if peer != "mixture":
        own = 1 - np.array([r.own for r in runs])
        axis.plot(stops, own.mean(0), color=colour, linewidth=0.9, linestyle=":")
