"""An invented domain in a real store, and the whole service over it: what the tests of the pages look at."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from aiohttp import web

from sdmx_service.app.application import build
from sdmx_service.auth import OPERATOR
from sdmx_service.catalog.library import Library
from sdmx_service.catalog.loading import Content, serialise
from sdmx_service.model.artefact import Texts
from sdmx_service.model.items import (
    AgencyScheme,
    Code,
    Codelist,
    Concept,
    ConceptScheme,
    DataProviderScheme,
    Organisation,
)
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
from sdmx_service.settings import Settings
from sdmx_service.storage.duckdb_store import DuckDBStore
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.submit import SentFile
from sdmx_service.workflow.sending import send

FLOW = "/dataflows/ORCH/DF_HARVEST/1.0.0"
FARMS = 40
YEARS = range(2015, 2021)
EVIL = '<script>alert(1)</script> & "more"'


def texts(**by_language: str) -> Texts:
    return Texts(by_language)


def codelist(id: str, *codes: Code, **names: str) -> Codelist:
    return Codelist(id=id, agency="ORCH", version="1.0.0", names=texts(**names), items=codes)


def code(id: str, parent: str | None = None, **names: str) -> Code:
    return Code(id=id, parent=parent, names=texts(**names))


def coded(id: str) -> Representation:
    return Representation(enumeration=Ref(type="Codelist", agency="ORCH", id=id, version="1.0.0"))


def concept(id: str) -> Ref:
    return Ref(type="Concept", agency="ORCH", id="CS", version="1.0.0", item=id)


CONCEPTS = {
    "FREQ": ("Frequency", "Fréquence"),
    "FRUIT": ("Fruit", "Fruit cueilli"),
    "FARM": ("Farm", "Ferme"),
    "TIME_PERIOD": ("Time period", "Période"),
    "WEIGHT": ("Weight", "Poids"),
    "OBS_STATUS": ("Status", "Statut"),
    "NOTE": ("Note", "Remarque"),
    "TITLE": ("Title", "Titre"),
}
PROVIDER = Ref(type="DataProvider", agency="ORCH", id="DATA_PROVIDERS", version="1.0", item="GUILD")


def content() -> Content:
    """Two structures' worth of fruit: one dataflow with figures, one without."""
    structure = DataStructure(
        id="DSD_FRUIT",
        agency="ORCH",
        version="1.0.0",
        names=texts(en="Fruit", fr="Fruits"),
        dimensions=tuple(
            Dimension(id=id, concept=concept(id), representation=coded(f"CL_{id}")) for id in ("FREQ", "FRUIT", "FARM")
        ),
        time_dimension=TimeDimension(
            id="TIME_PERIOD",
            concept=concept("TIME_PERIOD"),
            representation=Representation(text_format=TextFormat(type="ObservationalTimePeriod")),
        ),
        measures=(
            Measure(
                id="WEIGHT",
                concept=concept("WEIGHT"),
                representation=Representation(text_format=TextFormat(type="Decimal")),
            ),
        ),
        attributes=(
            Attribute(
                id="OBS_STATUS", concept=concept("OBS_STATUS"), representation=coded("CL_STATUS"), usage="mandatory"
            ),
            Attribute(id="NOTE", concept=concept("NOTE")),
            Attribute(
                id="TITLE",
                concept=concept("TITLE"),
                relationship=Relationship(kind="dimensions", dimensions=("FREQ", "FRUIT", "FARM")),
            ),
        ),
    )
    flows = [
        Dataflow(
            id=id,
            agency="ORCH",
            version="1.0.0",
            names=texts(en=en, fr=fr),
            descriptions=texts(en=f"About {en.lower()}"),
            structure=structure.ref,
        )
        for id, en, fr in (("DF_HARVEST", "Fruit harvest", "Récolte"), ("DF_LOSS", "Fruit lost", "Pertes"))
    ]
    return Content(
        artefacts=[
            codelist("CL_FREQ", code("A", en="Annual", fr="Annuelle"), code("M", en="Monthly"), en="Frequency"),
            codelist(
                "CL_FRUIT",
                code("_T", en="All fruit", fr="Tous les fruits"),
                code("PEAR", "_T", en="Pear", fr="Poire", ar="كمثرى"),
                code("APPLE", "_T", en=f"Apple {EVIL}", fr="Pomme"),
                code("FIG", "_T", en="Fig"),
                en="Fruits",
            ),
            codelist("CL_FARM", *(code(f"F{n}", en=f"Farm {n}") for n in range(700)), en="Farms", fr="Fermes"),
            codelist(
                "CL_STATUS", code("A", en="Normal", fr="Normale"), code("E", en="Estimated", fr="Estimée"), en="Status"
            ),
            ConceptScheme(
                id="CS",
                agency="ORCH",
                version="1.0.0",
                names=texts(en="Concepts"),
                items=tuple(Concept(id=id, names=texts(en=en, fr=fr)) for id, (en, fr) in CONCEPTS.items()),
            ),
            AgencyScheme(
                id="AGENCIES",
                agency="SDMX",
                version="1.0",
                items=(Organisation(id="ORCH", names=texts(en="Orchard board")),),
            ),
            DataProviderScheme(
                id="DATA_PROVIDERS",
                agency="ORCH",
                version="1.0",
                items=(Organisation(id="GUILD", names=texts(en="Guild of growers")),),
            ),
            structure,
            *flows,
            ProvisionAgreement(
                id="PA",
                agency="ORCH",
                version="1.0.0",
                dataflow=flows[0].ref,
                provider=PROVIDER,
                names=texts(en="Guild"),
            ),
        ]
    )


def rows() -> Iterator[dict[str, str]]:
    """The figures sent: two fruits, forty farms, six years, weights with three decimals."""
    for number, fruit in enumerate(("PEAR", "APPLE")):
        for farm in range(FARMS):
            for year in YEARS:
                weight = f"{number * 100000 + farm * 1000 + year - 2000}.500"
                yield {
                    "FREQ": "A",
                    "FRUIT": fruit,
                    "FARM": f"F{farm}",
                    "TIME_PERIOD": str(year),
                    "WEIGHT": "" if (fruit, farm, year) == ("PEAR", 3, 2020) else weight,
                    "OBS_STATUS": "E" if year == 2020 else "A",
                    "NOTE": EVIL.replace('"', "'") if (fruit, farm, year) == ("PEAR", 3, 2019) else "",
                    "TITLE": "The harvest",
                }


def message() -> bytes:
    """The figures as SDMX-CSV 2.0."""
    lines = ["STRUCTURE,STRUCTURE_ID,ACTION," + ",".join(CONCEPTS)]
    for row in rows():
        lines.append("dataflow,ORCH:DF_HARVEST(1.0.0),M," + ",".join(row[id] for id in CONCEPTS))
    return "\n".join([*lines, ""]).encode()


@contextmanager
def orchard(folder: Path, *, filled: bool = True, structures: bool = True) -> Iterator[Library]:
    """A library over a real store: with figures, with structures only, or with nothing."""
    store = DuckDBStore(folder / "store.duckdb")
    try:
        store.migrate()
        library = Library(store)
        if structures:
            store.save_artefacts(serialise(content()))
            catalog = library.view().catalog
            for artefact in catalog.of_type("DataStructure"):
                store.open_cube(catalog.structure(artefact.ref))
        if filled:
            sent = SentFile(file=BytesIO(message()), name="harvest.csv")
            wish = Wish(provider="ORCH:DATA_PROVIDERS(1.0).GUILD")
            receipt = send(sent, wish, library, OPERATOR, publish_now=True)
            assert receipt.status == "published", receipt
        yield library
    finally:
        store.close()


def service(library: Library, **settings: Any) -> web.Application:
    """The whole service, so that links to the machines' interface lead somewhere."""
    return build(Settings(**settings), library)


@contextmanager
def serving(library: Library, **settings: Any) -> Iterator[str]:
    """The service on a socket, in a thread of its own; gives its address."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    address: list[str] = []
    runner = web.AppRunner(service(library, **settings), access_log=None)

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        ready.set()

    def run() -> None:
        loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(20)
        yield address[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
