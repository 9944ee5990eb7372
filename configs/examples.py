"""Copy the studies of this folder to where `autodc init` finds them, each folder whole: search space and data included.

python configs/examples.py [--check]
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

CONFIGS = Path(__file__).resolve().parent
SPACES = CONFIGS.parent / "search_spaces"
EXAMPLES = CONFIGS.parent / "autodc" / "cli" / "examples"
FILES = {
    "digits": ("data.py",),
    "fashion": ("data.py",),
    "tabular": ("data/*",),
    "command": ("train.py", "../digits/data.py"),
}
OUTSIDE = re.compile(r"\.\./(?:\.\./search_spaces|[a-z]+)/([\w.]+)")


def wanted() -> dict[Path, bytes]:
    """Path below the examples → content. Paths that leave the study's folder are rewritten to stay in it."""
    files: dict[Path, bytes] = {}
    for name, patterns in FILES.items():
        study = (CONFIGS / name / "study.yaml").read_text(encoding="utf-8")
        files[Path(name, "study.yaml")] = OUTSIDE.sub(r"\1", study).encode()
        for space in re.findall(r"search_spaces/([\w.]+)", study):
            files[Path(name, space)] = (SPACES / space).read_bytes()
        for pattern in patterns:
            inside = pattern.removeprefix("../digits/")
            for file in sorted((CONFIGS / (name if inside == pattern else "digits")).glob(inside)):
                folder = "data" if file.parent.name == "data" else ""
                files[Path(name, folder, file.name)] = file.read_bytes()
    return files


def main() -> int:
    files = wanted()
    found = {path.relative_to(EXAMPLES) for path in EXAMPLES.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    stale = [path for path in files if path not in found or (EXAMPLES / path).read_bytes() != files[path]]
    extra = sorted(found - set(files))
    if "--check" in sys.argv[1:]:
        for path in [*stale, *extra]:
            print(f"autodc/cli/examples/{path} is not as configs/ has it; `make fix` copies it again", file=sys.stderr)
        return 1 if stale or extra else 0
    for path in stale:
        (EXAMPLES / path).parent.mkdir(parents=True, exist_ok=True)
        (EXAMPLES / path).write_bytes(files[path])
    for path in extra:
        (EXAMPLES / path).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
