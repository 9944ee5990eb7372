"""Rows of a pool without labels: who is asked for them, people, a function or a file, and what `check` says of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.artefacts import ArtefactStore
from autodc.errors import AutodcError, each_of
from autodc.propose import oracle, pool
from autodc.study.journal.fold import apply, fold
from autodc.wire.admitting import DATASETS
from autodc.wire.labelling import PEOPLE, Labelling, row_ids
from autodc.wire.oracles import labelling, most_datasets
from autodc.wire.study import started_event
from tests.wire.labelling_desk import (
    ROWS,
    VALIDATION,
    Y,
    arrived,
    asked,
    chosen,
    desk,
    filled,
    nobody_saw,
    put,
    rows_of,
    sheet,
)


def test_a_file_of_labels_is_drawn_from_and_answers_requests_once_it_has_them(tmp_path: Path) -> None:
    inputs = desk(tmp_path, pool={"oracle": "labels.csv"}, inbox=None)
    assert any(f"there is no {tmp_path / 'labels.csv'} yet" in one for one in inputs.warnings)
    state = asked(inputs, tmp_path)
    assert arrived(inputs, tmp_path, state) == []
    lines = filled(sheet(inputs, tmp_path, state))
    path = tmp_path / "labels.csv"
    put(path, [{"id": line["id"], "label": line["label"]} for line in lines[:25]])
    notices: list[str] = []
    (event,) = arrived(inputs, tmp_path, state, notices)
    assert event.problems[0]["code"] == "ADC-INBX-001"
    assert "25 of 40" in notices[0]
    apply(state, event)
    assert arrived(inputs, tmp_path, state) == []  # it was told
    fresh = fold([started_event(inputs)])
    (made, control), notes = chosen(inputs, tmp_path, fresh)
    assert (made.maker, made.arguments["rows"], notes) == (oracle.KNOWN, ROWS[:25], ())
    assert made.arguments["targets"] == Y[VALIDATION:][ROWS[:25]].tolist()
    assert control.maker == oracle.KNOWN
    put(path, [{"id": line["id"], "label": line["label"]} for line in lines])
    path.write_text(path.read_text()[:-2])  # it is being written: the last label may go on
    (made, _), _ = chosen(inputs, tmp_path, fresh)
    assert made.arguments["rows"] == ROWS[:-1]
    put(path, [{"id": line["id"], "label": line["label"]} for line in lines])
    joined, over = arrived(inputs, tmp_path, state)
    assert (joined.name, joined.card["request"], joined.card["rows"]) == ("R1-labels", "R1", 40)
    assert over.problems == ()
    put(path, [{"id": "99999", "label": "3"}])
    _, notes = chosen(inputs, tmp_path, fresh)
    assert [one["code"] for one in notes] == ["ADC-PROP-077"]


def test_a_file_and_people_may_give_as_many_datasets_each_beside_the_control(tmp_path: Path) -> None:
    inputs = desk(tmp_path, pool={"oracle": "labels.csv"})
    put(tmp_path / "labels.csv", [{"id": str(row), "label": "1"} for row in range(300)])
    wishes = [pool.Wish(name=f"pool-F{k}", why="", finding=f"F{k}") for k in range(9)]

    def propose(seen: pool.PoolView, wishes: Sequence[pool.Wish]) -> Any:
        free = np.flatnonzero(~seen.barred).tolist()
        made = [rows_of(one.name, free[k * 20 : (k + 1) * 20], one.finding) for k, one in enumerate(wishes[:3])]
        return (*made, rows_of("random-1", free[-20:], None)), ()

    desk_of = Labelling(inputs.spec, inputs.catalogue, ArtefactStore(tmp_path / "out" / DATASETS))
    made, _ = desk_of.proposals(nobody_saw(inputs), wishes, propose, fold([started_event(inputs)]))
    assert len(made) == most_datasets(inputs.spec, inputs.catalogue) == 3 + 1 + 3


def test_a_function_is_asked_on_a_worker_with_its_control(tmp_path: Path) -> None:
    (tmp_path / "label.py").write_text("def label(x, metadata, ids):\n    return [1] * len(ids)\n")
    inputs = desk(tmp_path, pool={"oracle": "label.py:label", "options": {"id": "name"}})
    (made, control), _ = chosen(inputs, tmp_path, fold([started_event(inputs)]))
    assert (made.maker, control.maker) == (oracle.ASK, oracle.ASK)
    assert made.arguments["ids"][0] == "scan 1000"
    assert json.loads(json.dumps(made.to_dict()))["arguments"]["wanted"]["classes"] == list(range(10))
    assert not any(one.maker == PEOPLE for one in (made, control))


def test_rows_are_called_by_their_number_in_the_source_where_nothing_names_them(tmp_path: Path) -> None:
    assert row_ids(desk(tmp_path).catalogue)[:3] == ["0", "1", "2"]


def test_check_says_who_labels_how_much_and_at_what_price(tmp_path: Path) -> None:
    found = labelling(desk(tmp_path).spec, desk(tmp_path).catalogue)
    assert found is not None
    assert (found["by"], found["most_rows"], found["most_cost"]) == ("people", 897, 448.5)
    assert "inbox" in found["words"]
    inputs = desk(tmp_path, inbox=None)
    assert any("no labels can come back" in one for one in inputs.warnings)


def test_what_is_no_oracle_is_told_before_the_night(tmp_path: Path) -> None:
    (tmp_path / "label.py").write_text("def label(x, metadata, ids):\n    return [1] * len(ids)\n")
    for name, words in (("label.py:lable", "label"), ("lable.py:label", "lable.py"), ("labels.xlsx", ".csv")):
        with pytest.raises(AutodcError) as error:
            desk(tmp_path, pool={"oracle": name})
        assert [one.code for one in each_of(error.value)] == ["ADC-PROP-070"]
        assert words in str(error.value)
        assert "data.pool.oracle" in str(error.value)
