"""Who may do what: principals, the table of acts, tokens, accounts, sessions, and sign-in through OpenID Connect."""

from sdmx_service.auth.acts import ACTS, ROLES, Role
from sdmx_service.auth.gate import Gate
from sdmx_service.auth.principal import OPERATOR, Principal, service_does
from sdmx_service.auth.tokens import authenticate, create_token, revoke_token, rotate_token, tokens

__all__ = [
    "ACTS",
    "OPERATOR",
    "ROLES",
    "Gate",
    "Principal",
    "Role",
    "authenticate",
    "create_token",
    "revoke_token",
    "rotate_token",
    "service_does",
    "tokens",
]
