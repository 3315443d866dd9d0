"""Forms of the pages of requests, filled in, and people who send them."""

from typing import Any

from tests.portal.asking import PASSWORD, Asking

URL = "https://games.example/play?x=1"
FORM = {
    "staff_name": "Sam Body",
    "url": URL,
    "site_content": "Number games.",
    "reasons": "Times tables.",
    "risks_and_controls": "Adverts; I watch the screens.",
    "extent": "domain",
    "subject": "group:pupils",
    "days": "14",
}
REVIEW = {"recommended": "yes", "risks": "Adverts.", "controls": "A teacher watches."}
DECISION = {
    "reasons": "It is for the lesson.",
    "extent": "domain",
    "subject": "group:pupils",
    "until": "2026-12-07",
    "signature": "sam  body",
}


def asked(browser: Asking, **changed: str) -> str:
    """Send the form, and give the path of the request that comes of it."""
    answer = browser.post("/ask/", **(FORM | changed))
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["location"])


def signed(browser: Asking, path: str, **fields: str) -> Any:
    """Send a decision, and the password that is asked for again; give the last answer."""
    answer = browser.post(path, **fields)
    if answer.status_code == 302 and answer["location"].startswith("/account/again/"):
        return browser.post(answer["location"], password=PASSWORD)
    return answer


def stands_in(browser: Asking, path: str) -> str:
    """Give the text of a page."""
    return str(browser.get(path).content.decode())
