"""From a stored record to its event, and whether it may be one."""

from __future__ import annotations

import dataclasses
import functools
import json
import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic_core import from_json

from autodc.errors import SurroundingsError
from autodc.study.journal import upcasts
from autodc.study.journal.events import KINDS, Event
from autodc.study.journal.shapes import (
    Check,
    Misfit,
    anything,
    count,
    flag,
    listed,
    named,
    number,
    optional,
    record,
    text,
)


def from_text(kind: str, version: int, payload: str, vouched: bool = False) -> Event:
    """Read an event back. Raises as `from_dict` does, and ValueError for what is no JSON."""
    decoded = _decoded(payload) if vouched else json.loads(payload)
    if not isinstance(decoded, dict):
        raise Misfit(f"a {type(decoded).__name__} is no event")
    return from_dict(kind, version, decoded, vouched)


def _decoded(payload: str) -> Any:
    """A third of the time of the standard library, to the same bits; what it knows not to read that one reads."""
    try:
        return from_json(payload, cache_strings="keys")
    except ValueError:
        return json.loads(payload)


def from_dict(kind: str, version: int, payload: Mapping[str, Any], vouched: bool = False) -> Event:
    """Read an event back, of any version.

    vouched: a checksum says that it is as it was written, which is not asked again.

    Raises SurroundingsError ADC-JRNL-002 for a kind or version of a newer autodc, ValueError where a field is missing,
    unknown, or of another shape than events of this kind have.
    """
    found = known(kind, version)
    try:
        payload = upcasts.upcast(found.__name__, version, found.version, payload)
        if not vouched:
            _check(found.__name__)(payload)
        for name in _lists(found.__name__):
            if name in payload:
                payload = {**payload, name: tuple(payload[name])}
        return found(**payload)
    except (AttributeError, LookupError, TypeError) as error:
        raise Misfit(f"{type(error).__name__}: {error}") from error


def known(kind: str, version: int) -> type[Event]:
    """The class of events of a kind. Raises SurroundingsError ADC-JRNL-002 where it or its version is unknown here."""
    found = KINDS.get(upcasts.RENAMED.get(kind, kind))
    if found is None or version > found.version:
        raise SurroundingsError(
            "ADC-JRNL-002",
            "the journal was written by a newer autodc",
            got=f"event {kind} version {version}",
            hint="install the autodc that wrote it, or a newer one",
        )
    return found


@functools.cache
def _check(name: str) -> Check:
    """What a payload of these events has to be, by the types of their fields."""
    kind = KINDS[name]
    hints = get_type_hints(kind, include_extras=True)
    needed: dict[str, Check] = {}
    further: dict[str, Check] = {}
    for field in dataclasses.fields(kind):
        free = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        (further if free else needed)[field.name] = _check_of(hints[field.name])
    return record(needed, further)


@functools.cache
def _lists(name: str) -> tuple[str, ...]:
    """The fields of these events that are tuples, which JSON has as lists."""
    kind = KINDS[name]
    hints = get_type_hints(kind)
    return tuple(f.name for f in dataclasses.fields(kind) if get_origin(hints[f.name]) is tuple)


_PLAIN: Mapping[Any, Check] = {int: count, float: number, str: text, bool: flag, Any: anything}


def _check_of(hint: Any) -> Check:
    if get_origin(hint) is Annotated:
        check: Check = get_args(hint)[1]
        return check
    if hint in _PLAIN:
        return _PLAIN[hint]
    inner = [one for one in get_args(hint) if one is not type(None)]
    if get_origin(hint) in (Union, types.UnionType) and len(inner) == 1:
        return optional(_check_of(inner[0]))
    if get_origin(hint) is tuple:
        return listed(_check_of(inner[0]))
    return named(_check_of(inner[1]))
