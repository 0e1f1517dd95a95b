"""SDMX-CSV metadata messages: what the field guide's rules say of cells, and where faults are."""

from __future__ import annotations

import pytest

from sdmx_service.errors import SdmxError
from sdmx_service.formats.recognition import recognise
from sdmx_service.formats.sniffing import Head
from sdmx_service.model.artefact import Texts
from sdmx_service.model.message import Action, Message, WriteOptions
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet
from sdmx_service.model.urn import Ref
from tests.formats.metadata.messages import FORMATS, read_as

HEAD = "MDSTRUCTURE[;],MDSTRUCTURE_ID,METADATASET_ID,TARGET_TYPES,TARGET_IDS"
ROW = "metadataflow,AG:MDF(1.0.0),AG:MDS(1.0.0),dataflow,AG:DF(1.0.0)"


def sets(text: str) -> list[MetadataSet]:
    found = read_as("metadata-csv", text.encode()).structures
    assert all(isinstance(one, MetadataSet) for one in found)
    return list(found)


def values(heading: str, cells: str, head: str = HEAD) -> list[tuple[str, object]]:
    (made,) = sets(f"{head},{heading}\n{ROW},{cells}\n")
    return [(path, one.value if one.value is not None else dict(one.texts)) for path, one in made.values()]


@pytest.mark.parametrize(
    ("heading", "cells", "expected"),
    [
        ("A", "x", [("A", "x")]),
        ("A", "", []),
        ("A", "x;y", [("A", "x;y")]),
        ("A[]", "x;y", [("A", "x"), ("A", "y")]),
        ("A[]", "x;;y", [("A", "x"), ("A", "y")]),
        ("A[]", '"""x;y"";z"', [("A", "x;y"), ("A", "z")]),
        ("A[]", '"""say """"hi"""""";z"', [("A", 'say "hi"'), ("A", "z")]),
        ("A[en;fr]", "en:yes;fr:oui", [("A", {"en": "yes", "fr": "oui"})]),
        ("A[en;fr]", "yes", [("A", {"en": "yes"})]),
        ("A[en|fr]", "fr:oui", [("A", {"fr": "oui"})]),
        ("A[][en;fr]", '"""en:a;fr:b"";""en:c"""', [("A", {"en": "a", "fr": "b"}), ("A", {"en": "c"})]),
        ("P.C", "x", [("P", {}), ("P.C", "x")]),
        ("P,P.C", "p,c", [("P", "p"), ("P.C", "c")]),
        ("P.C,P", "c,p", [("P", "p"), ("P.C", "c")]),
        ("P[].C,P[].D", "1;2,;4", [("P", {}), ("P.C", "1"), ("P", {}), ("P.C", "2"), ("P.D", "4")]),
        ("P[].C[]", '"""1;2"";3"', [("P", {}), ("P.C", "1"), ("P.C", "2"), ("P", {}), ("P.C", "3")]),
        ("A", '"two\nlines"', [("A", "two\nlines")]),
        ("A", '"<p>say ""x""</p>"', [("A", '<p>say "x"</p>')]),
    ],
)
def test_cells(heading: str, cells: str, expected: list[tuple[str, object]]) -> None:
    assert values(heading, cells) == expected


def test_the_separator_is_what_follows_the_first_heading() -> None:
    (made,) = sets((HEAD + ",A\n" + ROW + ",x\n").replace(";", "|").replace(",", ";"))
    assert made.attributes == (MetadataAttributeValue(id="A", value="x"),)


def test_names_in_columns_of_their_own_are_no_attributes() -> None:
    """The guide's fourth example, with the empty names that its rows lack."""
    head = "MDSTRUCTURE[;],MDSTRUCTURE_ID,MDSTRUCTURE_NAME,METADATASET_ID,METADATASET_NAME,TARGET_TYPES,TARGET_IDS,TARGET_NAMES"
    row = "metadataflow,AG:MDF(1.0.0),Flow,AG:MDS(1.0.0),A set,dataflow;dataflow,AG:DF(1.0.0);AG:DF(1.1.0),One;Two"
    (made,) = sets(f"{head},A,Name of A,A.B[][en|fr],Name of B,C[],B\n{row},CODE,Code,en:x,,1.5;2,\n")
    assert made.names.text() == "A set"
    urn = "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=AG:DF"
    assert made.targets == (f"{urn}(1.0.0)", f"{urn}(1.1.0)")
    assert [(path, one.value or dict(one.texts)) for path, one in made.values()] == [
        ("A", "CODE"), ("A.B", {"en": "x"}), ("C", "1.5"), ("C", "2"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("letter", "action"),
    [
        ("I", Action.MERGE),
        ("A", Action.MERGE),
        ("M", Action.MERGE),
        ("R", Action.REPLACE),
        ("D", Action.DELETE),
        ("", None),
    ],
)
def test_actions(letter: str, action: Action | None) -> None:
    head = "MDSTRUCTURE,MDSTRUCTURE_ID,METADATASET_ID,ACTION"
    (made,) = sets(f"{head}\nmetadataflow,AG:MDF(1.0.0),AG:MDS(1.0.0),{letter}\n")
    assert made.action is action


def test_deleting_a_set_values_or_all_sets() -> None:
    head = "MDSTRUCTURE[;],MDSTRUCTURE_ID,METADATASET_ID,ACTION,TARGET_TYPES,TARGET_IDS,A[],A[].B[]"
    one, all_sets, part = sets(
        f"{head}\nmetadataflow,AG:MDF(1.0.0),AG:MDS(1.0.0),D,,,,\nmetadataflow,AG:MDF(1.0.0),,D,,,,\n"
        "metadataflow,AG:MDF(1.0.0),AG:MDS,D,dataflow,AG:DF(1.0.0),-,-\n"
    )
    assert (one.attributes, one.is_any, all_sets.is_any) == ((), False, True)
    assert all_sets.described_by == Ref(type="Metadataflow", agency="AG", id="MDF", version="1.0.0")
    assert part.version == "1.0"
    assert [(path, each.value) for path, each in part.values()] == [("A", "-"), ("A.B", "-")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("MDSTRUCTURE,METADATASET_ID\n", "Row 1: the column MDSTRUCTURE_ID is missing"),
        ("MDSTRUCTURE,MDSTRUCTURE_ID\n", "Row 1: the column METADATASET_ID is missing"),
        (f"{HEAD},A,A\n", "Row 1: columns 6 and 7 are both A"),
        (f"{HEAD},A,A[]\n", "Row 1: columns 6 and 7 are both A"),
        (f"{HEAD},TARGET_IDS\n", "Row 1: columns 5 and 6 are both TARGET_IDS"),
        (f"{HEAD},A B\n", "Row 1: column 6 is 'A B', which is no field and no metadata attribute"),
        (f"{HEAD.replace('[;]', '')},A[]\n", "Row 1: column 6, 'A[]', has several values, and no separator"),
        (f"{HEAD},A: Name\n", "labels=both"),
        (f"{HEAD}\nflow,AG:MDF(1.0.0),AG:MDS(1.0.0),,\n", "Row 2: MDSTRUCTURE is 'flow'"),
        (f"{HEAD}\nmetadataflow,MDF,AG:MDS(1.0.0),,\n", "Row 2: MDSTRUCTURE_ID is 'MDF'"),
        (f"{HEAD}\nmetadataflow,AG:MDF(1.0.0),,,\n", "Row 2: METADATASET_ID is ''"),
        (f"{HEAD}\n{ROW}\nmetadataflow,AG:MDF(1.0.0),AG:MDS(x),,\n", "Row 3: METADATASET_ID is 'AG:MDS(x)'"),
        (f"{HEAD}\n{ROW};AG:DF_2(1.0.0)\n", "Row 2: there are 1 TARGET_TYPES and 2 TARGET_IDS"),
        (f"{HEAD}\n{ROW.replace(',dataflow,', ',fish,')}\n", "Row 2: the target 'fish' 'AG:DF(1.0.0)'"),
        (f"{HEAD}\n{ROW.replace(':DF(', '-DF(')}\n", "Row 2: the target 'dataflow' 'AG-DF(1.0.0)'"),
        (f"{HEAD},A\n{ROW}\n", "Row 2: it has 5 cells where the heading has 6 columns"),
        (f"{HEAD}\n{ROW},x\n", "Row 2: it has 6 cells where the heading has 5 columns"),
        (f'{HEAD}\n"{ROW}\n', "cannot be cut into cells"),
        (f"{HEAD},ACTION\n{ROW},X\n", "Row 2: The action 'X'"),
        (f"{HEAD},IS_PARTIAL_LANGUAGE\n{ROW},maybe\n", "Row 2: IS_PARTIAL_LANGUAGE is 'maybe'"),
        ("STRUCTURE,STRUCTURE_ID\n", "Row 1 begins with 'STRUCTURE,STRUCTURE_ID"),
    ],
)  # fmt: skip
def test_faults_have_their_row(text: str, words: str) -> None:
    with pytest.raises(SdmxError) as caught:
        sets(text)
    assert words in caught.value.detail


def test_bytes_that_are_not_utf_8_are_found() -> None:
    with pytest.raises(SdmxError, match="Line 2: byte"):
        read_as("metadata-csv", f"{HEAD},A\n".encode() + b"metadataflow,\xe9,x\n")


def test_metadata_are_told_from_data() -> None:
    head = Head(start=HEAD.encode(), name="a.csv")
    assert recognise(head, "metadata").name == "metadata-csv"


MIXED = MetadataSet(
    id="MDS", agency="AG", version="1.0.0", described_by=Ref(type="Metadataflow", agency="AG", id="MDF", version="1.0.0"),
    targets=("urn:sdmx:org.sdmx.infomodel.codelist.Code=AG:CL(1.0.0).A", "urn:sdmx:org.sdmx.infomodel.datastructure.Dimension=AG:D(1.0).X"),
    attributes=(MetadataAttributeValue(id="A", texts=Texts({"en": "x"})), MetadataAttributeValue(id="A", value="y")),
    reporting_begin="2024",
)  # fmt: skip


def test_how_it_is_written() -> None:
    (target,) = (one for one in FORMATS if one.name == "metadata-csv-2.1")
    written = target.write(Message(structures=(MIXED,)), WriteOptions()).decode()
    assert written == (
        "MDSTRUCTURE[;],MDSTRUCTURE_ID,METADATASET_ID,TARGET_TYPES,TARGET_IDS,reportingBegin,A[][en]\n"
        "metadataflow,AG:MDF(1.0.0),AG:MDS(1.0.0),codelist;datastructure,AG:CL(1.0.0).A;AG:D(1.0).X,2024,en:x;en:y\n"
    )
    (made,) = sets(written)
    assert (made.targets, made.reporting_begin) == (MIXED.targets, "2024")
