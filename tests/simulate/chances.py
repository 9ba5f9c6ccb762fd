"""How often each thing happens to a house of the simulation, and how it is called (`fate.py`)."""

from __future__ import annotations

A_METER_DAY = {
    "silent": 0.06, "noise": 0.03, "sly": 0.02, "late": 0.02, "babble": 0.006, "same_address": 0.006,
    "stuck": 0.02, "by_hand": 0.02, "keep": 0.02, "hold": 0.02,
    "leapt_register": 0.008, "stuck_register": 0.005, "reset_register": 0.003, "another_number": 0.01,
    "replaced": 0.004, "ratio": 0.002,
    "stale_request": 0.01, "forged": 0.03, "payment_doubled": 0.02, "payment_raced": 0.02,
}  # fmt: skip
"""How often each thing happens to a meter or its tenant in a day, where faults are `some`."""

A_GATEWAY_DAY = {
    "dark": 0.3, "cut_at_write": 0.2, "cut_at_frame": 0.1, "cut_at_start": 0.05, "disk_full": 0.06,
    "disk_read_only": 0.04, "disk_io": 0.08, "calendar": 0.12, "year_1970": 0.05, "drift": 0.05, "unsure": 0.08,
    "sleep": 0.08, "echo": 0.1, "unplug": 0.1, "broker": 0.25, "price": 0.06, "restored": 0.02,
}  # fmt: skip
"""And to the gateway."""

DLT645_ONLY = {"sly", "keep", "by_hand", "stuck", "same_address", "replaced", "reset_register"}
"""What does not happen to Modbus meters here."""

NOT_FAULTS = {"brake": 1.5, "copied": 1.0}
"""What people do every day beside paying."""

A_TENANT_DAY = {
    "moves": 0.02, "refund": 0.04, "deduct": 0.03, "correct": 0.02, "compensate": 0.03, "lend": 0.04, "reverse": 0.04,
}  # fmt: skip
"""And what they do now and then, also where nothing goes wrong."""

WAYS_A_TENANT_DAY = 0.06
"""How often somebody says how a tenant's supply comes back (`ways.py`)."""

NAMED = {
    "silent": "silence", "noise": "noise", "sly": "checksum-passes", "late": "answer-late", "babble": "babble",
    "same_address": "two-with-one-address", "stuck": "relay-stuck", "by_hand": "relay-by-hand", "keep": "keep-power",
    "leapt_register": "register-leapt", "stuck_register": "register-stuck", "reset_register": "register-reset",
    "another_number": "another-meter", "replaced": "meter-replaced", "ratio": "ct-changed",
    "stale_request": "request-stale", "forged": "message-forged", "payment_doubled": "payment-doubled",
    "payment_raced": "payment-raced", "dark": "power-cut", "cut_at_write": "power-cut-at-write",
    "cut_at_frame": "power-cut-on-the-line", "cut_at_start": "power-cut-while-starting", "disk_full": "disk-full",
    "disk_read_only": "disk-read-only", "disk_io": "disk-io-error", "calendar": "clock-stepped",
    "year_1970": "clock-1970", "drift": "clock-drift", "unsure": "clock-unsure", "sleep": "machine-slept",
    "echo": "echo", "unplug": "adapter-pulled", "broker": "broker-gone", "price": "price-changed",
    "restored": "backup-restored",
}  # fmt: skip
"""How the kinds are called where they are counted. A person's hold is no fault."""
IN_THE_LEAD = (
    "pay", "dark", "dark", "dark", "silent", "keep", "hold", "by_hand", "sleep", "calendar", "unsure", "stuck",
    "cut_at_write", "disk_io",
)  # fmt: skip
"""What happens in the half hour between a warning and a cut; most often the power goes."""

AT_LEAST_ONCE_METER_DAYS = 200
