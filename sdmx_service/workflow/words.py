"""What people say to each other: comments and reasons, bounded."""

from __future__ import annotations

from sdmx_service.errors import SyntaxFault

LONGEST = 4000
"""Characters of a comment or reason at most."""


def fitting(text: str) -> str:
    """The text without white space around it.

    Raises:
        SyntaxFault: it is too long.
    """
    if len(text) > LONGEST:
        raise SyntaxFault(f"The text has {len(text)} characters, and {LONGEST} fit.", hint="Say it shorter.")
    return text.strip()


def reason(text: str, act: str) -> str:
    """The reason for an act.

    Raises:
        SyntaxFault: there is none, or it is too long.
    """
    if not text.strip():
        raise SyntaxFault(f"To {act} needs a reason.", hint="Others read it.")
    return fitting(text)
