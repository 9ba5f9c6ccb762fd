"""Other makers' Modbus: `mbpoll` and minimalmodbus read our meters, our master reads pymodbus and libmodbus."""

from __future__ import annotations

import ctypes
import os
import queue
import select
import struct
import subprocess
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import minimalmodbus
import pytest
from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.exceptionresponse import ExceptionResponse
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse, ReadInputRegistersResponse

from bridge.contract.clock import SystemClock
from edge import model
from edge.codec import modbus
from edge.codec.errors import Refused
from edge.line.port import ThreadPort
from edge.line.request import PERSON, Request
from edge.line.wire import Line
from firmware_sim import shaft as sim_shaft
from firmware_sim.running import RunningShaft
from host.peers import PEERS, by_hand
from tests.edge.building import DEMO

SLAVE, FULL_KWH = 7, 123456.78
STEPS = 12_345_678
"""What the foreign slaves show: an Acrel's register of 0.01 kWh at 0000H."""
FLOATS = struct.unpack(">2H", struct.pack(">f", FULL_KWH))
"""And an Eastron's float32 at 0048H."""


def peer(package: str) -> str:
    """A foreign program's or library's name; fails with what to install where it is not here."""
    found = PEERS[package]()
    assert found is not None, by_hand([package])
    return found


# --- foreign masters read our meters ---


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningShaft]:
    """The demo's Modbus line on a pseudo-terminal."""
    run = tmp_path_factory.mktemp("run")
    running = RunningShaft(sim_shaft.load(DEMO / "shaft.toml", datetime.now(UTC)), run, SystemClock(), [])
    running.start()
    yield running
    running.stop()


def steps_of(simulated: RunningShaft, id: str) -> int:
    return int(simulated.shaft.meters[id].metrology.registers()[0])


def test_mbpoll_reads_our_meters(simulated: RunningShaft) -> None:
    """An Acrel's integer and an Eastron's float as Debian's mbpoll prints them are what the meters show."""
    acrel = simulated.shaft.meters["a303"].address

    def poll(*words: str) -> float:
        command = [peer("mbpoll"), "-m", "rtu", "-b", "9600", "-P", "none", "-o", "2", "-1", "-0", "-B", *words]
        done = subprocess.run([*command, str(simulated.run / "line-3")], capture_output=True, text=True, timeout=20)
        assert done.returncode == 0, done.stdout + done.stderr
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("[")]
        return float(line.split(":")[1].split("(")[0])

    before = steps_of(simulated, "a303")
    assert before <= poll("-a", acrel, "-t", "4:int", "-r", "0") <= before + 100
    before = steps_of(simulated, "a301")
    read = poll("-a", "1", "-t", "3:float", "-r", str(0x48))
    assert before / 100 - 0.1 <= read <= before / 100 + 1


def test_minimalmodbus_reads_our_meters(simulated: RunningShaft) -> None:
    """The same registers as PyPI's minimalmodbus reads them, and our refusal is one to it."""
    line = str((simulated.run / "line-3").resolve())
    acrel = minimalmodbus.Instrument(line, int(simulated.shaft.meters["a303"].address))
    eastron = minimalmodbus.Instrument(line, 1)
    for instrument in (acrel, eastron):
        instrument.serial.baudrate, instrument.serial.timeout = 9600, 2
    before = steps_of(simulated, "a303")
    assert before <= acrel.read_long(0, 3) <= before + 100
    before = steps_of(simulated, "a301")
    assert before / 100 - 0.1 <= eastron.read_float(0x48, 4) <= before / 100 + 1
    with pytest.raises(minimalmodbus.IllegalRequestError):
        acrel.read_register(0x4000, 0, 3)


# --- our master reads foreign slaves ---


class Master:
    """Our real port on a pseudo-terminal, and what it hears."""

    def __init__(self, device: Path):
        self.inbox: queue.Queue[Any] = queue.Queue()
        self.port = ThreadPort(Line("line-1", device, "modbus-rtu", 9600, "N"), self.inbox.put, SystemClock())
        self.port.start()

    def ask(self, frame: bytes) -> bytes:
        """The slave's answer; the port opens its device by itself meanwhile."""
        for number in range(20):
            self.port.put(Request(number, PERSON, "a301", "energy", frame))
            reply = self.inbox.get(timeout=20)
            if reply.raw is not None:
                return bytes(reply.raw)
        raise AssertionError(f"the foreign slave did not answer: {reply.error}")

    def close(self) -> None:
        self.port.stop()
        self.port.join(10)


@contextmanager
def ptys() -> Iterator[tuple[int, Path]]:
    """(the slave's end, the device our master opens)"""
    theirs, ours = os.openpty()
    for end in (theirs, ours):
        tty.setraw(end)
    try:
        yield theirs, Path(os.ttyname(ours))
    finally:
        os.close(ours)
        os.close(theirs)


@contextmanager
def pymodbus_slave() -> Iterator[Path]:
    """pymodbus decodes what comes and builds what goes; a thread carries it between."""
    framer = FramerRTU(DecodePDU(is_server=True))
    words = {0: STEPS >> 16, 1: STEPS & 0xFFFF, 0x48: FLOATS[0], 0x49: FLOATS[1]}
    stop, wake = os.pipe()

    def serve(end: int) -> None:
        heard = b""
        while stop not in (ready := select.select([end, stop], [], [])[0]):
            assert ready
            heard += os.read(end, 256)
            used, pdu = framer.handleFrame(heard, 0, 0)
            heard = heard[used:]
            if pdu is None:
                continue
            asked = range(pdu.address, pdu.address + pdu.count)
            if all(register in words for register in asked):
                kind = {3: ReadHoldingRegistersResponse, 4: ReadInputRegistersResponse}[pdu.function_code]
                reply: Any = kind(registers=[words[at] for at in asked], dev_id=pdu.dev_id)
            else:
                reply = ExceptionResponse(pdu.function_code, 2)
                reply.dev_id = pdu.dev_id
            os.write(end, framer.buildFrame(reply))

    with ptys() as (end, device):
        thread = threading.Thread(target=serve, args=(end,), daemon=True)
        thread.start()
        try:
            yield device
        finally:
            os.write(wake, b"x")
            thread.join(10)
            os.close(stop)
            os.close(wake)


class Mapping(ctypes.Structure):
    """modbus_mapping_t of libmodbus 3.1."""

    _fields_ = [
        *((f"nb_{kind}", ctypes.c_int) for kind in ("bits", "start_bits", "input_bits", "start_input_bits")),
        *((f"nb_{kind}", ctypes.c_int) for kind in ("input", "start_input", "registers", "start_registers")),
        ("tab_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_registers", ctypes.POINTER(ctypes.c_uint16)),
        ("tab_registers", ctypes.POINTER(ctypes.c_uint16)),
    ]


@contextmanager
def libmodbus_slave() -> Iterator[Path]:
    """libmodbus' own RTU server, which opens a pseudo-terminal joined to ours by a thread."""
    library = ctypes.CDLL(peer("libmodbus5"), use_errno=True)
    library.modbus_new_rtu.restype = library.modbus_mapping_new.restype = ctypes.c_void_p
    library.modbus_new_rtu.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_char, ctypes.c_int, ctypes.c_int]
    library.modbus_reply.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
    library.modbus_receive.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    for name in ("connect", "close", "free", "mapping_free"):
        getattr(library, f"modbus_{name}").argtypes = [ctypes.c_void_p]
    library.modbus_set_slave.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.modbus_set_indication_timeout.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32]

    ended = threading.Event()
    with ptys() as (near, device), ptys() as (far, theirs):
        context = library.modbus_new_rtu(str(theirs).encode(), 9600, b"N", 8, 1)
        assert library.modbus_set_slave(context, SLAVE) == 0 and library.modbus_connect(context) == 0
        library.modbus_set_indication_timeout(context, 0, 200_000)
        memory = library.modbus_mapping_new(0, 0, 0x60, 0x60)
        table = ctypes.cast(memory, ctypes.POINTER(Mapping)).contents
        table.tab_registers[0], table.tab_registers[1] = STEPS >> 16, STEPS & 0xFFFF
        table.tab_input_registers[0x48], table.tab_input_registers[0x49] = FLOATS

        def serve() -> None:
            query = ctypes.create_string_buffer(260)
            while not ended.is_set():
                length = library.modbus_receive(context, query)
                if length > 0:
                    library.modbus_reply(context, query, length, memory)

        def carry() -> None:
            other = {near: far, far: near}
            while not ended.is_set():
                for end in select.select([near, far], [], [], 0.2)[0]:
                    os.write(other[end], os.read(end, 256))

        threads = [threading.Thread(target=each, daemon=True) for each in (serve, carry)]
        for thread in threads:
            thread.start()
        try:
            yield device
        finally:
            ended.set()
            for thread in threads:
                thread.join(10)
            library.modbus_close(context)
            library.modbus_mapping_free(memory)
            library.modbus_free(context)


@pytest.mark.parametrize("slave", [pymodbus_slave, libmodbus_slave], ids=["pymodbus", "libmodbus"])
def test_our_master_reads_a_foreign_slave(slave: Callable[[], Any]) -> None:
    """An integer by function 3, a float by function 4 and a refusal, over a real port: as they were put in."""
    acrel, eastron = model.load("acrel-ddsy1352"), model.load("eastron-sdm630")
    with slave() as device:
        master = Master(device)
        try:
            raw = master.ask(acrel.ask("energy", str(SLAVE)))
            assert acrel.values("energy", raw, UTC) == {"energy_wh": 10 * STEPS}
            raw = master.ask(eastron.ask("energy", str(SLAVE)))
            exact = modbus.whole_wh_of_float_kwh(struct.pack(">f", FULL_KWH))
            assert eastron.values("energy", raw, UTC) == {"energy_wh": exact}
            refusal = master.ask(modbus.read(SLAVE, 3, 0x4000, 2))
            with pytest.raises(Refused, match="no such register"):
                modbus.registers_of(refusal)
        finally:
            master.close()
