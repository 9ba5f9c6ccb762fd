"""What is said of a tenant who moves in (R19, R32, R33): `edge_words`."""

from __future__ import annotations

from panel.words import later

OF_TENANCIES = (
    later("account {id} had a tenancy here, and an id is used once; give a new one"),
    later("proposal {id} about account {account} waits for a decision; decide it first"),
    later("meter {meter} is named twice"),
    later("meter {meter} is account {id}'s; settle that tenancy first"),
    later("meter {meter} keeps a balance of its own, and nobody is billed twice; nobody is charged for it here"),
    later("meter {meter} has no price; give the account a tariff, a price per kWh"),
    later("meter {meter} has no price; give the account a water_tariff, a price per m3"),
    later("there is no tariff {id} on this gateway"),
    later("tariff {id} is a price per {per}, and one per {wanted} is wanted"),
    later("tariff {id} begins at {at}; a tenant moves in when it has begun"),
    later("meter {meter} keeps registers per rate and none for {words}, which tariff {id} has; give it another price"),
    later("no surcharge is for category {category}; there are {words}"),
    later("the clock is not trusted, so nobody can tell when this tenancy would begin"),
    later("account {id} has moved in and has not paid yet"),
)
