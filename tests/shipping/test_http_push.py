"""To Loki and OpenTelemetry, against a server that reads what it is sent."""

from pathlib import Path

import pytest

from schoolgate.shipping.http_push import Loki, OpenTelemetry
from schoolgate.shipping.receivers import RefusedByReceiverError
from tests.gateway import free_port
from tests.shipping.receiving import Came, http_receiver

RECORD = {
    "ts": "2026-11-23T10:30:00.250+00:00", "id": "1-5-1", "gateway": "hill", "event": "request.decided",
    "verdict": "block", "clause": "C-1", "status": 403, "score": 0.5, "kinds": {"vpn": 2},
}  # fmt: skip
AT = "1795429800250000000"


def test_loki_gets_streams_with_few_labels() -> None:
    came = Came()
    with http_receiver(came) as url:
        loki = Loki(f"{url}/loki/api/v1/push", lambda: {"X-Scope-OrgID": "hill"})
        loki.send([RECORD, {**RECORD, "event": "tls.decided"}, RECORD])
        loki.close()
    [body] = came.bodies
    streams = {one["stream"]["event"]: one for one in body["streams"]}
    labels = {"job": "schoolgate", "gateway": "hill", "event": "request.decided"}
    assert streams["request.decided"]["stream"] == labels
    assert [value[0] for value in streams["request.decided"]["values"]] == [AT, AT]
    assert len(streams) == 2
    assert came.lines()[0] == RECORD
    assert came.headers[0]["X-Scope-OrgID"] == "hill"


def test_a_collector_gets_log_records_with_typed_attributes() -> None:
    came = Came(status=200)
    with http_receiver(came) as url:
        collector = OpenTelemetry(f"{url}/v1/logs")
        collector.send([RECORD])
        collector.close()
    [resource] = came.bodies[0]["resourceLogs"]
    named = {one["key"]: one["value"]["stringValue"] for one in resource["resource"]["attributes"]}
    assert named == {"service.name": "schoolgate", "service.instance.id": "hill"}
    [record] = resource["scopeLogs"][0]["logRecords"]
    assert (record["timeUnixNano"], record["severityText"]) == (AT, "WARN")
    assert {one["key"]: one["value"] for one in record["attributes"]} == {
        "schoolgate.id": {"stringValue": "1-5-1"},
        "schoolgate.verdict": {"stringValue": "block"},
        "schoolgate.clause": {"stringValue": "C-1"},
        "schoolgate.status": {"intValue": "403"},
        "schoolgate.score": {"doubleValue": 0.5},
        "schoolgate.kinds": {"stringValue": '{"vpn":2}'},
    }


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, OSError), (503, OSError), (429, OSError), (408, OSError),
        # Mended by the technician: the lines are good.
        (401, OSError), (403, OSError), (404, OSError),
        (400, RefusedByReceiverError), (413, RefusedByReceiverError), (422, RefusedByReceiverError),
    ],
)  # fmt: skip
def test_what_is_tried_again_and_what_never_will_be_taken(
    status: int, error: type[Exception]
) -> None:
    with http_receiver(Came(status=status)) as url:
        loki = Loki(url)
        with pytest.raises(error):
            loki.send([RECORD])
        loki.close()


def test_a_receiver_that_is_not_there_is_an_error() -> None:
    with pytest.raises(OSError, match="refused"):
        Loki(f"http://127.0.0.1:{free_port()}/").send([RECORD])


def test_a_token_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    def headers() -> dict[str, str]:
        return {"Authorization": (tmp_path / "token").read_text()}

    with pytest.raises(OSError, match="No such file"):
        Loki("http://127.0.0.1:1/", headers).send([RECORD])
