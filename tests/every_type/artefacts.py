"""The artefacts of the invented apiary: every type, true to SDMX 3.1, small."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sdmx_service.model import constraint, items, mapping, process, structure, transformation
from sdmx_service.model.artefact import Annotation, Maintainable, Texts
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.urn import Ref

AGENCY = "BEES"
OBS_VALUE = "OBS_VALUE"


def named(id: str) -> dict[str, Any]:
    """Id and names in two languages."""
    words = id.replace("_", " ").lower()
    return {"id": id, "names": Texts({"en": f"The {words}", "fr": f"Le {words}"})}


def kept(id: str, version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    """What a maintained artefact has."""
    return {**named(id), "agency": AGENCY, "version": version, **more}


def ref(kind: str, id: str, version: str = "1.0.0", item: str | None = None) -> Ref:
    """A reference to an artefact here."""
    return Ref(type=kind, agency=AGENCY, id=id, version=version, item=item)


def _codes(*ids: str) -> tuple[items.Code, ...]:
    """Codes; ``CHILD<PARENT`` has a parent."""
    pairs = (id.partition("<") for id in ids)
    return tuple(items.Code(**named(id), parent=parent or None) for id, _, parent in pairs)


def _coded(id: str) -> Representation:
    return Representation(enumeration=ref("Codelist", id))


def _text(kind: str) -> Representation:
    return Representation(text_format=TextFormat(type=kind))


# --- enumerations, concepts, hierarchies -----------------------------------------------------------------------------


def enumerations() -> Iterator[Maintainable]:
    """Codelists (several versions, a partial one, an extended one) and a value list."""
    yield items.Codelist(**kept("CL_FREQ"), items=_codes("A", "M"))
    note = Annotation(
        id="SOURCE", title="Flora", type="NOTE", texts=Texts({"en": "From the flora", "fr": "De la flore"})
    )
    yield items.Codelist(
        **kept("CL_FLOWER", descriptions=Texts({"en": "What bees visit"}), annotations=(note,)),
        items=_codes("_T", "TREE<_T", "LIME<TREE", "MAPLE<TREE", "HERB<_T", "CLOVER<HERB", "007<HERB"),
    )
    yield items.Codelist(
        **kept("CL_FLOWER", "1.1.0"), items=_codes("_T", "TREE<_T", "LIME<TREE", "HERB<_T", "CLOVER<HERB", "HEATH<HERB")
    )
    yield items.Codelist(**kept("CL_FLOWER", "2.0.0-draft"), items=_codes("_T", "HEATH"))
    yield items.Codelist(**kept("CL_REGION"), items=_codes("NORTH", "SOUTH", "HILL<SOUTH"))
    yield items.Codelist(**kept("CL_SOME_REGIONS"), items=_codes("SOUTH", "HILL<SOUTH"), is_partial=True)
    extension = items.CodelistExtension(
        codelist=ref("Codelist", "CL_REGION"), prefix="R_",
        inclusive=items.MemberSelection(values=(("SOUTH", "true"),)),
    )  # fmt: skip
    yield items.Codelist(**kept("CL_WIDE_REGION"), items=_codes("ALL"), extensions=(extension,))
    yield items.Codelist(**kept("CL_STATUS"), items=_codes("A", "E"))
    values = tuple(items.ValueItem(id=id, names=Texts({"en": id})) for id in ("light amber", "50 % / 50 %", "1,5"))
    yield items.ValueList(**kept("VL_COLOUR"), items=values)


CONCEPTS = ("FREQ", "REGION", "FLOWER", "TIME_PERIOD", OBS_VALUE, "UNIT", "STATUS", "KEEPER", "METHOD", "STEP", "SPARE")


def schemes() -> Iterator[Maintainable]:
    """Concepts, categories, a reporting taxonomy, organisations."""
    core = {"FLOWER": _coded("CL_FLOWER"), "KEEPER": _text("String")}
    concepts = tuple(items.Concept(**named(id), core_representation=core.get(id)) for id in CONCEPTS)
    yield items.ConceptScheme(**kept("CS_BEES"), items=concepts)
    yield items.ConceptScheme(**kept("CS_WASPS"), items=tuple(items.Concept(**named(id)) for id in ("PLACE", "PLANT")))
    deep = items.Category(**named("SUMMER"), items=(items.Category(**named("LATE")),))
    yield items.CategoryScheme(
        **kept("TOPICS"), items=(items.Category(**named("HONEY"), items=(deep,)), items.Category(**named("WAX")))
    )
    yield items.CategoryScheme(**kept("THEMES"), items=(items.Category(**named("SWEET")),))
    target = ref("CategoryScheme", "TOPICS")
    category = Ref(type="Category", agency=target.agency, id=target.id, version=target.version, item="HONEY.SUMMER")
    yield items.Categorisation(**kept("CAT_HONEY", "1.0"), source=ref("Dataflow", "DF_HONEY"), target=category)
    yield items.ReportingTaxonomy(
        **kept("YEARBOOK"),
        items=(
            items.ReportingCategory(
                **named("PART_1"),
                items=(items.ReportingCategory(**named("TABLE_1"), flows=(ref("Dataflow", "DF_HONEY"),)),),
            ),
        ),
    )
    yield items.ReportingTaxonomy(**kept("ALMANAC"), items=(items.ReportingCategory(**named("PAGE_1")),))


def organisations() -> Iterator[Maintainable]:
    """The five kinds of organisation schemes, four with the ids that the standard fixes."""
    contact = items.Contact(
        id="DESK", names=Texts({"en": "Desk"}), addresses=(("telephone", "12"), ("email", "desk@bees.example"))
    )
    agencies = (items.Organisation(**named(AGENCY), contacts=(contact,)), items.Organisation(**named("WASPS")))
    yield items.AgencyScheme(**{**kept("AGENCIES", "1.0"), "agency": "SDMX"}, items=agencies)
    yield items.DataProviderScheme(
        **kept("DATA_PROVIDERS", "1.0"),
        items=(items.Organisation(**named("HIVES")), items.Organisation(**named("GUILD"))),
    )
    yield items.MetadataProviderScheme(
        **kept("METADATA_PROVIDERS", "1.0"), items=(items.Organisation(**named("HIVES")),)
    )
    yield items.DataConsumerScheme(**kept("DATA_CONSUMERS", "1.0"), items=(items.Organisation(**named("BAKERS")),))
    yield items.OrganisationUnitScheme(
        **kept("UNITS", "1.0"),
        items=(items.Organisation(**named("FIELD")), items.Organisation(**named("LAB"), parent="FIELD")),
    )
    yield items.OrganisationUnitScheme(**kept("OFFICES", "1.0"), items=(items.Organisation(**named("OUT")),))


def hierarchies() -> Iterator[Maintainable]:
    """A hierarchy over two codelists and what it is for."""

    def node(id: str, codelist: str, code: str, *inner: items.HierarchicalCode) -> items.HierarchicalCode:
        return items.HierarchicalCode(
            id=id, code=ref("Code", codelist, item=code), items=inner, level="TOP" if inner else "LEAF"
        )

    tree = node("N_T", "CL_FLOWER", "_T", node("N_LIME", "CL_FLOWER", "LIME"), node("N_SOUTH", "CL_REGION", "SOUTH"))
    level = items.Level(**named("TOP"), child=items.Level(**named("LEAF")))
    yield items.Hierarchy(**kept("H_WORLD"), has_formal_levels=True, level=level, items=(tree,))
    yield items.HierarchyAssociation(
        **kept("HA_WORLD"),
        hierarchy=ref("Hierarchy", "H_WORLD"),
        linked=ref("Codelist", "CL_FLOWER"),
        context=ref("Dataflow", "DF_HONEY"),
    )


# --- data and metadata ------------------------------------------------------------------------------------------------


def _concept(id: str, scheme: str = "CS_BEES") -> Ref:
    return ref("Concept", scheme, item=id)


def data_structures() -> Iterator[Maintainable]:
    """Two data structures (the second is what the structure map maps to), dataflows, agreements, constraints."""
    dimensions = (
        structure.Dimension(id="FREQ", concept=_concept("FREQ"), representation=_coded("CL_FREQ")),
        structure.Dimension(id="REGION", concept=_concept("REGION"), representation=_coded("CL_REGION")),
        structure.Dimension(id="FLOWER", concept=_concept("FLOWER")),
    )
    time = structure.TimeDimension(
        id="TIME_PERIOD", concept=_concept("TIME_PERIOD"), representation=_text("ObservationalTimePeriod")
    )
    attributes = (
        structure.Attribute(id="UNIT", concept=_concept("UNIT"), representation=_text("String"), usage="mandatory",
                            relationship=structure.Relationship(kind="dimensions", dimensions=("FREQ", "REGION", "FLOWER"))),
        structure.Attribute(id="STATUS", concept=_concept("STATUS"), representation=_coded("CL_STATUS")),
        structure.Attribute(id="KEEPER", concept=_concept("KEEPER"), relationship=structure.Relationship(kind="group", group="PLACE")),
    )  # fmt: skip
    measure = structure.Measure(id=OBS_VALUE, concept=_concept(OBS_VALUE), representation=_text("Decimal"))
    yield structure.DataStructure(
        **kept("DSD_HONEY"), dimensions=dimensions, time_dimension=time, groups=(structure.Group(id="PLACE", dimensions=("REGION",)),),
        attributes=attributes, measures=(measure,),
    )  # fmt: skip
    yield structure.DataStructure(
        **kept("DSD_SYRUP"),
        dimensions=(
            structure.Dimension(id="FREQ", concept=_concept("FREQ"), representation=_coded("CL_FREQ")),
            structure.Dimension(id="PLACE", concept=_concept("PLACE", "CS_WASPS"), representation=_coded("CL_REGION")),
        ),
        time_dimension=time, measures=(measure,),
    )  # fmt: skip
    yield structure.Dataflow(
        **kept("DF_HONEY", descriptions=Texts({"en": "Honey made"})), structure=ref("DataStructure", "DSD_HONEY")
    )
    yield structure.Dataflow(**kept("DF_HONEY", "1.1.0"), structure=ref("DataStructure", "DSD_HONEY"))
    yield structure.Dataflow(**kept("DF_SYRUP"), structure=ref("DataStructure", "DSD_SYRUP"))
    provider = ref("DataProvider", "DATA_PROVIDERS", "1.0", "HIVES")
    yield structure.ProvisionAgreement(**kept("PA_HONEY"), dataflow=ref("Dataflow", "DF_HONEY"), provider=provider)
    allowed = constraint.KeyValue(
        component="FLOWER", values=tuple(constraint.MemberValue(value=id) for id in ("LIME", "CLOVER", "007"))
    )
    yield constraint.DataConstraint(
        **kept("DC_HONEY"),
        role="Allowed",
        attachments=(ref("Dataflow", "DF_HONEY"),),
        regions=(constraint.CubeRegion(members=(allowed,)),),
    )


def metadata_structures() -> Iterator[Maintainable]:
    """A metadata structure with nested attributes, its flow, an agreement and a constraint."""
    step = structure.MetadataAttribute(
        id="STEP", concept=_concept("STEP"), representation=_text("String"), min_occurs=0, max_occurs="unbounded"
    )
    method = structure.MetadataAttribute(
        id="METHOD", concept=_concept("METHOD"), is_presentational=True, items=(step,), min_occurs=0, max_occurs=1
    )
    yield structure.MetadataStructure(**kept("MSD_QUALITY"), attributes=(method,))
    targets = (f"urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow={AGENCY}:*(*)",)
    yield structure.Metadataflow(
        **kept("MDF_QUALITY"), structure=ref("MetadataStructure", "MSD_QUALITY"), targets=targets
    )
    provider = ref("MetadataProvider", "METADATA_PROVIDERS", "1.0", "HIVES")
    yield structure.MetadataProvisionAgreement(
        **kept("MPA_QUALITY"), metadataflow=ref("Metadataflow", "MDF_QUALITY"), provider=provider, targets=targets
    )
    value = constraint.KeyValue(
        component="METHOD.STEP", kind="component", values=(constraint.MemberValue(value="counted"),)
    )
    yield constraint.MetadataConstraint(
        **kept("MC_QUALITY"),
        role="Allowed",
        attachments=(ref("Metadataflow", "MDF_QUALITY"),),
        regions=(constraint.MetadataTargetRegion(members=(value,)),),
    )


# --- maps, processes, transformations ---------------------------------------------------------------------------------


def maps() -> Iterator[Maintainable]:
    """A structure map with its representation map, and the four maps of item schemes."""

    def row(source: str, target: str) -> mapping.MappingRow:
        return mapping.MappingRow(sources=(mapping.MappedValue(value=source),), targets=(target,))

    yield mapping.RepresentationMap(
        **kept("RM_REGION"),
        sources=(ref("Codelist", "CL_REGION"),),
        targets=(ref("Codelist", "CL_SOME_REGIONS"),),
        rows=(row("NORTH", "SOUTH"), row("HILL", "HILL")),
    )
    components = (
        mapping.ComponentMap(
            sources=("REGION",), targets=("PLACE",), representation_map=ref("RepresentationMap", "RM_REGION")
        ),
        mapping.ComponentMap(sources=("FREQ",), targets=("FREQ",)),
    )
    yield mapping.StructureMap(
        **kept("SM_HONEY"),
        source=ref("DataStructure", "DSD_HONEY"),
        target=ref("DataStructure", "DSD_SYRUP"),
        components=components,
    )

    def pair(source: str, target: str) -> tuple[mapping.ItemMap, ...]:
        return (mapping.ItemMap(id=f"{source}:{target}", source=source, target=target),)

    for model, kind, id, source, target, pairs in (
        (mapping.ConceptSchemeMap, "ConceptScheme", "CSM_BEES", "CS_BEES", "CS_WASPS", pair("REGION", "PLACE")),
        (mapping.CategorySchemeMap, "CategoryScheme", "CTM_TOPICS", "TOPICS", "THEMES", pair("HONEY", "SWEET")),
        (mapping.OrganisationSchemeMap, "OrganisationUnitScheme", "OSM", "UNITS", "OFFICES", pair("FIELD", "OUT")),
        (mapping.ReportingTaxonomyMap, "ReportingTaxonomy", "RTM", "YEARBOOK", "ALMANAC", pair("PART_1", "PAGE_1")),
    ):
        version = "1.0" if kind == "OrganisationUnitScheme" else "1.0.0"  # of organisations there are no versions
        ends = {"source": ref(kind, source, version), "target": ref(kind, target, version)}
        yield model(**kept(id), **ends, items=pairs)


def processes() -> Iterator[Maintainable]:
    """A process with nested steps and a transition."""
    step = process.ProcessStep(
        **named("GATHER"), inputs=(process.ProcessObject(reference=ref("Dataflow", "DF_HONEY"), local_id="in"),),
        outputs=(process.ProcessObject(reference=ref("Dataflow", "DF_SYRUP"), local_id="out"),),
        computation=process.Computation(local_id="c", software_language="VTL", descriptions=Texts({"en": "Add up"})),
        transitions=(process.Transition(id="T1", target_step="POUR", local_id="t", conditions=Texts({"en": "When full"})),),
        steps=(process.ProcessStep(**named("WEIGH")),),
    )  # fmt: skip
    yield process.Process(**kept("P_HARVEST"), steps=(step, process.ProcessStep(**named("POUR"))))


def transformations() -> Iterator[Maintainable]:
    """The six schemes of VTL definitions."""
    alias = transformation.VtlMapping(**named("VM_HONEY"), alias="honey", mapped=ref("Dataflow", "DF_HONEY"))
    yield transformation.VtlMappingScheme(**kept("VMS"), items=(alias,))
    scheme = ref("VtlMappingScheme", "VMS")
    custom = transformation.CustomType(
        **named("CT_DATE"), vtl_scalar_type="date", data_type="ObservationalTimePeriod", null_value="null"
    )
    yield transformation.CustomTypeScheme(**kept("CTS"), vtl_version="2.1", items=(custom,))
    name = transformation.NamePersonalisation(
        **named("NP_ERROR"), vtl_artefact="errorcode", default_name="errorcode", personalised_name="fault"
    )
    yield transformation.NamePersonalisationScheme(**kept("NPS"), vtl_version="2.1", items=(name,))
    rule = "define datapoint ruleset positive (variable OBS_VALUE) is OBS_VALUE > 0 end datapoint ruleset"
    ruleset = transformation.Ruleset(**named("RS_POSITIVE"), definition=rule, kind="datapoint", scope="variable")
    yield transformation.RulesetScheme(**kept("RSS"), vtl_version="2.1", mapping_scheme=scheme, items=(ruleset,))
    definition = "define operator twice (x number) returns number is x * 2 end operator"
    operator = transformation.UserDefinedOperator(**named("UDO_TWICE"), definition=definition)
    rulesets = (ref("RulesetScheme", "RSS"),)
    yield transformation.UserDefinedOperatorScheme(
        **kept("UDOS"), vtl_version="2.1", mapping_scheme=scheme, ruleset_schemes=rulesets, items=(operator,)
    )
    step = transformation.Transformation(**named("TR_1"), expression="twice(honey)", result="much", is_persistent=True)
    yield transformation.TransformationScheme(
        **kept("TS"), vtl_version="2.1", mapping_scheme=scheme, personalisation_scheme=ref("NamePersonalisationScheme", "NPS"),
        custom_type_scheme=ref("CustomTypeScheme", "CTS"), ruleset_schemes=rulesets, operator_schemes=(ref("UserDefinedOperatorScheme", "UDOS"),),
        items=(step,),
    )  # fmt: skip


def every_artefact() -> tuple[Maintainable, ...]:
    """At least one artefact of every type, what is referred to before what refers."""
    makers = (
        enumerations,
        schemes,
        organisations,
        hierarchies,
        data_structures,
        metadata_structures,
        maps,
        processes,
        transformations,
    )
    return tuple(one for maker in makers for one in maker())
