"""`schoolgate gateway`: what the rest of this machine and the devices must be told."""

from pathlib import Path

import rich_click as click
from click.exceptions import Exit

from schoolgate import authority, bootstrap
from schoolgate.cli.options import with_settings
from schoolgate.core.errors import ConfigurationError, Fault, UnavailableError
from schoolgate.services import network
from schoolgate.services.network import Browser, Ways
from schoolgate.settings import Settings


@click.group()
def gateway() -> None:
    """Put this machine between the school's network and the internet (section 'network' of the settings)."""


@gateway.command()
@with_settings
def rules(settings: Settings) -> None:
    """Print the rules of nftables.

    \b
    schoolgate gateway rules
    """
    click.echo(network.ruleset(_ways(settings)), nl=False)


@gateway.command()
@with_settings
def sysctl(settings: Settings) -> None:
    """Print the kernel's settings, for /etc/sysctl.d/60-schoolgate.conf.

    \b
    schoolgate gateway sysctl
    """
    click.echo(network.sysctl(_ways(settings)), nl=False)


@gateway.command()
@with_settings
def dnsmasq(settings: Settings) -> None:
    """Print the configuration of dnsmasq, for /etc/dnsmasq.d/schoolgate.conf.

    \b
    schoolgate gateway dnsmasq
    """
    click.echo(network.dnsmasq(_ways(settings)), nl=False)


@gateway.command()
@with_settings
def pac(settings: Settings) -> None:
    """Print the PAC file, which the gateway itself serves as /wpad.dat and /proxy.pac.

    \b
    schoolgate gateway pac
    """
    click.echo(network.pac(_ways(settings)), nl=False)


@gateway.command()
@click.argument("browser", type=click.Choice([browser.value for browser in Browser]))
@with_settings
def browser(browser: str, settings: Settings) -> None:
    """Print the policy of a managed BROWSER: the CA, the proxy, and no encrypted names (docs/ca.md).

    \b
    schoolgate gateway browser chrome
    """
    ways = _ways(settings)
    found = authority.published(settings.ca_dir, bootstrap.now())
    trusted = {
        place.name: each.pem for place, each in authority.named(found, Path(authority.CERTIFICATE))
    }
    click.echo(network.browser_policy(Browser(browser), ways, trusted), nl=False)


@gateway.command()
@with_settings
def check(settings: Settings) -> None:
    """Say what in the settings of the network does not fit together; exits 1 if there is something.

    \b
    schoolgate gateway check
    """
    _ways(settings)
    found = list(network.misfits(settings))
    for sentence in found:
        click.echo(sentence)
    if found:
        raise Exit(1)
    click.echo("The settings of the network fit together.")


@gateway.command()
@with_settings
def apply(settings: Settings) -> None:
    """Load the rules into the kernel, and only then forward what they let through; as root.

    Rules that are refused change nothing; where none are loaded, nothing is forwarded.

    \b
    schoolgate gateway apply
    """
    network.apply(_ways(settings))
    click.echo("The rules are loaded.")


@gateway.command()
@with_settings
def count(settings: Settings) -> None:
    """Write down what the rules have refused, for the gateway to count; as root, every few minutes.

    \b
    schoolgate gateway count
    """
    _ways(settings)
    file = settings.network.counters_file
    try:
        found = network.write_counters(file)
    except OSError as error:
        raise UnavailableError(f"{file} cannot be written: {error.strerror}.") from error
    click.echo(", ".join(f"{name} {packets}" for name, packets in found.items()) or "No rules.")


@gateway.command()
@with_settings
def close(settings: Settings) -> None:
    """Forward nothing any more; the rules stay. As root.

    \b
    schoolgate gateway close
    """
    network.close()
    click.echo("Nothing is forwarded.")


def _ways(settings: Settings) -> Ways:
    if not settings.network.is_used:
        raise ConfigurationError(
            [
                Fault(
                    str(settings.file),
                    0,
                    "network.inside is not set",
                    "name the interfaces of the school's networks",
                )
            ]
        )
    return Ways.of(settings)
