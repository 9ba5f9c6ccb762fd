"""R8: is the gateway fed from before every relay that it controls? No program can see that, so a person is asked.

Behind such a relay a cut would darken the gateway, and nobody would be left to bring supply back.
"""

from __future__ import annotations

from collections.abc import Mapping

from host.doctor.findings import Finding, good, know, wrong
from host.doctor.seen import Snapshot

GROUP, ABOUT = "book and site file", "site.own_supply"

ASKED = (
    "nobody has said where this gateway's own supply comes from (R8); behind a relay that it controls a cut would "
    "darken the gateway, and nobody could bring supply back"
)

REMEDY = (
    "Look at the wiring: computer and adapters are fed from before every meter that is switched. Then say so under "
    '[site], such as own_supply = "breaker Q1, before all meters; Li Qiang, 2026-11-20".'
)


def findings(snapshot: Snapshot) -> list[Finding]:
    site, registry = snapshot.site.site, snapshot.registry
    if site is None:
        return []
    meters: dict[str, tuple[str, str]] = {row.id: (row.model, row.relay) for row in site.meters}
    if registry is not None and not registry.missing and registry.trouble is None:
        meters = {id: (str(row.get("model")), str(row.get("relay"))) for id, row in registry.meters.items()}
    own = site.site.own_meter
    if own is not None and meters.get(own, ("", "none"))[1] != "none":
        return [
            wrong(
                GROUP,
                "site.own_meter",
                f"Meter {own} counts this gateway's own supply, and the book lets it be switched (R8): a cut would "
                "darken the gateway, and nobody could bring supply back.",
                "Feed computer and adapters from before the meter, and take own_meter out of the site file.",
            )
        ]
    if not switched(meters, snapshot.site.models):
        return []
    if not site.site.own_supply:
        return [know(GROUP, ABOUT, f"{ASKED[0].upper()}{ASKED[1:]}.", REMEDY)]
    return [good(GROUP, ABOUT, f"The gateway's own supply, as who wired it says (R8): {site.site.own_supply}.")]


def switched(meters: Mapping[str, tuple[str, str]], models: Mapping[str, Mapping[str, bool]]) -> bool:
    """True where a meter can be switched. Of a model that is not known it is taken that it can."""
    return any(relay != "none" and models.get(model, {}).get("relay", True) for model, relay in meters.values())
