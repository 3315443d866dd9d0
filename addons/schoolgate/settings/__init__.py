"""What the technician and the school wrote down: the machine's settings and the school's policy."""

from schoolgate.settings.cases_file import load_cases
from schoolgate.settings.machine import Settings, load_settings
from schoolgate.settings.people_file import load_people
from schoolgate.settings.policy_file import load_policy
from schoolgate.settings.policy_text import schema_of_policies
from schoolgate.settings.timetable_file import load_timetable, read_timetable
from schoolgate.settings.timetable_text import TimetableText

__all__ = [
    "Settings",
    "TimetableText",
    "load_cases",
    "load_people",
    "load_policy",
    "load_settings",
    "load_timetable",
    "read_timetable",
    "schema_of_policies",
]
