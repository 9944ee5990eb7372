"""Known vulnerabilities of what constraints.txt pins: asked of PyPI by pip-audit, else looked up in a stored list.

    .ci/audit.py            # 1 where a pinned version has one; 0 where none is known, or where nobody can be asked
    .ci/audit.py --store    # asks, and writes .ci/audit.json with its date; 3 where nobody can be asked

What is stored speaks for the versions it was made of: others are named as not audited. An id under `accepted` in
.ci/audit.json, with the reason beside it, is told and fails nothing.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shlex
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
STALE_DAYS = 90
PROBE_SECONDS, ASK_SECONDS = 5, 300
PIP_AUDIT = os.environ.get("PIP_AUDIT", f"{sys.executable} -m uv tool run --quiet pip-audit")
PROBE = os.environ.get("AUDIT_PROBE", "https://pypi.org/pypi/{name}/{version}/json")
"""What pip-audit asks for each pin; mirrors of the index alone do not have it."""


def pins(constraints: Path) -> list[str]:
    """`name==version` of every line."""
    lines = (line.partition("#")[0].partition(";")[0].strip() for line in constraints.read_text().splitlines())
    return [line for line in lines if "==" in line]


def asked(constraints: Path) -> dict[str, list[str]] | None:
    """What PyPI knows: pin → ids. None where it cannot be asked."""
    name, _, version = pins(constraints)[0].partition("==")
    try:
        with urllib.request.urlopen(PROBE.format(name=name, version=version), timeout=PROBE_SECONDS):
            pass
    except OSError:
        return None
    words = [*shlex.split(PIP_AUDIT), "--requirement", str(constraints), "--no-deps", "--disable-pip"]
    words += ["--vulnerability-service", "pypi", "--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=ASK_SECONDS, check=False)
        told = json.loads(done.stdout)["dependencies"]
    except (OSError, ValueError, LookupError, TypeError, subprocess.TimeoutExpired):
        return None
    found = {f"{one['name']}=={one['version']}": [v["id"] for v in one["vulns"]] for one in told if "vulns" in one}
    return found or None


def stored(path: Path) -> dict[str, Any]:
    """The list that lies here; an empty one where there is none."""
    return json.loads(path.read_text()) if path.exists() else {"date": "", "found": {}, "accepted": {}}


def told(constraints: Path, known: dict[str, list[str]], accepted: dict[str, str]) -> int:
    """Say what is known of the pins; how many vulnerabilities nobody has accepted."""
    wrong = 0
    for pin in pins(constraints):
        for one in known.get(pin, ()):
            wrong += one not in accepted
            print(f"{pin}: {one}{f', accepted: {accepted[one]}' if one in accepted else ''}")
    others = [pin for pin in pins(constraints) if pin not in known]
    if others:
        some = ", ".join(others[:5]) + ", …" * (len(others) > 5)
        print(f"not audited: {len(others)} of {len(pins(constraints))} ({some})")
    return wrong


def main() -> int:
    """Ask, or look up, and say it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--store", action="store_true")
    arguments.add_argument("--constraints", type=Path, default=HERE.parent / "constraints.txt")
    arguments.add_argument("--list", type=Path, default=HERE / "audit.json", dest="path")
    given = arguments.parse_args()
    kept, found = stored(given.path), asked(given.constraints)
    if given.store:
        if found is None:
            print("PyPI's list of vulnerabilities cannot be asked from here", file=sys.stderr)
            return 3
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        content = {"date": today, "found": found, "accepted": kept["accepted"]}
        given.path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
    if found is None and not kept["date"]:
        print("nothing was audited: PyPI's list cannot be asked from here, and none is stored (.ci/audit.py --store)")
        return 0
    if found is None:
        found = kept["found"]
        age = datetime.datetime.now(datetime.UTC).date() - datetime.date.fromisoformat(kept["date"])
        print(f"from the list of {kept['date']}{': make it again' if age.days > STALE_DAYS else ''}")
    wrong = told(given.constraints, found, kept["accepted"])
    print(f"{wrong} known vulnerabilities")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
