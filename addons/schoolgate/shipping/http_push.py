"""To what takes logs by HTTP: Loki's push address, and OpenTelemetry's OTLP over HTTP in its JSON form."""

import gzip
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
import urllib3

from schoolgate.shipping.receivers import Place, Record, RefusedByReceiverError

_TIMEOUT = urllib3.Timeout(connect=10.0, read=30.0)
_OTLP_INFO, _OTLP_WARN = 9, 13
_TOO_MANY, _TIMED_OUT = 429, 408


class _Push:
    """Posts batches; the receiver says whether it has them.

    Args:
        url: where to.
        headers: such as Authorization; read anew for each batch.
        ca_file: one more authority to trust; "" for the system's alone.
    """

    settle_seconds = 0.0

    def __init__(
        self, url: str, headers: Callable[[], Mapping[str, str]] = dict, ca_file: str = ""
    ) -> None:
        self._url = url
        self._headers = headers
        # Neither proxies nor tries of its own: who sends decides that.
        self._pool = urllib3.PoolManager(ca_certs=ca_file or None, retries=False, timeout=_TIMEOUT)

    def send(self, records: Sequence[Record], place: Place | None = None) -> None:
        """Post them in one request."""
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            **self._headers(),
        }
        body = gzip.compress(orjson.dumps(self.body(records)), mtime=0)
        try:
            answer = self._pool.request("POST", self._url, body=body, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise OSError(str(error)) from error
        if 200 <= answer.status < 300:
            return
        said = f"{answer.status}: {answer.data[:200].decode('utf-8', 'replace')}"
        if 400 <= answer.status < 500 and answer.status not in (
            _TOO_MANY,
            _TIMED_OUT,
            401,
            403,
            404,
        ):
            raise RefusedByReceiverError(said)
        raise OSError(said)

    def body(self, records: Sequence[Record]) -> Any:
        """Give what is posted."""
        raise NotImplementedError

    def check(self) -> None:
        """Nothing is under way: each batch was answered."""

    def close(self) -> None:
        """Let the connections go."""
        self._pool.clear()


class Loki(_Push):
    """Pushes to Grafana Loki (``/loki/api/v1/push``); few labels, the rest is in the line."""

    def body(self, records: Sequence[Record]) -> Any:
        """Give streams of lines with their times, nanoseconds as text."""
        streams: dict[tuple[str, str], list[list[str]]] = {}
        for record in records:
            key = str(record.get("gateway", "")), str(record.get("event", ""))
            line = orjson.dumps(dict(record)).decode()
            streams.setdefault(key, []).append([str(_nanoseconds(record)), line])
        return {
            "streams": [
                {
                    "stream": {"job": "schoolgate", "gateway": gateway, "event": event},
                    "values": values,
                }
                for (gateway, event), values in streams.items()
            ]
        }


class OpenTelemetry(_Push):
    """Posts an ExportLogsServiceRequest (``/v1/logs``) in the JSON form of OTLP."""

    def body(self, records: Sequence[Record]) -> Any:
        """Give the request; one resource for each gateway."""
        by_gateway: dict[str, list[Any]] = {}
        for record in records:
            by_gateway.setdefault(str(record.get("gateway", "")), []).append(_log_record(record))
        return {
            "resourceLogs": [
                {
                    "resource": {
                        "attributes": [
                            _attribute("service.name", "schoolgate"),
                            _attribute("service.instance.id", gateway),
                        ]
                    },
                    "scopeLogs": [
                        {"scope": {"name": "schoolgate.journal"}, "logRecords": records_}
                    ],
                }
                for gateway, records_ in by_gateway.items()
            ]
        }


def _log_record(record: Record) -> dict[str, Any]:
    is_blocked = record.get("verdict") == "block"
    return {
        "timeUnixNano": str(_nanoseconds(record)),
        "severityNumber": _OTLP_WARN if is_blocked else _OTLP_INFO,
        "severityText": "WARN" if is_blocked else "INFO",
        "eventName": str(record.get("event", "")),
        "body": {"stringValue": str(record.get("event", ""))},
        "attributes": [
            _attribute(f"schoolgate.{name}", value)
            for name, value in record.items()
            if name not in ("ts", "gateway", "event")
        ],
    }


def _attribute(key: str, value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"key": key, "value": {"boolValue": value}}
    if isinstance(value, int):
        # 64 bits are text in the JSON form of protocol buffers.
        return {"key": key, "value": {"intValue": str(value)}}
    if isinstance(value, float):
        return {"key": key, "value": {"doubleValue": value}}
    if isinstance(value, list | dict):
        value = orjson.dumps(value).decode()
    return {"key": key, "value": {"stringValue": str(value)}}


def _nanoseconds(record: Record) -> int:
    try:
        at = datetime.fromisoformat(str(record["ts"]))
    except (KeyError, ValueError):
        return 0
    return round(at.timestamp() * 1000) * 1_000_000
