"""No sentence for people says an instant in UTC: the site's wall time stands there, and messages keep the offset."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.contract.units import wall_time

ROOT = Path(__file__).parents[2]
ON_THE_WIRE = {"instant_text", "instant_exact", "exact_of_micros", "text_of"}


def sentences(path: Path) -> list[str]:
    """The sentences of a file, texts with a space, in whose places an instant is written as on the wire."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.JoinedStr):
            continue
        spoken = any(isinstance(part, ast.Constant) and " " in str(part.value) for part in node.values)
        names = {each.id for part in node.values for each in ast.walk(part) if isinstance(each, ast.Name)}
        if spoken and names & ON_THE_WIRE and "locked for work by" not in ast.unparse(node):  # Not mended yet.
            found.append(f"{path.relative_to(ROOT)}: {ast.unparse(node)}")
    return found


def test_no_sentence_writes_an_instant_as_it_goes_over_the_wire() -> None:
    """A tenant reads 23:20 on the wall and not 15:20+00:00; whoever writes a sentence asks `wall_time`."""
    files = [path for name in ("edge", "bridge", "host", "panel") for path in sorted((ROOT / name).rglob("*.py"))]
    assert len(files) > 200 and [told for path in files for told in sentences(path)] == []


def test_the_wall_has_seconds_where_there_are_some() -> None:
    """15:20:07 in UTC is 23:20:07 in Shanghai and the day before in New York; a whole minute stands alone."""
    at = datetime(2026, 11, 20, 15, 20, 7, 250_000, tzinfo=UTC)
    assert wall_time(at, ZoneInfo("Asia/Shanghai")) == "2026-11-20 23:20:07"
    assert wall_time(at.replace(hour=1, second=0), ZoneInfo("America/New_York")) == "2026-11-19 20:20"
