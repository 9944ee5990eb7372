"""The codes of diagnosis, attributes and shadow mode, of findings and of what is raised there."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.code import Code

DIAGNOSIS: Mapping[str, Code] = {
    # findings
    "ADC-D001": Code("Finding: the model fails more often where a rule over attributes holds."),
    "ADC-D002": Code("Finding: the model fails more often in a cluster of an embedding."),
    # finders and what is confirmed
    "ADC-DIAG-020": Code("There are too few rows or groups to find on one half and confirm on the other."),
    "ADC-DIAG-021": Code("A finder failed and was left out of a diagnosis."),
    "ADC-DIAG-022": Code("The model fails on no row that a diagnosis may look at."),
    "ADC-DIAG-023": Code("The library of a finder is not installed."),
}
