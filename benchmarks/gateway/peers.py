"""The peers from Debian, each told the same rules: squid, e2guardian, privoxy."""

import grp
import os
import pwd
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.gateway.certificates import make_authority
from benchmarks.gateway.engines import LOOPBACK, Engine, Proxy, Rules, Stage, first_line, listening
from benchmarks.gateway.load import LoadError
from tests import gateway


class Squid(Engine):
    """squid with OpenSSL: peeks at the name, then splices or bumps; caches nothing."""

    key = "squid"
    title = "squid"
    _certgen = Path("/usr/lib/squid/security_file_certgen")

    def version(self) -> str:
        """Give the version."""
        if not self._certgen.exists():
            raise LoadError("squid-openssl is not installed")
        return first_line([program("squid"), "-v"]).replace("Squid Cache: Version", "squid")

    @contextmanager
    def running(self, stage: Stage) -> Iterator[Proxy]:
        """Run it."""
        folder = stage.folder(self.key)
        port = gateway.free_port()
        (folder / "ca.pem").write_bytes(stage.authority.pem)
        for name, hosts in (("passed", stage.rules.passed), ("blocked", stage.rules.blocked)):
            (folder / name).write_text("".join(f"{host}\n" for host in sorted(hosts)))
        database = folder / "certificates"
        subprocess.run(
            [self._certgen, "-c", "-s", database, "-M", "16MB"], check=True, capture_output=True
        )
        config = folder / "squid.conf"
        config.write_text(self._config(stage, folder, port, database))
        give(folder, "proxy")
        command = [program("squid"), "-N", "-n", f"bench{port}", "-f", str(config)]
        with listening(stage.command(*command), folder, port) as pid:
            yield Proxy((LOOPBACK, port), pid, stage.authority.certificate_file)

    def _config(self, stage: Stage, folder: Path, port: int, database: Path) -> str:
        return f"""http_port {LOOPBACK}:{port} ssl-bump tls-cert={folder}/ca.pem \
generate-host-certificates=on dynamic_cert_mem_cache_size=16MB
sslcrtd_program {self._certgen} -s {database} -M 16MB
tls_outgoing_options cafile={stage.origin.authority.certificate_file}
acl passed ssl::server_name "{folder}/passed"
acl blocked dstdomain "{folder}/blocked"
acl step1 at_step SslBump1
ssl_bump peek step1
ssl_bump splice passed
ssl_bump bump all
http_access deny blocked
http_access allow all
hosts_file {stage.hosts_file}
cache deny all
cache_effective_user proxy
access_log stdio:{folder}/access.log
cache_log {folder}/cache.log
pid_filename {folder}/squid.pid
coredump_dir {folder}
max_filedescriptors 65536
shutdown_lifetime 1 seconds
"""


class E2guardian(Engine):
    """e2guardian with Debian's settings and lists, its decryption switched on."""

    key = "e2guardian"
    title = "e2guardian"
    _defaults = Path("/etc/e2guardian")

    def version(self) -> str:
        """Give the version."""
        return first_line([program("e2guardian"), "-v"])

    @contextmanager
    def running(self, stage: Stage) -> Iterator[Proxy]:
        """Run it."""
        folder = stage.folder(self.key)
        port = gateway.free_port()
        config = self.settings(folder, stage.rules)
        write_options(config, {"filterports": str(port), **self._decryption(folder, stage)})
        give(folder, "e2guardian")
        command = [program("e2guardian"), "-N", "-c", str(config)]
        with listening(stage.command(*command), folder, port) as pid:
            yield Proxy((LOOPBACK, port), pid, stage.authority.certificate_file)

    def settings(self, folder: Path, rules: Rules) -> Path:
        """Copy Debian's settings and lists, add the rules, and give the main file."""
        settings = folder / "etc"
        shutil.copytree(self._defaults, settings, dirs_exist_ok=True)
        for file in settings.rglob("*"):
            if file.is_file():
                text = file.read_bytes()
                file.write_bytes(text.replace(b"/etc/e2guardian", str(settings).encode()))
        for name, hosts in (("exceptionsitelist", rules.passed), ("bannedsitelist", rules.blocked)):
            with (settings / "lists" / name).open("a") as lines:
                lines.writelines(f"{host}\n" for host in sorted(hosts))
        write_options(settings / "e2guardianf1.conf", {"sslmitm": "on"})
        (folder / "log").mkdir()
        config = settings / "e2guardian.conf"
        options = {
            "filterip": LOOPBACK,
            "nodaemon": "on",
            "transparenthttpsport": "",
            "loglocation": f"{folder}/log/access.log",
            "pidfilename": f"{folder}/log/e2guardian.pid",
        }
        write_options(config, options)
        return config

    def _decryption(self, folder: Path, stage: Stage) -> dict[str, str]:
        """Give the options with which it decrypts, and make the files that they name."""
        trusted = folder / "trusted"
        trusted.mkdir()
        shutil.copy(stage.origin.authority.certificate_file, trusted / "origin.pem")
        subprocess.run(["openssl", "rehash", trusted], check=True, capture_output=True)
        (folder / "generated").mkdir()
        certificate = shutil.copy(stage.authority.certificate_file, folder)
        key = shutil.copy(stage.authority.key_file, folder)
        return {
            "enablessl": "on",
            "sslcertificatepath": f"{trusted}/",
            "cacertificatepath": str(certificate),
            "caprivatekeypath": str(key),
            "certprivatekeypath": str(key),
            "generatedcertpath": f"{folder}/generated/",
            # Its own dates ended in 2024.
            "generatedcertstart": str(int(time.time()) - 86_400),
        }


class Privoxy(Engine):
    """privoxy with Debian's actions and filters, its decryption switched on."""

    key = "privoxy"
    title = "privoxy"
    _defaults = Path("/etc/privoxy")

    def version(self) -> str:
        """Give the version."""
        return first_line([program("privoxy"), "--version"]).replace("Privoxy version", "privoxy")

    @contextmanager
    def running(self, stage: Stage) -> Iterator[Proxy]:
        """Run it."""
        folder = stage.folder(self.key)
        port = gateway.free_port()
        settings = folder / "etc"
        shutil.copytree(self._defaults, settings, dirs_exist_ok=True)
        authority = settings / "CA"
        # It knows no keys but RSA.
        signer = make_authority(authority, "bench RSA CA", with_rsa=True)
        shutil.copy(stage.origin.authority.certificate_file, authority / "trusted.pem")
        (folder / "generated").mkdir()
        (folder / "log").mkdir()
        actions = ["{+https-inspection}", "/", "{-https-inspection}", *sorted(stage.rules.passed)]
        actions += ["{+block{the school's policy}}", *sorted(stage.rules.blocked)]
        (settings / "user.action").write_text("\n".join(actions) + "\n")
        config = settings / "config"
        text = re.sub(r"(?m)^(listen-address|confdir|logdir)\b.*$", "", config.read_text())
        added = {
            "listen-address": f"{LOOPBACK}:{port}",
            "confdir": settings,
            "logdir": f"{folder}/log",
            "ca-directory": authority,
            "ca-cert-file": signer.certificate_file.name,
            "ca-key-file": signer.key_file.name,
            "certificate-directory": f"{folder}/generated",
            "trusted-cas-file": "trusted.pem",
            "max-client-connections": 4096,
        }
        lines = "".join(f"{name} {value}\n" for name, value in added.items())
        config.write_text(f"{lines}\n{text}")
        give(folder, "privoxy")
        command = [program("privoxy"), "--no-daemon", "--user", owner("privoxy"), str(config)]
        with listening(stage.command(*command), folder, port) as pid:
            yield Proxy((LOOPBACK, port), pid, signer.certificate_file)


def program(name: str) -> str:
    """Give where a program is.

    Raises:
        LoadError: when it is not installed.
    """
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise LoadError(f"{name} is not installed")
    return found


def write_options(file: Path, options: Mapping[str, str]) -> None:
    """Set options of e2guardian's form, in the place where they stand or at the end."""
    text = file.read_text()
    for name, value in options.items():
        line = f"{name} = {value}" if value in ("on", "off", "") else f"{name} = '{value}'"
        text, found = re.subn(rf"(?m)^#?{name} =.*$", line.replace("\\", r"\\"), text, count=1)
        text += "" if found else f"\n{line}\n"
    file.write_text(text)


def owner(user: str) -> str:
    """Give the user that a program should become: its own, where root starts it."""
    return user if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def give(folder: Path, user: str) -> None:
    """Give a folder to the user that a program becomes."""
    if os.geteuid() != 0:
        return
    entry = pwd.getpwnam(user)
    group = grp.getgrgid(entry.pw_gid).gr_gid
    for path in (folder, *folder.rglob("*")):
        os.chown(path, entry.pw_uid, group)
