"""Structures for clients of SDMX 2.1: said as its data messages say them, and without what it has no word for.

The writers refuse what a version cannot carry. That is right for a round trip and wrong for a client of SDMX 2.1, who
is sent the data of a structure and must be able to ask for the structure too. *Choice*: a data structure is told as
``formats.sdmx_ml.data_writer`` tells its data, and of several artefacts those that can be written are sent, while a
message in the footer names the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from sdmx_service.errors import CannotWrite
from sdmx_service.model.artefact import Texts
from sdmx_service.model.items import Concept, ConceptScheme, Hierarchy
from sdmx_service.model.message import Message
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.structure import Attribute, Dataflow, DataStructure, Measure, Metadataflow, Relationship

PRIMARY_MEASURE = "OBS_VALUE"
_LEFT_OUT = "206"
"""Code of the footer message; SDMX-REST keeps codes below 1000 for itself, and HTTP 206 says *part of it*."""


def for_2_1(message: Message) -> Message:
    """The message with structures as SDMX 2.1 has them."""
    return replace(message, structures=tuple(_older(one) for one in message.structures))


def _older(artefact: Any) -> Any:
    if isinstance(artefact, DataStructure):
        return _older_structure(artefact)
    if isinstance(artefact, ConceptScheme):
        return replace(artefact, items=tuple(_older_concept(one) for one in artefact.items))
    if isinstance(artefact, Dataflow) and artefact.dimension_constraint:
        return replace(artefact, dimension_constraint=())
    if isinstance(artefact, Hierarchy) and artefact.is_external_reference:
        return replace(artefact, items=())  # the one code that a stub has in 3.x, whose schema wants one
    if isinstance(artefact, Metadataflow) and artefact.targets:
        return replace(artefact, targets=())
    return artefact


def _older_structure(structure: DataStructure) -> DataStructure:
    """One measure called ``OBS_VALUE``, further ones as attributes of the observation; one text for each component."""
    primary = _primary(structure)
    if primary is None:
        return structure
    others = tuple(_as_attribute(one) for one in structure.measures if one is not primary)
    return replace(
        structure,
        dimensions=tuple(replace(one, representation=_one_value(one.representation)) for one in structure.dimensions),
        attributes=(*(_older_attribute(one) for one in structure.attributes), *others),
        measures=(replace(primary, id=PRIMARY_MEASURE, representation=_one_value(primary.representation)),),
        metadata_structure=None,
        metadata_usages=(),
        evolving_structure=None,
    )


def _primary(structure: DataStructure) -> Measure | None:
    named = (one for one in structure.measures if one.id == PRIMARY_MEASURE)
    return next(named, next(iter(structure.measures), None))


def _as_attribute(measure: Measure) -> Attribute:
    return Attribute(
        id=measure.id,
        concept=measure.concept,
        representation=_one_value(measure.representation),
        annotations=measure.annotations,
        relationship=Relationship(kind="observation"),
    )


def _older_attribute(attribute: Attribute) -> Attribute:
    relationship = replace(attribute.relationship, optional_dimensions=())
    form = _one_value(attribute.representation)
    return replace(attribute, measures=(), representation=form, relationship=relationship)


def _older_concept(concept: Concept) -> Concept:
    return replace(concept, core_representation=_one_value(concept.core_representation))


def _one_value(form: Representation | None) -> Representation | None:
    """A representation of one value; several values, and what a value list allows, are texts in SDMX 2.1."""
    if form is None:
        return None
    is_text = form.is_multi_valued or (form.enumeration is not None and form.enumeration.type == "ValueList")
    if is_text:
        return Representation(text_format=TextFormat())
    text = form.text_format
    return replace(
        form,
        text_format=None if text is None else replace(text, sentinels=(), is_multilingual=None),
        min_occurs=None,
        max_occurs=None,
    )


def written(write: Callable[[Message], Iterator[bytes]], message: Message, needs_first: bool) -> Iterator[bytes]:
    """The message as a format writes it, without the structures that it cannot carry.

    Args:
        needs_first: the first artefact was asked for by name, and an answer without it were none.

    Raises:
        CannotWrite: nothing can be written, or not the artefact asked for.
    """
    chunks = write(message)
    try:
        first = next(chunks, b"")
    except CannotWrite as fault:
        part, left_out = _part(write, message)
        if not part.structures or (needs_first and part.structures[0] is not message.structures[0]):
            raise
        told = (_LEFT_OUT, "Warning", Texts({"en": f"Left out, as this format cannot carry it: {'; '.join(left_out)}"}))
        chunks = write(replace(part, errors=(*part.errors, told)))
        try:
            first = next(chunks, b"")
        except CannotWrite:  # each alone can be written, and all together cannot
            raise fault from None
    yield first
    yield from chunks


def _part(write: Callable[[Message], Iterator[bytes]], message: Message) -> tuple[Message, list[str]]:
    kept, left_out = [], []
    for artefact in message.structures:
        try:
            next(write(replace(message, structures=(artefact,), availability=(), errors=())), b"")
        except CannotWrite:
            left_out.append(artefact.urn)
        else:
            kept.append(artefact)
    return replace(message, structures=tuple(kept)), left_out
