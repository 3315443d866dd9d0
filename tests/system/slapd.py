"""A directory of a school: the real slapd, on loopback, with TLS and an authority of its own."""

import datetime as dt
import ipaddress
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.gateway import free_port
from tests.system.conftest import program

BASE = "dc=school,dc=example"
SEARCH_DN = f"cn=search,{BASE}"
SEARCH_PASSWORD = "the searching account's"
PATIENCE_SECONDS = 60

CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {directory}/slapd.pid
TLSCACertificateFile {directory}/ca.pem
TLSCertificateFile {directory}/server.pem
TLSCertificateKeyFile {directory}/server.key
sizelimit 2000
database mdb
suffix "{base}"
rootdn "cn=admin,{base}"
rootpw admin
directory {directory}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{search}" read by * none
"""

# A person: id, place, password.
PEOPLE = (
    ("ann", "people", "Ännchen of Tharau:1"),
    ("bob", "people", "bob's password"),
    ("eve", "people", "eve's password"),
    ("twin", "people", "twin's password"),
    ("twin", "leavers", "twin's password"),
    ("o'neil (deputy)*", "people", "deputy's password"),
)
MAIL = {"ann": "mail: ann@post.example\nmail: ann.teacher@post.example"}
# A group: name, place, members.
GROUPS = (
    ("Teachers", "groups", [f"uid=ann,ou=people,{BASE}"]),
    ("Staff", "groups", [f"cn=Teachers,ou=groups,{BASE}", f"cn=Office,ou=groups,{BASE}"]),
    ("Office", "groups", [f"cn=Staff,ou=groups,{BASE}"]),  # a ring
    ("Pupils", "groups", [f"uid=bob,ou=people,{BASE}"]),
    ("Class 4B", "groups", [f"uid=bob,ou=people,{BASE}", f"uid=ann,ou=people,{BASE}"]),
    ("Staff", "leavers", [f"uid=bob,ou=people,{BASE}"]),
)


# For a machine that stands still for seconds; a directory that is not there is told at once.
PATIENCE = {"timeout_seconds": 30.0, "deadline_seconds": 60.0}


@dataclass
class Slapd:
    """Where it listens; `stop` ends it."""

    process: "subprocess.Popen[bytes]"
    plain_port: int
    tls_port: int
    directory: Path

    @property
    def ca_file(self) -> Path:
        """The authority that signed its certificate, which names ``localhost`` alone."""
        return self.directory / "ca.pem"

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


@contextmanager
def running(directory: Path) -> Iterator[Slapd]:
    """Fill it and run it."""
    slapd, slapadd = program("slapd"), program("slapadd")
    (directory / "data").mkdir()
    certificates(directory, "localhost")
    config = directory / "slapd.conf"
    config.write_text(CONFIG.format(directory=directory, base=BASE, search=SEARCH_DN))
    content = directory / "content.ldif"
    content.write_text(ldif(), encoding="utf-8")
    subprocess.run([slapadd, "-f", config, "-l", content], check=True, capture_output=True)
    plain, tls = free_port(), free_port()
    urls = f"ldap://127.0.0.1:{plain} ldaps://127.0.0.1:{tls}"
    with (directory / "slapd.log").open("wb") as log:
        process = subprocess.Popen(
            [slapd, "-d", "0", "-f", config, "-h", urls], stdout=log, stderr=log
        )
    server = Slapd(process, plain, tls, directory)
    try:
        wait_for_port(process, tls)
        yield server
    finally:
        server.stop()


def ldif() -> str:
    """Give everything that is in the directory."""
    entries = [
        f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: School\ndc: school",
        (
            f"dn: {SEARCH_DN}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n"
            f"cn: search\nuserPassword: {SEARCH_PASSWORD}"
        ),
    ]
    entries += [
        f"dn: ou={place},{BASE}\nobjectClass: organizationalUnit\nou: {place}"
        for place in ("people", "leavers", "groups")
    ]
    entries += [
        f"dn: uid={name},ou={place},{BASE}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\n"
        f"sn: {name}\nuserPassword: {password}\n{MAIL.get(name, '')}".rstrip("\n")
        for name, place, password in PEOPLE
    ]
    entries += [
        "\n".join(
            [f"dn: cn={name},ou={place},{BASE}", "objectClass: groupOfNames", f"cn: {name}"]
            + [f"member: {member}" for member in members]
        )
        for name, place, members in GROUPS
    ]
    return "\n\n".join(entries) + "\n"


def wait_for_port(process: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until a server listens."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def certificates(directory: Path, host: str) -> None:
    """Make an authority and the certificate of a server (``ca.pem``, ``server.pem``, ``server.key``)."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "School authority")])
    ca = signed(issuer, issuer, authority_key.public_key(), authority_key, authority=True)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    server = signed(subject, issuer, key.public_key(), authority_key, host=host)
    (directory / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (directory / "server.pem").write_bytes(server.public_bytes(serialization.Encoding.PEM))
    (directory / "server.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    by: ec.EllipticCurvePrivateKey,
    *,
    host: str = "",
    authority: bool = False,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False
        )
    )
    if host:
        name: x509.GeneralName = x509.DNSName(host)
        if host[0].isdigit():
            name = x509.IPAddress(ipaddress.ip_address(host))
        builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
    return builder.sign(by, hashes.SHA256())
