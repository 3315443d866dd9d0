"""`schoolgate check` and `schoolgate explain`: what would happen to a URL, and why."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, TextIO

import rich_click as click
from rich.progress import track

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import make_client, with_client, with_settings
from schoolgate.core.clients import Client
from schoolgate.core.policy import Policy, PolicyEngine
from schoolgate.services import checking
from schoolgate.services.checking import Answer
from schoolgate.settings import Settings

# Beyond this many a person wants to see how far it is.
_WORTH_A_BAR = 20_000


@click.command()
@click.argument("urls", nargs=-1)
@with_client
@click.option(
    "--batch", type=click.File("r", errors="replace"), help="A file with a URL a line; - for stdin."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@with_settings
def check(
    urls: tuple[str, ...], batch: TextIO | None, as_json: bool, settings: Settings, **who: Any
) -> None:
    """Say what would happen to each URL; exits 0 whatever the verdict.

    \b
    schoolgate check www.bet365.com https://www.bbc.co.uk/bitesize
    schoolgate check --json --at 2026-11-23T10:30 dropbox.com
    schoolgate check --batch urls.txt --json | jq -r .verdict | sort | uniq -c
    """
    if not urls and batch is None:
        raise click.UsageError("Name at least one URL, or a file with --batch.")
    engine, client, now = _prepare(settings, who)
    allowed = settings.proxy.allow_private_destinations

    def answer_to(url: str) -> Answer:
        return checking.check(engine, _readable(url), client, now, allowed)

    if batch is None and not as_json:
        _table([answer_to(url) for url in urls])
        return
    for url in _all(urls, batch):
        answer = answer_to(url)
        if as_json:
            click.echo(json.dumps(answer.as_json(), ensure_ascii=False))
        else:
            decision = answer.decision
            click.echo(
                f"{decision.verdict:7} {decision.clause:28} {decision.category or '-':18} {url}"
            )


@click.command()
@click.argument("url")
@with_client
@with_settings
def explain(url: str, settings: Settings, **who: Any) -> None:
    """Give the decision as numbered steps in plain English, with the evidence.

    \b
    schoolgate explain www.bet365.com
    """
    engine, client, now = _prepare(settings, who)
    allowed = settings.proxy.allow_private_destinations
    for step in checking.explain(engine, _readable(url), client, now, allowed):
        mark = "→" if step.decided else " "
        style = "bold" if step.decided else ""
        output.console.print(f"{mark} {step.number}. {step.question}", style=style, markup=False)
        output.console.print(f"     {step.answer}", style=style, markup=False)
    answer = checking.check(engine, _readable(url), client, now, allowed)
    output.console.print(_connection_text(answer), markup=False)
    if answer.contents:
        output.console.print(_contents_text(answer), markup=False)


def _readable(argument: str) -> str:
    """Give an argument whose bytes are no UTF-8 in a form that can be printed."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _prepare(settings: Settings, who: dict[str, Any]) -> tuple[PolicyEngine, Client, datetime]:
    engine = bootstrap.load_engine(settings)
    engine = engine.with_overlay(bootstrap.overlay_if_any(settings))
    now = who.pop("at") or bootstrap.now()
    client = make_client(engine.policy, **who)
    if client.address and not who["group"]:
        client = _found(settings, engine.policy, client, who)
    return engine, client, now


def _found(settings: Settings, policy: Policy, said: Client, who: dict[str, Any]) -> Client:
    """Give who the gateway finds at an address, with what the options say of them instead."""
    found, identity = bootstrap.client_at(settings, policy, said.address)
    for evidence in identity.evidence:
        value = evidence.value or "not known"
        output.errors.print(
            f"{said.address}: {evidence.part} {value}, {evidence.rank.title} ({evidence.source})",
            markup=False,
        )
    options: dict[str, Any] = {
        "user": said.user,
        "device": said.device,
        "network": said.network,
        "device_kind": said.device_kind,
    }
    return replace(found, **{name: value for name, value in options.items() if value})


def _all(urls: tuple[str, ...], batch: TextIO | None) -> Iterable[str]:
    lines = [line.strip() for line in batch] if batch else []
    asked = [*urls, *(line for line in lines if line)]
    if len(asked) > _WORTH_A_BAR and output.errors.is_terminal:
        return track(asked, "Checking", console=output.errors)
    return asked


def _table(answers: list[Answer]) -> None:
    table = output.table("verdict", "clause", "category", "entry", "TLS", "URL")
    for answer in answers:
        decision = answer.decision
        table.add_row(
            output.verdict_text(decision.verdict),
            decision.clause,
            decision.category or "-",
            answer.entry.text if answer.entry else "-",
            answer.connection.action,
            answer.error or answer.asked,
        )
    output.console.print(table)
    for text in dict.fromkeys(_connection_text(answer) for answer in answers if answer.host):
        output.console.print(text, markup=False)
    for text in dict.fromkeys(_contents_text(answer) for answer in answers if answer.contents):
        output.console.print(text, markup=False)
    output.console.print(f"(policy {answers[0].policy}, group {answers[0].client.group})")


def _contents_text(answer: Answer) -> str:
    looked_for = ", ".join(f"{rule.sought} ({rule.need.clause})" for rule in answer.contents.rules)
    return f"Answers of {answer.host} are blocked that are: {looked_for}."


def _connection_text(answer: Answer) -> str:
    connection = answer.connection
    return f"TLS to {answer.host}: {connection.action}. {connection.because}"
