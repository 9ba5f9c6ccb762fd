"""Nobody dark by mistake, nobody dark for long: random tenant-days against R1 to R5, light after a payment, warnings.

`--seed N` lives one building again and prints what the judge says of it; exit 1 when a goal is missed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.bench import policy_days, policy_light, policy_warning

AT_MOST = {"violations": 0, "pay_to_light_p99_s": 10.0, "pay_to_light_noisy_max_s": 600.0,
           "final_warning_error_s_p95": 300.0}  # fmt: skip
AT_LEAST = {"tenant_days": policy_days.TENANT_DAYS, "smallest_warning_gap_s": 1800.0}

PARTS: dict[Callable[..., dict[str, Any]], tuple[str, ...]] = {
    policy_light.run: ("pay_to_light_p99_s", "pay_to_light_noisy_max_s"),
    policy_warning.run: ("final_warning_error_s_p95",),
    policy_days.run: ("tenant_days", "violations", "smallest_warning_gap_s"),
}
"""What measures which figures."""

KEYS = ("tenant_days", "violations", "smallest_warning_gap_s", "pay_to_light_p99_s", "pay_to_light_noisy_max_s",
        "final_warning_error_s_p95")  # fmt: skip


def run(quiet: bool, only: Sequence[str] = (), quick: bool = False, seed: int | None = None) -> dict[str, Any]:
    """Measure all figures, or some. `quick` takes a part of the days, and does not ask for all of them."""
    say: Callable[[str], None] = (lambda text: None) if quiet else (lambda text: print(text, flush=True))
    wanted = set(PARTS[policy_days.run] if seed is not None else only or KEYS)
    found: dict[str, Any] = {}
    details: dict[str, Any] = {}
    for part, keys in PARTS.items():
        if wanted & set(keys):
            got = part(say, quick, seed) if part is policy_days.run else part(say, quick)
            details |= got.pop("details")
            found |= got
    figures = {key: found[key] for key in KEYS if key in wanted}
    least = {**AT_LEAST, "tenant_days": 0} if quick or seed is not None else AT_LEAST
    missed = [key for key, value in figures.items() if key in AT_MOST and value > AT_MOST[key]]
    missed += [key for key, value in figures.items() if key in least and value is not None and value < least[key]]
    if seed is None and figures.get("smallest_warning_gap_s", 0) is None:
        missed.append("smallest_warning_gap_s")  # Nobody was cut at all: that proves nothing.
    limits = {key: {**AT_MOST, **least}[key] for key in figures}
    return {**figures, "limits": limits, "missed": missed, "within": not missed, "quick": quick, "details": details}
