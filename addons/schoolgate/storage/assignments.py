"""Who of a trust may see and approve in which school: a table at the centre, each change audited."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    insert,
    select,
    text,
    update,
)

from schoolgate.core.approvals import Role
from schoolgate.core.errors import RefusedError
from schoolgate.storage import audit
from schoolgate.storage.connections import reading, writing
from schoolgate.storage.schema import NAMING, UtcTime

_LARGEST_ID = 2**31 - 1

# No school has it, so that it is no part of what is moved, backed up and migrated with a school.
_TABLE = Table(
    "trust_assignments",
    MetaData(naming_convention=NAMING),
    Column("id", Integer, primary_key=True),
    Column("person", Text, nullable=False, index=True),
    Column("school", String(40), nullable=False),
    Column("role", String(32), nullable=False),
    Column("given_at", UtcTime, nullable=False),
    Column("given_by", Text, nullable=False),
    Column("ended_at", UtcTime),
)
# One that runs, of each person, school and role.
Index(
    "uq_trust_assignments_running",
    _TABLE.c.person,
    _TABLE.c.school,
    _TABLE.c.role,
    unique=True,
    postgresql_where=text("ended_at IS NULL"),
    sqlite_where=text("ended_at IS NULL"),
)


@dataclass(frozen=True, slots=True)
class Assignment:
    """That somebody has a role in a school.

    Attributes:
        id: its number.
        person: address of their account at the centre.
        school: its name.
        role: that they have there.
        given_at: since when.
        given_by: who gave it.
    """

    id: int
    person: str
    school: str
    role: Role
    given_at: datetime
    given_by: str


class Assignments:
    """The table.

    Every method raises `UnavailableError` when the database fails.

    Args:
        engine: of the centre's own database; the table is made where it is missing.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with writing(engine) as connection:
            _TABLE.metadata.create_all(connection)

    def of(self, person: str) -> dict[str, frozenset[Role]]:
        """Give the roles that somebody has now, by school."""
        found: dict[str, frozenset[Role]] = {}
        for each in self.running(person):
            found[each.school] = found.get(each.school, frozenset()) | {each.role}
        return found

    def running(self, person: str | None = None) -> list[Assignment]:
        """Give what runs, by school; of everybody without a person."""
        query = select(_TABLE).where(_TABLE.c.ended_at.is_(None))
        if person is not None:
            query = query.where(_TABLE.c.person == person)
        order = (_TABLE.c.school, _TABLE.c.person, _TABLE.c.role)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(*order)).all()
        return [each for row in rows if (each := _assignment_of(row)) is not None]

    def check(self, person: str, school: str, role: Role, by: str) -> None:
        """See that somebody may be given a role; arguments as of `give`.

        Raises:
            RefusedError: when they have it, or it is for oneself.
        """
        if person == by:
            raise RefusedError("nobody gives themselves a school: ask somebody else of central IT")
        if role in self.of(person).get(school, ()):
            raise RefusedError(_twice(person, school, role))

    def give(self, person: str, school: str, role: Role, by: str, now: datetime) -> None:
        """Give somebody a role in a school.

        Args:
            person: address of their account.
            school: its name.
            role: that they have there.
            by: address of who gives it.
            now: when.

        Raises:
            RefusedError: as `check`.
        """
        self.check(person, school, role, by)
        values = {"person": person, "school": school, "role": role.value}
        same = [_TABLE.c[name] == value for name, value in values.items()]
        with writing(self._engine) as connection:
            query = select(_TABLE.c.id).where(*same, _TABLE.c.ended_at.is_(None))
            if connection.execute(query).first():
                # Another one of central IT was quicker.
                raise RefusedError(_twice(person, school, role))
            connection.execute(insert(_TABLE).values(**values, given_at=now, given_by=by))
            _record(connection, now, by, "trust.assigned", values)

    def end(self, number: int, by: str, now: datetime) -> Assignment:
        """Take a role back.

        Raises:
            RefusedError: when there is none of that number that runs.
        """
        chosen = update(_TABLE).where(_TABLE.c.id == number, _TABLE.c.ended_at.is_(None))
        ended = chosen.values(ended_at=now).returning(_TABLE)
        with writing(self._engine) as connection:
            row = connection.execute(ended).one_or_none() if 0 < number <= _LARGEST_ID else None
            each = _assignment_of(row) if row is not None else None
            if each is None:
                raise RefusedError(f"there is no assignment {number} to take back")
            values = {"person": each.person, "school": each.school, "role": each.role.value}
            _record(connection, now, by, "trust.withdrawn", values)
        return each


def _twice(person: str, school: str, role: Role) -> str:
    return f"{person} is {role.value} of {school} already"


def _record(
    connection: Connection, now: datetime, by: str, action: str, values: dict[str, str]
) -> None:
    about = f"account:{values['person']}"
    detail = {"school": values["school"], "role": values["role"]}
    audit.record(connection, now, f"account:{by}", action, about, detail)


def _assignment_of(row: Row[tuple[object, ...]]) -> Assignment | None:
    """Give what a row stands for; a role that schoolgate does not know any more is none."""
    try:
        role = Role(row.role)
    except ValueError:
        return None
    return Assignment(row.id, row.person, row.school, role, row.given_at, row.given_by)
