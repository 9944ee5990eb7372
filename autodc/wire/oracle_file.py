"""The file of labels that `data.pool.oracle` names: it may arrive, and grow, while a study runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import final

from autodc import fingerprint
from autodc.adapters.artefacts import ArtefactStore
from autodc.data.catalogue import POOL
from autodc.errors import DataError, InputError
from autodc.review.deliveries import ORACLE, parts_of, refused_words
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.ports import Arrivals
from autodc.study.rules.requests import delivered
from autodc.wire.admitting import Entrance
from autodc.wire.declaring import of_delivery
from autodc.wire.inbox import REPEATED, Inbox, for_request
from autodc.wire.inputs import Inputs
from autodc.wire.label_sheets import SETTLED, labels_in
from autodc.wire.labelled import LabelledRows
from autodc.wire.labelling import wanted_of
from autodc.wire.oracles import is_function, oracle_file

Arrived = ev.DatasetAdmitted | ev.DeliveryRefused


def arrivals_of(
    inputs: Inputs, store: ArtefactStore, notice: Callable[[str], None], entrance: Entrance
) -> Arrivals | None:
    """All places in which something may arrive for a study; None where there is none.

    store: where the content of what is let in lies; notice: told in words what is not taken; entrance: that of the
    study.
    """
    pool, places = inputs.spec.data.pool, list[Arrivals]()
    if inputs.spec.data.inbox:
        places.append(Inbox(inputs, store, notice, entrance))
    unlabelled = inputs.catalogue.pool is not None and inputs.catalogue.pool.y is None
    if unlabelled and pool is not None and pool.oracle is not None and not is_function(pool.oracle):
        places.append(OracleFile(inputs, store, notice, entrance))
    return Arriving(places) if places else None


@final
class OracleFile:
    """Looks into the file of labels where a round ends: a request is answered once every row of it has a line there."""

    def __init__(self, inputs: Inputs, store: ArtefactStore, notice: Callable[[str], None], entrance: Entrance) -> None:
        """Begin to look.

        store: where the content of what is let in lies; notice: told in words what is not taken; entrance: that of
        the study.
        """
        self._inputs, self._store, self._notice = inputs, store, notice
        self._path, self._rows = oracle_file(inputs.spec), LabelledRows(inputs)
        pool = inputs.spec.data.pool
        self._place = f"{ORACLE}: {'' if pool is None else pool.oracle}"
        self._entrance = entrance
        self._seen, self._taken = self._signature(), set[str]()

    def arrived(self, state: State) -> Sequence[Arrived]:
        """Let in the rows of requests that are labelled by now; say once why the file is not taken."""
        asked = [one for one in state.requests.values() if one.label and one.id not in self._taken]
        waiting = [one for one in asked if not delivered(state, one.id)]
        before, self._seen = self._seen, self._signature()
        told = state.refused.get(self._place)
        if self._seen is None or not waiting:
            return [] if told is None else [replace(told, problems=())]
        if before != self._seen and time.time() - self._seen[1] / 1e9 < SETTLED:
            return []
        names = [one.id for one in waiting]
        mark = fingerprint.of([state.question.fingerprint, list(self._seen), names], kind="delivery")
        if told is not None and told.mark == mark:
            return []
        found, problems = self._let_in(waiting, state)
        if problems:
            refused = ev.DeliveryRefused(
                delivered=self._place, name=f"{names[0]}-labels", mark=mark, problems=tuple(problems)
            )
            self._notice(refused_words(refused))
            return [*found, refused]
        return [*found, *([] if told is None else [replace(told, problems=())])]

    def _let_in(self, waiting: Sequence[ev.RequestMade], state: State) -> tuple[list[Arrived], list[Mapping[str, str]]]:
        catalogue, found, problems = self._inputs.catalogue, list[Arrived](), list[Mapping[str, str]]()
        ids, left_out = self._rows.ids, catalogue.left_out.get(POOL, 0)
        try:
            labels = labels_in(self._path, self._place, wanted_of(catalogue), ids, left_out)
        except InputError as error:
            return [], list(parts_of(error))
        for asked in waiting:
            mine = [ids[row] for row in asked.label["rows"] if row < len(ids)]
            count = sum(one in labels for one in mine)
            if not count:
                continue
            if count < len(mine):
                got = f"{asked.id}: {count} of {len(mine)} rows have labels so far"
                hint = "add the others, ? where nobody can tell"
                problems += parts_of(DataError("ADC-INBX-001", "a sheet is labelled in part", self._place, got, hint))
                continue
            name = f"{asked.id}-labels"
            candidate = self._rows.candidate(
                name, str(self._path), self._place, state, asked, lambda some: [labels[one] for one in some]
            )
            try:
                admission = self._entrance.admit(candidate, state, REPEATED)
            except InputError as error:
                problems += parts_of(error)
                continue
            event = self._rows.let_in(self._store, for_request(candidate, admission, asked), admission)
            found.append(of_delivery(self._inputs, state, event))
            self._taken.add(asked.id)
        return found, problems

    def _signature(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_size, found.st_mtime_ns


@final
class Arriving:
    """Several places in which something may arrive, looked at one after the other."""

    def __init__(self, places: Sequence[Arrivals]) -> None:
        self._places = tuple(places)

    def arrived(self, state: State) -> Sequence[Arrived]:
        """What is new in any; what answers one request twice at the same time is taken once."""
        found, taken = list[Arrived](), set[str]()
        for place in self._places:
            for event in place.arrived(state):
                if isinstance(event, ev.DatasetAdmitted):
                    keys = {event.name, str(event.card.get("request") or event.name)}
                    if keys & taken and event.card.get("parent"):
                        continue
                    taken |= keys
                found.append(event)
        return found
