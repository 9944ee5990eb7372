"""An evaluation as JUnit XML, which every CI reads: a test case a slice, a failure where a regression is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from autodc.review import evaluation

_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML has no place for."""


def junit(content: Mapping[str, Any]) -> str:
    """The file as text. A slice that is no evidence is skipped; without another method nothing can fail."""
    against = content["against"]
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(suites, "testsuite", name=_text(f"autodc evaluate {content['study']}"))
    cases = [_slice_case(content, row) for row in evaluation.slice_table(content)]
    if against is not None:
        known = {one.get("name") for one in cases}
        differences = {row["name"]: row for row in evaluation.difference_table(content)}
        for case in cases:
            _judge(case, differences[str(case.get("name"))])
        for name in [name for name in differences if name not in known]:
            cases.append(_case(content, name))
            _judge(cases[-1], differences[name])
        for (broken, words), name in zip(evaluation.limit_words(content), against["limits"], strict=True):
            cases.append(_case(content, f"limit {name}"))
            if broken:
                ElementTree.SubElement(cases[-1], "failure", message=_text(words), type="ADC-EVAL-001")
    suite.extend(cases)
    seconds = [content["tradeoffs"]["predict_seconds"]]
    for name, number in (
        ("tests", len(cases)),
        ("failures", sum(one.find("failure") is not None for one in cases)),
        ("skipped", sum(one.find("skipped") is not None for one in cases)),
        ("errors", 0),
    ):
        suite.set(name, str(number))
    suite.set("time", f"{sum(seconds):.3f}")
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _case(content: Mapping[str, Any], name: str) -> ElementTree.Element:
    return ElementTree.Element("testcase", classname=_text(f"{content['study']}.{content['method']}"), name=_text(name))


def _slice_case(content: Mapping[str, Any], row: Mapping[str, Any]) -> ElementTree.Element:
    case = _case(content, row["name"])
    said = ElementTree.SubElement(case, "system-out")
    metric = content["metric"]["name"]
    said.text = _text(f"{metric} {row['value_words']} (95%: {row['span_words']}) on {row['rows']} rows")
    return case


def _judge(case: ElementTree.Element, row: Mapping[str, Any]) -> None:
    """A failure, or that it says nothing."""
    words = f"{row['difference_words']} ({row['span_words']}), corrected chance {row['chance_words']}"
    said = case.find("system-out")
    if said is None:
        said = ElementTree.SubElement(case, "system-out")
    said.text = _text("; ".join(filter(None, [said.text, f"against the other {words}: {row['standing_words']}"])))
    if row["standing"] == "worse":
        failure = ElementTree.Element("failure", message=_text(f"shown worse: {words}"), type="ADC-EVAL-001")
        case.insert(0, failure)
    elif row["standing"] == "no evidence":
        case.insert(0, ElementTree.Element("skipped", message="too few rows or groups to show anything"))


def _text(words: str) -> str:
    return _FORBIDDEN.sub("�", words)
