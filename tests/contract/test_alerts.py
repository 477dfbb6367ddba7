"""Alerts, dashboards, the page of metrics and the runbook speak of the same things, and the alerts do what they say."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.metrics_page import documented
from tests.promql import ROOT, RULES, Query, queries, rules
from tools.dashboards.__main__ import DASHBOARDS, FOLDER, json_of

PROMETHEUS = ROOT / "deploy" / "prometheus"
TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
RUNBOOK = ROOT / "docs" / "runbook.md"
ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
RECORDED = {rule["record"] for rule in rules() if "record" in rule}
# What Prometheus itself knows of every target, and adds to every series.
ITS_OWN = {"up"}
ADDED = {"job", "instance"}
SUFFIX = re.compile(r"_(bucket|sum|count)$")


def labels_of(name: str) -> set[str] | None:
    """The labels that a metric may be asked for by; None for one that nobody shows."""
    for metrics in documented().values():
        metric = metrics.get(name)
        if metric is not None and metric.type != "histogram":
            return set(metric.labels) | ADDED
        histogram = metrics.get(SUFFIX.sub("", name))
        if histogram is not None and histogram.type == "histogram" and name != histogram.name:
            return set(histogram.labels) | ADDED | ({"le"} if name.endswith("_bucket") else set())
    return ADDED if name in ITS_OWN else None


@pytest.mark.parametrize("query", list(queries()), ids=lambda query: query.where)
def test_a_query_asks_for_metrics_and_labels_that_there_are(query: Query):
    offered: set[str] = set()
    for name, asked in query.selectors:
        if name in RECORDED:
            assert not asked, "what is recorded is asked for whole"
            [source] = (Query(name, rule["expr"]) for rule in rules() if rule.get("record") == name)
            offered |= source.grouping
            continue
        labels = labels_of(name)
        assert labels is not None, f"no process shows {name}"
        assert asked <= labels, name
        offered |= labels
    assert query.grouping <= offered


def test_the_reader_of_queries_sees_metrics_labels_and_groupings():
    query = Query("", 'sum by (job, le) (rate(a_total{x="y{", z=~"b|c"}[5m])) / on (job) b and max(c) > 1e3 or up == 0')
    assert query.selectors == [("a_total", {"x", "z"}), ("b", set()), ("c", set()), ("up", set())]
    assert query.grouping == {"job", "le"}
    assert labels_of("no_such_metric") is None
    assert labels_of("rpc_server_call_duration_seconds") is None, "a histogram has no series of its own name"


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_whom_to_wake_and_where_to_read_on(name: str):
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert alert["annotations"]["summary"]
    assert alert["annotations"]["description"]
    assert alert["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"


def test_the_runbook_has_an_entry_for_each_alert_and_no_other():
    entries = re.findall(r"^### (\w+)\n\*(page|ticket)\.\*", RUNBOOK.read_text(), re.MULTILINE)
    assert dict(entries) == {name: alert["labels"]["severity"] for name, alert in ALERTS.items()}


def test_each_alert_is_seen_to_fire_and_to_keep_still():
    seen: dict[str, set[bool]] = {name: set() for name in ALERTS}
    for path in TESTS:
        for case in yaml.safe_load(path.read_text())["tests"]:
            for check in case["promql_expr_test"]:
                name = re.search(r'alertname="(\w+)"', check["expr"])
                assert name, check["expr"]
                seen[name[1]].add(bool(check["exp_samples"]))
    assert seen == {name: {True, False} for name in ALERTS}


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("needs promtool (Debian: prometheus)")
    return found


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_the_rules_pass_their_own_tests(promtool: str, path: Path):
    ran = subprocess.run([promtool, "test", "rules", str(path)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_prometheus_would_take_its_configuration(promtool: str):
    command = [promtool, "check", "config", str(PROMETHEUS / "prometheus.yml")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(list(RULES.glob("*.yml"))) == 2


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.name)
def test_a_dashboards_file_is_what_its_page_says(board: Any):
    assert (FOLDER / f"{board.name}.json").read_text() == json_of(board), "run python -m tools.dashboards"


def test_there_is_no_other_dashboard_and_every_panel_has_a_source_that_is_provisioned():
    assert {path.stem for path in FOLDER.glob("*.json")} == {board.name for board in DASHBOARDS}
    sources = yaml.safe_load((FOLDER.parent / "provisioning" / "datasources" / "telemed.yml").read_text())
    uids = {source["uid"] for source in sources["datasources"]}
    used = set(re.findall(r'"uid": "([a-z]+)"', "".join(path.read_text() for path in FOLDER.glob("*.json"))))
    assert used <= uids
