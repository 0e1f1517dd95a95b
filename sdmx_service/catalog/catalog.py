"""The catalog: every artefact by reference, late-bound references resolved, structures ready for data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property
from typing import Any, TypeVar

from sdmx_service.catalog.agreements import Agreements, is_draft
from sdmx_service.catalog.collection import Collection
from sdmx_service.catalog.extension import extended_codes
from sdmx_service.catalog.layout import Layout
from sdmx_service.catalog.metadata_usage import metadata_attributes
from sdmx_service.catalog.questionnaire import Questionnaire
from sdmx_service.catalog.rules import RuleSet
from sdmx_service.catalog.sign_off import SignOff, sign_off_for
from sdmx_service.errors import NotFound, UnresolvedReference
from sdmx_service.model.artefact import NO_TEXTS, Item, Maintainable, Texts
from sdmx_service.model.confidentiality import Confidentiality, PublicView
from sdmx_service.model.constraint import DataConstraint
from sdmx_service.model.items import Codelist, ConceptScheme, ValueList
from sdmx_service.model.message import Labels, Target
from sdmx_service.model.registration import Registration
from sdmx_service.model.representation import Representation
from sdmx_service.model.selection import Cube, dataflow_name, provider_name
from sdmx_service.model.structure import (
    Attribute,
    Component,
    Dataflow,
    DataStructure,
    MetadataStructure,
    ProvisionAgreement,
)
from sdmx_service.model.urn import Ref, Version, parse_ref, select_versions

ComponentT = TypeVar("ComponentT", bound=Component)
_Home = tuple[str, str, str]
_MOST_KEPT = 20_000


@dataclass(frozen=True)
class Catalog:
    """An immutable state of all artefacts, layouts, rule sets and questionnaires.

    Attributes:
        artefacts: every artefact, by exact reference.
        layouts: mapping layouts by id.
        rule_sets: the rules, by id.
        questionnaires: every revision, by ``ID(REVISION)``.
        registrations: the registered data sources, by id.
        sign_offs: what has to happen before figures are published, by id.
        collections: what is collected from whom every year, by id.
        confidentiality: the confidentiality documents, by id.
        generation: the store's number of this state.
    """

    artefacts: Mapping[Ref, Maintainable]
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    rule_sets: Mapping[str, RuleSet] = field(default_factory=dict)
    questionnaires: Mapping[str, Questionnaire] = field(default_factory=dict)
    registrations: Mapping[str, Registration] = field(default_factory=dict)
    sign_offs: Mapping[str, SignOff] = field(default_factory=dict)
    collections: Mapping[str, Collection] = field(default_factory=dict)
    confidentiality: Mapping[str, Confidentiality] = field(default_factory=dict)
    generation: int = 0

    @classmethod
    def of(cls, artefacts: Iterable[Maintainable], **rest: object) -> Catalog:
        """A catalog of these artefacts; a later one of the same reference replaces an earlier one."""
        return cls(artefacts={artefact.ref: artefact for artefact in artefacts}, **rest)  # type: ignore[arg-type]

    # --- finding -----------------------------------------------------------------------------------------------
    @cached_property
    def _homes(self) -> Mapping[_Home, tuple[str, ...]]:
        """(class, agency, id) -> versions, lowest first."""
        homes: dict[_Home, list[str]] = defaultdict(list)
        for ref in self.artefacts:
            homes[ref.type, ref.agency, ref.id].append(ref.version)
        return {home: tuple(sorted(versions, key=Version.parse)) for home, versions in homes.items()}

    def versions(self, type: str, agency: str, id: str) -> tuple[str, ...]:  # noqa: A002 - the standard's words
        """The versions of an artefact, lowest first."""
        return self._homes.get((type, agency, id), ())

    def lookup(self, ref: Ref) -> Maintainable | None:
        """The artefact a reference means (late-bound ones: the version that fits), or None."""
        whole = ref.maintainable
        found = self.artefacts.get(whole)
        if found is not None or whole.is_exact:
            return found
        if whole not in self._late:
            chosen = select_versions((whole.version_pattern,), self.versions(whole.type, whole.agency, whole.id))
            self._late[whole] = self.artefacts.get(whole.with_version(chosen[-1])) if chosen else None
        return self._late[whole]

    @cached_property
    def _late(self) -> dict[Ref, Maintainable | None]:
        """Late-bound references that were looked up."""
        return {}

    def artefact(self, ref: Ref) -> Maintainable:
        """The artefact a reference means.

        Raises:
            UnresolvedReference: it is not here; the hint names what comes near.
        """
        found = self.lookup(ref)
        if found is None:
            raise UnresolvedReference(f"{ref.type} {ref.text} is not in the catalog.", hint=self._nearest(ref))
        return found

    def _nearest(self, ref: Ref) -> str:
        others = self.versions(ref.type, ref.agency, ref.id)
        if others:
            return f"There are the versions {', '.join(others)}."
        names = {f"{one.agency}:{one.id}": one for one in self.artefacts if one.type == ref.type}
        near = get_close_matches(f"{ref.agency}:{ref.id}", names, n=3, cutoff=0.5)
        return f"Near: {', '.join(near)}." if near else ""

    def of_type(self, type: str) -> Iterator[Maintainable]:  # noqa: A002
        """All artefacts of a class, ordered by reference."""
        return (self.artefacts[ref] for ref in self._ordered if ref.type == type)

    @cached_property
    def _ordered(self) -> tuple[Ref, ...]:
        return tuple(sorted(self.artefacts))

    def named(self, text: str, type: str) -> Maintainable:  # noqa: A002
        """The artefact a person means by ``AGENCY:ID(VERSION)``, ``AGENCY:ID``, a URN or an id that is unique.

        Where no version is said, the latest of the most settled is taken (``settled``): a draft or a version 0.y.z only
        if there is nothing else.

        Raises:
            NotFound: nothing fits, or an id fits several; the candidates are listed.
        """
        wanted = parse_ref(text, type)
        fitting = [ref for ref in self._ordered if ref.type == type and wanted.matches(ref)]
        homes = {(ref.agency, ref.id) for ref in fitting}
        if len(homes) == 1:
            return max((self.artefacts[ref] for ref in fitting), key=settled)
        if homes:
            candidates = ", ".join(f"{agency}:{id}" for agency, id in sorted(homes))
            raise NotFound(f"{text!r} is not unique among {type}s.", hint=f"Say which: {candidates}.")
        known = {ref.id: ref for ref in self._ordered if ref.type == type}
        near = get_close_matches(wanted.id, known, n=3, cutoff=0.4)
        raise NotFound(
            f"There is no {type} {text!r}.", hint=f"Near: {', '.join(known[id].text for id in near)}." if near else ""
        )

    # --- references --------------------------------------------------------------------------------------------
    def children(self, artefact: Maintainable) -> tuple[Maintainable, ...]:
        """The artefacts it refers to, those that are here."""
        found = (self.lookup(ref) for ref in artefact.references())
        return tuple({one.ref: one for one in found if one is not None}.values())

    @cached_property
    def _parents(self) -> Mapping[Ref, tuple[Ref, ...]]:
        parents: dict[Ref, dict[Ref, None]] = defaultdict(dict)
        for ref in self._ordered:
            for child in self.children(self.artefacts[ref]):
                parents[child.ref][ref] = None
        return {child: tuple(found) for child, found in parents.items()}

    def parents(self, artefact: Maintainable) -> tuple[Maintainable, ...]:
        """The artefacts that refer to it (late-bound references count for the version they mean)."""
        return tuple(self.artefacts[ref] for ref in self._parents.get(artefact.ref, ()))

    # --- data --------------------------------------------------------------------------------------------------
    def structure(self, ref: Ref) -> DataStructure:
        """The data structure with every component's representation resolved (``Component.form``)."""
        cache = self._structures
        artefact = self.artefact(ref)
        if artefact.ref not in cache:
            if not isinstance(artefact, DataStructure):
                raise UnresolvedReference(f"{ref.text} is a {artefact.type}, not a data structure.")
            cache[artefact.ref] = self._resolve(artefact)
        return cache[artefact.ref]

    @cached_property
    def _structures(self) -> dict[Ref, DataStructure]:
        return {}

    def _resolve(self, structure: DataStructure) -> DataStructure:
        def resolved(component: ComponentT) -> ComponentT:
            if component.representation is not None:
                return component
            return replace(component, resolved=self.core_representation(component.concept))

        time = structure.time_dimension
        return replace(
            structure,
            dimensions=tuple(map(resolved, structure.dimensions)),
            time_dimension=None if time is None else resolved(time),
            attributes=(*map(resolved, structure.attributes), *self._metadata_attributes(structure)),
            measures=tuple(map(resolved, structure.measures)),
        )

    def _metadata_attributes(self, structure: DataStructure) -> tuple[Attribute, ...]:
        if structure.metadata_structure is None or not structure.metadata_usages:
            return ()
        found = self.lookup(structure.metadata_structure)
        if not isinstance(found, MetadataStructure):
            return ()
        return metadata_attributes(structure, found, self.core_representation)

    def core_representation(self, concept: Ref) -> Representation | None:
        """The representation that a concept has of its own; None if it has none or is not here."""
        scheme = self.lookup(concept)
        if not isinstance(scheme, ConceptScheme) or concept.item is None:
            return None
        item = scheme.item(concept.item)
        return None if item is None else item.core_representation

    def dataflow(self, ref: Ref) -> Dataflow:
        """The dataflow of a reference."""
        artefact = self.artefact(ref)
        if not isinstance(artefact, Dataflow):
            raise UnresolvedReference(f"{ref.text} is a {artefact.type}, not a dataflow.")
        return artefact

    def structure_of(self, dataflow: Dataflow) -> DataStructure:
        """The resolved structure of a dataflow."""
        if dataflow.structure is None:
            raise UnresolvedReference(f"The dataflow {dataflow.ref.text} names no structure.")
        return self.structure(dataflow.structure)

    def target(self, ref: Ref) -> Target:
        """What a message's reference to a structure, dataflow or provision agreement means (``message.Resolve``)."""
        artefact = self.artefact(ref)
        if isinstance(artefact, DataStructure):
            return Target(structure=self.structure(artefact.ref))
        if isinstance(artefact, Dataflow):
            return Target(structure=self.structure_of(artefact), dataflow=artefact.ref)
        if isinstance(artefact, ProvisionAgreement):
            flow = self.dataflow(artefact.dataflow)
            return Target(structure=self.structure_of(flow), dataflow=flow.ref, provider=artefact.provider)
        raise UnresolvedReference(f"{ref.type} {ref.text} does not describe data.")

    def codes(self, component: Component) -> Mapping[str, Item] | None:
        """The items of a coded component's enumeration, extensions resolved, in the list's order; None if uncoded.

        An enumeration that is not here raises ``UnresolvedReference``.
        """
        return None if component.form.enumeration is None else self.items(component.form.enumeration)

    def items(self, ref: Ref) -> Mapping[str, Item]:
        """The items of a codelist or value list by id, extensions resolved; also of a concept scheme (2.1 measures)."""
        cache = self._items
        scheme = self.artefact(ref)
        if scheme.ref not in cache:
            if not isinstance(scheme, Codelist | ValueList | ConceptScheme):
                raise UnresolvedReference(f"{ref.text} is a {scheme.type}, not an enumeration.")
            items = self.extended(scheme).items if isinstance(scheme, Codelist) else scheme.items
            cache[scheme.ref] = {item.id: item for item in items}
        return cache[scheme.ref]

    @cached_property
    def _items(self) -> dict[Ref, Mapping[str, Item]]:
        return {}

    def extended(self, codelist: Codelist) -> Codelist:
        """The codelist with its extensions resolved (SDMX 3.1 technical notes, *codelist extension*).

        Own codes win over extending ones; a later extension wins over an earlier one.
        """
        if not codelist.extensions:
            return codelist
        return replace(codelist, items=extended_codes(self.artefact, codelist), extensions=())

    def sign_off(self, dataflows: Iterable[Ref]) -> SignOff:
        """What has to happen before figures of these dataflows are published."""
        return sign_off_for(dataflows, self.sign_offs.values())

    def confidentiality_of(self, structure: DataStructure) -> Confidentiality | None:
        """The document that says which figures of a structure are confidential; None where there is none."""
        cube, found = Cube.of(structure), None
        for id in sorted(self.confidentiality):
            if cube in self.confidentiality[id].structures:
                found = self.confidentiality[id]
        return found

    def public_view(self, dataflow: Dataflow) -> PublicView:
        """What the public sees of a dataflow beyond what its senders mark."""
        document = self.confidentiality_of(self.structure_of(dataflow))
        found = None if document is None else document.dataflows.get(dataflow_name(dataflow.ref))
        return found or PublicView()

    @cached_property
    def agreements(self) -> Agreements:
        """The provision agreements, drafts apart."""
        return Agreements.of(self.of_type("ProvisionAgreement"))

    def may_provide(self, provider: Ref, dataflow: Ref, moment: datetime | None = None) -> bool:
        """Whether a provider has an agreement in force for a dataflow, whatever the version; by default now."""
        return self.agreements.is_open(dataflow) or bool(self.agreements.in_force(provider, dataflow, moment))

    @cached_property
    def constraints(self) -> Mapping[Ref, tuple[DataConstraint, ...]]:
        """The constraints on what may be, by what each hangs on (exact references), providers apart."""
        found: dict[Ref, dict[Ref, DataConstraint]] = defaultdict(dict)
        for one in self._allowing:
            for held in (self.lookup(ref) for ref in one.attachments if ref.type != "DataProvider"):
                if held is not None:
                    found[held.ref][one.ref] = one
        return {ref: tuple(ones.values()) for ref, ones in found.items()}

    @cached_property
    def provider_constraints(self) -> Mapping[str, tuple[DataConstraint, ...]]:
        """The constraints on what data providers may send, by the provider's name."""
        found: dict[str, dict[Ref, DataConstraint]] = defaultdict(dict)
        for one in self._allowing:
            for ref in one.attachments:
                if ref.type == "DataProvider":
                    found[provider_name(ref)][one.ref] = one
        return {name: tuple(ones.values()) for name, ones in found.items()}

    @cached_property
    def _allowing(self) -> tuple[DataConstraint, ...]:
        """Of each constraint on what may be the latest version that is no draft (SDMX 3.1 technical notes)."""
        every = (one for one in self.of_type("DataConstraint") if isinstance(one, DataConstraint) and not is_draft(one))
        latest = {(one.agency, one.id): one for one in every}  # of two versions the higher came later
        return tuple(one for one in latest.values() if one.role != "Actual")

    def labels(self, structure: DataStructure, domains: Mapping[str, Iterable[str]] | None, of: Maintainable) -> Labels:
        """Names of components and of the codes in ``domains`` (all codes where None), looked up when they are read."""
        if len(self._kept) > _MOST_KEPT:
            self._kept.clear()
        return Labels(
            components=self.component_names(structure),
            codes=CodeNames(self, structure, domains),
            structure=of.names,
            kept=self._kept,
        )

    @cached_property
    def _kept(self) -> dict[Hashable, Any]:
        """What writers keep while these names hold."""
        return {}

    def component_names(self, structure: DataStructure) -> Mapping[str, Texts]:
        """The names of a structure's components, by id: their own, else those of their concepts."""
        cache = self._names_of_components
        if structure.ref not in cache:
            cache[structure.ref] = {one.id: one.names or self._concept_names(one) for one in structure.components}
        return cache[structure.ref]

    @cached_property
    def _names_of_components(self) -> dict[Ref, Mapping[str, Texts]]:
        return {}

    def _concept_names(self, component: Component) -> Texts:
        scheme = self.lookup(component.concept)
        if not isinstance(scheme, ConceptScheme) or component.concept.item is None:
            return NO_TEXTS
        item = scheme.item(component.concept.item)
        return NO_TEXTS if item is None else item.names

    def dataflows_of(self, structure: Ref) -> tuple[Dataflow, ...]:
        """The dataflows whose structure is of that agency, id and major version."""
        found = []
        for artefact in self.of_type("Dataflow"):
            if not isinstance(artefact, Dataflow) or artefact.structure is None:
                continue
            described = self.lookup(artefact.structure)
            if described is not None and (described.agency, described.id) == (structure.agency, structure.id):
                found.append(artefact)
        return tuple(found)


class CodeNames(Mapping[str, Mapping[str, Item]]):
    """Component id -> code -> item, of the codes that occur; each component is looked up when it is read first."""

    def __init__(self, catalog: Catalog, structure: DataStructure, domains: Mapping[str, Iterable[str]] | None) -> None:
        self._catalog = catalog
        self._domains = domains
        self._components = {one.id: one for one in structure.components if one.form.is_coded}
        self._found: dict[str, Mapping[str, Item]] = {}

    def __getitem__(self, id: str) -> Mapping[str, Item]:
        if id not in self._found:
            items = self._catalog.codes(self._components[id]) or {}
            wanted = items if self._domains is None else self._domains.get(id, ())
            self._found[id] = {code: items[code] for code in wanted if code in items}
        return self._found[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._components)

    def __len__(self) -> int:
        return len(self._components)


def settled(artefact: Maintainable) -> tuple[int, Version]:
    """What versions of an artefact are chosen by, the best last: how settled they are, then which is the latest.

    *Standard*: a stable version is semantic, has no extension and is not 0.y.z (SDMX 3.1 technical notes 4.3); before
    3.0 a flag says that one is final. A version with an extension is a draft.
    """
    version = Version.parse(artefact.version)
    if version.is_stable or (not version.is_semantic and artefact.is_final):
        return 2, version
    is_open = bool(version.extension) or (not version.is_semantic and artefact.is_final is False)
    return (0 if is_open else 1), version
