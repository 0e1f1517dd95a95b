"""A principal: somebody who was recognised, and what the table of acts lets them do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sdmx_service.auth.acts import ACTS, ActId, Role
from sdmx_service.errors import NotAllowed
from sdmx_service.model.selection import provider_name
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Act

Kind = Literal["person", "system"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who showed a valid token or signed in, or the operator at the command line.

    Attributes:
        id: a public id: of the token, ``NAME@local`` of an account, ``...@openid`` of who signed in elsewhere.
        role: ``provider`` submits for one data provider; ``reader`` sees embargoed data before their hour;
            ``reviewer`` sees and approves submissions; ``publisher`` submits for any, approves and publishes;
            ``administrator`` may do everything.
        provider: the provider's name (``AGENCY.ID``) for the role ``provider``.
        kind: a person, or a program.
        name: how it is called; for people.
        dataflows: the dataflows (``AGENCY:ID``) it is limited to; None: no such limit.
    """

    id: str
    role: Role
    provider: str | None = None
    kind: Kind = "system"
    name: str = ""
    dataflows: frozenset[str] | None = None

    def may(self, act: ActId, *, provider: str | None = None, sender: str | None = None) -> bool:
        """Whether it may do something, perhaps to what a provider owns or a principal sent.

        Args:
            act: a row of the table.
            provider: whose it is, by name; with neither this nor ``sender`` the question is whether it may at all.
            sender: id of the principal who sent it.
        """
        row = ACTS[act]
        reach = row.reaches[self.role]
        if reach == "none" or (self.dataflows is not None and not row.by_dataflow):
            return False
        if reach == "all" or (provider is None and sender is None):
            return True
        return sender == self.id or (self.provider is not None and provider == self.provider)

    def must(self, act: ActId, *, provider: str | None = None, sender: str | None = None) -> None:
        """Refuse who may not.

        Raises:
            NotAllowed: the table does not let it.
        """
        if self.may(act, provider=provider, sender=sender):
            return
        whose = f" for {provider}" if provider else ""
        raise NotAllowed(f"{self.id} may not {ACTS[act].what}{whose}.", hint=self.limits)

    def does(self, act: str, object: str, reason: str = "", **details: Any) -> Act:  # noqa: A002 - as the log says it
        """What it does, for the log; see ``storage.port.Act``."""
        return Act(principal=self.id, role=self.role, act=act, object=object, reason=reason, details=details)

    @property
    def limits(self) -> str:
        """What it is bound to, in a sentence."""
        flows = "" if self.dataflows is None else f", limited to {', '.join(sorted(self.dataflows))}"
        return f"It is bound to {self.provider}{flows}." if self.provider else f"Its role is {self.role}{flows}."

    def covers(self, dataflows: Iterable[Ref | str]) -> bool:
        """Whether every one of the dataflows is within its limit (references, or text ``AGENCY:ID(VERSION)``)."""
        if self.dataflows is None:
            return True
        names = (one.partition("(")[0] if isinstance(one, str) else f"{one.agency}:{one.id}" for one in dataflows)
        return all(name in self.dataflows for name in names)

    def must_send(self, provider: Ref, dataflow: Ref) -> None:
        """Refuse who may not send figures of that provider to that dataflow.

        Raises:
            NotAllowed: the provider is another, or the dataflow is outside its limit.
        """
        if not self.may_submit(provider):
            raise NotAllowed(f"{self.id} may not send data of {provider_name(provider)}.", hint=self.limits)
        if not self.covers((dataflow,)):
            raise NotAllowed(f"{self.id} may not send data to {dataflow.text}.", hint=self.limits)

    def may_submit(self, provider: Ref | None) -> bool:
        """Whether it may send data of that provider."""
        return provider is not None and self.may("submit", provider=provider_name(provider))

    @property
    def may_review(self) -> bool:
        """Whether it may see every submission and approve or refuse one."""
        return self.may("review")

    @property
    def may_publish(self) -> bool:
        """Whether it may publish, withdraw and restore."""
        return self.may("publish")

    def must_publish(self) -> None:
        """Refuse who may not publish.

        Raises:
            NotAllowed: the role is not enough.
        """
        if not self.may_publish:
            raise NotAllowed(f"{self.id} may not publish.", hint="Ask for a token with the role publisher.")

    @property
    def may_maintain(self) -> bool:
        """Whether it may change structures and registrations."""
        return self.may("maintain")

    def must_maintain(self) -> None:
        """Refuse who may not change structures and registrations.

        *Choice*: whoever publishes data may change what describes them; a token of a provider may not.

        Raises:
            NotAllowed: the role is not enough.
        """
        if not self.may_maintain:
            raise NotAllowed(
                f"{self.id} may not change structures or registrations.",
                hint="Ask for a token with the role publisher.",
            )


OPERATOR = Principal(id="operator", role="administrator")
"""Who sits at the store itself: the command line without a service."""


def service_does(act: str, object: str, reason: str = "", **details: Any) -> Act:  # noqa: A002
    """What the service does by itself, for the log: a check's verdict, what is due at its hour."""
    return Act(principal="service", role="service", act=act, object=object, reason=reason, details=details)
