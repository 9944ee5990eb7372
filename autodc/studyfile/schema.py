"""Generate the JSON Schema of the study file for editors: `python -m autodc.studyfile.schema [--check]`.

An editor with yaml-language-server uses it after a first line
`# yaml-language-server: $schema=path/to/study.schema.json`; name `!include scalar` in its `yaml.customTags`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from autodc.studyfile.study import StudySpec

FILE: Final = Path(__file__).with_name("study.schema.json")


def study_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a study file; the search space may also be a file that is included."""
    schema = StudySpec.model_json_schema()
    space = schema["properties"]["search_space"]
    about = {key: space.pop(key) for key in ("title", "description", "default") if key in space}
    included = {"type": "string", "description": "!include path, relative to the file it stands in"}
    schema["properties"]["search_space"] = {**about, "anyOf": [space, included]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def text() -> str:
    """The schema as the file holds it."""
    return json.dumps(study_schema(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the file, or with `--check` say whether it is current; return the exit code."""
    if "--check" not in arguments:
        FILE.write_text(text(), encoding="utf-8")
        return 0
    if FILE.is_file() and FILE.read_text(encoding="utf-8") == text():
        return 0
    print(f"{FILE.name} is not current: run `python -m autodc.studyfile.schema`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
