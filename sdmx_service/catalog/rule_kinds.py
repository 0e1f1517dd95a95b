"""What the rules of each further kind say (docs/rules.md): one dataclass and one reader per kind.

A reader takes the fields of its kind and no other, so that a field that belongs to another kind is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sdmx_service.catalog.documents import Node
from sdmx_service.catalog.rule_context import READERS as CONTEXT
from sdmx_service.catalog.rule_context import Gaps, Outlier, Shift, Swapped
from sdmx_service.catalog.rule_fields import Conditions, above, conditions, needed, several
from sdmx_service.catalog.rule_slips import READERS as SLIPS
from sdmx_service.catalog.rule_slips import Late, Misplaced, OddPeriods, Zeros
from sdmx_service.model.urn import PartialRef, parse_ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A figure against others of its series: the one before, the weighted mean of three, all, or both neighbours."""

    test: str
    limit: float
    least: float
    periods: int
    gap: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A figure that is about a power of ten away from those beside it and from the median of its series.

    Attributes:
        beside: lists of dimensions, as for an outlier.
        sides: ``both`` where the figures before and after must both be that far away, ``any`` where one may lack.
    """

    powers: tuple[int, ...]
    within: float
    least: float
    beside: tuple[tuple[str, ...], ...] = ()
    sides: str = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """The figures of a period that repeat those of the period before.

    Attributes:
        rest: in the other periods of the table, at most this share of the figures does so.
    """

    by: tuple[str, ...]
    limit: float
    least: float
    rest: float = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Attributes that must be there, that follow from others, or whose change must be marked."""

    test: str
    attributes: tuple[str, ...]
    then: Conditions
    unless: Conditions
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Some codes of a dimension as a share of another code's figure."""

    dimension: str
    codes: tuple[str, ...]
    total: str
    minimum: float | None
    maximum: float | None
    least: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The code of a dimension with the greatest figure."""

    dimension: str
    codes: tuple[str, ...]
    expected: tuple[str, ...]
    least: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """No figure along a dimension is more than the total's."""

    dimension: str
    total: str
    excluded: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """A code stands beside codes that it contains."""

    dimension: str
    excluded: tuple[str, ...]
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """A class of ratios: up to a limit (None: everything above)."""

    name: str
    up_to: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """The same thing told from both sides: two figures with two dimensions swapped."""

    dimensions: tuple[str, ...]
    left: Conditions
    right: Conditions
    classes: tuple[Class, ...]
    attribute: str = ""
    factors: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """A series that agrees best with another one some periods earlier or later."""

    against: str
    dataflow: PartialRef | None
    where: Conditions
    by: tuple[str, ...]
    lags: int
    limit: float
    least: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A figure against what the same provider said before.

    Attributes:
        limit: for the test ``changed``, the share of the old figure beyond which it is reported.
        unless: attributes that explain it.
        powers: for ``slip``, powers of ten.
        beside: for ``slip``, the dimensions along which the old figure of a neighbour counts.
        least: for ``slip`` and ``withdrawn``, the size below which nothing is said.
        share: for ``left_out``, at most this share of what was sent before may lack; more is another table.
    """

    test: str
    limit: float
    unless: tuple[str, ...]
    powers: tuple[int, ...] = ()
    beside: tuple[str, ...] = ()
    least: float = 0.0
    share: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One figure of an equation."""

    name: str
    sign: float
    where: Conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class Recoverable:
    """A withheld figure that an equation of other figures gives away."""

    missing: Conditions
    dimension: str
    total: str
    partitions: tuple[tuple[str, ...], ...]
    optional: tuple[str, ...]
    terms: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """Withheld figures that the sums of all rules together give away, exactly or to within the protected range."""

    within: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One place that gives a total: a dataflow, with a dimension to add up where the total itself is not there."""

    name: str
    dataflow: PartialRef | None
    where: Conditions
    dimension: str
    total: str
    excluded: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agree:
    """The same total in several tables."""

    figures: tuple[Source, ...]
    by: tuple[str, ...]


Detail = (
    Change
    | Outlier
    | Swapped
    | Gaps
    | Shift
    | OddPeriods
    | Zeros
    | Late
    | Misplaced
    | Disclosure
    | Scale
    | Copied
    | Presence
    | Share
    | Peak
    | Subset
    | Members
    | Mirror
    | Offset
    | Revision
    | Recoverable
    | Agree
)


# --- readers --------------------------------------------------------------------------------------------------------
def _change(node: Node) -> Change:
    if not node.has("limit"):
        raise node.fault("limit is needed here.")
    return Change(
        test=node.at("test").choice("ratio", "average", "deviation", "spike"),
        limit=above(node, "limit", 0, 1),
        least=above(node, "least", 0, 0),
        periods=int(above(node, "periods", 5, 2)),
        gap=above(node, "gap", 1, 0),
    )


def _scale(node: Node) -> Scale:
    powers = tuple(member.number() for member in node.at("powers").items())
    if not powers or min(powers) < 1:
        raise node.at("powers").fault("powers of ten, 1 or more, are needed here.")
    return Scale(
        powers=powers,
        within=above(node, "within", 2, 1),
        least=above(node, "least", 0, 0),
        beside=tuple(member.texts() for member in node.at("beside").items()),
        sides=node.at("sides").choice("any", "both") if node.has("sides") else "any",
    )


def _copied(node: Node) -> Copied:
    return Copied(
        by=node.at("by").texts(),
        limit=above(node, "limit", 1, 0),
        least=above(node, "least", 10, 1),
        rest=above(node, "rest", 1, 0),
    )


def _presence(node: Node) -> Presence:
    test = node.at("test").choice("present", "implied", "changed")
    found = Presence(
        test=test,
        attributes=node.at("attributes").texts(),
        then=conditions(node.at("then")),
        unless=conditions(node.at("unless")),
        by=node.at("by").texts(),
    )
    if not (found.then if test == "implied" else found.attributes):
        raise node.fault(f"the test {test} needs {'then' if test == 'implied' else 'attributes'}.")
    return found


def _share(node: Node) -> Share:
    found = Share(
        dimension=needed(node, "dimension"),
        codes=several(node, "codes"),
        total=needed(node, "total"),
        minimum=node.at("minimum").decimal(0) if node.has("minimum") else None,
        maximum=node.at("maximum").decimal(0) if node.has("maximum") else None,
        least=above(node, "least", 0, 0),
    )
    if found.minimum is None and found.maximum is None:
        raise node.fault("minimum or maximum is needed here.")
    for name in ("minimum", "maximum"):
        node.at(name)
    return found


def _peak(node: Node) -> Peak:
    return Peak(
        dimension=needed(node, "dimension"),
        codes=several(node, "codes"),
        expected=several(node, "expected"),
        least=above(node, "least", 0, 0),
    )


def _subset(node: Node) -> Subset:
    return Subset(dimension=needed(node, "dimension"), total=needed(node, "total"), excluded=node.at("except").texts())


def _members(node: Node) -> Members:
    return Members(dimension=needed(node, "dimension"), excluded=node.at("except").texts(), by=node.at("by").texts())


def _class(node: Node) -> Class:
    found = Class(name=needed(node, "name"), up_to=node.at("up_to").decimal(0) if node.has("up_to") else None)
    node.at("up_to")
    node.done()
    return found


def _mirror(node: Node) -> Mirror:
    dimensions = node.at("dimensions").texts()
    if len(dimensions) != 2:
        raise node.at("dimensions").fault("the two dimensions that are swapped are needed here.")
    factors = node.at("factors")
    found = Mirror(
        dimensions=dimensions,
        left=conditions(node.at("left")),
        right=conditions(node.at("right")),
        classes=node.at("classes").each(_class),
        attribute=factors.at("attribute").text() if factors.value is not None else "",
        factors={}
        if factors.value is None
        else {code: value.decimal(1) for code, value in factors.at("values").fields()},
    )
    if factors.value is not None:
        factors.done()
    if any(value <= 0 for value in found.factors.values()):
        raise factors.at("values").fault("factors above 0 are needed here.")
    limits = [one.up_to for one in found.classes]
    if not limits or None in limits[:-1] or [*limits[:-1]] != sorted(one for one in limits[:-1] if one is not None):
        raise node.at("classes").fault("classes with rising limits are needed here, only the last one without.")
    return found


def _offset(node: Node) -> Offset:
    dataflow = node.at("dataflow").text_or_none()
    return Offset(
        against=node.at("against").choice("own", "shown"),
        dataflow=None if dataflow is None else parse_ref(dataflow, "Dataflow"),
        where=conditions(node.at("where")),
        by=several(node, "by"),
        lags=int(above(node, "lags", 2, 1)),
        limit=above(node, "limit", 0.99, 0),
        least=above(node, "least", 5, 3),
    )


def _revision(node: Node) -> Revision:
    return Revision(
        test=node.at("test").choice("changed", "slip", "withdrawn", "left_out"),
        limit=above(node, "limit", 0, 0),
        unless=node.at("unless").texts(),
        powers=tuple(member.number() for member in node.at("powers").items()),
        beside=node.at("beside").texts(),
        least=above(node, "least", 0, 0),
        share=above(node, "share", 0.05, 0),
    )


def _part(node: Node) -> Part:
    found = Part(
        name=node.at("name").text_or_none() or "",
        sign=node.at("sign").decimal(1),
        where=conditions(node.at("where")),
    )
    node.done()
    if not found.where or found.sign == 0:
        raise node.fault("a figure with where, and a sign other than 0, is needed here.")
    return found


def _recoverable(node: Node) -> Recoverable:
    partitions = node.at("partitions")
    parts = node.at("parts").texts()
    found = Recoverable(
        missing=conditions(node.at("missing")),
        dimension=node.at("dimension").text_or_none() or "",
        total=node.at("total").text_or_none() or "",
        partitions=(parts,) if parts else tuple(member.texts() for member in partitions.items()),
        optional=node.at("optional").texts(),
        terms=node.at("terms").each(_part),
    )
    is_sum = bool(found.dimension and found.total and found.partitions)
    if is_sum == bool(found.terms) or (found.terms and len(found.terms) < 2):
        raise node.fault("either dimension, total and parts or at least two terms are needed here.")
    if not found.missing:
        raise node.fault("missing is needed here: the attributes that say that a figure is withheld.")
    return found


def _disclosure(node: Node) -> Disclosure:
    return Disclosure(within=node.at("within").choice("exact", "range"))


def _source(node: Node) -> Source:
    dataflow = node.at("dataflow").text_or_none()
    found = Source(
        name=needed(node, "name"),
        dataflow=None if dataflow is None else parse_ref(dataflow, "Dataflow"),
        where=conditions(node.at("where")),
        dimension=node.at("dimension").text_or_none() or "",
        total=node.at("total").text_or_none() or "",
        excluded=node.at("except").texts(),
    )
    node.done()
    if found.dimension and not found.total:
        raise node.fault("total is needed here: the code of the dimension that is the total.")
    return found


def _agree(node: Node) -> Agree:
    figures = node.at("figures").each(_source)
    if len(figures) < 2:
        raise node.at("figures").fault("at least two figures are needed here.")
    return Agree(figures=figures, by=several(node, "by"))


READERS: Mapping[str, Callable[[Node], Detail]] = {
    "change": _change,
    **CONTEXT,
    **SLIPS,
    "scale": _scale,
    "copied": _copied,
    "attribute": _presence,
    "share": _share,
    "peak": _peak,
    "subset": _subset,
    "members": _members,
    "mirror": _mirror,
    "offset": _offset,
    "revision": _revision,
    "recoverable": _recoverable,
    "disclosure": _disclosure,
    "agree": _agree,
}
"""Kind -> the reader of its fields."""
