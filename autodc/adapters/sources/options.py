"""What every option of a source means; the guide prints it, and a test holds it against what the sources take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Meaning(NamedTuple):
    """An option of sources."""

    sources: str
    """Which have it."""
    meaning: str


MEANINGS: Mapping[str, Meaning] = {
    "target": Meaning("all", "the column, or array, of targets; a list of columns: several numbers a row"),
    "group": Meaning("all", "a column: rows of one patient, scan or scene stay on one side of a cut"),
    "time": Meaning("all", "a column of dates or numbers: the cut is one in time, the newest rows decide"),
    "id": Meaning("all", "a column that says which example a row is: rows of one id are copies, others are not"),
    "map": Meaning("all", "class label as written: label of the base"),
    "features": Meaning("tables", "the columns that are inputs"),
    "metadata": Meaning("tables, folders", "columns that are no inputs; of a folder of files: a table about them"),
    "types": Meaning("tables", "column: integer, number, boolean, category, text or date"),
    "text": Meaning("tables", "one column of text, which is the input"),
    "image": Meaning("tables, shards", "one column of images: paths, bytes, or records of both; of shards the ending"),
    "size": Meaning("images", "[height, width] of all images, or as_it_is where they are of one size already"),
    "mode": Meaning("images", "L, RGB, RGBA, I;16 or F"),
    "separator": Meaning("tables of text", "one character, or tab; left out: what the lines say"),
    "decimal": Meaning("tables of text", "a point or a comma; left out: what the columns say"),
    "encoding": Meaning("tables of text", "such as latin-1; left out: UTF-8, or UTF-16 where the file begins so"),
    "key": Meaning("folders", "the column of `metadata` that names the files"),
    "split": Meaning("save_to_disk folders", "which split, where the folder has several"),
    "targets": Meaning("IDX", "the file of labels"),
    "rows": Meaning("IDX", "[first, last): so many of the rows"),
}
