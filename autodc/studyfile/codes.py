"""The codes of what can be wrong in a file a person wrote. A code is never reused for another meaning."""

from __future__ import annotations

from typing import Final

CANNOT_READ: Final = "ADC-SPEC-001"  # missing, a folder, or not readable
NOT_UTF8: Final = "ADC-SPEC-002"
NOT_YAML: Final = "ADC-SPEC-003"
EMPTY: Final = "ADC-SPEC-004"
NOT_A_MAPPING: Final = "ADC-SPEC-005"  # the top of the file
FUTURE_SCHEMA: Final = "ADC-SPEC-006"
DUPLICATE_KEY: Final = "ADC-SPEC-007"
BAD_VALUE: Final = "ADC-SPEC-008"  # a YAML value that has no JSON form
BAD_INCLUDE: Final = "ADC-SPEC-009"
INCLUDE_CYCLE: Final = "ADC-SPEC-010"
TOO_LARGE: Final = "ADC-SPEC-011"  # nested too deeply, or unfolds to too much

UNKNOWN_KEY: Final = "ADC-SPEC-020"
MISSING_KEY: Final = "ADC-SPEC-021"
WRONG_TYPE: Final = "ADC-SPEC-022"
OUT_OF_RANGE: Final = "ADC-SPEC-023"
UNKNOWN_CHOICE: Final = "ADC-SPEC-024"
BAD_TEXT: Final = "ADC-SPEC-025"  # text of another form than asked
TOO_FEW: Final = "ADC-SPEC-026"
DISAGREE: Final = "ADC-SPEC-027"  # keys of one mapping that contradict each other

DUPLICATE_NAME: Final = "ADC-SPEC-040"
RESERVED_NAME: Final = "ADC-SPEC-041"
NO_TARGET: Final = "ADC-SPEC-042"
UNKNOWN_SLICE: Final = "ADC-SPEC-043"
GUARD_AS_TARGET: Final = "ADC-SPEC-044"
UNKNOWN_PARAMETER: Final = "ADC-SPEC-045"
IMPOSSIBLE_WHEN: Final = "ADC-SPEC-046"
WHEN_CYCLE: Final = "ADC-SPEC-047"
UNKNOWN_RECIPE: Final = "ADC-SPEC-048"
UNKNOWN_DATASET: Final = "ADC-SPEC-049"
WEIGHT_RANGE: Final = "ADC-SPEC-050"
METRIC_AND_KIND: Final = "ADC-SPEC-052"

OWN_METRIC: Final = "ADC-METRIC-070"  # a custom task is scored by a metric of the user's own
NO_SOFT: Final = "ADC-METRIC-071"  # a custom task has no soft score

BAD_OVERRIDE: Final = "ADC-SPEC-060"  # --set without a path and a value
OVERRIDE_PATH: Final = "ADC-SPEC-061"  # --set to a place that is not there
SOFT_MARGIN: Final = "ADC-SPEC-062"  # gate.score: soft on a target without a margin
DROPPED_KEY: Final = "ADC-SPEC-063"  # a key of earlier study files
