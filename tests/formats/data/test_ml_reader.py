"""SDMX-ML data messages: every specimen against a plain walk of its tree, safety, damage, the rules of rows."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sdmx_service.errors import SdmxError, UnreadableFile, UnsafeFile
from sdmx_service.formats.sdmx_ml import data_events, data_reader, data_specific_events
from sdmx_service.formats.sdmx_ml.data_plain import read_plain
from sdmx_service.formats.sdmx_ml.data_reader import IGNORED_METADATA, read_sdmx_ml_data, sniff_sdmx_ml_data
from sdmx_service.formats.sniffing import peek
from sdmx_service.model.message import Action, Message
from sdmx_service.model.structure import DataStructure, Dimension
from tests.formats.data.invented import (
    CODED,
    MULTI_CODED,
    NUMBER,
    OBSERVATION,
    STOCK,
    concept,
    resolving,
    rows,
    structure,
    without_row,
)
from tests.formats.data.known_structures import resolving_specimens
from tests.reference import Specimen

SPACE = "http://www.sdmx.org/resources/sdmxml/schemas/v"
URN = "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=INV:DSD(1.0.0)"


def message(
    content: str, *, root: str = "StructureSpecificData", version: str = "3_0", at: str = "TIME_PERIOD", more: str = ""
) -> bytes:
    """A message around the data sets in ``content``, whose structureID is S."""
    ref = f"<c:Structure>{URN if version != '2_1' else f'<URN>{URN}</URN>'}</c:Structure>"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<m:{root} xmlns:m="{SPACE}{version}/message" xmlns:c="{SPACE}{version}/common" xmlns:f="{SPACE}{version}/message/footer"
  xmlns:g="{SPACE}{version}/data/generic" xmlns:ss="{SPACE}{version}/data/structurespecific"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:n="{URN}">
<m:Header><m:ID>ID1</m:ID><m:Test>true</m:Test><m:Prepared>2024-01-02T03:04:05Z</m:Prepared><m:Sender id="ME"/>
<m:Structure structureID="S" namespace="{URN}" dimensionAtObservation="{at}" {more}>{ref}</m:Structure></m:Header>
{content}
</m:{root}>""".encode()


def dataset(content: str, said: str = "") -> str:
    return f'<m:DataSet ss:structureRef="S" {said}>{content}</m:DataSet>'


def read(data: bytes, *known: DataStructure) -> Message:
    return read_sdmx_ml_data(io.BytesIO(data), resolving(*(known or (STOCK,))))


def read_rows(data: bytes, *known: DataStructure) -> list[list[dict[str, Any]]]:
    return without_row(rows(read(data, *known)))


KEY = {"FREQ": "A", "AREA": "4", "SEX": "F"}
SERIES = '<Series FREQ="A" AREA="4" SEX="F"'


def test_header_and_data_set_say_where_the_data_belong() -> None:
    found = read(message(dataset("", 'action="Replace" setID="X" validFromDate="2020-01-01"')))
    assert (found.header.id, found.header.test, found.header.sender.id) == ("ID1", True, "ME")
    (one,) = found.datasets
    assert (one.ref.urn, one.action, one.id, one.valid_from) == (URN, Action.REPLACE, "X", "2020-01-01")
    assert one.dimension_at_observation == "TIME_PERIOD"


def test_observations_repeat_their_series_and_rows_are_lines() -> None:
    content = dataset(
        f'{SERIES} UNIT="PS">\n<Obs TIME_PERIOD="2020" OBS_VALUE="1.50"/>\n<Obs TIME_PERIOD="2021" STATUS="E"/></Series>'
    )
    found = rows(read(message(content)))
    assert without_row(found) == [
        [
            {**KEY, "UNIT": "PS", "TIME_PERIOD": "2020", "OBS_VALUE": "1.50"},
            {**KEY, "UNIT": "PS", "TIME_PERIOD": "2021", "STATUS": "E"},
        ]
    ]
    assert [row["_row"] for row in found[0]] == [8, 9]


def test_series_groups_and_data_set_without_observations_are_rows() -> None:
    content = dataset(
        f'<Group xsi:type="n:ByArea" AREA="4" UNIT="PS"/>{SERIES} TITLE="T"/>{SERIES}><Obs TIME_PERIOD="2020"/></Series>',
        'SOURCE="census"',
    )
    assert read_rows(message(content, version="2_1")) == [
        [
            {"SOURCE": "census"},
            {"AREA": "4", "UNIT": "PS"},
            {**KEY, "TITLE": {"en": "T"}},
            {**KEY, "TIME_PERIOD": "2020"},
        ]
    ]


def test_flat_observations_do_not_inherit_from_a_series_before() -> None:
    content = dataset(f'{SERIES} UNIT="PS"><Obs TIME_PERIOD="2020"/></Series><Obs FREQ="M" TIME_PERIOD="2020-01"/>')
    assert read_rows(message(content))[0][1] == {"FREQ": "M", "TIME_PERIOD": "2020-01"}


def test_an_observation_may_say_its_own_dimension_at_any_level() -> None:
    content = dataset(
        '<Series FREQ="A" SEX="F" TIME_PERIOD="2020"><Obs AREA="4" OBS_VALUE="1"/><Obs AREA="8" OBS_VALUE="2"/></Series>'
    )
    found = read(message(content, at="AREA"))
    (one,) = found.datasets
    assert one.dimension_at_observation == "AREA"
    assert [row["AREA"] for batch in one.batches for row in batch.to_pylist()] == ["4", "8"]


def test_comps_of_observations_series_groups_and_atts() -> None:
    comp = '<Comp id="TAGS" xsi:type="n:X"><Value>a</Value><Value>b</Value></Comp>'
    title = '<Comp id="TITLE"><Value><c:Text>Yes</c:Text><c:Text xml:lang="fr">Oui</c:Text></Value></Comp>'
    note = '<Comp id="NOTE"><Value>x &amp; y</Value></Comp>'
    content = dataset(
        f'<Atts SOURCE="s"/><Atts FREQ="A">{note}</Atts>{SERIES}>{title}<Obs TIME_PERIOD="2020">{comp}</Obs>'
        f'<Obs TIME_PERIOD="2021">{note}</Obs><Obs TIME_PERIOD="2022" TAGS="c"/></Series>{SERIES}>{title}</Series>'
    )
    title_read = {"TITLE": {"en": "Yes", "fr": "Oui"}}
    assert read_rows(message(content)) == [[
        {"SOURCE": "s"},
        {"FREQ": "A", "NOTE": "x & y"},
        {**KEY, **title_read, "TIME_PERIOD": "2020", "TAGS": ["a", "b"]},
        {**KEY, **title_read, "TIME_PERIOD": "2021", "NOTE": "x & y"},
        {**KEY, **title_read, "TIME_PERIOD": "2022", "TAGS": ["c"]},
        {**KEY, **title_read},
    ]]  # fmt: skip


def test_several_values_of_a_plain_component_are_refused() -> None:
    content = dataset('<Obs FREQ="A"><Comp id="NOTE"><Value>a</Value><Value>b</Value></Comp></Obs>')
    with pytest.raises(UnreadableFile, match="NOTE has 2 values"):
        read_rows(message(content))


def test_explicit_measures_of_2_1() -> None:
    measure = Dimension(id="MEASURE", concept=concept("MEASURE"), representation=CODED, is_measure_dimension=True)
    base = structure(["FREQ"])
    known = structure(["FREQ"]).__class__(
        id=base.id,
        agency=base.agency,
        dimensions=(*base.dimensions, measure),
        time_dimension=base.time_dimension,
        measures=base.measures,
    )
    content = dataset(
        '<Series FREQ="A" TIME_PERIOD="2020"><Obs xsi:type="n:BIRTHS" OBS_VALUE="1"/><Obs xsi:type="n:DEATHS" OBS_VALUE="2"/></Series>'
    )
    data = message(content, version="2_1", at="MEASURE", more='explicitMeasures="true"')
    assert [row["MEASURE"] for row in read_rows(data, known)[0]] == ["BIRTHS", "DEATHS"]


def test_deletions_say_what_they_delete_and_an_empty_data_set_says_nothing() -> None:
    content = (
        dataset("", 'action="Delete"')
        + dataset('<Series AREA="4"/>', 'action="Delete"')
        + dataset("<Series/>", 'action="Delete"')
    )
    assert read_rows(message(content)) == [[], [{"AREA": "4"}], [{}]]


def test_metadata_is_read_over_and_footers_are_kept() -> None:
    content = dataset('<Obs FREQ="A"><Metadata><Attribute id="M"><Value>v</Value></Attribute></Metadata></Obs>')
    footer = '<f:Footer><f:Message code="413" severity="Warning"><c:Text xml:lang="en">a</c:Text><c:Text>b</c:Text></f:Message></f:Footer>'
    found = read(message(content + footer))
    assert without_row(rows(found)) == [[{"FREQ": "A"}]]
    (first, second) = found.errors
    assert first[:2] == (IGNORED_METADATA, "information")
    assert second == ("413", "Warning", {"en": "a\nb"})


def test_generic_messages() -> None:
    def value(id: str, text: str) -> str:
        return f'<g:Value id="{id}" value="{text}"/>'

    key = value("FREQ", "A") + value("AREA", "4") + value("SEX", "F")
    content = (
        f'<m:DataSet structureRef="S" action="Append"><g:Attributes>{value("SOURCE", "census")}</g:Attributes>'
        f'<g:Group type="ByArea"><g:GroupKey>{value("AREA", "4")}</g:GroupKey><g:Attributes>{value("UNIT", "PS")}</g:Attributes></g:Group>'
        f"<g:Series><g:SeriesKey>{key}</g:SeriesKey><g:Attributes>{value('TITLE', 'T')}</g:Attributes>"
        f'<g:Obs><g:ObsDimension value="2020"/><g:ObsValue value="1.0"/></g:Obs>'
        f'<g:Obs><g:ObsDimension id="TIME_PERIOD" value="2021"/><g:ObsValue value="NaN"/><g:Attributes>{value("STATUS", "M")}</g:Attributes></g:Obs>'
        f"</g:Series><g:Series><g:SeriesKey>{key}</g:SeriesKey></g:Series></m:DataSet>"
        f'<m:DataSet structureRef="S"><g:Obs><g:ObsKey>{key}{value("TIME_PERIOD", "2022")}</g:ObsKey><g:ObsValue value="3"/></g:Obs></m:DataSet>'
    )
    full = {**KEY, "TITLE": {"en": "T"}}
    assert read_rows(message(content, root="GenericData", version="2_1")) == [
        [
            {"SOURCE": "census"},
            {"AREA": "4", "UNIT": "PS"},
            {**full, "TIME_PERIOD": "2020", "OBS_VALUE": "1.0"},
            {**full, "TIME_PERIOD": "2021", "OBS_VALUE": "NaN", "STATUS": "M"},
            KEY,
        ],
        [{**KEY, "TIME_PERIOD": "2022", "OBS_VALUE": "3"}],
    ]


@pytest.mark.parametrize("size", [1, 40, 10**6])
def test_batches_may_end_anywhere(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(data_events, "BATCH", size)
    monkeypatch.setattr(data_reader, "PIECE", 37)
    parts, expected = [], []
    for area in range(30):
        parts.append(f'<Series FREQ="A" AREA="{area}" SEX="F" UNIT="U{area}">')
        base = {**KEY, "AREA": str(area), "UNIT": f"U{area}"}
        for year in range(area % 4):
            parts.append(f'<Obs TIME_PERIOD="{year}"' + (' STATUS="E"' if year % 2 else "") + f' OBS_VALUE="{area}"/>')
            expected.append(
                {**base, "TIME_PERIOD": str(year), "OBS_VALUE": str(area)} | ({"STATUS": "E"} if year % 2 else {})
            )
        if area % 4 == 0:
            expected.append(base)
        parts.append("</Series>")
    assert read_rows(message(dataset("".join(parts)))) == [expected]


# -------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "truncated"),
        (b"not xml", "not well-formed"),
        (message(dataset('<Obs FREQ="A"/>'))[:-30], "Line 7: the XML ends too early"),
        (message(dataset('<Obs FREQ="A"/>')).replace(b'"A"/>', b'"A">'), "Line 7, column"),
        (message(dataset('<Obs FREQ="A" NO="1"/>')), "Line 7: 'NO' is no component of INV:DSD(1.0.0)"),
        (message(dataset(f'{SERIES} NO="1"/>')), "Line 7: 'NO'"),
        (message(dataset('<Obs><Comp id="NO"><Value>1</Value></Comp></Obs>')), "Line 7: 'NO'"),
        (message('<m:DataSet ss:structureRef="T"/>'), "Line 7: the DataSet refers to the structure 'T'"),
        (message(dataset("", 'action="Burn"')), "Line 7: The action 'Burn'"),
        (message("", root="Structure"), "structure message"),
        (message("", root="Nonsense"), "no data message"),
        (message("", version="9_9"), "namespace"),
        (b'<m:GenericData xmlns:m="' + SPACE.encode() + b'2_1/message"/>', "no Header"),
    ],
)
def test_faults_say_where(data: bytes, words: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read_rows(data)
    assert words in str(caught.value)


LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>\n'


@pytest.mark.parametrize("doctype", [LAUGHS, b"<!DOCTYPE x>\n", b'<!DOCTYPE x SYSTEM "file:///etc/passwd">\n'])
def test_a_doctype_is_refused(doctype: bytes) -> None:
    data = message(dataset('<Obs FREQ="A"/>'))
    place = data.index(b"<m:")
    with pytest.raises(UnsafeFile, match="Line 2"):
        read_rows(data[:place] + doctype + data[place:])


GOOD = message(
    dataset(f'{SERIES} TITLE="T">\n<Obs TIME_PERIOD="2020"><Comp id="TAGS"><Value>a</Value></Comp></Obs>\n</Series>')
)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for one in (data, b"<" + data, b'<?xml version="1.0"?>' + data):
        try:
            read_rows(one)
        except SdmxError:
            pass


@given(st.integers(0, len(GOOD)), st.integers(0, 20), st.binary(max_size=20))
def test_any_damage_is_read_or_refused(start: int, size: int, inserted: bytes) -> None:
    try:
        read_rows(GOOD[:start] + inserted + GOOD[start + size :])
    except SdmxError:
        pass


@given(st.lists(st.sampled_from(
    ["<Series>", "</Series>", "<Obs>", "</Obs>", '<Comp id="TAGS">', "</Comp>", "<Value>", "</Value>", "<Atts/>", "<m:DataSet>", "</m:DataSet>",
     "<g:Value/>", "<Metadata>", "</Metadata>", "<m:DataProvider/>", "<g:Obs>", "</g:Obs>", "<g:Series>", "</g:Series>", "<Group/>"]
), max_size=12), st.sampled_from(["StructureSpecificData", "GenericData"]))  # fmt: skip
def test_any_order_of_elements_is_read_or_refused(parts: list[str], root: str) -> None:
    try:
        read_rows(message("".join(parts), root=root, version="2_1"))
    except SdmxError:
        pass


values = st.text(alphabet="ab4> =/é\n\t", max_size=4) | st.sampled_from(
    ["&amp;x", "&#65;&#x42;", "&lt;Obs A=", "</Obs>".replace("<", "&lt;")]
)
attributes = st.dictionaries(
    st.sampled_from(["FREQ", "AREA", "SEX", "STATUS", "NOTE", "TAGS", "TITLE", "UNIT"]), values, max_size=4
)
gaps = st.sampled_from(["", "", "\n", "  ", "\r\n", "<!-- <Obs NOTE='c'/> -->", "<?pi?>"])


@st.composite
def elements(draw: st.DrawFn) -> str:
    def opened(name: str) -> str:
        said = "".join(
            f'{draw(st.sampled_from([" ", chr(10)]))}{id}={draw(st.sampled_from(["", " "]))}"{text}"'
            for id, text in draw(attributes).items()
        )
        return f"<{name}{said}"

    def observation() -> str:
        return opened("Obs") + draw(
            st.sampled_from(["/>", " />", "></Obs>", '><Comp id="NOTE"><Value>v</Value></Comp></Obs>'])
        )

    parts = []
    for _ in range(draw(st.integers(0, 6))):
        below = "".join(draw(gaps) + observation() for _ in range(draw(st.integers(0, 4))))
        parts.append(
            draw(gaps)
            + draw(
                st.sampled_from(
                    [
                        observation(),
                        opened("Series") + ">" + below + "</Series>",
                        opened("Series") + "/>",
                        opened("Group") + "/>",
                    ]
                )
            )
        )
    return "".join(parts)


def outcome(data: bytes) -> Any:
    """The rows, or what is said of the message."""
    try:
        return rows(read(data))
    except SdmxError as fault:
        return type(fault), str(fault), fault.hint


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A data set, perhaps with something in it that does not belong there."""
    content = draw(elements())
    if draw(st.booleans()):
        place = draw(st.integers(0, len(content)))
        wrong = draw(st.sampled_from(DAMAGE))
        content = content[:place] + wrong + content[place + draw(st.integers(0, 3)) :]
    return content


DAMAGE = [
    "<", ">", "&", '"', "'", "&#0;", "&#xFFFE;", "&#x1F600;", "&nbsp;", "\x01", "\ufffe", "\r", "\x85", "<!--", "]]>",
    "<![CDATA[<Obs/>]]>", "</Obs>", "</Series>", "<Obs>", "<Obs", "<Series>", "<Obs/>", "<Series/>", "<m:Obs/>",
    ' NOTE="1" NOTE="2"', " xmlns='urn:x'", ' xmlns="urn:x"', " x:y='z'", ' xml:lang="en"', " NOTE='\"'", " NOTE='a'",
    ' NOTE="it\'s"', ' NÖTE="a"', "=", " ", "\n", "\v",
]  # fmt: skip


@given(damaged(), damaged(), st.sampled_from([16, 60, 200]))
def test_the_short_way_gives_the_same_rows_and_refusals_as_the_events(content: str, more: str, size: int) -> None:
    data = message(dataset("") + dataset(content) + dataset(more))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_specific_events, "read_plain", lambda *_: None)
        expected = outcome(data)
    for piece, part in ((size, size), (10**6, size), (10**6, 10**6)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(data_reader, "PIECE", piece)
            patch.setattr(data_specific_events, "PART", part)
            assert outcome(data) == expected


def test_the_short_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []

    def count(*given: Any) -> Any:
        found = read_plain(*given)
        taken.append(found is not None)
        return found

    monkeypatch.setattr(data_specific_events, "read_plain", count)
    monkeypatch.setattr(data_reader, "PIECE", 4096)
    series = f'{SERIES} TITLE="T &amp;c">' + '\n  <Obs TIME_PERIOD="2020" OBS_VALUE="1"/>' * 20 + "</Series>\n"
    assert len(rows(read(message(dataset(series * 50))))[0]) == 1000
    assert sum(taken) >= len(taken) - 2 > 8


# --------------------------------------------------------------------------------------------------------- specimens

SETTINGS = {
    "structureRef",
    "setID",
    "action",
    "validFromDate",
    "validToDate",
    "dataScope",
    "reportingBeginDate",
    "reportingEndDate",
    "type",
}


def local(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def plain_attributes(element: Any) -> dict[str, str]:
    return {name: text for name, text in element.attrib.items() if "}" not in name and name != "type"}


def values_below(element: Any, *names: str) -> dict[str, str]:
    return {
        one.get("id"): one.get("value") for name in names for holder in element.findall("{*}" + name) for one in holder
    }


def with_comps(element: Any) -> dict[str, Any]:
    comps = {
        one.get("id"): ["".join(value.itertext()).strip() for value in one] for one in element if local(one) == "Comp"
    }
    return plain_attributes(element) | comps


def rows_of_tree(dataset: Any, at: str) -> list[dict[str, Any]]:
    """The rows of a data set by a plain walk of the tree: the reader's oracle."""

    def observation(element: Any) -> dict[str, Any]:
        found = with_comps(element) | values_below(element, "ObsKey", "Attributes")
        for one in element:
            if local(one) == "ObsDimension":
                found[one.get("id") or at] = one.get("value")
            if local(one) == "ObsValue":
                found["OBS_VALUE"] = one.get("value")
        return found

    own = {name: text for name, text in plain_attributes(dataset).items() if name not in SETTINGS} | values_below(
        dataset, "Attributes"
    )
    found = [own] if own else []
    for element in dataset:
        if local(element) in ("Group", "Atts"):
            found.append(with_comps(element) | values_below(element, "GroupKey", "Attributes"))
        elif local(element) == "Obs":
            found.append(observation(element))
        elif local(element) == "Series":
            base = with_comps(element) | values_below(element, "SeriesKey", "Attributes")
            below = [base | observation(one) for one in element if local(one) == "Obs"]
            found += below or ([base] if base else [])
    return [{id: value for id, value in row.items() if value not in ("", None)} for row in found]


def structure_of(datasets: list[list[dict[str, Any]]], at: str) -> DataStructure:
    ids = list(dict.fromkeys(id for one in datasets for row in one for id in row))
    measures = {id: NUMBER for id in ids if id in ("OBS_VALUE", "MM", "M1", "A")} or {"OBS_VALUE": NUMBER}
    several = {id for one in datasets for row in one for id, value in row.items() if isinstance(value, list)}
    dimensions = [id for id in ids if id not in several and id not in measures and id != "TIME_PERIOD"]
    attributes = {id: (MULTI_CODED, OBSERVATION) for id in ids if id in several}
    return structure(dimensions or ["NONE"], measures, attributes)


KINDS = ("genericdata", "generictsdata", "ssdata", "sstsdata")


@pytest.mark.specimens(format="sdmx-ml", kind=KINDS, version=("2.1", "3.0", "3.1"))
def test_specimens_equal_a_walk_of_their_tree(specimen: Specimen) -> None:
    tree = etree.parse(str(specimen.path))
    header = tree.find("{*}Header")
    at = next((one.get("dimensionAtObservation") for one in header.findall("{*}Structure")), None) or "TIME_PERIOD"
    expected = [rows_of_tree(one, at) for one in tree.getroot().findall("{*}DataSet")]
    known = structure_of(expected, at)
    data = specimen.path.read_bytes()
    assert sniff_sdmx_ml_data(peek(io.BytesIO(data))) == 100
    if specimen.file.endswith("22_289.xml"):
        with pytest.raises(UnreadableFile, match="IT1_DCIS_POPRES1_1_0"):
            read_rows(data, known)
        return
    several = {id for one in expected for row in one for id, value in row.items() if isinstance(value, list)}
    for one in expected:
        for row in one:
            row.update({id: [row[id]] if isinstance(row[id], str) else row[id] for id in several & set(row)})
    found = read_rows(data, known)
    if "ECB_EXR_CA" in specimen.file:  # Texts by language in several values: compared in the test below.
        for one in (*found, *expected):
            for row in one:
                row.pop("TITLE", None)
    assert found == expected


def test_texts_by_language_in_several_values(specimens: tuple[Specimen, ...]) -> None:
    (specimen,) = [one for one in specimens if one.file == "sdmx-ml-3.0/ssdata/sdmx-ml/ECB_EXR_CA.xml"]
    tree = etree.parse(str(specimen.path))
    expected = [rows_of_tree(one, "TIME_PERIOD") for one in tree.getroot().findall("{*}DataSet")]
    ((first, *_),) = read_rows(specimen.path.read_bytes(), structure_of(expected, "TIME_PERIOD"))
    assert first["TITLE"] == [
        "en:Some English Text;fr:Quelques textes en anglais",
        "en:Additional English Text where lang defaults to en;fr:Texte anglais supplémentaire",
    ]
    assert first["OBS_STATUS"] == ["A", "F"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.specimens(format="sdmx-ml", kind=KINDS, version=("2.1", "3.0", "3.1"))
def test_figures_equal_those_of_pysdmx_where_it_reads(specimen: Specimen) -> None:
    from pysdmx.io import read_sdmx

    if specimen.file.endswith(("/rg-xs.xml", "/sg-xs.xml")):
        pytest.skip("pysdmx 1.21 repeats each observation for each group here: 48 instead of 12")
    try:
        frames = [one.data for one in read_sdmx(specimen.path, validate=False).data or ()]
        theirs = [
            float(value)
            for frame in frames
            if "OBS_VALUE" in frame
            for value in frame["OBS_VALUE"].dropna()
            if value != ""
        ]
    except Exception as fault:  # noqa: BLE001 - whatever it cannot do is no oracle.
        pytest.skip(f"pysdmx: {type(fault).__name__}")
    tree = etree.parse(str(specimen.path))
    at = (
        next((one.get("dimensionAtObservation") for one in tree.iter("{*}Structure") if one.get("structureID")), None)
        or "TIME_PERIOD"
    )
    known = structure_of([rows_of_tree(one, at) for one in tree.getroot().findall("{*}DataSet")], at)
    ours = [
        float(row["OBS_VALUE"])
        for one in read_rows(specimen.path.read_bytes(), known)
        for row in one
        if "OBS_VALUE" in row
    ]
    assert sorted(one for one in ours if one == one) == sorted(one for one in theirs if one == one)


@pytest.mark.specimens(format="sdmx-ml")
def test_every_specimen_is_read_or_refused_with_the_structures_at_hand(specimen: Specimen) -> None:
    with specimen.path.open("rb") as file:
        try:
            rows(read_sdmx_ml_data(file, resolving_specimens()))
        except SdmxError as error:
            assert error.detail


@pytest.mark.specimens(format="sdmx-ml", kind=("structure", "registry", "query", "error"))
def test_other_messages_are_not_taken_for_data(specimen: Specimen) -> None:
    assert sniff_sdmx_ml_data(peek(io.BytesIO(specimen.path.read_bytes()))) == 0
