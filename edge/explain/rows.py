"""The identifiers of DL/T 645, one row each: pattern, name, formats, unit. Rows, not code (DL/T 645-2007 annex A).

In a pattern `.` stands for any digit and `**` for any byte; the first row that fits counts. `formats.py` reads the
third column. Rows of State Grid's cost-control filing are among them; load records stand in `load_records.py`.
"""

from __future__ import annotations

Row = tuple[str, str, str, str]

ENERGY = "XXXXXX.XX"
EVENT = "YYMMDDhhmmss"
SPAN = f"start:{EVENT} end:{EVENT}"
ENERGIES = f"*register:{ENERGY}@kWh"
OPENED = f"{SPAN} {ENERGIES}"
SWITCHED = f"at:{EVENT} operator:B4 {ENERGIES}"
PER_PHASE = "*~phase(count:XXXXXX@times minutes:XXXXXX@min)"
PEAK = "XX.XXXX"
STEPS = f"6*edge:{ENERGY}@kWh 7*price:NNNN.NNNN@yuan/kWh 4*settlement:MMDDhh"

PREPAID: tuple[Row, ...] = (
    ("00900100", "remaining energy", ENERGY, "kWh"),
    ("00900101", "overdrawn energy", ENERGY, "kWh"),
    ("00900200", "remaining amount", ENERGY, "yuan"),
    ("00900201", "overdrawn amount", ENERGY, "yuan"),
    ("033[23]01**", "time of the purchase of {what} {n} back", "YYMMDDhhmm", ""),
    ("033[23]02**", "purchase count after the purchase of {what} {n} back", "NNNN", "times"),
    ("033203**", "energy bought in the purchase {n} back", ENERGY, "kWh"),
    ("033204**", "remaining energy before the purchase {n} back", ENERGY, "kWh"),
    ("033205**", "remaining energy after the purchase {n} back", ENERGY, "kWh"),
    ("033206**", "energy bought so far, at the purchase {n} back", ENERGY, "kWh"),
    ("033303**", "amount bought in the purchase {n} back", ENERGY, "yuan"),
    ("033304**", "remaining amount before the purchase {n} back", ENERGY, "yuan"),
    ("033305**", "remaining amount after the purchase {n} back", ENERGY, "yuan"),
    ("033306**", "amount bought so far, at the purchase {n} back", ENERGY, "yuan"),
    ("04000F01", "alarm energy 1", ENERGY, "kWh"),
    ("04000F02", "alarm energy 2", ENERGY, "kWh"),
    ("04000F03", "hoarding energy", ENERGY, "kWh"),
    ("04000F04", "overdraft energy", ENERGY, "kWh"),
    ("04000F**", "energy limit {n}", ENERGY, "kWh"),
    ("04001001", "alarm amount 1", ENERGY, "yuan"),
    ("04001002", "alarm amount 2", ENERGY, "yuan"),
    ("04001003", "overdraft limit", ENERGY, "yuan"),
    ("04001004", "hoarding limit", ENERGY, "yuan"),
    ("04001005", "amount that permits closing", ENERGY, "yuan"),
    ("04001401", "delay before a trip", "NNNN", "min"),
    ("040501FF", "tariff prices in force", "*~tariff:NNNN.NNNN", "yuan/kWh"),
    ("040502FF", "tariff prices to come", "*~tariff:NNNN.NNNN", "yuan/kWh"),
    ("040501**", "price of tariff {n} in force", "NNNN.NNNN", "yuan/kWh"),
    ("040502**", "price of tariff {n} to come", "NNNN.NNNN", "yuan/kWh"),
    ("040604FF", "steps in force: upper edges, prices, yearly settlement days", STEPS, ""),
    ("040605FF", "steps to come: upper edges, prices, yearly settlement days", STEPS, ""),
    ("040600FF", "upper edges of the steps", f"*step:{ENERGY}", "kWh"),
    ("040601FF", "prices of the steps", "*step:NNNN.NNNN", "yuan/kWh"),
    ("040600**", "upper edge of step {n}", ENERGY, "kWh"),
    ("040601**", "price of step {n}", "NNNN.NNNN", "yuan/kWh"),
    ("05080201", "remaining amount of the day", ENERGY, "yuan"),
)

MOMENT: tuple[Row, ...] = (
    ("0201FF00", "voltage", "*~phase:XXX.X", "V"),
    ("0202FF00", "amperes", "*~phase:+XXX.XXX", "A"),
    ("0203FF00", "active power", "*~total:+XX.XXXX", "kW"),
    ("0204FF00", "reactive power", "*~total:+XX.XXXX", "kvar"),
    ("0205FF00", "apparent power", "*~total:XX.XXXX", "kVA"),
    ("0206FF00", "power factor", "*~total:+X.XXX", ""),
    ("0201**00", "voltage", "XXX.X", "V"),
    ("0202**00", "amperes", "+XXX.XXX", "A"),
    ("0203**00", "active power", "+XX.XXXX", "kW"),
    ("0204**00", "reactive power", "+XX.XXXX", "kvar"),
    ("0205**00", "apparent power", "XX.XXXX", "kVA"),
    ("0206**00", "power factor", "+X.XXX", ""),
    ("02800001", "amperes of the neutral", "XXX.XXX", "A"),
    ("02800002", "frequency", "XX.XX", "Hz"),
    ("02800003", "active power, one-minute mean", "XX.XXXX", "kW"),
    ("02800007", "temperature inside the meter", "+XXX.X", "°C"),
    ("02800008", "voltage of the clock battery", "XX.XX", "V"),
    ("02800009", "voltage of the reading battery", "XX.XX", "V"),
    ("0280000A", "battery life used", "XXXXXXXX", "min"),
    ("0280000B", "price of the step in force", "NNNN.NNNN", "yuan/kWh"),
)

EVENTS: tuple[Row, ...] = (
    ("03010000", "losses of voltage", PER_PHASE, ""),
    ("03020000", "under-voltage", PER_PHASE, ""),
    ("03030000", "over-voltage", PER_PHASE, ""),
    ("03040000", "phase breaks", PER_PHASE, ""),
    ("03050000", "total losses of voltage", "count:XXXXXX@times minutes:XXXXXX@min", ""),
    ("03110000", "power downs", "XXXXXX", "times"),
    ("031100**", "power down {n} back", SPAN, ""),
    ("03300000", "programmings", "XXXXXX", "times"),
    ("033000**", "programming {n} back", f"at:{EVENT} operator:B4 *identifier:B4", ""),
    ("03300100", "clearings of the meter", "XXXXXX", "times"),
    ("033001**", "clearing of the meter {n} back", SWITCHED, ""),
    ("03300200", "clearings of demand", "XXXXXX", "times"),
    ("033002**", "clearing of demand {n} back", f"at:{EVENT} operator:B4 *(demand:{PEAK}@kW at:YYMMDDhhmm)", ""),
    ("03300300", "clearings of events", "XXXXXX", "times"),
    ("033003**", "clearing of events {n} back", f"at:{EVENT} operator:B4 identifier:B4", ""),
    ("03300400", "settings of the clock", "XXXXXX", "times"),
    ("033004**", "setting of the clock {n} back", f"operator:B4 before:{EVENT} after:{EVENT}", ""),
    ("03300D00", "openings of the cover", "XXXXXX", "times"),
    ("03300D**", "opening of the cover {n} back", OPENED, ""),
    ("03300E00", "openings of the terminal cover", "XXXXXX", "times"),
    ("03300E**", "opening of the terminal cover {n} back", OPENED, ""),
    ("03350000", "magnetic interferences", "XXXXXX", "times"),
    ("033500**", "magnetic interference {n} back", OPENED, ""),
    ("03360000", "wrong operations of the relay", "XXXXXX", "times"),
    ("033600**", "wrong operation of the relay {n} back", OPENED, ""),
    ("03370000", "faults of the meter's supply", "XXXXXX", "times"),
    ("033700**", "fault of the meter's supply {n} back", SPAN, ""),
    ("1D000001", "trips", "XXXXXX", "times"),
    ("1D0001**", "trip {n} back", SWITCHED, ""),
    ("1E000001", "closings of the relay", "XXXXXX", "times"),
    ("1E0001**", "closing of the relay {n} back", SWITCHED, ""),
)

SETUP: tuple[Row, ...] = (
    ("04000101", "date", "YYMMDDWW", ""),
    ("04000102", "time", "hhmmss", ""),
    ("0400010C", "date and time", "YYMMDDWWhhmmss", ""),
    ("04000103", "demand period", "NN", "min"),
    ("04000106", "instant at which the second year zones take over", "YYMMDDhhmm", ""),
    ("04000107", "instant at which the second day tables take over", "YYMMDDhhmm", ""),
    ("04000108", "instant at which the second tariff prices take over", "YYMMDDhhmm", ""),
    ("04000109", "instant at which the second steps take over", "YYMMDDhhmm", ""),
    ("04000201", "year zones", "NN", ""),
    ("04000202", "day tables", "NN", ""),
    ("04000203", "periods of a day", "NN", ""),
    ("04000204", "tariffs", "NN", ""),
    ("04000205", "holidays", "NNNN", ""),
    ("04000207", "steps", "NN", ""),
    ("04000306", "ratio of the current transformers", "XXXXXX", ""),
    ("04000307", "ratio of the voltage transformers", "XXXXXX", ""),
    ("04000401", "communication address", "I6", ""),
    ("04000402", "meter number", "I6", ""),
    ("04000403", "asset number", "A32", ""),
    ("04000404", "rated voltage", "A6", ""),
    ("04000405", "rated amperes", "A6", ""),
    ("04000406", "maximum amperes", "A6", ""),
    ("04000407", "accuracy class, active", "A4", ""),
    ("04000408", "accuracy class, reactive", "A4", ""),
    ("04000409", "active impulse constant", "XXXXXX", "imp/kWh"),
    ("0400040A", "reactive impulse constant", "XXXXXX", "imp/kvarh"),
    ("0400040B", "model", "A10", ""),
    ("0400040C", "production date", "A10", ""),
    ("0400040D", "protocol version", "A16", ""),
    ("0400040E", "customer number", "I6", ""),
    ("0400050[1-7]", "status word {n}", "B2", ""),
    ("040005FF", "all status words", "7*~word:B2 R", ""),
    ("0400060.", "how combined energy is formed", "B1", ""),
    ("04000701", "speed of the infrared port", "B1", ""),
    ("04000702", "speed of the contact infrared port", "B1", ""),
    ("0400070[345]", "speed of communication port {port}", "B1", ""),
    ("04000801", "weekend rule, a bit per weekday, 0 is rest", "B1", ""),
    ("04000802", "day table of rest days", "NN", ""),
    ("04000B**", "settlement day {n}", "DDhh", ""),
    ("04000C**", "password {n}", "P", ""),
    ("040[12]0000", "year zones, {set} set", "*(table:NN from:MMDD)", ""),
    ("040[12]00**", "day table {n}, {set} set", "*(tariff:NN from:hhmm)", ""),
    ("040300**", "holiday {n}", "table:NN day:YYMMDD", ""),
    ("04800004", "filing number", "A24", ""),
    ("04800001", "software version", "A32", ""),
    ("04800002", "hardware version", "A32", ""),
    ("04800003", "factory number", "A32", ""),
)

FROZEN: tuple[Row, ...] = (
    ("05**00**", "time", "YYMMDDhhmm", ""),
    ("05**01**", "forward active energy", f"*~rate:{ENERGY}", "kWh"),
    ("05**02**", "reverse active energy", f"*~rate:{ENERGY}", "kWh"),
    ("05**03**", "combined reactive energy 1", f"*~rate:+{ENERGY}", "kvarh"),
    ("05**04**", "combined reactive energy 2", f"*~rate:+{ENERGY}", "kvarh"),
    ("05**0[5-8]**", "reactive energy of a quadrant", f"*~rate:{ENERGY}", "kvarh"),
    ("05**09**", "forward maximum demand", f"*~rate(peak:{PEAK} at:YYMMDDhhmm)", "kW"),
    ("05**0A**", "reverse maximum demand", f"*~rate(peak:{PEAK} at:YYMMDDhhmm)", "kW"),
    ("05**10**", "powers", "*~power:+XX.XXXX", ""),
    ("05**FF**", "all of it", "R", ""),
)

ROWS: tuple[Row, ...] = (*PREPAID, ("00FE00**", "settlement time", "YYMMDDhh", ""), *MOMENT, *EVENTS, *SETUP, *FROZEN)

ROWS_1997: tuple[Row, ...] = (
    ("901F", "forward active energy, total and tariffs", f"*~rate:{ENERGY}", "kWh"),
    ("901.", "forward active energy", ENERGY, "kWh"),
    ("902F", "reverse active energy, total and tariffs", f"*~rate:{ENERGY}", "kWh"),
    ("902.", "reverse active energy", ENERGY, "kWh"),
    ("911F", "forward reactive energy, total and tariffs", f"*~rate:{ENERGY}", "kvarh"),
    ("911.", "forward reactive energy", ENERGY, "kvarh"),
    ("B61[123]", "voltage", "XXXX", "V"),
    ("B62[123]", "amperes", "XX.XX", "A"),
    ("C010", "date", "YYMMDDWW", ""),
    ("C011", "time", "hhmmss", ""),
    ("C030", "impulse constant", "XXXXXX", "imp/kWh"),
    ("C032", "meter number", "I6", ""),
)
