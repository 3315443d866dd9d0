"""Tells people by mail; knows core and SMTP, nothing else."""

from schoolgate.notify.letter import Letter, compose
from schoolgate.notify.mail_server import MailServer, RejectedError

__all__ = ["Letter", "MailServer", "RejectedError", "compose"]
