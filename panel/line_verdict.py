"""How a line does, in a word and in colour, judged by the limits of `bridge.contract.line_health` as doctor judges.

Green is said only of a line that was asked enough, whose answers come, and of whose meters nobody is off line.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.contract.line_health import LineJudged, judge
from bridge.contract.messages import Availability, PortFacts, PortStatistics
from panel.line_words import KINDS
from panel.mirror import View
from panel.switches import place_of
from panel.words import t


@dataclass(frozen=True)
class Verdict:
    """`tone` is pos, neg or mute; `icon` says the same without colour, `word` in full. `percent`: see `judge`."""

    tone: str
    icon: str
    word: str
    percent: float | None = None


def verdict_of(port: PortFacts, view: View) -> Verdict:
    """The word on a line."""
    if port.state == "closed":
        return Verdict("neg", "no", t("closed|port"))
    places = {row.id: place_of(row) for row in view.meters.values() if row.port == port.id}
    off = [id for id in places if (seen := view.get(Availability, id)) is not None and seen.state == "offline"]
    judged = judged_line(port.id, view)
    percent = judged.line.percent if judged is not None and judged.line.asked else None
    if off and len(off) == len(places):
        return Verdict("neg", "no", t("no meter is heard"), percent)
    worst = _worst(judged, places) if judged is not None else ""
    words = [t("{n} meters are off line", n=len(off))] if off else []
    bad = judged is not None and judged.line.bad
    if worst:
        words.insert(0 if bad else len(words), worst)  # A bad line before its dead meters, a bad meter after them.
    if words:
        return Verdict("neg", "off" if off and not bad else "no", t("; |between words").join(words), percent)
    if judged is None or not judged.judged:
        return Verdict("mute", "none", t("open, too little asked to judge"), percent)
    return Verdict("pos", "ok", t("good|line"), percent)


def judged_line(port: str, view: View) -> LineJudged | None:
    """The line by its newest quarter of an hour, without meters that are off line; None while nothing was told."""
    figures = view.get(PortStatistics, port)
    if figures is None:
        return None
    rows = [row for row in figures.meters if row.id in view.meters and view.meters[row.id].port == port]
    off = [row.id for row in rows if (seen := view.get(Availability, row.id)) is not None and seen.state == "offline"]
    return judge(rows, off)


def _worst(judged: LineJudged, places: dict[str, str]) -> str:
    """Whose fault, how much and of what kind; empty where nothing is bad."""
    if judged.line.bad:
        kind = t(KINDS[judged.line.kind][0])
        percent = f"{judged.line.percent:.1f}"
        if judged.alone is not None:
            room = places.get(judged.alone.id, judged.alone.id)
            return t("bad: {percent} % fail ({kind}), nearly all with {room}", percent=percent, kind=kind, room=room)
        return t("bad: {percent} % fail ({kind}) with several meters", percent=percent, kind=kind)
    bad = judged.bad_meters
    if not bad:
        return ""
    first, kind = bad[0], t(KINDS[bad[0].kind][0])
    told = t("{room} fails in {percent} % ({kind})", room=places.get(first.id, first.id),
             percent=f"{first.percent:.1f}", kind=kind)  # fmt: skip
    return told if len(bad) == 1 else told + t(", and {n} more", n=len(bad) - 1)
