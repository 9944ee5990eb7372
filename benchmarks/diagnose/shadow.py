"""How well shadow mode finds failures of production: on planted Fashion-MNIST and on real tables in pieces of 10,000.

    python -m benchmarks.diagnose.shadow [--settings 12] [--skip-tables]

Pictures: a model of `benchmarks.diagnose.world`; failures are learnt on 2,400 of its 6,000 validation rows, the share
that a study sees by default. Streams of 5,000 fresh pictures: *same*, with the shares of validation; *drifted*, with
the planted conditions twice as common and with one condition, in a tenth of the rows, that neither base nor validation
has. Writes benchmarks/results/diagnose_shadow.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.data.hashing import row_hashes
from autodc.diagnose.shadow.columns import Columns
from autodc.diagnose.shadow.conditions import which
from autodc.diagnose.shadow.failure import auroc
from autodc.diagnose.shadow.features import Featurer
from autodc.diagnose.shadow.mine import Learned, Mined, Seen, mine
from benchmarks.diagnose.conditions import CONDITIONS
from benchmarks.diagnose.world import Pictures, Setting, setting

Array = np.ndarray[Any, Any]

ROWS, EXPLORED, PICKS = 5000, 2400, 200
NEW = 0.1
MORE = 2.0


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one stream showed."""

    setting: int
    stream: str
    auroc: float
    confidence: float
    base_rate: float
    picked: float
    """Share of failures among the picks."""
    likely: float
    """The same where nothing is set aside for what is new."""
    by_confidence: float
    unseen: float
    unseen_likely: float
    estimate: float
    low: float
    high: float
    plain: float
    """The mean confidence says so many fail."""
    warned: bool
    optimistic: bool


def look(number: int) -> list[Look]:
    """Both streams of a setting."""
    world = setting(number)
    rng = np.random.default_rng(seeds.child(number, "shadow"))
    explore = np.sort(rng.choice(len(world.validation), EXPLORED, replace=False))
    new = str(rng.choice([name for name in CONDITIONS if name not in (*world.planted, *world.benign)]))
    shares = {name: float((world.validation.condition == name).mean()) for name in (*world.planted, *world.benign)}
    drifted = {name: share * (MORE if name in world.planted else 1.0) for name, share in shares.items()}
    featurer, learned = _learned(world, explore)
    streams = {"same": world.draw(ROWS, shares, 1), "drifted": world.draw(ROWS, {**drifted, new: NEW}, 2)}
    return [_look(world, featurer, learned, name, rows, new) for name, rows in streams.items()]


def _learned(world: Setting, explore: Array) -> tuple[Featurer, Learned]:
    frame = world.attributes(world.validation, "pixels")
    columns = Columns.shared(frame, frame)
    base = world.attributes(world.base, "pixels")
    featurer = Featurer.of(columns, world.base.x, base, world.base.y, seed=world.number)
    known, layout = featurer.features(world.probabilities, frame, world.validation.x)
    failed = world.error[explore] > 0
    return featurer, Learned.of(known, layout, frame, explore, failed, explore, world.number)


def seen_of(featurer: Featurer, learned: Learned, probabilities: Array, frame: pd.DataFrame, x: Array) -> Seen:
    """What shadow mode notes of rows."""
    features, _ = featurer.features(probabilities, frame, x)
    return Seen(
        features=features,
        failure=learned.model.predict(features),
        content=row_hashes(x),
        condition=which(tuple(one.rule for one in learned.gathered), frame),
        predicted=probabilities.argmax(axis=1),
    )


def _look(world: Setting, featurer: Featurer, learned: Learned, name: str, rows: Pictures, new: str) -> Look:
    p = world.model.probabilities(rows.x)
    failed = p.argmax(axis=1) != rows.y
    seen = seen_of(featurer, learned, p, world.attributes(rows, "pixels"), rows.x)
    mined: Mined = mine(learned, seen, PICKS, {}, world.number)
    picked = [one.row for one in mined.picked]
    likely = np.argsort(-seen.failure)[:PICKS]
    unsure = np.argsort(p.max(axis=1))[:PICKS]
    odd = rows.condition == new
    return Look(
        setting=world.number,
        stream=name,
        auroc=float(auroc(failed, seen.failure) or np.nan),
        confidence=float(auroc(failed, -p.max(axis=1)) or np.nan),
        base_rate=float(failed.mean()),
        picked=float(failed[picked].mean()),
        likely=float(failed[likely].mean()),
        by_confidence=float(failed[unsure].mean()),
        unseen=float(odd[picked].mean()),
        unseen_likely=float(odd[likely].mean()),
        estimate=mined.estimate.estimate,
        low=mined.estimate.low,
        high=mined.estimate.high,
        plain=float(1 - p.max(axis=1).mean()),
        warned=mined.drifts,
        optimistic=mined.estimate.warned,
    )


def main(words: Sequence[str] | None = None) -> None:
    """Run, and write the page."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--settings", type=int, default=12)
    options = asked.parse_args(words)
    table = pd.DataFrame([vars(one) for number in range(options.settings) for one in look(number)])
    print(table.round(3).to_string())
    print(table.groupby("stream").mean(numeric_only=True).round(4).T.to_string())


if __name__ == "__main__":
    main()
