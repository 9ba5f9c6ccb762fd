"""What a person may not have thought of when nobody answered: a sentence more behind the reason. Pure."""

from __future__ import annotations

import argparse

SWAPPED = ("901F", "1F90")
"""CJ/T 188 does not say which byte of an identifier comes first, and makers differ."""


def padded(options: argparse.Namespace) -> str | None:
    """That zeros were put in front of an address, and which address that is; None where all its digits were typed."""
    typed = getattr(options, "typed_address", options.address)
    if typed == options.address or not typed.isdigit():
        return None
    most = len(options.address)
    return f"address {typed} has {len(typed)} of {most} digits; with zeros in front it is {options.address}"


def hint(kind: str, options: argparse.Namespace) -> str:
    """What else it may be, by how the question went (`silent`, `noise`, ...) and what was typed; empty for nothing."""
    told = []
    if kind == "noise" and options.address == "any":
        told.append(
            "Several meters answer to `any` at once: name one by its address, or find them all with "
            f"`riser scan {options.port}`."
        )
    if kind in ("noise", "silent") and not options.protocol_said:
        told.append(
            f"No --protocol was given, so it was asked as {options.protocol} at {options.baud} bit/s: "
            f"`riser scan {options.port}` finds out what speaks here."
        )
    if kind == "silent":
        told += _silent(options)
    return "".join(f" {each}" for each in told)


def _silent(options: argparse.Namespace) -> list[str]:
    told, reads = [], options.command in ("read", "survey")
    if options.protocol_said and reads:
        told.append(f"It was asked at {options.baud} bit/s; `riser scan {options.port}` tries others.")
    if (zeros := padded(options)) is not None:
        told.append(
            f"{zeros[0].upper()}{zeros[1:]}; a plate may leave out digits that are no zeros: write all of them."
        )
    if options.protocol == "cjt188" and reads:
        told.append(
            f"Some makers send {SWAPPED[0]} as {SWAPPED[1]}: try `read {SWAPPED[1]}`, and --kind for hot water or heat."
        )
    return told
