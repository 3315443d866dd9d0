"""A browser of the tests: asks the portal as it is reached through the proxy, and reads what comes."""

import time
from html.parser import HTMLParser
from typing import Any

PASSWORD = "three words nobody uses"


class Page(HTMLParser):
    """What a test looks at of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.title = ""
        self.headings: list[str] = []
        self.labelled: set[str] = set()
        self.inputs: list[dict[str, str]] = []
        self.scripts: list[dict[str, str]] = []
        self.styled: list[str] = []
        self.links: list[str] = []
        self.text = text
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if "style" in said or tag == "style" or any(name.startswith("on") for name in said):
            self.styled.append(tag)
        if tag in ("title", "h1"):
            self._inside = tag
            if tag == "h1":
                self.headings.append("")
        elif tag == "label":
            self.labelled.add(said.get("for", ""))
        elif tag in ("input", "select", "textarea") and said.get("type") != "hidden":
            self.inputs.append(said)
        elif tag == "script":
            self.scripts.append(said)
        elif tag == "a":
            self.links.append(said.get("href", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self.title += data
        elif self._inside == "h1":
            self.headings[-1] += data


class Asking:
    """A browser with its cookies.

    Args:
        person: who has signed in.
        address: of the device.
        secure: whether it speaks TLS.
    """

    def __init__(
        self,
        person: Any = None,
        address: str = "10.9.0.7",
        *,
        secure: bool = True,
        csrf: bool = False,
    ) -> None:
        from django.test import Client

        self._client = Client(
            enforce_csrf_checks=csrf,
            headers={"host": "schoolgate.internal"},
            REMOTE_ADDR=address,
        )
        # What a page raises is a page for the person, not an end of the test.
        self._client.raise_request_exception = False
        self._secure = secure
        if person is not None:
            self._client.force_login(person)

    def get(self, path: str, **more: Any) -> Any:
        return self._client.get(path, secure=self._secure, **more)

    def post(self, path: str, **fields: str) -> Any:
        return self._client.post(path, fields, secure=self._secure)

    def ask(self, method: str, path: str, data: str | bytes = "", **more: Any) -> Any:
        return self._client.generic(method, path, data, secure=self._secure, **more)

    def has_proved_again(self) -> None:
        """Let whoever signed in have shown again who they are, a moment ago."""
        session = self._client.session
        session["account_authentication_methods_user"] = session["_auth_user_id"]
        shown = {"method": "password", "at": time.time(), "reauthenticated": True}
        session["account_authentication_methods"] = [shown]
        session.save()

    @property
    def cookies(self) -> Any:
        return self._client.cookies


def read(answer: Any) -> Page:
    """Read a page."""
    return Page(answer.content.decode())
