"""Tells Django of the accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The accounts."""

    name = "schoolgate.portal.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
