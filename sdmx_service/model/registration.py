"""Registrations of data sources, and what becomes of what is submitted to a registry (SDMX 3.1, package *registry*)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from sdmx_service.model.urn import Ref

SubmissionAction = Literal["Append", "Replace", "Delete", "Merge"]
"""Actions of registry messages; ``Merge`` only since 3.1, where ``Append`` means the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryableSource:
    """A service that answers queries (*QueryableDataSource*)."""

    url: str
    is_rest: bool = True
    is_web_service: bool = False
    wsdl: str | None = None
    wadl: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """That data of a provision agreement are found at a source (*Registration*).

    Attributes:
        id: given by the registry; empty in a request that asks for a new one.
        agreement: the provision agreement.
        queryable: a service to ask.
        simple: the address of a file.
        valid_from, valid_to: xs:dateTime as sent.
        updated_at: xs:dateTime of the last change.
        indexed: what a registry is to index, of ``TimeSeries DataSet Attributes ReportingPeriod``.
    """

    id: str = ""
    agreement: Ref
    queryable: QueryableSource | None = None
    simple: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    updated_at: str | None = None
    indexed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The registration as a store keeps it."""
        source = self.queryable
        return {
            "id": self.id, "agreement": self.agreement.urn, "simple": self.simple,
            "queryable": None if source is None else {
                "url": source.url, "is_rest": source.is_rest, "is_web_service": source.is_web_service,
                "wsdl": source.wsdl, "wadl": source.wadl,
            },
            "valid_from": self.valid_from, "valid_to": self.valid_to, "updated_at": self.updated_at,
            "indexed": list(self.indexed),
        }  # fmt: skip

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Registration:
        """The registration that ``to_json`` said."""
        source = document["queryable"]
        return cls(
            id=document["id"],
            agreement=Ref.parse(document["agreement"]),
            queryable=None if source is None else QueryableSource(**source),
            simple=document["simple"],
            valid_from=document["valid_from"],
            valid_to=document["valid_to"],
            updated_at=document["updated_at"],
            indexed=tuple(document["indexed"]),
        )

    def named(self, id: str) -> Registration:
        """The same under an id."""
        return replace(self, id=id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one thing that was submitted (*SubmissionResult*, *RegistrationStatus*).

    Attributes:
        subject: the artefact, or the registration as it is now, or as it was sent where it was refused.
        action: what was asked.
        code: the HTTP status of this one thing.
        text: in words.
    """

    subject: Ref | Registration
    action: SubmissionAction
    code: int
    text: str

    @property
    def is_success(self) -> bool:
        """It was done."""
        return self.code < 400
