"""A provider of OpenID Connect over TLS with an authority of its own, which does as a test tells it.

Its tokens are signed by another library than the one that the portal verifies them with.
"""

import base64
import hashlib
import hmac
import json
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.origin import certificates

CLIENT, SECRET = "portal", "a secret of both"
LASTING_SECONDS = 300


@dataclass
class Provider:
    """What a running provider says.

    Attributes:
        issuer: its address.
        ca_file: whom its certificate is from.
        claims: of whoever signs in; they lie over the usual ones, and None takes one away.
        algorithm: with which tokens are signed.
        key: by which they are signed.
        document: lies over its discovery document.
        asked: the last question that somebody was sent with.
        broken: whether it answers nothing that can be read.
    """

    issuer: str = ""
    ca_file: Path = Path()
    claims: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    key: Any = None
    document: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    broken: bool = False
    own_key: Any = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def answer(
        self, path: str, query: dict[str, str], form: dict[str, str]
    ) -> tuple[int, Any, str]:
        """Give status, JSON and where one is led."""
        if self.broken:
            return 200, "nonsense", ""
        match path:
            case "/.well-known/openid-configuration":
                return 200, self._document(), ""
            case "/keys":
                return 200, {"keys": [self.own_key.as_dict(private=False, use="sig")]}, ""
            case "/authorize":
                return 302, {}, self._signed_in(query)
            case "/token":
                return self._exchanged(form)
        return 404, {}, ""

    def _document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            **self.document,
        }

    def _signed_in(self, query: dict[str, str]) -> str:
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        self.asked = query
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def _exchanged(self, form: dict[str, str]) -> tuple[int, Any, str]:
        query = self.codes.pop(form.get("code", ""), None)
        if query is None or (form["client_id"], form["client_secret"]) != (CLIENT, SECRET):
            return 400, {"error": "invalid_grant"}, ""
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if challenge != query["code_challenge"] or form["redirect_uri"] != query["redirect_uri"]:
            return 400, {"error": "invalid_grant"}, ""
        tokens = {"access_token": "opaque", "token_type": "Bearer", "id_token": self.token(query)}
        return 200, tokens, ""

    def token(self, query: dict[str, str]) -> str:
        """Give a token on a question."""
        now = int(time.time())
        usual = {
            "iss": self.issuer, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + LASTING_SECONDS,
            "nonce": query.get("nonce", ""), "email": "ann@hill.example", "email_verified": True,
            "name": "Ann Teacher",
        }  # fmt: skip
        if query.get("max_age") == "0":
            usual["auth_time"] = now
        claims = {name: value for name, value in (usual | self.claims).items() if value is not None}
        if self.algorithm == "none":
            parts = ({"alg": "none", "kid": "one"}, claims)
            return ".".join(_encoded(json.dumps(part).encode()) for part in parts) + "."
        if self.algorithm == "HS256":
            return self.shared(claims)
        header = {"alg": self.algorithm, "kid": "one"}
        return jwt.encode(header, claims, self.key or self.own_key, algorithms=[self.algorithm])

    def shared(self, claims: dict[str, Any]) -> str:
        """Sign with the public key, as if it were a secret of both: some verifiers believe the header."""
        signed = ".".join(
            _encoded(json.dumps(p).encode()) for p in ({"alg": "HS256", "kid": "one"}, claims)
        )
        public = self.own_key.as_pem(private=False)
        return f"{signed}.{_encoded(hmac.digest(public, signed.encode(), 'sha256'))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@contextmanager
def running(directory: Path, name: str = "localhost") -> Iterator[Provider]:
    """Run a provider."""
    ca_file, certificate, key = certificates(directory, [name, "127.0.0.1"])
    provider = Provider(ca_file=ca_file)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._said({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self._said(_plain(body))

        def _said(self, form: dict[str, str]) -> None:
            parts = urlsplit(self.path)
            status, said, location = provider.answer(parts.path, _plain(parts.query), form)
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            if location:
                self.send_header("location", location)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    provider.issuer = f"https://{name}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _plain(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}
