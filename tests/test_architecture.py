"""Who may import whom, and where what is forbidden stays forbidden. A newcomer can read the shape from this table."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "bridge/contract": ("bridge.contract",),
    "bridge": ("bridge",),
    "edge": ("edge", "bridge.contract", "bridge.mqtt"),
    "panel": ("panel", "bridge.contract", "bridge.mqtt", "bridge.archive.tables"),
    "firmware_sim": ("firmware_sim", "bridge.contract.clock"),
    "host": ("host", "bridge.contract", "bridge.mqtt"),
    "riser.py": ("host", "bridge.contract"),
}
"""Folder and the modules of ours it may import; the longest folder that fits counts."""

ONLY_IMPORTER = {
    "paho": {"bridge/mqtt.py"},
    "serial": {"edge/line/wire.py"},
    "tinydb": {"edge/registry.py"},
    "apscheduler": {"edge/schedule.py"},
    "pymodbus": {"edge/codec/modbus_pdu.py"},
    "xlsxwriter": {"edge/audit/sheets.py"},
    "cryptography": {"host/backup/sealed.py"},
}
"""Libraries that have one door each."""

OURS = {"bridge", "edge", "panel", "firmware_sim", "host"}

NO_FLOAT = ("edge/billing", "edge/audit", "edge/book.py", "edge/fold.py", "edge/closing.py", "edge/gate.py")
"""Where money and registers are: integers only (R11, I6). Seconds of a line may be floats elsewhere."""

WALL_CLOCK = {"bridge/contract/clock.py"}
"""The only file that asks the machine what time it is."""


def sources() -> list[Path]:
    found = [ROOT / "riser.py"]
    for folder in sorted(OURS):
        found += sorted((ROOT / folder).rglob("*.py"))
    return found


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> set[str]:
    """Modules that a file imports, as dotted names; relative ones resolved."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = name(path).split("/")[: -node.level]
                base = ".".join([*parts, base] if base else parts)
            found |= {f"{base}.{alias.name}" for alias in node.names} | {base}
    return found


def rule_of(path: Path) -> tuple[str, ...]:
    fitting = [folder for folder in MAY_IMPORT if name(path) == folder or name(path).startswith(folder + "/")]
    return MAY_IMPORT[max(fitting, key=len)]


@pytest.mark.parametrize("path", sources(), ids=name)
def test_imports_follow_the_table(path: Path) -> None:
    """The programs share nothing but messages; the one named exception is the archive's tables."""
    allowed = rule_of(path)
    for module in imports(path):
        if module.split(".")[0] in OURS:
            assert any(module == a or module.startswith(a + ".") or a.startswith(module + ".") for a in allowed), (
                f"{name(path)} imports {module}"
            )


def test_each_library_has_one_door() -> None:
    """A library that is used in one file can be understood, pinned and replaced."""
    for library, doors in ONLY_IMPORTER.items():
        users = {name(path) for path in sources() if any(m.split(".")[0] == library for m in imports(path))}
        assert users == doors, library


def test_the_book_has_one_writer_at_the_edge() -> None:
    """sqlite3 is opened by edge/book.py, which writes, and by edge/audit/opened.py, which only reads; the main module
    only names its errors."""
    users = {name(p) for p in sources() if name(p).startswith("edge/") and "sqlite3" in imports(p)}
    assert users <= {"edge/book.py", "edge/audit/opened.py", "edge/__main__.py"}
    assert "sqlite3.connect" not in (ROOT / "edge/__main__.py").read_text(encoding="utf-8")
    reader = (ROOT / "edge/audit/opened.py").read_text(encoding="utf-8")
    assert reader.count("sqlite3.connect(") == 1 and reader.count('"mode=ro') == 2
    for word in ("INSERT", "UPDATE", "DELETE", "CREATE", "mode=rw", "BEGIN"):
        assert word not in reader, f"a reader that knows {word} is no reader"


def test_the_floor_needs_no_database() -> None:
    """The contract is light enough for a Pi: no SQLAlchemy in it, and none in the edge."""
    for path in sources():
        if name(path).startswith(("bridge/contract/", "edge/")):
            assert not any(module.split(".")[0] == "sqlalchemy" for module in imports(path)), name(path)


@pytest.mark.parametrize("path", [p for p in sources() if name(p).startswith(NO_FLOAT)], ids=name)
def test_no_float_near_money(path: Path) -> None:
    """No float literal, no float(), no true division where registers become yuan; `*_s` and `*_S` are seconds."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        where = f"{name(path)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "float", where
    tree = ast.parse(path.read_text(encoding="utf-8"))
    seconds = {id(n) for a in ast.walk(tree) if _about_seconds(a) for n in ast.walk(a)}
    for node in ast.walk(tree):
        where = f"{name(path)}:{getattr(node, 'lineno', 0)}"
        if id(node) in seconds:
            continue
        if isinstance(node, ast.Constant):
            assert not isinstance(node.value, float), where
        if isinstance(node, ast.BinOp) and not isinstance(node.right, ast.Constant | ast.JoinedStr):
            assert not isinstance(node.op, ast.Div), where  # `path / "name"` is not arithmetic.


def _about_seconds(node: ast.AST) -> bool:
    """A statement that only computes seconds: an assignment to a name that ends in _s, or a default of `mono`."""
    if isinstance(node, ast.Assign):
        return all(isinstance(t, ast.Name) and t.id.lower().endswith("_s") for t in node.targets)
    return isinstance(node, ast.Call) and ast.unparse(node).startswith(("self._asked.get", "Sample("))


@pytest.mark.parametrize("path", sources(), ids=name)
def test_time_is_handed_in(path: Path) -> None:
    """Nobody asks the wall clock but the clock itself; what must age on the machine's own time uses its monotonic."""
    if name(path) in WALL_CLOCK:
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            where = f"{name(path)}:{node.lineno} calls {called}"
            assert called not in {"time.time", "datetime.utcnow", "datetime.today", "date.today"}, where
            assert called not in {"datetime.now", "datetime.datetime.now"}, where


@pytest.mark.parametrize("path", sources(), ids=name)
def test_files_stay_small(path: Path) -> None:
    """A file has one job; when it grows past that it is split."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    limit = 500 if name(path) == "bridge/contract/messages.py" else 260  # A list of all messages.
    assert lines <= limit, f"{name(path)} has {lines} lines"


@pytest.mark.parametrize("path", sources(), ids=name)
def test_a_file_opens_with_its_rule(path: Path) -> None:
    """Each file begins with a docstring that says what it is for."""
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), name(path)
