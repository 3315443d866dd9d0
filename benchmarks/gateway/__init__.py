"""The gateway beside its peers: requests a second of a proxy core, latency and memory, interleaved."""
