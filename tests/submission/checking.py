"""A small invented structure with components of every kind, and checks of SDMX-CSV against it."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.model.artefact import Item, Maintainable, Texts
from sdmx_service.model.constraint import CubeRegion, DataConstraint, KeyValue, MemberValue
from sdmx_service.model.finding import Finding
from sdmx_service.model.items import Code, Codelist, DataProviderScheme
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.structure import (
    Attribute,
    Dataflow,
    DataStructure,
    Dimension,
    Measure,
    ProvisionAgreement,
    Relationship,
    TimeDimension,
)
from sdmx_service.model.urn import Ref
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.submit import Outcome, SentFile, check
from tests.submission.staging import coded, codelist_ref, concept

HEADER = "AREA,SEX,TIME_PERIOD,VALUE,COUNT,RATE,GRADE,STATUS,NOTE,FLAGS[],TEXT[en;fr],UNIT,SOURCE,AREA_NOTE,WHEN"
RIGHT = "MT,F,2024,1.5,7,0.5,G1,A,ab1,X;Y,en:hi;fr:salut,PS,Register,Islands,2024-Q1"
PROVIDER = Ref(type="DataProvider", agency="TEST", id="DATA_PROVIDERS", version="1.0", item="P1")


def text(kind: str, **facets: Any) -> Representation:
    return Representation(text_format=TextFormat(type=kind, **facets))


def _level(*dimensions: str) -> Relationship:
    return Relationship(kind="dimensions", dimensions=dimensions) if dimensions else Relationship(kind="dataset")


STRUCTURE = DataStructure(
    id="DSD_V",
    agency="TEST",
    version="1.0.0",
    dimensions=tuple(Dimension(id=id, concept=concept(id), representation=coded(id)) for id in ("AREA", "SEX")),
    time_dimension=TimeDimension(
        id="TIME_PERIOD", concept=concept("TIME_PERIOD"), representation=text("GregorianYear")
    ),
    measures=(
        Measure(id="VALUE", concept=concept("VALUE"), representation=text("Double"), usage="mandatory"),
        Measure(id="COUNT", concept=concept("COUNT"), representation=text("Integer", min_value="0", max_value="100")),
        Measure(id="RATE", concept=concept("RATE"), representation=text("Decimal", decimals=1)),
        Measure(id="GRADE", concept=concept("GRADE"), representation=coded("GRADE")),
    ),
    attributes=(
        Attribute(id="STATUS", concept=concept("STATUS"), representation=coded("STATUS"), usage="mandatory"),
        Attribute(
            id="NOTE",
            concept=concept("NOTE"),
            representation=text("String", min_length=2, max_length=5, pattern="[a-z]+[0-9]*"),
        ),
        Attribute(id="FLAGS", concept=concept("FLAGS"), representation=replace(coded("FLAGS"), max_occurs="unbounded")),
        Attribute(
            id="TEXT", concept=concept("TEXT"), representation=text("String", is_multilingual=True, max_length=8)
        ),
        Attribute(
            id="UNIT",
            concept=concept("UNIT"),
            representation=text("String"),
            usage="mandatory",
            relationship=_level("AREA", "SEX"),
        ),
        Attribute(
            id="SOURCE",
            concept=concept("SOURCE"),
            representation=text("String"),
            usage="mandatory",
            relationship=_level(),
        ),
        Attribute(
            id="AREA_NOTE", concept=concept("AREA_NOTE"), representation=text("String"), relationship=_level("AREA")
        ),
        Attribute(id="WHEN", concept=concept("WHEN"), representation=text("StandardTimePeriod")),
    ),
)
FLOW = Dataflow(id="DF_V", agency="TEST", version="1.0.0", structure=STRUCTURE.ref)


def _codelist(id: str, **codes: str) -> Codelist:
    ref = codelist_ref(id)
    items = tuple(Code(id=code, names=Texts({"en": name})) for code, name in codes.items())
    return Codelist(id=ref.id, agency=ref.agency, version=ref.version, items=items)


ARTEFACTS: tuple[Maintainable, ...] = (
    STRUCTURE,
    FLOW,
    _codelist("AREA", MT="Malta", IT="Italy", FR="France"),
    _codelist("SEX", F="Female", M="Male"),
    _codelist("GRADE", G1="First", G2="Second"),
    _codelist("STATUS", A="Normal", M="Missing"),
    _codelist("FLAGS", X="Ex", Y="Why"),
    DataProviderScheme(id="DATA_PROVIDERS", agency="TEST", version="1.0", items=(Item(id="P1"), Item(id="P2"))),
    ProvisionAgreement(id="PA_P1", agency="TEST", version="1.0.0", dataflow=FLOW.ref, provider=PROVIDER),
)


def constraint(attached: Ref, component: str, *codes: str) -> DataConstraint:
    """A constraint that leaves some codes of a component."""
    member = KeyValue(component=component, values=tuple(MemberValue(value=code) for code in codes))
    return DataConstraint(
        id=f"CON_{component}",
        agency="TEST",
        version="1.0.0",
        role="Allowed",
        attachments=(attached,),
        regions=(CubeRegion(members=(member,)),),
    )


def row(**changed: str) -> str:
    """The right row with some cells changed."""
    cells = dict(zip([name.partition("[")[0] for name in HEADER.split(",")], RIGHT.split(","), strict=True))
    assert set(changed) <= set(cells)
    return ",".join((cells | changed).values())


def message(*rows: str, action: str = "R", header: str = HEADER) -> bytes:
    """An SDMX-CSV 2.1 message; a row may begin with its own action and a bar: ``D|MT,...``."""
    lines = [f"STRUCTURE[;],STRUCTURE_ID,ACTION,{header}"]
    for one in rows:
        said, bar, cells = one.partition("|")
        lines.append(f"dataflow,TEST:DF_V(1.0.0),{said if bar else action},{cells if bar else one}")
    return ("\n".join(lines) + "\n").encode()


def checked(body: bytes, *more: Maintainable, name: str = "sent.csv") -> Outcome:
    """The outcome of a check without a store."""
    return check(SentFile(file=io.BytesIO(body), name=name), Wish(provider="P1"), Catalog.of([*ARTEFACTS, *more]))


def findings(*rows: str, action: str = "R", header: str = HEADER, more: tuple[Maintainable, ...] = ()) -> list[Finding]:
    """What a check of these rows finds."""
    return [
        one for group in checked(message(*rows, action=action, header=header), *more).groups for one in group.findings()
    ]
