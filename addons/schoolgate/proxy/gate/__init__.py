"""The gate in front of mitmproxy: it looks, decides by name, and carries what need not be read.

Nothing here is mitmproxy's, nothing here waits, and nothing here is guessed: a connection that is
not understood at a glance goes to the embedded mitmproxy with every byte unread.
"""

from schoolgate.proxy.gate.gate import Gate

__all__ = ["Gate"]
