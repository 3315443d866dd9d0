"""A client is a value: what is not known about it is empty."""

from schoolgate.core.clients import Client


def test_only_address_and_group_must_be_known() -> None:
    client = Client("10.0.0.7", "pupils")
    assert (client.user, client.device, client.network) == ("", "", "")


def test_two_clients_of_which_the_same_is_known_are_equal_and_serve_as_one_key() -> None:
    assert len({Client("10.0.0.7", "pupils"), Client("10.0.0.7", "pupils")}) == 1
    assert Client("10.0.0.7", "pupils") != Client("10.0.0.7", "pupils", user="abc")
