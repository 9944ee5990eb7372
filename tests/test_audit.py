"""What the package may never do, looked for in all of its code: by this nobody has to remember it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import autodc

PACKAGE = Path(autodc.__file__).parent
UNPICKLES = {"adapters/trainers/sklearn_trainer.py", "wire/measuring.py"}
"""A model folder that a person names as a METHOD, and what a run hands to its own worker in its own folder."""
MARKS_UP = {
    "report/evaluation.py", "report/page.py", "report/pictures.py", "report/downloads.py", "report/findings.py",
    "report/densities.py",
}  # fmt: skip
"""Where markup is made: of base64, and of pieces that are escaped."""
SERVES = {"adapters/web.py"}
LINE = "adapters/executors/link.py"
"""Between the driver and its workers: at the address that Ray uses, and who does not know the key is told nothing."""
SUSPECT = re.compile(
    r"shell=|os\.system|popen|getoutput|\b(eval|exec|compile)\(|__import__|\.loads?\(|np\.save|pickle|joblib|marshal|shelve"
    r"|YAML|yaml\b|extract|unpack|mktemp|ElementTree|minidom|Environment\(|Markup|[sS]erver\b|listen|autoescape"
    r"|import (requests|httpx|urllib3|aiohttp)"
)
"""What a file says that is worth a look."""
SHELLS = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "pty.spawn"}
UNPICKLING = re.compile(
    r"(.*\.)?(pickle|joblib|marshal|dill|cloudpickle|shelve)\.(loads?|Unpickler|open)|p(an)?d(as)?\.read_pickle"
)
UNPACKING = {"extractall", "extract", "unpack_archive"}
LISTENING = {"HTTPServer", "ThreadingHTTPServer", "ThreadingTCPServer", "TCPServer", "create_server", "make_server"}


def nodes() -> Iterator[tuple[str, ast.AST]]:
    """(file, node) of the package; `testing` holds what tests of others start by themselves."""
    for path in sorted(PACKAGE.rglob("*.py")):
        file = path.relative_to(PACKAGE).as_posix()
        if not file.startswith("testing/") and SUSPECT.search(text := path.read_text()):
            yield from ((file, node) for node in ast.walk(ast.parse(text)))


def dotted(node: ast.expr) -> str:
    """A name as it is written, `np.load`; of what is called on something else its last part, `.load`."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


NODES = [
    (file, node) for file, node in nodes() if isinstance(node, (ast.Call, ast.ClassDef, ast.Import, ast.ImportFrom))
]
CALLS = [(file, dotted(node.func), node) for file, node in NODES if isinstance(node, ast.Call)]
IMPORTS = [(file, one.name) for file, node in NODES if isinstance(node, ast.Import) for one in node.names]
IMPORTS += [(file, node.module or "") for file, node in NODES if isinstance(node, ast.ImportFrom)]


def given(call: ast.Call, keyword: str) -> object:
    """The constant that a keyword is given, None where it is left out."""
    found = [k.value for k in call.keywords if k.arg == keyword]
    return ast.literal_eval(found[0]) if found and isinstance(found[0], ast.Constant) else (found or [None])[0]


def test_the_look_sees_calls() -> None:
    assert len(CALLS) > 1_000
    assert {name for _, name, _ in CALLS} >= {"torch.load", "np.load", "YAML", "subprocess.Popen", "Environment"}


def test_nothing_is_given_to_a_shell() -> None:
    assert [(f, n) for f, n, call in CALLS if given(call, "shell") not in (None, False) or n in SHELLS] == []


def test_nothing_is_evaluated() -> None:
    assert [(f, n) for f, n, _ in CALLS if n in ("eval", "exec", "compile", "__import__")] == []


def test_weights_and_arrays_are_loaded_without_pickle() -> None:
    loads = [(f, n, call) for f, n, call in CALLS if n in ("torch.load", "np.load", "np.save", "numpy.load")]
    wanted = {"torch.load": ("weights_only", True)}
    wrong = []
    for file, name, call in loads:
        keyword, value = wanted.get(name, ("allow_pickle", False))
        if given(call, keyword) is not value and not (name == "np.save" and given(call, keyword) is None):
            wrong.append((file, name, call.lineno))
    assert wrong == []
    assert [(f, n) for f, n, call in CALLS if given(call, "allow_pickle") not in (None, False)] == []


def test_pickles_are_opened_at_two_known_places_alone() -> None:
    assert {file for file, name, _ in CALLS if UNPICKLING.fullmatch(name)} <= UNPICKLES


def test_yaml_is_read_by_the_safe_reader_alone() -> None:
    assert [(file, name) for file, name in IMPORTS if name.split(".")[0] == "yaml"] == []
    assert [given(call, "typ") for _, name, call in CALLS if name == "YAML"] == ["safe"]


def test_archives_are_read_in_place_and_never_unpacked() -> None:
    assert [(f, n) for f, n, _ in CALLS if n.split(".")[-1] in UNPACKING and not n.startswith(("pc.", "re."))] == []
    assert [(f, n) for f, n, _ in CALLS if n.endswith("mktemp")] == []


def test_xml_is_written_and_never_read() -> None:
    reading = {"parse", "fromstring", "iterparse", "XMLParser", "XML"}
    assert [
        (f, n) for f, n, _ in CALLS if n.startswith(("ElementTree.", "minidom.")) and n.split(".")[-1] in reading
    ] == []


def test_pages_escape_what_comes_from_data() -> None:
    assert [given(call, "autoescape") for _, name, call in CALLS if name == "Environment"] == [True]
    templates = list((PACKAGE / "report" / "templates").glob("*.j2"))
    assert len(templates) > 5
    assert not [p.name for p in templates if re.search(r"\|\s*safe|autoescape|innerHTML", p.read_text())]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", live_script())
    assert {file for file, name, _ in CALLS if name == "Markup"} <= MARKS_UP


def live_script() -> str:
    return (PACKAGE / "report" / "templates" / "live.js").read_text()


def test_one_module_listens_and_on_loopback_unless_told() -> None:
    found = {file for file, name, _ in CALLS if name.split(".")[-1] in LISTENING | {"listen"}}
    for file, node in NODES:
        if isinstance(node, ast.ClassDef) and {dotted(base).split(".")[-1] for base in node.bases} & LISTENING:
            found.add(file)
    assert found == {*SERVES, LINE}
    line = (PACKAGE / LINE).read_text()
    assert line.index("deliver_challenge(line, self.key)") < line.index("self._one(line)")
    from autodc.adapters import web

    assert web.is_loopback(web.LOOPBACK)
    assert web.served.__wrapped__.__defaults__[0] == web.LOOPBACK  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["requests", "httpx", "urllib3", "aiohttp"])
def test_no_client_of_the_web_is_used_beside_the_one_of_notify(name: str) -> None:
    assert [file for file, found in IMPORTS if found.split(".")[0] == name] == []
