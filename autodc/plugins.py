"""Code of a user's own: an object by `path/to/file.py:Object`, `package.module:Object` or the name it is installed by.

Whatever somebody else's program raises is told the same way everywhere, by the last line of it that ran.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib
import importlib.util
import sys
import sysconfig
import traceback
from collections.abc import Callable, Container, Iterator
from functools import cache, lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from autodc.errors import AutodcError, InputError, SpecError, SurroundingsError
from autodc.hints import instead, nearest_module, nearest_program, suggest

TRAINERS = "autodc.trainers"
METRICS = "autodc.metrics"
SOURCES = "autodc.sources"
SAMPLERS = "autodc.samplers"
ENRICHERS = "autodc.enrichers"
FINDERS = "autodc.finders"
GENERATORS = "autodc.generators"
"""The groups of entry points under which a package brings its own; a source is named by the suffix that it reads."""

FORMS = "path/to/file.py:Object, package.module:Object"
"""How an object outside is named."""

IMPORT_FAILED = "ADC-TRAIN-060"
"""Code of the error of a file or module that is there and fails while it is imported."""

LONGEST = 2000
"""An error of a user's code is told up to this many characters."""


def is_path(name: str) -> bool:
    """Whether a name points to an object outside, by file or by module."""
    return ":" in name


def is_in_file(name: str) -> bool:
    """Whether a name points to an object in a file of the user's own."""
    return is_path(name) and name.partition(":")[0].endswith(".py")


def installed(group: str) -> dict[str, EntryPoint]:
    """What other packages bring of one kind, by name; the first on the path wins."""
    return dict(_installed(group, tuple(sys.path)))


def is_known(name: str, built_in: Container[str], group: str) -> bool:
    """Whether a name is of ours, points to an object outside, or is installed."""
    return name in built_in or is_path(name) or name in installed(group)


def load_plugin(name: str, group: str, folder: str, place: str) -> Any:
    """The object of `file.py:Object`, `package.module:Object` or an installed name.

    Raises as `load_object`, KeyError for a name that is not installed.
    """
    if is_path(name):
        return load_object(name, folder, place)
    point = installed(group)[name]
    with own_code(import_failed(name, place), folder):
        return point.load()


def made_plugin(name: str, group: str, folder: str, place: str, refused: tuple[str, str, str]) -> Any:
    """The same, a class called without arguments. Whatever hinders it is told as `loading` does."""
    with loading(name, place, refused):
        found = load_plugin(name, group, folder, place)
        if not isinstance(found, type):
            return found
        with own_code(import_failed(f"{name}()", place), folder):
            return found()


@contextlib.contextmanager
def loading(name: str, place: str, refused: tuple[str, str, str]) -> Iterator[None]:
    """Load what a name says inside: whatever hinders it is a SpecError of the code that is given.

    refused: this code, what it should have been (`the finder`), and the hint where the error has none.
    """
    code, what, needs = refused
    try:
        yield
    except SpecError as error:
        got = error.got if error.got == name or not error.got else f"{name}: {error.got}"
        raise SpecError(code, f"{what} cannot be loaded: {error.problem}", place, got, error.hint or needs) from error


def told(error: BaseException, folder: str = "") -> str:
    """Tell an error by the user's own line: `my_metric.py:12: ZeroDivisionError: division by zero`.

    The line is the last of the traceback that is neither ours nor a library's; where there is none, the last of the
    package that was called; without any, the error alone. folder: files below it are named relative to it.
    """
    where = _own_place(error)
    text = _sentence(error)
    return f"{_shown(where[0], folder)}:{where[1]}: {text}" if where else text


@contextlib.contextmanager
def own_code(refusal: Callable[[str], AutodcError], folder: str = "") -> Iterator[None]:
    """Run a user's code inside: whatever it raises, `sys.exit` too, becomes this refusal, given how the error is told.

    Ctrl-C goes through, and so does what is coded already as somebody's mistake or the surroundings'. What the code
    prints is talk and goes to stderr: stdout is for results.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except (KeyboardInterrupt, InputError, SurroundingsError):
        raise
    except BaseException as error:
        raise refusal(told(error, folder)) from error


def load_object(name: str, folder: str, place: str) -> Any:
    """Import and return the object; files are read relative to `folder`, and may import their neighbours.

    Raises SpecError where the file, the module or the object is missing, or where importing it fails.
    """
    where, _, attribute = name.rpartition(":")
    if (problem := _misnamed(where, attribute, place, name)) is not None:
        raise problem
    if where.endswith(".py"):
        module = _file_module(Path(folder) / where, folder, place, name)
    else:
        module = _named_module(where, attribute, folder, place)
    try:
        return getattr(module, attribute)
    except AttributeError:
        hint = instead(where, attribute, _own_names(Path(folder) / where)) if where.endswith(".py") else ""
        hint = hint or suggest(attribute, _names(module), "it has")
        raise SpecError("ADC-TRAIN-021", f"{where} has no {attribute}", place, name, hint) from None


def find_problem(name: str, folder: str, place: str) -> SpecError | None:
    """Say what is wrong with a named object without importing it (a module's parent packages are imported)."""
    where, _, attribute = name.rpartition(":")
    if (problem := _misnamed(where, attribute, place, name)) is not None:
        return problem
    if not where.endswith(".py"):
        return _module_problem(where, folder, place, name)
    file = Path(folder) / where
    if not file.is_file():
        return SpecError("ADC-TRAIN-020", f"there is no file {where}", place, name, nearest_program(file, name))
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except OSError as error:
        return SpecError("ADC-TRAIN-020", f"{where} cannot be read", place, str(error))
    except (SyntaxError, ValueError) as error:
        return SpecError("ADC-TRAIN-023", f"{where} is not valid Python", place, told(error, folder))
    defined, open_ended = _defined(tree)
    if attribute not in defined and not open_ended:
        hint = instead(where, attribute, _written(tree)) or "it defines nothing that could be meant"
        return SpecError("ADC-TRAIN-021", f"{where} has no {attribute}", place, name, hint)
    return None


def borrowed_hint(name: str, folder: str) -> str:
    """What a file of the user's own defines itself, where the name that was given is only imported there; else empty.

    For who found that the object is none that fits.
    """
    where, _, attribute = name.rpartition(":")
    own = _own_names(Path(folder) / where) if where.endswith(".py") else []
    if attribute in own or not own:
        return ""
    return f"{attribute} is only imported in {where}; {instead(where, attribute, own)}"


def _own_names(file: Path) -> list[str]:
    """What a file defines at its top level itself; nothing where it cannot be read."""
    try:
        return _written(ast.parse(file.read_bytes()))
    except (OSError, SyntaxError, ValueError):
        return []


def _written(tree: ast.Module) -> list[str]:
    """Functions and classes of a module's own, then its other names; private ones and what it imports left out."""
    names, others = list[str](), list[str]()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            others += [one.id for one in targets if isinstance(one, ast.Name)]
    return [name for name in dict.fromkeys([*names, *others]) if not name.startswith("_")]


def import_failed(what: str, place: str) -> Callable[[str], SpecError]:
    """The refusal of code that fails while it is imported."""
    return lambda got: SpecError(IMPORT_FAILED, f"{what} fails while it is imported", place, got)


@lru_cache(maxsize=16)
def _installed(group: str, path: tuple[str, ...]) -> dict[str, EntryPoint]:
    """path: where packages are looked for; reading their metadata takes milliseconds."""
    return {point.name: point for point in reversed(list(entry_points(group=group)))}


def _misnamed(where: str, attribute: str, place: str, name: str) -> SpecError | None:
    parts = where.split(".")
    if attribute.isidentifier() and where and (where.endswith(".py") or all(part.isidentifier() for part in parts)):
        return None
    hint = "write path/to/file.py:Object or package.module:Object"
    return SpecError("ADC-TRAIN-022", "this names no object", place, name, hint)


def _file_module(file: Path, folder: str, place: str, name: str) -> ModuleType:
    if not file.is_file():
        raise SpecError("ADC-TRAIN-020", f"there is no file {file.name}", place, str(file), nearest_program(file, name))
    try:
        content = hashlib.sha256(str(file.resolve()).encode() + file.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise SpecError("ADC-TRAIN-020", f"{file.name} cannot be read", place, str(error)) from error
    key = f"autodc_user_{content}"
    if key in sys.modules:
        return sys.modules[key]
    spec = importlib.util.spec_from_file_location(key, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if str(file.parent.resolve()) not in sys.path:
        sys.path.append(str(file.parent.resolve()))
    sys.modules[key] = module
    try:
        with own_code(import_failed(file.name, place), folder):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[key]
        raise
    return module


def _named_module(name: str, attribute: str, folder: str, place: str) -> ModuleType:
    with own_code(import_failed(name, place), folder):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if not _is_or_holds(error.name, name):
                raise
            hint = nearest_module(name, attribute, folder, _INSTALL)
            raise SpecError("ADC-TRAIN-024", f"there is no module {name}", place, str(error), hint) from error


def _module_problem(module: str, folder: str, place: str, name: str) -> SpecError | None:
    try:
        with own_code(import_failed(module, place), folder):
            try:
                found = importlib.util.find_spec(module)
            except ModuleNotFoundError as error:
                if not _is_or_holds(error.name, module):
                    raise
                found = None
            except ValueError:  # a module without a spec, such as __main__
                found = None
    except SpecError as error:
        return error
    if found is not None:
        return None
    hint = nearest_module(module, name.rpartition(":")[2], folder, _INSTALL)
    return SpecError("ADC-TRAIN-024", f"there is no module {module}", place, name, hint)


_INSTALL = "install it in the environment of autodc, or name a file: path/to/file.py:Object"


def _is_or_holds(missing: str | None, module: str) -> bool:
    """Whether the module that is missing is the one that was named, or a package above it."""
    return missing is not None and f"{module}.".startswith(f"{missing}.")


def _defined(tree: ast.Module) -> tuple[set[str], bool]:
    """Names a module binds anywhere at its top level, and whether it may bind more (import *)."""
    names: set[str] = set()
    open_ended = False
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
            open_ended |= any(alias.name == "*" for alias in node.names)
    return names - {"*"}, open_ended


def _names(module: ModuleType) -> list[str]:
    return sorted(name for name in vars(module) if not name.startswith("_"))


def _sentence(error: BaseException) -> str:
    """Type and message; the place that Python puts into a syntax error is told apart."""
    if isinstance(error, SystemExit):
        return repr(error)
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error).strip()
    except Exception:  # the error is of a user's class, which may fail to print itself
        text = ""
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _own_place(error: BaseException) -> tuple[str, int] | None:
    """File and line of a user's code that an error comes from."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno and not error.filename.startswith("<"):
        return error.filename, error.lineno
    lines = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    others = [(file, line) for file, line in lines if not _is_ours(file)]
    own = [(file, line) for file, line in others if _package(file) is None]
    if own:
        return own[-1]
    return next((one for one in reversed(others) if _package(one[0]) == _package(others[0][0])), None)


_LIBRARIES = ("site-packages", "dist-packages")


@cache
def _is_ours(file: str) -> bool:
    """Whether a file is of autodc or of Python itself; what was never in a file is too."""
    homes = [str(Path(__file__).parent), *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))]
    inside = any(file.startswith(f"{home}/") for home in homes)
    return file.startswith("<") or (inside and (_package(file) is None or file.startswith(f"{homes[0]}/")))


def _package(file: str) -> str | None:
    """The installed package that a file is of; None for a file that is not installed."""
    parts = Path(file).parts
    at = max((i for i, part in enumerate(parts) if part in _LIBRARIES), default=None)
    return None if at is None else "/".join(parts[: at + 2])


def _shown(file: str, folder: str) -> str:
    """A file relative to the folder where it lies in it."""
    path = Path(file).absolute()
    home = Path(folder).absolute() if folder else path
    return str(path.relative_to(home)) if home != path and path.is_relative_to(home) else file
