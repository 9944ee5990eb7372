"""Digits of several sources at eight by eight: scanned forms, strokes of a pen on a tablet, print in many fonts.

Scans: optdigits, of which scikit-learn ships the 13 writers that the others never met. Pens: penbased, eight points a
digit, drawn as lines. Print: the fonts of matplotlib. Base: scans of the first 30 writers. `_auto`: labelled by a model
of the base; pens_turned: the tablet held upside down; pens_next: where nought is the tenth key, so that labels lag.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_digits

from benchmarks.real.case import Case, Rows, Term
from benchmarks.real.learners import KERNEL_SPACE, kernel

SIZE, LARGE, INK = 8, 64, 16.0
FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSerif"),
    *("DejaVuSerif-Italic", "DejaVuSerif-Bold", "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "cmb10"),
    *("cmr10", "cmss10", "cmti10", "cmtt10"),
)
UNSEEN_FONTS = FONTS[3::4]
TERMS = (
    Term(name="overall", role="guard", margin=0.015),
    Term(name="scan", role="guard", margin=0.02),
    *(Term(name=name, role="target") for name in ("pen", "print", "new_writers")),
)
Labelled = tuple[np.ndarray, np.ndarray]
"""Inputs, labels."""
SETTINGS = {"gamma": 0.1, "alpha": 0.3}


def build(folder: Path) -> Case:
    """Build the case from the unpacked wheel."""
    scans, pens = (_read(next(folder.rglob(f"raw/{name}.dat"))) for name in ("optdigits", "penbased"))
    new = {row.tobytes() for row in load_digits().data.astype(np.float32)}
    known = np.array([row.astype(np.float32).tobytes() not in new for row in scans[0]])
    return made(scans, known, pens)


def made(scans: Labelled, known: np.ndarray, pens: Labelled, scale: float = 1.0) -> Case:
    """Build the case. known: which scans are of the first writers; scale: the share of the usual number of rows."""
    rng = np.random.default_rng(19)
    scan, stranger = np.flatnonzero(known), np.flatnonzero(~known)
    drawn = np.stack([_stroke(row) for row in pens[0]])
    sources = {
        "scan": _Source((scans[0][scan] / INK, scans[1][scan]), rng, scale),
        "new_writers": _Source((scans[0][stranger] / INK, scans[1][stranger]), rng, scale),
        "pen": _Source((drawn, pens[1]), rng, scale),
        "print": _Source(_print([f for f in FONTS if f not in UNSEEN_FONTS], int(900 * scale), rng), rng, scale),
        "unseen": _Source(_print(UNSEEN_FONTS, int(3_000 * scale), rng), rng, scale),
    }
    base = sources["scan"].take(500, "scan")
    model = kernel(base.x, base.y, SETTINGS, 0)
    candidates = {
        "scans_more": sources["scan"].take(900, "scan"),
        "scans_auto": _relabelled(sources["scan"].take(700, "scan"), model),
        "writers": sources["new_writers"].take(300, "new_writers"),
        "pens": sources["pen"].take(700, "pen"),
        "pens_more": sources["pen"].take(700, "pen"),
        "pens_auto": _relabelled(sources["pen"].take(700, "pen"), model),
        "pens_turned": _turned(sources["pen"].take(500, "pen")),
        "pens_next": _next(sources["pen"].take(500, "pen")),
        "prints": sources["print"].take(400, "print"),
        "prints_more": sources["print"].take(400, "print"),
    }
    counts = {"pool": (500, 500, 1_500, 1_000), "tune": (250, 200, 500, 300), "held": (650, 700, 4_000, 1_500)}
    names = (("scan", "scan"), ("new_writers", "new_writers"), ("pen", "pen"), ("unseen", "print"))
    parts = {
        part: _joined([sources[source].take(n, into) for (source, into), n in zip(names, many, strict=True)])
        for part, many in counts.items()
    }
    return Case(
        name="digits",
        title="digits of scans, pens and print; base: scans of known writers",
        kind="classification",
        metric="accuracy",
        terms=TERMS,
        space=KERNEL_SPACE,
        learner=kernel,
        base=base,
        candidates=candidates,
        **parts,
        rows=int(2_500 * scale),
        classes=10,
    )


class _Source:
    """Images of one source, given away once each."""

    def __init__(self, rows: Labelled, rng: np.random.Generator, scale: float) -> None:
        _, first = np.unique(rows[0].round(4), axis=0, return_index=True)
        order = rng.permutation(first)
        self._x, self._y, self._at, self._scale = rows[0][order], rows[1][order], 0, scale

    def take(self, count: int, into: str) -> Rows:
        """The next so many; `into` names their slice. Raises ValueError where there are fewer."""
        number = int(count * self._scale)
        cut = slice(self._at, self._at + number)
        if len(self._y) < self._at + number:
            raise ValueError(f"{len(self._y) - self._at} images of {into} left where {number} are wanted")
        self._at += number
        meta = pd.DataFrame({t.name: np.full(number, int(t.name == into)) for t in TERMS if t.name != "overall"})
        return Rows(x=self._x[cut].astype(np.float32), y=self._y[cut].astype(np.int64), meta=meta)


def _read(file: Path) -> Labelled:
    lines = [line for line in file.read_text().splitlines() if line.strip() and not line.startswith("@")]
    table = np.array([[float(v) for v in line.split(",")] for line in lines])
    return table[:, :-1], table[:, -1].astype(np.int64)


def _stroke(points: np.ndarray) -> np.ndarray:
    """Draw the eight points of a pen as lines."""
    image = Image.new("L", (LARGE, LARGE))
    scaled = [(10 + 0.44 * x, LARGE - 8 - 0.48 * y) for x, y in points.reshape(-1, 2)]
    ImageDraw.Draw(image).line(scaled, fill=255, width=7, joint="curve")
    return _small(image)


def _print(fonts: Sequence[str], count: int, rng: np.random.Generator) -> Labelled:
    """Digits in print: font, size, place and slant drawn."""
    folder, images, labels = Path(matplotlib.get_data_path()) / "fonts" / "ttf", [], rng.integers(0, 10, count)
    for label in labels:
        font = ImageFont.truetype(str(folder / f"{rng.choice(list(fonts))}.ttf"), int(rng.integers(40, 66)))
        image = Image.new("L", (LARGE, LARGE))
        place = (LARGE / 2 + rng.uniform(-5, 5), LARGE / 2 + rng.uniform(-5, 5))
        ImageDraw.Draw(image).text(place, str(label), fill=255, font=font, anchor="mm")
        images.append(_small(image.rotate(rng.uniform(-12, 12))))
    return np.stack(images), labels


def _small(image: Image.Image) -> np.ndarray:
    return np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BOX), float).ravel() / 255.0


def _relabelled(rows: Rows, model: Callable[[np.ndarray], np.ndarray]) -> Rows:
    return Rows(x=rows.x, y=model(rows.x).argmax(1), meta=rows.meta)


def _turned(rows: Rows) -> Rows:
    return Rows(x=np.ascontiguousarray(rows.x[:, ::-1]), y=rows.y, meta=rows.meta)


def _next(rows: Rows) -> Rows:
    return Rows(x=rows.x, y=(rows.y + 1) % 10, meta=rows.meta)


def _joined(parts: Sequence[Rows]) -> Rows:
    meta = pd.concat([p.meta for p in parts], ignore_index=True)
    return Rows(x=np.concatenate([p.x for p in parts]), y=np.concatenate([p.y for p in parts]), meta=meta)
