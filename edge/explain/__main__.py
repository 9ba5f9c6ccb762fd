"""`riser decode HEX`: any frame, explained. Exit codes: 0 every frame is good, 1 one is damaged, 2 not hex digits."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from typing import Any

from edge.codec import cjt188, dlt645
from edge.exit_codes import FAILED, FINE, USAGE, epilog
from edge.explain import cjt188 as cjt
from edge.explain import dlt645 as dlt
from edge.explain import modbus, words
from edge.explain.explanation import Explanation

EXPLAIN: dict[str, Callable[[bytes, str], Explanation]] = {
    "dlt645-2007": dlt.explain,
    "dlt645-1997": dlt.explain,
    "cjt188": cjt.explain,
    "modbus-rtu": modbus.explain,
}

EXITS = epilog("every frame is good", "one is damaged or cut off", "these are no hex digits, or too many")

LONGEST = 4096
"""A pasted log is explained frame by frame; more than this is no log of one exchange."""


def protocol_of(raw: bytes) -> str:
    """Which protocol these bytes are of, by their shape; the one that comes nearest where none fits."""
    body = raw.lstrip(b"\xfe")
    if len(body) > 8 and body[0] == body[7] == 0x68:
        return "dlt645-1997" if body[8] & 0x1F in words.ONLY_1997 else "dlt645-2007"
    if modbus.explain(raw).valid or not body.startswith(b"\x68"):
        return "modbus-rtu"
    return "cjt188" if len(body) > 9 and body[9] & 0x1F in cjt.FUNCTIONS else "dlt645-2007"


def frames_of(raw: bytes) -> list[bytes]:
    """The frames in a piece of a log, each with its wake-up bytes, and what begins at its end and was cut off.

    The whole piece where no 68H frame is in it.
    """
    found, rest = [], raw
    while rest:
        buffers = {take: bytearray(rest) for take in (dlt645.take_raw, cjt188.take_raw)}
        taken = [(rest.index(frame), frame) for take, buffer in buffers.items() if (frame := take(buffer, True))]
        if not taken:
            break
        at, frame = min(taken)
        begin = len(rest[:at].rstrip(b"\xfe"))
        found.append(rest[begin : at + len(frame)])
        rest = rest[at + len(frame) :]
    if found and rest.lstrip(b"\xfe").startswith(b"\x68"):
        found.append(rest)
    return found if len(found) > 1 else [raw]


def explain(raw: bytes, protocol: str | None = None) -> Explanation:
    """Explain one frame, by the protocol named or by its shape."""
    chosen = protocol or protocol_of(raw)
    return EXPLAIN[chosen](raw, chosen)


def stream(raw: bytes, explained: list[Explanation]) -> dict[str, Any]:
    """Several frames as one object; `frames` are given from their start byte on."""
    return {
        "stream": True,
        "valid": all(each.valid for each in explained),
        "frames": [each.lstrip(b"\xfe").hex() for each in frames_of(raw)],
        "explained": [each.fields for each in explained],
    }


def lines_of(explanation: Explanation) -> list[str]:
    """The frame for people: offset, bytes, meaning."""
    cut = ", it is cut off" if explanation.fields.get("reason") == "incomplete" else ""
    lines = [f"{explanation.fields['protocol']}: {'a good frame' if explanation.valid else f'not a frame{cut}'}"]
    at = 0
    for piece in explanation.pieces:
        shown = [piece.raw[start : start + 8].hex(" ").upper() for start in range(0, len(piece.raw), 8)] or ["  ->"]
        lines.append(f"  {at:3d}  {shown[0]:<23}  {piece.words}")
        lines += [f"  {'':3}  {more}" for more in shown[1:]]
        at += len(piece.raw)
    return lines


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="riser decode", description="Any frame of a meter line, explained; a cut one as far as it goes.",
        epilog=EXITS, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("hex", nargs="+", help="hex digits; spaces, commas and 0x are fine")
    parser.add_argument("--protocol", choices=sorted(EXPLAIN), help="force one [by the frame's shape]")
    parser.add_argument("--json", action="store_true", help="one object for programs")
    options = parser.parse_args(arguments)
    text = re.sub(r"0[xX]|[\s,;:-]", "", "".join(options.hex))
    if not text or len(text) % 2 or re.search(r"[^0-9A-Fa-f]", text) or len(text) > 2 * LONGEST:
        print(f"riser: that is not a frame in hex digits: {text[:40]!r}; write it like 68 11 ... 16", file=sys.stderr)
        return USAGE
    raw = bytes.fromhex(text)
    explained = [explain(frame, options.protocol) for frame in frames_of(raw)]
    if options.json and len(explained) == 1:
        print(json.dumps(explained[0].fields, ensure_ascii=False))
    elif options.json:
        print(json.dumps(stream(raw, explained), ensure_ascii=False))
    else:
        print("\n\n".join("\n".join(lines_of(each)) for each in explained))
    return FINE if all(each.valid for each in explained) else FAILED


if __name__ == "__main__":
    sys.exit(main())
