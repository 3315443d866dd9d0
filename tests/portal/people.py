"""Accounts for a portal that runs, and people with a browser of their own who ask it through the gateway.

``python -m tests.portal.people CONFIG`` makes accounts from standard input, JSON: email → [name, role].
They all have the password of the tests; it is hashed once.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from schoolgate.portal.application import open_accounts
from schoolgate.settings import load_settings
from tests.gateway import CUT, PATIENCE_SECONDS, ROOT, Gateway
from tests.portal.asking import PASSWORD

HOME = "https://schoolgate.internal"
AGAIN = "/account/again/"


def make_accounts(config: Path, people: Mapping[str, tuple[str, str]]) -> None:
    """Make accounts.

    Args:
        config: of the gateway.
        people: email → name and role.
    """
    command = [sys.executable, "-m", "tests.portal.people", str(config)]
    given = json.dumps(people)
    subprocess.run(command, input=given, text=True, cwd=ROOT, check=True, timeout=PATIENCE_SECONDS)


def main(config: Path) -> None:
    """Make those that stand on standard input."""
    open_accounts(load_settings(config, {}))
    from django.contrib.auth.hashers import make_password

    from schoolgate.portal.accounts.models import Person

    password = make_password(PASSWORD)
    Person.objects.bulk_create(
        Person(email=email, name=name, roles=[role], password=password)
        for email, (name, role) in json.load(sys.stdin).items()
    )


def filled_in(page: str) -> dict[str, str]:
    """Give what a browser would send of the last form of a page."""
    return _Form(page).fields


class _Form(HTMLParser):
    """What a browser would send of the last form of a page if nobody typed anything."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._select = ""
        self._area = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        name = said.get("name", "")
        if tag == "form":
            self.fields = {}
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            if "selected" in said or self._select not in self.fields:
                self.fields[self._select] = said.get("value", "")
        elif tag == "textarea":
            self._area = name
            self.fields[name] = ""
        elif tag == "input" and name:
            ticked = said.get("type") not in ("checkbox", "radio") or "checked" in said
            if ticked:
                self.fields[name] = said.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""


class Browser:
    """Somebody's browser; it goes through the gateway, and keeps its cookies.

    Args:
        gateway: which.
        email: of whose account.
        address: of the device.
    """

    def __init__(self, gateway: Gateway, email: str, address: str) -> None:
        self._gateway, self._email, self._address = gateway, email, address
        self._client = gateway.client(address=address)

    def close(self) -> None:
        """End its connections."""
        self._client.close()

    def sign_in(self) -> httpx.Response:
        """Sign in; give what the portal answered."""
        form = self.form("/account/sign-in/")
        return self.send("/account/sign-in/", form, login=self._email, password=PASSWORD)

    def get(self, path: str) -> httpx.Response:
        """Ask for a page."""
        return self._client.get(urljoin(HOME, path))

    def form(self, path: str) -> dict[str, str]:
        """Give the fields of the form on a page, as they are filled in."""
        answer = self.get(path).raise_for_status()
        assert answer.status_code == 200, (path, answer.status_code)
        return filled_in(answer.text)

    def send(self, path: str, form: Mapping[str, str], **typed: str) -> httpx.Response:
        """Send a form; give what the portal answered."""
        url = urljoin(HOME, path)
        return self._client.post(url, data={**form, **typed}, headers={"Referer": url})

    def sign(self, path: str, **typed: str) -> httpx.Response:
        """Send a form, and the password that may be asked for again."""
        answer = self.send(path, self.form(path), **typed)
        again = answer.headers.get("location", "")
        if AGAIN in again:
            answer = self.send(again, self.form(again), password=PASSWORD)
        return answer


# What somebody sees of a part that was killed: no answer, or one of the gateway's that says so.
TROUBLE: tuple[type[Exception], ...] = (*CUT, httpx.HTTPStatusError, httpx.ProxyError)


def number_in(answer: Any) -> int:
    """Give the number of the request that an answer leads to; 0 where it leads to none."""
    _, _, rest = answer.headers.get("location", "").partition("/requests/")
    return int(rest.strip("/") or 0) if rest.strip("/").isdigit() else 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
