"""What a diagnosis says of labels, in words: which are likely wrong, where, and what would reconcile two datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autodc.plan.mixture import BASE
from autodc.review.numbers import count, listed
from autodc.study.journal.state import State

PARTS = ("validation", "training")
"""What is looked at for wrong labels."""
PAIRS, ROWS, DIFFERING = 3, 5, 3
"""Pairs of classes, rows and differences that are told of a dataset."""


def label_words(found: Mapping[str, Any]) -> list[str]:
    """One sentence for each thing that is told of labels; nothing where none is. found: `labels` as JSON."""
    return [words for _, words in _told(found)]


def words_about(found: Mapping[str, Any], name: str) -> list[str]:
    """What is told of the labels of one dataset."""
    return [words for of, words in _told(found) if of == name]


def labels_dict(state: State) -> dict[str, Any] | None:
    """The same for result.json; None where no diagnosis looked at labels."""
    found = state.labels
    return {name: found.get(name) for name in (*PARTS, "conventions", "annotators")} if found else None


def shortened(found: Mapping[str, Any]) -> dict[str, Any]:
    """The same without the rows that no sentence names: a journal is read again and again. found: `labels` as JSON."""
    short = dict(found)
    for part in PARTS:
        if (seen := found.get(part)) is not None:
            sure = [one for one in seen["suspects"] if one["sure"]]
            of = {one["name"]: [s for s in sure if s["dataset"] == one["name"]][:ROWS] for one in seen["datasets"]}
            short[part] = {**seen, "suspects": [s for some in of.values() for s in some]}
    short["annotators"] = [
        {**one, **{key: list(one.get(key, ()))[:ROWS] for key in ("disputed", "differing")}}
        for one in found.get("annotators", ())
    ]
    return short


def looked_at(found: Mapping[str, Any]) -> str:
    """How many rows were looked at, where not all were; empty where all were."""
    parts = [(name, found.get(name)) for name in PARTS]
    some = [
        f"{seen['rows']} of {count(seen['of'], f'{n} row')}" for n, seen in parts if seen and seen["rows"] < seen["of"]
    ]
    return f"looked at {listed(some)}, evenly" if some else ""


def convention_words(one: Mapping[str, Any]) -> str:
    """Two datasets that label alike rows differently, and what would reconcile them."""
    ours, theirs = one["ours"], one["theirs"]
    some = [
        f"{d['ours']} what {theirs} calls {d['theirs']} ({d['rows']} of {_of(d)} alike rows)"
        for d in one["differing"][:DIFFERING]
    ]
    return f"{ours} calls {listed(some)}; {_advice(one)}"


def annotator_words(one: Mapping[str, Any]) -> str:
    """What several annotators of a dataset dispute, where they overrule its label, and who is the worst."""
    if one["status"] == "not_applicable":
        return ""
    told = []
    if one["disputes"]:
        rows = ", ".join(f"row {s['row']}" for s in one["disputed"][:ROWS])
        told.append(f"{count(one['disputes'], 'row')} of {one['rows']} are disputed, first {rows}")
    if one["differ"]:
        rows = ", ".join(f"row {s['row']} ({s['given']}, they say {s['consensus']})" for s in one["differing"][:ROWS])
        told.append(f"{count(one['differ'], 'label')} are not what they agree on, first {rows}")
    worst = next((a for a in one["annotators"] if a["quality"] is not None and a["agreement"] is not None), None)
    if worst is not None:
        share = f"agrees with others in {worst['agreement']:.0%}"
        told.append(f"the least reliable is {worst['name']} (right in about {worst['quality']:.0%}, {share})")
    return f"{count(len(one['annotators']), 'annotator')} of {one['name']}: {'; '.join(told)}" if told else ""


def _told(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each sentence, and the dataset that it is about."""
    said: list[tuple[str, str]] = []
    for part in PARTS:
        seen = found.get(part)
        if seen is not None and seen["status"] == "found":
            said += [(one["name"], _dataset_words(one, seen["suspects"])) for one in seen["datasets"]]
    said += [(one["name"], annotator_words(one)) for one in found.get("annotators", ())]
    said += [(one["ours"], convention_words(one)) for one in (found.get("conventions") or {}).get("found", ())]
    return [(of, words) for of, words in said if words]


def _advice(one: Mapping[str, Any]) -> str:
    if not one["yaml"]:
        return "no map of labels would reconcile them"
    agreed = f"labels of alike rows then agree in {one['mapped']:.0%}, not {one['agreement']:.0%}"
    if one["of"] != BASE:
        return f"write below the candidate {one['of']} `{one['yaml']}`, and {agreed}"
    where = f"write below base, validation and test `{one['yaml']}`, and {agreed}"
    return f"it does not tell apart what the base does: mend its labels, or where the two may be one class, {where}"


def _of(one: Mapping[str, Any]) -> int:
    return round(float(one["rows"]) / float(one["share"])) if one["share"] else int(one["rows"])


def _dataset_words(one: Mapping[str, Any], suspects: Sequence[Mapping[str, Any]]) -> str:
    """What is told of the labels of one dataset; empty where nothing is."""
    name = one["name"]
    if one["by_chance"]:
        return (
            f"{name}: labels are as if by chance; a model of its own rows knows them no better (AUC {one['auc']:.2f})"
        )
    pairs = [
        f"{count(p['rows'], 'row')} labelled {p['given']} look like {p['likely']}, about {p['expected']:.0f} expected"
        for p in one["pairs"]
        if p["told"]
    ][:PAIRS]
    if one["scattered"]:
        pairs.append(f"about {count(one['scattered'], 'label')} of {one['rows']} are wrong at random")
    mine = [s for s in suspects if s["sure"] and s["dataset"] == name][:ROWS]
    if not pairs and mine and isinstance(mine[0]["given"], float):
        rows = ", ".join(f"row {s['row']} ({s['given']:.4g}, likely about {s['likely']:.4g})" for s in mine)
        many = count(one["sure"], "number")
        return f"{name}: {many} of {one['rows']} lie far from those of like rows; first {rows}"
    if not pairs:
        return ""
    first = ", ".join(f"row {s['row']} ({s['given']}, likely {s['likely']})" for s in mine)
    return f"{name}: {listed(pairs)}{f'; first {first}' if first else ''}"
