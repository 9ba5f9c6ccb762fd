"""What the edge says of why nobody is cut, of protections, of a tenant who was told, and of what flows past a relay."""

from __future__ import annotations

from panel.words import later

OF_CUTTING = (
    # may it be cut
    later("no final warning of this arrears episode was delivered"),
    later("the final warning was delivered less than {n} minutes ago ({s} s left)"),
    later("the gateway is in mode {mode}"),
    later("the gateway is in mode {mode}: no automatic trips"),
    later("the gateway is in mode {mode}: no trips"),
    later("the balance is above the cut limit"),
    later("the meter keeps power on"),
    later("the opening register is not confirmed yet"),
    later("the newest reading is set aside until a person releases it"),
    later("the newest reading is too old"),
    later("protected time"),
    later("{n} meters were cut within an hour; a named person must release the brake"),
    # what people say about it, and what follows
    later("account {id} is settled; nobody cuts it and nobody protects it any more"),
    later(
        "the clock is not trusted, so a protection has no end yet; nobody is cut meanwhile, and a payment or emergency "
        "credit brings back who is"
    ),
    later("only an order to the meter's lamp was sent, and that is not enough any more"),
    later("a protection ends a minute from now or later and within {n} days; renew it in time"),
    later(
        "{name} keeps supply on for this tenant until {at}: {why}; lift that first, or lock the meter for work at "
        "the wires"
    ),
    later("{name} has switched meter {id} off: {why}; switch it on first"),
    later("account {id} has no such protection; nothing to lift"),
    later("a notice and the tenant's page speak for themselves; a person says how they told the tenant"),
    later("say which warning it was of: episode, as account/<id> had it when it was sent"),
    later("a notice counts once its channel has accepted it; give the channel's number as reference"),
    later("no final warning of account {id} stands; there is nothing to have told"),
    later("the tenant was told of an earlier final warning; tell them of the one that stands now"),
    later("the final warning counts as delivered since {at} already"),
    later("the protection {protection} ends at {at}; renew it, or the tenant can be cut afterwards"),
    later("water is kept on: {why} (until {at}, says {name})"),
    later("power is kept on: {why} (until {at}, says {name})"),
    later("the bill is disputed: {why} (until {at}, says {name})"),
    later("a person protects the tenant"),
    # how supply comes back
    later("account {id} is settled; its meters are nobody's, or somebody else's"),
    later("account {id} has no meter with a relay that can be controlled"),
    later("meter {id} ({model}) has no button that waits for a permission"),
    later("the supply of account {id} comes back that way already"),
    later("its tenant's supply comes back in another way now"),
    later("another order has taken its place"),
    later("closing has been permitted for ten minutes ({why}) and nobody has pressed the button on the meter"),
    later("an order to close has left already; it waits for the button from the next time on"),
    later("{who} has chosen since the restore how supply comes back; that counts"),
    later(
        "this was asked before what {who} asked of account {id} at {at}, which came first and stands; ask anew if it "
        "is still wanted"
    ),
    later("the relay is read back open and {n} Wh flowed since: its contact stuck, or supply is led past it"),
    later("the valve is read back closed and {n} L flowed since: it leaks, or water is led past it"),
)
