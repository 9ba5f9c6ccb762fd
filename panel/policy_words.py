"""The numbers by which people are warned, cut and restored, in plain words: (what, in words), in the order of a day."""

from __future__ import annotations

from bridge.contract.cutting import Policy
from panel.formats import span, yuan
from panel.words import later, t

Told = list[tuple[str, str]]

REACHED = later(
    "The three levels are told to the staff, here and over MQTT, and stand on the tenant's own page; nothing of them "
    "goes to the tenant by itself. The final warning lights the meter's lamp; where a meter has none, a person tells "
    "the tenant."
)
"""Who reads the policy must not think that the levels reach a tenant by themselves."""


def numbers_of(policy: Policy) -> Told:
    """Every number of the policy as a sentence a tenant understands."""
    cut, above = yuan(policy.cut_limit_nano), yuan(policy.restore_above_nano)
    lead, age = span(policy.lead_s), span(policy.stale_s)
    return [
        *_levels(policy),
        (t("Who hears of it"), t(REACHED)),
        (t("Quiet hours"), _quiet(policy)),
        (t("Final warning"), t("When the money lasts {lead} more at the load of now, at any hour.", lead=lead)),
        (t("Delivered means"), _delivered(policy)),
        (t("Time to pay"), t("At least {lead} with power after the final warning was delivered (R1).", lead=lead)),
        (t("Cut off|rule"), t("At a balance of {limit} yuan or less, only in hours open to cuts (R2).", limit=cut)),
        (t("Old readings"), t("Nobody is cut on a reading older than {age} (R3).", age=age)),
        (t("Brake"), t("After {n} cuts within an hour a named person must agree to more (R4).", n=policy.brake_meters)),
        (t("Supply returns"), t("By itself above {limit} yuan, within 10 minutes (R6).", limit=above)),
    ]  # fmt: skip


def _levels(policy: Policy) -> Told:
    told = []
    for number, nano in enumerate(policy.levels_nano, 1):
        times = policy.level_repeats[number - 1] if number <= len(policy.level_repeats) else 0
        again = t("told again on {n} more days", n=times) if times > 0 else t("told once")
        told.append((t("Low {n}", n=number), t("Below {limit} yuan, {again}.", limit=yuan(nano), again=again)))
    return told


def _quiet(policy: Policy) -> str:
    start, end = policy.quiet_from, policy.quiet_to
    if not start or not end or start == end:
        return t("None: warnings go out at any hour.")
    return t("{start} to {end}: low 1 and low 2 wait, the final warning never does (R9).", start=start, end=end)


def _delivered(policy: Policy) -> str:
    if policy.warning_counts == "attempted":
        return t("The attempt counts here, also where the meter's lamp did not answer.")
    return t(
        "The meter's lamp was read back on, the tenant has read it on their own page, a notice was accepted, "
        "or a person has told the tenant."
    )
