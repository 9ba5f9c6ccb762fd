"""Rights: whose data directory this is, who may read the secrets, and which passwords were never changed."""

from __future__ import annotations

from collections.abc import Iterator

from host.doctor.findings import Finding, good, know, names, of, wrong
from host.doctor.seen import SecretsSeen, Snapshot


def findings(snapshot: Snapshot) -> list[Finding]:
    found = list(_place(snapshot))
    if snapshot.secrets is not None:
        found += _secrets(snapshot, snapshot.secrets)
    return found


def _place(snapshot: Snapshot) -> Iterator[Finding]:
    place = snapshot.place
    if not place.exists:
        yield know(
            "rights",
            "",
            f"There is no data directory {place.directory} yet.",
            "`riser up` makes it; if Riser ran here before, name the right one with --data.",
        )
    elif not place.readable or snapshot.unseen:
        what = f"have no right to look at {names(snapshot.unseen)}" if place.readable else "may not look inside"
        yield wrong(
            "rights",
            "",
            f"The data directory {place.directory} belongs to {place.owner}; you are {place.me.name} and {what}.",
            "Look again as its owner.",
            place.as_owner,
        )


def _secrets(snapshot: Snapshot, seen: SecretsSeen) -> Iterator[Finding]:
    bad = False
    for file in seen.files:
        if file.mode & 0o077:
            bad = True
            keep = 0o700 if file.path.endswith("/") else 0o600
            yield wrong(
                "rights",
                file.path,
                f"{file.path} can be read or changed by others (mode {file.mode:04o}).",
                "Close it.",
                f"sudo chmod {keep:o} {file.path}",
            )
        if file.uid not in (snapshot.place.runner.uid, snapshot.place.me.uid):
            bad = True
            yield wrong(
                "rights",
                file.path,
                f"{file.path} belongs to {file.owner}, and Riser runs as {snapshot.place.runner.name}.",
                "Give it to that user.",
                f"sudo chown {snapshot.place.runner.name}: {file.path}",
            )
    for trouble in seen.broken:
        bad = True
        yield wrong(
            "rights",
            "secrets",
            trouble,
            "Mend it, or remove it and `riser up` makes a new one; meter "
            "passwords in edge.json must then be entered again.",
        )
    if seen.files and not bad:
        yield good("rights", "secrets", f"{of(len(seen.files), 'file')} of secrets, closed to others.")
    if seen.factory_passwords and not snapshot.place.demo:
        yield know(
            "rights",
            "meter_passwords",
            "The meter password is still the factory's 000000: whoever reaches the wires can switch a relay.",
            f"Change it on the meters with their tool, then write it under meter_passwords in "
            f"{snapshot.place.directory}/secrets/edge.json.",
        )
    if seen.first_password_file is not None:
        yield know(
            "panel",
            "first-password",
            f"The panel's first password was never changed; it stands in {seen.first_password_file}.",
            "Sign in as admin with it; the panel asks for your own at once.",
        )
