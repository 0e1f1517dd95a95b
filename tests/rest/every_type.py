"""The small sea of ``fishery`` with at least one artefact of each of the 34 types, and an actual constraint.

Each refers to others, so that parents and children of every type exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sdmx_service.formats.registry import named
from sdmx_service.model import constraint, items, mapping, process, structure, transformation
from sdmx_service.model.artefact import Annotation, Maintainable, Texts
from sdmx_service.model.message import Message, WriteOptions
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.urn import Ref
from tests.harness import House
from tests.rest.fishery import ATTRIBUTES, KEY, MEASURES, open_fishery, send


def named_as(id: str) -> dict[str, Any]:
    """Identification and names of an item."""
    return {"id": id, "names": Texts({"en": f"The {id}", "fr": f"Le {id}"})}


def maintained(id: str, version: str = "1.0.0") -> dict[str, Any]:
    """Identification, names, description and an annotation of an artefact."""
    note = Annotation(id="NOTE", type="TEST", title="noted", texts=Texts({"en": "A note"}))
    return {
        **named_as(id), "agency": "SEA", "version": version, "descriptions": Texts({"en": f"About {id}"}),
        "annotations": (note,),
    }  # fmt: skip


def ref(kind: str, id: str, version: str = "1.0.0", item: str | None = None) -> Ref:
    """A reference to something of the sea."""
    return Ref(type=kind, agency="SEA", id=id, version=version, item=item)


FISH, PORTS = ref("Codelist", "CL_FISH"), ref("Codelist", "CL_PORT")
FLOW, MAPPINGS = ref("Dataflow", "DF_CATCH"), ref("VtlMappingScheme", "VMS")
RULES = ref("RulesetScheme", "RULES")


def _metadata() -> Iterator[Maintainable]:
    text = Representation(text_format=TextFormat(type="String"))
    contact = structure.MetadataAttribute(
        id="CONTACT", concept=ref("Concept", "CS_META", item="CONTACT"), representation=text, min_occurs=0
    )
    concepts = tuple(items.Concept(**named_as(id)) for id in ("CONTACT", "UNUSED"))
    yield items.ConceptScheme(**maintained("CS_META"), items=concepts)
    yield structure.MetadataStructure(**maintained("MSD"), attributes=(contact,))
    every_flow = ("urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=SEA:*(*)",)
    yield structure.Metadataflow(**maintained("MDF"), structure=ref("MetadataStructure", "MSD"), targets=every_flow)
    provider = ref("MetadataProvider", "METADATA_PROVIDERS", "1.0", "HARBOUR")
    flow = ref("Metadataflow", "MDF")
    yield structure.MetadataProvisionAgreement(
        **maintained("MPA"), metadataflow=flow, provider=provider, targets=every_flow
    )
    values = constraint.KeyValue(component="CONTACT", kind="component", values=(constraint.MemberValue(value="x"),))
    region = constraint.MetadataTargetRegion(members=(values,))
    yield constraint.MetadataConstraint(**maintained("MCON"), attachments=(flow,), regions=(region,))


def _organisations() -> Iterator[Maintainable]:
    for model, id, item in (
        (items.MetadataProviderScheme, "METADATA_PROVIDERS", "HARBOUR"),
        (items.DataConsumerScheme, "DATA_CONSUMERS", "MARKET"),
        (items.AgencyScheme, "AGENCIES", "DEEP"),
    ):
        yield model(**maintained(id, "1.0"), items=(items.Organisation(**named_as(item)),))
    units = (items.Organisation(**named_as("CREW")), items.Organisation(**named_as("COOK"), parent="CREW"))
    yield items.OrganisationUnitScheme(**maintained("UNITS", "1.0"), items=units)


def _lists() -> Iterator[Maintainable]:
    cod, eel = (items.HierarchicalCode(id=id, code=ref("Code", "CL_FISH", item=id)) for id in ("COD", "EEL"))
    yield items.Hierarchy(**maintained("H_FISH"), items=(cod, eel))
    hierarchy = ref("Hierarchy", "H_FISH")
    yield items.HierarchyAssociation(**maintained("HA_FISH"), hierarchy=hierarchy, linked=FISH, context=FLOW)
    yield items.ValueList(**maintained("VL_PRICE"), items=(items.ValueItem(**{**named_as("x"), "id": "$ 1"}),))
    pages = items.ReportingCategory(**named_as("PAGE"), flows=(FLOW,))
    yield items.ReportingTaxonomy(
        **maintained("BOOK"), items=(items.ReportingCategory(**named_as("YEARS"), items=(pages,)),)
    )
    step = process.ProcessStep(
        **named_as("COUNT"),
        inputs=(process.ProcessObject(local_id="IN", reference=FLOW),),
        outputs=(process.ProcessObject(local_id="OUT", reference=ref("Dataflow", "DF_LICENCE")),),
    )
    yield process.Process(**maintained("P_COUNT"), steps=(step,))


def _maps() -> Iterator[Maintainable]:
    row = mapping.MappingRow(sources=(mapping.MappedValue(value="COD"),), targets=("NOR",))
    yield mapping.RepresentationMap(**maintained("RM"), sources=(FISH,), targets=(PORTS,), rows=(row,))
    yield mapping.StructureMap(
        **maintained("SM"),
        source=ref("DataStructure", "DSD_CATCH"),
        target=ref("DataStructure", "DSD_LICENCE"),
        components=(
            mapping.ComponentMap(
                sources=("FISH",), targets=("PORT",), representation_map=ref("RepresentationMap", "RM")
            ),
        ),
    )
    for model, kind, source, target, one, other in (
        (mapping.ConceptSchemeMap, "ConceptScheme", "CS_SEA", "CS_JOBS", "PORT", "AREA"),
        (mapping.CategorySchemeMap, "CategoryScheme", "TOPICS", "TOPICS", "LAND", "WATER"),
        (mapping.ReportingTaxonomyMap, "ReportingTaxonomy", "BOOK", "BOOK", "YEARS", "YEARS"),
        (mapping.OrganisationSchemeMap, "OrganisationUnitScheme", "UNITS", "UNITS", "CREW", "COOK"),
    ):
        version = "1.0" if kind == "OrganisationUnitScheme" else "1.0.0"
        yield model(
            **maintained(f"MAP_{kind.upper()}"),
            source=ref(kind, source, version),
            target=ref(kind, target, version),
            items=(mapping.ItemMap(id=f"{one}:{other}", source=one, target=other),),
        )


def _vtl() -> Iterator[Maintainable]:
    version: dict[str, Any] = {"vtl_version": "2.1"}
    yield transformation.VtlMappingScheme(
        **maintained("VMS"), items=(transformation.VtlMapping(**named_as("V1"), alias="catch", mapped=FLOW),)
    )
    yield transformation.NamePersonalisationScheme(
        **maintained("NPS"), **version,
        items=(transformation.NamePersonalisation(**named_as("N1"), vtl_artefact="measure", default_name="m", personalised_name="n"),),
    )  # fmt: skip
    yield transformation.CustomTypeScheme(
        **maintained("CTS"), **version,
        items=(transformation.CustomType(**named_as("T1"), vtl_scalar_type="integer", data_type="Integer"),),
    )  # fmt: skip
    ruleset = transformation.Ruleset(
        **named_as("R1"), definition="define datapoint ruleset r (variable x) is x > 0 end datapoint ruleset", kind="datapoint", scope="variable"
    )  # fmt: skip
    yield transformation.RulesetScheme(**maintained("RULES"), **version, mapping_scheme=MAPPINGS, items=(ruleset,))
    operator = transformation.UserDefinedOperator(
        **named_as("O1"), definition="define operator o (x) is x end operator"
    )
    yield transformation.UserDefinedOperatorScheme(
        **maintained("OPS"), **version, mapping_scheme=MAPPINGS, ruleset_schemes=(RULES,), items=(operator,)
    )
    yield transformation.TransformationScheme(
        **maintained("TS"), **version, mapping_scheme=MAPPINGS, ruleset_schemes=(RULES,),
        personalisation_scheme=ref("NamePersonalisationScheme", "NPS"), custom_type_scheme=ref("CustomTypeScheme", "CTS"),
        operator_schemes=(ref("UserDefinedOperatorScheme", "OPS"),),
        items=(transformation.Transformation(**named_as("T1"), expression="catch * 2", result="double"),),
    )  # fmt: skip


def _actual() -> constraint.DataConstraint:
    """What SDMX before 3.1 says is there."""
    seen = constraint.KeyValue(component="PORT", values=(constraint.MemberValue(value="NOR"),))
    region = constraint.CubeRegion(members=(seen,))
    licences = (ref("Dataflow", "DF_LICENCE"),)
    return constraint.DataConstraint(**maintained("CON_SEEN"), role="Actual", attachments=licences, regions=(region,))


def write_more(content: Path) -> None:
    """Lays what ``fishery`` lacks into its content folder."""
    several = (*_metadata(), *_organisations(), *_lists(), *_maps(), *_vtl())
    for name, format, artefacts in (
        ("every_type.json", "structure-json-2.1", several),
        ("actual.json", "structure-json-2.0", (_actual(),)),
    ):
        write = named(format).write
        assert write is not None
        body = b"".join(write(Message(structures=artefacts), WriteOptions(all_languages=True)))
        (content / "dsd" / name).write_bytes(body)


@contextmanager
def open_every_type(folder: Path) -> Iterator[House]:
    """The house, filled."""
    with open_fishery(folder, write_more) as house:
        old = {
            "FREQ": "A",
            "PORT": "007",
            "FISH": "COD",
            "TIME_PERIOD": "2015",
            "WEIGHT": "3",
            "STATUS": "A",
            "UNIT": "kg",
        }
        send(house, "DF_CATCH", [{**old, "SOURCE": "Coast log"}], (*KEY, *MEASURES, *ATTRIBUTES), "COAST")
        yield house
