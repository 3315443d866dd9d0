"""The gateway's own certificate authority: made on first start, kept private, shown for export."""

from schoolgate.authority.store import CERTIFICATE, CaInfo, describe, ensure, export_pem, secret_for

__all__ = ["CERTIFICATE", "CaInfo", "describe", "ensure", "export_pem", "secret_for"]
