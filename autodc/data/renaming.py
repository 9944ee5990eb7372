"""How labels that the base does not have could be renamed onto classes that it has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autodc.hints import meant

SHOWN = 20


def renaming(foreign: Iterable[object], classes: Sequence[object]) -> str:
    """A hint: the classes that were meant, else all there are; and how labels are renamed."""
    names = {str(one): one for one in classes}
    pairs = {str(one): guess for one in foreign if (guess := meant(str(one), names)) is not None}
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    known = f"the base has {', '.join(map(repr, classes[:SHOWN]))}{more}"
    if pairs:
        wish = ", ".join(f"{old}: {new}" for old, new in list(pairs.items())[:SHOWN])
        return f"did you mean options: {{map: {{{wish}}}}}? {known}"
    return f"{known}; options: {{map: {{old: new}}}}, and `labels` of a candidate, rename onto one of these"
