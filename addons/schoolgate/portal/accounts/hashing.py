"""How passwords are kept: Argon2, with as much memory as sixteen at once may take on a small machine."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with 46 MiB and two passes: no less than OWASP's password storage guide asks for."""

    time_cost = 2
    memory_cost = 47_104
    parallelism = 1
