"""The sources of a dataflow as structures tell them: who has an agreement, who reports for itself, who comes first.

A provider may be bound to a code of a dimension by an annotation (type: the dimension, title: the code): an office that
reports for its own area. Anyone else is a partner that passes figures on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.errors import SemanticFault
from sdmx_service.model.artefact import Item
from sdmx_service.model.items import DataProviderScheme
from sdmx_service.model.selection import Cube, Key, Selection, dataflow_name, provider_name
from sdmx_service.model.structure import Dataflow, DataStructure, ProvisionAgreement
from sdmx_service.storage.port import Ranking

PRECEDENCE: Final = "PRECEDENCE"
"""Type of the annotation of a provision agreement whose title is its provider's place, 1 the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A dataflow with its structure, of whose sources something is asked."""

    dataflow: Dataflow
    structure: DataStructure
    catalog: Catalog

    @classmethod
    def of(cls, dataflow: Dataflow, catalog: Catalog) -> Flow:
        """The dataflow as sources are asked of it."""
        return cls(dataflow=dataflow, structure=catalog.structure_of(dataflow), catalog=catalog)

    @property
    def name(self) -> str:
        """As storage names it."""
        return dataflow_name(self.dataflow.ref)

    def selection(self, release: int, keys: tuple[Key, ...] = ()) -> Selection:
        """Every provider's own figures at a release."""
        return Selection(
            structure=self.structure,
            cube=Cube.of(self.structure),
            context="provisionagreement",
            release=release,
            dataflows=(self.name,),
            keys=keys,
        )

    def homes(self) -> Mapping[str, tuple[str, str]]:
        """Provider -> the dimension and the code that it reports for itself, where it is bound to one."""
        found: dict[str, tuple[str, str]] = {}
        for scheme in self.catalog.of_type("DataProviderScheme"):
            assert isinstance(scheme, DataProviderScheme)
            for item in scheme.items:
                for note in item.annotations:
                    if note.type in self.structure.dimension_ids and note.title:
                        found[f"{scheme.agency}.{item.id}"] = (note.type, note.title)
        return found

    def agreed(self) -> Mapping[str, ProvisionAgreement]:
        """Provider -> its agreement for the dataflow."""
        home = (self.dataflow.agency, self.dataflow.id)
        return {
            provider_name(one.provider): one
            for one in self.catalog.of_type("ProvisionAgreement")
            if isinstance(one, ProvisionAgreement) and (one.dataflow.agency, one.dataflow.id) == home
        }


def derived(flow: Flow) -> list[str]:
    """The precedence that the provision agreements say: ``PRECEDENCE``, then who reports for itself, then by name."""
    homes = flow.homes()

    def place(provider: str, agreement: ProvisionAgreement) -> tuple[int, bool, str]:
        note = agreement.annotation(PRECEDENCE)
        said = (note.title or "") if note is not None else ""
        return (int(said) if said.isdigit() else 1_000_000, provider not in homes, provider)

    return [name for _, _, name in sorted(place(name, one) for name, one in flow.agreed().items())]


def with_precedence(ranking: Ranking, flow: Flow, providers: Sequence[str]) -> Ranking:
    """The ranking with another order of a dataflow's providers."""
    return Ranking(providers={**ranking.providers, flow.name: list(providers)}, dataflows=ranking.dataflows)


def reporting_dimension(flow: Flow, wanted: str | None = None) -> str:
    """The dimension that coverage is told by: the one asked for, or that whose codes providers are bound to.

    Raises:
        SemanticFault: it is no dimension, or nothing says which.
    """
    known = flow.structure.dimension_ids
    if wanted is not None:
        if wanted not in known:
            raise SemanticFault(
                f"{wanted} is no dimension of {flow.dataflow.ref.text}.", hint=f"Say {', '.join(known)}."
            )
        return wanted
    bound = {dimension for dimension, _ in flow.homes().values()}
    if len(bound) != 1:
        raise SemanticFault(
            f"No provider of {flow.dataflow.ref.text} is bound to one dimension.", hint=f"Say by={'|'.join(known)}."
        )
    return bound.pop()


def codes_of(flow: Flow, dimension: str) -> Mapping[str, Item]:
    """The codes of a dimension, by id; none where it has no list that is here."""
    found = flow.structure.component(dimension)
    ref = None if found is None or found.representation is None else found.representation.enumeration
    return flow.catalog.items(ref) if ref is not None and flow.catalog.lookup(ref) is not None else {}


def names_of(flow: Flow, dimension: str, languages: Sequence[str]) -> Mapping[str, str]:
    """The names of a dimension's codes."""
    return {id: one.name(languages) for id, one in codes_of(flow, dimension).items()}
