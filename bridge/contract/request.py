"""What every signed request is: the words under the seal that say who asks, in which role, and until when it counts."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from bridge.contract.fields import Plain


class Request(BaseModel):
    """The words inside a signed request; each operation adds its own fields. An unknown field is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    operation: ClassVar[str]
    transaction: str = Field(description="made by the asker, unique per key, [A-Za-z0-9_-]{8,64}; kept for ever")
    who: Plain = Field(min_length=1, max_length=64, description="the person who asks")
    role: str
    issued_at: str = Field(description="instant of asking, by the site's calendar")
    valid_until: str = Field(description="afterwards the request is refused; usually two minutes later")
    login: Plain | None = Field(
        default=None, min_length=1, max_length=64,
        description="at a shell: the operating system's user who asks, whatever `who` says; written down",
    )  # fmt: skip


class Approve(Request):
    """Agree to another person's proposal (R32)."""

    proposal: str
    why: Plain = Field(default="", max_length=200)


class Reject(Request):
    """Say no to a proposal, or take one's own back, with a reason (R32)."""

    proposal: str
    why: Plain = Field(min_length=1, max_length=200)
