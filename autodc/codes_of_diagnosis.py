"""The codes of diagnosis, attributes and shadow mode, of findings and of what is raised there."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.code import Code

DIAGNOSIS: Mapping[str, Code] = {
    # findings
    "ADC-D001": Code("Finding: the model fails more often where a rule over attributes holds."),
    "ADC-D002": Code("Finding: the model fails more often in a cluster of an embedding."),
    # labels, conventions, unit tests that tell nothing, edge cases, learning curves
    "ADC-D010": Code("Finding: labels are likely wrong."),
    "ADC-D011": Code("Finding: two datasets label alike rows differently."),
    "ADC-D020": Code("Finding: a slice on which no two models differ tells nothing."),
    "ADC-D021": Code("Finding: slices always move together."),
    "ADC-D030": Code("Finding: rows are edge cases, in the tails of feature space."),
    "ADC-DIAG-050": Code("An embedding has another number of rows, or holds NaN or infinity."),
    "ADC-DIAG-051": Code("A label is none of the classes."),
    "ADC-DIAG-052": Code("Probabilities have another shape, or do not sum to 1."),
    "ADC-DIAG-053": Code("A point of a learning curve cannot be, or there is none."),
    "ADC-DIAG-054": Code("The table of trainings and slices does not fit its names."),
    "ADC-DIAG-055": Code("Datasets that are compared have embeddings of different widths or lengths."),
    "ADC-DIAG-056": Code("An embedding has another width than the one that was fitted."),
    "ADC-DIAG-057": Code("The columns of several annotators are none, or named twice."),
}
