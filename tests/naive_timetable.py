"""A timetable decided in the plainest way, minute by minute, to hold beside the real one.

It reads the same YAML, and shares no code with it. Each minute is looked at by itself: what do the
clock and the calendar on the wall say, and does a range of today, or of last night, cover it?
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import yaml

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class NaiveTimetable:
    """Knows weekday spans (``mon-thu``), weeks, terms, INSET, closures, early closing, plans."""

    def __init__(self, text: str) -> None:
        self.data: dict[str, Any] = yaml.safe_load(text)["timetable"]
        self.zone = ZoneInfo(self.data.get("zone", "Europe/London"))
        # So that a year of minutes takes seconds.
        self.of_day: dict[date, list[tuple[int, int, str]]] = {}

    def period_at(self, now: datetime) -> str | None:
        wall = now.astimezone(self.zone)
        minute = wall.hour * 60 + wall.minute
        today = wall.date()
        for start, end, period in self.ranges(today):
            if start <= minute < end:
                return period
        for start, end, period in self.ranges(today - timedelta(days=1)):
            if start <= minute + 1440 < end:
                return period
        return None

    def ranges(self, day: date) -> list[tuple[int, int, str]]:
        if day not in self.of_day:
            self.of_day[day] = self.work_out(day)
        return self.of_day[day]

    def work_out(self, day: date) -> list[tuple[int, int, str]]:
        found = []
        if day in self.dates("days"):
            plan = self.data["days"][day]
            for period, times in self.data["plans"][plan].items():
                found += [(*minutes(time), period) for time in times]
        else:
            for period, what in self.data["periods"].items():
                if self.kind(day) not in what.get("held", ["school"]):
                    continue
                for key, times in what["times"].items():
                    days, _, week = key.partition(" ")
                    if week in ("", self.week(day)) and day.weekday() in spelt(days):
                        found += [(*minutes(time), period) for time in times]
        closing = self.data.get("early_closing", {}).get(day)
        if closing is None:
            return found
        closes = int(closing[:2]) * 60 + int(closing[3:])
        cut = []
        for start, end, period in found:
            if "closed" in self.data["periods"][period].get("held", []):
                cut.append((start, end, period))
            elif start < closes:
                cut.append((start, min(end, closes), period))
        return cut

    def dates(self, key: str) -> list[date]:
        return list(self.data.get(key, []))

    def kind(self, day: date) -> str:
        if day in self.dates("days"):
            return "school"
        if day in self.dates("closed"):
            return "closed"
        if day in self.dates("inset"):
            return "inset"
        for term in self.data.get("terms", []):
            first, last = term.get("half_term", (date.max, date.min))
            if term["from"] <= day <= term["to"] and not first <= day <= last:
                return "school"
        return "school" if "terms" not in self.data else "holiday"

    def week(self, day: date) -> str:
        if "weeks" not in self.data:
            return ""
        weeks = self.data["weeks"]
        monday = day - timedelta(days=day.weekday())
        at = weeks["first"] - timedelta(days=weeks["first"].weekday())
        number = 0
        step = 7 if at <= monday else -7
        while at != monday:
            # Forwards the week that is left counts, backwards the one that is entered.
            left = at if step > 0 else at - timedelta(days=7)
            weekdays = [left + timedelta(days=i) for i in range(5)]
            if not weeks.get("skip_holidays") or "school" in map(self.kind, weekdays):
                number += 1 if step > 0 else -1
            at += timedelta(days=step)
        return str(weeks["names"][number % len(weeks["names"])])


def minutes(text: str) -> tuple[int, int]:
    start = int(text[0:2]) * 60 + int(text[3:5])
    end = int(text[6:8]) * 60 + int(text[9:11])
    return start, end if end > start else end + 1440


def spelt(days: str) -> list[int]:
    first, _, last = days.partition("-")
    low = WEEKDAYS.index(first)
    high = WEEKDAYS.index(last or first)
    return list(range(low, high + 1)) if low <= high else [*range(low, 7), *range(high + 1)]


def instants(first: datetime, last: datetime, step: timedelta) -> list[datetime]:
    """Give the instants from the first to before the last, in UTC."""
    count = (last - first) // step
    return [(first + number * step).astimezone(UTC) for number in range(count)]
