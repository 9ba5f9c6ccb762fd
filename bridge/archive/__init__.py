"""A copy of book and readings for reports and history, idempotent by gateway and number. Delete it: it refills."""
