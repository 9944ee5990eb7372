"""The peers of the search benchmark: each spends exactly what it is given, and its figures keep censored runs."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.search import cases, figures, page, raw
from benchmarks.search.peers import PEERS
from benchmarks.search.published import Table, replay
from benchmarks.search.runs import Record, Task, run

SLOW = {"gp"}
STILL = {"uniform", "base"}


@pytest.mark.parametrize("peer", sorted(set(PEERS) - SLOW))
def test_a_peer_spends_its_trainings_and_answers(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cases.SYNTHETIC, "tiny", (6, 0.1))
    if peer == "shapley" and importlib.util.find_spec("pydvl") is None:
        pytest.skip("pydvl is installed by make bench-search")
    found = run(Task(world="tiny", seed=7, repeat=0, peer=peer, stops=(14,)))
    assert found.trained == (0 if peer in STILL else 14)
    assert len(found.share) == len(found.own) == 1
    assert np.isfinite([*found.share, *found.own]).all()


def test_a_run_again_is_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cases.SYNTHETIC, "tiny", (6, 0.1))
    task = Task(world="tiny", seed=7, repeat=0, peer="tpe", stops=(14,))
    assert run(task).share == run(task).share


def test_a_run_that_never_gets_there_counts_as_later_than_its_end() -> None:
    good, bad = _record((0.5, 0.95)), _record((0.2, 0.3))
    assert figures.trainings_to(good) == pytest.approx(20 + 20 * 0.4 / 0.45)
    assert figures.trainings_to(_record((0.95, 0.99))) == pytest.approx(20 * 0.9 / 0.95)
    assert figures.median_to([good, good, bad])[1] == "38"
    assert figures.median_to([good, bad, bad])[1] == "> 40"


def test_a_replay_chooses_rows_of_the_table_and_nothing_else() -> None:
    rng = np.random.default_rng(3)
    mixtures = rng.dirichlet(np.full(4, 0.5), 40)
    losses = 3 - np.sqrt(mixtures) @ rng.normal(size=(4, 3)) + rng.normal(0, 0.01, (40, 3))
    table = Table(domains=tuple("abcd"), slices=tuple("xyz"), mixtures=mixtures, losses=losses)
    found = replay(table, ("ours", 0), 20)
    assert found.share[-1] == pytest.approx(1.0, abs=0.2)
    assert set(found.share) <= {round(float(v), 3) for v in table.value}
    assert figures.first_hit(found) <= 20


def test_rows_of_a_part_replace_those_on_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "RAW", tmp_path / "raw.jsonl")
    raw.add([_record((0.1, 0.2)), _record((0.3, 0.4), repeat=1), _record((0.1, 0.1), peer="random")])
    raw.add([_record((0.8, 0.9))])
    rows = raw.read()
    assert sorted((r.peer, r.share) for r in rows) == [("mixture", (0.8, 0.9)), ("random", (0.1, 0.1))]
    assert all(json.loads(line)["stamp"] for line in raw.RAW.read_text().splitlines())


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
