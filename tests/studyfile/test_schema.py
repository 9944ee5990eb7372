"""The JSON Schema that editors use."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from autodc.studyfile import dump, schema


def test_the_shipped_file_is_current() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.text()
    assert schema.main(["--check"]) == 0


@pytest.mark.slow
def test_it_is_a_schema_that_takes_a_valid_study(spec: Any) -> None:
    shipped = json.loads(schema.FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(shipped)
    jsonschema.validate(dump(spec), shipped)
    jsonschema.validate({**dump(spec), "budget": {"wall_clock": "8h"}, "search_space": "a file"}, shipped)


@pytest.mark.parametrize(
    "change", [{"budgett": {}}, {"seed": -1}, {"budget": {"wall_clock": "8 hours"}}, {"recipes": []}]
)
def test_it_refuses_what_the_loader_refuses(spec: Any, change: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**dump(spec), **change}, json.loads(schema.text()))


def test_every_key_is_described() -> None:
    definitions = [schema.study_schema(), *schema.study_schema()["$defs"].values()]
    bare = [
        f"{d['title']}.{k}" for d in definitions for k, v in d.get("properties", {}).items() if "description" not in v
    ]
    assert bare == []
