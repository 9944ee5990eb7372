"""The codes of what is made while a study runs."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.code import Code, several

PROPOSALS: Mapping[str, Code] = {
    # what is proposed, and the door
    "ADC-PROP-001": Code("Rows without labels were to be trained on."),
    "ADC-PROP-002": Code("Note: the rule of a finding cannot be asked of the pool."),
    "ADC-PROP-003": Code("Note: too few rows of the pool match a finding."),
    "ADC-PROP-004": several("Note: a proposer failed."),
    "ADC-PROP-005": Code("A dataset could not be made."),
    "ADC-PROP-006": Code("Note: budget.cost does not pay a dataset."),
}
