"""The codes of diagnosis, attributes and shadow mode, of findings and of what is raised there."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.code import Code

DIAGNOSIS: Mapping[str, Code] = {
    # findings
    "ADC-D001": Code("Finding: the model fails more often where a rule over attributes holds."),
    "ADC-D002": Code("Finding: the model fails more often in a cluster of an embedding."),
    # counterfactuals, told in `left_out`
    "ADC-DIAG-040": Code("The model raises where it is asked about changed inputs."),
    "ADC-DIAG-041": Code("The model answers with another number of rows than it was asked about."),
    "ADC-DIAG-042": Code("Measuring the attributes of changed inputs raises."),
    "ADC-DIAG-043": Code("No failing row has a passing row of its class to be moved to."),
    "ADC-DIAG-044": Code("The inputs cannot be changed, or success cannot be told, so there are no counterfactuals."),
    "ADC-DIAG-045": Code("Measuring changed inputs gives another number of rows."),
}
