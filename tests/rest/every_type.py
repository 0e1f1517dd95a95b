"""The invented sea and the invented apiary in one house: figures of two providers, and an artefact of every type."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sdmx_service.formats.registry import named
from sdmx_service.model import constraint
from sdmx_service.model.artefact import Texts
from sdmx_service.model.message import Message, WriteOptions
from sdmx_service.model.urn import Ref
from tests.every_type.artefacts import every_artefact
from tests.every_type.house import figures
from tests.harness import House
from tests.rest import lighthouse
from tests.rest.fishery import ATTRIBUTES, KEY, MEASURES, open_fishery, send


def _seen() -> constraint.DataConstraint:
    """What is there, as SDMX before 3.1 has it among the structures."""
    seen = constraint.KeyValue(component="PORT", values=(constraint.MemberValue(value="NOR"),))
    licences = Ref(type="Dataflow", agency="SEA", id="DF_LICENCE", version="1.0.0")
    return constraint.DataConstraint(
        id="CON_SEEN", agency="SEA", version="1.0.0", names=Texts({"en": "Seen"}), role="Actual",
        attachments=(licences,), regions=(constraint.CubeRegion(members=(seen,)),),
    )  # fmt: skip


def _attached() -> constraint.AttachmentConstraint:
    """What SDMX 2.1 alone has."""
    values = tuple(
        constraint.KeyValue(component=id, values=(constraint.MemberValue(value=value),))
        for id, value in (("FREQ", "A"), ("REGION", "NORTH"), ("FLOWER", "LIME"))
    )
    keys = constraint.DataKeySet(keys=(constraint.DataKey(members=values),))
    return constraint.AttachmentConstraint(
        id="ATTACHED", agency="BEES", version="1.0.0", names=Texts({"en": "Attached"}),
        attachments=(Ref(type="Dataflow", agency="BEES", id="DF_HONEY", version="1.0.0"),), key_sets=(keys,),
    )  # fmt: skip


def write_more(content: Path) -> None:
    """Lays what the sea lacks into its content folder."""
    plain = [
        one for one in lighthouse.sets() if "(*)" not in str(one["targets"])
    ]  # JSON's schema has no patterns there
    (content / "dsd" / "metadata.json").write_text(lighthouse.message(**lighthouse.structures()), "utf-8")
    (content / "dsd" / "sets.json").write_text(lighthouse.message(metadataSets=plain), "utf-8")
    every = tuple(one for one in every_artefact() if one.type != "AgencyScheme")  # the sea has one of that very name
    for name, format, artefacts in (
        ("every_type.json", "structure-json-2.1", every),
        ("actual.json", "structure-json-2.0", (_seen(),)),
        ("attached.xml", "structure-xml-2.1", (_attached(),)),
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
        receipt, findings = house.send(figures(), name="honey.csv", provider="BEES.HIVES")
        assert receipt.status == "published", findings
        send(house, "DF_CATCH", [{**old, "SOURCE": "Coast log"}], (*KEY, *MEASURES, *ATTRIBUTES), "COAST")
        yield house
