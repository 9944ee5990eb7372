"""What people see of a real night: MLflow's pages on a real server, and the report, each kept as a picture."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import unquote
from urllib.request import urlopen

import pytest

from autodc.testing.waiting import waited
from tests.screens.browser import WAIT, Watch, chromium, picture, serious
from tests.screens.night import write_night

pytestmark = [
    pytest.mark.slow(seconds=60),
    pytest.mark.timeout(1800),
    pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="MLflow is not installed"),
]
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

QUIET = """
if (location.protocol === 'http:' && window === window.top) {
  localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true');
  localStorage.setItem('mlflow.assistant.panelOpen_v1', 'false');
}
"""
"""MLflow's assistant is not what is looked at."""
NOT_OURS = "/users/current"
"""MLflow asks who one is, also of a server that knows nobody."""


COMMAND = "import sys; sys.argv[0] = 'autodc'; from autodc.cli import main; main()"


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str, Path]:
    """What a study came to that was run by its command, the URI of the store that has it, and its folder."""
    folder = tmp_path_factory.mktemp("night")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    write_night(folder / "digits", uri)
    (folder / "inline.yaml").write_text("runner: inline\n")
    words = ["run", "digits/study.yaml", "--machine", "inline.yaml", "--out", "runs/digits", "--json"]
    command = [sys.executable, "-c", COMMAND, *words]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert (told["kept"], told["dropped"]) == (["felt_pen"], ["misaligned"])
    return told, uri, folder / "runs" / "digits"


@pytest.fixture(scope="module")
def server(night: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """MLflow's own server over the store of the night, on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", night[1], "--port", str(port)]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--workers", "1"], start_new_session=True, stdout=said, stderr=said
        )
    address = f"http://127.0.0.1:{port}"
    try:
        assert waited(lambda: answers(f"{address}/health")), log.read_text()
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: Any, server: str) -> Iterator[Any]:
    """A page of somebody who never was there before; nothing of ours may fail, nothing is asked of anybody else."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(WAIT)
    context.add_init_script(QUIET)
    opened = context.new_page()
    watch = Watch(opened)
    yield opened
    assert [url for url in watch.refused if not url.endswith(NOT_OURS)] == []
    assert [url for url in watch.asked if not url.startswith((server, "data:", "blob:", "about:"))] == []
    assert [words for words in watch.said if "404" not in words and "ResizeObserver" not in words] == []
    assert opened.get_by_role("alert").filter(has_text=re.compile("error|failed", re.IGNORECASE)).count() == 0
    context.close()


@pytest.fixture(scope="module")
def links(night: Any) -> dict[str, str]:
    """What the description of the study's run links: words → where."""
    from mlflow import MlflowClient

    reference = night[0]["mlflow"]
    note = MlflowClient(night[1]).get_run(reference["run_id"]).data.tags["mlflow.note.content"]
    found = dict(re.findall(r"\[([^\]]+)\]\((#[^)]+)\)", note))
    return {**found, "study": f"#/experiments/{reference['experiment_id']}/runs/{reference['run_id']}"}


TRAINING = "workflowType=machine_learning"


def cells(page: Any, column: str) -> list[str]:
    """What stands in a column of the table of runs."""
    found = page.locator(f".ag-row [col-id='{column}']").all_inner_texts()
    return [text.split("\n")[-1].strip() for text in found if text.strip()]  # a colour stands before a name


def test_the_list_of_experiments_tells_what_there_is(page: Any, server: str) -> None:
    page.goto(f"{server}/#/experiments")
    page.get_by_text("Model training", exact=True).click()
    page.get_by_text("Studies by autodc").first.wait_for()
    page.screenshot(path=picture("mlflow-experiments"))
    page.get_by_role("link", name="digits", exact=True).click()
    page.get_by_role("link", name="what is worth comparing").wait_for()
    assert "/runs" in page.url


def test_runs_open_below_their_study(page: Any, server: str, links: Any) -> None:
    page.goto(f"{server}/{links['study'].rpartition('/')[0]}?{TRAINING}")
    page.locator(".ag-row").first.wait_for()
    assert len(cells(page, "attributes.`Run Name`")) == 1
    page.locator(".ag-row [col-id='attributes.`Run Name`'] button").first.click()
    page.locator(".ag-row").nth(5).wait_for()
    names = cells(page, "attributes.`Run Name`")
    assert any(re.fullmatch(r"\d{4} end b1 f[\d.]+", name) for name in names)
    page.screenshot(path=picture("mlflow-runs-expanded"))


def test_trainings_are_sorted_and_filtered_by_saved_views(page: Any, server: str, links: Any) -> None:
    page.goto(f"{server}/{links['all trainings, the best first']}")
    page.locator(".ag-row").nth(5).wait_for()
    objective = [float(text) for text in cells(page, "metrics.`objective`")]
    assert len(objective) > 5
    assert objective == sorted(objective, reverse=True)
    assert {"metrics.`validation/bold`", "params.`weight.felt_pen`"} <= columns(page)
    page.screenshot(path=picture("mlflow-trainings-best-first"))
    page.goto("about:blank")
    page.goto(f"{server}/{links['all that is worth comparing']}")
    page.get_by_text(re.compile(r"^\s*[2-9] matching runs")).wait_for()
    names = " ".join(cells(page, "attributes.`Run Name`"))
    assert " start " in names
    assert " end " in names
    assert " search " not in names
    page.screenshot(path=picture("mlflow-worth-comparing"))


def columns(page: Any) -> set[str]:
    return set(page.evaluate("[...document.querySelectorAll('[col-id]')].map(e => e.getAttribute('col-id'))"))


def test_the_study_says_what_was_kept(page: Any, server: str, links: Any) -> None:
    page.goto(f"{server}/{links['study']}?{TRAINING}")
    page.get_by_text("kept felt_pen; dropped misaligned").wait_for()
    assert page.get_by_text("The sealed test agrees: bold is better.").is_visible()
    page.screenshot(path=picture("mlflow-study"))
    page.get_by_text("Show more").click()
    page.get_by_role("link", name="compare them").wait_for()


def test_what_is_worth_comparing_is_compared(page: Any, server: str, links: Any) -> None:
    page.goto(f"{server}/{links['compare them']}")
    count = len(set(re.findall(r"[0-9a-f]{32}", unquote(links["compare them"]))))
    page.get_by_text(f"Comparing {count} Runs from 1 Experiment").wait_for()
    page.locator(".js-plotly-plot").first.wait_for()
    page.screenshot(path=picture("mlflow-comparison"))


def test_a_dataset_of_a_training_opens(page: Any, server: str, links: Any) -> None:
    page.goto(f"{server}/{links['end']}")
    page.get_by_text("recipe concat").first.wait_for()
    page.get_by_text(re.compile(r"^base \(")).first.click()
    page.get_by_text("num rows").wait_for()
    assert page.get_by_text("No schema available").count() == 0
    page.screenshot(path=picture("mlflow-dataset"))


def test_the_model_is_registered_and_told(page: Any, server: str) -> None:
    page.goto(f"{server}/#/models/digits-reader?{TRAINING}")
    page.get_by_text("The model at the end of").first.wait_for()
    page.get_by_text("@ champion").first.wait_for()
    page.screenshot(path=picture("mlflow-model"))


def test_report_and_decisions_open_among_the_artifacts(page: Any, server: str, links: Any) -> None:
    page.goto(f"{server}/{links['study']}/artifacts/report/index.html?{TRAINING}")
    page.frame_locator("iframe").get_by_text("candidate datasets").first.wait_for()
    page.screenshot(path=picture("mlflow-report"))
    page.goto("about:blank")
    page.goto(f"{server}/{links['study']}/artifacts/tables/decisions.json?{TRAINING}")
    page.get_by_role("cell", name="misaligned", exact=True).first.wait_for()
    page.screenshot(path=picture("mlflow-decisions"))


SIZES = {"wide": (1280, 800), "tablet": (820, 1180), "phone": (390, 844)}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_report_answers_five_questions_on_its_first_screen(
    browser: Any, night: Any, size: str, scheme: str
) -> None:
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=True)
    context.set_default_timeout(WAIT)
    page = context.new_page()
    watch, file = Watch(page), night[2] / "report" / "index.html"
    page.goto(file.as_uri())
    page.screenshot(path=picture(f"report-{size}-{scheme}"))
    for asked, answer in (
        ("what was kept", page.get_by_role("heading", level=1).filter(has_text="felt_pen")),
        ("does the test agree", page.locator(".tile.test .tag, .tile.test").filter(has_text="agrees").first),
        ("where is the model", page.get_by_text("models/incumbent").first),
        ("what next", page.locator(".tile").filter(has_text="What next").get_by_text("autodc run").first),
        ("what did it cost", page.locator(".tile").filter(has_text="What it cost")),
    ):
        box = answer.bounding_box()
        assert box is not None, asked
        assert box["x"] >= 0, asked
        assert box["x"] + box["width"] <= width, asked
        assert box["y"] + box["height"] <= height, asked
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if (size, scheme) in (("wide", "light"), ("phone", "dark")):
        assert serious(page) == []
    assert (watch.said, watch.asked) == ([], [file.as_uri()])
    context.close()


def test_the_report_prints_on_paper(browser: Any, night: Any) -> None:
    context = browser.new_context(viewport={"width": 794, "height": 1123})
    context.set_default_timeout(WAIT)
    page = context.new_page()
    page.goto((night[2] / "report" / "index.html").as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 794
    assert not page.locator("nav.toc").is_visible()
    page.screenshot(path=picture("report-print"), full_page=True)
    sheets = page.pdf(format="A4")
    assert sheets.count(b"/Type /Page\n") + sheets.count(b"/Type /Page ") in range(2, 40)
    context.close()
