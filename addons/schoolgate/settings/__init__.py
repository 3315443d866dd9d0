"""What the technician and the school wrote down: the machine's settings and the school's policy."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schoolgate.settings.cases_file import load_cases
    from schoolgate.settings.machine import Settings, load_settings
    from schoolgate.settings.people_file import load_people
    from schoolgate.settings.policy_file import Base, load_policy
    from schoolgate.settings.policy_text import schema_of_policies
    from schoolgate.settings.timetable_file import load_timetable, read_timetable
    from schoolgate.settings.timetable_text import TimetableText

__all__ = [
    "Base",
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

# Each part is loaded with the first of its names (PEP 562): most commands need no policy.
_PART_OF = {
    "Base": "policy_file",
    "Settings": "machine",
    "TimetableText": "timetable_text",
    "load_cases": "cases_file",
    "load_people": "people_file",
    "load_policy": "policy_file",
    "load_settings": "machine",
    "load_timetable": "timetable_file",
    "read_timetable": "timetable_file",
    "schema_of_policies": "policy_text",
}


def __getattr__(name: str) -> object:
    if name not in _PART_OF:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_PART_OF[name]}"), name)
