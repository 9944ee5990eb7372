"""The peers of the search benchmark: each spends exactly what it is given, and its figures keep censored runs."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.search import figures, page, rows, worlds
from benchmarks.search.peers import PEERS
from benchmarks.search.runs import Record, Task, run

SLOW = {"gp"}
STILL = {"uniform", "base"}


@pytest.mark.slow
@pytest.mark.parametrize("peer", sorted(set(PEERS) - SLOW))
def test_a_peer_spends_its_trainings_and_answers(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(worlds.SYNTHETIC, "tiny", lambda seed: worlds.World(6, 3, seed))
    if peer == "shapley" and importlib.util.find_spec("pydvl") is None:
        pytest.skip("pydvl is installed by make bench-search")
    found = run(Task(world="tiny", seed=7, repeat=0, peer=peer, stops=(14,)))
    assert found.trained == (0 if peer in STILL else 14)
    assert len(found.share) == len(found.own) == 1
    assert np.isfinite([*found.share, *found.own]).all()


@pytest.mark.slow
def test_a_run_again_is_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(worlds.SYNTHETIC, "tiny", lambda seed: worlds.World(6, 3, seed))
    task = Task(world="tiny", seed=7, repeat=0, peer="tpe", stops=(14,))
    assert run(task).share == run(task).share


def test_a_run_that_never_gets_there_counts_as_later_than_its_end() -> None:
    good, bad = _record((0.5, 0.95)), _record((0.2, 0.3))
    assert figures.trainings_to(good) == pytest.approx(20 + 20 * 0.4 / 0.45)
    assert figures.trainings_to(_record((0.95, 0.99))) == pytest.approx(20 * 0.9 / 0.95)
    assert figures.median_to([good, good, bad])[1] == "38"
    assert figures.median_to([good, bad, bad])[1] == "> 40"


def test_rows_of_a_part_replace_those_on_file_and_unknown_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "RAW", tmp_path / "raw.jsonl")
    rows.RAW.write_text('{"kind":"replay","method":"ours"}\n')
    rows.add([_record((0.1, 0.2)), _record((0.3, 0.4), repeat=1), _record((0.1, 0.1), peer="random")])
    rows.add([_record((0.8, 0.9))])
    found = [(r.peer, r.share) for r in rows.read() if isinstance(r, Record)]
    assert sorted(found) == [("mixture", (0.8, 0.9)), ("random", (0.1, 0.1))]
    *ours, earlier = [json.loads(line) for line in rows.RAW.read_text().splitlines()]
    assert all(row["stamp"] for row in ours)
    assert earlier == {"kind": "replay", "method": "ours"}


def test_every_row_of_runs_and_costs_on_file_is_read() -> None:
    kinds = [json.loads(line)["kind"] for line in rows.RAW.read_text().splitlines()]
    assert len(rows.read()) == sum(kind in rows.KINDS for kind in kinds) > 500


def test_the_page_says_what_was_not_measured_and_what_was_missed() -> None:
    text = page.page([_record((0.1, 0.2), world="K60", stops=(80, 160))])
    assert "| synthetic K=60 | mean share at 80 | ≥ 0.88 | 0.10 | **no** |" in text
    assert "| synthetic K=200 | mean share at 200 | ≥ 0.75 | – | not measured |" in text


def _record(
    share: tuple[float, ...],
    peer: str = "mixture",
    repeat: int = 0,
    world: str = "K20",
    stops: tuple[int, ...] = (20, 40),
) -> Record:
    return Record(
        world=world,
        seed=0,
        repeat=repeat,
        peer=peer,
        stops=stops,
        share=share,
        own=share,
        optimism=(0.0,) * len(share),
        own_optimism=(None,) * len(share),
        gap=1.0,
        trained=stops[-1],
        optimiser=1.0,
        training=1.0,
        recommending=1.0,
    )
