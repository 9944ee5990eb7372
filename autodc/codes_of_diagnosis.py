"""The codes of diagnosis, attributes and shadow mode, of findings and of what is raised there."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.code import Code

DIAGNOSIS: Mapping[str, Code] = {
    # findings
    "ADC-D001": Code("Finding: the model fails more often where a rule over attributes holds."),
    "ADC-D002": Code("Finding: the model fails more often in a cluster of an embedding."),
    # shadow mode
    "ADC-SHDW-001": Code("The output folder of shadow mode exists."),
    "ADC-SHDW-002": Code("No row is asked to be picked."),
    "ADC-SHDW-003": Code("Validation has too few rows to learn failures from."),
    "ADC-SHDW-004": Code("The stream changed while it was read."),
    "ADC-SHDW-005": Code("An option of the stream is no key and value."),
    "ADC-SHDW-010": Code("The method fails on rows that it is to predict."),
    "ADC-SHDW-011": Code("Rows could not be predicted on this machine."),
}
