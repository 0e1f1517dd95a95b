"""The sources of a dataflow as structures tell them: who has an agreement, who reports for itself, who comes first.

A provider may be bound to a code of a dimension by an annotation (type: the dimension, title: the code): an office that
reports for its own area. Anyone else is a partner that passes figures on. Who comes first where several give the same
figure is what structures say (``derived``), until somebody decides it (docs/decisions/0014).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.errors import SemanticFault
from sdmx_service.model.artefact import Annotation, Item
from sdmx_service.model.items import DataProviderScheme
from sdmx_service.model.selection import Cube, Key, Selection, dataflow_name, provider_name
from sdmx_service.model.structure import Dataflow, DataStructure, ProvisionAgreement
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Ranking

PRECEDENCE: Final = "PRECEDENCE"
"""Type of the annotation of a provision agreement, or of a provider, whose title is the provider's place, 1 the first.

That of the agreement counts for its dataflow; several may have the same place.
"""
_NOWHERE: Final = 1_000_000
"""The place of who has none."""


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


def providers_of(catalog: Catalog) -> Mapping[str, Ref]:
    """The data providers of every scheme, by the name that storage has for them (``AGENCY.ID``)."""
    return {
        f"{scheme.agency}.{item.id}": scheme.ref.to_item(item.id)
        for scheme in catalog.of_type("DataProviderScheme")
        if isinstance(scheme, DataProviderScheme)
        for item in scheme.items
    }


def derived(flow: Flow) -> list[str]:
    """The precedence that structures say: by ``PRECEDENCE``, then who reports for itself, then by name.

    Those who have an agreement for the dataflow.
    """
    homes, agreed = flow.homes(), flow.agreed()
    own = {
        f"{scheme.agency}.{item.id}": _place(item.annotations)
        for scheme in flow.catalog.of_type("DataProviderScheme")
        if isinstance(scheme, DataProviderScheme)
        for item in scheme.items
    }

    def place(provider: str) -> tuple[int, bool, str]:
        said = _place(agreed[provider].annotations) or own.get(provider) or _NOWHERE
        return said, provider not in homes, provider

    return sorted(agreed, key=place)


def _place(annotations: Iterable[Annotation]) -> int | None:
    """The place that an annotation says; None if none does, or not as a number."""
    said = next((one.title or "" for one in annotations if one.type == PRECEDENCE), "")
    return int(said) if said.isascii() and said.isdigit() else None


def with_precedence(ranking: Ranking, flow: Flow, first: Sequence[str] | None) -> Ranking:
    """The ranking in which these providers of a dataflow come first, and the others as structures say.

    Args:
        first: None: nobody decides, structures say it all.
    """
    heads = {name: list(said) for name, said in ranking.heads.items() if name != flow.name}
    if first is not None:
        heads[flow.name] = list(first)
    order = [*(first or ()), *(one for one in derived(flow) if one not in set(first or ()))]
    return replace(ranking, providers={**ranking.providers, flow.name: order}, decided=heads)


def as_structures_say(ranking: Ranking, flows: Iterable[Flow]) -> Ranking:
    """The ranking brought up to what structures say now of these dataflows; what somebody decided stays ahead."""
    for flow in flows:
        ranking = with_precedence(ranking, flow, ranking.heads.get(flow.name))
    return ranking


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
