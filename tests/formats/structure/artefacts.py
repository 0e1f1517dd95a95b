"""Artefacts made at random, of every class that all five formats can carry, or of one version's own."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from sdmx_service.model import constraint, items, mapping, process, structure, transformation
from sdmx_service.model.artefact import Annotation, Texts
from sdmx_service.model.representation import Representation, SentinelValue, TextFormat
from sdmx_service.model.urn import Ref

IDS = st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True)
AGENCIES = st.sampled_from(["AG", "AG.SUB", "XX_Y"])
VERSIONS = st.sampled_from(["1.0", "2.3", "1.0.0", "1.2.3"])
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co")), min_size=1, max_size=12)
WORDS = TEXT.map(str.strip).filter(bool)
NAMES = st.dictionaries(st.sampled_from(["en", "fr", "ar", "zh"]), TEXT, min_size=1, max_size=3).map(Texts)
SOME_TEXTS = st.one_of(st.just(Texts()), NAMES)


def some(
    strategy: st.SearchStrategy[Any], most: int = 3, least: int = 0, by: str | None = "id"
) -> st.SearchStrategy[Any]:
    unique = (lambda one: getattr(one, by)) if by else None
    return st.lists(strategy, min_size=least, max_size=most, unique_by=unique).map(tuple)


ANNOTATIONS = some(
    st.builds(Annotation, id=st.none() | IDS, title=st.none() | TEXT, type=st.none() | TEXT, texts=SOME_TEXTS,
              urls=st.just(Texts()) | st.just(Texts({"": "https://example.org/a"}))),
    most=2, by=None,
)  # fmt: skip
NAMED = {"id": IDS, "names": NAMES, "descriptions": SOME_TEXTS, "annotations": ANNOTATIONS}
IDENTIFIED = {"id": IDS, "annotations": ANNOTATIONS}
MAINTAINED = {**NAMED, "agency": AGENCIES, "version": VERSIONS}


def ref(kind: str, item: bool = False) -> st.SearchStrategy[Ref]:
    return st.builds(
        Ref, type=st.just(kind), agency=AGENCIES, id=IDS, version=VERSIONS, item=IDS if item else st.none()
    )


CODE_IDS = IDS | st.from_regex(r"[0-9]{1,3}", fullmatch=True)
CODES = st.builds(items.Code, **{**NAMED, "id": CODE_IDS}, parent=st.none() | CODE_IDS)
CODELISTS = st.builds(items.Codelist, **MAINTAINED, items=some(CODES, 5), is_partial=st.booleans())
FORMATS = st.builds(
    TextFormat, type=st.sampled_from(["String", "Integer", "Decimal", "Boolean"]), max_length=st.none() | st.integers(1, 99),
    min_value=st.none() | st.sampled_from(["1", "0.5", "-3"]), pattern=st.none() | st.just("[A-Z]+"),
)  # fmt: skip
CODED = st.builds(Representation, enumeration=ref("Codelist"))
UNCODED = st.builds(Representation, text_format=FORMATS)
FORMS = st.none() | CODED | UNCODED
CONCEPTS = st.builds(
    items.Concept, **NAMED, parent=st.none() | IDS, core_representation=FORMS,
    iso_concept=st.none() | st.builds(items.IsoConcept, agency=WORDS, id=WORDS, scheme=WORDS),
)  # fmt: skip
CONCEPT_SCHEMES = st.builds(items.ConceptScheme, **MAINTAINED, items=some(CONCEPTS))
CATEGORIES: st.SearchStrategy[Any] = st.deferred(
    lambda: st.builds(items.Category, **NAMED, items=st.just(()) | some(CATEGORIES, 2))
)
CATEGORY_SCHEMES = st.builds(items.CategoryScheme, **MAINTAINED, items=some(CATEGORIES))
CATEGORISATIONS = st.builds(
    items.Categorisation,
    **{**MAINTAINED, "version": st.just("1.0")},
    source=ref("Dataflow"),
    target=ref("Category", True),
)
CONTACTS = st.builds(
    items.Contact, id=st.none() | IDS, names=SOME_TEXTS, departments=SOME_TEXTS, roles=SOME_TEXTS,
    addresses=st.lists(st.tuples(st.just("telephone"), WORDS), max_size=2).map(tuple)
    | st.just((("telephone", "1"), ("fax", "2"), ("uri", "https://example.org"), ("email", "a@example.org"))),
)  # fmt: skip
ORGANISATIONS = st.builds(items.Organisation, **NAMED, contacts=some(CONTACTS, 2, by=None))


def organisation_schemes(model: type, identity: str) -> st.SearchStrategy[Any]:
    fixed = {**MAINTAINED, "id": st.just(identity), "version": st.just("1.0")}
    return st.builds(model, **fixed, items=some(ORGANISATIONS))


@st.composite
def data_structures(draw: st.DrawFn, multiple: bool = False) -> structure.DataStructure:
    """With ``multiple``, what only 3.x has: several measures, multi-valued and optional things."""
    ids = draw(
        st.lists(IDS.filter(lambda one: one not in ("TIME_PERIOD", "OBS_VALUE")), min_size=3, max_size=7, unique=True)
    )
    cut = draw(st.integers(1, len(ids) - 1))
    concept = ref("Concept", True)
    dimensions = tuple(
        structure.Dimension(
            id=one, concept=draw(concept), representation=draw(FORMS), concept_roles=draw(some(concept, 2, by="urn"))
        )
        for one in ids[:cut]
    )
    groups = tuple(
        structure.Group(id="G1", dimensions=(one.id,), annotations=draw(ANNOTATIONS))
        for one in dimensions[:1]
        if draw(st.booleans())
    )
    relations = [structure.Relationship(kind="dataset"), structure.Relationship(kind="observation"),
                 structure.Relationship(kind="dimensions", dimensions=(ids[0],))]  # fmt: skip
    relations += [structure.Relationship(kind="group", group=group.id) for group in groups]
    if multiple:
        relations.append(structure.Relationship(kind="dimensions", dimensions=(ids[0],), optional_dimensions=(ids[0],)))
    attributes = tuple(
        structure.Attribute(id=one, concept=draw(concept), representation=_several(draw, draw(FORMS), multiple), annotations=draw(ANNOTATIONS),
                            usage=draw(st.sampled_from(["mandatory", "optional"])), relationship=draw(st.sampled_from(relations)),
                            measures=("OBS_VALUE",) if multiple and draw(st.booleans()) else ())
        for one in ids[cut:]
    )  # fmt: skip
    time = structure.TimeDimension(
        id="TIME_PERIOD",
        concept=draw(concept),
        representation=Representation(text_format=TextFormat(type="ObservationalTimePeriod")),
    )
    measures = [structure.Measure(id="OBS_VALUE", concept=draw(concept), representation=draw(FORMS))]
    if multiple:
        measures.append(
            structure.Measure(
                id="M2", concept=draw(concept), representation=_several(draw, draw(FORMS), True), usage="mandatory"
            )
        )
    extra: dict[str, Any] = {}
    if multiple and draw(st.booleans()):
        usage = structure.MetadataAttributeUsage(metadata_attribute="META", relationship=relations[0])
        extra = {"metadata_structure": draw(ref("MetadataStructure")), "metadata_usages": (usage,)}
    common = {name: draw(strategy) for name, strategy in MAINTAINED.items()}
    return structure.DataStructure(
        **common, dimensions=dimensions, time_dimension=time if draw(st.booleans()) else None, groups=groups,
        attributes=attributes, measures=tuple(measures), dimension_annotations=draw(ANNOTATIONS), **extra,
    )  # fmt: skip


def _several(draw: st.DrawFn, form: Representation | None, multiple: bool) -> Representation | None:
    if form is None or not multiple:
        return form
    most: Any = draw(st.sampled_from([None, 1, 5, "unbounded"]))
    least = draw(st.sampled_from([None, 0, 1]))
    text = form.text_format
    if text is not None and draw(st.booleans()):
        sentinel = SentinelValue(value="-1", names=draw(NAMES), descriptions=draw(SOME_TEXTS))
        text = TextFormat(type=text.type, is_multilingual=draw(st.none() | st.booleans()), sentinels=(sentinel,))
    return Representation(enumeration=form.enumeration, text_format=text, min_occurs=least, max_occurs=most)


DATAFLOWS = st.builds(structure.Dataflow, **MAINTAINED, structure=st.none() | ref("DataStructure"))
PROVIDERS = st.builds(
    Ref, type=st.just("DataProvider"), agency=AGENCIES, id=st.just("DATA_PROVIDERS"), version=st.just("1.0"), item=IDS
)
AGREEMENTS = st.builds(structure.ProvisionAgreement, **MAINTAINED, dataflow=ref("Dataflow"), provider=PROVIDERS)

PERIODS = st.sampled_from(["2020", "2020-Q1", "2021-05", "2020-01-01"])
BOUNDS = st.builds(constraint.TimeBound, period=PERIODS, inclusive=st.booleans())
RANGES = st.one_of(
    st.builds(constraint.TimeRange, before=BOUNDS),
    st.builds(constraint.TimeRange, after=BOUNDS),
    st.builds(constraint.TimeRange, start=BOUNDS, end=BOUNDS),
)
MEMBER_VALUES = st.builds(constraint.MemberValue, value=IDS, cascade=st.sampled_from([None, "true", "false"]))


def key_values(kind: Any) -> st.SearchStrategy[Any]:
    valued = st.builds(constraint.KeyValue, component=IDS, kind=st.just(kind), include=st.booleans(),
                       values=some(MEMBER_VALUES, 3, 1, by="value"))  # fmt: skip
    timed = st.builds(constraint.KeyValue, component=IDS, kind=st.just(kind), time_range=RANGES)
    return valued | timed


@st.composite
def regions(draw: st.DrawFn, include: bool = True) -> constraint.CubeRegion:
    members = (
        *draw(some(key_values("key"), 2, 1, by="component")),
        *draw(some(key_values("component"), 2, by="component")),
    )
    return constraint.CubeRegion(include=include, members=members)


KEYS = st.builds(
    constraint.DataKey,
    members=some(st.builds(constraint.KeyValue, component=IDS, values=st.builds(constraint.MemberValue, value=IDS).map(lambda one: (one,))),
                 3, 1, by="component"),
)  # fmt: skip
KEY_SETS = st.builds(constraint.DataKeySet, included=st.booleans(), keys=some(KEYS, 2, 1, by=None))
CONSTRAINTS = st.builds(
    constraint.DataConstraint, **MAINTAINED, role=st.just("Allowed"), regions=st.just(()) | regions().map(lambda one: (one,)),
    key_sets=some(KEY_SETS, 2, by=None),
    attachments=some(ref("Dataflow"), 2, 1, by="urn") | some(ref("DataStructure"), 1, 1, by="urn") | PROVIDERS.map(lambda one: (one,)),
)  # fmt: skip
HIERARCHICAL_CODES = st.builds(items.HierarchicalCode, **IDENTIFIED, code=ref("Code", True))


@st.composite
def hierarchies(draw: st.DrawFn) -> items.Hierarchy:
    ids = draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
    codes = [items.HierarchicalCode(id=one, code=draw(ref("Code", True)), level="L1") for one in ids]
    tree = (items.HierarchicalCode(id=codes[0].id, code=codes[0].code, items=tuple(codes[1:])),)
    common = {name: draw(strategy) for name, strategy in MAINTAINED.items()}
    level = items.Level(id="L1", names=draw(NAMES), child=items.Level(id="L2", names=draw(NAMES)))
    return items.Hierarchy(**common, has_formal_levels=draw(st.booleans()), items=tree, level=level)


BEFORE_VTL = st.one_of(
    CODELISTS, CONCEPT_SCHEMES, CATEGORY_SCHEMES, CATEGORISATIONS, DATAFLOWS, AGREEMENTS, CONSTRAINTS, hierarchies(),
    data_structures(),
    organisation_schemes(items.AgencyScheme, "AGENCIES"), organisation_schemes(items.DataProviderScheme, "DATA_PROVIDERS"),
    organisation_schemes(items.DataConsumerScheme, "DATA_CONSUMERS"),
    st.builds(items.ReportingTaxonomy, **MAINTAINED,
              items=some(st.builds(items.ReportingCategory, **NAMED, structures=some(ref("DataStructure"), 2, by="urn")))),
    st.builds(process.Process, **MAINTAINED,
              steps=some(st.builds(process.ProcessStep, **NAMED, inputs=some(st.builds(process.ProcessObject, reference=ref("Dataflow")), 1, by=None)))),
)  # fmt: skip
"""Artefacts that every format can carry."""
RULESETS = st.builds(
    transformation.RulesetScheme, **MAINTAINED, vtl_version=st.just("2.1"), mapping_scheme=st.none() | ref("VtlMappingScheme"),
    items=some(st.builds(transformation.Ruleset, **NAMED, definition=TEXT, kind=st.just("datapoint"), scope=st.just("variable"))),
)  # fmt: skip
"""Artefacts that every format but SDMX-JSON 1.0 can carry."""

EXTENSIONS = st.builds(
    items.CodelistExtension, codelist=ref("Codelist"), prefix=st.none() | IDS,
    inclusive=st.none() | st.builds(items.MemberSelection, values=st.lists(st.tuples(IDS, st.sampled_from(["true", "false", "excluderoot"])), min_size=1, max_size=2).map(tuple)),
)  # fmt: skip
MAPPED = st.builds(mapping.MappedValue, value=TEXT, is_regex=st.booleans(), start_index=st.none() | st.integers(1, 9))
ROWS = st.builds(mapping.MappingRow, sources=some(MAPPED, 2, 1, by=None), targets=st.lists(TEXT, max_size=2).map(tuple),
                 valid_from=st.none() | st.just("2008-12-31"))  # fmt: skip
COLUMNS = st.lists(ref("Codelist") | ref("ValueList") | st.just("String"), min_size=1, max_size=2).map(tuple)
METADATA_ATTRIBUTES: st.SearchStrategy[Any] = st.deferred(
    lambda: st.builds(structure.MetadataAttribute, **IDENTIFIED, concept=ref("Concept", True), representation=FORMS,
                      is_presentational=st.booleans(), min_occurs=st.sampled_from([None, 0, 1]),
                      max_occurs=st.sampled_from([None, 1, 7, "unbounded"]), items=st.just(()) | some(METADATA_ATTRIBUTES, 2))
)  # fmt: skip
METADATA_PROVIDERS = st.builds(
    Ref,
    type=st.just("MetadataProvider"),
    agency=AGENCIES,
    id=st.just("METADATA_PROVIDERS"),
    version=st.just("1.0"),
    item=IDS,
)
SINCE_3_0 = st.one_of(
    st.builds(items.Codelist, **MAINTAINED, items=some(CODES), extensions=some(EXTENSIONS, 2, by=None)),
    st.builds(items.ValueList, **MAINTAINED, items=some(st.builds(items.ValueItem, id=WORDS, names=SOME_TEXTS, descriptions=SOME_TEXTS))),
    data_structures(multiple=True),
    organisation_schemes(items.MetadataProviderScheme, "METADATA_PROVIDERS"),
    st.builds(items.HierarchyAssociation, **MAINTAINED, hierarchy=ref("Hierarchy"), linked=ref("Codelist"), context=st.none() | ref("Dataflow")),
    st.builds(mapping.RepresentationMap, **MAINTAINED, sources=COLUMNS, targets=COLUMNS, rows=some(ROWS, 3, by=None)),
    st.builds(mapping.ConceptSchemeMap, **MAINTAINED, source=ref("ConceptScheme"), target=ref("ConceptScheme"),
              items=some(st.builds(lambda s, t: mapping.ItemMap(id=f"{s}:{t}", source=s, target=t), IDS, IDS))),
    st.builds(mapping.StructureMap, **MAINTAINED, source=ref("DataStructure"), target=ref("Dataflow"),
              components=some(st.builds(mapping.ComponentMap, sources=st.tuples(IDS), targets=st.tuples(IDS, IDS),
                                        representation_map=st.none() | ref("RepresentationMap")), by=None),
              fixed=some(st.builds(mapping.FixedValue, component=IDS, values=st.tuples(TEXT), role=st.sampled_from(["source", "target"])), by=None),
              times=some(st.builds(mapping.TimePatternMap, id=IDS, sources=st.tuples(IDS), target=IDS, pattern=st.just("yyyy-MM"),
                                   locale=st.sampled_from(["en", "fr"]), frequency_id=IDS, resolve=st.none() | st.just("endOfPeriod")), 2)),
    st.builds(structure.MetadataStructure, **MAINTAINED, attributes=some(METADATA_ATTRIBUTES, least=1)),
    st.builds(structure.Metadataflow, **MAINTAINED, structure=st.none() | ref("MetadataStructure")),
    st.builds(structure.MetadataProvisionAgreement, **MAINTAINED, metadataflow=ref("Metadataflow"), provider=METADATA_PROVIDERS),
    st.builds(items.GeographicCodelist, **MAINTAINED, items=some(st.builds(items.GeoFeature, **NAMED, value=TEXT))),
)  # fmt: skip
"""Artefacts of SDMX 3.0 and later."""
