"""What waits while its structure changes: it comes out only if it would be taken today, on each kind of store."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sdmx_service.catalog.loading import Content, serialise
from sdmx_service.errors import Conflict
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.structure import Attribute, Component, Dataflow, DataStructure, Measure, Relationship
from sdmx_service.model.urn import Ref
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.receipt import Receipt, load_receipt
from sdmx_service.submission.submit import SentFile, submit
from sdmx_service.workflow.publishing import clock, publish, publish_due
from sdmx_service.workflow.steps import approve, schedule
from tests.harness import House
from tests.workflow.office import COMPILER, OFFICE

HEADER = "STRUCTURE[;],STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,GRADE,STATUS,UNIT,SOURCE,PORT_NOTE,GEAR[],REMARK[en;fr]"
FLOW = Ref(type="Dataflow", agency="SEA", id="DF_CATCH", version="1.0.0")
DSD = Ref(type="DataStructure", agency="SEA", id="DSD_CATCH", version="1.0.0")


def sent(house: House, *rows: str) -> Receipt:
    """A submission that waits; rows begin with their action."""
    body = "\n".join([HEADER, *(f"dataflow,SEA:DF_CATCH(1.0.0),{row}" for row in rows), ""]).encode()
    file = SentFile(file=io.BytesIO(body), name="sent.csv")
    receipt = submit(file, Wish(provider="SEA.HARBOUR"), house.library, OFFICE)
    assert receipt.status == "accepted"
    return receipt


def row(weight: str = "5", *, fish: str = "COD", period: str = "2024-01", grade: str = "", note: str = "",
        remark: str = "", source: str = "", unit: str = "kg", action: str = "M") -> str:  # fmt: skip
    return f"{action},M,SOU,{fish},{period},{weight},{grade},A,{unit},{source},{note},,{remark}"


def keep(house: House, *artefacts: Maintainable) -> None:
    house.library.store.save_artefacts(serialise(Content(artefacts=list(artefacts))))


def structure_of(house: House) -> DataStructure:
    found = house.library.view().catalog.artefact(DSD)
    assert isinstance(found, DataStructure)
    return found


def changed(house: House, id: str, change: Callable[[Component], Component | None]) -> None:
    """Keep the structure with another component of that id, or without it."""
    structure = structure_of(house)
    measures = tuple(change(one) if one.id == id else one for one in structure.measures)
    attributes = tuple(change(one) if one.id == id else one for one in structure.attributes)
    keep(
        house,
        replace(
            structure,
            measures=tuple(one for one in measures if isinstance(one, Measure)),
            attributes=tuple(one for one in attributes if isinstance(one, Attribute)),
        ),
    )


def typed(**facets: object) -> Callable[[Component], Component]:
    form = Representation(text_format=TextFormat(**facets))  # type: ignore[arg-type]
    return lambda one: replace(one, representation=form)


def mandatory(one: Component) -> Component:
    assert isinstance(one, Measure | Attribute)
    return replace(one, usage="mandatory")


def refused(house: House, waiting: Receipt, *others: Receipt) -> str:
    """Why it is not published; it waits as before, and nothing came out."""
    before = house.library.store.pointer().release
    with pytest.raises(Conflict, match="Structures or agreements changed") as error:
        publish([one.id for one in (*others, waiting)], house.library, COMPILER)
    assert load_receipt(house.library.store, waiting.id).status == "accepted"
    assert house.library.store.pointer().release == before
    assert waiting.id in error.value.detail
    return error.value.detail


FACETS = [
    ("UNIT", {"type": "String", "max_length": 1}, "F304 UNIT: 'kg'", "at most 1 character"),
    ("UNIT", {"type": "String", "min_length": 3}, "F304 UNIT: 'kg'", "at least 3 characters"),
    ("UNIT", {"type": "String", "pattern": "[A-Z]+"}, "F304 UNIT: 'kg'", "the pattern [A-Z]+"),
    ("UNIT", {"type": "Integer"}, "F280 UNIT", "it was an attribute of text, and is an attribute of numbers"),
    ("WEIGHT", {"type": "Decimal", "min_value": "6"}, "F304 WEIGHT: '5.50'", "at least 6"),
    ("WEIGHT", {"type": "Decimal", "max_value": "5.4"}, "F304 WEIGHT: '5.50'", "at most 5.4"),
    ("WEIGHT", {"type": "Decimal", "decimals": 0}, "F304 WEIGHT: '5.50'", "at most 0 decimals"),
    ("WEIGHT", {"type": "Integer"}, "F304 WEIGHT: '5.50'", "a whole number of type Integer"),
]  # fmt: skip


class TestTypesAndFacets:
    @pytest.mark.parametrize(("component", "facets", "finding", "expected"), FACETS)
    def test_a_value_that_does_not_fit_any_more(
        self, house: House, component: str, facets: dict[str, object], finding: str, expected: str
    ) -> None:
        waiting = sent(house, row("5.50"))
        changed(house, component, typed(**facets))
        told = refused(house, waiting)
        assert finding in told
        assert expected in told

    def test_the_place_and_the_number_of_findings_are_told(self, house: House) -> None:
        waiting = sent(house, row("5"), row("6", period="2024-02"), row("7", fish="EEL"))
        changed(house, "WEIGHT", typed(type="Decimal", max_value="5"))
        told = refused(house, waiting)
        assert "F304 WEIGHT: '6' is not what the structure asks for: at most 5. (at M.SOU.COD.2024-02)" in told
        assert told.endswith("1 more findings like it.")

    def test_a_whole_number_with_decimals_is_no_integer_of_the_schema(self, house: House) -> None:
        waiting = sent(house, row("5.0"))
        changed(house, "WEIGHT", typed(type="Integer"))
        assert "F307 WEIGHT: '5.0'" in refused(house, waiting)

    def test_values_in_languages(self, house: House) -> None:
        waiting = sent(house, row(remark="en:a long remark;fr:un mot"))
        changed(house, "REMARK", typed(type="String", max_length=8, is_multilingual=True))
        assert "F304 REMARK: 'a long remark'" in refused(house, waiting)

    def test_what_fits_comes_out_as_it_was_sent(self, house: House) -> None:
        waiting = sent(house, row("5.50", remark="en:short", note="calm"))
        changed(house, "WEIGHT", typed(type="Decimal", decimals=1, min_value="5.5", max_value="5.5"))
        changed(house, "REMARK", typed(type="String", max_length=5, is_multilingual=True))
        changed(house, "PORT_NOTE", typed(type="String", pattern="[a-z]{4}"))
        assert publish([waiting.id], house.library, COMPILER)[0].status == "published"
        (shown,) = house.rows("v2/data/dataflow/SEA/DF_CATCH/1.0.0")
        assert (shown["WEIGHT"], shown["PORT_NOTE"]) == ("5.50", "calm")

    def test_marks_are_no_values(self, house: House) -> None:
        waiting = sent(house, row("NaN"))
        changed(house, "WEIGHT", typed(type="Decimal", min_value="1"))
        assert publish([waiting.id], house.library, COMPILER)[0].status == "published"

    def test_a_deletion_brings_no_values(self, house: House) -> None:
        publish([sent(house, row("5"), row("6", fish="EEL")).id], house.library, COMPILER)
        waiting = sent(house, "D,M,SOU,COD,2024-01,5,,A,,,,,")
        changed(house, "WEIGHT", typed(type="Decimal", min_value="100"))
        assert publish([waiting.id], house.library, COMPILER)[0].status == "published"


class TestMandatory:
    @pytest.mark.parametrize(
        ("component", "finding"),
        [("SOURCE", "F303 The mandatory attribute SOURCE"), ("PORT_NOTE", "F303 The mandatory attribute PORT_NOTE"),
         ("REMARK", "F303 The mandatory attribute REMARK"), ("GRADE", "F305 The mandatory measure GRADE")],
    )  # fmt: skip
    def test_what_became_mandatory_and_is_not_there(self, house: House, component: str, finding: str) -> None:
        waiting = sent(house, row())
        changed(house, component, mandatory)
        assert finding in refused(house, waiting)

    @pytest.mark.parametrize("component", ["SOURCE", "PORT_NOTE", "REMARK", "GRADE"])
    def test_a_merge_may_find_it_in_the_store(self, house: House, component: str) -> None:
        first = sent(house, row(grade="G1", note="calm", remark="en:short", source="log"))
        publish([first.id], house.library, COMPILER)
        waiting, replacing = sent(house, row("6")), sent(house, row("7", action="R"))
        changed(house, component, mandatory)
        assert publish([waiting.id], house.library, COMPILER)[0].status == "published"
        assert component in refused(house, replacing)

    def test_or_in_what_is_published_before_it_in_the_same_release(self, house: House) -> None:
        with_it, waiting = sent(house, row("6", note="calm")), sent(house, row(fish="EEL"))
        changed(house, "PORT_NOTE", mandatory)
        assert "PORT_NOTE" in refused(house, waiting)
        done = publish([with_it.id, waiting.id], house.library, COMPILER)
        assert [one.status for one in done] == ["published", "published"]

    def test_not_in_what_is_published_after_it(self, house: House) -> None:
        waiting, with_it = sent(house, row(fish="EEL")), sent(house, row("6", note="calm"))
        changed(house, "PORT_NOTE", mandatory)
        with pytest.raises(Conflict, match=f"{waiting.id} does not hold any more: F303"):
            publish([waiting.id, with_it.id], house.library, COMPILER)

    def test_a_new_component(self, house: House) -> None:
        waiting = sent(house, row())
        structure = structure_of(house)
        depth = replace(
            next(one for one in structure.attributes if one.id == "SOURCE"),
            id="DEPTH",
            usage="mandatory",
            relationship=Relationship(kind="observation"),
        )
        keep(house, replace(structure, attributes=(*structure.attributes, depth)))
        assert "F303 The mandatory attribute DEPTH" in refused(house, waiting)


class TestOtherComponents:
    def test_one_that_is_gone(self, house: House) -> None:
        with_it, without = sent(house, row(note="calm")), sent(house, row(fish="EEL"))
        changed(house, "PORT_NOTE", lambda one: None)
        assert "F280 PORT_NOTE" in refused(house, with_it)
        assert publish([without.id], house.library, COMPILER)[0].status == "published"

    def test_one_of_another_level(self, house: House) -> None:
        waiting = sent(house, row(note="calm"))

        def moved(one: Component) -> Component:
            assert isinstance(one, Attribute)
            return replace(one, relationship=Relationship(kind="observation"))

        changed(house, "PORT_NOTE", moved)
        assert "it belonged to PORT, and belongs to the observation" in refused(house, waiting)

    def test_the_dataflow_follows_another_major_version(self, house: House) -> None:
        waiting = sent(house, row())
        flow = house.library.view().catalog.dataflow(FLOW)
        keep(house, replace(structure_of(house), version="2.0.0"))
        keep(house, replace(flow, structure=replace(DSD, version="2.0.0")))
        told = refused(house, waiting)
        assert "F281" in told
        assert "SEA:DSD_CATCH(1.0.0)" in told
        assert "SEA:DSD_CATCH(2.0.0)" in told
        assert isinstance(flow, Dataflow)


def test_at_its_hour_it_is_held_back_and_the_others_come_out(house: House) -> None:
    """What is due together is judged together."""
    broken = sent(house, row("5"))
    fine = sent(house, row("500", fish="EEL"))
    for one in (broken, fine):
        approve(one.id, house.library, COMPILER, clock())
        schedule(one.id, house.library, COMPILER, clock(), at="2099-01-01T00:00+00:00")
    changed(house, "WEIGHT", typed(type="Decimal", min_value="100"))
    due = publish_due(house.library, datetime(2099, 1, 2, tzinfo=UTC))
    assert [one.id for one in due.published] == [fine.id]
    assert [one.id for one in due.held] == [broken.id]
    told = [one.reason for one in house.library.store.log(objects=[broken.id]) if one.act == "hold"]
    assert "F304 WEIGHT: '5'" in told[0]


def test_structures_that_change_while_it_is_judged(house: House) -> None:
    """The generation by which it was judged must still be the one when the pointer moves."""
    waiting = sent(house, row())
    store = house.library.store
    view = house.library.view()
    changed(house, "UNIT", typed(type="String", max_length=1))
    with pytest.raises(Conflict, match="Structures changed just now"):
        store.publish([waiting.id], view.release, generation=view.generation)
    assert store.pointer().release == view.release
