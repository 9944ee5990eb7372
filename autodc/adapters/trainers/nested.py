"""Names of parameters within parameters, as scikit-learn writes them: `step__parameter`."""

from __future__ import annotations

from collections.abc import Sequence

from autodc.hints import meant, suggest

SHOWN = 3


def suggest_nested(name: str, known: Sequence[str], what: str) -> str:
    """A hint: the parameter that was meant, also where only its last part was written, else all that are known."""
    last = {one: one.rpartition("__")[2] for one in known}
    asked = name.rpartition("__")[2]
    same = [one for one, part in last.items() if part.casefold() == asked.casefold() and "__" in one]
    if same:
        return f"did you mean {' or '.join(sorted(same, key=lambda one: one.count('__'))[:SHOWN])}?"
    if meant(name, known) is None and (close := meant(asked, list(last.values()))) is not None:
        return f"did you mean {' or '.join([one for one, part in last.items() if part == close][:SHOWN])}?"
    return suggest(name, known, what)
