"""Tells Django of the accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The accounts."""

    name = "schoolgate.portal.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Give whoever proved again who they are another session number."""
        from allauth.account.signals import authentication_step_completed  # noqa: PLC0415

        from schoolgate.portal.accounts.sessions import renumbered  # noqa: PLC0415

        authentication_step_completed.connect(renumbered, dispatch_uid="schoolgate")
