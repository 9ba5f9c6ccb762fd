"""What is wrong with this installation, in sentences: seen first (`see_*.py`), judged by pure functions, then told."""
