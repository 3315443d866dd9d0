"""The `schoolgate` command and how its errors end."""

import io
import os
import sys

import rich_click as click
from click.exceptions import Exit

from schoolgate import __version__
from schoolgate.cli.late import LateGroup
from schoolgate.core.errors import (
    BadAddressError,
    ConfigurationError,
    RefusedError,
    UnavailableError,
)

# Which module has a command.
_MODULES = {
    "run": "run",
    "proxy": "run",
    "portal": "run",
    "check": "check",
    "explain": "check",
    "policy": "policy",
    "lists": "lists",
    "ca": "ca",
    "grants": "grants",
    "suspend": "grants",
    "unsuspend": "grants",
    "supervise": "grants",
    "allow-lesson": "grants",
    "declarations": "declarations",
    "incidents": "incidents",
    "people": "people",
    "pinning": "pinning",
    "gateway": "gateway",
    "wireguard": "wireguard",
    "audit": "audit",
    "doctor": "doctor",
    "jobs": "jobs",
    "journal": "journal",
    "report": "report",
    "backup": "backup",
    "restore": "backup",
    "bundle": "bundle",
    "enrol": "enrol",
    "database": "database",
    "trust": "trust",
}
ANSWER_IS_NO, WRONG_USE, OUT_OF_REACH = 1, 2, 3


@click.group(
    cls=LateGroup,
    modules=_MODULES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done · 1 the answer is no · 2 wrong use or configuration · "
    "3 something needed is out of reach.",
)
@click.version_option(__version__, prog_name="schoolgate")
def cli() -> None:
    """A filtering web proxy that carries out a school's own policy and says which clause decided.

    \b
    schoolgate run                          start the gateway
    schoolgate check www.bet365.com         what would happen to this site?
    schoolgate explain www.bet365.com       and why, step by step
    schoolgate doctor                       is this gateway filtering?
    """


def main() -> None:
    """Run the command; every error ends in one clear sentence and its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a letter shows a question mark, not a traceback.
            stream.reconfigure(errors="replace")
    try:
        # Not by click's own main: it would end on a closed pipe with "the answer is no".
        with cli.make_context("schoolgate", sys.argv[1:]) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except Exit as error:
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(WRONG_USE)
    except ConfigurationError as error:
        count = len(error.faults)
        _fail(f"{error}\n{count} fault{'s' if count != 1 else ''} in the configuration.", WRONG_USE)
    except UnavailableError as error:
        _fail(str(error), OUT_OF_REACH)
    except (RefusedError, BadAddressError) as error:
        _fail(str(error), ANSWER_IS_NO)
    except BrokenPipeError:
        # Whoever read our output has stopped; that is their right (… | head).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _fail(f"The output cannot be written: {error.strerror or error}.", OUT_OF_REACH)


def _fail(message: str, code: int) -> None:
    click.echo(f"schoolgate: {message}", err=True)
    sys.exit(code)
