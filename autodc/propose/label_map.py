"""Label map: a candidate that labels rows otherwise than the base, brought to the base's convention."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from autodc.propose import made
from autodc.propose.base_edits import BaseKnown, base_of, codes_of, relabelled
from autodc.propose.proposal import Proposal
from autodc.trial.call import Call, CallError

BY = "label_map"


def propose(
    known: BaseKnown, conventions: Sequence[Mapping[str, Any]], roster: Mapping[str, int]
) -> tuple[Proposal, ...]:
    """Propose a mapped copy of every candidate whose labels follow another convention.

    conventions: `found` and `suspected` of the conventions that the last diagnosis journalled
    (diagnose/conventions.py, to_dict): what is only suspected is worth a try, for trainings decide;
    roster: candidates → their rows. A map that is for the base is left out: the target of the study is the base's.
    """
    found: list[Proposal] = []
    told: Collection[str] = known.taken
    for one in conventions:
        of, labels = str(one.get("of")), one.get("labels") or {}
        name = f"{of}-mapped"
        if not labels or of not in roster or name in told:
            continue
        told = {*told, name}
        words = f"{of} with its labels as the base gives them: " + ", ".join(f"{a} is {b}" for a, b in labels.items())
        more = {"rows": roster[of], "replaces": of, "words": words}
        found += known.proposal(name, BY, {"labels": dict(labels)}, parts=(of,), **more)
    return tuple(found)


def make(call: Call) -> dict[str, Any]:
    """Write the candidate with mapped labels; `changed.label` says what was there before.

    Raises CallError ADC-PROP-031 for a map onto classes that do not exist, or of none that the candidate has.
    """
    part, names = base_of(call), list(call.arguments["classes"])
    codes, place = codes_of(part, BY), {str(name): code for code, name in enumerate(names)}
    labels = {str(old): str(new) for old, new in call.arguments["labels"].items()}
    unknown = sorted({one for pair in labels.items() for one in pair} - set(place))
    hint = f"the classes are {', '.join(list(place)[:10])}"
    if unknown:
        raise CallError("ADC-PROP-031", "a label map names classes that do not exist", BY, ", ".join(unknown), hint)
    to = np.arange(len(names))
    for old, new in labels.items():
        to[place[old]] = place[new]
    y = to[codes].astype(codes.dtype)
    moved = np.flatnonzero(y != codes)
    if not len(moved):
        got = f"{', '.join(labels)} in {part.name}"
        raise CallError("ADC-PROP-031", "a label map names classes that the dataset does not have", BY, got, hint)
    facts = {"mapped": len(moved), "labels": labels}
    return made.write(call.out, relabelled(part, moved, y, names, facts))
