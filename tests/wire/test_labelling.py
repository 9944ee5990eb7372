"""Rows of a pool without labels: who is asked for them, on which sheet, and what comes of a sheet that comes back."""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from autodc.adapters.artefacts import ArtefactStore
from autodc.errors import AutodcError, each_of
from autodc.propose import oracle, pool
from autodc.propose.proposal import Proposal
from autodc.report.requests import write_requests
from autodc.review import requests as told
from autodc.study.journal import events as ev
from autodc.study.journal.codec import from_dict
from autodc.study.journal.fold import apply, fold
from autodc.study.journal.state import State
from autodc.studyfile import load
from autodc.verbs.run import exhibits_of
from autodc.wire.admitting import DATASETS, Entrance, origin_file, stored_dataset
from autodc.wire.inputs import Inputs, read_inputs
from autodc.wire.labelling import PEOPLE, Labelling, row_ids
from autodc.wire.oracle_file import arrivals_of
from autodc.wire.oracles import labelling, most_datasets
from autodc.wire.study import started_event

X, Y = load_digits(return_X_y=True)
BASE, VALIDATION = 400, 900
ROWS = list(range(100, 140))
"""Of the pool, that people are asked about."""


def desk(folder: Path, **data: Any) -> Inputs:
    """Digits: a base, validation, and a pool that nobody has labelled. data: more of `data.pool`, or of `data`."""
    pictures = X.reshape(-1, 8, 8).astype(np.float32)
    for name, rows in (("base", slice(0, BASE)), ("validation", slice(BASE, VALIDATION))):
        np.savez(folder / f"{name}.npz", x=pictures[rows], y=Y[rows])
    name = np.array([f"scan {n}" for n in range(VALIDATION, len(X))])
    np.savez(folder / "pool.npz", x=pictures[VALIDATION:], name=name)
    more = data.pop("pool", {})
    study = {
        "schema_version": 1,
        "name": "digits",
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "GaussianNB"}},
        "data": {
            "base": {"source": "base.npz"},
            "validation": {"source": "validation.npz"},
            "inbox": "inbox",
            **data,
            "pool": {"source": "pool.npz", "cost_per_row": 0.5, **more},
        },
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "loop": {"rounds": 2, "propose": ["pool"], "proposals": 3},
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(study))
    (folder / "inbox").mkdir(exist_ok=True)
    return read_inputs(load(folder / "study.yaml"))


def rows_of(name: str, rows: Sequence[int], finding: str | None = "F1") -> Proposal:
    beside = () if finding else ("pool-F1",)
    told = {"rows": list(rows), "matching": 99}
    return Proposal(name=name, by="pool", maker="", arguments=told, rows=len(rows), finding=finding, control_of=beside)


def chosen(inputs: Inputs, folder: Path, state: State, most: int = len(ROWS)) -> tuple[tuple[Proposal, ...], Any]:
    """What becomes of a finding's rows and of a control, where rows of the pool are chosen in their order."""

    def propose(seen: pool.Seen, wishes: Sequence[pool.Wish]) -> Any:
        free = [row for row in ROWS if not seen.barred[row]]
        if len(free) < pool.FEWEST:
            return (), ({"code": "ADC-PROP-003", "got": f"{wishes[0].name}: {len(free)} rows"},)
        made = [rows_of(one.name, free, one.finding) for one in wishes]
        return (*made, rows_of("random-1", np.flatnonzero(~seen.barred)[-20:].tolist(), None)), ()

    wish = pool.Wish(name="pool-F1", why="F1", finding="F1")
    desk_of = Labelling(inputs.spec, inputs.catalogue, ArtefactStore(folder / "out" / DATASETS))
    return desk_of.proposals(nobody_saw(inputs), [wish], propose, state, lambda finding: most)


def nobody_saw(inputs: Inputs) -> pool.Seen:
    nothing = np.zeros(0)
    return pool.Seen(
        ids=nothing,
        failed=nothing,
        target=nothing,
        attributes=None,  # type: ignore[arg-type]
        embeddings={},
        pool_attributes=None,  # type: ignore[arg-type]
        pool_embeddings={},
        content=nothing,
        barred=np.zeros(len(row_ids(inputs.catalogue)), dtype=bool),
    )


def asked(inputs: Inputs, folder: Path) -> State:
    """A study in which people were asked to label rows of the pool for a finding."""
    state = fold([started_event(inputs)])
    assert state.incumbent is not None
    plan = state.incumbent.to_dict()
    apply(state, ev.DiagnosisMade(round=1, horizon=0, plan=plan, trial=0, rows=100, findings=1))
    gap = {"inside": 0.5, "outside": 0.1, "difference": 0.4, "low": 0.3, "high": 0.5}
    kind: dict[str, Any] = {"code": "ADC-D001", "basis": "attributes", "status": "confirmed", "by": "beam"}
    here = {"round": 1, "horizon": 0, "found": 9, "confirmed": 9, "error": gap, "ids": (1, 2)}
    apply(state, ev.FindingMade(id="F1", rule="ink > 5", **here, **kind))
    made, _ = chosen(inputs, folder, state)
    (one,) = [each for each in made if each.maker == PEOPLE]
    gain = {"low": 0.01, "mid": 0.02, "high": 0.03}
    inside = {"before": 0.5, "low": 0.1, "mid": 0.2, "high": 0.3}
    known: dict[str, Any] = {"rows": one.rows, "gain": gain, "inside": inside, "price": 0.5, "cost": 20.0}
    event = ev.RequestMade(id="R1", round=1, horizon=0, finding="F1", label=one.arguments, **known)
    assert from_dict("RequestMade", event.version, event.to_dict()) == event
    apply(state, event)
    return state


def sheet(inputs: Inputs, folder: Path, state: State) -> list[dict[str, str]]:
    """The lines of the sheet, as somebody opens them."""
    write_requests(state, folder / "out", exhibits_of(folder / "out"))
    with (folder / "out" / "requests" / "R1" / "to_label.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def filled(lines: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{**line, "label": str(Y[VALIDATION + int(line["id"])])} for line in lines]


def put(path: Path, lines: Sequence[dict[str, str]], separator: str = ",") -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(lines)
    os.utime(path, (time.time() - 60, time.time() - 60))


def arrived(inputs: Inputs, folder: Path, state: State, notices: list[str] | None = None) -> list[Any]:
    """What arrives for a study that looks for the first time."""
    store = ArtefactStore(folder / "out" / DATASETS)
    found = arrivals_of(inputs, store, ([] if notices is None else notices).append, Entrance(inputs, store))
    assert found is not None
    return list(found.arrived(state))


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

    def propose(seen: pool.Seen, wishes: Sequence[pool.Wish]) -> Any:
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


def test_rows_are_called_by_their_number_in_the_source_where_nothing_names_them(world: tuple[Inputs, Path]) -> None:
    inputs, _ = world
    assert row_ids(inputs.catalogue)[:3] == ["0", "1", "2"]


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
