"""A year whose official holidays the gateway does not know: what it does meanwhile, and what to do (R2, R28)."""

from __future__ import annotations

from host.doctor.findings import Finding, know
from host.doctor.seen import Snapshot


def findings(snapshot: Snapshot) -> list[Finding]:
    """One for each year, as the gateway that runs says of itself."""
    policy = snapshot.facts.policy
    return [
        know(
            "book and site file",
            f"policy.rest_days {year}",
            f"The gateway does not know the official holidays of {year}: on days that may be holidays nobody is cut, "
            "and a price that tells holidays apart takes them for ordinary days.",
            f"Update Riser; or write rest_days and work_days of {year} under [policy] into the site file, as the State "
            "Council publishes them in November, and start the gateway anew.",
        )
        for year in (policy.unknown_years if policy is not None else ())
    ]
