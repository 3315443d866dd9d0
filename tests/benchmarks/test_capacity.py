"""What so many schools need: reckoned from a county's figures, and from what the page says is assumed."""

import pytest

from benchmarks.trust.capacity import need, section

COST = {
    "nats": 1.0, "tables": 9.0, "stream_bytes": 50.0, "table_bytes": 25.0, "server": 100.0,
    "connection_kilobytes": 1024.0,
}  # fmt: skip


def test_a_county_is_so_many_times_a_school() -> None:
    one, many = need(1, COST), need(500, COST)
    assert (one.gateways, one.connections) == (2, 24)
    assert one.events_day == 430_000
    assert many.events_day == 500 * one.events_day
    assert many.events_peak == pytest.approx(500 * one.events_peak)
    assert many.table_gb_day == pytest.approx(215e6 * 25 / 1e9)
    assert many.stream_gb == pytest.approx(3 * 2 * many.table_gb_day)
    assert many.connection_gb == pytest.approx(12_000 / 1024)


@pytest.mark.parametrize(("schools", "cores", "servers"), [(1, 1, 1), (500, 1, 6), (5_000, 2, 60)])
def test_processors_and_servers_are_whole_and_half_of_a_processor_stays_free(
    schools: int, cores: int, servers: int
) -> None:
    found = need(schools, COST)
    assert (found.event_cores, found.servers) == (cores, servers)
    assert found.events_peak * 10e-6 <= 0.5 * found.event_cores


def test_the_page_says_each_size() -> None:
    said = section(COST)
    assert all(name in said for name in ("a trust of 30", "a county of 500", "a nation of 24,000"))
