"""`schoolgate trust nats`: the configuration of the servers of NATS."""

from pathlib import Path

import rich_click as click

from schoolgate.cli.trust_events import pairs_of
from schoolgate.core.nats_files import Files, centre_text, leaf_text


@click.command()
@click.argument("gateways", nargs=-1, required=True, metavar="SCHOOL/GATEWAY…")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Directory for centre.conf and SCHOOL_GATEWAY.conf.",
)
@click.option("--centre", required=True, help="HOST:PORT at which leaves find the centre.")
@click.option("--leaves", default="0.0.0.0:7422", help="Where the centre listens for leaves.")
@click.option("--clients", default="127.0.0.1:4222", help="Where each server listens for its own.")
def nats(gateways: tuple[str, ...], out: Path, centre: str, leaves: str, clients: str) -> None:
    """Write the configuration of the centre's server, and of a leaf beside each gateway of a trust.

    \b
    schoolgate trust nats --centre nats.trust.example:7422 --out nats hermitage/gw1 hill/gw1
    """
    out.mkdir(parents=True, exist_ok=True)
    pairs = pairs_of(gateways)
    made = {"centre": centre_text(pairs, clients, leaves, Files())}
    for school, gateway in pairs:
        made[f"{school}_{gateway}"] = leaf_text(school, gateway, centre, clients, Files())
    for name, text in made.items():
        (out / f"{name}.conf").write_text(text, encoding="utf-8")
    click.echo(f"{len(made)} files in {out}")
