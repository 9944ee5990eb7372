"""The codes of diagnosis, attributes and shadow mode, of findings and of what is raised there."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.code import Code, several

DIAGNOSIS: Mapping[str, Code] = {
    # attributes
    "ADC-ATTR-001": several("An enricher cannot be loaded, or there is none of that name."),
    "ADC-ATTR-002": Code("What is named as an enricher is none."),
    "ADC-ATTR-003": several("An enricher fails."),
    "ADC-ATTR-004": Code("An enricher gives no DataFrame."),
    "ADC-ATTR-005": Code("An enricher gives another number of rows."),
    "ADC-ATTR-006": Code("An enricher gives infinite values."),
    "ADC-ATTR-007": several("An enricher gives columns that cannot be used: by their names or their values."),
    "ADC-ATTR-008": Code("An enricher gives a column that the metadata has."),
    "ADC-ATTR-009": Code("Two enrichers give a column of the same name."),
    "ADC-ATTR-010": Code("An enricher fails when it is fitted to the base."),
    "ADC-ATTR-011": Code("An enricher cannot measure the inputs of the study."),
    "ADC-ATTR-012": Code("A process that measures attributes ended: it died, or took too long or too much memory."),
    "ADC-ATTR-013": Code("An enricher gives other columns for some rows than for others."),
    # findings
    "ADC-D001": Code("Finding: the model fails more often where a rule over attributes holds."),
    "ADC-D002": Code("Finding: the model fails more often in a cluster of an embedding."),
    # diagnose, the verb and the phase
    "ADC-DIAG-001": several("No rows of validation are set apart for diagnosis."),
    "ADC-DIAG-002": several("The rows for diagnosis are too few to be cut in two."),
    "ADC-DIAG-003": several("Note: the predictions of the incumbent are not kept, so its rows were not looked at."),
    "ADC-DIAG-004": several("Note: a finder failed, and what it would have found is missing."),
    "ADC-DIAG-005": several("Note: the causes of a finding could not be told."),
    "ADC-DIAG-006": Code("The study has no finding of this name."),
    "ADC-DIAG-007": Code("A finding is suspected alone: it was not confirmed, so it makes no slice."),
    "ADC-DIAG-008": Code("A finding is a cluster and has no rule that could make a slice."),
    "ADC-DIAG-009": Code("The journal does not say where the study file of a run lies."),
    "ADC-DIAG-010": Code("The data of a run have changed since, so its model cannot be diagnosed on them."),
    "ADC-DIAG-011": Code("The model to be diagnosed cannot be trained."),
    "ADC-DIAG-012": Code("A method fails to predict the rows it is to be diagnosed on."),
    "ADC-DIAG-013": Code("A finding can be promoted in the folder of a run alone."),
    "ADC-DIAG-014": Code("A method is diagnosed on a study; a run has its own model."),
    "ADC-DIAG-016": several("Note: labels, edge cases, or slices that tell nothing could not be looked at."),
    "ADC-DIAG-015": Code("A rule cannot be read on the test set, so it makes no slice of a study that runs."),
    # finders and what is confirmed
    "ADC-DIAG-020": several("There are too few rows or groups to find on one half and confirm on the other."),
    "ADC-DIAG-021": several("A finder failed and was left out of a diagnosis."),
    "ADC-DIAG-022": several("The model fails on no row that a diagnosis may look at."),
    "ADC-DIAG-023": Code("The library of a finder is not installed."),
    "ADC-DIAG-024": several("There is no finder of this name, or it cannot be loaded."),
    "ADC-DIAG-025": Code("What is named as a finder is none."),
    # counterfactuals, told in `left_out`
    "ADC-DIAG-040": Code("The model raises where it is asked about changed inputs."),
    "ADC-DIAG-041": Code("The model answers with another number of rows than it was asked about."),
    "ADC-DIAG-042": Code("Measuring the attributes of changed inputs raises."),
    "ADC-DIAG-043": Code("No failing row has a passing row of its class to be moved to."),
    "ADC-DIAG-044": Code("The inputs cannot be changed, or success cannot be told, so there are no counterfactuals."),
    "ADC-DIAG-045": Code("Measuring changed inputs gives another number of rows."),
    "ADC-DIAG-046": Code("No decoder has this name."),
    "ADC-DIAG-047": Code("The library of a decoder is not installed."),
    "ADC-DIAG-048": Code("A decoder is asked for, but the inputs are not moved by one: columns and texts are not."),
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
    "ADC-DIAG-058": several(
        "What is on offer is no candidate of the study file, or no number of rows that it may have."
    ),
    "ADC-DIAG-059": several("Note: what more rows would do could not be told."),
    "ADC-DIAG-060": Code("Learning curves are trained on a study file, with its own start."),
    # shadow mode
    "ADC-SHDW-001": Code("The output folder of shadow mode exists."),
    "ADC-SHDW-002": Code("No row is asked to be picked."),
    "ADC-SHDW-003": Code("Validation has too few rows to learn failures from."),
    "ADC-SHDW-004": Code("The stream changed while it was read."),
    "ADC-SHDW-005": Code("An option of the stream is no key and value."),
    "ADC-SHDW-006": Code("The stream has columns that shadow mode writes itself."),
    # the inbox
    "ADC-INBX-001": several("A sheet in the inbox is labelled in part."),
    "ADC-INBX-003": several("A sheet in the inbox has no label yet."),
    "ADC-INBX-002": Code("Rows in the inbox are there already: in the base, or on the roster."),
    "ADC-SHDW-010": Code("The method fails on rows that it is to predict."),
    "ADC-SHDW-011": Code("Rows could not be predicted on this machine."),
    # evaluate
    "ADC-EVAL-001": several("A method is shown worse than the one it is held against, or breaks a limit of the study."),
    "ADC-EVAL-002": Code("A method fails to predict the rows it is evaluated on, or takes too long."),
    "ADC-EVAL-003": Code("The rows of an evaluation could not be predicted on this machine."),
    "ADC-EVAL-004": several("The metric of the study cannot score what a method predicts."),
    "ADC-EVAL-005": Code("A time limit or a number of cores of evaluate is not above 0."),
}
