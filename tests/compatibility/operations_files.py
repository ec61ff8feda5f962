"""Prints every metric of ours that the dashboard and the alert rules in a
folder ask for, a name a line. Ends with an error if a file is not what its
reader takes."""

import json
import pathlib
import re
import sys

import yaml

NAME = re.compile(r"\b(?:tidegate|rpc|db)_[a-z0-9_]+\b")
# Strings, and what is within braces or after by and on, are labels.
LABELS = re.compile(r'"[^"]*"|\{[^}]*\}|\b(?:by|on|group_right|group_left)\s*\([^)]*\)')


def main():
    folder = pathlib.Path(sys.argv[1])
    asked = dashboard(json.loads((folder / "dashboard.json").read_text()))
    asked += alerts(yaml.safe_load((folder / "alerts.yaml").read_text()))
    pipelines(yaml.safe_load((folder / "collector-cloudwatch.yaml").read_text()))
    names = set()
    for expression in asked:
        found = NAME.findall(LABELS.sub(" ", expression))
        if not found and "up" not in expression:
            raise SystemExit(f"no metric of ours is asked for: {expression}")
        names.update(found)
    print("\n".join(sorted(names)))


def dashboard(board):
    """The expressions of its panels and of its variables."""
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids)), "two panels have one id"
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    variables = [it["definition"] for it in board["templating"]["list"] if it["type"] == "query"]
    # label_values(metric, label)
    return asked + [re.fullmatch(r"label_values\((\w+), \w+\)", it)[1] for it in variables]


def alerts(rules):
    """The expressions of its rules, each of which says what to do."""
    found = [rule for group in rules["groups"] for rule in group["rules"]]
    for rule in found:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert {"summary", "description"} <= rule["annotations"].keys(), rule["alert"]
    return [rule["expr"] for rule in found]


def pipelines(config):
    """Every part that a pipeline names is there."""
    for pipeline in config["service"]["pipelines"].values():
        for kind, parts in pipeline.items():
            missing = set(parts) - config[kind].keys()
            assert not missing, f"{kind}: {missing}"


if __name__ == "__main__":
    main()
