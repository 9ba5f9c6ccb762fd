"""What is said of prices, and of proposals that wait for a second person (R27-R32): `edge_words`."""

from __future__ import annotations

from panel.words import later

OF_PRICES = (
    # proposals of any kind
    later("there is no proposal {id} of this kind on this gateway"),
    later("proposal {id} was approved by {who} at {at}; it stays so"),
    later("proposal {id} was rejected by {who} at {at}; propose it anew"),
    later("proposal {id} was to be decided by {at}; propose it anew"),
    later("{who} has proposed this, and nobody approves their own; ask somebody else"),
    later(
        "the user {login} of this machine has proposed this, whatever the name; another user approves it here, or "
        "another person in the panel"
    ),
    later("{n} proposals wait for a decision already; decide some of them first"),
    later("nobody decided it in time"),
    later("the clock is not trusted, so no deadline can be set; propose it again when it is"),
    # prices
    later("the clock is not trusted, so nobody can tell when this price would begin"),
    later("{field} is an instant with offset, such as 2027-01-01T00:00:00+08:00"),
    later("this is no price: {words}"),
    later("version {n} of tariff {id} is not the next one, which is {m}: a version never changes; "
          "propose the price anew"),
    later("this is what version {n} of tariff {id} says already"),
    later("tariff {id} is a price per {per} and stays so; make another one"),
    later("{at} has passed, and what was used stays at its price; a price begins now or later"),
    later("{at} is more than {n} days ahead; propose it nearer to that day"),
    later("version {n} of tariff {id} begins at {at}; a newer version begins after it"),
    later("the mean price lies {n} % above what is paid, and the limit is {m} %; accept the mark-up if it is meant"),
    later("account {id} is no household, and steps are for households only"),
    later("meter {meter} of account {id} keeps registers per rate and none for {words}; "
          "a price for it names none of those rates"),
    later("no account here pays by tariff {id}, so there is nothing to preview"),
    later("{n} previews are being worked out already; ask again in a moment"),
)  # fmt: skip
