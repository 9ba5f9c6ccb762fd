"""What several files of edge tests are handed: counters of their own, closed when the test is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.money_desk import Made, MoneyDesk


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Made]:
    made: list[MoneyDesk] = []

    def make(**policy: str) -> MoneyDesk:
        made.append(MoneyDesk(tmp_path / str(len(made)), **policy))
        return made[-1]

    yield make
    for desk in made:
        desk.book.close()
