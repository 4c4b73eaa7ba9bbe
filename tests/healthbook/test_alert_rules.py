"""Alert rules and dashboard: every figure they name is one of ours, every alert fires where it should and
nowhere else (Prometheus' own tool says so), and the runbook says of each what to do."""

import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from api import metrics as of_api
from api.load import Kind
from ehr.intake import counting as of_intake
from healthbook.metrics import counts as of_worker
from healthbook.metrics import gauges as of_state
from notifications import metrics as of_messages
from store import database as of_store
from tests.support.debian import program

ROOT = Path(__file__).resolve().parents[2]
METRICS = ROOT / "docker" / "metrics"
RULES = METRICS / "rules" / "healthbook.yml"
DASHBOARD = METRICS / "dashboard.json"
MODULES = (of_api, of_intake, of_worker, of_state, of_messages, of_store)
NAMED = re.compile(r"\bhealthbook_[a-z0-9_]+")


def alerts() -> dict[str, dict[str, Any]]:
    found = yaml.safe_load(RULES.read_text())
    return {rule["alert"]: rule for group in found["groups"] for rule in group["rules"]}


def figures() -> dict[str, set[str]]:
    """Every sample that this program can offer, with its labels."""
    found: dict[str, set[str]] = {}
    for module in MODULES:
        for one in vars(module).values():
            if isinstance(one, MetricWrapperBase):
                found |= samples(one)
    return found


def samples(one: MetricWrapperBase) -> dict[str, set[str]]:
    (described,) = one.describe()
    labels = set(one._labelnames)
    if isinstance(one, Counter):
        return {f"{described.name}_total": labels}
    if isinstance(one, Gauge):
        return {described.name: labels}
    assert isinstance(one, Histogram)
    name = described.name
    return {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}


def expressions() -> list[str]:
    dashboard = json.loads(DASHBOARD.read_text())
    drawn = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    return [rule["expr"] for rule in alerts().values()] + drawn


def test_the_modules_that_count_are_all_looked_at() -> None:
    """A figure of a module that this file forgets would be in nobody's sight."""
    written = {
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        for path in sorted(ROOT.glob("*/**/*.py"))
        if (ROOT / path.relative_to(ROOT).parts[0] / "__init__.py").exists()
        and re.search(r'(Counter|Gauge|Histogram)\(\s*f?"healthbook_', path.read_text())
    }
    assert written == {module.__name__ for module in MODULES}


def test_every_figure_in_rules_and_dashboard_is_one_of_ours() -> None:
    ours = figures()
    for expression in expressions():
        for name in NAMED.findall(expression):
            assert name in ours, expression
        for name, selector in re.findall(r"(healthbook_\w+)\{([^}]*)\}", expression):
            labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
            assert labels <= ours[name], expression


def test_every_figure_of_ours_has_its_place_on_the_dashboard() -> None:
    drawn = json.loads(DASHBOARD.read_text())
    text = " ".join(target["expr"] for panel in drawn["panels"] for target in panel.get("targets", ()))
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in figures()}
    assert {name for name in families if name not in text} == set()


def test_words_that_rules_choose_by_are_words_of_the_program() -> None:
    """A journey, an outcome or a status that was renamed would silence its alert."""
    journeys = {journey for *_, journey in of_api.JOURNEYS} | {of_api.PAGE, of_api.OTHER, "document"}
    known = {
        "journey": journeys,
        "outcome": {"failed", "refused", "ok", "left", "got", "none", "unknown", "sent", "dropped"},
        "kind": {"reminder"},
        "channel": set(get_args(of_intake.Channel)) | {"push", "sms"},
        "who": set(get_args(Kind)),
    }
    for expression in expressions():
        for label, value in re.findall(
            r'\b(journey|outcome|kind|channel|who)(?:=~|!=|=)"([^"]*)"', expression
        ):
            assert set(value.split("|")) <= known[label], expression


def test_the_runbook_says_of_every_alert_what_it_means_and_what_to_do() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    section = text[text.index("## What to watch") :]
    section = section[: section.index("\n## ", 5)]
    told = re.findall(r"^\| `([A-Z][A-Za-z]+)` \|", section, re.M)
    assert sorted(told) == sorted(alerts())


@dataclass(frozen=True)
class Case:
    """Series by name, values a minute apart in Prometheus' notation; the alert's labels; when to look."""

    fires: dict[str, str]
    quiet: dict[str, str]
    labels: dict[str, str] = field(default_factory=dict)
    at: str = "20m"


def histogram(name: str, labels: str, limit: str, above: str, within: int) -> dict[str, str]:
    """A hundred a minute, of which `within` took no longer than `limit`."""
    head = f"healthbook_{name}_bucket{{{labels}{', ' if labels else ''}le="
    return {
        f'{head}"{limit}"}}': f"0+{within}x120",
        f'{head}"{above}"}}': "0+100x120",
        f'{head}"+Inf"}}': "0+100x120",
    }


def slow(name: str, labels: str, limit: str, above: str, said: dict[str, str], at: str = "30m") -> Case:
    return Case(
        histogram(name, labels, limit, above, 90), histogram(name, labels, limit, above, 100), said, at
    )


def gauge(name: str, bad: float, good: float, labels: str = "", said: dict[str, str] | None = None) -> Case:
    series = f"healthbook_{name}{{{labels}}}" if labels else f"healthbook_{name}"
    return Case({series: f"{bad}x60"}, {series: f"{good}x60"}, said or {})


def answers(journey: str, bad: str, of_bad: int, of_good: int) -> dict[str, str]:
    head = f'healthbook_answers_total{{journey="{journey}", outcome='
    return {f'{head}"{bad}"}}': f"0+{of_bad}x60", f'{head}"ok"}}': f"0+{of_good}x60"}


def units(rejected: int, taken: int) -> dict[str, str]:
    head = 'healthbook_intake_units_total{channel="api", reason="", status='
    return {f'{head}"rejected"}}': f"0+{rejected}x120", f'{head}"imported"}}': f"0+{taken}x120"}


def deliveries(failed: int, sent: int) -> dict[str, str]:
    head = 'healthbook_deliveries_total{channel="push", type="medicine-due", outcome='
    return {f'{head}"failed"}}': f"0+{failed}x60", f'{head}"sent"}}': f"0+{sent}x60"}


UP: Final = 'up{job="healthbook", instance="api:9464"}'
SENT_AWAY: Final = 'healthbook_requests_total{method="none", route="none", status="503"}'
SHED_KNOWN: Final = 'healthbook_shed_requests_total{who="known"}'
SHED_NAMELESS: Final = 'healthbook_shed_requests_total{who="nameless"}'
INTAKE: Final = 'healthbook_intake_units_total{channel="api", status="imported", reason=""}'
POOL_EMPTY: Final = 'healthbook_pool_wait_seconds_count{outcome="none"}'
ERROR: Final = 'healthbook_log_lines_total{event="journal_failed", level="error"}'
RESTARTS: Final = 'healthbook_restarts_total{process="worker"}'
# Times in Prometheus' tests begin at the epoch.
CASES: Final = {
    "HealthbookGone": Case({UP: "0x60"}, {UP: "1x60"}),
    "HealthbookProcessGone": Case({UP: "0x60"}, {UP: "1x60"}, {"job": "healthbook", "instance": "api:9464"}),
    "AnswersFail": Case(
        answers("read", "failed", 6, 300), answers("read", "failed", 2, 300), {"journey": "read"}
    ),
    "AnswersSlow": slow("request_seconds", 'journey="consent"', "2.0", "5.0", {"journey": "consent"}),
    "ReadsSlow": slow("request_seconds", 'journey="read"', "0.3", "0.5", {}, "90m"),
    "PeopleSentAway": Case({SENT_AWAY: "0+20x60"}, {SENT_AWAY: "0+6x60"}),
    "SignedInSentAway": Case({SHED_KNOWN: "0+3x60"}, {SHED_KNOWN: "0+1x60", SHED_NAMELESS: "0+600x60"}),
    "SignInRefused": Case(
        answers("sign-in", "refused", 120, 60), answers("sign-in", "refused", 50, 60), at="45m"
    ),
    "MessagesLate": gauge("delivery_oldest_seconds", 130, 100, 'channel="sms"', {"channel": "sms"}),
    "MessagesFail": Case(deliveries(12, 60), deliveries(1, 60), {"channel": "push"}, "45m"),
    "RemindersLate": slow("timer_lateness_seconds", 'kind="reminder"', "60.0", "300.0", {}),
    "EventsWait": gauge("event_oldest_seconds", 70, 50),
    "EventsSetAside": gauge("events_set_aside", 1, 0),
    "TimersStuck": gauge("timer_oldest_seconds", 1900, 1700, 'kind="housekeeping"', {"kind": "housekeeping"}),
    "IntakeRejected": Case(units(3, 7), units(1, 9), {"channel": "api"}, "110m"),
    "IntakeStopped": Case({INTAKE: "0+10x1440 14400x600"}, {INTAKE: "0+10x2040"}, at="1560m"),
    "JournalBehind": gauge("journal_lines_waiting", 3, 0),
    # The root is of the epoch itself, or of an hour's time.
    "RootsLate": Case(
        {"healthbook_audit_root_timestamp_seconds": "0x120"},
        {"healthbook_audit_root_timestamp_seconds": "3600x120"},
        at="90m",
    ),
    "BackupLate": Case(
        {'healthbook_backup_safe_until_timestamp_seconds{node="main"}': "0x60"},
        {'healthbook_backup_safe_until_timestamp_seconds{node="main"}': "0+60x60"},
        at="30m",
    ),
    "SignerEnds": Case(
        {'healthbook_certificate_signs_until_timestamp_seconds{purpose="hc1"}': "2590000x120"},
        {'healthbook_certificate_signs_until_timestamp_seconds{purpose="hc1"}': "2700000x120"},
        {"purpose": "hc1"},
        "90m",
    ),
    "ConnectionsFew": Case(
        {"healthbook_database_connections": "91x60", "healthbook_database_connections_max": "100x60"},
        {"healthbook_database_connections": "89x60", "healthbook_database_connections_max": "100x60"},
    ),
    "PoolEmpty": Case({POOL_EMPTY: "0+1x60"}, {POOL_EMPTY: "7x60"}),
    "PoolWaits": slow("pool_wait_seconds", 'outcome="got"', "0.5", "1.0", {}),
    "ClocksApart": gauge("clock_ahead_seconds", -3, 1),
    "ProcessesRestart": Case({RESTARTS: "0+1x60"}, {RESTARTS: "3x60"}, {"process": "worker"}),
    # The first line of its kind counts too, though nothing was there to rise from.
    "ErrorLines": Case({ERROR: "_x15 1x60"}, {ERROR: "4x60"}, {"event": "journal_failed"}),
}


def test_every_alert_has_a_case() -> None:
    assert sorted(CASES) == sorted(alerts())


@pytest.fixture(scope="module")
def promtool() -> str:
    return program(("promtool",), "prometheus")


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_fires_where_it_should_and_nowhere_else(promtool: str, tmp_path: Path) -> None:
    tests = []
    for name, case in CASES.items():
        tests.append(tried(name, case, case.fires, [expected(name, case)]))
        tests.append(tried(name, case, case.quiet, []))
    file = tmp_path / "cases.yml"
    file.write_text(
        json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}, indent=1)
    )
    run(promtool, "test", "rules", str(file))


def expected(name: str, case: Case) -> dict[str, Any]:
    rule = alerts()[name]
    summary = rule["annotations"]["summary"]
    for label, value in case.labels.items():
        summary = summary.replace(f"{{{{ $labels.{label} }}}}", value)
    return {"exp_labels": case.labels | rule["labels"], "exp_annotations": {"summary": summary}}


def tried(name: str, case: Case, series: dict[str, str], fired: list[dict[str, Any]]) -> dict[str, Any]:
    given = [{"series": one, "values": values} for one, values in series.items()]
    looked = [{"eval_time": case.at, "alertname": name, "exp_alerts": fired}]
    return {"interval": "1m", "input_series": given, "alert_rule_test": looked}


def test_prometheus_and_alertmanager_take_the_files(promtool: str) -> None:
    run(promtool, "check", "rules", str(RULES))
    run(promtool, "check", "config", "--syntax-only", str(METRICS / "prometheus.yml"))
    run(program(("amtool",), "prometheus-alertmanager"), "check-config", str(METRICS / "alertmanager.yml"))
