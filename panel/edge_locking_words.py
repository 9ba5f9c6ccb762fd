"""What the edge says of a meter that is locked for work, and of a room that nobody lives in: `edge_words`."""

from __future__ import annotations

from panel.words import later

OF_LOCKS = (
    later("locked for work by {name} since {at}: {words}"),
    later("locked as it stands: the relay is not switched before it is unlocked"),
    later("locked as it stands: the valve is not turned before it is unlocked"),
    later("meter {id} is {why}; nobody closes it before it is unlocked"),
    later("meter {id} is {why}; only one lock stands at a time"),
    later("meter {id} is {why}; they unlock it, or somebody who names them and has made sure that nobody works there"),
    later("meter {id} is not locked; there is nothing to unlock"),
    later("still {why}; is the work done, it is to be unlocked"),
    later("the lock is lifted; supply stays off: {holds}"),
    later("the lock is lifted; the valve stays closed: {holds}"),
)
