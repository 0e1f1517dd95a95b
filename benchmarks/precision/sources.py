"""The files that errors are put into, each with what a person knows of it: columns, sums, words that are wrong."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from openpyxl.worksheet.worksheet import Worksheet

from benchmarks.precision.cells import BookGrid, Cell, Lazy, Source, TextGrid, value_of, walk
from benchmarks.precision.messages import json_stat, sdmx_json, sdmx_ml

Sums = Callable[[Source, Cell], Iterable[Cell]]


def sources(folder: Path) -> list[Lazy]:
    """Every source there is, by the reference folder of real files."""
    makers = {
        "desa": desa,
        "imm5prv": imm5prv,
        "unhcr": unhcr,
        "mirror": mirror,
        "malta_pop1ctz": partial(malta, name="malta_migr_pop1ctz", dimension="citizen"),
        "malta_pop3ctb": partial(malta, name="malta_migr_pop3ctb", dimension="c_birth"),
        "malta_flows": partial(malta, name="malta_migr_flows", dimension="citizen"),
        "malta_balance": balance,
        "cfo_age": partial(cfo, name="1981-2020-Age"),
        "cfo_countries": partial(cfo, name="1981-2020-AllCountries"),
        "cfo_occupation": partial(cfo, name="1981-2020-Occu"),
        "cfo_education": partial(cfo, name="1988-2020-Educ"),
        "canada": canada,
        "destatis": destatis,
        "questionnaire": questionnaire,
        "estat_pop1ctz": partial(json_stat, name="eurostat_migr_pop1ctz"),
        "estat_pop3ctb": partial(json_stat, name="eurostat_migr_pop3ctb"),
        "oecd_aus": partial(sdmx_json, name="AUS_B14"),
        "oecd_kor": partial(sdmx_json, name="KOR_B15"),
        "sdg_kgz": partial(sdmx_ml, name="kg_16.2.2", area="KG"),
    }
    return [Lazy(name=name, make=make, folder=folder) for name, make in makers.items()]


def _long(path: Path, key: dict[str, str], period: str, value: str) -> tuple[TextGrid, list[Cell], dict[str, int]]:
    grid = TextGrid.read(path, is_long=True)
    header = list(grid.lines[0])
    columns = {id: header.index(name) for id, name in key.items()}
    cells = list(walk(grid.lines[1:], columns, header.index(period), header.index(value)))
    return grid, cells, {**columns, "period": header.index(period)}


def _of(source: Source, cell: Cell, name: str, parts: dict[str, tuple[str, ...]]) -> Iterator[Cell]:
    """The totals along one word of the key: total -> its parts."""
    for total, members in parts.items():
        if cell.names.get(name) in members and (found := source.other(cell, **{name: total})) is not None:
            yield found


# --- long tables ----------------------------------------------------------------------------------------------------
def desa(folder: Path) -> Source:
    """Migrant stock by destination, origin and sex, 1990 to 2024; it has no totals."""
    path = folder / "stock/undesa_ims2024_bilateral_by_sex.csv"
    key = {"area": "geo", "partner": "from", "sex": "sex"}
    grid, cells, columns = _long(path, key, "t", "n")
    wrong = {"partner": ("ZZZ", "FRX", "DEUT", "GBRR"), "area": ("XXQ", "FRX"), "sex": ("x", "mal"),
             "aggregate": ("EU27_2020",)}  # fmt: skip
    return Source(name=path.name, grid=grid, cells=cells, columns=columns, wrong=wrong, group=("area",))


_AGES = {
    "Y_LT15": ("Y_LT5", "Y5-9", "Y10-14"),
    "Y15-64": tuple(f"Y{n}-{n + 4}" for n in range(15, 65, 5)),
    "Y_GE65": ("Y65-69", "Y70-74", "Y75-79", "Y80-84", "Y_GE85"),
    "Y_GE85": ("Y85-89", "Y90-94", "Y95-99", "Y_GE100"),
}


def imm5prv(folder: Path) -> Source:
    """Immigration by previous residence and age; broad ages are sums of five-year ages."""
    path = folder / "flow/eurostat_imm5prv_by_age_intraEU.csv"
    grid, cells, columns = _long(path, {"partner": "partner", "area": "geo", "age": "age"}, "year", "value")
    wrong = {"partner": ("ZZ", "GBR", "D"), "area": ("ZZ", "EU"), "age": ("Y7-12", "20-24"),
             "overlap": ("Y20-29", "Y_GE75")}  # fmt: skip
    return Source(name=path.name, grid=grid, cells=cells, columns=columns, wrong=wrong, group=("area",),
                  sums=_whole_ages, totals={"age": tuple(_AGES)})  # fmt: skip


def _whole_ages(source: Source, cell: Cell) -> Iterator[Cell]:
    """The broad ages that a cell is part of, where all their parts are there."""
    for found in _of(source, cell, "age", _AGES):
        parts = [source.other(found, age=age) for age in _AGES[found.names["age"]]]
        if all(part is not None and part.value is not None for part in parts):
            yield found


_FORCED = ("refugees", "asylum_seekers", "idps", "stateless", "ooc", "oip", "hst")


def unhcr(folder: Path) -> Source:
    """Forced displacement by asylum and origin; several figures in a row, no totals."""
    path = folder / "unhcr/population.csv"
    grid = TextGrid.read(path, is_long=False)
    header = list(grid.lines[0])
    where = {"area": header.index("coa_iso"), "partner": header.index("coo_iso")}
    period = header.index("year")
    cells = [
        Cell(key=(("area", line[where["area"]]), ("partner", line[where["partner"]]), ("type", name)),
             period=line[period], value=value_of(line[column]), line=line, column=column)
        for line in grid.lines[1:]
        for name in _FORCED
        if line[column := header.index(name)] not in ("", "0")
    ]  # fmt: skip
    wrong = {"partner": ("QQQ", "GERM"), "area": ("QQQ",)}
    columns = {**where, "period": period}
    return Source(name=path.name, grid=grid, cells=cells, columns=columns, wrong=wrong, group=("area", "type"),
                  is_calm=False)  # fmt: skip


def mirror(folder: Path) -> Source:
    """Flows inside Europe from both sides, with names and codes of areas."""
    path = folder / "flow/mirror_flows_eurostat_2010_2019.csv"
    grid = TextGrid.read(path, is_long=False)
    header = list(grid.lines[0])
    side = {"Emig": ("Sending_iso2", "Receiving_iso2"), "Immi": ("Receiving_iso2", "Sending_iso2")}
    cells = [
        Cell(key=(("area", line[header.index(side[name][0])]), ("partner", line[header.index(side[name][1])]),
                  ("type", name)),
             period=line[header.index("Year")], value=value_of(line[column]), line=line, column=column)
        for line in grid.lines[1:]
        for name in side
        if line[column := header.index(name)] != ""
    ]  # fmt: skip
    return Source(name=path.name, grid=grid, cells=cells, group=("area", "type"))


_TOTALS = {
    "TOTAL": ("NAT", "FOR_STLS", "FOR", "UNK"),
    "FOR_STLS": ("EU27_2020_FOR", "NEU27_2020_FOR", "STLS"),
    "FOR": ("EU27_2020_FOR", "NEU27_2020_FOR"),
}


def malta(folder: Path, name: str, dimension: str) -> Source:
    """A table of Malta; the total is nationals and foreigners, these are those of the Union, others and stateless."""
    path = folder / f"eurostat/{name}.csv"
    key = {"dataset": "dataset", dimension: dimension, "sex": "sex", "age": "age", "area": "geo"}
    grid, cells, columns = _long(path, key, "time", "value")
    wrong = {dimension: ("FOREIGN", "EU_FOR", "TOTL"), "area": ("MLT", "XX"), "sex": ("X",), "age": ("TOTL",)}
    sums = partial(_complete_totals, dimension=dimension)
    return Source(name=path.name, grid=grid, cells=cells, columns=columns, wrong=wrong, sums=sums,
                  group=("dataset", "area"))  # fmt: skip


def _complete_totals(source: Source, cell: Cell, dimension: str) -> Iterator[Cell]:
    """The totals that can be added up: both sides of the split are there."""
    is_acquired = dict(cell.key).get("dataset") == "migr_acq"
    known = {"TOTAL": (*_TOTALS["FOR_STLS"], "UNK")} if is_acquired else _TOTALS
    for total in _of(source, cell, dimension, known):
        needed = {"TOTAL": ("NAT", "FOR_STLS"), "FOR_STLS": _TOTALS["FOR"], "FOR": _TOTALS["FOR"]}
        parts = [source.other(total, **{dimension: code}) for code in needed[total.names[dimension]]]
        if dimension == "c_birth" and total.names[dimension] == "TOTAL":
            parts = [source.other(total, c_birth=code) for code in ("NAT", "FOR")]
        if dict(total.key).get("dataset") == "migr_acq" and total.names[dimension] == "TOTAL":
            parts = [source.other(total, **{dimension: code}) for code in _TOTALS["FOR"]]
        if all(part is not None for part in parts):
            yield total


def balance(folder: Path) -> Source:
    """The demographic balance of Malta: births less deaths, and change from one population to the next."""
    path = folder / "eurostat/malta_demo_gind.csv"
    grid, cells, columns = _long(path, {"indic_de": "indic_de", "area": "geo"}, "time", "value")
    wrong = {"indic_de": ("BIRTHS", "JANN"), "area": ("MLT",)}
    return Source(name=path.name, grid=grid, cells=cells, columns=columns, wrong=wrong, sums=_balances,
                  group=("area",))  # fmt: skip


def _balances(source: Source, cell: Cell) -> Iterator[Cell]:
    names = {"LBIRTH": ("NATGROW",), "DEATH": ("NATGROW",), "CNMIGRAT": ("GROW",), "NATGROW": ("GROW",),
             "JAN": ("GROW",)}.get(cell.names["indic_de"], ())  # fmt: skip
    for name in names:
        periods = [cell.period] + ([str(int(cell.period) - 1)] if cell.names["indic_de"] == "JAN" else [])
        for period in periods:
            found = source.index.get((tuple((id, name if id == "indic_de" else t) for id, t in cell.key), period))
            if found is not None:
                yield found


# --- wide tables ----------------------------------------------------------------------------------------------------
def cfo(folder: Path, name: str) -> Source:
    """A table of the Philippines: labels by years; it has no totals."""
    path = folder / f"national/ph_cfo_Emigrant-{name}.csv"
    grid = TextGrid.read(path, is_long=False)
    years = grid.lines[0]
    cells = [
        Cell(key=(("label", line[0]),), period=years[column], value=value_of(line[column]), line=line, column=column)
        for line in grid.lines[1:]
        for column in range(1, len(years))
    ]
    return Source(name=path.name, grid=grid, cells=cells, columns={"label": 0},
                  wrong={"label": ("ATLANTIS", "TOTALL", "UNITED STAATES")})  # fmt: skip


def canada(folder: Path) -> Source:
    """Immigrants to Canada by citizenship; the countries add up to the total."""
    path = folder / "national/un_flows2015_canada.xlsx"
    grid = BookGrid.read(path)
    sheet = grid.book["Canada by Citizenship"]
    head = next(row for row in range(1, 40) if sheet.cell(row, 1).value == "Type")
    years = {column: str(int(text)) for column in range(1, sheet.max_column + 1)
             if (text := value_of(sheet.cell(head, column).value)) is not None and text > 1900}  # fmt: skip
    cells = [
        Cell(key=(("type", str(sheet.cell(row, 1).value)), ("coverage", str(sheet.cell(row, 2).value)),
                  ("partner", str(sheet.cell(row, 3).value))),
             period=year, value=value, line=row, column=column - 1, sheet=sheet.title)
        for row in range(head + 1, sheet.max_row + 1)
        for column, year in years.items()
        if (value := value_of(sheet.cell(row, column).value)) is not None or sheet.cell(row, column).value == ".."
    ]  # fmt: skip
    blanks = [cell for cell in cells if cell.value is None]
    cells = [cell for cell in cells if cell.value is not None]
    return Source(name=path.name, grid=grid, cells=cells, sums=_total_of_list, group=("type", "coverage"),
                  blanks=blanks, mark="..",
                  columns={"partner": 2}, wrong={"partner": ("Atlantis", "Germny (East)")})  # fmt: skip


def _total_of_list(source: Source, cell: Cell) -> Iterator[Cell]:
    for coverage in (cell.names["coverage"], "Both"):
        found = source.other(cell, coverage=coverage, partner="Total")
        if found is not None and found is not cell:
            yield found


_NINE = [(flow, whose) for flow in ("in", "out", "net") for whose in ("all", "german", "foreign")]


def destatis(folder: Path) -> Source:
    """Migration of Germany by month: all are Germans and others, the balance is arrivals less departures."""
    path = folder / "national/destatis_wanderungen_2018.xlsx"
    grid = BookGrid.read(path)
    cells = [
        Cell(key=(("label", label), ("flow", flow), ("whose", whose)), period=f"{number:02}", value=value, line=row,
             column=2 + place, sheet=sheet.title)
        for number, sheet in enumerate(grid.book.worksheets[:12], 1)
        for row, label in _labels(sheet)
        for place, (flow, whose) in enumerate(_NINE)
        if (value := value_of(sheet.cell(row, 3 + place).value)) is not None or sheet.cell(row, 3 + place).value == "."
    ]  # fmt: skip
    blanks = [cell for cell in cells if cell.value is None]
    cells = [cell for cell in cells if cell.value is not None]
    return Source(name=path.name, grid=grid, cells=cells, sums=_of_the_row, group=("flow", "whose"),
                  blanks=blanks, mark=".",
                  totals={"label": _REGIONS},
                  columns={"label": 0}, wrong={"label": ("Utopia", "Frankreih (West)")})  # fmt: skip


_REGIONS = ("Insgesamt", "Europa", "EU-Länder (Stand: ab Juli 2013)", "Außereuropäisches Ausland", "Afrika", "Amerika",
            "Asien", "Australien und Ozeanien")  # fmt: skip


def _labels(sheet: Worksheet) -> Iterator[tuple[int, str]]:
    for row in range(7, sheet.max_row + 1):
        label = sheet.cell(row, 1).value
        if isinstance(label, str) and value_of(sheet.cell(row, 3).value) is not None:
            yield row, label.strip()


def _of_the_row(source: Source, cell: Cell) -> Iterator[Cell]:
    wholes = [{"whose": "all"}] if cell.names["whose"] != "all" else []
    wholes += [{"flow": "net"}] if cell.names["flow"] != "net" else []
    for changed in wholes:
        parts = [{"whose": "german"}, {"whose": "foreign"}] if "whose" in changed else [{"flow": "in"}, {"flow": "out"}]
        if all(source.other(cell, **part) is not None for part in parts):
            found = source.other(cell, **changed)
            if found is not None:
                yield found


# --- a questionnaire ------------------------------------------------------------------------------------------------
def questionnaire(folder: Path) -> Source:
    """A questionnaire of Malta, made by the program's own command and filled in from Malta's flows.

    Totals, nationals and foreigners are real figures; the split by sex is made up (54 men of a hundred).
    """
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "questionnaire.xlsx"
        command = [sys.executable, "-m", "sdmx_service", "template", "MIG-01", "--area", "470", "--years", "2015-2024",
                   "--data", str(Path(made) / "none"), "-o", str(path)]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
        grid = BookGrid.read(path)
    grid_of = _filled(grid, folder)
    return Source(name="questionnaire.xlsx", grid=grid, cells=grid_of, sums=_of_the_form, group=("MEASURE",))


def _filled(grid: BookGrid, folder: Path) -> list[Cell]:
    real = malta(folder, "malta_migr_flows", "citizen")
    flows = {"IMM": "migr_imm1ctz", "EMI": "migr_emi1ctz"}
    whose = {"_T": "TOTAL", "NAT": "NAT", "FOR_STLS": "FOR_STLS"}
    known = {(c.names["dataset"], c.names["citizen"], c.period): int(c.value or 0) for c in real.cells}
    sheet = grid.book["MIG-01"]
    columns = {column: dict(part.split("=") for part in text.split(";"))
               for column in range(2, sheet.max_column + 1)
               if isinstance(text := sheet.cell(1, column).value, str) and "=" in text}  # fmt: skip
    cells = []
    for row in range(2, sheet.max_row + 1):
        text = sheet.cell(row, 1).value
        if not (isinstance(text, str) and "=" in text):
            continue
        codes = dict(part.split("=") for part in text.split(";"))
        name = (flows[codes["MEASURE"]], whose.get(codes["CITIZENSHIP"], ""), codes["TIME_PERIOD"])
        if name not in known:
            continue
        men = {one: known[name[0], whose[one], name[2]] * 54 // 100 for one in ("NAT", "FOR_STLS")}
        men["_T"] = sum(men.values())
        figures = {"_T": known[name], "M": men[codes["CITIZENSHIP"]]}
        figures["F"] = figures["_T"] - figures["M"]
        for column, more in columns.items():
            if more.get("SEX") in figures:
                value = figures[more["SEX"]]
                sheet.cell(row, column).value = value
                key = (("MEASURE", codes["MEASURE"]), ("CITIZENSHIP", codes["CITIZENSHIP"]), ("sex", more["SEX"]))
                cells.append(Cell(key=key, period=codes["TIME_PERIOD"], value=float(value), line=row,
                                  column=column - 1, sheet=sheet.title))  # fmt: skip
    return cells


def _of_the_form(source: Source, cell: Cell) -> Iterator[Cell]:
    for name in ("sex", "CITIZENSHIP"):
        if cell.names[name] != "_T" and (found := source.other(cell, **{name: "_T"})) is not None:
            yield found
