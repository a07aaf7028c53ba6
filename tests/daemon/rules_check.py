#!/usr/bin/env python3
"""Whether the rules, their tests, the runbook and the dashboard name the same things, and only metrics
that there are. Exit code 77: skipped."""
import json
import pathlib
import re
import subprocess
import sys

try:
    import yaml
except ImportError:
    print("skipped: python3-yaml is not installed")
    sys.exit(77)

errors = []


def expect(condition, message):
    if not condition:
        errors.append(message)


def metrics_in(expression):
    return set(re.findall(r"\b(?:cml_reconciler|process)_[a-z_]+", expression))


def main():
    page = subprocess.run([sys.argv[1], "generate", "metrics"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    known = set(re.findall(r"(?m)^\| `([a-z_]+)`", page))
    expect(len(known) > 20, "the page of metrics is empty")
    rows = dict(re.findall(r"(?m)^\| `([a-z_]+)` \| (\w+)", page))
    known |= {n + s for n, t in rows.items() if t == "histogram" for s in ("_bucket", "_sum", "_count")}

    folder = pathlib.Path("deploy/prometheus")
    groups = yaml.safe_load((folder / "cml-reconciler.rules.yaml").read_text())["groups"]
    rules = [r for g in groups for r in g["rules"]]
    alerts = {r["alert"]: r for r in rules if "alert" in r}
    tests = yaml.safe_load((folder / "cml-reconciler.rules.test.yaml").read_text())["tests"]
    tested = {t["alertname"] for test in tests for t in test.get("alert_rule_test", []) if t["exp_alerts"]}
    runbook = pathlib.Path("docs/runbook.md").read_text()
    headings = re.findall(r"(?m)^## (\w+)$", runbook)

    expect(set(headings) == set(alerts), f"runbook and alerts differ: {set(headings) ^ set(alerts)}")
    expect(tested == set(alerts), f"alerts without a test that fires: {set(alerts) ^ tested}")
    for name, rule in alerts.items():
        expect(rule["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}", f"{name}: runbook_url")
        expect(rule["labels"]["severity"] in ("none", "warning", "critical"), f"{name}: severity")
    for rule in rules:
        # A name with a colon is a recording rule's.
        unknown = metrics_in(re.sub(r"cml_reconciler:[a-z0-9_:]+", "", rule["expr"])) - known
        expect(not unknown, f"{rule.get('alert') or rule.get('record')}: no such metric: {unknown}")
    dashboard = json.loads(pathlib.Path("deploy/grafana/cml-reconciler.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            unknown = metrics_in(target["expr"]) - known
            expect(not unknown, f"panel '{panel['title']}': no such metric: {unknown}")
    expect(len({p["id"] for p in dashboard["panels"]}) == len(dashboard["panels"]), "panels share an id")
    for e in errors:
        print("wrong:", e)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
