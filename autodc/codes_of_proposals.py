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
    "ADC-PROP-006": several("Note: budget.cost does not pay a dataset."),
    "ADC-PROP-007": several("The rows that were made are there already: in the base, or on the roster."),
    # generate
    "ADC-PROP-010": several("A generator cannot be loaded, or there is none of that name."),
    "ADC-PROP-011": several("What is named as a generator is none."),
    "ADC-PROP-012": several("What a generator declares as its parameters is no mapping as in a search space."),
    "ADC-PROP-013": several("A generator has no such parameter, or not such a value of it."),
    "ADC-PROP-014": several("The options of a generator do not fit."),
    "ADC-PROP-015": several("A generator fails."),
    "ADC-PROP-016": several("A generator gives something else than inputs, targets and metadata."),
    "ADC-PROP-017": Code("A generator gives another number of rows than was asked for."),
    "ADC-PROP-018": several("A generator gives inputs of another shape, type or other columns than the base has."),
    "ADC-PROP-019": several("A generator gives inputs that are NaN or infinite where the base has none."),
    "ADC-PROP-020": several("A generator gives labels that the base does not have."),
    "ADC-PROP-021": Code("A generator ignores its parameters: it gives the same rows for settings far apart."),
    "ADC-PROP-022": several("A generator cannot make inputs of the kind of the base."),
    "ADC-PROP-023": Code("The library that a generator needs is not installed."),
    "ADC-PROP-024": Code("No setting of a generator meets the finding."),
    # the next action, controls
    "ADC-PROP-095": Code("Note: a dataset is left for a later round, which has more trainings for it."),
    "ADC-PROP-096": Code("Note: less is expected of a dataset than matters."),
    # slices of findings as declared targets
    "ADC-PROP-052": several("Note: a finding has too few gate rows for a slice of its own."),
    "ADC-PROP-053": several("Note: the rule of a finding cannot be asked of the gate rows, or of the test set."),
    # bad input
    "ADC-PROP-080": Code("A dataset was not made in its time."),
    "ADC-PROP-081": Code("A dataset takes too much memory to make."),
    "ADC-PROP-082": Code("Note: a generator is not asked again, for it did not come to an end in its time."),
    # lineage and export
    "ADC-PROP-060": Code("The folder of an export exists."),
    "ADC-PROP-061": Code("A source of a run is another than it trained on."),
    "ADC-PROP-062": Code("A dataset has no such row."),
    "ADC-PROP-063": several("A dataset was made of rows that are held out."),
    "ADC-PROP-064": several("The origin of made rows does not fit: its datasets, rows or number."),
    "ADC-PROP-065": Code("The journal does not say where the study file lies."),
    "ADC-PROP-066": Code("Inputs or targets are called as a column of lineage."),
    # rows without labels: oracles, and people who are asked
    "ADC-PROP-070": several("An oracle cannot be loaded, or what is named as one is none."),
    "ADC-PROP-071": Code("An oracle fails."),
    "ADC-PROP-072": Code("An oracle answers something else than labels."),
    "ADC-PROP-073": several("An oracle answers for other rows, or for another number of rows."),
    "ADC-PROP-074": Code("Labels are no classes of the study, NaN, or no numbers."),
    "ADC-PROP-075": several("Too few rows of a pool could be labelled."),
    "ADC-PROP-076": Code("A file of labels cannot be read, or has no ids and labels."),
    "ADC-PROP-077": several("A file of labels has other ids than were asked for, or some twice or not at all."),
    "ADC-PROP-078": Code("Note: labels of this kind fit into no sheet that people could fill in."),
    "ADC-PROP-079": Code("Rows that people were asked to label were labelled before."),
    # mended bases, rows drawn again, label maps
    "ADC-PROP-030": several("There is nothing to mend, or it cannot be told what: no dataset is made."),
    "ADC-PROP-031": several("A label map names classes that do not exist, or none that the dataset has."),
    "ADC-PROP-032": several("Rows that take another dataset's place do not say where each of them comes from."),
}
