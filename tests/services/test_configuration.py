"""The settings as they are shown: all of them, without what is secret."""

from pathlib import Path

import pytest

from schoolgate.services.configuration import BLANKED, shown
from schoolgate.settings import Settings, load_settings
from schoolgate.settings.machine import MailSettings


def values(settings: Settings) -> dict[str, str]:
    return {one.name: one.value for one in shown(settings, {})}


def test_every_setting_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "schoolgate.yaml"
    file.write_text("proxy: {workers: 3}\nmail: {roles: {dsl: [a@b.example, c@d.example]}}\n")
    found = values(load_settings(file, {}))
    assert found["proxy.workers"] == "3"
    assert found["proxy.upstream_ca"] == ""
    assert found["lists.dirs"] == str(tmp_path.parent / "categories")
    assert found["mail.roles.dsl"] == "a@b.example, c@d.example"
    assert found["database"] == str(tmp_path.parent / "var" / "schoolgate.db")
    names = {name.partition(".")[0] for name in found}
    assert names == {name for name in Settings.model_fields if name != "file"}


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("postgresql://sg:hidden@db.example/school?password=hidden", "sg:***@db.example/school"),
        ("postgresql+psycopg://sg@db.example/school?sslpassword=hidden", "sg@db.example/school"),
    ],
)
def test_no_password_is_shown(url: str, want: str) -> None:
    found = values(Settings(database=url))
    assert found["database"] == f"postgresql://{want}"
    assert not any("hidden" in value for value in found.values())


def test_what_may_be_a_secret_is_blanked_and_files_are_named() -> None:
    mail = MailSettings(password_file=Path("/etc/schoolgate/mail.secret"))

    class Later(MailSettings):
        client_secret: str = "hidden"

    found = values(Settings(mail=Later(**mail.model_dump())))
    assert found["mail.password_file"] == "/etc/schoolgate/mail.secret"
    assert "hidden" not in found.values()
    assert found.get("mail.client_secret", BLANKED) == BLANKED


def test_what_the_environment_says_is_marked() -> None:
    found = {
        one.name: one.from_environment
        for one in shown(Settings(), {"SCHOOLGATE_PROXY_LISTEN": "x"})
    }
    assert [name for name, is_so in found.items() if is_so] == ["proxy.listen"]
