"""Leaves out test files whose tests passed before and that nothing that changed since can reach: `make test-changed`.

A test file is known by a digest of itself and of all that it can reach: the modules of ours that it or anything of
those imports or names in a string (commands, lazily loaded plugins), with the data files beside them; the folders of
studies, docs and search spaces that it or such a module names; all that tests share. Tests that start the command or a
training in a process of its own are covered as well, which what a coverage tool records of one process would not be.
A change of what is installed, pinned or configured reaches all. What passed is kept in pytest's cache.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
from collections.abc import Iterator
from functools import cache, cached_property
from importlib.metadata import distributions
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("autodc", "benchmarks")
FOLDERS = ("configs", "docs", "search_spaces")
SETTINGS = ("pyproject.toml", "constraints.txt", "setup.py")
PAGES = ("README.md", "CHANGELOG.md", "Makefile", ".ci/run")
KEY = "autodc/passed"
MOST = 4000
"""Digests that are kept."""
COMMAND = ("autodc.cli", "autodc.cli.main", "autodc.__main__")
STARTS = re.compile(r"\bsys\.executable\b|\bsubprocess\b")
DOTTED = re.compile(rf"\b(?:{'|'.join(PACKAGES)})(?:\.\w+)+")
PLAIN = re.compile(r"(\w+)(?::\w+)?")
API = "autodc, by its names"
"""What a test reaches that asks the package itself for something: all that it loads when it is asked."""


class Reach:
    """What test files can reach."""

    def __init__(self) -> None:
        self._graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True, cache_dir=None)
        for module in sorted(self._graph.modules):
            importer = API if module == "autodc" else module
            for named in self._named(module):
                self._graph.add_import(importer=importer, imported=named)
        for named in self._graph.find_modules_directly_imported_by("autodc"):  # when it is asked for them
            self._graph.add_import(importer=API, imported=named)
            self._graph.remove_import(importer="autodc", imported=named)
        self._graph.add_import(importer=API, imported="autodc")

    def digest(self, test: Path, marks: str) -> str:
        """Of a test file and all that it can reach."""
        modules = self._modules_of(test)
        files = {test, *(file for module in modules for file in self._files(module))}
        folders = _folders(test).union(*(_folders(self._file(module)) for module in modules))
        text = _text(test)
        if any(page in text for page in ("README", "docs", "Makefile", "CHANGELOG", ".ci")):
            files |= {ROOT / page for page in PAGES}
            folders |= {"docs"}
        if "ROOT" in text or "parents[" in text:  # it looks at the files of the house themselves
            folders |= set(PACKAGES)
        known = [*(f"{f.relative_to(ROOT)} {_digest(f)}" for f in sorted(files)), *(map(_folder, sorted(folders)))]
        told = [marks, self._common, *known]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:24]

    @cached_property
    def _common(self) -> str:
        """What reaches every test: Python, what is installed, settings, and all that tests share."""
        installed = sorted(f"{found.metadata['Name']} {found.version}" for found in distributions())
        shared = [file for file in _below(ROOT / "tests") if not file.name.startswith("test_")]
        shared += [ROOT / name for name in SETTINGS]
        return f"{sys.version} {installed} {[(str(file), _digest(file)) for file in shared]}"

    def _modules_of(self, test: Path) -> list[str]:
        found: set[str] = set()
        todo = [name for file in (test, *_conftests(test)) for name in self._of_test(file)]
        while todo:
            module = todo.pop()
            if module in found:
                continue
            found.add(module)
            todo += self._upstream(module)
            above = module.rpartition(".")[0]
            if above:
                todo.append(above)
        return sorted(found - {API})

    @cache  # noqa: B019
    def _upstream(self, module: str) -> frozenset[str]:
        return frozenset(self._graph.find_modules_directly_imported_by(module))

    def _of_test(self, file: Path) -> Iterator[str]:
        text = _text(file)
        for node in _running(ast.parse(text)):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (found for name in names if (found := self._module(name)))
        yield from (found for name in DOTTED.findall(text) if (found := self._module(name)))
        if STARTS.search(text):
            yield from (name for name in COMMAND if name in self._graph.modules)

    def _named(self, module: str) -> set[str]:
        """Modules that another names in a string: in full, or one beside it as `name` or `name:Class`."""
        found = set()
        package = module if self._file(module).name == "__init__.py" else module.rpartition(".")[0]
        for node in ast.walk(ast.parse(_text(self._file(module)))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                names = DOTTED.findall(node.value)
                if match := PLAIN.fullmatch(node.value):
                    names.append(f"{package}.{match[1]}")
                found |= {name for name in names if name in self._graph.modules}
        return found - {module}

    def _module(self, name: str) -> str | None:
        """The module that a dotted name is or is of; a name of the package itself is of all that it loads."""
        if name.partition(".")[0] not in PACKAGES:
            return None
        while name not in self._graph.modules:
            name = name.rpartition(".")[0]
        return API if name == "autodc" else name

    def _file(self, module: str) -> Path:
        path = ROOT.joinpath(*module.split("."))
        return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")

    @cache  # noqa: B019
    def _files(self, module: str) -> frozenset[Path]:
        """The module's, and the data beside it."""
        file = self._file(module)
        return frozenset([file, *(f for f in file.parent.iterdir() if f.is_file() and f.suffix != ".py")])


class Unchanged:
    """The plugin of one session; it has read what can be reached before the tests are distributed."""

    def __init__(self, config: pytest.Config) -> None:
        reach, marks = Reach(), str(config.option.markexpr)
        self._config = config
        self._passed: list[str] = config.cache.get(KEY, [])  # type: ignore[union-attr]
        self._digests = {test: reach.digest(test, marks) for test in sorted((ROOT / "tests").rglob("test_*.py"))}
        self._seen, self._failed = set[Path](), set[Path]()

    @property
    def left_out(self) -> list[str]:
        passed = set(self._passed)
        return [str(test) for test, digest in self._digests.items() if digest in passed]

    def pytest_report_header(self) -> str:
        return f"nothing reaches {len(self.left_out)} of {len(self._digests)} test files since they passed"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file = ROOT / report.nodeid.partition("::")[0]
        self._seen.add(file)
        if report.failed:
            self._failed.add(file)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK
        some = self._config.option.keyword or any("::" in argument for argument in self._config.args)
        whole = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        if some or not whole or session.shouldstop or session.shouldfail:
            return
        new = [digest for test, digest in self._digests.items() if test in self._seen - self._failed]
        self._config.cache.set(KEY, [*new, *(one for one in self._passed if one not in new)][:MOST])  # type: ignore[union-attr]


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Workers are told what to leave out by the options that they get."""
    if not hasattr(config, "workerinput"):
        plugin = Unchanged(config)
        config.pluginmanager.register(plugin, "unchanged")
        config.option.ignore = [*(config.option.ignore or ()), *plugin.left_out]


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """All of a program but what is there for those who check its types."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
            yield node
            yield from _running(node)


def _conftests(test: Path) -> Iterator[Path]:
    """Those of the test's folders. That of all tests imports what starts a child for trainings: tests that train reach
    that by themselves, and the others do not use it."""
    for folder in test.parents:
        if folder == ROOT / "tests":
            return
        if (folder / "conftest.py").is_file():
            yield folder / "conftest.py"


@cache
def _below(folder: Path) -> list[Path]:
    """Files that are kept under version control, as far as one sees: no caches, nothing that is made."""
    made = {"__pycache__", "photographs", "photos", "runs", "mlruns", "mlartifacts", "results"}
    found = (file for file in folder.rglob("*") if file.is_file() and not made & set(file.relative_to(folder).parts))
    return sorted(file for file in found if not file.name.startswith("mlflow.db"))


@cache
def _folders(file: Path) -> frozenset[str]:
    """The folders beside the packages that a file names."""
    return frozenset(folder for folder in FOLDERS if folder in _text(file))


@cache
def _folder(name: str) -> str:
    files = [f"{file.relative_to(ROOT)} {_digest(file)}" for file in _below(ROOT / name)]
    return hashlib.sha256("\n".join(files).encode()).hexdigest()


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


@cache
def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:24] if file.is_file() else ""
