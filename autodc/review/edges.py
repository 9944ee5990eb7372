"""What a diagnosis says of edge cases, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodc.review.numbers import Numbers, count

ROWS = 5
"""Rows that are named."""


def edge_words(found: Mapping[str, Any] | None) -> str:
    """How many explore rows are edge cases, and whether the model fails there; empty where none is. found: as JSON."""
    if found is None or found["status"] != "found":
        return ""
    some = "" if found["rows"] == found["of"] else f" of {found['of']:,}"
    head = f"{found['count']:,} of {count(found['rows'], 'explore row')}{some} lie further out than rows of the base do"
    first = ", ".join(str(one["row"]) for one in found["cases"][:ROWS])
    return f"{head}{_error_words(found['error'])}; the furthest out are rows {first}"


def _error_words(error: Mapping[str, Any] | None) -> str:
    if error is None:
        return ""
    if "inside_interval" not in error:
        numbers = Numbers.for_values((error["inside"], error["outside"]))
        return (
            f"; the mean error is {numbers.plain(error['inside'])} there, {numbers.plain(error['outside'])} elsewhere"
        )
    low, high = error["inside_interval"]
    return f"; {error['inside']:.0%} of them are wrong ({low:.0%} to {high:.0%}), {error['outside']:.0%} of the others"
