"""Schools of a few lines, asked what becomes of a connection to a host."""

from typing import Any

from schoolgate.core.clients import Client
from schoolgate.core.policy import (
    HostDecision,
    Inspection,
    InspectionMode,
    Need,
    Never,
    PolicyEngine,
    Rule,
    Verdict,
)
from tests.core.policy.example import NOON, PUPIL, engine, hosts, listed, local_allow, local_block

NEEDED = Inspection(InspectionMode.NEEDED)
MEDIA = Need("media", "C-M", except_categories=frozenset({"school", "bank"}))
MAIL = Never("C-P", categories=frozenset({"mail"}), hosts=hosts("post.example", "=one.example"))


def rule(id_: str, verdict: Verdict = Verdict.BLOCK, **conditions: Any) -> Rule:
    return Rule(id_, f"C-{id_}", verdict, **conditions)


RULES = (
    rule("games", categories=("games",)),
    rule("adult", categories=("adult",)),
    rule("cloud", Verdict.WARN, categories=("cloud",)),
    rule("clips", Verdict.LIMIT, categories=("clips",)),
    rule("forum", Verdict.MONITOR, categories=("forum",)),
)
ALWAYS = (rule("help", Verdict.ALLOW, categories=("help",)),)
VPN = (rule("vpn", categories=("vpn",)),)


def school(*lines: str, inspection: Inspection = NEEDED, **changes: Any) -> PolicyEngine:
    """Give an engine over ``category entry`` lines; ``block`` and ``allow`` are the school's own."""
    entries, local = [], []
    for line in lines:
        category, text = line.split()
        match category:
            case "block":
                local.append(local_block(text))
            case "allow":
                local.append(local_allow(text))
            case _:
                entries.append(listed(text, category))
    steps = {"rules": RULES, "always_reachable": ALWAYS, "circumvention": VPN}
    return engine(entries, local, inspection=inspection, **{**steps, **changes})


def ask(built: PolicyEngine, host: str = "a.example", client: Client = PUPIL) -> HostDecision:
    return built.decide_host(host, client, NOON)


def action(built: PolicyEngine, host: str = "a.example") -> tuple[str, tuple[str, ...]]:
    answer = ask(built, host)
    return answer.action.value, answer.needs
