"""docs/mqtt.md is written from the messages themselves: `python -m bridge.contract.document > docs/mqtt.md`."""

from __future__ import annotations

from typing import Any

from bridge.contract.messages import MESSAGES, REQUESTS, Message
from bridge.contract.permissions import ROLES, UNSIGNED

INTRODUCTION = """# Topics

Written from `bridge/contract/messages.py` by `python -m bridge.contract.document`; a test keeps the two together.

Everything stands below `<base>/<gateway>/` (`riser/<gateway>/` unless the site file says otherwise). Payloads are
flat JSON in UTF-8, QoS 1. Instants are ISO 8601 with offset, units stand in the key, an absent value is absent.
Money is in nano-yuan (`_nano`, exact integers) beside a readable `balance` in yuan.

Facts are published by the edge alone. To ask for something, publish a signed request on `request/<op>` and wait for
the answer on `response/<op>`: a PUBACK of the broker is not a receipt.

A relay that is closed gives supply, and a valve that is closed takes it away. So each has a topic of its own
(`meter/<id>/relay`, `meter/<id>/valve`; `switch` in `meters` says which), and `off` and `on` are asked of both: off is
no light or no water, on is supply. `trip` and `close` are `off` and `on` for relays alone, and refused for a valve.

Names that were there before valves were stay as they are. An event about a valve has the kind `relay-moved` or `trip`
too, its text speaks of the valve. In the book `relay/1`, `trip/1` and `close/1` are written of both: of a valve they
have `valve` beside the rest, in its own words; there `observed` of `relay/1` is a relay's word, `open` where no water
flows.
"""

SIGNING = """```python
import hashlib, hmac, json

key = bytes.fromhex(json.load(open("secrets/integrator.json"))["keys"]["integrator"])
topic = "riser/east/request/read"
text = json.dumps({
    "transaction": "bms-000001", "who": "our BMS", "role": "system", "meter": "a101",
    "issued_at": "2026-11-26T10:00:00+08:00", "valid_until": "2026-11-26T10:02:00+08:00",
})
mac = hmac.new(key, topic.encode() + b"\\0" + text.encode(), hashlib.sha256).hexdigest()
message = json.dumps({"signed": text, "key": "integrator", "mac": mac})  # publish on `topic`, QoS 1, not retained
```"""
"""How somebody else's program asks; a test runs it."""


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[1]
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"] if each.get("type") != "null")
    if "enum" in schema or "const" in schema:
        return " / ".join(f"`{each}`" for each in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("type", "any"))


def _table(schema: dict[str, Any]) -> list[str]:
    rows = ["| key | type | | |", "|---|---|---|---|"]
    required = set(schema.get("required", ()))
    for key, field in schema.get("properties", {}).items():
        words = field.get("description", "")
        rows.append(f"| `{key}` | {_type(field)} | {'' if key in required else 'optional'} | {words} |")
    return rows


def _doc(cls: type) -> str:
    return " ".join((cls.__doc__ or "").split())


def _message(cls: type[Message]) -> list[str]:
    topic = cls.topic.replace("{id}", "<op>" if cls.topic.startswith("response") else "<id>")
    shown = f"<base>{topic}" if topic.startswith("/") else topic
    schema = cls.model_json_schema(by_alias=True)
    lines = [
        f"## `{shown}`",
        "",
        f"{_doc(cls)} Writer: {cls.writer}. {'Retained.' if cls.retained else 'Not retained.'}",
        "",
    ]
    lines += _table(schema)
    for name, part in schema.get("$defs", {}).items():
        lines += ["", f"`{name}`:", "", *_table(part)]
    return [*lines, ""]


def render() -> str:
    """The whole page as Markdown."""
    lines = [INTRODUCTION]
    for cls in MESSAGES:
        lines += _message(cls)
    lines += [
        "# Requests",
        "",
        'The message is `{"signed": "<JSON text>", "key": "<name>", "mac": "<hex>"}`, where `mac` is HMAC-SHA256',
        "with the key over the full topic, a NUL byte and the text. Never retained. A request with a known",
        "transaction gets the newest answer again; the same one with other words, the two instants apart, is a",
        "conflict.",
        "Only `replay` and `preview-price` need no seal: their body is the plain JSON. The key `integrator` speaks",
        "for the role `system`, which may read; the key `notices` for the role `notices`, which may say",
        "that a notice was accepted ([notices.md](notices.md)).",
        "",
        *SIGNING.splitlines(),
        "",
    ]
    for operation, request in REQUESTS.items():
        roles = "anyone" if operation in UNSIGNED else ", ".join(r for r, ops in ROLES.items() if operation in ops)
        lines += [f"## `request/{operation}`", "", f"{_doc(request)} Roles: {roles}.", ""]
        lines += [*_table(request.model_json_schema()), ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    print(render(), end="")
