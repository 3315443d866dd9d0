"""What letting a page through obliges the gateway to: a service in its safe mode, or for the school alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schoolgate.core.categories import ListEntry
from schoolgate.core.policy.searches import Searching

type Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Writing:
    """What is written into every request to a service; what the client wrote there is taken out.

    Attributes:
        query: parameters of the address.
        headers: of the request.
        cookies: of the request.
        dns: the name whose address is connected to in the service's place; empty for its own.
    """

    query: Pairs = ()
    headers: Pairs = ()
    cookies: Pairs = ()
    dns: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """A site of others that has modes which a gateway can ask for.

    Attributes:
        id: as policies name it, e.g. ``google-search``.
        title: for people.
        hosts: where it is.
        modes: name → what is written to ask for it; ``{word}`` stands for a value of the policy.
        sign_in: where people sign in to it. Who is let in there is decided by what is written, so that a
            mode in force has these read although their kind of site never is.
        searching: where what somebody searches for stands; None where nobody searches.
    """

    id: str
    title: str
    hosts: tuple[ListEntry, ...]
    modes: Mapping[str, Writing] = field(default_factory=dict)
    sign_in: tuple[ListEntry, ...] = ()
    searching: Searching | None = None

    @property
    def search_condition(self) -> str:
        """The pseudo-category of its hosts where searches are kept."""
        return f"search:{self.id}"


# Made once for a policy and known by identity, as a decision is.
@dataclass(frozen=True, slots=True, eq=False)
class Obligation:
    """A service that some people use in one mode only.

    Attributes:
        id: of the line in the policy.
        clause: id of the clause that it rests on.
        service: which, without its modes.
        mode: which.
        writing: what is written to ask for it.
        groups: only for these groups and those within them; empty for all.
        except_devices: not for these kinds of device, which cannot be read.
        is_locked: no policy that extends this one has another mode for the people it is about.
    """

    id: str
    clause: str
    service: Service
    mode: str
    writing: Writing
    groups: frozenset[str] = frozenset()
    except_devices: frozenset[str] = frozenset()
    is_locked: bool = False

    @property
    def name(self) -> str:
        """The service and its mode, as answers show them: ``google-search:strict``."""
        return f"{self.service.id}:{self.mode}"

    @property
    def condition(self) -> str:
        """The pseudo-category of the service's hosts."""
        return f"service:{self.service.id}"

    @property
    def sign_in_condition(self) -> str:
        """The pseudo-category of the service's hosts on which people sign in."""
        return f"sign-in:{self.service.id}"

    def concerns(self, groups: frozenset[str], device: str) -> bool:
        """Ask whether it is about somebody in these groups, with this kind of device."""
        return device not in self.except_devices and (
            not self.groups or not self.groups.isdisjoint(groups)
        )
