"""The codes of diagnosis, attributes and shadow mode, of findings and of what is raised there."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.code import Code

DIAGNOSIS: Mapping[str, Code] = {
    # findings
    "ADC-D001": Code("Finding: the model fails more often where a rule over attributes holds."),
    "ADC-D002": Code("Finding: the model fails more often in a cluster of an embedding."),
}
