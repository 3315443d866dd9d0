"""What the gateway tells the portal of a request, on the socket between them and nowhere else."""

CLIENT = "X-Schoolgate-Client"
"""The address of the client."""
SCHEME = "X-Schoolgate-Scheme"
"""``https`` where the client spoke TLS, else ``http``."""
PREFIX = "x-schoolgate-"
"""How the names of all such headers begin, lower case; a client's own are dropped."""
