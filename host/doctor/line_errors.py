"""Lines and meters on which too much fails although they are heard: how much, what it is, whose it is, where to look.

A meter that is off line is told by `off_line`; here are the answers that come damaged, or only sometimes. The limits
are those of `bridge.contract.line_health`, by which the panel judges as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.contract.line_health import MUCH_PERCENT, Judged, LineJudged, count_of, judge
from bridge.contract.messages import PortFacts
from bridge.contract.port_statistics import SENT_ERRORS, PortStatistics
from host.doctor.findings import Finding, know, names, wrong
from host.doctor.seen import Snapshot

WIRES = (
    "screws of A and B at {who}, 120 ohm at both ends of the line and nowhere else, bias on the line (one converter "
    "that pulls A up and B down), one chain without branches, the shield earthed at one end, no cable beside a motor "
    "or an inverter; then baud and parity"
)
LOOK = {
    "silent": "supply and screws of {who}, its address, and whether a second meter has the same one",
    "noise": WIRES,
    "babble": "{aside}unplug the meters one after the other, beginning with {who}, until the line is quiet; the one "
    "that babbles need not be the one that was asked",
    "unfinished": WIRES,
}
WORDS = {"silent": "no answer", "noise": "damaged answer", "babble": "somebody does not stop speaking",
         "unfinished": "answer broke off"}  # fmt: skip

ENOUGH_ASKED, MANY_FAILED, MOST_FAILED = 50, 0.02, 0.2
"""Of at least so many requests: above two in a hundred a line is not healthy, above one in five it does not work."""


def of_line(snapshot: Snapshot, port: str) -> Iterator[Finding]:
    """What is to be said of one line, and of single meters of it."""
    facts, figures = snapshot.facts, snapshot.facts.lines.get(port)
    judged = judged_line(snapshot, port)
    if judged is None or figures is None or facts.meters is None:
        return
    rooms = {row.id: row.room for row in facts.meters.meters}
    aside = names(id for id, seen in facts.availability.items() if id in rooms and seen.how == "babble")
    aside = f"put aside by the gateway because it babbled: {aside}; " if aside else ""
    alone = judged.alone
    if judged.line.bad:
        yield from _line(port, figures, judged, rooms, aside)
    for meter in judged.bad_meters:
        if not judged.line.bad or (alone is not None and meter is not alone):  # Else the line's finding names it.
            told = "the others that are heard are good" if len(judged.bad_meters) == 1 else "others as well"
            yield wrong(
                "meters",
                meter.id,
                f"Meter {whose(meter.id, rooms)} on line {port}: {meter.percent:.1f} % of its questions of "
                f"{_span(figures)} failed ({_told(meter.kinds)}); {told}.",
                f"Look at this meter: {LOOK[meter.kind].format(who='it', aside=aside)}.",
            )


def judged_line(snapshot: Snapshot, port: str) -> LineJudged | None:
    """The line judged by its newest quarter of an hour, without meters that are off line or no longer installed."""
    facts, figures = snapshot.facts, snapshot.facts.lines.get(port)
    if figures is None or facts.meters is None:
        return None
    installed = {row.id for row in facts.meters.meters if row.port == port}
    off = {id for id, seen in facts.availability.items() if seen.state == "offline"}
    return judge([each for each in figures.meters if each.id in installed], off)


def _line(
    port: str, figures: PortStatistics, judged: LineJudged, rooms: dict[str, str], aside: str
) -> Iterator[Finding]:
    line, worst, alone = judged.line, judged.worst, judged.alone
    assert worst is not None
    others = [each.id for each in judged.meters if each.failed and each is not worst]
    where = f"most with {whose(worst.id, rooms)}, also with {names(others)}"
    if alone is not None:
        where = f"nearly all with meter {whose(worst.id, rooms)}"
    first = f"Look at {'the line itself' if alone is None else 'this meter'} first: "
    page = " The page of the line in the panel shows its last bytes."
    yield wrong(
        "meters",
        port,
        f"Line {port}: {line.percent:.1f} % of the questions of {_span(figures)} failed ({_told(line.kinds)}), "
        f"{where}.",
        f"{first}{LOOK[line.kind].format(who=worst.id, aside=aside)}.{page}",
    )
    for kind in list(line.kinds)[1:]:
        mine = _with(judged, kind)
        if 100 * line.kinds[kind] > MUCH_PERCENT * line.asked and LOOK[kind] != LOOK[line.kind]:
            with_it = f"with {names(whose(each.id, rooms) for each in mine)}"
            yield wrong(
                "meters",
                port,
                f"Line {port}: {WORDS[kind]} to {line.kinds[kind]} of {line.asked} questions, {with_it}.",
                f"This is a fault of its own: {LOOK[kind].format(who=mine[0].id, aside=aside)}.",
            )


def _with(judged: LineJudged, kind: str) -> list[Judged]:
    """The meters with this kind of error, most of it first."""
    return sorted((each for each in judged.meters if kind in each.kinds), key=lambda each: -each.kinds[kind])


def _told(kinds: dict[str, int]) -> str:
    return ", ".join(f"{WORDS[kind]} {count}" for kind, count in kinds.items()) or "how is not told"


def _span(figures: PortStatistics) -> str:
    minutes = round(figures.window_s / 60)
    return "the last minute" if minutes <= 1 else f"the last {minutes} minutes"


def whose(id: str, rooms: dict[str, str]) -> str:
    return f"{id} ({rooms[id]})" if rooms.get(id) else id


def since_start(snapshot: Snapshot, facts: PortFacts) -> Iterator[Finding]:
    """What failed since the start, where the newest quarter of an hour says nothing."""
    # A line on which nobody answers is told under meters, where it says what to try.
    if facts.asked < ENOUGH_ASKED or not facts.read or facts.failed <= MANY_FAILED * facts.asked:
        return
    share, figures = facts.failed / facts.asked, snapshot.facts.lines.get(facts.id)
    total = {kind: count_of(figures.errors_total, kind) for kind in SENT_ERRORS} if figures is not None else {}
    most = sorted((kind for kind in total if total[kind]), key=lambda each: -total[each])
    told = f" ({_told({kind: total[kind] for kind in most})})" if most else ""
    judged = judged_line(snapshot, facts.id)
    now = " In the last quarter of an hour it was good." if judged is not None and judged.state == "good" else ""
    remedy = "If single meters are silent, see meters. Else: "
    remedy += (LOOK[most[0]] if most else WIRES).format(who="each meter", aside="") + "."
    yield (wrong if share > MOST_FAILED else know)(
        "ports",
        facts.id,
        f"Port {facts.id}: {share:.0%} of {facts.asked} requests since the start had no good answer{told}.{now}",
        remedy,
    )
