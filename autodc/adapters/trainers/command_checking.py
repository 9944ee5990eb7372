"""Checks the program of the trainer `command` and the arguments it is told, before anything is trained."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress

from autodc.adapters.trainers.command import program
from autodc.adapters.trainers.options import CommandOptions
from autodc.adapters.trainers.templates import LISTS, PLACEHOLDERS, TemplateError, names_in
from autodc.errors import SpecError
from autodc.hints import meant, suggest
from autodc.studyfile.study import ParameterSpec

PLACE = "task.options.argv"
SPACE_PLACE = "search_space"
DOUBLED = "a brace of the program's own is written twice: {{ or }}"


def command_problems(
    options: CommandOptions, hyperparameters: Mapping[str, ParameterSpec], recipes: Sequence[str], folder: str
) -> list[SpecError]:
    """Every problem of the program, its arguments, and what the search varies that it is never told."""
    argv = program(options.argv)
    broken = template_problems(argv, list(hyperparameters), PLACE)
    problems = [*_program_problems(argv, folder), *broken]
    named = {"job"} if broken else {name for element in argv[1:] for name in names_in(element)}
    problems += _told_problems(named, options, hyperparameters)
    refused = [recipe for recipe in recipes if recipe not in _recipes(options, named)]
    if refused:
        hint = f"the program knows {', '.join(_recipes(options, named))}: once it follows others, name them in"
        hint += " task.options.recipes"
        if "continue" in refused and "continue" in options.recipes:
            hint = "name {warm_start}, the model folder to go on from, among the arguments, or give it {job}"
        got = ", ".join(refused)
        problems.append(SpecError("ADC-TRAIN-047", "the program does not know a recipe", "recipes", got, hint))
    return problems


def template_problems(argv: Sequence[str], hyperparameters: Sequence[str], place: str) -> list[SpecError]:
    """Every brace of the arguments that stands for nothing. hyperparameters: the names a program may be told of."""
    problems = []
    known = (*hyperparameters, *PLACEHOLDERS)
    for i, element in enumerate(argv[1:], start=1):
        where = f"{place}[{i}]"
        try:
            strange = [name for name in names_in(element) if name not in known]
        except TemplateError as error:
            problem = f"a brace is no placeholder: {error}"
            problems.append(SpecError("ADC-TRAIN-081", problem, where, element, DOUBLED))
            continue
        for name in strange:
            hint = f"{suggest(name, known, 'placeholders')}; {DOUBLED}"
            problems.append(SpecError("ADC-TRAIN-080", f"nothing is called {{{name}}}", where, element, hint))
    return problems


def _program_problems(argv: Sequence[str], folder: str) -> Iterator[SpecError]:
    if not _runnable(argv[0], folder):
        hint = f"a program on PATH, or a path relative to {folder}"
        yield SpecError("ADC-TRAIN-046", "there is no such program", _at(0), argv[0], hint)
    script = next(((i, e) for i, e in enumerate(argv) if i and e.endswith(".py") and "{" not in e), None)
    if script is not None and not os.path.isfile(os.path.join(folder, script[1])):
        hint = _nearest_script(script[1], folder) or f"looked in {folder}"
        yield SpecError("ADC-TRAIN-046", "there is no such script", _at(script[0]), script[1], hint)


def _nearest_script(name: str, folder: str) -> str:
    """A hint: the nearest script beside one that is not there."""
    above, file = os.path.split(name)
    with suppress(OSError, ValueError):
        there = [one for one in os.listdir(os.path.join(folder, above)) if one.endswith(".py")]
        return f"did you mean {os.path.join(above, near)}?" if (near := meant(file, there)) else ""
    return ""


def _told_problems(
    named: Collection[str], options: CommandOptions, hyperparameters: Mapping[str, ParameterSpec]
) -> Iterator[SpecError]:
    """What the program is not told and cannot do without; who is given the job is told everything."""
    if "job" in named:
        return
    begin = f"[{options.argv[0]}, ..., "
    if missing := [name for name in LISTS if name not in named]:
        listed = ", ".join(f"{{{name}}}" for name in missing)
        hint = f"give the program its job: argv: {begin}'{{job}}'], or the files of it: {_flags(missing)}"
        problem = f"no argument holds {{job}}, nor {listed}: the program cannot know what to learn, predict or write"
        yield SpecError("ADC-TRAIN-045", problem, PLACE, str(list(options.argv)), hint)
    for name in hyperparameters:
        place = f"{SPACE_PLACE}.{name}"
        if name in PLACEHOLDERS:
            hint = f"call it something else, or give the program the job: argv: {begin}'{{job}}']"
            problem = f"an argument {{{name}}} is {PLACEHOLDERS[name]}, never this hyperparameter"
            yield SpecError("ADC-TRAIN-083", problem, place, name, hint)
        elif name not in named:
            hint = f"hand it over: argv: {begin}--{name}, '{{{name}}}'], or take it out of the search space"
            problem = "no argument of the program holds this hyperparameter: it would be searched without effect"
            yield SpecError("ADC-TRAIN-082", problem, place, name, hint)


def _recipes(options: CommandOptions, named: Collection[str]) -> tuple[str, ...]:
    """The recipes that the program can follow: to go on from a model it must be told of one."""
    told = bool({"job", "warm_start"} & set(named))
    return tuple(recipe for recipe in options.recipes if told or recipe != "continue")


def _flags(names: Sequence[str]) -> str:
    return ", ".join(f"--{name}, '{{{name}}}'" for name in names)


def _at(i: int) -> str:
    return f"{PLACE}[{i}]"


def _runnable(name: str, folder: str) -> bool:
    if os.sep in name:
        file = os.path.join(folder, name)
        return os.path.isfile(file) and os.access(file, os.X_OK)
    return shutil.which(name) is not None
