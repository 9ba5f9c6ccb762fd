"""What every message is: a frozen class that knows its topic, its writer, and whether the broker retains it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """One kind of message. `topic` stands below `<base>/<gateway>/` unless it begins with `/`: then below `<base>/`.

    A receiver passes over keys that it does not know, so that a newer edge and an older panel understand each other.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    topic: ClassVar[str]
    retained: ClassVar[bool]
    writer: ClassVar[str] = "edge"

    def payload(self) -> bytes:
        """The bytes on the wire: flat JSON, absent values left out."""
        return self.model_dump_json(exclude_none=True, by_alias=True).encode()


class Part(BaseModel):
    """A piece of a message."""

    model_config = ConfigDict(frozen=True, extra="ignore")
