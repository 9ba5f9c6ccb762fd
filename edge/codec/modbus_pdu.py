"""The protocol data units of Modbus, by pymodbus; loaded when a Modbus meter is first asked, for it takes 10 MB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymodbus.pdu import DecodePDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    WriteMultipleCoilsRequest,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

_READS = {
    1: ReadCoilsRequest,
    2: ReadDiscreteInputsRequest,
    3: ReadHoldingRegistersRequest,
    4: ReadInputRegistersRequest,
}
_DECODER = DecodePDU(is_server=False)


def _bytes(pdu: Any) -> bytes:
    return bytes([pdu.function_code]) + pdu.encode()


def read(slave: int, function: int, start: int, count: int) -> bytes:
    """Function and data of a read of bits (1, 2) or registers (3, 4)."""
    return _bytes(_READS[function](address=start, count=count, dev_id=slave))


def write(slave: int, function: int, start: int, values: Sequence[int]) -> bytes:
    """Function and data of a write: 5 and 15 bits, 6 and 16 registers."""
    if function in (5, 15):
        kind: Any = WriteSingleCoilRequest if function == 5 else WriteMultipleCoilsRequest
        return _bytes(kind(address=start, bits=[bool(value) for value in values], dev_id=slave))
    kind = WriteSingleRegisterRequest if function == 6 else WriteMultipleRegistersRequest
    return _bytes(kind(address=start, registers=list(values), dev_id=slave))


def decoded(pdu: bytes) -> Any:
    """The reply in `pdu`; a refusal has the top bit of its function set; None for what is no reply."""
    return _DECODER.decode(pdu)
