"""What is said of a meter that is replaced, or whose multiplier changes (R22, R23): `edge_words`."""

from __future__ import annotations

from panel.edge_cutting_words import OF_CUTTING
from panel.edge_locking_words import OF_LOCKS
from panel.words import later

OF_METERS = (
    *OF_CUTTING,
    *OF_LOCKS,
    # which meter answers after a silence
    later("after a silence its number is read back first"),
    later("after a silence the meter does not tell its number; its readings count without it"),
    # what was found on the line
    later("no meter answers at {address} on {port} ({why}); look at its wiring, address and speed, and ask again"),
    later("two readings of the meter at {address} do not agree; ask again"),
    later("there is no port {port} here"),
    later("the meter at {address} says it is {serial}, and {other_serial} is on the plate; look at the address"),
    later("the meter at {address} says it is {serial}, which is the old one; take that off the line first"),
    # the new meter
    later("there is no meter model {model}; take one that the site file could name"),
    later("{address} is no address on {port}: DL/T 645 has 12 digits, CJ/T 188 has 14, Modbus has 1 to 247"),
    later("meter {meter} has the address {address} on {port}; give the new meter one of its own"),
    later("give the number on the new meter's plate: it is compared with what the meter says"),
    later("meter {meter} is a circuit of a box, which is replaced with all its circuits; "
          "install the new box beside it"),
    later("{model} speaks {protocol}, and the line of meter {meter} does not"),
    later("{model} does not count what meter {meter} counts"),
    later("{model} is read only here, and meter {meter} has a relay that is used"),
    later("{model} keeps a balance of its own, and nobody is billed twice; take another"),
    later("a {model} keeps registers per rate and none for {words}, which the price of meter {meter} has"),
    # the old meter's last register
    later("the registers of the old meter are {words}; the total is needed"),
    later("that does not follow on what meter {meter} said: {why}"),
    later("{at} is later than the new meter was read; the old one went first"),
    later("meter {meter} was charged by an estimate after it was last read; "
          "give the registers that its display shows"),
    later("meter {meter} was read after it was taken off, and nothing is kept of before; "
          "give the registers that its display shows"),
    later("meter {meter} was last read while the clock was not trusted, so nobody knows when; "
          "give the registers that its display shows"),
    later("meter {meter} is charged up to {at} already, which is later than this register; propose it anew"),
    later("meter {meter} cannot be charged to its last register: {why}"),
    later("it has no opening register"),
    # proposing and deciding
    later("the clock is not trusted, so nobody can tell when the day is divided"),
    later("meter {meter} is being read for another request; ask again in a minute"),
    later("proposal {id} about meter {meter} waits for a decision; decide it first"),
    later("meter {meter} is not what it was when this was proposed; propose it anew"),
    later("the multiplier of meter {meter} is {n} already"),
    later("a replaced meter or a changed multiplier waits to be approved"),
    # what came of it
    later("the meter was replaced"),
    later("the meter was replaced, proposal {id}"),
    later("the meter was replaced: the new one is {serial}"),
    later("the multiplier is {n}, it was {m}"),
)  # fmt: skip
