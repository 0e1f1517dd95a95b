"""The header of every message that goes out."""

from __future__ import annotations

from datetime import UTC, datetime

from sdmx_service.model.message import Header, Party


def header_from(sender: Party) -> Header:
    """A header prepared now; its id holds the second."""
    now = datetime.now(UTC).replace(microsecond=0)
    return Header(id=f"DF{now:%Y%m%d%H%M%S}", prepared=now, sender=sender)
