"""What a schema query resolves to: views, explicit measures, constraints of metadata, lists kept elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.dissemination.schema import schema
from sdmx_service.errors import NotFound, SemanticFault
from sdmx_service.model.artefact import Item, Texts
from sdmx_service.model.constraint import (
    CubeRegion,
    DataConstraint,
    KeyValue,
    MemberValue,
    MetadataConstraint,
    MetadataTargetRegion,
)
from sdmx_service.model.items import Code, Codelist, Concept, ConceptScheme, MetadataProviderScheme
from sdmx_service.model.message import Message, Party
from sdmx_service.model.query import SchemaQuery
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.schema import DataSchema, MetadataSchema
from sdmx_service.model.structure import (
    Dataflow,
    DataStructure,
    Dimension,
    Measure,
    MetadataAttribute,
    Metadataflow,
    MetadataProvisionAgreement,
    MetadataStructure,
    ProvisionAgreement,
    TimeDimension,
)
from sdmx_service.model.urn import Ref


def _ref(kind: str, id: str, item: str | None = None) -> Ref:
    return Ref(type=kind, agency="ZOO", id=id, version="1.0.0", item=item)


def _own(id: str) -> dict[str, Any]:
    return {"agency": "ZOO", "id": id, "version": "1.0.0", "names": Texts({"en": id})}


def _concept(id: str) -> Ref:
    return _ref("Concept", "CS", id)


AREAS = Codelist(**_own("CL_AREA"), items=tuple(Code(id=id) for id in ("A", "B", "C")))
KINDS = ConceptScheme(
    **_own("CS_KINDS"),
    items=(
        Concept(id="BIRTHS", core_representation=Representation(text_format=TextFormat(type="Integer"))),
        Concept(id="RATE"),
    ),
)
CODED = Representation(enumeration=AREAS.ref)
STRUCTURE = DataStructure(
    **_own("DSD"),
    dimensions=(
        Dimension(id="FROM", concept=_concept("FROM"), representation=CODED),
        Dimension(id="TO", concept=_concept("TO"), representation=CODED),
        Dimension(id="KIND", concept=_concept("KIND"), representation=Representation(enumeration=KINDS.ref), is_measure_dimension=True),
    ),
    time_dimension=TimeDimension(id="TIME_PERIOD", concept=_concept("TIME_PERIOD")),
    measures=(Measure(id="OBS_VALUE", concept=_concept("OBS_VALUE"), representation=Representation(text_format=TextFormat(type="Double"))),),
)  # fmt: skip
FLOW = Dataflow(**_own("DF"), structure=STRUCTURE.ref)
MSD = MetadataStructure(
    **_own("MSD"),
    attributes=(
        MetadataAttribute(id="ABOUT", concept=_concept("ABOUT"), is_presentational=True,
                          items=(MetadataAttribute(id="WHERE", concept=_concept("WHERE"), representation=CODED),)),
    ),
)  # fmt: skip
MDF = Metadataflow(**_own("MDF"), structure=MSD.ref)
PROVIDER = _ref("DataProvider", "PROVIDERS", "KEEPER")
ITS_AGREEMENT = ProvisionAgreement(**_own("PA"), dataflow=FLOW.ref, provider=PROVIDER)
ARTEFACTS = (AREAS, KINDS, STRUCTURE, FLOW, MSD, MDF)


def _asked(*more: Any, context: str = "dataflow", id: str = "DF", **query: Any) -> Message:
    catalog = Catalog.of([*ARTEFACTS, *more])
    return schema(SchemaQuery(context=context, agency="ZOO", id=id, **query), catalog, sender=Party(id="X"))  # type: ignore[arg-type]


def _data(*more: Any, **query: Any) -> DataSchema:
    found = _asked(*more, **query).schema
    assert isinstance(found, DataSchema)
    return found


def _narrowed(component: str, *codes: str, to: Ref = FLOW.ref) -> DataConstraint:
    member = KeyValue(component=component, values=tuple(MemberValue(value=one) for one in codes))
    return DataConstraint(**_own(f"CON_{component}"), attachments=(to,), regions=(CubeRegion(members=(member,)),))


def test_the_dimension_at_observation() -> None:
    assert _data().dimension_at_observation == "TIME_PERIOD"
    timeless = replace(STRUCTURE, time_dimension=None)
    assert _data(timeless).dimension_at_observation == "AllDimensions"
    assert _data(timeless, api="v1").dimension_at_observation == "KIND"
    assert _data(dimension_at_observation="TO").series_ids == ("FROM", "KIND", "TIME_PERIOD")
    with pytest.raises(SemanticFault, match="BIRD"):
        _data(dimension_at_observation="BIRD")


def test_explicit_measures() -> None:
    found = _data(api="v1", explicit_measure=True)
    assert found.dimension_at_observation == "KIND"
    assert {id: one and one.data_type for id, one in found.measure_types.items()} == {"BIRTHS": "Integer", "RATE": None}
    assert _data(api="v1", explicit_measure=True, dimension_at_observation="TO").measure_types == {}
    plain = replace(STRUCTURE, dimensions=STRUCTURE.dimensions[:2])
    assert _data(plain, api="v1", explicit_measure=True).dimension_at_observation == "TIME_PERIOD"


def test_constraints_of_every_level_are_applied() -> None:
    constraints = [_narrowed("FROM", "A", "B", to=STRUCTURE.ref), replace(_narrowed("FROM", "B", "C"), id="CON_2")]
    assert list(_data(*constraints).enumerations["FROM"].values) == ["B"]
    assert list(_data(*constraints).enumerations["TO"].values) == ["A", "B", "C"]
    assert list(_data(*constraints, context="datastructure", id="DSD").enumerations["FROM"].values) == ["A", "B"]


def test_constraints_are_sent_where_components_share_a_list() -> None:
    """SDMX-REST 2.2, schema.md: else a structure message could not tell which codes each component may have."""
    sent = {one.ref.text for one in _asked(_narrowed("FROM", "A"), _narrowed("TO", "B")).structures}
    assert {"ZOO:CON_FROM(1.0.0)", "ZOO:CON_TO(1.0.0)"} <= sent
    assert not any(one.type == "DataConstraint" for one in _asked().structures)


def test_constraints_of_the_provider_are_applied_for_an_agreement() -> None:
    everybody = (ITS_AGREEMENT, _narrowed("FROM", "A", "B"), _narrowed("TO", "B", to=PROVIDER))
    agreed = _asked(*everybody, context="provisionagreement", id="PA")
    assert isinstance(agreed.schema, DataSchema)
    assert {id: list(one.values) for id, one in agreed.schema.enumerations.items() if id != "KIND"} == {
        "FROM": ["A", "B"],
        "TO": ["B"],
    }
    sent = {one.ref.text: one for one in agreed.structures}
    assert {"ZOO:CON_FROM(1.0.0)", "ZOO:CON_TO(1.0.0)"} <= sent.keys()
    codelist = sent["ZOO:CL_AREA(1.0.0)"]
    assert isinstance(codelist, Codelist)
    assert [item.id for item in codelist.items] == ["A", "B"]
    assert list(_data(*everybody).enumerations["TO"].values) == ["A", "B", "C"]  # of the dataflow: any provider


def test_a_list_that_is_kept_elsewhere_limits_nothing() -> None:
    stub = replace(AREAS, items=(), is_external_reference=True)
    assert "FROM" not in _data(stub).enumerations
    assert _data(replace(AREAS, items=())).enumerations["FROM"].values == {}


def test_constraints_of_metadata() -> None:
    def where(*more: Any, **query: Any) -> list[str]:
        found = _asked(*more, **query).schema
        assert isinstance(found, MetadataSchema)
        return list(found.enumerations["ABOUT.WHERE"].values)

    member = KeyValue(component="ABOUT.WHERE", values=(MemberValue(value="A"),))
    one = MetadataConstraint(**_own("MC"), attachments=(MDF.ref,), regions=(MetadataTargetRegion(members=(member,)),))
    assert where(context="metadataflow", id="MDF") == ["A", "B", "C"]
    assert where(one, context="metadataflow", id="MDF") == ["A"]
    assert where(one, context="metadatastructure", id="MSD") == ["A", "B", "C"]
    sent = [each for each in _asked(one, context="metadataflow", id="MDF").structures if isinstance(each, Codelist)]
    assert [[item.id for item in each.items] for each in sent] == [["A"]]
    without = replace(one, regions=(replace(one.regions[0], include=False),))
    assert where(without, context="metadataflow", id="MDF") == ["B", "C"]
    reporter = _ref("MetadataProvider", "REPORTERS", "R1")
    schemes = MetadataProviderScheme(**_own("REPORTERS"), items=(Item(id="R1"), Item(id="R2")))
    agreed = MetadataProvisionAgreement(**_own("MPA"), metadataflow=MDF.ref, provider=reporter)
    more = (schemes, agreed, replace(one, attachments=(reporter,)))
    assert where(*more, context="metadataprovisionagreement", id="MPA") == ["A"]
    assert where(*more, context="metadataflow", id="MDF") == ["A", "B", "C"]
    another = (schemes, agreed, replace(one, attachments=(replace(reporter, item="R2"),)))
    assert where(*another, context="metadataprovisionagreement", id="MPA") == ["A", "B", "C"]


def test_refusals() -> None:
    with pytest.raises(NotFound):
        _asked(id="DF_NONE")
