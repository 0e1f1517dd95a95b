"""sdmx1, pysdmx and R's rsdmx read structures and figures from a running service, told nothing but its address."""

from __future__ import annotations

import csv
import io
import subprocess
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import sdmx
from pysdmx.api.qb import (
    ApiVersion,
    DataContext,
    DataFormat,
    DataQuery,
    RestService,
    StructureFormat,
    StructureQuery,
    StructureReference,
    StructureType,
)
from pysdmx.io import get_datasets, read_sdmx

from tests.clients.serving import served
from tests.clients.tools import rscript
from tests.every_type.house import FIGURES
from tests.rest.every_type import open_every_type

KEYS = sorted((frequency, region, flower, time) for frequency, region, flower, time, *_ in FIGURES)
VALUES = sorted(float(row[4]) for row in FIGURES)
FLOWERS = ["007", "CLOVER", "HERB", "LIME", "MAPLE", "TREE", "_T"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with open_every_type(tmp_path_factory.mktemp("clients") / "house") as house, served(house.library) as address:
        yield f"{address}/sdmx"


# --- sdmx1 ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(base: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sdmx.add_source({"id": "BEES", "name": "the apiary", "url": f"{base}/v1"}, override=True)
        return sdmx.Client("BEES")


def test_sdmx1_reads_structures(client: Any) -> None:
    assert sorted(client.dataflow().dataflow) == ["DF_HONEY", "DF_SYRUP"]
    flow = client.dataflow("DF_HONEY")  # sdmx1 asks for all references
    (structure,) = flow.structure.values()
    assert [one.id for one in structure.dimensions.components] == ["FREQ", "REGION", "FLOWER", "TIME_PERIOD"]
    assert sorted(client.codelist("CL_FLOWER", version="1.0.0").codelist["CL_FLOWER"].items) == FLOWERS
    assert "HONEY" in client.categoryscheme("TOPICS").category_scheme["TOPICS"].items


@pytest.mark.parametrize("kind", ["genericdata", "structurespecificdata"])
def test_sdmx1_reads_figures(client: Any, kind: str) -> None:
    structure = client.datastructure("DSD_HONEY").structure["DSD_HONEY"]
    accept = f"application/vnd.sdmx.{kind}+xml;version=2.1"
    message = client.get("data", resource_id="DF_HONEY", dsd=structure, headers={"Accept": accept})
    found = [one for dataset in message.data for one in dataset.obs]
    assert sorted(float(one.value) for one in found) == VALUES
    keys = [tuple(str(one.key[id].value) for id in ("FREQ", "REGION", "FLOWER", "TIME_PERIOD")) for one in found]
    assert sorted(keys) == KEYS


def test_sdmx1_reads_a_part(client: Any) -> None:
    message = client.data("DF_HONEY", key={"REGION": "NORTH"}, params={"startPeriod": "2021"})
    assert [one.value for dataset in message.data for one in dataset.obs] == ["2.25"]


# --- pysdmx ---------------------------------------------------------------------------------------------------------

READABLE = [one for one in DataFormat if "JSON" not in one.name]
APIS = [("v2", ApiVersion.V2_2_2), ("v1", ApiVersion.V1_5_0)]
both_apis = pytest.mark.parametrize(("api", "version"), APIS, ids=["v2", "v1"])


@both_apis
@pytest.mark.parametrize("format", READABLE, ids=lambda one: one.name)
def test_pysdmx_reads_figures(base: str, api: str, version: ApiVersion, format: DataFormat) -> None:
    service = RestService(f"{base}/{api}", version, data_format=format)
    body = service.data(DataQuery(DataContext.DATAFLOW, "BEES", "DF_HONEY", "1.0.0"))
    (dataset,) = read_sdmx(io.BytesIO(body), validate=False).data
    rows = dataset.data.astype(str)
    keys = rows[["FREQ", "REGION", "FLOWER", "TIME_PERIOD"]].itertuples(index=False, name=None)
    assert sorted(keys) == KEYS
    assert sorted(rows["OBS_VALUE"].astype(float)) == VALUES


@both_apis
@pytest.mark.parametrize(
    "format",
    [StructureFormat.SDMX_JSON_2_0_0, StructureFormat.SDMX_ML_2_1, StructureFormat.SDMX_ML_3_0, StructureFormat.SDMX_ML_3_1],
    ids=lambda one: one.name,
)  # fmt: skip
def test_pysdmx_reads_structures(base: str, api: str, version: ApiVersion, format: StructureFormat) -> None:
    service = RestService(f"{base}/{api}", version, structure_format=format)
    asked = StructureQuery(
        StructureType.DATA_STRUCTURE, "BEES", "DSD_HONEY", "1.0.0", references=StructureReference.DESCENDANTS
    )
    message = read_sdmx(io.BytesIO(service.structure(asked)), validate=False)
    (structure,) = message.get_data_structure_definitions()
    assert [one.id for one in structure.components.dimensions] == ["FREQ", "REGION", "FLOWER", "TIME_PERIOD"]
    assert sorted(code.id for one in message.get_codelists() if one.id == "CL_FLOWER" for code in one.items) == FLOWERS


def test_pysdmx_joins_figures_and_structure(base: str) -> None:
    (dataset,) = get_datasets(
        f"{base}/v2/data/dataflow/BEES/DF_HONEY/1.0.0?format=csvdata",
        f"{base}/v2/structure/dataflow/BEES/DF_HONEY/1.0.0?references=descendants&format=structure&formatVersion=3.0.0",
    )
    assert len(dataset.data) == len(FIGURES)
    assert dataset.structure.id == "DF_HONEY"


# --- R --------------------------------------------------------------------------------------------------------------

R = """
suppressMessages(library(rsdmx))
base <- "%s/v1"
show <- function(what, table) { cat("#", what, "\\n"); write.csv(table, row.names = FALSE, na = "") }
read <- function(path) as.data.frame(readSDMX(paste0(base, path)))
show("generic", read("/data/BEES,DF_HONEY,1.0.0"))
show("flat", read("/data/BEES,DF_HONEY,1.0.0?dimensionAtObservation=AllDimensions"))
show("specific", read("/data/BEES,DF_HONEY,1.0.0?format=structurespecificdata"))
show("codes", read("/codelist/BEES/CL_FLOWER/1.0.0"))
show("flows", read("/dataflow/BEES"))
builder <- SDMXREST21RequestBuilder(regUrl = base, repoUrl = base, compliant = TRUE)
addSDMXServiceProvider(SDMXServiceProvider(agencyId = "BEES", name = "the apiary", builder = builder))
some <- readSDMX(providerId = "BEES", resource = "data", flowRef = "DF_HONEY", key = list("A", NULL, NULL),
                 key.mode = "R", start = 2020, end = 2020, dsd = TRUE, verbose = FALSE)
show("labelled", as.data.frame(some, labels = TRUE))
"""


def test_r_reads_structures_and_figures(base: str) -> None:
    program = rscript()
    done = subprocess.run([program, "-e", R % base], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr[-2000:]
    tables = {}
    for part in done.stdout.split("# ")[1:]:
        name, _, text = part.partition("\n")
        tables[name.strip()] = list(csv.DictReader(io.StringIO(text)))
    for name, time, value in (
        ("generic", "obsTime", "obsValue"),
        ("flat", "TIME_PERIOD", "obsValue"),
        ("specific", "TIME_PERIOD", "OBS_VALUE"),
    ):
        rows = tables[name]
        assert sorted((row["FREQ"], row["REGION"], row["FLOWER"], row[time]) for row in rows) == KEYS, name
        assert sorted(float(row[value]) for row in rows) == VALUES, name
    assert sorted(row["id"] for row in tables["codes"]) == FLOWERS
    assert {row["dsdRef"] for row in tables["flows"]} == {"DSD_HONEY", "DSD_SYRUP"}
    assert [(row["REGION"], row["REGION_label.en"], row["obsValue"]) for row in tables["labelled"]] == [
        ("NORTH", "The north", "1.5"),
        ("SOUTH", "The south", "10"),
    ]
