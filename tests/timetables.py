"""Two timetables of a school year for the tests: a plain one, and one with everything."""

PLAIN = """\
timetable:
  terms:
    - {name: Autumn, from: 2026-09-02, to: 2026-12-18, half_term: [2026-10-26, 2026-10-30]}
    - {name: Spring, from: 2027-01-04, to: 2027-03-24, half_term: [2027-02-15, 2027-02-19]}
    - {name: Summer, from: 2027-04-12, to: 2027-07-21, half_term: [2027-05-31, 2027-06-04]}
  periods:
    lessons:
      title: Lessons
      times:
        mon-thu: ["09:00-10:30", "10:45-12:15", "13:15-15:15"]
        fri: ["09:00-10:30", "10:45-12:00"]
    break:
      title: Break
      times:
        mon-thu: ["10:30-10:45", "12:15-13:15"]
        fri: ["10:30-10:45"]
  period_groups:
    school-day: [lessons, break]
"""

FULL = """\
timetable:
  weeks: {names: [A, B], first: 2026-09-07, skip_holidays: true}
  terms:
    - {name: Autumn, from: 2026-09-02, to: 2026-12-18, half_term: [2026-10-24, 2026-11-01]}
    - {name: Spring, from: 2027-01-04, to: 2027-03-24, half_term: [2027-02-13, 2027-02-21]}
    - {name: Summer, from: 2027-04-12, to: 2027-07-21, half_term: [2027-05-29, 2027-06-06]}
  inset: [2026-09-01, 2026-09-02, 2027-01-04, 2027-06-28]
  closed: [2027-05-03, 2027-03-24]
  early_closing: {2026-12-18: "13:30", 2027-07-21: "12:00", 2026-12-11: "11:30"}
  periods:
    lessons:
      title: Lessons
      times:
        mon-thu: ["09:00-10:30", "10:45-12:15"]
        mon-thu A: ["13:15-15:15"]
        mon-tue B: ["13:15-14:15"]
        wed B: ["13:00-16:00"]
        fri: ["09:00-12:00"]
        sat B: ["08:45-11:15"]
    break:
      title: Break
      times: {mon-thu: ["10:30-10:45", "12:15-13:00"]}
    training:
      title: Staff training
      held: [inset]
      times: {mon-fri: ["09:00-15:30"]}
    night:
      title: Boarders' night
      overnight: true
      held: [school, inset, closed]
      times:
        sun-thu: ["21:30-06:45"]
        fri: ["22:30-08:00"]
        sat: ["22:30-00:30"]
    dawn:
      title: Before the day
      held: [school, inset, holiday, closed]
      times:
        sun: ["00:30-01:15", "01:30-01:45"]
    club:
      title: Holiday club
      held: [holiday]
      times: {mon-fri A: ["08:00-18:00"], mon-fri B: ["10:00-24:00"]}
  plans:
    sports: {lessons: ["09:00-11:00"], break: ["11:00-12:00"]}
    open-day: {break: ["09:30-16:00"], night: ["23:00-00:15"]}
  days: {2027-06-18: sports, 2026-12-11: sports, 2027-03-13: open-day, 2027-08-28: open-day}
"""
