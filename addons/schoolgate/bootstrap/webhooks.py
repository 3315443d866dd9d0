"""Webhooks of this machine: a thread for each, so that one that is slow keeps none from the others."""

import logging
import threading
from collections.abc import Callable
from functools import partial

from schoolgate.bootstrap.clock import now
from schoolgate.core.errors import UnavailableError
from schoolgate.notify import Webhook
from schoolgate.services.mailing import Round
from schoolgate.services.webhooks import Telling
from schoolgate.settings import Settings
from schoolgate.settings.alerts import WebhookSettings
from schoolgate.storage import IncidentStore, Outbox, open_database

logger = logging.getLogger(__name__)

_ROUND_SECONDS = 1.0


def open_telling(settings: Settings, hook: WebhookSettings) -> Telling:
    """Give what tells one webhook.

    Raises:
        UnavailableError: when the database cannot be used.
    """
    database = open_database(settings.database_url)
    post = Webhook(hook.url, hook.secret_file, hook.ca_file).post
    return Telling(
        Outbox(database, hook.name), post, IncidentStore(database).alert, settings.gateway
    )


def webhook_keepers(settings: Settings, ending: threading.Event) -> list[threading.Thread]:
    """Give threads that tell the webhooks until an event is set; started.

    Raises:
        UnavailableError: when the database cannot be used.
    """
    threads = []
    for hook in settings.alerts.webhooks:
        work = partial(_tell, open_telling(settings, hook).round, hook.name, ending)
        thread = threading.Thread(target=work, name=f"webhook {hook.name}", daemon=True)
        thread.start()
        threads.append(thread)
    return threads


def _tell(round_: Callable[..., Round], name: str, ending: threading.Event) -> None:
    while not ending.is_set():
        done = Round()
        try:
            done = round_(now())
        except UnavailableError as error:
            logger.error("The webhook %s is not told: %s", name, error)  # noqa: TRY400
        if done.gave_up:
            logger.error("The webhook %s cannot be told; 'schoolgate doctor' says why.", name)
        if done == Round():
            ending.wait(_ROUND_SECONDS)
