"""Augment: rows of the base, changed so that they stay what they are, near the failures where a rule says where."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.data.views import channel_axis
from autodc.data.where import select
from autodc.errors import DataError
from autodc.large import distinct_values, evenly, taken
from autodc.propose import made
from autodc.propose.base_edits import BaseKnown, base_of, drawn, nothing, rows_made
from autodc.propose.policies import (
    NUMBERS,
    PICTURES,
    TEXTS,
    Policy,
    changed_picture,
    draws,
    is_image_array,
    jittered_columns,
    jittered_table,
    with_typos,
)
from autodc.propose.proposal import Proposal
from autodc.table import Inputs, Table
from autodc.trial.call import Call, CallPart

Array = np.ndarray[Any, Any]
Columns = Callable[[CallPart], pd.DataFrame]
"""What a rule may name, of the rows of the base: metadata, and what is measured of them."""

BY = "augment"
MOST = 5000
"""Rows that are made at most, and no more than the base has."""
FINDINGS = 2
"""Findings that rows are made for in a round, the first ones."""
LEAST_NEAR, TIMES = 10, 10
"""Rows of the base that a rule must find, and how often each is changed at most."""
KNOWN = 2000
"""Rows that tell the range of values, and whether a flipped row is like one of its class."""
STAYS = 0.8
"""Share of the rows known right that must be so when flipped, or pictures are not flipped."""


def propose(known: BaseKnown, findings: Sequence[Mapping[str, Any]] = ()) -> tuple[Proposal, ...]:
    """Propose changed rows near each of the first confirmed findings that have a rule; where there is none, of any.

    findings: as `Finding.to_dict` tells them, in the order of a study.
    """
    rows = min(MOST, known.rows)
    near = [one for one in findings if one["kind"] == "attributes" and one["status"] == "confirmed"][:FINDINGS]
    if not near:
        return known.proposal("augmented", BY, {"rows": rows}, rows=rows, words="rows of the base, changed a little")
    found: list[Proposal] = []
    for one in near:
        words = f"rows of the base where {one['rule']}, changed a little"
        arguments = {"rows": rows, "rule": one["rule"]}
        found += known.proposal(f"augmented-{one['id']}", BY, arguments, rows=rows, finding=str(one["id"]), words=words)
    return tuple(found)


def make(call: Call, columns: Columns = lambda part: part.metadata) -> dict[str, Any]:
    """Write changed rows; `changed` says what was done to each.

    arguments: rows; rule: SQL, of which rows, any where it cannot be read of the base or finds too few; policy: of
    policies.py, for the kind of inputs. Raises CallError ADC-PROP-030 for inputs that there is no policy for.
    """
    part = base_of(call)
    rng = seeds.generator(int(call.arguments.get("seed", 0)), "augment", str(call.arguments.get("rule", "")))
    near = _near(part, str(call.arguments.get("rule", "")), call.arguments.get("classes", ()), columns)
    of = np.arange(len(part.x)) if near is None else near
    count = min(int(call.arguments.get("rows", min(MOST, len(part.x)))), TIMES * len(of))
    rows = np.sort(drawn(of, count, rng))
    policy: Policy = {**_usual(part.x), **call.arguments.get("policy", {})}
    x, done = _changed(part, rows, policy, call.out, rng)
    changed = {name: [float(one) for one in values] for name, values in done.items()}
    facts = {"near": 0 if near is None else len(near), "policy": dict(policy)}
    return made.write(call.out, rows_made(part, rows, x=x, changed=changed, facts=facts))


def _near(part: CallPart, rule: str, names: Sequence[Any], columns: Columns) -> Array | None:
    """Positions of the rows that a rule finds; None where it cannot be read of them, or finds too few."""
    if not rule:
        return None
    y = None if part.y is None else np.asarray(part.y)
    target = np.array(names, dtype=object)[y] if names and y is not None and y.ndim == 1 else y
    try:
        rows = np.flatnonzero(select(rule, columns(part), target, place=BY))
    except DataError:
        return None
    return rows if len(rows) >= LEAST_NEAR else None


def _usual(x: Inputs) -> Policy:
    if isinstance(x, Table):
        return {"table": NUMBERS, "text": TEXTS, "files": PICTURES}[x.kind]
    return PICTURES if is_image_array(x) else NUMBERS


def _changed(
    part: CallPart, rows: Array, policy: Policy, out: Path, rng: np.random.Generator
) -> tuple[Inputs, dict[str, Array]]:
    x = part.x
    if isinstance(x, Table):
        own = x[rows]
        if x.kind == "table":
            return jittered_table(own, x[evenly(len(x), KNOWN)], policy, rng), {}
        if x.kind == "text":
            texts = [with_typos(one, policy, rng) for one in own.texts()]
            return Table.of("text", {own.names[0]: texts}, ("text",)), {}
        return _files(own, policy, out, rng)
    if is_image_array(x):
        return _arrays(part, rows, policy, rng)
    if x.ndim != 2 or x.dtype.kind not in "fiu":
        nothing(BY, f"there is no policy for rows of shape {x.shape[1:]}, {x.dtype}")
    return jittered_columns(taken(x, rows), x[evenly(len(x), KNOWN)], policy, rng), {}  # type: ignore[arg-type]


def _arrays(part: CallPart, rows: Array, policy: Policy, rng: np.random.Generator) -> tuple[Array, dict[str, Array]]:
    """Pictures of an array, channels at whichever end they are."""
    assert not isinstance(part.x, Table)
    known = np.asarray(part.x[evenly(len(part.x), KNOWN)])
    policy = {**policy, "flip": policy.get("flip", 0.0) if _flips(part) else 0.0}
    done = draws(policy, len(rows), rng)
    first = known.ndim == 4 and channel_axis(known.shape) == 1
    low, high = float(known.min()), float(known.max())
    found = np.empty((len(rows), *known.shape[1:]), dtype=known.dtype)
    for at, row in enumerate(rows):
        one = np.asarray(part.x[row])
        one = one[..., None] if one.ndim == 2 else np.moveaxis(one, 0, 2) if first else one
        here = changed_picture(one, {name: values[at] for name, values in done.items()}, low, high, rng)
        found[at] = here[..., 0] if known.ndim == 3 else np.moveaxis(here, 2, 0) if first else here
    return found, done


def _flips(part: CallPart) -> bool:
    """Whether a picture from right to left is still like those of its class: of digits and letters it is not."""
    from sklearn.neighbors import KNeighborsClassifier

    some = evenly(len(part.x), KNOWN)
    known, y = np.asarray(part.x[some], dtype=np.float64), None if part.y is None else np.asarray(part.y)[some]
    if y is None or y.ndim != 1 or y.dtype.kind not in "iu" or len(distinct_values(y)) < 2:
        return True
    across = 3 if known.ndim == 4 and channel_axis(known.shape) == 1 else 2
    flat, turned = known.reshape(len(known), -1), np.flip(known, axis=across).reshape(len(known), -1)
    odd = np.arange(len(y)) % 2 == 1
    nearest = KNeighborsClassifier(1).fit(flat[~odd], y[~odd])
    right = nearest.predict(flat[odd]) == y[odd]
    stays = nearest.predict(turned[odd]) == y[odd]
    return bool(right.any() and stays[right].mean() >= STAYS)


def _files(x: Table, policy: Policy, out: Path, rng: np.random.Generator) -> tuple[Table, dict[str, Array]]:
    """Files of pictures: changed ones lie beside what the call answers, as PNG."""
    from PIL import Image

    done, folder = draws({**policy, "flip": 0.0}, len(x), rng), out / "pictures"
    folder.mkdir()
    paths, content = list[str](), list[str]()
    for at, path in enumerate(x.texts()):
        try:
            with Image.open(path) as image:
                mode = image.mode if image.mode in ("L", "RGB") else "RGB"
                pixels = np.asarray(image.convert(mode))
        except (OSError, ValueError) as error:
            nothing(BY, f"{path} is no picture: {error}")
        pixels = pixels[..., None] if pixels.ndim == 2 else pixels
        here = changed_picture(pixels, {name: values[at] for name, values in done.items()}, 0.0, 255.0, rng)
        file = folder / f"{at:06d}.png"
        Image.fromarray(here[..., 0] if here.shape[2] == 1 else here).save(file)
        paths.append(str(file.absolute()))
        content.append(hashlib.sha256(file.read_bytes()).hexdigest())
    return Table.of_files(paths, content), done
