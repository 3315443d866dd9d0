"""The steps of a sign-in: whether the second factor of an account here is asked for after a provider's."""

from typing import Any

from allauth.mfa import stages

from schoolgate.portal.house import house


class AuthenticateStage(stages.AuthenticateStage):
    """Asks for the second factor, unless the technician leaves that to the provider."""

    def handle(self) -> tuple[Any, bool]:
        """Give a page to go to first, and whether the sign-in goes on."""
        came = (self.login.signal_kwargs or {}).get("sociallogin")
        if came is not None:
            for provider in house().settings.portal.oidc:
                if provider.id == came.account.provider and not provider.second_factor:
                    return None, True
        answer: tuple[Any, bool] = super().handle()
        return answer
