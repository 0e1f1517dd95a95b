"""SDMX-ML 2.0: every data specimen against a plain walk of its tree, and what a message may leave unsaid."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sdmx_service.errors import NotBuilt, SdmxError, UnreadableFile, UnresolvedReference
from sdmx_service.formats.sdmx_ml.data_reader import read_sdmx_ml_data, sniff_sdmx_ml_data
from sdmx_service.formats.sniffing import peek
from sdmx_service.model.message import UNSAID, Action, Message, Resolve, Target
from sdmx_service.model.structure import DataStructure, Dimension, TimeDimension
from sdmx_service.model.urn import Ref
from tests.formats.data.invented import CODED, NUMBER, STOCK, concept, resolving, rows, structure, without_row
from tests.reference import Specimen

MESSAGE = "http://www.SDMX.org/resources/SDMXML/schemas/v2_0/message"
GENERIC = "http://www.SDMX.org/resources/SDMXML/schemas/v2_0/generic"
FAMILY = "urn:sdmx:org.sdmx.infomodel.keyfamily.KeyFamily=INV:DSD:compact"


def message(content: str, *, root: str = "CompactData", header: str = "", space: str = FAMILY) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<{root} xmlns="{MESSAGE}" xmlns:g="{GENERIC}" xmlns:n="{space}">
<Header><ID>ID1</ID><Test>false</Test><Truncated>false</Truncated><Prepared>2001-03-11T09:30:47-05:00</Prepared>
<Sender id="ME"><Name>Me</Name></Sender>{header}</Header>
{content}
</{root}>""".encode()


def read(data: bytes, *known: DataStructure) -> Message:
    return read_sdmx_ml_data(io.BytesIO(data), resolving(*(known or (STOCK,))))


def read_rows(data: bytes, *known: DataStructure) -> list[list[dict[str, Any]]]:
    return without_row(rows(read(data, *known)))


class Listening:
    """A resolver that knows some references and keeps what it was asked."""

    def __init__(self, *known: Ref) -> None:
        self.known, self.asked = known, []  # type: ignore[var-annotated]

    def __call__(self, ref: Ref) -> Target:
        self.asked.append(ref)
        if ref not in self.known:
            raise UnresolvedReference(f"{ref} is not there.")
        return Target(structure=STOCK, dataflow=ref if ref.type == "Dataflow" else None)


def family(agency: str, id: str, version: str = "~") -> Ref:
    return Ref(type="DataStructure", agency=agency, id=id, version=version)


KEY = {"FREQ": "A", "AREA": "4", "SEX": "F"}
SERIES = 'FREQ="A" AREA="4" SEX="F"'


def test_compact_series_groups_and_attributes() -> None:
    content = (
        f'<n:DataSet datasetID="X" action="Replace" SOURCE="census"><n:ByArea AREA="4" UNIT="PS"/>'
        f'<n:Series {SERIES} TITLE="T">\n<n:Obs TIME_PERIOD="2020" OBS_VALUE="1.50"/><n:Obs TIME_PERIOD="2021" STATUS="M"/>'
        f"</n:Series><n:Series {SERIES}/></n:DataSet>"
    )
    found = read(message(content))
    (one,) = found.datasets
    assert (one.action, one.id, one.ref) == (Action.REPLACE, "X", family("INV", "DSD"))
    assert read_rows(message(content)) == [
        [
            {"SOURCE": "census"},
            {"AREA": "4", "UNIT": "PS"},
            {**KEY, "TITLE": {"en": "T"}, "TIME_PERIOD": "2020", "OBS_VALUE": "1.50"},
            {**KEY, "TITLE": {"en": "T"}, "TIME_PERIOD": "2021", "STATUS": "M"},
            KEY,
        ]
    ]
    assert [row["_row"] for row in rows(read(message(content)))[0]] == [5, 5, 6, 6, 6]


def generic(concept: str, value: str) -> str:
    return f'<g:Value concept="{concept}" value="{value}"/>'


def test_generic_groups_hold_series() -> None:
    key = "".join(generic(id, text) for id, text in KEY.items())
    series = (
        f"<g:Series><g:SeriesKey>{key}</g:SeriesKey><g:Attributes>{generic('TITLE', 'T')}</g:Attributes>"
        f'<g:Obs><g:Time>2020</g:Time><g:ObsValue value="1.0"/><g:Attributes>{generic("STATUS", "E")}</g:Attributes></g:Obs>'
        "</g:Series>"
    )
    group = f"<g:Group type='ByArea'><g:GroupKey>{generic('AREA', '4')}</g:GroupKey>"
    units = f"<g:Attributes>{generic('UNIT', 'PS')}</g:Attributes>"
    content = (
        f"<DataSet><g:KeyFamilyRef> DSD </g:KeyFamilyRef><g:Attributes>{generic('SOURCE', 'census')}</g:Attributes>"
        f"{group}{units}{series}</g:Group>{group}{series}</g:Group>{group}{units}</g:Group></DataSet>"
    )
    observation = {**KEY, "TITLE": {"en": "T"}, "TIME_PERIOD": "2020", "OBS_VALUE": "1.0", "STATUS": "E"}
    area = {"AREA": "4", "UNIT": "PS"}
    assert read_rows(message(content, root="GenericData")) == [
        [{"SOURCE": "census"}, area, observation, observation, area]
    ]


def test_a_group_that_only_holds_series_deletes_nothing_of_its_own() -> None:
    key = "".join(generic(id, text) for id, text in KEY.items())
    content = (
        f"<DataSet action='Delete'><g:KeyFamilyRef>DSD</g:KeyFamilyRef><g:Group><g:GroupKey>{generic('AREA', '4')}"
        f"</g:GroupKey><g:Series><g:SeriesKey>{key}</g:SeriesKey></g:Series></g:Group></DataSet>"
    )
    assert read_rows(message(content, root="GenericData")) == [[KEY]]


CROSS = (
    '<n:DataSet><n:Group TIME="2000" UNIT="PS"><n:Section FREQ="A"><n:{0} AREA="4" SEX="F" value="3.14"/>'
    '<n:{1} AREA="4" SEX="M" value="1.00" STATUS="E"/></n:Section></n:Group>'
    '<n:Group TIME="2001" FREQ="A"><n:Section><n:{0} AREA="4" SEX="F" value="5"/></n:Section></n:Group></n:DataSet>'
)


def test_cross_sectional_observations_inherit_and_are_called_by_their_measure() -> None:
    base = {"FREQ": "A", "AREA": "4"}
    expected = [
        {**base, "SEX": "F", "TIME_PERIOD": "2000", "UNIT": "PS", "OBS_VALUE": "3.14"},
        {**base, "SEX": "M", "TIME_PERIOD": "2000", "UNIT": "PS", "OBS_VALUE": "1.00", "STATUS": "E"},
        {**base, "SEX": "F", "TIME_PERIOD": "2001", "OBS_VALUE": "5"},
    ]
    one = message(CROSS.format("OBS_VALUE", "OBS_VALUE"), root="CrossSectionalData")
    assert read_rows(one) == [expected]
    several = message(CROSS.format("STOCKS", "FLOWS"), root="CrossSectionalData")
    measure = Dimension(id="WHAT", concept=concept("WHAT"), representation=CODED, is_measure_dimension=True)
    by_dimension = replace(STOCK, dimensions=(*STOCK.dimensions, measure))
    assert [row["WHAT"] for row in read_rows(several, by_dimension)[0]] == ["STOCKS", "FLOWS", "STOCKS"]
    by_measure = replace(
        structure(["FREQ", "AREA", "SEX"], {"STOCKS": NUMBER, "FLOWS": NUMBER}), attributes=STOCK.attributes
    )
    assert [(row.get("STOCKS"), row.get("FLOWS")) for row in read_rows(several, by_measure)[0]] == [
        ("3.14", None), (None, "1.00"), ("5", None),
    ]  # fmt: skip
    with pytest.raises(UnreadableFile, match="'STOCKS' is no measure of INV:DSD"):
        read_rows(several)


def test_components_are_called_by_their_concepts() -> None:
    known = replace(
        STOCK,
        dimensions=(Dimension(id="AREA", concept=concept("LOCATION"), representation=CODED), *STOCK.dimensions[2:]),
        time_dimension=TimeDimension(id="TIME_PERIOD", concept=concept("WHEN")),
    )
    content = '<n:DataSet><n:Series LOCATION="4"><n:Obs SEX="F" {}="2020" OBS_VALUE="1"/></n:Series></n:DataSet>'
    for name in ("TIME", "WHEN", "TIME_PERIOD"):
        assert read_rows(message(content.format(name)), known) == [
            [{"AREA": "4", "SEX": "F", "TIME_PERIOD": "2020", "OBS_VALUE": "1"}]
        ]


SAID = "<KeyFamilyRef>KF</KeyFamilyRef><KeyFamilyAgency>A</KeyFamilyAgency>"


@pytest.mark.parametrize(
    ("header", "space", "settings", "wanted"),
    [
        ("", "urn:sdmx:org.sdmx.infomodel.keyfamily.KeyFamily=A:B:compact", "", family("A", "B")),
        ("", "urn:sdmx:org.sdmx.infomodel.keyfamily.KeyFamily=A:B:1.2:compact", "", family("A", "B", "1.2")),
        ("", "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=A:B(1.0):compact", "", family("A", "B", "1.0")),
        ("", "urn:estat:sdmx.infomodel.keyfamily.KeyFamily=A:B:compact", "", family("A", "B")),
        (SAID, "urn:other", "", family("A", "KF")),
        ("<KeyFamilyRef>KF</KeyFamilyRef>", "urn:other", "", family("ME", "KF")),
        ("", "http://oecd.stat.org/Data", 'keyFamilyURI="https://s/sdmx.ashx/GetKeyFamily/HH"', family("ME", "HH")),
        (SAID, "urn:other", 'dataflowID="DF"', Ref(type="Dataflow", agency="A", id="DF", version="~")),
        (SAID, "urn:other", 'dataflowAgencyID="Z" dataflowID="DF"', Ref(type="Dataflow", agency="Z", id="DF", version="~")),
    ],
)  # fmt: skip
def test_what_a_message_says_of_its_structure(header: str, space: str, settings: str, wanted: Ref) -> None:
    data = message(f"<n:DataSet {settings}/>", header=header, space=space)
    (one,) = read_sdmx_ml_data(io.BytesIO(data), Listening(wanted)).datasets
    assert one.ref == wanted
    listening = Listening()
    with pytest.raises(UnresolvedReference, match="is not there"):
        list(read_sdmx_ml_data(io.BytesIO(data), listening).datasets)
    assert wanted in listening.asked
    assert listening.asked[-1] == UNSAID


def test_a_message_that_names_nothing_asks_who_knows() -> None:
    content = f'<DataSet><Series {SERIES}><Obs TIME_PERIOD="2020" OBS_VALUE="1"/></Series></DataSet>'
    data = message(content, root="MessageGroup")
    (one,) = read_sdmx_ml_data(io.BytesIO(data), Listening(UNSAID)).datasets
    assert one.ref == STOCK.ref
    with pytest.raises(UnresolvedReference, match="does not say which key family"):
        list(read_sdmx_ml_data(io.BytesIO(data), Listening()).datasets)


def test_the_provider_of_a_data_set() -> None:
    said = 'dataProviderSchemeAgencyId="A" dataProviderSchemeId="DP" dataProviderID="P"'
    (one,) = read(message(f"<n:DataSet {said}/>")).datasets
    assert one.provider == Ref(type="DataProvider", agency="A", id="DP", version="1.0", item="P")


def test_utility_data_and_1_0_are_refused_in_clear_words() -> None:
    with pytest.raises(NotBuilt, match="UtilityData"):
        read(message("", root="UtilityData"))
    group = message("<n:DataSet/>", root="MessageGroup", space="urn:sdmx:org.KeyFamily=A:B:utility")
    with pytest.raises(NotBuilt, match="UtilityData"):
        read(group)
    with pytest.raises(NotBuilt, match=r"1\.0"):
        read(message("").replace(b"v2_0/message", b"v1_0/message"))


@given(
    st.lists(
        st.sampled_from(
            ["<n:Series>", "</n:Series>", "<n:Obs/>", "<n:G A='1'/>", "<DataSet>", "</DataSet>", "<n:DataSet>", "</n:DataSet>",
             "<g:Group>", "</g:Group>", "<g:GroupKey/>", "<g:Series>", "</g:Series>", "<g:Obs>", "</g:Obs>", "<g:Time>1</g:Time>",
             "<g:KeyFamilyRef>X</g:KeyFamilyRef>", "<g:Value/>", "<n:Group>", "</n:Group>", "<n:Section>", "</n:Section>"]
        ),
        max_size=12,
    ),
    st.sampled_from(["CompactData", "GenericData", "CrossSectionalData", "MessageGroup"]),
)  # fmt: skip
def test_any_order_of_elements_is_read_or_refused(parts: list[str], root: str) -> None:
    try:
        read_rows(message("".join(parts), root=root))
    except SdmxError:
        pass


# --------------------------------------------------------------------------------------------------------- specimens
NO_COMPONENTS = {"keyFamilyURI", "action", "datasetID"}


def local(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def own(element: Any) -> dict[str, str]:
    return {name: text for name, text in element.attrib.items() if "}" not in name}


def said(element: Any, *names: str) -> dict[str, str]:
    return {
        one.get("concept"): one.get("value") for name in names for one in element.findall("{*}" + name + "/{*}Value")
    }


def observation(element: Any) -> dict[str, str]:
    found = own(element) | said(element, "Attributes")
    for one in element:
        if local(one) in ("Time", "ObsValue"):
            found["TIME" if local(one) == "Time" else "OBS_VALUE"] = (
                one.text if local(one) == "Time" else one.get("value")
            )
    return found


def walk(element: Any, above: Mapping[str, str]) -> list[dict[str, str]]:
    """The rows of a data set of any kind, by a plain walk: the reader's oracle."""
    found: list[dict[str, str]] = []
    for one in element:
        name = local(one)
        if name in ("Group", "Section") and one.get("type") is None and one.get("value") is None and len(one):
            found += walk(one, {**above, **own(one)})
        elif name == "Group" and one.find("{*}GroupKey") is not None:
            found += [said(one, "GroupKey", "Attributes"), *walk(one, above)]
        elif name == "Series":
            key = own(one) | said(one, "SeriesKey", "Attributes")
            below = [key | observation(obs) for obs in one if local(obs) == "Obs"]
            found += below or [key]
        elif name and own(one) and name not in ("Annotations", "GroupKey", "Attributes", "KeyFamilyRef"):
            measure = {"MEASURE": name} if one.get("value") is not None else {}
            found.append({**above, **own(one), **measure})
    return found


def renamed(row: Mapping[str, str]) -> dict[str, str]:
    names = {"TIME": "TIME_PERIOD", "value": "OBS_VALUE"}
    return {names.get(name, name): text for name, text in row.items() if text}


def made(found: list[dict[str, str]]) -> Resolve:
    """Any reference means a structure with the components that the rows have."""
    ids = [id for id in dict.fromkeys(id for row in found for id in row) if id not in ("OBS_VALUE", "TIME_PERIOD")]
    base = structure(ids or ["NONE"])
    dimensions = tuple(replace(one, is_measure_dimension=one.id == "MEASURE") for one in base.dimensions)
    return lambda ref: Target(structure=replace(base, dimensions=dimensions))


@pytest.mark.specimens(
    format="sdmx-ml", kind=("compactdata", "crosssectionaldata", "genericdata", "messagegroup"), version="2.0"
)
def test_specimens_equal_a_walk_of_their_tree(specimen: Specimen) -> None:
    data = specimen.path.read_bytes()
    assert sniff_sdmx_ml_data(peek(io.BytesIO(data))) == 100
    sets = etree.fromstring(data).findall("{*}DataSet")
    expected = []
    for one in sets:
        above = {name: text for name, text in own(one).items() if name not in NO_COMPONENTS}
        expected.append([renamed(row) for row in (above, *walk(one, {})) if row])
    found = read_sdmx_ml_data(io.BytesIO(data), made([row for one in expected for row in one]))
    assert without_row(rows(found)) == expected
    count = sum(len(one) for one in expected)
    assert count >= 3 or not sets or "Eurostat" in specimen.file
