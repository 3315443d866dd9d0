"""How allauth is told what a school wants: nobody makes an account for themselves."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):
    """The account adapter."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: accounts are made by people in charge."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Give the client's address, which `Entrance` has put in its place."""
        return request.META.get("REMOTE_ADDR") or "unknown"
