"""Tells people by mail and programs by webhook; knows core, SMTP and HTTP, nothing else."""

from schoolgate.notify.letter import Letter, compose
from schoolgate.notify.mail_server import MailServer, RejectedError
from schoolgate.notify.webhook import Webhook

__all__ = ["Letter", "MailServer", "RejectedError", "Webhook", "compose"]
