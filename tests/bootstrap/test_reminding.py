"""Reminders go to whom the policy names now."""

from datetime import timedelta
from pathlib import Path

from schoolgate import bootstrap
from schoolgate.settings import load_settings
from schoolgate.storage import ApprovalStore, Outbox, open_database
from tests.gateway import put
from tests.school import write_school
from tests.services.requested import TEACHER, approvals, form, scope

DAY = timedelta(days=1)


def test_reminders_go_to_whom_the_policy_names_now(tmp_path: Path) -> None:
    school = write_school(tmp_path / "school")
    settings = load_settings(school.config, {})
    database, now = open_database(settings.database_url), bootstrap.now()
    approvals(ApprovalStore(database)).submit(form(scope(now=now)), TEACHER, now)
    remind = bootstrap.Reminding(settings)

    def reminded(days: int) -> str:
        remind(now + days * DAY)
        waiting, _ = Outbox(database).unsent()[-1]
        return waiting.audience

    assert reminded(1) == "role:slt"
    text = settings.policy_file.read_text()
    put(
        settings.policy_file,
        f"{text}\nroles: {{reviews: [dsl], decides: [slt], incidents: [slt], bypass: [slt]}}\n",
    )
    assert reminded(2) == "role:dsl"
    put(settings.policy_file, "roles: [\n")
    assert reminded(3) == "role:dsl"
    database.dispose()
    remind.close()
