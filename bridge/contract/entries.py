"""The kinds of entries in the book and what their bodies hold; old kinds stay readable for ever.

Every body is a JSON object. Money moves are `moves`: a list of {"from", "to", "amount_nano"}, amounts positive,
between the ledger accounts named below, so that the sum over all is always zero (R10). An entry that moves a
tenant's money also says `balance_after_nano`, the posted balance after it. Registers are the meter's own, in Wh,
before the multiplier: {"total": Wh, "sharp": Wh, ...}. Frames are [request hex, reply hex] pairs, passwords masked.
"""

from __future__ import annotations

KINDS: dict[str, str] = {
    "genesis/1": "the book begins: gateway, name, zone, epoch",
    "start/1": "the edge started: version, boot, line_s: the line seconds that its gateway had run until then",
    "tariff/1": "a price: tariff, name, version, effective_at, price_kind (single, tou), prices_micro {rate: micro-yuan"
    " per kWh}, windows [{from, to, rate}], by",
    "tariff/2": "a price as in tariff/1, and: unit (kWh, m3), tables [{windows, seasons [[mmdd, mmdd]], days [workday,"
    " weekend, holiday]}], steps {period (month, year), month, day, moving_in (full, pro-rated), steps [{above_wh,"
    " add_micro}]}, surcharges [{name, micro, category}], daily_fee_nano, purchase_micro; of one that"
    " people set: proposal, proposed_by, why",
    "meter/1": "a meter installed: meter, model, model_name, protocol, port, address, serial, room, floor, shaft, name,"
    " multiplier, phases, max_amps, volts, relay, rates (has rate registers), circuit (of a box), purse (meter, off),"
    " by",
    "account/1": "a tenancy: account, name, room, phone, tariff, water_tariff, meters, category, household (true,"
    " false, or null: by its category), close (direct, permit, or null: as its meters say, R6), since,"
    " by (site file, people: then also papers, proposal, who and role (the maker), approved_by)",
    "opening-balance/1": "money brought in, once per account: account, moves, balance_after_nano, by (site file,"
    " people: then also amount_fen, papers, and as refund/1 from receipt on)",
    "topup/1": "money in: account, amount_fen, method, reference, receipt, who, role, moves (what it repays is"
    " among them), repaid {credit_nano, debt_nano} where it repays, balance_after_nano, request",
    "reversal/1": "a top-up taken back in full (R12): account, original (its seq), original_receipt, repaid (as it had"
    " repaid), amount_fen, method, why, receipt, who, role, moves, balance_after_nano, request",
    "refund/1": "money out (R12): account, amount_fen, method, reference, why, receipt (a number of its own), proposal,"
    " who and role (the maker), approved_by, moves, balance_after_nano",
    "compensation/1": "a mistake made good: account, amount_fen, reason, why, papers, and as refund/1 from receipt on",
    "deduction/1": "what a mistake left uncharged: as compensation/1, and consent (the tenant's)",
    "correction/1": "an amount moved between two accounts (R12): account (gives), to_account, amount_fen, why, papers,"
    " as refund/1 from receipt on, to_balance_after_nano",
    "credit/1": "emergency credit lent (R16): account, amount_fen, why, receipt, who, role, moves, balance_after_nano,"
    " request",
    "debt/1": "arrears that are paid off by a share of top-ups (R16): account, amount_fen, share_percent,"
    " weekly_cap_fen, papers, as refund/1 from receipt on",
    "exit/1": "a tenancy settled (R33): account, charges [entry ids], meters, amount_fen (refunded), residue_nano,"
    " method, reference, papers, why, as refund/1 from receipt on",
    "opening/1": "the register from which a meter is charged, confirmed by a second read (R19): meter, serial,"
    " registers_wh (litres where unit is L), at, source, frames, and where an earlier tenancy ended: unbilled {since,"
    " registers_wh (then), wh (used since, after the multiplier, charged to nobody)}",
    "replacement/1": "the meter of a point replaced (R22): meter, account, was {model, address, serial, registers_wh,"
    " at, source (its last register: read, saved, display, or that of its last charge)}, charge (its id, or null), row"
    " (as meter/1, of the new one), serial, registers_wh, at, read_at, source (opening), frames, serial_frames, papers,"
    " why, proposal, who and role (the maker), approved_by",
    "ratio/1": "a multiplier changed (R23): meter, account, multiplier_before, multiplier, charge (its id, or null),"
    " registers_wh, at, read_at, source (read), frames, and as replacement/1 from papers on",
    "charge/1": "use between two registers: account, meter, start {registers_wh, at, source}, end {registers_wh, at,"
    " read_at, source, frames}, multiplier, tariff, version, lines [{rate, wh, price_micro, amount_nano}], wh,"
    " amount_nano, days, moves, balance_after_nano",
    "charge/2": "use between two registers, priced: account, meter, unit (kWh, or m3: litres for Wh), start and end"
    " as in charge/1 (source of an end: freeze, border, read, load-record, interpolated, estimate; of a replaced meter"
    " also display, which a person read, and saved, without frames; interpolated and estimate have no"
    " frames, but rests_on [{registers_wh, at, source}], and an estimate days [registers used], R24),"
    " between [{registers_wh, at, source}: readings at borders, or interpolated there], guessed"
    " [interpolated, estimate], multiplier, full_scale_wh, by (registers, borders: how hours were told apart, R28),"
    " tariff, tariff_name, version (at the start), lines [{kind (rate, step, surcharge), rate (its name), wh,"
    " price_micro, amount_nano, version}], counter_before and counter {period, used_wh, others [[period, used_wh]]"
    " where several meters share it} (R29), wh, amount_nano, days,"
    " date, moves, balance_after_nano",
    "reading-correction/1": "the register that the meter's newest charge ends at (or its opening) was wrong (R12):"
    " entry (the id of that charge or opening), start (the wrong register) and end (the right one, source corrected) at"
    " the same instant; then as charge/2 from unit on, without days and date, lines of the difference at the price of"
    " the moment before; why, papers, and as refund/1 from receipt on",
    "fee/1": "the fixed fee of a day: account, date, tariff, tariff_name, version, unit, amount_nano, moves,"
    " balance_after_nano",
    "border/1": "a reading at a border of the day's hours (R28), or where a price changes (R27): meter, registers_wh,"
    " at, read_at, border (the instant it is for), source, frames",
    "time-table/1": "a meter's own time table was read and compared with its price (R28): meter, differs, tariff,"
    " version, day (the first that differs, else today), told [{from, to, rate}: that day's], frames",
    "calendar/1": "the holidays by which prices tell days apart: since, until, rest_days, work_days; days outside of"
    " since to until stay as they were, by",
    "closing/1": "a day closed: account, date, charges and fees [entry ids], deferred [meters without a register for"
    " that midnight], opening_nano, closing_nano",
    "level/1": "a low-balance level crossed downward (R9): account, level (1 to 3), threshold_nano, available_nano;"
    " repeat, from 1, where it is told again a day later",
    "rearm/1": "the balance rose again: account, level (the deepest still fired, 0 for none), available_nano",
    "final/1": "the final warning (R1): account, episode, available_nano, zero_at, cut_at, powered_s",
    "delivered/1": "a final warning reached somebody: account, episode, channel (lamp, person, notice, page;"
    " attempted: a lamp that did not answer, where the site counts that), powered_s, detail; of all but a lamp also"
    " how, who, role, request, and of a notice its channel's reference",
    "close-way/1": "how a tenant's supply comes back from now on (R6): account, close (direct, permit), why, who, role,"
    " issued_at, request",
    "protection/1": "nobody cuts a tenant until an instant (R3): account, protection (keep-power, dispute), set, why,"
    " until, who, role, request",
    "cancelled/1": "the arrears episode ended without or after a cut: account, episode, why, available_nano",
    "trip/1": "evidence, written before the first byte of a trip (I7): meter, account, cause (arrears, manual),"
    " episode, balance_seq, posted_nano, provisional_nano, available_nano, cut_limit_nano, read {registers_wh, read_at,"
    " age_ms, serial, frames}, billed {registers_wh, at}, tariff, version, final_seq, delivered_seq, warned_s, window,"
    " attempt",
    "withdrawn/1": "a trip that had evidence but did not leave in time: meter, evidence_seq, why",
    "close/1": "a close command is about to leave, with its cause (I10): meter, account, command (direct, permit),"
    " cause, attempt",
    "hold/1": "a hold set or lifted (R5): meter, hold (arrears, lockout, contract, malignant, manual), set, why, who,"
    " role, request; of a person's request operation and issued_at; of a lockout that is set off (false: it switches"
    " nothing off), of one that somebody else lifts in_place_of (whose it was)",
    "relay/1": "the relay was read back in another state: meter, observed (open, closed, unknown), word_3, read_at,"
    " wanted, why",
    "done/1": "the outcome of a request answered earlier: request (its entry id), status (done, failed), answer",
    "proposal/1": "something a person wants done that another must approve (R32): proposal, what (its kind), body, who,"
    " role, until, request",
    "decision/1": "a proposal approved, rejected or out of time: proposal, approved, who, role, why, request",
    "refusal/1": "a signed request refused, but for one to read: operation, rule, error, who, role, request",
    "quarantine/1": "a reading set aside (R20, R21): meter, registers_wh, read_at, rule, why, frames",
    "release/1": "a meter's readings are taken again after one was set aside: meter, why, who",
    "cover/1": "a meter's count of openings, looked at first or changed: meter, cover (cover, terminal-cover), count,"
    " opened_at, closed_at (the meter's own clock), why (first look, opened, closed, cleared)",
    "clock-set/1": "a meter's clock was set by broadcast (R25): meter, port, offset_s (how far it was off before), why",
    "alarm/1": "something a person must see: meter or account, alarm, text",
    "brake/1": "the brake on mass cuts (R4) caught (set: true) or was released: set, why, who, role, request",
    "mode/1": "the gateway's mode changed: mode, why; where a person ended mode recovery also who, role, request",
    "restored/1": "the book goes on from a backup, in a new epoch (I5): epoch, before (the former one), seq (of"
    " the backup's newest entry, which stands just before), made_at (the backup), version, who",
    "missed/1": "an entry of the former epoch that a person must look at: account or meter where they are here, former"
    " {epoch, seq, mark, id, at, kind, account, meter, amount_fen, by}, why",
    "brought-back/1": "an archive has no more of the former epoch: epoch, through (its newest entry of it), holes (how"
    " many it lacks before that), brought, missed, who, role, request",
}
"""Kind and what its body holds; `former` of an entry that came back after a restore is {epoch, seq, mark (the begin
of its hash), at, receipt} of what it was; `request` is {"sha256" of what was asked, "answer" as given; from a shell
also "login", the operating system's user}."""

CHARGES, TARIFFS = ("charge/1", "charge/2"), ("tariff/1", "tariff/2")
"""Kinds that say the same, an older and a newer one."""

PRICED = (*CHARGES, "reading-correction/1")
"""Kinds that bring a meter from one register to another, with lines of a price."""

REPLACED = ("replacement/1", "ratio/1")
"""Kinds from which a meter's registers count anew, another meter's or with another multiplier."""

TENANT = "account:"
"""A tenant's wallet is the ledger account `account:<account id>`."""

CREDIT = "credit:"
"""What a tenant owes of emergency credit, below zero: `credit:<account id>`."""

DEBT = "debt:"
"""What a tenant owes by an agreement, below zero: `debt:<account id>`."""

TILL = "till:"
"""Money came in, or leaves again, by `till:<method>`."""

INCOME = "income:energy"
"""Charges move from the tenant's wallet to here."""

WATER_INCOME = "income:water"
"""Where charges for water go."""

FEES = "income:fees"
"""Fixed daily fees."""

BROUGHT_IN = "equity:opening"
"""Opening balances come from here."""

COMPENSATIONS = "expense:compensation"
"""What mistakes cost comes from here."""

DEDUCTIONS = "income:deductions"
"""What is charged later by hand goes here."""

RESIDUE = "income:residue"
"""Parts of a fen that nobody can be paid, left or lacking when a tenancy ends (R11)."""
