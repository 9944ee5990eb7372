"""Keep the docs true: print command output and tables into marked blocks, and look that relative links lead somewhere.

A block is `<!-- output: autodc run --help -->`, a fenced text and `<!-- end -->`, or `<!-- table: metrics -->`, one of
TABLES, and `<!-- end -->`; `<!-- api -->` is the page of the Python calls, `<!-- cli -->`
that of the commands. With --check nothing is written.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from autodc.adapters.trainers.templates import PLACEHOLDERS
from autodc.studyfile.names import METRICS

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", "docs/**/*.md", "configs/**/*.md", "deploy/**/*.md", "benchmarks/**/*.md")
BLOCK = re.compile(r"(<!-- output: (?P<command>[^\n]+?) -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)
TABLE = re.compile(r"(<!-- table: (?P<name>[\w ]+?) -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)
API = re.compile(r"(<!-- api -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)
CLI = re.compile(r"(<!-- cli -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s#]+)[^)]*\)")
WIDTH = "100"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="say what is out of date, write nothing")
    check = options.parse_args().check
    complaints: list[str] = []
    for page in sorted({page for pattern in PAGES for page in ROOT.glob(pattern)}):
        text = page.read_text(encoding="utf-8")
        fresh = CLI.sub(_commands, API.sub(_called, TABLE.sub(_tabled, BLOCK.sub(_filled, text))))
        name = page.relative_to(ROOT)
        if fresh != text and check:
            complaints.append(f"{name}: printed output is out of date; `make fix` writes it again")
        elif fresh != text:
            page.write_text(fresh, encoding="utf-8")
            print(f"{name}: written", file=sys.stderr)
        complaints += [f"{name}: the link to {target} leads nowhere" for target in _dead_links(page, fresh)]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


def _filled(block: re.Match[str]) -> str:
    words = shlex.split(block["command"])
    words[0] = str(Path(sys.executable).with_name(words[0]))
    env = {**os.environ, "COLUMNS": WIDTH, "TERM": "dumb", "NO_COLOR": "1"}
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return f"{block[1]}```text\n{done.stdout.rstrip()}\n```\n{block[4]}"


def _tabled(block: re.Match[str]) -> str:
    header, *rows = TABLES[block["name"]]()
    lines = [header, ["---"] * len(header), *rows]
    return block[1] + "".join(f"| {' | '.join(cells)} |\n" for cells in lines) + block[4]


def _called(block: re.Match[str]) -> str:
    from api_page import page  # beside this file, which is run as a script

    return f"{block[1]}{page().rstrip()}\n{block[3]}"


def _commands(block: re.Match[str]) -> str:
    from cli_page import page  # beside this file, which is run as a script

    return f"{block[1]}{page().rstrip()}\n{block[3]}"


def metrics() -> list[list[str]]:
    """Every metric of ours, as `autodc/studyfile/names.py` knows it."""
    rows = [["metric", "of", "better", "is", "a row is worth"]]
    for name, one in METRICS.items():
        needs = {
            None: "",
            "classes": "; rows of two classes are needed",
            "spread": "; targets that differ are needed",
            "masks": "; targets are whole numbers from 0 up",
        }[one.needs]
        worth = one.jackknife or "its own score"
        rows.append([f"`{name}`", ", ".join(one.kinds), one.better, f"{one.says}{needs}", worth])
    return rows


def source_options() -> list[list[str]]:
    """Every option of every source."""
    from autodc.adapters.sources.options import MEANINGS

    return [["option", "of", "means"], *([f"`{name}`", one.sources, one.meaning] for name, one in MEANINGS.items())]


def attributes() -> list[list[str]]:
    """Every measure of every enricher of ours."""
    from autodc.adapters.enrichers import measures

    rows = [
        [f"`{name}`", f"`{enricher}`", says] for enricher, all_ in measures().items() for name, says in all_.items()
    ]
    return [["attribute", "of", "is"], *rows]


def trainer_options() -> list[list[str]]:
    """Every option of every trainer of ours, as its type has it."""
    from autodc.adapters.trainers.options import BUILT_IN

    rows: dict[tuple[str, str, str], list[str]] = {}
    for trainer, ours in BUILT_IN.items():
        for name, field in ours.options.model_fields.items():
            default = "needed" if field.is_required() else f"`{field.get_default(call_default_factory=True)!r}`"
            rows.setdefault((name, default, field.description or ""), []).append(f"`{trainer}`")
    found = [[f"`{name}`", ", ".join(of), default, text] for (name, default, text), of in rows.items()]
    return [["option", "of", "left out", "means"], *([cell.replace("|", "\\|") for cell in row] for row in found)]


def placeholders() -> list[list[str]]:
    """What may stand in the arguments of a program, as `autodc/adapters/trainers/templates.py` knows it."""
    rows = [[f"`{{{name}}}`", says] for name, says in PLACEHOLDERS.items()]
    return [["placeholder", "stands for"], *rows, ["`{lr}`", "the hyperparameter `lr`, and so on for every name"]]


def frame_columns() -> list[list[str]]:
    """Every column of the frames of a result, as `autodc/review/frames.py` knows it."""
    from autodc.review.frames import COLUMNS

    rows = [[f"`{frame}`", f"`{name}`", says] for frame, columns in COLUMNS.items() for name, says in columns.items()]
    return [["frame", "column", "is"], *rows]


TABLES: dict[str, Callable[[], list[list[str]]]] = {
    "attributes": attributes,
    "frame columns": frame_columns,
    "metrics": metrics,
    "placeholders": placeholders,
    "source options": source_options,
    "trainer options": trainer_options,
}
"""Name of a table in the pages → what makes its lines, the header first."""


def _dead_links(page: Path, text: str) -> list[str]:
    targets = [match["target"] for match in LINK.finditer(text)]
    return [t for t in targets if "://" not in t and not t.startswith("mailto:") and not (page.parent / t).exists()]


if __name__ == "__main__":
    sys.exit(main())
