"""For which findings rows of the pool were made or asked for, and which are served again: their labels did not come."""

from __future__ import annotations

from collections.abc import Sequence

from autodc.study.journal.state import State
from autodc.study.view import View

ASKS_AGAIN = 5
"""Studies that were begun by these rules (StudyStarted.rules) serve a finding again whose rows nobody could label."""
TRIES = 3
"""So many times in all."""
UNTOLD = "ADC-PROP-075"
"""Too few rows could be labelled."""
POOL = "pool"


def asked_of_pool(state: State) -> dict[str, list[str]]:
    """Finding → the datasets of the pool that were to be made for it."""
    found: dict[str, list[str]] = {}
    for one in state.to_make:
        if one["by"] == POOL and one.get("finding") is not None:
            found.setdefault(str(one["finding"]), []).append(str(one["name"]))
    return found


def is_again(state: State, names: Sequence[str]) -> bool:
    """Whether a finding for which these were to be made is served once more, with other rows."""
    if state.question.rules < ASKS_AGAIN or not 0 < len(names) < TRIES:
        return False
    refused = (state.unmade.get(name) for name in names)
    return all(one is not None and any(each["code"] == UNTOLD for each in one.problems) for one in refused)


def serves_again(view: View) -> bool:
    """Whether a finding of the incumbent is served once more in another round."""
    looked = view.state.diagnosed(view.incumbent)
    asked = asked_of_pool(view.state)
    return looked is not None and any(is_again(view.state, asked.get(name, ())) for name in looked.ids)
