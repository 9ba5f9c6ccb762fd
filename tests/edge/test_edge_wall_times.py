"""No sentence for people says an instant in UTC: the site's wall time stands there, and messages keep the offset."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.contract.units import wall_time
from edge.restored import why
from panel.edge_words import known

ROOT = Path(__file__).parents[2]
ON_THE_WIRE = {"instant_text", "instant_exact", "exact_of_micros", "text_of"}

KEPT_IN_UTC = {"at", "since", "until", "made_at", "read_at", "effective_at", "issued_at", "cut_at", "delivered_at"}
"""Fields of entries, messages and kept files that hold an instant as on the wire."""

QUOTES_THE_BOOK = {"edge/audit", "host/backup"}
"""These show what a file says, letter by letter."""


def as_kept(node: ast.expr) -> set[str]:
    """The field that stands in a sentence just as it was kept: `fields["at"]`, `row.get("at")`, `manifest.made_at`."""
    if isinstance(node, ast.Attribute):
        return {node.attr} & {"made_at"}  # Others of these names are datetimes, or microseconds in the fold.
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        node = node.args[0]
    elif isinstance(node, ast.Subscript):
        node = node.slice
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def sentences(path: Path) -> list[str]:
    """The sentences of a file, texts with a space, in whose places an instant is written as on the wire."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.JoinedStr):
            continue
        spoken = any(isinstance(part, ast.Constant) and " " in str(part.value) for part in node.values)
        names = {each.id for part in node.values for each in ast.walk(part) if isinstance(each, ast.Name)}
        kept = {told for part in node.values if isinstance(part, ast.FormattedValue) for told in as_kept(part.value)}
        if spoken and (names & ON_THE_WIRE or kept & KEPT_IN_UTC):
            found.append(f"{path.relative_to(ROOT)}: {ast.unparse(node)}")
    return found


def test_no_sentence_writes_an_instant_as_it_goes_over_the_wire() -> None:
    """A tenant reads 23:20 on the wall and not 15:20+00:00; whoever writes a sentence asks `wall_time`."""
    files = [path for name in ("edge", "bridge", "host", "panel") for path in sorted((ROOT / name).rglob("*.py"))]
    files = [path for path in files if f"{path.relative_to(ROOT).parent}" not in QUOTES_THE_BOOK]
    assert len(files) > 200 and [told for path in files for told in sentences(path)] == []


def test_a_restored_book_tells_its_backup_by_the_wall() -> None:
    """Why nobody is cut after a restore: the backup of half past ten in Shanghai, which is half past two in UTC."""
    said = why("2026-11-20T02:30:00.000+00:00", 20, "Asia/Shanghai")
    assert said.startswith("restored from the backup of 2026-11-20 10:30, which ends at entry 20") and known(said)


def test_the_wall_has_seconds_where_there_are_some() -> None:
    """15:20:07 in UTC is 23:20:07 in Shanghai and the day before in New York; a whole minute stands alone."""
    at = datetime(2026, 11, 20, 15, 20, 7, 250_000, tzinfo=UTC)
    assert wall_time(at, ZoneInfo("Asia/Shanghai")) == "2026-11-20 23:20:07"
    assert wall_time(at.replace(hour=1, second=0), ZoneInfo("America/New_York")) == "2026-11-19 20:20"
