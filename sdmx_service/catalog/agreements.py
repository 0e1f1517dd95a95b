"""Who has agreed to send what: provision agreements that are in force.

Of each agreement the latest version counts that is no draft (SDMX 3.1 technical notes, *versioning*), and it counts
while it is valid. *Choice*: a dataflow that has an agreement, be it one that has ended, takes figures only under
agreements; without any, every provider may send. A draft changes nothing for anybody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sdmx_service.errors import SyntaxFault
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.period import parse_period
from sdmx_service.model.selection import provider_name
from sdmx_service.model.structure import ProvisionAgreement
from sdmx_service.model.urn import Ref, Version


def is_draft(artefact: Maintainable) -> bool:
    """Whether the version says that it is not settled yet (``1.0.0-draft``)."""
    return bool(Version.parse(artefact.version).extension)


def is_valid_at(artefact: Maintainable, moment: datetime) -> bool:
    """Whether a moment is within ``validFrom`` and ``validTo``, both inclusive; a bound that is no time shuts."""
    second = moment.timestamp()
    try:
        starts = artefact.valid_from is None or parse_period(artefact.valid_from).start <= second
        return starts and (artefact.valid_to is None or second < parse_period(artefact.valid_to).end)
    except SyntaxFault:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreements:
    """The provision agreements of a catalog.

    Attributes:
        settled: dataflow (``AGENCY:ID``) -> provider (by name) -> its agreements that are no drafts, the latest of
            each; valid or not.
        drafts: the same of agreements that are drafts in every version.
    """

    settled: Mapping[str, Mapping[str, tuple[ProvisionAgreement, ...]]]
    drafts: Mapping[str, Mapping[str, tuple[ProvisionAgreement, ...]]]

    @classmethod
    def of(cls, artefacts: Iterable[Maintainable]) -> Agreements:
        """Those among artefacts that come with their lower versions first."""
        latest: dict[tuple[str, str], ProvisionAgreement] = {}
        drafts: dict[tuple[str, str], ProvisionAgreement] = {}
        for one in artefacts:
            if isinstance(one, ProvisionAgreement):
                (drafts if is_draft(one) else latest)[one.agency, one.id] = one
        only = [one for home, one in drafts.items() if home not in latest]
        return cls(settled=_by_flow(latest.values()), drafts=_by_flow(only))

    def is_open(self, dataflow: Ref) -> bool:
        """Whether a dataflow has no agreement, valid or not; drafts do not count."""
        return _flow(dataflow) not in self.settled

    def between(self, provider: Ref, dataflow: Ref) -> tuple[ProvisionAgreement, ...]:
        """The settled agreements of a provider for a dataflow of whatever version, valid or not."""
        return self.settled.get(_flow(dataflow), {}).get(provider_name(provider), ())

    def in_force(self, provider: Ref, dataflow: Ref, moment: datetime | None = None) -> tuple[ProvisionAgreement, ...]:
        """Those that are valid at a moment, by default now."""
        when = moment or datetime.now(UTC)
        return tuple(one for one in self.between(provider, dataflow) if is_valid_at(one, when))

    def dataflows(self, provider: Ref, moment: datetime | None = None) -> tuple[str, ...]:
        """The dataflows (``AGENCY:ID``) for which a provider has an agreement in force, in order."""
        name, when = provider_name(provider), moment or datetime.now(UTC)
        return tuple(
            flow
            for flow, providers in self.settled.items()
            if any(is_valid_at(one, when) for one in providers.get(name, ()))
        )

    def shortfall(self, provider: Ref, dataflow: Ref) -> str:
        """Why what is there gives no right: drafts and agreements outside their time; empty if nothing is there."""
        told = [
            f"{one.ref.text}, valid from {one.valid_from or 'ever'} to {one.valid_to or 'ever'}"
            for one in self.between(provider, dataflow)
        ]
        drafts = self.drafts.get(_flow(dataflow), {}).get(provider_name(provider), ())
        return "; ".join([*told, *(f"{one.ref.text}, a draft" for one in drafts)])


def _flow(dataflow: Ref) -> str:
    return f"{dataflow.agency}:{dataflow.id}"


def _by_flow(
    agreements: Iterable[ProvisionAgreement],
) -> Mapping[str, Mapping[str, tuple[ProvisionAgreement, ...]]]:
    found: dict[str, dict[str, list[ProvisionAgreement]]] = defaultdict(lambda: defaultdict(list))
    for one in agreements:
        found[_flow(one.dataflow)][provider_name(one.provider)].append(one)
    return {flow: {name: tuple(ones) for name, ones in found[flow].items()} for flow in sorted(found)}
