"""The option `vary` of our generators: which of their parameters may change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autodc.trial.call import CallError


def varied(parameters: Mapping[str, Mapping[str, Any]], vary: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Those of the parameters that may change: all where nothing is named."""
    return {name: about for name, about in parameters.items() if not vary or name in vary}


def refuse_unknown(generator: str, known: Iterable[str], vary: Sequence[str]) -> None:
    """Raise CallError ADC-PROP-014 where a name is no parameter of the generator."""
    names = list(known)
    if strange := [name for name in vary if name not in names]:
        problem, hint = f"{generator} has no such parameter", f"parameters of {generator}: {', '.join(names)}"
        raise CallError("ADC-PROP-014", problem, "options.vary", ", ".join(strange), hint)
