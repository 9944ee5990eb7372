"""Finds an object named `path/to/file.py:Object` or `package.module:Object`."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from autodc.errors import SpecError


def is_path(name: str) -> bool:
    """Whether a name points to an object outside, by file or by module."""
    return ":" in name


def load_object(name: str, folder: str, place: str) -> Any:
    """Import and return the object; files are read relative to `folder`, and may import their neighbours.

    Raises SpecError where the file, the module or the object is missing.
    """
    where, _, attribute = name.rpartition(":")
    module = _file_module(Path(folder) / where, place) if where.endswith(".py") else _named_module(where, place)
    try:
        return getattr(module, attribute)
    except AttributeError:
        raise SpecError("ADC-TRAIN-021", f"{where} has no {attribute}", place, name, _names(module)) from None


def find_problem(name: str, folder: str, place: str) -> SpecError | None:
    """Say what is wrong with a named object without importing it (a module's parent packages are imported)."""
    where, _, attribute = name.rpartition(":")
    if not where or not attribute.isidentifier():
        hint = "write path/to/file.py:Object or package.module:Object"
        return SpecError("ADC-TRAIN-022", "this names no object", place, name, hint)
    if not where.endswith(".py"):
        return _module_problem(where, place, name)
    file = Path(folder) / where
    if not file.is_file():
        return SpecError("ADC-TRAIN-020", f"there is no file {where}", place, name, f"looked in {folder}")
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    except (SyntaxError, ValueError) as error:
        return SpecError("ADC-TRAIN-023", f"{where} is not valid Python", place, str(error))
    defined, open_ended = _defined(tree)
    if attribute not in defined and not open_ended:
        hint = f"it defines {', '.join(sorted(defined))}" if defined else "it defines nothing"
        return SpecError("ADC-TRAIN-021", f"{where} has no {attribute}", place, name, hint)
    return None


def _file_module(file: Path, place: str) -> ModuleType:
    if not file.is_file():
        raise SpecError("ADC-TRAIN-020", f"there is no file {file.name}", place, str(file))
    content = hashlib.sha256(str(file.resolve()).encode() + file.read_bytes()).hexdigest()[:16]
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
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[key]
        raise
    return module


def _named_module(name: str, place: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise SpecError("ADC-TRAIN-024", f"there is no module {name}", place, str(error)) from error


def _module_problem(module: str, place: str, name: str) -> SpecError | None:
    try:
        found = importlib.util.find_spec(module)
    except (ModuleNotFoundError, ValueError):
        found = None
    if found is not None:
        return None
    hint = "install it in the environment of autodc, or name a file: path/to/file.py:Object"
    return SpecError("ADC-TRAIN-024", f"there is no module {module}", place, name, hint)


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


def _names(module: ModuleType) -> str:
    public = sorted(name for name in vars(module) if not name.startswith("_"))
    return f"it has {', '.join(public[:20])}" if public else ""
