"""English sentences about `{n}` things as they read when there is one of them. Chinese says both the same way."""

from __future__ import annotations

ONE = {
    "{n} meters, the oldest reading first": "{n} meter",
    "{n} meters, {m} on line": "{n} meter, {m} on line",
    "{n} meters are off line": "{n} meter is off line",
    "{n} messages do not fit this version of the panel": "{n} message does not fit this version of the panel",
    "{n} accounts": "{n} account",
    "{n} entries": "{n} entry",
    "{n} accounts pay by it": "{n} account pays by it",
    "{n} earlier versions": "{n} earlier version",
    "{n} proposals": "{n} proposal",
    "told again on {n} more days": "told again on {n} more day",
    "{n} days|choice": "{n} day",
    "After {n} cuts within an hour a named person must agree to more (R4).":
        "After {n} cut within an hour a named person must agree to more (R4).",
    "{n} holds": "{n} hold",
    "{n} questions": "{n} question",
    "{n} top-ups": "{n} top-up",
    "opened {n} times": "opened once",
    "printed {n} times, last {time} by {who}": "printed once, {time} by {who}",
    "Spans {n} days.": "Spans {n} day.",
    "Name or password is not right. {n} more tries, then a minute's wait.":
        "Name or password is not right. {n} more try, then a minute's wait.",
    "Too many wrong passwords. Try again in {n} seconds.": "Too many wrong passwords. Try again in {n} second.",
}  # fmt: skip
