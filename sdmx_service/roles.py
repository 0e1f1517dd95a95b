"""The roles that people and programs may have; ``auth.acts`` says what each may do.

They stand here because the command line names them in its help, and loads nothing for it.
"""

from __future__ import annotations

from typing import Literal

Role = Literal["provider", "reader", "reviewer", "publisher", "administrator"]
ROLES: tuple[Role, ...] = ("provider", "reader", "reviewer", "publisher", "administrator")
