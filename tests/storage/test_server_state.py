"""How a PostgreSQL server stands, asked of a real one."""

from dataclasses import replace

import pytest

from schoolgate.storage import Figures, open_database
from schoolgate.storage.figures import Told
from schoolgate.storage.outbox import put_for_webhook
from schoolgate.storage.server_state import server_state
from tests.databases import TEMPLATE, on_server
from tests.services.requested import NINE
from tests.system import postgres

pytestmark = pytest.mark.long


def test_a_server_says_its_version_our_schema_and_our_connections() -> None:
    """What webhooks are told is counted on it as on a file, too."""
    with postgres.running() as url:
        engine = open_database(on_server(url, TEMPLATE))
        state = server_state(engine)
        assert state.version.partition(".")[0].isdigit()
        assert state.connections >= 1
        assert replace(state, version="", connections=0) == replace(
            state, version="", connections=0, schema="public", is_copy=False, most=-1
        )
        with engine.begin() as connection:
            put_for_webhook(connection, "pager", "An alert", "alert:1", NINE)
        assert Figures(engine).read(NINE).webhooks == {"pager": Told(1, NINE, 0, 0)}
        engine.dispose()
