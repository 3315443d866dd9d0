"""A Kerberos realm of a school: MIT's KDC, on loopback."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.gateway import free_port
from tests.system.conftest import program
from tests.system.slapd import wait_for_port

REALM = "SCHOOL.EXAMPLE"
SERVICE = "HTTP/proxy.school.example"
KRB5_CONF = """\
[libdefaults]
  default_realm = {realm}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
  {realm} = {{
    kdc = 127.0.0.1:{port}
  }}
"""
KDC_CONF = """\
[kdcdefaults]
  kdc_listen = 127.0.0.1:{port}
  kdc_tcp_listen = 127.0.0.1:{port}
[realms]
  {realm} = {{
    database_name = {directory}/principal
    key_stash_file = {directory}/stash
    acl_file = {directory}/acl
  }}
[logging]
  kdc = FILE:{directory}/kdc.log
"""
# Gives the first token of a client: of the mechanism named, for a service, from a cache of tickets.
CLIENT = """\
import base64, sys, gssapi
cache, service, mechanism = sys.argv[1:]
credentials = gssapi.Credentials(usage="initiate", store={"ccache": cache})
name = gssapi.Name(service, gssapi.NameType.kerberos_principal)
context = gssapi.SecurityContext(
    name=name, creds=credentials, mech=gssapi.OID.from_int_seq(mechanism), usage="initiate"
)
print(base64.b64encode(context.step()).decode())
"""
SPNEGO, KERBEROS = "1.3.6.1.5.5.2", "1.2.840.113554.1.2.2"


@dataclass
class Realm:
    """A realm with people and services."""

    directory: Path
    environment: dict[str, str]

    def keytab(self, name: str) -> Path:
        return self.directory / f"{name.replace('/', '-')}.keytab"

    def add(self, name: str) -> None:
        """Make a principal with a random key in a keytab of its own."""
        self.administer(f"addprinc -randkey {name}")
        self.administer(f"ktadd -k {self.keytab(name)} {name}")

    def administer(self, command: str) -> None:
        self.run(program("kadmin.local"), "-r", REALM, "-q", command)

    def signed_in(self, user: str) -> str:
        """Sign in as somebody; give where their tickets are kept."""
        cache = f"FILE:{self.directory}/cache-{user.replace('/', '-')}"
        self.run(program("kinit"), "-c", cache, "-kt", str(self.keytab(user)), user)
        return cache

    def token(self, user: str, service: str = SERVICE, mechanism: str = SPNEGO) -> bytes:
        """Sign in as somebody and make the token for a service."""
        cache = self.signed_in(user)
        return base64.b64decode(self.run(sys.executable, "-c", CLIENT, cache, service, mechanism))

    def run(self, *command: str) -> str:
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def running(directory: Path, *people: str) -> Iterator[Realm]:
    """Make a realm with the service and these principals, and run it."""
    kdc, make = program("krb5kdc"), program("kdb5_util")
    port = free_port()
    for name, text in (("krb5.conf", KRB5_CONF), ("kdc.conf", KDC_CONF)):
        (directory / name).write_text(text.format(realm=REALM, port=port, directory=directory))
    environment = {
        **os.environ,
        "KRB5_CONFIG": str(directory / "krb5.conf"),
        "KRB5_KDC_PROFILE": str(directory / "kdc.conf"),
        "KRB5RCACHEDIR": str(directory),
    }
    made = Realm(directory, environment)
    made.run(make, "create", "-r", REALM, "-s", "-P", "the master's")
    for name in (SERVICE, *people):
        made.add(name)
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [kdc, "-n", "-r", REALM], env=environment, stdout=log, stderr=log
        )
    try:
        wait_for_port(process, port)
        yield made
    finally:
        process.kill()
        process.wait()
