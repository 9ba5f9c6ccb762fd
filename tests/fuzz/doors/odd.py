"""Odd values and odd texts, the same for the same dice: what forms, files and messages hold when nobody meant well."""

from __future__ import annotations

import json
from collections.abc import Iterable
from random import Random
from typing import Any

NUMBERS = (0, -1, 1, 2, 99, 100, 5_000_000, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 10**30, 0.1, -0.0, 1e308)
TEXTS = (
    "", " ", "　", "0", "-1", "1e99", "9" * 40, "NaN", "true", "null", "..", "../../etc/passwd", "a/b", "a+b", "a#b",
    "$SYS", "\x00", "a\nb", "a\x1b[2J", "\u202eevil", "\ufeff", "５０", "٥٠", "{{7*7}}", "%s%n", "' OR 1=1 --",
    "<script>alert(1)</script>", "9999-12-31", "0001-01-01", "2026-02-30", "2026-11-20T10:30:00", "24:00", "25:61",
    "2026-11-20T10:30:00+25:00", "9999-12-31T23:59:59+08:00", "0001-01-01T00:00:00+14:00", "x" * 300, "王" * 70,
    "e\u0301", "=1+1", "@SUM(A1)", "\ud800", "account:100101", "shell:1", "..........", "panel", "system",
)  # fmt: skip
THINGS = (None, True, False, [], {}, [[]], {"": ""}, [None] * 30, {"a": {"a": {"a": {}}}})


def value(dice: Random, depth: int = 0) -> Any:
    """A value of any kind."""
    kind = dice.randrange(8)
    if kind < 3:
        return dice.choice(TEXTS)
    if kind < 5:
        return dice.choice(NUMBERS) if dice.random() < 0.7 else dice.randrange(-(10**6), 10**9)
    if kind < 6 or depth > 2:
        return dice.choice(THINGS)
    if kind < 7:
        return [value(dice, depth + 1) for _ in range(dice.randrange(4))]
    return {str(dice.choice(TEXTS)): value(dice, depth + 1) for _ in range(dice.randrange(4))}


def mixed(dice: Random, body: dict[str, Any], times: int) -> dict[str, Any]:
    """A body with some of its fields odd, away, doubled under another name, or wrapped."""
    new = dict(body)
    for _ in range(times):
        name = dice.choice([*new, "who"])
        match dice.randrange(7):
            case 0:
                new.pop(name, None)
            case 1:
                new[str(dice.choice(TEXTS))[:40]] = value(dice)
            case 2:
                new[name] = [new.get(name)]
            case 3 if new:
                new[name] = new[dice.choice(list(new))]
            case _:
                new[name] = value(dice)
    return new


Edit = tuple[int, int, str]
"""From where on how many bytes go, and in hex what comes there."""


def edits(dice: Random, raw: bytes) -> list[Edit]:
    """How some bytes are changed, taken away, doubled or cut off, one after the other."""
    new, made = raw, list[Edit]()
    for _ in range(dice.choice((1, 1, 2, 5))):
        at = dice.randrange(len(new) + 1)
        gone, put = 0, b""
        match dice.randrange(5):
            case 0:
                gone, put = 1, bytes([dice.getrandbits(8)])
            case 1:
                gone = dice.randrange(1, 9)
            case 2:
                put = new[at : at + dice.randrange(1, 40)]
            case 3:
                put = dice.choice((b'"', b"\\", b"{", b"[", b"]", b"\x00", b"\xff", b"=", b"\n", b"\xe7\x8e"))
            case _:
                gone = len(new) - at
        made.append((at, gone, put.hex()))
        new = edited(new, made[-1:])
    return made


def edited(raw: bytes, made: Iterable[Edit]) -> bytes:
    for at, gone, put in made:
        raw = raw[:at] + bytes.fromhex(put) + raw[at + gone :]
    return raw


def damaged(dice: Random, raw: bytes) -> bytes:
    """Bytes with some of them changed, away, doubled or cut off."""
    return edited(raw, edits(dice, raw))


LITERALS = (
    "", "1", "-1", "0", '""', '"x"', "true", "[]", "{}", "[[]]", "[1, 'a', {}]", "1979-05-27", "07:32:00", "inf", "nan",
    "-nan", "9999999999999999999999", "0x7fffffffffffffff", "1e400", '"0.0000001"', '"99999999.99"', '"-5.00"', "'''",
    '"""', '"\\u0000"', '"\\ud800"', '"24:00"', '"12:60"', '"Asia/Nowhere"', '"/dev/null"', '"../.."', '"mon"', "3.5",
    '"2026-13-40"', '["mon", "mon"]', '{from = "09:00"}', '[{from = "22:00", to = "06:00"}]', '"１２:００"', '"<b>"',
)  # fmt: skip


def written(dice: Random, text: str) -> str:
    """A TOML text with some lines odd: another value, another key, away, doubled, moved, or broken."""
    lines = text.splitlines()
    for _ in range(dice.choice((1, 1, 2, 3, 8))):
        if not lines:
            break
        at = dice.randrange(len(lines))
        line = lines[at]
        match dice.randrange(9):
            case 0 | 1 | 2 if "=" in line:
                lines[at] = f"{line.partition('=')[0]}= {dice.choice(LITERALS)}"
            case 3:
                del lines[at]
            case 4:
                lines.insert(dice.randrange(len(lines)), line)
            case 5:
                lines[at] = lines[dice.randrange(len(lines))]
            case 6:
                key, _, said = line.partition("=")
                lines[at] = f"{key}{dice.choice(('x', '.a', ' ', '-'))}={said}"
            case 7:
                lines.insert(at, json.dumps(str(dice.choice(TEXTS))) + " = " + dice.choice(LITERALS))
            case _:
                place = dice.randrange(len(line) + 1)
                put = dice.choice(("", '"', "[", "#", "\t", "\u202e", "\x07", "="))
                lines[at] = line[:place] + put + line[place + 1 :]
    return "\n".join(lines) + "\n"
