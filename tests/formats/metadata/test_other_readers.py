"""What is written here is read by others as it was meant: pysdmx (SDMX-JSON, SDMX-ML 3.x) and sdmx1 (SDMX-ML 2.1)."""

from __future__ import annotations

import io
import warnings
from dataclasses import replace
from typing import Any

import pysdmx.io
import pytest
import sdmx
from lxml import etree

from sdmx_service.model.artefact import Texts
from sdmx_service.model.message import Header, Message, Party
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet
from sdmx_service.model.urn import Ref
from tests.formats.metadata.messages import FORMATS, MetadataFormat
from tests.reference import select_specimens

MARKUP = '<p xmlns="http://www.w3.org/1999/xhtml">Nets <em>and</em> rods</p>'
MADE = MetadataSet(
    id="REPORT", agency="AG", version="1.2.0", names=Texts({"en": "A report", "fr": "Un rapport"}),
    described_by=Ref(type="Metadataflow", agency="AG", id="MDF", version="1.0.0"),
    targets=("urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=AG:DF(1.0.0)",
             "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=AG:DF_2(1.0.0)"),
    attributes=(
        MetadataAttributeValue(
            id="CONTACT",
            attributes=(
                MetadataAttributeValue(id="NAME", value='Ann "A" <B> & C'),
                MetadataAttributeValue(id="MAIL", value="a@b"),
                MetadataAttributeValue(id="MAIL", value="c@d"),
            ),
        ),
        MetadataAttributeValue(id="SHIPS", value="12", data_type="Integer"),
    ),
)  # fmt: skip


def theirs(attributes: Any) -> list[tuple[str, Any]]:
    """What pysdmx read, as (id, value); repeated attributes are one with several values there."""
    found: list[tuple[str, Any]] = []
    for one in attributes:
        values = one.value if isinstance(one.value, list | tuple) else [one.value]
        found += [(one.id, value) for value in values if value is not None]
        found += theirs(one.attributes or ())
    return found


@pytest.mark.parametrize("target", [one for one in FORMATS if one.family != "csv" and "2.1-" not in one.name], ids=str)
def test_pysdmx_reads_the_same(target: MetadataFormat) -> None:
    written = target.write(Message(header=Header(id="M", sender=Party(id="ME")), structures=(MADE,)))
    is_checked = target.name != "metadata-json-2.1"  # its check wants the schema in meta, where 2.1 has it no longer
    (report,) = pysdmx.io.read_sdmx(io.BytesIO(written), validate=is_checked).reports
    assert (report.id, report.version, report.name) == ("REPORT", "1.2.0", "A report")
    assert str(report.metadataflow) == "urn:sdmx:org.sdmx.infomodel.metadatastructure.Metadataflow=AG:MDF(1.0.0)"
    assert tuple(report.targets) == MADE.targets
    said = [(name, str(value)) for name, value in theirs(report.attributes)]
    assert said == [("NAME", 'Ann "A" <B> & C'), ("MAIL", "a@b"), ("MAIL", "c@d"), ("SHIPS", "12")]


@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_pysdmx_reads_the_same_from_real_messages(shared: object, version: str) -> None:
    """Each report that pysdmx can read from a specimen, compared with what is read here."""
    (target,) = (one for one in FORMATS if one.name == f"metadata-json-{version}")
    compared = 0
    for specimen in select_specimens(format="sdmx-json", version=version, kind="metadata"):
        content = specimen.path.read_bytes()
        try:
            reports = pysdmx.io.read_sdmx(io.BytesIO(content), validate=False).reports
            ours = target.read(content).structures
        except Exception:  # noqa: BLE001 - what it cannot read is no measure
            continue
        for made, report in zip(ours, reports, strict=True):
            assert isinstance(made, MetadataSet)
            assert (report.name, tuple(report.targets)) == (made.names.text(), made.targets)
            flat = [(one.id, one.value) for _, one in made.values() if one.value is not None]
            said = [(name, _text(value)) for name, value in theirs(report.attributes) if not isinstance(value, dict)]
            assert sorted(said) == sorted(flat)
            compared += 1
    assert compared >= 4


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_sdmx1_reads_the_same_from_generic_metadata() -> None:
    (target,) = (one for one in FORMATS if one.name == "metadata-xml-2.1-generic")
    parts = tuple(f"urn:sdmx:org.sdmx.infomodel.codelist.Code=AG:CL(1.0).{code}" for code in "AB")
    # sdmx1 knows targets that are items only, and neither names nor annotations of a set
    written = target.write(
        Message(header=Header(id="M", sender=Party(id="ME")), structures=(replace(MADE, targets=parts),))
    )
    root = etree.fromstring(written)
    for one in root.xpath("//*[local-name()='MetadataSet']/*[local-name()!='Report']"):
        one.getparent().remove(one)
    written = etree.tostring(root)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        message = sdmx.read_sdmx(io.BytesIO(written))
    (found,) = message.data
    assert len(found.report) == 2  # one about each target
    for report in found.report:
        assert list(_of_sdmx1(report.metadata)) == [
            ("CONTACT", None), ("NAME", 'Ann "A" <B> & C'), ("MAIL", "a@b"), ("MAIL", "c@d"), ("SHIPS", "12"),
        ]  # fmt: skip


def _of_sdmx1(attributes: Any) -> Any:
    for one in attributes:
        yield one.value_for.id if hasattr(one.value_for, "id") else str(one.value_for), getattr(one, "value", None)
        yield from _of_sdmx1(one.child)
