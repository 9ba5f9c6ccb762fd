"""What of a top-up stays with the tenant: emergency credit and the agreed share of a debt are repaid first (R16)."""

from __future__ import annotations

from bisect import bisect_right

from bridge.contract.messages import Account
from bridge.contract.repaying import repaid_nano
from bridge.contract.units import NANO_PER_FEN
from panel.formats import yuan
from panel.words import t


def repaid_of(account: Account, amount_nano: int) -> tuple[int, int]:
    """(of the emergency credit, of the debt) that a top-up repays, by the newest facts."""
    share = account.debt_share_percent or 0
    return repaid_nano(amount_nano, account.credit_nano, account.debt_nano, share, account.debt_left_nano)


def after_nano(account: Account, amount_nano: int) -> int:
    """What the balance will read if the gateway takes this amount; its own figure comes with its answer."""
    return account.available_nano + amount_nano - sum(repaid_of(account, amount_nano))


def repays_words(credit_nano: int, debt_nano: int) -> str | None:
    """What is repaid, in words; None where nothing is."""
    told = []
    if credit_nano > 0:
        told.append(t("{amount} yuan repay the emergency credit", amount=yuan(credit_nano)))
    if debt_nano > 0:
        told.append(t("{amount} yuan go to the deferred debt", amount=yuan(debt_nano)))
    return t("Of it {parts}.", parts=t(", |between words").join(told)) if told else None


def least_fen(account: Account, above_nano: int) -> int:
    """The smallest top-up in fen after which the balance lies above `above_nano`, also where part of it repays."""
    missing = max((above_nano - account.available_nano) // NANO_PER_FEN + 1, 0)
    owed = (account.credit_nano + account.debt_nano) // NANO_PER_FEN + 1
    amounts = range(missing, missing + owed + 1)
    return amounts[0] + bisect_right(amounts, above_nano, key=lambda fen: after_nano(account, fen * NANO_PER_FEN))
