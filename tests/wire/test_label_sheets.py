"""Sheets on which people label rows of a pool: what is on them, and what comes of one that comes back."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from autodc.adapters.artefacts import ArtefactStore
from autodc.review import requests as told
from autodc.study.journal import events as ev
from autodc.study.journal.fold import apply, fold
from autodc.study.journal.state import State
from autodc.wire.admitting import DATASETS, origin_file, stored_dataset
from autodc.wire.inputs import Inputs
from autodc.wire.study import started_event
from tests.wire.labelling_desk import (
    ROWS,
    VALIDATION,
    X,
    Y,
    arrived,
    asked,
    chosen,
    desk,
    filled,
    put,
    sheet,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Inputs, Path]:
    folder = tmp_path_factory.mktemp("digits")
    return desk(folder), folder


def test_people_are_asked_by_a_sheet_with_pictures_and_what_they_fill_in_is_a_candidate(tmp_path: Path) -> None:
    inputs = desk(tmp_path)
    state = asked(inputs, tmp_path)
    lines = sheet(inputs, tmp_path, state)
    assert [int(line["id"]) for line in lines] == ROWS
    assert {"label", "picture", "name"} <= lines[0].keys()
    assert "prediction" not in lines[0]
    for line in lines:
        assert (tmp_path / "out" / "requests" / "R1" / line["picture"]).is_file()
    page = (tmp_path / "out" / "requests" / "R1.md").read_text()
    assert "40 rows of the pool, to be labelled" in page
    assert "to_label.csv" in page
    put(tmp_path / "inbox" / "R1.csv", filled(lines)[::-1], ";")
    (event,) = arrived(inputs, tmp_path, state)
    card = event.card
    assert (event.name, card["request"], card["finding"], card["cost"]) == ("R1", "R1", "F1", 20.0)
    apply(state, event)
    store = ArtefactStore(tmp_path / "out" / DATASETS)
    data = stored_dataset(store, state, "R1")
    assert data.y is not None
    assert data.y.tolist() == Y[VALIDATION:][ROWS].tolist()
    assert origin_file(store.path, card["fingerprint"]).exists()
    (request,) = told.requests(state)
    assert (request["status"], request["to_label"]["rows"]) == ("delivered", 40)
    put(tmp_path / "inbox" / "R1-again.csv", [{**line, "label": "1"} for line in lines])
    (again,) = arrived(inputs, tmp_path, state)
    assert again.problems[0]["code"] == "ADC-PROP-079"


def test_a_sheet_holds_no_more_rows_than_a_request_asks_for(world: tuple[Inputs, Path]) -> None:
    inputs, folder = world
    ((one,), _) = chosen(inputs, folder, fold([started_event(inputs)]), most=25)
    assert (one.rows, one.arguments["rows"]) == (25, ROWS[:25])
    stored = ArtefactStore(folder / "out" / DATASETS).get(one.arguments["sheet"])
    assert len(stored["pictures"]) == 25


def test_a_sheet_is_not_written_over_while_somebody_fills_it_in(world: tuple[Inputs, Path]) -> None:
    inputs, folder = world
    state = asked(inputs, folder)
    lines = sheet(inputs, folder, state)
    path = folder / "out" / "requests" / "R1" / "to_label.csv"
    put(path, filled(lines))
    assert sheet(inputs, folder, state) == filled(lines)
    path.unlink()


Change = Callable[[list[dict[str, str]]], list[dict[str, str]]]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda lines: [{**line, "label": ""} for line in lines], "ADC-INBX-003", "40 lines without"),
        (lambda lines: [{**lines[0], "label": " "}, *lines[1:]], "ADC-INBX-001", "row 100 the first"),
        (lambda lines: lines[:30], "ADC-PROP-077", "10 ids missing, such as 130"),
        (lambda lines: [*lines, lines[0]], "ADC-PROP-077", "1 ids twice, such as 100"),
        (lambda lines: [*lines, {**lines[0], "id": "7"}], "ADC-PROP-077", "such as 7"),
        (lambda lines: [{**line, "id": f"x{line['id']}"} for line in lines], "ADC-PROP-077", "such as x100"),
        (lambda lines: [{**lines[0], "label": "eight"}, *lines[1:]], "ADC-PROP-074", "`eight` for 1 rows, row 100"),
        (lambda lines: [{**lines[0], "label": "nan"}, *lines[1:]], "ADC-PROP-074", "`nan`"),
        (lambda lines: [*lines[:19], *[{**line, "label": "?"} for line in lines[19:]]], "ADC-PROP-075", "19 of 40"),
        (lambda lines: [{"id": line["id"], "lable": line["label"]} for line in lines], "ADC-PROP-076", "`label`"),
    ],
)
def test_a_sheet_that_does_not_fit_is_one_message_and_nothing_joins(
    world: tuple[Inputs, Path], change: Change, code: str, words: str
) -> None:
    inputs, folder = world
    state = asked(inputs, folder)
    put(folder / "inbox" / "R1.csv", change(filled(sheet(inputs, folder, state))))
    notices: list[str] = []
    (event,) = arrived(inputs, folder, state, notices)
    assert isinstance(event, ev.DeliveryRefused)
    assert (len(notices), [one["code"] for one in event.problems]) == (1, [code])
    assert words in event.problems[0]["got"]
    assert event.problems[0]["hint"]
    (folder / "inbox" / "R1.csv").unlink()


def test_a_sheet_that_is_cut_in_the_midst_of_a_line_is_refused(world: tuple[Inputs, Path]) -> None:
    inputs, folder = world
    state, path = asked(inputs, folder), folder / "inbox" / "R1.csv"
    put(path, filled(sheet(inputs, folder, state)))
    path.write_bytes(path.read_bytes()[:-30])
    os.utime(path, (time.time() - 60, time.time() - 60))
    (event,) = arrived(inputs, folder, state)
    path.unlink()
    assert event.problems[0]["code"] == "ADC-PROP-076"
    assert ".part" in event.problems[0]["hint"]


def test_lines_of_json_and_a_mapping_are_taken_too(world: tuple[Inputs, Path]) -> None:
    inputs, folder = world
    state = asked(inputs, folder)
    labels = {str(row): int(Y[VALIDATION + row]) for row in ROWS}
    lines = "".join(json.dumps({"id": int(one), "label": label}) + "\n" for one, label in labels.items())
    for name, text in (("R1.jsonl", lines), ("r1 of May.json", json.dumps(labels))):
        path = folder / "inbox" / name
        path.write_text(text)
        os.utime(path, (time.time() - 60, time.time() - 60))
        (event,) = arrived(inputs, folder, state)
        assert (event.card["rows"], event.card["request"]) == (40, "R1")
        path.unlink()


def test_rows_of_a_persons_own_answer_a_request_for_labels_too(world: tuple[Inputs, Path]) -> None:
    inputs, folder = world
    state, path = asked(inputs, folder), folder / "inbox" / "R1.npz"
    np.savez(path, x=X[-30:].reshape(-1, 8, 8).astype(np.float32)[:, ::-1], y=Y[-30:])
    os.utime(path, (time.time() - 60, time.time() - 60))
    (event,) = arrived(inputs, folder, state)
    assert (event.card["rows"], event.card["request"], event.card["parent"]) == (30, "R1", [])
    path.unlink()


def test_a_table_is_labelled_by_its_own_ids_and_the_words_of_its_classes(tmp_path: Path) -> None:
    known = load_breast_cancer(as_frame=True)
    frame = known.frame.assign(diagnosis=np.asarray(known.target_names)[known.target]).drop(columns="target")
    frame.insert(0, "patient", [f"p-{n:03d}" for n in range(len(frame))])
    for name, rows in (("base", slice(0, 150)), ("validation", slice(150, 400))):
        frame[rows].to_csv(tmp_path / f"{name}.csv", index=False)
    frame[400:].drop(columns="diagnosis").to_csv(tmp_path / "pool.csv", index=False)
    options = {"target": "diagnosis", "id": "patient"}
    inputs = desk(
        tmp_path,
        base={"source": "base.csv", "options": options},
        validation={"source": "validation.csv", "options": options},
        pool={"source": "pool.csv", "options": {"id": "patient"}},
    )
    state = asked(inputs, tmp_path)
    lines = sheet(inputs, tmp_path, state)
    assert [line["id"] for line in lines] == [f"p-{400 + row}" for row in ROWS]
    assert {"mean radius", "label"} <= lines[0].keys()
    truth = dict(zip(frame["patient"], frame["diagnosis"], strict=True))
    answers = [{**line, "label": truth[line["id"]]} for line in lines]
    answers[0]["label"] = "?"
    folder = tmp_path / "inbox" / "R1 done"
    folder.mkdir()
    put(folder / "to_label.csv", answers)
    (event,) = arrived(inputs, tmp_path, state)
    data = stored_dataset(ArtefactStore(tmp_path / "out" / DATASETS), state_with(state, event), event.name)
    assert inputs.catalogue.classes is not None
    assert data.y is not None
    assert [inputs.catalogue.classes[code] for code in data.y] == [truth[f"p-{400 + row}"] for row in ROWS[1:]]
    assert (event.card["rows"], event.card["cost"]) == (39, 19.5)


def test_rows_with_ids_of_their_own_are_rows_and_a_sheet_is_one_by_its_ids(tmp_path: Path) -> None:
    known = load_breast_cancer(as_frame=True)
    frame = known.frame.rename(columns={"target": "label"})
    for name, rows in (("base", slice(0, 150)), ("validation", slice(150, 400))):
        frame[rows].to_csv(tmp_path / f"{name}.csv", index=False)
    frame[400:560].drop(columns="label").to_csv(tmp_path / "pool.csv", index=False)
    options = {"target": "label"}
    sources = {
        "base": {"source": "base.csv", "options": options},
        "validation": {"source": "validation.csv", "options": options},
        "pool": {"source": "pool.csv"},
    }
    inputs = desk(tmp_path, **sources)
    state, path = asked(inputs, tmp_path), tmp_path / "inbox" / "R1.csv"
    own = frame[-30:].assign(**{"mean radius": lambda rows: rows["mean radius"] + 1})
    for ids in (range(30), range(95, 125)):
        own.assign(id=list(ids)).to_csv(path, index=False)
        os.utime(path, (time.time() - 60, time.time() - 60))
        (event,) = arrived(inputs, tmp_path, state)
        wanted = (30, []) if ids[0] == 0 else "ADC-PROP-077"
        got = (event.card["rows"], event.card["parent"]) if hasattr(event, "card") else event.problems[0]["code"]
        assert got == wanted


def test_texts_with_labels_are_rows(tmp_path: Path) -> None:
    lines = [f"{'good' if n % 2 else 'bad'} thing {n}" for n in range(300)]
    for name, rows in (("base", range(100)), ("validation", range(100, 150))):
        put(tmp_path / f"{name}.csv", [{"text": lines[n], "label": str(n % 2)} for n in rows])
    put(tmp_path / "pool.csv", [{"text": lines[n]} for n in range(150, 300)])
    text = {"text": "text"}
    inputs = desk(
        tmp_path,
        base={"source": "base.csv", "options": {**text, "target": "label"}},
        validation={"source": "validation.csv", "options": {**text, "target": "label"}},
        pool={"source": "pool.csv", "options": text},
    )
    state = asked(inputs, tmp_path)
    own = [{"text": f"{'good' if n % 2 else 'bad'} new thing {n}", "label": str(n % 2)} for n in range(30)]
    for lines_of in (own, [{"id": f"n{n}", **line} for n, line in enumerate(own)]):
        put(tmp_path / "inbox" / "R1.csv", lines_of)
        (event,) = arrived(inputs, tmp_path, state)
        assert (event.card["rows"], event.card["request"], event.card["parent"]) == (30, "R1", [])


def state_with(state: State, event: ev.DatasetAdmitted) -> State:
    apply(state, event)
    return state
