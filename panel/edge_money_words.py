"""Why an act with money, or the begin of a tenancy, is refused, for `edge_words`: each sentence stands beside a rule
(R10-R16, R32, R33)."""

from __future__ import annotations

from panel.edge_tenancy_words import OF_TENANCIES
from panel.words import later

OF_MONEY = (
    later("account {id} is settled; it takes and gives no money any more"),
    later("the balance would be {amount} yuan, and at most {most} may be held"),
    later("{name} has taken {amount} yuan today, and may take {most} in a day"),
    later("there is no top-up {receipt} of account {id}; name its receipt number"),
    later("top-up {receipt} was reversed already, and is reversed once only"),
    later("top-up {receipt} repaid an emergency credit, and another one was lent since"),
    later("top-up {receipt} is spent: {amount} yuan would be left without it"),
    later("an amount is at least 0.01 yuan"),
    later("{amount} yuan would be left, and no act may leave less than {least}"),
    later("{amount} yuan are lent for energy only and stay; at most {most} can be taken here"),
    later("account {id} has its opening balance already; it is brought in once"),
    later("an opening balance of zero needs no entry"),
    later("a reading of meter {meter} is set aside; release it first"),
    later("at most {most} yuan can be refunded, not {amount}"),
    later("the reason `other` is told in words as well; write why"),
    later("a deduction needs the tenant's consent; write how and when it was given"),
    later("a correction is between two accounts, not from one to itself"),
    later("this site lends no emergency credit; see emergency_credit in its site file"),
    later("{amount} yuan of emergency credit are not repaid yet; it is lent once until then"),
    later("{owed} yuan are owed; no debt of {amount} is agreed on"),
    later("{amount} yuan are owed with the final charge; they are paid before the account is settled"),
    later("payments of after the backup may be missing still; settle when the book is complete"),
    later("the clock is not trusted, so a final reading has no time; settle when it is"),
    later("{day} is not closed yet; settle when it is"),
    later("meter {meter} cannot be charged to its final reading; its alarm says why"),
    later("meter {meter} has no fresh final reading; read it now and settle then"),
    later("meter {meter} is none of account {id}"),
    later("there is no charge or opening {entry} of meter {meter}"),
    later(
        "{entry} is not the newest register of meter {meter}; put an older one right by a compensation or a deduction"
    ),
    later("give each register that stands in the book, and no other: {names}"),
    later("the book says that already"),
    later("the register {name} would have risen by {used} Wh, more than the meter can carry"),
    *OF_TENANCIES,
)
