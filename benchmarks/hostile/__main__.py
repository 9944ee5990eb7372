"""Ten thousand hostile inputs.

    python -m benchmarks.hostile                    # writes benchmarks/results/hostile.md
    python -m benchmarks.hostile --cases 500 --only where sources --seed 3

Study, search-space and machine files and `--set`; archives, manifests and tables; `where` strings; folders of studies
that are damaged; names in every page; requests to `autodc serve`. Each is taken, or refused with a code: the command
ends with 1 at the first that crashes, escapes its folder, hangs, or is refused without one, and shows the smallest such
case. A seed makes the same cases again.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path

from benchmarks.tables import table

RESULTS = Path(__file__).parent.parent / "results" / "hostile.md"
CASES = 10_000


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--cases", type=int, default=CASES)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--only", nargs="*", default=())
    given = arguments.parse_args()
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="hostile-cache-")
    from benchmarks.hostile.target import TAKEN, tried
    from benchmarks.hostile.targets import TARGETS

    rows, failed = list[list[str]](), False
    for target in TARGETS:
        if given.only and target.name not in given.only:
            continue
        count, begun = max(1, given.cases * target.share // 100), time.monotonic()
        try:
            found = tried(target, count, given.seed)
        except Exception:
            failed = True
            print(f"== {target.name}\n{traceback.format_exc()}", file=sys.stderr)
            rows.append([target.name, str(count), "", "", "**not right**"])
            continue
        most = ", ".join(f"{code} {times}" for code, times in found.most_common(5) if code != TAKEN)
        rows.append([target.name, str(found.total()), str(found[TAKEN]), f"{time.monotonic() - begun:.0f}", most])
        print(*rows[-1], sep=" | ", flush=True)
    text = table(["input", "cases", "taken", "seconds", "refused most often with"], rows)
    print(text)
    if not (failed or given.only or given.cases < CASES):
        RESULTS.write_text(
            f"# Hostile inputs\n\n`python -m benchmarks.hostile`, {platform.python_version()}.\n\n{text}\n"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
