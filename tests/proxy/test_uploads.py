"""A file that is sent to where files are kept is in the journal by name and size, and arrives as it was."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.gateway import Gateway, eventually, running, stay_within_a_day, to_origin, write_config
from tests.origin import Origin

SECRET = "nobody reads this "
EVERYDAY = "www.example.org"
STORAGE = "www.dropbox.com"


@pytest.fixture(scope="module")
def gateway(site: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("uploads")
    with running(write_config(directory, proxy=to_origin(site, [EVERYDAY, STORAGE]))) as gateway:
        # A local allow list in the warning's place, as whoever clicked through it.
        (directory / "local" / "allow.txt").write_text(f"{STORAGE}\n")
        with gateway.client() as client:
            assert eventually(lambda: _passes(client, f"http://{STORAGE}:{site.http_port}/"))
        yield gateway


@pytest.fixture(autouse=True)
def _away_from_midnight() -> None:
    stay_within_a_day()


def _passes(client: httpx.Client, url: str) -> bool:
    return "x-schoolgate-clause" not in client.get(url).headers


def _uploads(gateway: Gateway) -> list[dict[str, Any]]:
    return [line for line in gateway.journal() if line["event"] == "upload.seen"]


@pytest.mark.parametrize("size", [300, 300_000])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_form_with_a_file(gateway: Gateway, site: Origin, size: int, scheme: str) -> None:
    """Held whole or streamed, the file is told of in the same way, and the site gets every byte of it."""
    port = site.https_port if scheme == "https" else site.http_port
    name, body = f"{scheme}-{size}.txt", (SECRET * size)[:size].encode()
    with gateway.client() as client:
        answer = client.post(
            f"{scheme}://{STORAGE}:{port}/upload?x=1",
            files={"f": (name, body)},
            data={"note": SECRET},
        )
    assert answer.status_code == 200
    assert eventually(lambda: any(line["file_name"] == name for line in _uploads(gateway)))
    (line,) = [line for line in _uploads(gateway) if line["file_name"] == name]
    assert (line["file_bytes"], line["host"], line["status"]) == (size, STORAGE, 200)
    assert SECRET not in str(gateway.journal())


def test_a_file_that_is_put(gateway: Gateway, site: Origin) -> None:
    with gateway.client() as client:
        client.put(
            f"http://{STORAGE}:{site.http_port}/folder/plan.pdf", content=b"%PDF" * 50_000,
            headers={"content-type": "application/pdf"},
        )  # fmt: skip
    assert eventually(lambda: any(line["file_name"] == "plan.pdf" for line in _uploads(gateway)))
    (line,) = [line for line in _uploads(gateway) if line["file_name"] == "plan.pdf"]
    assert line["file_bytes"] == 200_000


def test_nothing_is_told_of_other_sites_or_of_talk(gateway: Gateway, site: Origin) -> None:
    with gateway.client() as client:
        client.post(f"http://{EVERYDAY}:{site.http_port}/f", files={"f": ("other.txt", b"x")})
        client.post(f"http://{STORAGE}:{site.http_port}/rpc", json={"a": 1})
        client.post(f"http://{STORAGE}:{site.http_port}/last", files={"f": ("last.txt", b"x")})
    assert eventually(lambda: any(line["file_name"] == "last.txt" for line in _uploads(gateway)))
    told = [(line["host"], line["file_name"]) for line in _uploads(gateway)]
    assert (STORAGE, "last.txt") in told
    assert all(host == STORAGE and name != "other.txt" for host, name in told)
    assert not [line for line in _uploads(gateway) if line["url"].endswith("/rpc")]
