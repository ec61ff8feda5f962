"""Prints every metric of ours that the dashboard and the alert rules in a
folder ask for, a name a line. Ends with an error if a file is not what its
reader takes, or if what the collector keeps is not among the names of series
that come in on the standard input, or lacks what pages somebody."""

import json
import pathlib
import re
import sys

import yaml

NAME = re.compile(r"\b(?:tidegate|rpc|db)_[a-z0-9_]+\b")
# What awsemf replaces in names of log groups and streams, each by the attribute
# of this name or of the other (its README, "Exporter Configuration").
PLACEHOLDERS = {
    "ClusterName": "aws.ecs.cluster.name",
    "TaskId": "aws.ecs.task.id",
    "NodeName": "k8s.node.name",
    "ContainerInstanceId": "aws.ecs.container.instance.id",
    "TaskDefinitionFamily": "aws.ecs.task.family",
}
# Resource attributes that a gateway sends.
SENT = {"service.name", "service.version", "service.instance.id"}
# What Prometheus adds to the name of a metric.
ADDED = r"(_seconds|_ratio)?(_total|_bucket|_count|_sum)?"
# Strings, and what is within braces or after by and on, are labels.
LABELS = re.compile(r'"[^"]*"|\{[^}]*\}|\b(?:by|on|group_right|group_left)\s*\([^)]*\)')


def main():
    folder = pathlib.Path(sys.argv[1])
    asked = dashboard(json.loads((folder / "dashboard.json").read_text()))
    rules = yaml.safe_load((folder / "alerts.yaml").read_text())
    asked += alerts(rules)
    collector = yaml.safe_load((folder / "collector-cloudwatch.yaml").read_text())
    pipelines(collector)
    streams(collector)
    paged = names_in(alerts(rules, {"page"}))
    kept(collector, set(sys.stdin.read().split()), paged)
    print("\n".join(sorted(names_in(asked))))


def names_in(expressions):
    """The metrics of ours that expressions ask for."""
    names = set()
    for expression in expressions:
        found = NAME.findall(LABELS.sub(" ", expression))
        if not found and "up" not in expression:
            raise SystemExit(f"no metric of ours is asked for: {expression}")
        names.update(found)
    return names


def dashboard(board):
    """The expressions of its panels and of its variables."""
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids)), "two panels have one id"
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    variables = [it["definition"] for it in board["templating"]["list"] if it["type"] == "query"]
    # label_values(metric, label)
    return asked + [re.fullmatch(r"label_values\((\w+), \w+\)", it)[1] for it in variables]


def alerts(rules, severities=frozenset({"page", "ticket"})):
    """The expressions of its rules, each of which says what to do."""
    found = [rule for group in rules["groups"] for rule in group["rules"]]
    for rule in found:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert {"summary", "description"} <= rule["annotations"].keys(), rule["alert"]
    return [rule["expr"] for rule in found if rule["labels"]["severity"] in severities]


def pipelines(config):
    """Every part that a pipeline names is there."""
    for pipeline in config["service"]["pipelines"].values():
        for kind, parts in pipeline.items():
            missing = set(parts) - config[kind].keys()
            assert not missing, f"{kind}: {missing}"


def streams(config):
    """Every placeholder is known, and something is put into it."""
    processors = config["service"]["pipelines"]["metrics"]["processors"]
    copied = {
        it["key"]
        for name in processors
        for it in (config["processors"][name] or {}).get("attributes", [])
        if it["from_attribute"] in SENT
    }
    exporter = config["exporters"]["awsemf"]
    for text in (exporter["log_group_name"], exporter["log_stream_name"]):
        for placeholder in re.findall(r"\{(\w+)\}", text):
            assert placeholder in PLACEHOLDERS, f"{text}: awsemf would write it as it is"
            filled = {placeholder, PLACEHOLDERS[placeholder]} & (copied | SENT)
            assert filled, f"{text}: nobody sets that attribute"


def kept(config, exposed, paged):
    """Every selector keeps something that a gateway exposes, and what pages
    somebody is kept by one."""
    selectors = [
        selector
        for declaration in config["exporters"]["awsemf"]["metric_declarations"]
        for selector in declaration["metric_name_selectors"]
    ]
    series = {}
    for selector in selectors:
        inner = re.fullmatch(r"\^(.*?)\$?", selector)[1].replace(r"\.", "_")
        series[selector] = re.compile(inner + ADDED)
    for selector, pattern in series.items():
        assert any(map(pattern.fullmatch, exposed)), f"{selector}: no gateway exposes that"
    for name in paged:
        assert any(pattern.fullmatch(name) for pattern in series.values()), f"{name} is not kept"


if __name__ == "__main__":
    main()
