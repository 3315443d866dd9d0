"""A person with an account: an e-mail address, a name and roles."""

from collections.abc import Sequence

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.crypto import salted_hmac

from schoolgate.core.approvals import Role


class PersonManager(BaseUserManager):
    """Makes accounts; whoever calls it has recorded why."""

    def create_user(
        self, email: str, password: str | None = None, *, name: str = "", roles: Sequence[str] = ()
    ) -> "Person":
        """Make an account; without a password nobody can sign in with it."""
        person: Person = self.model(email=email.strip().lower(), name=name, roles=sorted(roles))
        person.set_password(password)
        person.save(using=self._db)
        return person


class Person(AbstractBaseUser):
    """Somebody who may sign in to the portal.

    Attributes:
        email: under which they sign in, lower case.
        name: as pages and the audit trail show it.
        roles: values of `Role`, sorted.
        is_active: whether they may sign in.
    """

    email = models.EmailField("Email address", unique=True)
    name = models.CharField("Name", max_length=150)
    roles = models.JSONField("Roles", default=list)
    is_active = models.BooleanField("May sign in", default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PersonManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ("name",)

    class Meta:
        """How they are listed."""

        ordering = ("name", "email")

    def __str__(self) -> str:
        """Give name and address."""
        return f"{self.name} <{self.email}>" if self.name else str(self.email)

    def get_full_name(self) -> str:
        """Give the name, as other packages ask for it."""
        return str(self.name)

    def get_session_auth_hash(self) -> str:
        """Give what each session carries: with another password or other roles they all end."""
        held = "\n".join((self.password, *sorted(self.roles)))
        digest: str = salted_hmac("schoolgate.portal.session", held, algorithm="sha256").hexdigest()
        return digest

    def held_roles(self) -> frozenset[Role]:
        """Give the roles; one that schoolgate does not know any more is none."""
        known = {role.value for role in Role}
        return frozenset(Role(role) for role in self.roles if role in known)
