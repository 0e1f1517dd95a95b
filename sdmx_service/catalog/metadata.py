"""Reference metadata against the structures: which metadata structure a set has, what its values are, what is wrong.

``check_metadata_set`` is for whoever takes sets in; ``typed`` gives a set as the formats want to write it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.errors import SdmxError
from sdmx_service.model.artefact import NO_TEXTS, Maintainable, Texts
from sdmx_service.model.facets import facet_problem
from sdmx_service.model.items import ConceptScheme
from sdmx_service.model.message import Action
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet, TargetPattern
from sdmx_service.model.representation import UNBOUNDED, Representation
from sdmx_service.model.structure import (
    Dataflow,
    MetadataAttribute,
    Metadataflow,
    MetadataProvisionAgreement,
    MetadataStructure,
    ProvisionAgreement,
)
from sdmx_service.model.urn import Ref, Version, VersionPattern

_ID = re.compile(r"[A-Za-z0-9_@$-]+", re.ASCII)
_AGENCY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z][A-Za-z0-9_-]*)*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataFault:
    """What is wrong with a metadata set, and where.

    Attributes:
        place: the dotted path of the metadata attribute, with ``[2]`` for a second value of one id; or the field of the
            set (``targets``, ``metadataflow``).
        value: what stands there, if it is a value.
        problem: what is wrong with it.
        hint: what to do about it; empty if nothing can be said.
    """

    place: str
    problem: str
    value: str | None = None
    hint: str = ""

    def __str__(self) -> str:
        """The fault as one readable line."""
        said = "" if self.value is None else f" ({self.value[:100]!r})"
        return f"{self.place}{said}: {self.problem}" + (f" {self.hint}" if self.hint else "")


# ---------------------------------------------------------------------------------------------------------- structures


def flow_of(metadata_set: MetadataSet, catalog: Catalog) -> Metadataflow | None:
    """The metadataflow that a set is reported against, perhaps through its agreement; None if it is not here."""
    found: Maintainable | None = (
        None if metadata_set.described_by is None else catalog.lookup(metadata_set.described_by)
    )
    if isinstance(found, MetadataProvisionAgreement):
        found = catalog.lookup(found.metadataflow)
    return found if isinstance(found, Metadataflow) else None


def metadata_structure_of(metadata_set: MetadataSet, catalog: Catalog) -> MetadataStructure | None:
    """The metadata structure of a set; None if it is not here."""
    ref = metadata_set.described_by
    if ref is None or ref.type != "MetadataStructure":
        flow = flow_of(metadata_set, catalog)
        ref = None if flow is None else flow.structure
    found = None if ref is None else catalog.lookup(ref)
    return found if isinstance(found, MetadataStructure) else None


def _flows_of(structure: Ref, catalog: Catalog) -> list[Metadataflow]:
    """The metadataflows of a metadata structure."""
    wanted = catalog.lookup(structure)
    flows = (
        one for one in catalog.of_type("Metadataflow") if isinstance(one, Metadataflow) and one.structure is not None
    )
    return [one for one in flows if wanted is not None and one.structure and catalog.lookup(one.structure) is wanted]


def attributes_of(structure: MetadataStructure) -> tuple[MetadataAttribute, ...]:
    """The metadata attributes of the first level, of all reports where SDMX 2.1 has these."""
    reported = (one for report in structure.reports for one in report.attributes)
    return tuple({one.id: one for one in (*reported, *structure.attributes)}.values())


def form_of(attribute: MetadataAttribute, catalog: Catalog) -> Representation:
    """The representation that holds for an attribute: its own, else its concept's, else plain text."""
    if attribute.representation is not None:
        return attribute.representation
    scheme = catalog.lookup(attribute.concept)
    if isinstance(scheme, ConceptScheme) and attribute.concept.item is not None:
        item = scheme.item(attribute.concept.item)
        if item is not None and item.core_representation is not None:
            return item.core_representation
    return Representation()


def sets_about(dataflow: Dataflow, catalog: Catalog) -> tuple[MetadataSet, ...]:
    """The latest sets that are about a dataflow or about what a provider sends for it, in order of reference.

    A target that is a pattern counts where it speaks of the dataflow itself.
    """
    found = []
    for one in catalog.of_type("MetadataSet"):
        latest = catalog.versions("MetadataSet", one.agency, one.id)[-1]
        if isinstance(one, MetadataSet) and one.version == latest:
            if any(_is_about(urn, dataflow, catalog) for urn in one.targets):
                found.append(one)
    return tuple(found)


def _is_about(urn: str, dataflow: Dataflow, catalog: Catalog) -> bool:
    target = TargetPattern.parse(urn)
    if target is None or target.item is not None:
        return False
    if target.type == "ProvisionAgreement" and "*" not in urn:
        agreement = catalog.lookup(Ref.parse(urn))
        return isinstance(agreement, ProvisionAgreement) and catalog.lookup(agreement.dataflow) is dataflow
    return (
        target.type == "Dataflow"
        and target.agency in ("*", dataflow.agency)
        and target.id in ("*", dataflow.id)
        and versions_meet(target.version, dataflow.version)
    )


def typed(metadata_set: MetadataSet, catalog: Catalog) -> MetadataSet:
    """The set with its structure, and each value with its data type, as far as they are known."""
    structure = metadata_structure_of(metadata_set, catalog)
    if structure is None:
        return metadata_set
    attributes = _typed(metadata_set.attributes, attributes_of(structure), catalog)
    return replace(metadata_set, structure=structure.ref, attributes=attributes)


def _typed(
    values: Sequence[MetadataAttributeValue], known: Sequence[MetadataAttribute], catalog: Catalog
) -> tuple[MetadataAttributeValue, ...]:
    by_id = {one.id: one for one in known}
    made = []
    for value in values:
        attribute = by_id.get(value.id)
        if attribute is not None:
            form = form_of(attribute, catalog)
            kind = "String" if form.is_coded else form.data_type
            value = replace(value, data_type=kind, attributes=_typed(value.attributes, attribute.items, catalog))
        made.append(value)
    return tuple(made)


class MetadataNames(Mapping[str, Texts]):
    """Names of what metadata sets refer to, looked up when they are read (``Message.names``)."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def __getitem__(self, key: str) -> Texts:
        _, _, said = key.partition("=")
        code = said.partition("=")[2]
        try:
            ref = Ref.parse(key.removesuffix(f"={code}") if code else key)
        except SdmxError:
            raise KeyError(key) from None
        if ref.type == "MetadataAttribute" and ref.item is not None:
            names = self._of_attribute(ref, ref.item, code)
        else:
            found = self._catalog.lookup(ref)
            item = None if found is None or ref.item is None else getattr(found, "item", _no_item)(ref.item)
            names = NO_TEXTS if found is None else found.names if ref.item is None else getattr(item, "names", NO_TEXTS)
        if not names:
            raise KeyError(key)
        return names

    def _of_attribute(self, ref: Ref, path: str, code: str) -> Texts:
        structure = self._catalog.lookup(ref)
        known = attributes_of(structure) if isinstance(structure, MetadataStructure) else ()
        attribute: MetadataAttribute | None = None
        for step in path.split("."):
            attribute = next((one for one in known if one.id == step), None)
            if attribute is None:
                return NO_TEXTS
            known = attribute.items
        assert attribute is not None
        if not code:
            return attribute.names or self._of_concept(attribute.concept)
        form = form_of(attribute, self._catalog)
        if form.enumeration is None or self._catalog.lookup(form.enumeration) is None:
            return NO_TEXTS
        item = self._catalog.items(form.enumeration).get(code)
        return NO_TEXTS if item is None else item.names

    def _of_concept(self, ref: Ref) -> Texts:
        scheme = self._catalog.lookup(ref)
        item = scheme.item(ref.item) if isinstance(scheme, ConceptScheme) and ref.item is not None else None
        return NO_TEXTS if item is None else item.names

    def __iter__(self) -> Iterator[str]:
        return iter(ref.urn for ref in self._catalog.artefacts)

    def __len__(self) -> int:
        return len(self._catalog.artefacts)


def _no_item(id: str) -> None:
    return None


# ------------------------------------------------------------------------------------------------------------ checking


def check_metadata_set(metadata_set: MetadataSet, catalog: Catalog) -> tuple[MetadataFault, ...]:
    """What is wrong with a set: against its metadata structure, its metadataflow and its agreement.

    Looked at: the set's own identity; that these are here; targets against what flow and agreement allow; unknown
    attributes, and those at the wrong place; values of presentational attributes; codes, types and facets; texts by
    language where there may be none; how often an attribute occurs. A set that deletes is asked for its structure and
    known attributes only.
    """
    if identity := tuple(_identity_faults(metadata_set)):
        return identity
    if metadata_set.described_by is None:
        return (MetadataFault(place="metadataflow", problem="the set does not say what it is reported against."),)
    structure = metadata_structure_of(metadata_set, catalog)
    if structure is None:
        return (_unresolved(metadata_set.described_by, catalog),)
    if flow_of(metadata_set, catalog) is None:
        return (_without_flow(metadata_set.described_by, catalog),)
    deletes = metadata_set.action is Action.DELETE
    faults = [] if deletes else [*_target_faults(metadata_set, catalog), *_provider_faults(metadata_set, catalog)]
    checker = _Checker(catalog, deletes)
    return (*faults, *checker.level(metadata_set.attributes, attributes_of(structure), structure, ""))


def _identity_faults(metadata_set: MetadataSet) -> Iterator[MetadataFault]:
    said = (
        ("id", metadata_set.id, _ID),
        ("agencyID", metadata_set.agency, _AGENCY),
        ("version", metadata_set.version, None),
    )
    for place, value, pattern in said:
        if not (_is_version(value) if pattern is None else pattern.fullmatch(value)):
            yield MetadataFault(place=place, value=value, problem=f"it is no {place}.")


def _is_version(text: str) -> bool:
    try:
        Version.parse(text)
    except SdmxError:
        return False
    return True


def _unresolved(ref: Ref, catalog: Catalog) -> MetadataFault:
    found = catalog.lookup(ref)
    if found is None:
        return MetadataFault(place="metadataflow", value=ref.text, problem=f"there is no such {ref.type} here.")
    below = ", ".join(one.text for one in found.references() if catalog.lookup(one) is None)
    return MetadataFault(
        place="metadataflow",
        value=ref.text,
        problem=f"it has no metadata structure here; not found: {below or 'none'}.",
    )


def _without_flow(ref: Ref, catalog: Catalog) -> MetadataFault:
    names = ", ".join(one.ref.text for one in _flows_of(ref, catalog))
    return MetadataFault(
        place="metadataflow",
        value=ref.text,
        problem="a set is reported against a metadataflow or a metadata provision agreement, not a structure alone.",
        hint=f"Its metadataflows are {names}." if names else "It has no metadataflow here.",
    )


def _target_faults(metadata_set: MetadataSet, catalog: Catalog) -> Iterator[MetadataFault]:
    if not metadata_set.targets:
        yield MetadataFault(place="targets", problem="the set does not say what it is about.")
    flow = flow_of(metadata_set, catalog)
    agreement = None if metadata_set.described_by is None else catalog.lookup(metadata_set.described_by)
    allowed = [] if flow is None else [(flow, flow.targets)]
    if isinstance(agreement, MetadataProvisionAgreement):
        allowed.append((agreement, agreement.targets))  # type: ignore[arg-type]
    for place, urn in enumerate(metadata_set.targets, 1):
        target = TargetPattern.parse(urn)
        if target is None:
            yield MetadataFault(place=f"targets[{place}]", value=urn, problem="it is not the URN of an artefact.")
            continue
        for artefact, patterns in allowed:
            if patterns and not any(_allows(pattern, target) for pattern in patterns):
                yield MetadataFault(
                    place=f"targets[{place}]",
                    value=urn,
                    problem=f"{artefact.type} {artefact.ref.text} does not allow it.",
                    hint=f"It allows {', '.join(patterns)}.",
                )


def _allows(pattern: str, target: TargetPattern) -> bool:
    """Whether a target is one of those that a pattern of URNs speaks of."""
    allowed = TargetPattern.parse(pattern)
    if allowed is None:
        return False
    if allowed.type != "Any" and allowed.type != target.type:
        return False
    pairs = ((allowed.agency, target.agency), (allowed.id, target.id), (allowed.item or "*", target.item or "*"))
    if any(mine not in ("*", theirs) and not mine.startswith("*.") for mine, theirs in pairs):
        return False
    return versions_meet(allowed.version, target.version)


def versions_meet(expression: str, version: str) -> bool:
    """Whether a version expression of a pattern speaks of a version, or of one that is an expression itself."""
    if expression in ("*", version) or version == "*":
        return True
    try:
        return VersionPattern.parse(expression, in_reference=True).matches(version)
    except SdmxError:
        return False


def _provider_faults(metadata_set: MetadataSet, catalog: Catalog) -> Iterator[MetadataFault]:
    found = None if metadata_set.described_by is None else catalog.lookup(metadata_set.described_by)
    if isinstance(found, MetadataProvisionAgreement) and metadata_set.agency not in names_of_provider(found.provider):
        yield MetadataFault(
            place="agencyID",
            value=metadata_set.agency,
            problem=f"the agreement {found.ref.text} is with another provider.",
            hint=f"Write {' or '.join(names_of_provider(found.provider))}.",
        )


def names_of_provider(provider: Ref) -> tuple[str, ...]:
    """How a set may name its provider as agency: ``AGENCY.PROVIDER``, or ``PROVIDER`` alone.

    *Standard*: a metadata set is maintained by its metadata provider; *choice*: both spellings, since the standard does
    not say which one.
    """
    return (f"{provider.agency}.{provider.item}", str(provider.item))


@dataclass(frozen=True, slots=True)
class _Checker:
    """Compares values with metadata attributes, level by level."""

    catalog: Catalog
    deletes: bool

    def level(
        self,
        values: Iterable[MetadataAttributeValue],
        known: Sequence[MetadataAttribute],
        structure: MetadataStructure,
        above: str,
    ) -> Iterator[MetadataFault]:
        """The faults of the values of one level and of those below them."""
        by_id = {one.id: one for one in known}
        counts: dict[str, int] = {}
        for value in values:
            counts[value.id] = counts.get(value.id, 0) + 1
            nth = f"[{counts[value.id]}]" if counts[value.id] > 1 else ""
            place = f"{above}{value.id}{nth}"
            attribute = by_id.get(value.id)
            if attribute is None:
                yield _unknown(value, place, by_id, structure)
                continue
            if not self.deletes:
                yield from self._value(value, attribute, place)
            yield from self.level(value.attributes, attribute.items, structure, f"{place}.")
        if not self.deletes:
            yield from _counts(counts, known, above)

    def _value(
        self, value: MetadataAttributeValue, attribute: MetadataAttribute, place: str
    ) -> Iterator[MetadataFault]:
        if attribute.is_presentational:
            if value.value is not None or value.texts:
                said = value.value or value.texts.text()
                yield MetadataFault(place=place, value=said, problem="it is a heading, and has no value of its own.")
            return
        form = form_of(attribute, self.catalog)
        if value.value is not None:
            yield from self._single(value.value, form, place)
        if value.texts and (form.is_coded or not _may_be_multilingual(form)):
            yield MetadataFault(
                place=place, value=value.texts.text(), problem="it has one value, and not texts by language."
            )
            return
        problem = facet_problem(form)
        for language, text in value.texts.items():
            if problem is not None and (expected := problem(text)) is not None:
                yield MetadataFault(place=f"{place}/{language}", value=text, problem=f"expected is {expected}.")

    def _single(self, value: str, form: Representation, place: str) -> Iterator[MetadataFault]:
        if form.enumeration is None:
            problem = facet_problem(form)
            if problem is not None and (expected := problem(value)) is not None:
                yield MetadataFault(place=place, value=value, problem=f"expected is {expected}.")
            return
        if self.catalog.lookup(form.enumeration) is None:
            problem_text = f"its list of codes {form.enumeration.text} is not here."
            yield MetadataFault(place=place, value=value, problem=problem_text)
            return
        items = self.catalog.items(form.enumeration)
        if value not in items:
            near = get_close_matches(value, items, n=3, cutoff=0.5)
            yield MetadataFault(
                place=place,
                value=value,
                problem=f"it is not in {form.enumeration.text}.",
                hint=f"Near: {', '.join(near)}." if near else "",
            )


def _may_be_multilingual(form: Representation) -> bool:
    """Whether texts by language may stand there: where it is said, and in XHTML (SDMX 3.1 ``StructuredText``)."""
    text_format = form.text_format
    if text_format is None or text_format.type == "XHTML":
        return True
    return text_format.is_multilingual is not False and text_format.type == "String"


def _unknown(
    value: MetadataAttributeValue, place: str, known: Mapping[str, MetadataAttribute], structure: MetadataStructure
) -> MetadataFault:
    homes = [path for path in _paths(attributes_of(structure)) if path.rpartition(".")[2] == value.id]
    near = homes or get_close_matches(value.id, known, n=3, cutoff=0.5)
    return MetadataFault(
        place=place,
        value=value.value,
        problem=f"{structure.ref.text} has no such metadata attribute here.",
        hint=f"{'It belongs at' if homes else 'Near:'} {', '.join(near)}." if near else "",
    )


def _paths(attributes: Sequence[MetadataAttribute], above: str = "") -> Iterator[str]:
    for one in attributes:
        yield f"{above}{one.id}"
        yield from _paths(one.items, f"{above}{one.id}.")


def _counts(counts: Mapping[str, int], known: Sequence[MetadataAttribute], above: str) -> Iterator[MetadataFault]:
    """Attributes that occur too rarely or too often; once is what a structure means that does not say (*standard*)."""
    for attribute in known:
        count = counts.get(attribute.id, 0)
        least = 1 if attribute.min_occurs is None else attribute.min_occurs
        most = 1 if attribute.max_occurs is None else attribute.max_occurs
        place = f"{above}{attribute.id}"
        if count < least:
            times = "it is mandatory" if least == 1 else f"it occurs at least {least} times"
            yield MetadataFault(place=place, problem=f"{times}, and is here {count} times.")
        if most != UNBOUNDED and isinstance(most, int) and count > most:
            yield MetadataFault(place=place, problem=f"it occurs at most {most} times, and is here {count} times.")
