"""Makes a generator from its name: one of ours, a program, `file.py:Object`, a module's, or an installed one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from autodc.adapters.generators import command, image, table, text
from autodc.errors import SpecError
from autodc.hints import suggest
from autodc.plugins import (
    FORMS,
    GENERATORS,
    find_problem,
    import_failed,
    installed,
    is_path,
    load_plugin,
    loading,
    own_code,
)
from autodc.propose.generator import NEEDS, is_generator
from autodc.propose.parameters import Parameter, declared
from autodc.studyfile.values import Spec
from autodc.trial.call import CallError

BUILT_IN: Final[Mapping[str, tuple[type[Spec], Callable[[Any, str], Any]]]] = {
    "image": (image.ImageOptions, lambda options, folder: image.ImageGenerator(options)),
    "table": (table.TableOptions, lambda options, folder: table.TableGenerator(options)),
    "text": (text.TextOptions, lambda options, folder: text.TextGenerator(options)),
    "command": (command.CommandOptions, command.CommandGenerator),
}
"""Name → its options, and what makes it of these and the folder of the study file."""


def generator_of(name: str, options: Mapping[str, Any], folder: str, place: str) -> Any:
    """The generator that a study file names; a class is called with the options as keywords.

    Raises SpecError ADC-PROP-010 where there is none or it cannot be loaded, 011 where it is none, 012 where its
    parameters are none, 014 where its options do not fit.
    """
    if name in BUILT_IN:
        kind, make = BUILT_IN[name]
        return make(_options(kind, options, place), folder)
    if not is_path(name) and name not in installed(GENERATORS):
        raise _unknown(name, place)
    found = _loaded(name, options, folder, place)
    with looking(name, folder, place):
        known = is_generator(found)
    if not known:
        got = f"{name}: a {type(found).__name__}"
        raise SpecError("ADC-PROP-011", "this is no generator", f"{place}.generator", got, NEEDS)
    parameters_of(found, name, folder, place)
    return found


def parameters_of(found: Any, name: str, folder: str, place: str) -> dict[str, Parameter]:
    """What a generator declares, which its own code may say. Raises SpecError ADC-PROP-010 where that fails, 012."""
    with looking(name, folder, place):
        told = found.parameters
        told = dict(told) if isinstance(told, Mapping) else told
    try:
        return declared(told, f"{place}.generator")
    except CallError as error:
        raise SpecError(error.code, error.problem, error.place, f"{name}: {error.got}", error.hint) from None


@contextlib.contextmanager
def looking(name: str, folder: str, place: str) -> Iterator[None]:
    """Look at what a generator has inside: an attribute may be a property of a user's own."""
    problem = "the generator cannot be loaded: it fails where its attributes are read"
    with own_code(
        lambda got: SpecError("ADC-PROP-010", problem, f"{place}.generator", f"{name}: {got}", NEEDS), folder
    ):
        yield


def generator_problem(name: str, options: Mapping[str, Any], folder: str, place: str) -> SpecError | None:
    """What is wrong with how a study file names a generator, without running any code of it; None where nothing is."""
    try:
        if name in BUILT_IN:
            _options(BUILT_IN[name][0], options, place)
        elif is_path(name) and (found := find_problem(name, folder, f"{place}.generator")) is not None:
            raise SpecError("ADC-PROP-010", found.problem, found.place, found.got, found.hint or NEEDS)
        elif not is_path(name) and name not in installed(GENERATORS):
            raise _unknown(name, place)
    except SpecError as error:
        return error
    return None


def _unknown(name: str, place: str) -> SpecError:
    hint = suggest(name, [*BUILT_IN, *installed(GENERATORS)], "generators", forms=FORMS)
    return SpecError("ADC-PROP-010", "there is no such generator", f"{place}.generator", name, hint)


def _loaded(name: str, options: Mapping[str, Any], folder: str, place: str) -> Any:
    with loading(name, f"{place}.generator", ("ADC-PROP-010", "the generator", NEEDS)):
        found = load_plugin(name, GENERATORS, folder, place)
        if isinstance(found, type):
            with own_code(import_failed(f"{name}()", place), folder):
                return found(**options)
    if options:
        problem, hint = "a generator that is an object takes no options", "name its class, which is given them"
        raise SpecError("ADC-PROP-014", problem, f"{place}.options", ", ".join(options), hint)
    return found


def _options(kind: type[Spec], options: Mapping[str, Any], place: str) -> Spec:
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        known = ", ".join(kind.model_fields)
        problem = f"the options of the generator do not fit: {first['msg'].removeprefix('Value error, ')}"
        at = f"{place}.options{f'.{where}' if where else ''}"
        raise SpecError("ADC-PROP-014", problem, at, repr(first.get("input")), f"options: {known}") from None
