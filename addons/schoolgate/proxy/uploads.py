"""Uploads to where files are stored or passed on: the journal says which file and how large."""

from mitmproxy import http

from schoolgate.core.files.uploads import Upload, is_for_storage, upload_of
from schoolgate.proxy.recorder import Recorder
from schoolgate.proxy.transactions import Transaction

# Sites of these take files from people.
CATEGORIES = frozenset({"cloud-storage", "filesharing", "paste-transfer"})
_METHODS = frozenset({"POST", "PUT", "PATCH"})


def begin(flow: http.HTTPFlow, transaction: Transaction) -> Upload | None:
    """Begin to read a request that goes up to such a site; None for any other."""
    request = transaction.request
    if request.method not in _METHODS:
        return None
    headers = {name.lower(): value for name, value in flow.request.headers.items()}
    if not _takes_files(transaction) and not is_for_storage(headers):
        return None
    return upload_of(request.method, request.url, headers)


def end(flow: http.HTTPFlow, transaction: Transaction, recorder: Recorder) -> None:
    """Write down what was sent; a body that was held whole is read only now."""
    upload, transaction.upload = transaction.upload, None
    if upload is None:
        return
    if flow.request.raw_content:
        upload.feed(flow.request.raw_content)
    status = flow.response.status_code if flow.response else None
    for sent in upload.end():
        recorder.uploaded(transaction, sent.name, sent.size, status)


def _takes_files(transaction: Transaction) -> bool:
    url, sites = transaction.request.url, transaction.engine.catalogue.sites
    return not CATEGORIES.isdisjoint(sites.categories(sites.get(url.host, url.path)))
