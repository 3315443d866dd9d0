"""The use cases that the entry points share; each takes what it needs as arguments."""
