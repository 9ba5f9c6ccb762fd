"""What kind of meter it is, in the reader's language: a model's own name where it is one of ours, else as it comes."""

from __future__ import annotations

from panel.words import later, t

MODELS = {
    "单相费控电表 DL/T 645-2007": later("Single-phase meter with relay, DL/T 645-2007"),
    "三相费控电表 DL/T 645-2007": later("Three-phase meter with relay, DL/T 645-2007"),
    "单相预付费电表 DL/T 645-2007，表内有余额": later("Single-phase meter with a balance in it, DL/T 645-2007"),
    "三相预付费电表 DL/T 645-2007，表内有余额": later("Three-phase meter with a balance in it, DL/T 645-2007"),
    "老电表 DL/T 645-1997": later("Old meter, DL/T 645-1997"),
    "安科瑞 DDSY1352 (Modbus)": later("Acrel DDSY1352, single-phase (Modbus)"),
    "安科瑞 DTSY1352 (Modbus)": later("Acrel DTSY1352, three-phase (Modbus)"),
    "安科瑞 ADF300L 多用户电表箱 (Modbus)": later("Acrel ADF300L, box of meters (Modbus)"),
    "正泰 DDSU666 (Modbus)": later("Chint DDSU666, single-phase (Modbus)"),
    "正泰 DTSU666 (Modbus)": later("Chint DTSU666, three-phase (Modbus)"),
    "Hiking DDS238-2 (Modbus)": later("Hiking DDS238-2, single-phase (Modbus)"),
    "Eastron SDM120 (Modbus)": later("Eastron SDM120, single-phase (Modbus)"),
    "Eastron SDM230 (Modbus)": later("Eastron SDM230, single-phase (Modbus)"),
    "Eastron SDM630 (Modbus)": later("Eastron SDM630, three-phase (Modbus)"),
    "阀控水表 CJ/T 188-2004": later("Water meter with a valve, CJ/T 188-2004"),
    "阀控水表 CJ/T 188-2018": later("Water meter with a valve, CJ/T 188-2018"),
}
"""A model's name, as it stands in its file, to its words."""


def modelled(name: str) -> str:
    """The name of a model in the language of this request."""
    return t(MODELS[name]) if name in MODELS else name
