"""How allauth is told what a school wants: nobody makes an account for themselves."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse

from schoolgate.portal.house import house


class Adapter(DefaultAccountAdapter):
    """The account adapter."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: accounts are made by people in charge."""
        return False

    def get_login_stages(self) -> list[str]:
        """Give the steps of a sign-in, with our own question for the second factor."""
        theirs, ours = "allauth.mfa.stages", "schoolgate.portal.accounts.stages"
        return [stage.replace(theirs, ours) for stage in super().get_login_stages()]

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Give how somebody may show again who they are, at their provider last."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if not user.is_authenticated:
            return methods
        linked = set(user.socialaccount_set.values_list("provider", flat=True))
        for provider in house().settings.portal.oidc:
            if provider.id in linked:
                url = reverse("oidc_again", args=(provider.id,))
                methods.append(
                    {"id": provider.id, "description": f"Use {provider.name}", "url": url}
                )
        return methods

    def get_client_ip(self, request: HttpRequest) -> str:
        """Give the client's address, which `Entrance` has put in its place."""
        return request.META.get("REMOTE_ADDR") or "unknown"
