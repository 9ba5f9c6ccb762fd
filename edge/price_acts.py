"""Setting a price (R27): a version is proposed, approved by another person, and from then on never changes.

What can be refused is refused when it is proposed, and once more when it is approved: another version may have been
set meanwhile, or the instant may have passed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from bridge.contract import markup
from bridge.contract import mistakes as complaints
from bridge.contract.price_requests import ApprovePrice, PreviewPrice, ProposePrice, RejectPrice
from bridge.contract.site_prices import Tariff, booked, is_household
from bridge.contract.units import instant_exact, instant_of, wall_time
from edge.asked import Answer, Asked, Refusal, instant_asked
from edge.core import Core
from edge.install import lacking
from edge.price_preview import Preview
from edge.pricing import ENERGY, tariff_id
from edge.proposals import THREE_DAYS, Proposals
from edge.state import AccountState

log = logging.getLogger("riser.requests")

WHAT = "price"
"""Its kind among the proposals."""

LEAD_AT_MOST = timedelta(days=400)
"""A price that begins later is a slip of the pen in the year."""

PREVIEWS_AT_MOST = 4
"""Previews that wait to be worked out: each reads a month of the book beside everything else, and is asked for without
a signature."""

Chore = Callable[[str, Callable[[], Any]], None]


class PriceActs:
    """The operations `propose-price`, `approve-price`, `reject-price` and `preview-price`."""

    def __init__(self, core: Core, proposals: Proposals, answer: Answer):
        self._core, self._proposals, self._answer = core, proposals, answer
        self._previews: set[str] = set()
        self.begin: Chore

    def propose_price(self, asked: Asked, body: ProposePrice) -> None:
        core, fields = self._core, self._read(body.price)
        effective = None if body.effective_at is None else instant_asked("effective_at", body.effective_at)
        version = self._next(fields, body.version)
        self._when(fields["tariff"], effective)
        self._who_pays(fields)
        more = markup.percent(fields)
        if markup.beyond(fields, core.terms.markup_limit_percent) and not body.accept_markup:
            limit = core.terms.markup_limit_percent
            raise Refusal("R30", f"the mean price lies {more} % above what is paid, and the limit is {limit} %; "
                          "accept the mark-up if it is meant")  # fmt: skip
        at = None if effective is None else instant_exact(effective)
        kept = {"price": fields, "version": version, "effective_at": at, "why": body.why}
        within = THREE_DAYS if effective is None else min(THREE_DAYS, effective - core.now())
        data = {"tariff": fields["tariff"], "version": version, "effective_at": at, "markup_percent": more}
        known = {key: value for key, value in data.items() if value is not None}
        self._proposals.propose(asked, WHAT, kept, within, **known)

    def approve_price(self, asked: Asked, body: ApprovePrice) -> None:
        core, proposal = self._core, self._proposals.decidable(asked, body.proposal, WHAT)
        if not core.book.trusted:
            raise Refusal("R25", "the clock is not trusted, so nobody can tell when this price would begin")
        kept, fields = proposal.body, proposal.body["price"]
        effective = None if kept["effective_at"] is None else instant_of(kept["effective_at"])
        version = self._next(fields, kept["version"])
        self._when(fields["tariff"], effective)
        self._who_pays(fields)
        at = instant_exact(effective or core.now())
        written = {
            **fields, "version": version, "effective_at": at, "by": body.who, "proposed_by": proposal.who,
            "proposal": proposal.id, "why": kept["why"],
        }  # fmt: skip
        data = {"proposal": proposal.id, "tariff": fields["tariff"], "version": version, "effective_at": at}
        answer: dict[str, Any] = {"status": "done", "data": data}
        core.append(
            self._proposals.decision(asked, proposal, True, answer, body.why),
            ("tariff/2", f"tariff:{fields['tariff']}:{version}", written),
        )
        self._answer(asked, **answer)
        core.changed("proposals")
        log.info("tariff %s: version %d begins at %s", fields["tariff"], version, at)

    def reject_price(self, asked: Asked, body: RejectPrice) -> None:
        self._proposals.reject(asked, body.proposal, WHAT, body.why)

    def preview_price(self, body: PreviewPrice, done: Callable[[dict[str, Any]], None]) -> None:
        """Work it out beside everything else, then call `done` with the data. Raises Refusal."""
        fields = self._read(body.price)
        self._who_pays(fields)
        if body.transaction in self._previews:
            return  # The same question once more; its answer is on its way.
        preview = Preview(self._core, fields, body.month)
        if not preview.accounts:
            raise Refusal("R27", f"no account here pays by tariff {fields['tariff']}, so there is nothing to preview")
        if len(self._previews) >= PREVIEWS_AT_MOST:
            raise Refusal("R7", f"{PREVIEWS_AT_MOST} previews are being worked out already; ask again in a moment")
        self._previews.add(body.transaction)
        self.begin(f"preview:{body.transaction}", lambda: self._worked(body.transaction, preview.work(done)))

    def _worked(self, transaction: str, work: Iterator[None]) -> Iterator[None]:
        """A preview, until it is worked out; then another one may be asked for."""
        try:
            yield from work
        finally:
            self._previews.discard(transaction)

    # --- what is refused ---

    def _read(self, price: dict[str, Any]) -> dict[str, Any]:
        """The price as an entry holds it. Raises Refusal with the first mistakes, each with its path."""
        try:
            return booked(Tariff.model_validate(price))
        except ValidationError as error:
            found = [
                ": ".join(filter(None, (_path(each["loc"]), complaints.words(each)))) for each in error.errors()[:5]
            ]
            raise Refusal("R7", f"this is no price: {'; '.join(found)}") from None

    def _next(self, fields: dict[str, Any], wanted: int | None) -> int:
        """The number of the new version. Raises Refusal."""
        id, known = fields["tariff"], self._core.state.tariffs.get(fields["tariff"], [])
        newest = max(known, key=lambda each: each["version"], default=None)
        number = 1 if newest is None else newest["version"] + 1
        if wanted is not None and wanted != number:
            raise Refusal("R27", f"version {wanted} of tariff {id} is not the next one, which is {number}: a version "
                          "never changes; propose the price anew")  # fmt: skip
        if newest is None:
            return number
        if newest.get("unit", ENERGY) != fields["unit"]:
            raise Refusal("R27", f"tariff {id} is a price per {newest.get('unit', ENERGY)} and stays so; "
                          "make another one")  # fmt: skip
        if all(newest.get(key, value) == value for key, value in fields.items()) and fields.keys() <= newest.keys():
            raise Refusal("R27", f"this is what version {newest['version']} of tariff {id} says already")
        return number

    def _when(self, id: str, effective: datetime | None) -> None:
        """Raises Refusal for an instant at which a new version cannot begin."""
        now = self._core.now()
        begins = effective or now
        if begins < now:
            raise Refusal("R27", f"{self._wall(begins)} has passed, and what was used stays at its price; "
                          "a price begins now or later")  # fmt: skip
        if begins > now + LEAD_AT_MOST:
            raise Refusal("R27", f"{self._wall(begins)} is more than {LEAD_AT_MOST.days} days ahead; "
                          "propose it nearer to that day")  # fmt: skip
        for each in self._core.state.tariffs.get(id, ()):
            if begins <= (later := instant_of(each["effective_at"])):
                raise Refusal("R27", f"version {each['version']} of tariff {id} begins at {self._wall(later)}; "
                              "a newer version begins after it")  # fmt: skip

    def _wall(self, at: datetime) -> str:
        return wall_time(at, self._core.terms.zone)

    def _who_pays(self, fields: dict[str, Any]) -> None:
        """Raises Refusal where an account or a meter of it cannot be billed by this price (R28, R29)."""
        core = self._core
        for account in payers(core, fields["tariff"], fields["unit"]):
            if fields["steps"] is not None and not is_household(account.row):
                raise Refusal("R29", f"account {account.id} is no household, and steps are for households only")
            for id in account.meters:
                kind = core.lives[id].model
                if fields["price_kind"] != "tou" or kind.quantity == "volume":
                    continue
                if missing := lacking(kind.rates, fields["prices_micro"]):
                    names = ", ".join(missing)
                    raise Refusal(
                        "R28",
                        f"meter {id} of account {account.id} keeps registers per rate and none for "
                        f"{names}; a price for it names none of those rates",
                    )


def payers(core: Core, tariff: str, unit: str) -> list[AccountState]:
    """Accounts that pay by a tariff; who was settled pays by none any more (R33)."""
    return [each for each in core.state.accounts.values() if not each.ended and tariff_id(each, unit) == tariff]


def _path(steps: tuple[int | str, ...]) -> str:
    """Where a mistake is, without what an asker may have hidden in a name of their own."""
    return re.sub(r"[^A-Za-z0-9_.-]", "?", ".".join(map(str, steps)))[:60]
