"""The codes of diagnosis, attributes and shadow mode, of findings and of what is raised there."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.code import Code, several

DIAGNOSIS: Mapping[str, Code] = {
    # attributes
    "ADC-ATTR-001": several("An enricher cannot be loaded, or there is none of that name."),
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
}
