"""Whatever people do with requests, in whatever order and at once: the rules hold."""

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Engine

from tests.services.rules_machine import machine


def test_no_order_of_actions_breaks_the_rules(database: Engine) -> None:
    run_state_machine_as_test(
        machine(database), settings=settings(max_examples=25, stateful_step_count=20, deadline=None)
    )
