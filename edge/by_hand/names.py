"""What can be asked of a meter by name: rows of name, identifiers, and words. `{n}` is the how-manieth back, from 1.

`riser meter ... list` shows this table; `survey` asks all of it once and tells what the meter has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NAMES_2007: tuple[tuple[str, str, str], ...] = (
    ("identity", "04000401 04000402 04000403 0400040E", "address, number, asset and customer number"),
    ("plate", "04000404 04000405 04000406 04000407 04000408 04000409 0400040A 0400040B 0400040C 0400040D",
     "what the plate says"),
    ("versions", "04800001 04800002 04800003 04800004", "software, hardware, factory and filing number"),
    ("energy", "0001FF00 0002FF00", "forward and reverse active energy, total and tariffs"),
    ("energy-combined", "0000FF00 04000601", "combined active energy, and how it is formed"),
    ("energy-reactive", "0003FF00 0004FF00 00050000 00060000 00070000 00080000", "reactive energy"),
    ("energy-apparent", "00090000 000A0000", "apparent energy"),
    ("energy-phases", "00150000 00290000 003D0000", "forward active energy of each phase"),
    ("energy-settled", "00FE00{n} 0001FF{n}", "time and energy of the settlement day {n} back"),
    ("demand", "0101FF00 0102FF00", "maximum demand and when it was"),
    ("demand-settled", "0101FF{n}", "maximum demand of the settlement day {n} back"),
    ("voltage", "0201FF00", "voltage"),
    ("amperes", "0202FF00 02800001", "amperes, and those of the neutral"),
    ("power", "0203FF00 02800003", "active power, and its one-minute mean"),
    ("power-reactive", "0204FF00", "reactive power"),
    ("power-apparent", "0205FF00", "apparent power"),
    ("factor", "0206FF00", "power factor"),
    ("frequency", "02800002", "frequency"),
    ("temperature", "02800007", "temperature inside the meter"),
    ("batteries", "02800008 02800009 0280000A", "its batteries"),
    ("status", "04000501 04000502 04000503 04000504 04000505 04000506 04000507", "status words, bit by bit"),
    ("clock", "0400010C", "its date and time"),
    ("setup", "04000103 04000201 04000202 04000203 04000204 04000205 04000207", "how many of what it has"),
    ("ratios", "04000306 04000307", "transformer ratios"),
    ("speed", "04000701 04000703", "speed of its ports"),
    ("zones", "04010000 04020000", "year zones, both sets"),
    ("day-table", "040100{n} 040200{n}", "day table {n}, both sets"),
    ("holidays", "040300{n} 04000801 04000802", "holiday {n}, and what rest days are"),
    ("switch-times", "04000106 04000107 04000108 04000109", "when the second sets take over"),
    ("settlement-days", "04000B01 04000B02 04000B03", "settlement days"),
    ("prices", "040501FF 040502FF 0280000B", "tariff prices in force and to come, and the step's price"),
    ("steps", "040604FF 040605FF", "steps in force and to come"),
    ("balance", "00900200 00900201 00900100 00900101", "what is left and what is overdrawn"),
    ("limits", "04001001 04001002 04001003 04001004 04001005 04000F01 04000F02 04000F03 04000F04 04001401",
     "alarm amounts, overdraft, hoarding, delay before a trip"),
    ("purchases", "033301{n} 033302{n} 033303{n} 033304{n} 033305{n} 033306{n}", "the purchase of money {n} back"),
    ("purchases-energy", "033201{n} 033202{n} 033203{n} 033204{n} 033205{n} 033206{n}",
     "the purchase of energy {n} back"),
    ("events", "03110000 03300000 03300100 03300200 03300300 03300400 03300D00 03300E00 03350000 03360000 03370000"
     " 1D000001 1E000001 03010000 03020000 03030000 03040000 03050000", "how often what happened"),
    ("power-down", "031100{n}", "the power down {n} back"),
    ("programming", "033000{n}", "the programming {n} back"),
    ("clock-setting", "033004{n}", "the setting of the clock {n} back"),
    ("clearings", "033001{n} 033002{n} 033003{n}", "the clearing {n} back: meter, demand, events"),
    ("cover", "03300D{n}", "the opening of the cover {n} back"),
    ("terminal-cover", "03300E{n}", "the opening of the terminal cover {n} back"),
    ("magnet", "033500{n}", "the magnetic interference {n} back"),
    ("relay-faults", "033600{n}", "the wrong operation of the relay {n} back"),
    ("supply-faults", "033700{n}", "the fault of the meter's supply {n} back"),
    ("trips", "1D0001{n}", "the trip {n} back"),
    ("closings", "1E0001{n}", "the closing {n} back"),
    ("freeze-daily", "050600{n} 050601{n} 050602{n}", "the midnight {n} back"),
    ("freeze-hourly", "050400{n} 050401{n} 050402{n}", "the hour {n} back"),
    ("freeze-instant", "050100{n} 050101{n} 050102{n}", "the freeze by command {n} back"),
    ("freeze-timed", "050000{n} 050001{n} 050002{n}", "the timed freeze {n} back"),
    ("freeze-zones", "050200{n} 050201{n}", "the change of time zones {n} back"),
    ("freeze-tables", "050300{n} 050301{n}", "the change of day tables {n} back"),
    ("freeze-prices", "050500{n} 050501{n}", "the change of prices {n} back"),
    ("freeze-steps", "050700{n} 050701{n}", "the change of steps {n} back"),
    ("freeze-powers", "050610{n} 050609{n}", "powers and demand at the midnight {n} back"),
    ("load-record", "06000001", "{n} load records, from --since on"),
)  # fmt: skip

NAMES_1997: tuple[tuple[str, str, str], ...] = (
    ("identity", "C032 C033 C034", "meter, user and device number"),
    ("energy", "901F 9010 9020", "active energy: total and tariffs, forward, reverse"),
    ("energy-reactive", "9110 9120", "reactive energy"),
    ("energy-last-month", "941F 9410 9420", "active energy at the end of last month"),
    ("energy-month-before", "9810", "active energy at the end of the month before last"),
    ("demand", "A010 B010", "maximum demand and when it was"),
    ("voltage", "B611 B612 B613", "voltage of each phase"),
    ("amperes", "B621 B622 B623", "amperes of each phase"),
    ("power", "B630 B631 B632 B633", "active power, total and of each phase"),
    ("power-reactive", "B640", "reactive power"),
    ("factor", "B650 B651 B652 B653", "power factor, total and of each phase"),
    ("clock", "C010 C011", "date and time"),
    ("status", "C020 C021", "meter status and mains status, bit by bit"),
    ("plate", "C030 C031", "impulse constants"),
    ("programming", "B210 B212", "the last programming, and how many"),
    ("clearing", "B211 B213", "the last clearing of demand, and how many"),
    ("battery", "B214", "time on battery"),
    ("setup", "C111 C117", "demand period and reading day"),
)

NAMES_WATER: tuple[tuple[str, str, str], ...] = (
    ("metering", "901F", "volume now and at the settlement day, time, valve and battery"),
    ("address", "810A", "its address"),
    ("history", "D1{n}", "volume {n} months back, 1 to 12"),
    ("prices", "8102", "price table"),
    ("settlement-day", "8103", "settlement day"),
    ("reading-day", "8104", "reading day"),
    ("purchase", "8105", "purchase of volume"),
)
"""CJ/T 188: identifiers with the byte first that stands first in the standard; some makers send them the other way."""

MONTHS, FIRST_MONTH = 12, 0x20

DIGITS = {"dlt645-2007": 8, "dlt645-1997": 4, "cjt188": 4}
TABLES = {"dlt645-2007": NAMES_2007, "dlt645-1997": NAMES_1997, "cjt188": NAMES_WATER}
MOST_BACK = 254


@dataclass(frozen=True)
class Wanted:
    """One identifier to ask for, and the name it was asked by. `count` is how many load records."""

    name: str
    identifier: str
    count: int = 1


def wanted(protocol: str, words: list[str]) -> list[Wanted]:
    """What `read` was asked for: names, each with its number behind it where it has one, or identifiers.

    Raises ValueError with a sentence.
    """
    table = {name: identifiers for name, identifiers, _ in TABLES[protocol]}
    found: list[Wanted] = []
    place = 0
    while place < len(words):
        word, number = words[place], 1
        place += 1
        if word in table:
            if place < len(words) and words[place].isdecimal() and len(words[place]) < 4:
                number = int(words[place])
                place += 1
                most = MONTHS if protocol == "cjt188" else MOST_BACK
                if not 1 <= number <= most or ("{n}" not in table[word] and word != "load-record"):
                    raise ValueError(f"{word} takes no number {number}; `list` shows which names do")
            found += _of(protocol, word, table[word], number)
        elif re.fullmatch(f"[0-9A-Fa-f]{{{DIGITS[protocol]}}}", word):
            found.append(Wanted(word.upper(), word.upper()))
        else:
            raise ValueError(f"{word!r} is no name, and no {DIGITS[protocol]} hex digits; `list` shows all names")
    return found


def everything(protocol: str) -> list[Wanted]:
    """All named items, the newest where they are numbered."""
    return [each for name, identifiers, _ in TABLES[protocol] for each in _of(protocol, name, identifiers, 1)]


def _of(protocol: str, name: str, identifiers: str, number: int) -> list[Wanted]:
    shown = FIRST_MONTH + number - 1 if protocol == "cjt188" else number
    return [Wanted(name, one.replace("{n}", f"{shown:02X}"), number) for one in identifiers.split()]
