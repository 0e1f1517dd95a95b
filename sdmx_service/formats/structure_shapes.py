"""How an artefact looks in a structure message: shapes, that is, tables of fields, and no code per artefact.

SDMX-ML 3.x and SDMX-JSON 2.x are two spellings of one form, and SDMX-ML 2.1 is an older dialect of it. A ``Shape``
lists the parts of a class of the model in the order of the schema; each ``Field`` says what the part is called in
SDMX-ML (``ml``) and in SDMX-JSON (``json``), and in which versions of SDMX it exists. The families each have one codec
that reads and writes any shape; ``structure_tables`` holds the shapes.

What a shape does not know is never dropped: a codec refuses unknown parts of a message, and ``left_over`` names what
an artefact says and a version cannot carry.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache, partial
from typing import Any, Literal

from sdmx_service.model.urn import Ref

Kind = Literal["text", "token", "boolean", "integer", "number", "occurs", "cascade", "scalar", "day", "last day"]
"""How a value is spelt: ``text`` verbatim; ``token`` without outer space; ``number`` text in the model and a number in
JSON; ``occurs`` a count or ``unbounded``; ``cascade`` true, false or excluderoot; ``scalar`` text in the model, and in
JSON text or a number; ``day`` and ``last day`` a date, of a longer period its first or its last, which JSON has as a
date and time."""

SELF = "#self"
"""The name of a reference that the element itself is."""

Place = Literal["element", "attribute", "content"]
Space = Literal["structure", "common"]
Family = Literal["ml", "json"]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Field:
    """A part of a shape; ``ml``/``json`` are its names, an empty ``json`` means SDMX-JSON has none.

    Attributes:
        model: the attribute of the model; empty where the part has none.
        since, until: the first and last version of SDMX that has it.
    """

    ml: str = ""
    json: str = ""
    model: str = ""
    since: str = "2.1"
    until: str = "9"

    @property
    def models(self) -> tuple[str, ...]:
        """The attributes of the model that the field carries."""
        return (self.model,) if self.model else ()


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Value(Field):
    """One value.

    Attributes:
        place: where SDMX-ML puts it: an attribute, a child element, or the text of the element itself.
        words: the message's word -> the model's value, where they differ.
        among: what may be read, where the standard lists it.
        default: what the model has when the message says nothing; not written.
        always: written even then.
        blank: SDMX-ML demands it; where the model has nothing, it is written empty, and read back as nothing.
        missing: what is read where the message says nothing, if that is not the model's default.
        when: written only for such objects; and reading it also gives ``also``.
    """

    kind: Kind = "token"
    place: Place = "attribute"
    words: Mapping[str, Any] | None = None
    among: Collection[str] | None = None
    default: Any = None
    always: bool = False
    blank: bool = False
    missing: Any = None
    when: Callable[[Any], bool] | None = None
    also: Mapping[str, Any] | None = None
    space: Space = "structure"


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Values(Field):
    """Several values, each an element in SDMX-ML, together an array in SDMX-JSON.

    ``fill``: what SDMX-ML writes where there are none, since its schema wants one.
    """

    kind: Kind = "token"
    fill: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Localised(Field):
    """Texts by language: elements in SDMX-ML; best match (``json``) and all languages (``all``) in SDMX-JSON.

    Attributes:
        required: the schema wants one; where the model has none, the id is written (*choice*).
        neutral: a text without language stands for itself, not for English.
    """

    all: str = ""
    required: bool = False
    neutral: bool = False
    space: Space = "common"


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Reference(Field):
    """A reference, or with ``many`` several; ``to`` is the class that the schema fixes.

    ``only``: several fields share one attribute of the model, and each takes its own class.
    """

    to: str = ""
    many: bool = False
    only: bool = False


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class LocalId(Field):
    """The id of a part of the same artefact: text, but in SDMX-ML 2.1 a ``Ref`` element.

    ``inner``: the name of one more element around it in SDMX-ML.
    """

    many: bool = False
    inner: str = ""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Part(Field):
    """An object of its own shape, or with ``many`` several.

    Attributes:
        only: which of the model's objects belong here, where several fields share one attribute of the model.
        when: written only for such owners.
        fill: what is written where the model has nothing and the schema wants something.
        lone: SDMX-JSON has one object and no array, although the model has a tuple.
        boxed: SDMX-JSON has an array, although the model has one object.
    """

    shape: Callable[[], Shape]
    many: bool = False
    only: Callable[[Any], bool] | None = None
    when: Callable[[Any], bool] | None = None
    fill: Callable[[], Any] | None = None
    lone: bool = False
    boxed: bool = False
    space: Space = "structure"


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Mixture(Field):
    """Objects of several shapes that share one attribute of the model, in the order of the document (SDMX-ML only)."""

    parts: tuple[Part, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """The attribute that they share."""
        return self.parts[0].models


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Nest(Field):
    """Fields of the same object that the message puts one level deeper; no ``json``: SDMX-JSON does not.

    ``always``: written even when empty.
    """

    fields: tuple[Field, ...]
    always: bool = False
    space: Space = "structure"

    @property
    def models(self) -> tuple[str, ...]:
        """The attributes of the model that the fields inside carry."""
        return tuple(name for one in self.fields for name in one.models)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Flag(Field):
    """An empty element whose presence says that the model's attribute has this value.

    ``refers``: SDMX-ML 2.1 names a part of the structure in it.
    """

    value: Any
    refers: str = ""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Fixed(Field):
    """A value that follows from where it stands: written, unless ``value`` is None, and not read."""

    value: Any = None


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Position(Field):
    """The place among its siblings, from 1: written, not read, since the order of elements holds (*standard*)."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Urn(Field):
    """The URN of a maintained artefact: written, not read, since it follows from the identification."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Links(Field):
    """Links: ``Link`` elements in SDMX-ML; an array in SDMX-JSON.

    SDMX-JSON spells as links also what SDMX-ML has attributes for: ``uri``, ``service_url``, ``structure_url``.
    """


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class AnnotationLinks(Field):
    """The links of an annotation in SDMX-JSON, which are also its URLs."""

    @property
    def models(self) -> tuple[str, ...]:
        """Both attributes."""
        return ("urls", "links")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class MemberValues(Field):
    """Codes chosen by a codelist extension, each with its cascade."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class MapColumns(Field):
    """What the columns of a representation map are: references to codelists, or data types; ``ml`` is the prefix."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class MappedComponents(Field):
    """Pairs of source and target component of a time map."""

    @property
    def models(self) -> tuple[str, ...]:
        """The sources and their target."""
        return ("sources", "target")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentPlace:
    """A component of a structure as SDMX 2.1 refers to it: its class (``kind``) and the list that it stands in.

    ``structure`` is what SDMX-JSON 1.0 has in its URN; SDMX-ML 2.1 does not say it.
    """

    id: str
    package: str
    container: str
    kind: str
    structure: Ref | None = field(default=None, compare=False)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class PlacedComponent(Field):
    """A component of a structure: a ``ComponentPlace``."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Spelled(Field):
    """A value that SDMX-JSON spells in its own way.

    Attributes:
        spell: the model's value as JSON; None where there is nothing to write.
        take: the model's value of what was read; raises ``SdmxError``, ``ValueError`` or ``TypeError`` if it is none.
        found: what ``make`` of the shape calls what was taken; empty: as the model.
    """

    spell: Callable[[Any], Any]
    take: Callable[[Any], Any]
    found: str = ""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Addresses(Field):
    """Telephone, fax, X400, URI and e-mail of a contact."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class OptionalDimensions(Field):
    """Dimensions of an attribute relationship, some of them optional."""

    @property
    def models(self) -> tuple[str, ...]:
        """The dimensions, and which of them are optional."""
        return ("dimensions", "optional_dimensions")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Shape:
    """The form of a class of the model.

    Attributes:
        model: the class.
        fields: its parts, in the order of the schema.
        make: what makes the object of what was read; the class itself unless given.
        given: what an object read in this shape always has.
        bare: in SDMX-JSON, a plain string stands for an object that has only this attribute.
        bare_written: it is also written so.
        silent: attributes that are not carried and not missed: derived, or left out in a documented way.
        name: the word for it in errors.
    """

    model: type
    fields: tuple[Field, ...]
    make: Callable[..., Any] | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    bare: str = ""
    bare_written: bool = False
    silent: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the class."""
        return self.model.__name__


@cache
def parts_of(parts: tuple[Field, ...], version: str, family: Family) -> tuple[Field, ...]:
    """Those of the parts that a version of SDMX has in SDMX-ML or in SDMX-JSON."""
    return tuple(part for part in parts if part.since <= version <= part.until and _is_in(part, family))


def _is_in(part: Field, family: Family) -> bool:
    return isinstance(part, Nest) or bool(part.ml if family == "ml" else part.json)


_LINKED = ("uri", "service_url", "structure_url")
"""What SDMX-JSON spells as links."""


def _carried(parts: tuple[Field, ...], version: str, family: Family) -> Iterator[str]:
    for part in _flat(parts, version, family):
        yield from part.models
        if isinstance(part, Links) and family == "json":
            yield from _LINKED


@cache
def _watched(shape: Shape, version: str, family: Family) -> tuple[tuple[str, Any], ...]:
    """The attributes that a version does not carry, each with the value that says nothing."""
    carried = {*_carried(shape.fields, version, family), *shape.silent, *shape.given}
    return tuple(
        (one.name, default_of(shape.model, one.name)) for one in fields(shape.model) if one.name not in carried
    )


def left_over(shape: Shape, thing: object, version: str, family: Family) -> Iterator[str]:
    """The attributes in which a thing says something that the version cannot carry."""
    for name, default in _watched(shape, version, family):
        value = getattr(thing, name)
        if value is None or value == default or value == () or (value is False and default is None):
            continue
        yield name
    for name, takers in _shared(shape, version, family):
        value = getattr(thing, name)
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None and not any(takes(one) for takes in takers):
                yield name


@cache
def _shared(shape: Shape, version: str, family: Family) -> tuple[tuple[str, tuple[Callable[[Any], bool], ...]], ...]:
    """The attributes whose members are divided among several fields, and which members those take."""
    takers: dict[str, list[Callable[[Any], bool]]] = {}
    for part in _flat(shape.fields, version, family):
        if isinstance(part, Reference) and part.only:
            takers.setdefault(part.model, []).append(partial(belongs, part))
        elif isinstance(part, Part) and part.only is not None:
            takers.setdefault(part.model, []).append(part.only)
    return tuple((name, tuple(found)) for name, found in takers.items())


def _flat(parts: tuple[Field, ...], version: str, family: Family) -> Iterator[Field]:
    for part in parts_of(parts, version, family):
        if isinstance(part, Nest):
            yield from _flat(part.fields, version, family)
        else:
            yield part


@cache
def default_of(model: type, name: str) -> Any:
    """The default of a dataclass field; ``MISSING`` if it has none."""
    for one in fields(model):
        if one.name == name:
            return one.default_factory() if one.default_factory is not MISSING else one.default
    return MISSING


@cache
def required_of(model: type) -> frozenset[str]:
    """The attributes without which the class cannot be made."""
    return frozenset(one.name for one in fields(model) if default_of(model, one.name) is MISSING)


def belongs(part: Reference, ref: Ref) -> bool:
    """Whether a reference is of the class of the field."""
    return not part.only or ref.type == part.to
