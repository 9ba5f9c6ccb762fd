"""`riser doctor` says before a year begins that its holidays are not known, and what to do (R2)."""

from __future__ import annotations

from bridge.contract import messages as m
from bridge.contract.messages import Topics
from host.doctor import see_broker
from host.doctor.holidays import findings
from host.doctor.seen import Facts, Snapshot
from tests.host.doctor_snapshots import broker, facts, found, only, snapshot


def policy(*years: int) -> m.Policy:
    return m.Policy(
        at="2026-12-01T04:00:00+00:00", lead_s=1800, cut_limit_nano=0, restore_above_nano=1, levels_nano=[3, 2, 1],
        level_repeats=[0, 0, 0], stale_s=900, warning_counts="delivered", brake_meters=5, days=[],
        unknown_years=list(years),
    )  # fmt: skip


def told(*years: int) -> Snapshot:
    return snapshot(broker=broker(facts=facts(policy=policy(*years))))


def test_r2_a_year_whose_holidays_are_not_known_is_worth_knowing() -> None:
    """The sentence says what the gateway does meanwhile, the remedy the two ways out; each year is told for itself."""
    finding = only(told(2027))
    assert (finding.severity, finding.about) == ("worth knowing", "policy.rest_days 2027")
    assert "does not know the official holidays of 2027" in finding.sentence and "nobody is cut" in finding.sentence
    assert "Update Riser" in finding.remedy and "rest_days and work_days of 2027" in finding.remedy
    assert [each.about[-4:] for each in found(told(2027, 2028))] == ["2027", "2028"]


def test_r2_known_holidays_are_not_mentioned() -> None:
    """Nor are those of a gateway that is older and does not tell, or does not run."""
    assert not found(told()) and not found(snapshot())
    assert not findings(snapshot(broker=broker(facts=Facts()))) and not findings(snapshot(broker=None))


def test_r2_the_doctor_hears_the_policy() -> None:
    """It is among the facts that a visit to the broker asks for, and is read."""
    topics = Topics("riser", "east")
    assert m.Policy in see_broker.SINGLE
    heard = {topics.of(m.Policy): policy(2027).payload()}
    assert see_broker.understood(topics, heard).policy == policy(2027)
