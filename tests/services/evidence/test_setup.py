"""How a gateway is set up, as answers rest on it."""

from schoolgate.services.evidence import Facts


def test_the_small_school(facts: Facts) -> None:
    setup = facts.setup
    assert setup.groups == ("Pupils", "Staff")
    assert (setup.mail, setup.webhooks, setup.weekly, setup.termly) == (False, 0, (), ())
    assert (setup.at_home, setup.transparent, setup.single_sign_on) == (None, False, False)
    assert (setup.keep_days, setup.keep_address_days, setup.least_people) == (400, 180, 5)
    assert (setup.themes, setup.languages, setup.declaration) == ((), (), "")
