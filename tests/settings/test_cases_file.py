"""The cases of a policy: what a file of them says, and every way in which it can be wrong."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schoolgate.core.approvals import Role
from schoolgate.core.errors import ConfigurationError
from schoolgate.core.policy import Case, Given, Policy, TlsAction, Verdict
from schoolgate.settings import load_cases
from tests.core.policy.example import policy

POLICY: Policy = policy(networks={"wifi": "WiFi"}, devices={"tablet": "Tablet"})
TEXT = """\
at: 2026-11-23T10:00
cases:
  - clause: C-8
    says: Pupils play nothing
    ask: https://games.example/
    group: pupils
    want: block
  - clause: C-8
    says: Staff do, once it was opened
    near_miss: true
    ask: https://games.example/
    at: 2026-07-01T10:00
    group: staff
    network: wifi
    device: tablet
    method: POST
    want: allow
    tls: decrypt
    given: {granted: games.example, by: slt, suspended: true, allow_list: [a.example], block_list: []}
"""
LONDON = ZoneInfo("Europe/London")


def load(directory: Path, text: str = TEXT) -> tuple[Case, ...]:
    file = directory / "example.cases.yaml"
    file.write_text(text)
    return load_cases(file, POLICY)


def test_a_case_says_who_asks_for_what_and_when_and_what_comes_of_it(tmp_path: Path) -> None:
    url = "https://games.example/"
    assert load(tmp_path) == (
        Case(
            "C-8", "Pupils play nothing", False, url, datetime(2026, 11, 23, 10, tzinfo=LONDON),
            Verdict.BLOCK, "C-8", group="pupils", line=3,
        ),
        Case(
            "C-8", "Staff do, once it was opened", True, url,
            datetime(2026, 7, 1, 10, tzinfo=LONDON), Verdict.ALLOW, "", TlsAction.DECRYPT, "POST",
            "staff", network="wifi", device="tablet", line=8,
            given=Given("games.example", Role.SLT, suspended=True, local_allow=("a.example",)),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        ("clause: C-8", "clause: C-9", "3: the policy has no clause 'C-9' (did you mean 'C-8'?)"),
        ("group: pupils", "group: pupil", "6: the policy has no group 'pupil' (did you mean 'pupils'?)"),
        ("network: wifi", "network: wired", "14: the policy has no network 'wired'"),
        ("device: tablet", "device: phone", "15: the policy has no device 'phone'"),
        ("want: block", "want: blok", "7: 'cases.0.want': input should be 'allow'"),
        ("want: block", "wnt: block", "7: unknown key 'wnt' (did you mean 'want'?)"),
        ("ask: https://games.example/", "ask: 'https://a b/'", "5: "),
        ("want: block", "want: block\n    under: C-1", "8: the policy has no clause 'C-1'"),
        ("{granted:", "{signed: x, granted:", "19: nobody has signed: the case has no 'user'"),
        ("want: allow", "want: allow\n    under: C-8", "18: a near miss of C-8 is not decided under it"),
        ("at: 2026-11-23T10:00\n", "", "1: the key 'at' is missing"),
    ],
)  # fmt: skip
def test_a_fault_names_file_and_line_and_what_was_meant(
    tmp_path: Path, old: str, new: str, want: str
) -> None:
    assert old in TEXT
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, TEXT.replace(old, new, 1))
    shown = [str(fault) for fault in caught.value.faults]
    assert any(fault.startswith(f"{tmp_path}/example.cases.yaml:{want}") for fault in shown), shown
