"""Rules and routes as the real programs read them, and every alert explained."""

import re
import subprocess

import yaml

from tests.gateway import ROOT
from tests.system.conftest import program

PROMETHEUS, ALERTMANAGER = ROOT / "deploy/prometheus", ROOT / "deploy/alertmanager"
RULES = PROMETHEUS / "rules"
CONTRACT_ALERTS = yaml.safe_load((RULES / "schoolgate.alerts.yml").read_text())["groups"]
ALERTS = {rule["alert"]: rule for group in CONTRACT_ALERTS for rule in group["rules"]}
SEVERITIES = {"critical", "warning", "info"}


def said(*command: str) -> str:
    """Give what a command says, which must succeed."""
    done = subprocess.run(
        [program(command[0]), *command[1:]],
        cwd=PROMETHEUS / "tests",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_each_alert_fires_and_ends_as_its_unit_test_says() -> None:
    assert "SUCCESS" in said("promtool", "test", "rules", "schoolgate.test.yml")


def test_each_alert_has_a_unit_test() -> None:
    tests = yaml.safe_load((PROMETHEUS / "tests/schoolgate.test.yml").read_text())["tests"]
    assert set(ALERTS) <= {test["name"] for test in tests}


def test_a_rule_that_is_wrong_is_found_by_its_unit_test() -> None:
    """The tests are such that they can fail."""
    text = (PROMETHEUS / "tests/schoolgate.test.yml").read_text()
    wrong = ROOT / "build/wrong.test.yml"
    wrong.parent.mkdir(exist_ok=True)
    wrong.write_text(
        text.replace("../rules", str(RULES)).replace("values: 1x4 0x4 1x20", "values: 1x40")
    )
    done = subprocess.run(
        [program("promtool"), "test", "rules", str(wrong)],
        capture_output=True,
        text=True,
        check=False,
    )
    wrong.unlink()
    assert done.returncode == 1
    assert "SchoolgateWorkerDown" in done.stderr + done.stdout


def test_the_configuration_and_the_rules_are_read_without_a_fault() -> None:
    assert "SUCCESS" in said("promtool", "check", "config", str(PROMETHEUS / "prometheus.yml"))
    assert "SUCCESS" in said("promtool", "check", "rules", *map(str, sorted(RULES.glob("*.yml"))))
    assert "SUCCESS" in said("amtool", "check-config", str(ALERTMANAGER / "alertmanager.yml"))


def test_each_severity_goes_where_it_belongs() -> None:
    routes = [("critical", "at-once"), ("warning", "technician"), ("info", "school")]
    for severity, want in routes:
        config = f"--config.file={ALERTMANAGER / 'alertmanager.yml'}"
        routed = said("amtool", "config", "routes", "test", config, f"severity={severity}")
        assert routed.startswith(f"{want}\n")


def test_each_alert_says_what_to_do() -> None:
    guide = (ROOT / "docs/monitoring.md").read_text()
    headings = {one.lower() for one in re.findall(r"^#+ (\w+)$", guide, re.MULTILINE)}
    for name, rule in ALERTS.items():
        assert rule["labels"]["severity"] in SEVERITIES
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
        where, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert where == "file:///usr/share/doc/schoolgate/monitoring.md"
        assert anchor == name.lower()
        assert anchor in headings
