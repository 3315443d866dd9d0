"""What the servers of NATS of a trust are told: the one at the centre, and the leaf beside each gateway.

Each school is an account of its own, which keeps nothing at the centre. The centre's account may ask the leaf
of a gateway for what it keeps, and takes what that delivers; nothing else crosses between accounts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from schoolgate.core.shipment import stream

_CREATE = "API.CONSUMER.CREATE.>"


@dataclass(frozen=True, slots=True)
class Files:
    """Where a server finds what it needs.

    Attributes:
        store: directory of JetStream.
        keys: directory of ``ca.pem``, ``server.pem`` and ``server.key``, at a leaf ``gateway.pem`` and
            ``gateway.key``.
    """

    store: str = "/var/lib/nats/jetstream"
    keys: str = "/etc/nats/keys"


def identity(school: str, gateway: str) -> str:
    """Give the name (DNS, SAN) in the certificate of a gateway, by which the centre knows its leaf."""
    return f"{gateway}.{school}.gateway"


def centre_text(
    gateways: Sequence[tuple[str, str]], clients: str, leaves: str, files: Files
) -> str:
    """Give the configuration of the server at the centre.

    Args:
        gateways: schools and gateways.
        clients: address for the consumer, whose password is ``$CENTRE_PASSWORD`` in the environment.
        leaves: address for leaves, which show a certificate with their `identity`.
        files: where it finds what.
    """
    pairs = sorted(set(gateways))
    users = "\n".join(
        f'      {{ user: "{identity(*one)}", account: {_account(one[0])} }}' for one in pairs
    )
    imports = "\n".join(line for one in pairs for line in _imports(*one))
    schools = "\n".join(
        _school(school, [gateway for _, gateway in some])
        for school, some in groupby(pairs, key=lambda one: one[0])
    )
    return f"""server_name: centre
listen: "{clients}"
jetstream {{ store_dir: "{files.store}", domain: centre }}
leafnodes {{
  listen: "{leaves}"
{_tls(files.keys, "server", "verify_and_map: true")}  authorization {{
    users: [
{users}
    ]
  }}
}}
accounts {{
  CENTRE {{
    jetstream: enabled
    users: [ {{ user: centre, password: $CENTRE_PASSWORD }} ]
    imports: [
{imports}
    ]
  }}
{schools}
}}
"""


def leaf_text(school: str, gateway: str, centre: str, clients: str, files: Files) -> str:
    """Give the configuration of the leaf beside a gateway.

    Args:
        school: of the gateway.
        gateway: its name there.
        centre: address of the centre for leaves, ``HOST:PORT``.
        clients: address for the gateway, whose password is ``$GATEWAY_PASSWORD`` in the environment.
        files: where it finds what.
    """
    name = stream(school, gateway)
    return f"""server_name: {name}
listen: "{clients}"
jetstream {{ store_dir: "{files.store}", domain: {name} }}
leafnodes {{
  remotes: [
    {{
      url: "tls://{centre}"
      account: SCHOOL
{_tls(files.keys, "gateway", "")}    }}
  ]
}}
accounts {{
  SCHOOL {{
    jetstream: enabled
    users: [ {{ user: gateway, password: $GATEWAY_PASSWORD }} ]
  }}
}}
"""


def _account(school: str) -> str:
    return f"SCHOOL_{school}"


def _imports(school: str, gateway: str) -> list[str]:
    name, account = stream(school, gateway), _account(school)
    asks, asked = f'"$JS.{name}.{_CREATE}"', f'"JS.{name}.{_CREATE}"'
    return [
        f"      {{ service: {{ account: {account}, subject: {asks} }}, to: {asked} }}",
        f'      {{ service: {{ account: {account}, subject: "$JS.FC.{name}.>" }} }}',
        f'      {{ stream: {{ account: {account}, subject: "forward.{school}.{gateway}.>" }} }}',
    ]


def _school(school: str, gateways: Sequence[str]) -> str:
    exports = "\n".join(
        f'      {{ service: "$JS.{stream(school, one)}.{_CREATE}", accounts: [CENTRE], '
        f"response_type: stream }}\n"
        f'      {{ service: "$JS.FC.{stream(school, one)}.>", accounts: [CENTRE] }}\n'
        f'      {{ stream: "forward.{school}.{one}.>", accounts: [CENTRE] }}'
        for one in gateways
    )
    return f"  {_account(school)} {{\n    exports: [\n{exports}\n    ]\n  }}"


def _tls(keys: str, name: str, more: str) -> str:
    return (
        f'  tls {{ cert_file: "{keys}/{name}.pem", key_file: "{keys}/{name}.key", '
        f'ca_file: "{keys}/ca.pem"{", " + more if more else ""} }}\n'
    )
