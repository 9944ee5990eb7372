"""The codes of diagnosis, attributes and shadow mode, of findings and of what is raised there."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.code import Code, several

DIAGNOSIS: Mapping[str, Code] = {
    # attributes
    "ADC-ATTR-001": Code("An enricher cannot be loaded."),
    "ADC-ATTR-002": Code("What is named as an enricher is none."),
    "ADC-ATTR-003": Code("An enricher fails."),
    "ADC-ATTR-004": Code("An enricher gives no DataFrame."),
    "ADC-ATTR-005": Code("An enricher gives another number of rows."),
    "ADC-ATTR-006": Code("An enricher gives infinite values."),
    "ADC-ATTR-007": several("An enricher gives columns that cannot be used: by their names or their values."),
    "ADC-ATTR-008": Code("An enricher gives a column that the metadata has."),
    "ADC-ATTR-009": Code("Two enrichers give a column of the same name."),
    "ADC-ATTR-010": Code("An enricher fails when it is fitted to the base."),
    "ADC-ATTR-011": Code("An enricher cannot measure the inputs of the study."),
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
