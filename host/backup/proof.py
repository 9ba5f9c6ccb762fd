"""A backup counts when it was restored: unpacked into a scratch directory, compared, and its book derived again.

The edge is asked as a program, because host imports none of the programs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bridge.contract.os_words import in_words
from host.backup import copying, file
from host.backup.file import Manifest
from host.exits import FAILED, USAGE, Trouble
from host.places import ROOT


def prove(path: Path, scratch: Path) -> tuple[Manifest, dict[str, Any]]:
    """(what the file says it is, what `riser verify` said of its book). Raises Trouble where it is not good."""
    manifest = file.unpack(path, scratch)
    seen = copying.seen(scratch / file.BOOK)
    if seen != copying.BookSeen(manifest.gateway, manifest.epoch, manifest.seq, manifest.hash):
        raise Trouble(USAGE, f"{path} says of itself what its book does not: that ends with entry {seen.seq}")
    return manifest, verified(scratch, manifest)


def verified(directory: Path, manifest: Manifest) -> dict[str, Any]:
    """Derive the book of a directory again, up to the entry that the manifest names. Raises Trouble."""
    anchor = f"{manifest.seq}:{manifest.hash}"
    told = edge_says("edge.audit.verify", str(directory / file.BOOK), "--json", "--anchor", anchor)
    if not told.get("good"):
        lie = told.get("lie") or {}
        why = told.get("unreadable") or f"entry {lie.get('seq')} ({lie.get('id')}): {lie.get('wrong')}"
        raise Trouble(FAILED, f"the book in this backup is not true: {why}; see `riser verify`")
    return told


def edge_says(module: str, *arguments: str) -> dict[str, Any]:
    """What a program of the edge tells as JSON. Raises Trouble."""
    try:
        done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True)
    except OSError as error:
        raise Trouble(FAILED, f"the edge could not be asked: {in_words(error)}") from None
    try:
        told = json.loads(done.stdout)
    except ValueError:
        last = " ".join(done.stderr.strip().splitlines()[-1:]) or "it said nothing"
        raise Trouble(FAILED, f"the edge could not be asked: {last}") from None
    if not isinstance(told, dict):
        raise Trouble(FAILED, "the edge could not be asked: it answered something else")
    return told
