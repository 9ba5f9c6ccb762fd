"""What is measured against a limit: `riser bench NAME`. Not part of the test suite, because machines are noisy."""
