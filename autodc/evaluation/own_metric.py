"""A metric of a user's own: loaded, held to what it owes, and called so that no error of it passes for ours."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.errors import AutodcError, InputError, SpecError, StatsError
from autodc.plugins import METRICS, load_plugin, own_code
from autodc.stats import jackknife
from autodc.studyfile.names import Better as Better
from autodc.values import decoded

Array = np.ndarray[Any, Any]

PLACE = "metrics.primary"
NEEDS = "it needs `better` ('higher' or 'lower') and value(outputs, targets) -> float"

_MEANT: dict[str, Better] = {
    **dict.fromkeys(("higher", "high", "up", "max", "maximum", "maximize", "maximise", "greater", "larger"), "higher"),
    **dict.fromkeys(("bigger", "more", "increase", "ascending"), "higher"),
    **dict.fromkeys(("lower", "low", "down", "min", "minimum", "minimize", "minimise", "less", "smaller"), "lower"),
    **dict.fromkeys(("fewer", "decrease", "descending"), "lower"),
}
"""What people write for a direction → what they mean by it."""


class MetricError(InputError):
    """A user's own metric raised, or gave what is no metric."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMetric:
    """The parts of a user's metric object, each of which raises MetricError alone."""

    better: Better
    of: Callable[[Array, Array], float]
    per_row: Callable[[Array, Array], Array] | None
    pseudo: Callable[[Array, Array], Array]


def own_metric(name: str, folder: str) -> OwnMetric:
    """Load `path/to/file.py:Object`, `package.module:Object` or an installed metric; a class is called.

    Raises SpecError ADC-METRIC-003 where it cannot be loaded or lacks `better` or `value`, 060 where `better` is
    anything but higher or lower, 061 where `value` or `rows` cannot be called with outputs and targets.
    """
    custom = _loaded(name, folder)
    with own_code(lambda got: _unfit(f"{name}: {got}"), folder):
        missing = [part for part in ("better", "value") if not hasattr(custom, part)]
        if missing:
            raise _unfit(f"{name} has no `{'` and no `'.join(missing)}`")
        better, value, rows = custom.better, custom.value, getattr(custom, "rows", None)
    direction = _direction(name, better)
    for part, function in (("value", value), ("rows", rows)):
        if function is not None or part == "value":
            _refuse_uncallable(name, part, function)
    of = _value(name, value, folder)
    return OwnMetric(
        better=direction,
        of=of,
        per_row=None if rows is None else _rows(name, rows, folder),
        pseudo=lambda outputs, targets: _pseudo(name, of, outputs, targets),
    )


def _loaded(name: str, folder: str) -> Any:
    try:
        found = load_plugin(name, METRICS, folder, PLACE)
    except SpecError as error:
        got = error.got if error.got == name or not error.got else f"{name}: {error.got}"
        problem = f"the metric object cannot be loaded: {error.problem}"
        raise SpecError("ADC-METRIC-003", problem, PLACE, got, error.hint or NEEDS) from error
    if not isinstance(found, type):
        return found
    with own_code(lambda got: _unfit(f"{name}(): {got}"), folder):
        return found()


def _unfit(got: str) -> SpecError:
    return SpecError("ADC-METRIC-003", "the metric object cannot be loaded", PLACE, got, NEEDS)


def _direction(name: str, better: Any) -> Better:
    if isinstance(better, str) and better in ("higher", "lower"):
        return "higher" if better == "higher" else "lower"
    meant = _MEANT.get(better.strip().casefold()) if isinstance(better, str) else None
    hint = f"did you mean `{meant}`?" if meant else "write better = 'higher' where a larger value is better, or 'lower'"
    problem = "`better` of a metric is 'higher' or 'lower', nothing else"
    raise SpecError("ADC-METRIC-060", problem, PLACE, f"{name} with better = {better!r:.80}", hint)


def _refuse_uncallable(name: str, part: str, function: Any) -> None:
    """Raise where a part is no function, or none of two arguments; one that hides its arguments passes."""
    problem = f"`{part}` of a metric is a function of outputs and targets"
    if not callable(function):
        raise SpecError("ADC-METRIC-061", problem, PLACE, f"{name}: a {type(function).__name__}", NEEDS)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(None, None)
    except TypeError:
        raise SpecError("ADC-METRIC-061", problem, PLACE, f"{name}: {part}{signature}", NEEDS) from None


def _raised(name: str, part: str) -> Callable[[str], AutodcError]:
    return lambda got: MetricError("ADC-METRIC-062", f"`{part}` of metric {name} fails", PLACE, got)


def _answer(name: str, part: str, needed: str, got: str) -> MetricError:
    return MetricError("ADC-METRIC-063", f"`{part}` of metric {name} gives no {needed}", PLACE, got)


def _value(name: str, value: Callable[[Array, Array], Any], folder: str) -> Callable[[Array, Array], float]:
    def of(outputs: Array, targets: Array) -> float:
        with own_code(_raised(name, "value"), folder):
            found = value(decoded(outputs), decoded(targets))  # its own: it may work in place
        try:
            if np.ndim(found) == 0 and not isinstance(found, str | bytes | None):
                return float(found)
        except (TypeError, ValueError):
            pass
        raise _answer(name, "value", "number", _kind(found))

    return of


def _rows(name: str, rows: Callable[[Array, Array], Any], folder: str) -> Callable[[Array, Array], Array]:
    def per_row(outputs: Array, targets: Array) -> Array:
        with own_code(_raised(name, "rows"), folder):
            found = rows(decoded(outputs), decoded(targets))
        try:
            values = np.asarray(found, dtype=float)
        except (TypeError, ValueError):
            raise _answer(name, "rows", "number for each row", _kind(found)) from None
        if values.shape != (len(targets),):
            raise _answer(name, "rows", "number for each row", f"shape {values.shape} for {len(targets)} rows")
        return values

    return per_row


def _pseudo(name: str, of: Callable[[Array, Array], float], outputs: Array, targets: Array) -> Array:
    try:
        return jackknife.pseudo_values(of, (outputs, targets))
    except StatsError as error:
        raise MetricError("ADC-METRIC-063", f"`value` of metric {name}: {error.problem}", PLACE, error.got) from error


def _kind(found: Any) -> str:
    shape = getattr(found, "shape", None)
    return f"{type(found).__name__} of shape {tuple(shape)}" if shape else f"{type(found).__name__}: {found!r:.80}"
