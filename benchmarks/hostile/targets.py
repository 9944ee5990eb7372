"""All kinds of hostile input, with their shares of the full run."""

from __future__ import annotations

from benchmarks.hostile import conditions, folders, pages, sources, study_files, web
from benchmarks.hostile.target import Target

TARGETS = (
    Target(name="study files", cases=study_files.texts, check=study_files.check_study, share=15),
    Target(name="machine files", cases=study_files.machines, check=study_files.check_machine, share=8),
    Target(name="settings", cases=study_files.settings, check=study_files.check_setting, share=5),
    Target(name="where", cases=conditions.conditions, check=conditions.check, share=28),
    Target(name="archives, manifests, tables", cases=sources.settings, check=sources.check, share=28),
    Target(name="damaged folders", cases=folders.cases, check=folders.check, share=5),
    Target(name="names in pages", cases=pages.cases, check=pages.check, share=2),
    Target(name="requests to serve", cases=web.cases, check=web.check, share=9),
)
