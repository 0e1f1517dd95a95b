"""A message as large as wished, and what taking it in costs: ``python -m benchmarks.large --bytes 1000000000``.

Immigration to all countries from all others by sex over many years as SDMX-ML 3.1, laid out as people do: an element
per line, indented; series by series, or with ``--flat`` each observation with its whole key. The figures are such as
nobody has anything to say about: men and women add up, years are like the ones before. The message is submitted to a
new embedded store by the command of the service, in a process of its own, whose peak of resident memory is told.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks import flows

YEARS: Final = range(1950, 2025)
_HEADER: Final = """<?xml version="1.0" encoding="UTF-8"?>
<mes:StructureSpecificData xmlns:mes="http://www.sdmx.org/resources/sdmxml/schemas/v3_1/message"
  xmlns:com="http://www.sdmx.org/resources/sdmxml/schemas/v3_1/common"
  xmlns:ss="http://www.sdmx.org/resources/sdmxml/schemas/v3_1/data/structurespecific">
  <mes:Header>
    <mes:ID>LARGE</mes:ID><mes:Test>false</mes:Test><mes:Prepared>2026-01-01T00:00:00Z</mes:Prepared>
    <mes:Sender id="BENCH"/>
    <mes:Structure structureID="S" namespace="urn:x" dimensionAtObservation="{level}">
      <com:StructureUsage>urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=UNSD_MIG:DF_FLOW_PRV(1.0.0)</com:StructureUsage>
    </mes:Structure>
  </mes:Header>
  <mes:DataSet ss:structureRef="S" ss:dataScope="DataStructure" action="Replace">
"""
_FOOTER: Final = "  </mes:DataSet>\n</mes:StructureSpecificData>\n"
_KEY: Final = (
    'FREQ="A" REF_AREA="{area}" MEASURE="IMM" COUNTERPART_AREA="{other}" CITIZENSHIP="_T" '
    'COUNTRY_BIRTH="_T" SEX="{sex}" AGE="_T" REASON="_T" DURATION="_T" EDUCATION_LEV="_T" OCCUPATION="_T" '
    'UNIT_MEASURE="PS" UNIT_MULT="0"'
)
_OBSERVATION: Final = '      <Obs {key}TIME_PERIOD="{year}" OBS_VALUE="{value}" OBS_STATUS="A" CONF_STATUS="F"/>\n'


def write_large(path: Path, size: int, *, is_flat: bool = False) -> int:
    """Write a message of about ``size`` bytes, flat or by series; how many observations it has.

    Raises:
        ValueError: more than there are pairs of countries for.
    """
    observations = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(_HEADER.format(level="AllDimensions" if is_flat else "TIME_PERIOD"))
        for text in _series(is_flat=is_flat):
            file.write(text)
            observations += len(YEARS)
            if file.tell() + len(_FOOTER) >= size:
                file.write(_FOOTER)
                return observations
    raise ValueError(f"{size} bytes are more than there are pairs of countries for.")


def _series(*, is_flat: bool) -> Iterator[str]:
    """Every series: the totals of a pair of countries, then men and women."""
    areas = flows.areas()
    for place, area in enumerate(areas):
        for number, other in enumerate(areas):
            if place == number:
                continue
            base = 1000 + 20 * place + 3 * number
            for sex, share in (("_T", 3), ("M", 1), ("F", 2)):
                key = _KEY.format(area=area, other=other, sex=sex)
                own = f"{key} " if is_flat else ""
                rows = "".join(
                    _OBSERVATION.format(key=own, year=year, value=share * (base + year - YEARS[0])) for year in YEARS
                )
                yield rows if is_flat else f"    <Series {key}>\n{rows}    </Series>\n"


_SUBMIT: Final = """
import json, sys
from benchmarks.measuring import peak_memory
from sdmx_service.cli import main
status = main(sys.argv[1:])
print(json.dumps({"status": status, "peak": peak_memory()}), file=sys.stderr)
"""


def submit(path: Path, folder: Path, *, timeout: float | None = None) -> tuple[int, float, float]:
    """Exit status, seconds and peak of resident memory (MB) of submitting a file to a new store in a folder."""
    arguments = ["submit", str(path), "--data", str(folder), "--provider", flows.PROVIDER]
    command = [sys.executable, "-c", _SUBMIT, *arguments, "--format", "json", "-o", str(path.with_suffix(".json"))]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    seconds = time.monotonic() - started
    if done.returncode:
        raise RuntimeError(done.stderr)
    found = json.loads(done.stderr.splitlines()[-1])
    return found["status"], seconds, found["peak"]


def main() -> int:
    """Write a message and submit it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=__doc__)
    parser.add_argument("--bytes", type=int, default=1_000_000_000, help="size of the message")
    parser.add_argument("--flat", action="store_true", help="each observation with its whole key")
    parser.add_argument("--folder", type=Path, help="where message and store stand; default: a temporary one")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        path = Path(folder) / "large.xml"
        observations = write_large(path, asked.bytes, is_flat=asked.flat)
        print(f"{path.stat().st_size} bytes, {observations} observations", flush=True)
        status, seconds, peak = submit(path, Path(folder) / "store")
        print(f"exit status {status}, {seconds:.1f} s, {peak:.0f} MB at the peak")
    return status


if __name__ == "__main__":
    raise SystemExit(main())
