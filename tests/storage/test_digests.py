"""What waits for a digest is put into one of them once, by however many at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import Engine, select

from schoolgate.core.approvals import Role, Told
from schoolgate.storage import ApprovalStore, Digests, schema
from schoolgate.storage.connections import reading
from tests.storage.days import at

AT_ONCE = 4


def test_of_many_who_gather_at_once_one_makes_the_digest(engine: Engine) -> None:
    with ApprovalStore(engine).writing() as work:
        for number in range(3):
            work.tell(Told("It waits", roles=(Role.SLT,)), f"request:{number}", at(9))
    digests, together = Digests(engine), Barrier(AT_ONCE)

    def gather() -> int:
        together.wait()
        for number in (1, 2, 3):
            digests.put(number, ["A@x.example", "b@x.example"])
        together.wait()
        return digests.gather(at(10), "All", at(10))

    with ThreadPoolExecutor(AT_ONCE) as threads:
        made = [asked.result() for asked in [threads.submit(gather) for _ in range(AT_ONCE)]]
    assert sum(made) == 2
    with reading(engine) as connection:
        rows = connection.execute(select(schema.digest_lines)).all()
    found = sorted((row.account, row.mail_id, row.digest_id) for row in rows)
    assert [(who, mail) for who, mail, _ in found] == [
        (who, mail) for who in ("a@x.example", "b@x.example") for mail in (1, 2, 3)
    ]
    assert len({digest for _, _, digest in found}) == 2
    assert [one.about for one in digests.lines(found[0][2])] == [
        "request:0", "request:1", "request:2",
    ]  # fmt: skip


def test_an_account_is_known_by_its_address_however_it_is_written(engine: Engine) -> None:
    digests = Digests(engine)
    for daily, want in ((True, {"ann@x.example"}), (True, {"ann@x.example"}), (False, set())):
        digests.choose("Ann@X.example", daily=daily)
        assert digests.readers() == want
