"""A copy of an installation that was proved by restoring it, and the way back from one."""
