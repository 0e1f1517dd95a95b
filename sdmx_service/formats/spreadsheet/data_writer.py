"""Data messages as XLSX workbooks for people (*extension*, ``docs/formats.md``; ECMA-376 part 1, SpreadsheetML).

Sheet ``data`` has a row per observation and the columns of SDMX-CSV 2.1, ``codes`` the codes that occur with their
names, ``about`` what the figures are, their release and where they come from. Codes and texts are text cells, whatever
they begin with, so leading zeros stay and nothing becomes a formula; numbers show as many decimals as were sent, and a
number that a double does not return digit for digit is a text. The rows are rendered from fragments, as every text
format's are, into a temporary file: whether they fit is known before the first byte is sent.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Final
from xml.sax.saxutils import escape as escape_xml

import numpy as np
import pyarrow as pa

from sdmx_service.errors import TooLarge
from sdmx_service.formats.chunks import rendered
from sdmx_service.formats.fragments import (
    Cells,
    Coded,
    Make,
    Piece,
    Renderer,
    Strings,
    Texts,
    array_of,
    best_texts,
    by_distinct,
    joined_bytes,
    joined_values,
    pc,
    small_integers,
    strings,
    texts_of,
    wrapped,
)
from sdmx_service.formats.table import (
    ACTIONS,
    LABELS,
    LEADING,
    SHEET_ROWS,
    STRUCTURES,
    code_name,
    described,
    is_shown,
    merged_columns,
    shown_columns,
    shown_rows,
)
from sdmx_service.model.artefact import NO_TEXTS
from sdmx_service.model.columns import Column
from sdmx_service.model.message import Dataset, Message, WriteOptions

PARAMETERS: Final = {"labels": ("name", "id", "both")}
"""Values of the media type's parameter, the default first."""
assert set(PARAMETERS["labels"]) == set(LABELS)
_MAX_COLUMNS: Final = 16_384
_MAX_TEXT: Final = 32_767
"""UTF-16 units in a cell."""
_MAX_PART: Final = 2**31 - 2**20
"""Bytes of a part; more would need an extension of ZIP that spreadsheet programs complain about."""
_IN_MEMORY: Final = 1 << 23
_PIECE: Final = 1 << 18
_EMPTY: Final = "<c/>"
_TEXT: Final = ('<c t="inlineStr"><is><t xml:space="preserve">', "</t></is></c>")
_DECIMALS: Final = 15
_WHOLE, _HEADING = _DECIMALS + 1, _DECIMALS + 2
"""Cell formats: 0 is plain, 1 to 15 show so many decimals, then whole numbers, then the heading."""


def write_workbook(message: Message, options: WriteOptions) -> Iterator[bytes]:
    """The data sets of a message as a workbook.

    Args:
        options: ``labels``: with ``name`` a column with the names stands behind each coded component, with ``both`` its
            cells are ``code: name``; ``languages``, ``release`` and ``address``.

    Raises:
        TooLarge: more rows than a sheet has.
    """
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        _Workbook(message, options).save(file)
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece


class _Workbook:
    """A workbook of three sheets, with the texts that cells share."""

    def __init__(self, message: Message, options: WriteOptions) -> None:
        self._message, self._options = message, options
        self._datasets = list(message.datasets)
        self._columns = merged_columns(self._datasets)
        self._shared: dict[str, int] = {}

    def save(self, file: IO[bytes]) -> None:
        """Write the whole workbook."""
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
            for name, text in _FRAME.items():
                book.writestr(name, text)
            with book.open("xl/worksheets/sheet1.xml", "w") as part:
                self._data(part)
            book.writestr("xl/worksheets/sheet2.xml", self._plain_sheet(self._codes(), (18, 18, 60, 18)))
            book.writestr("xl/worksheets/sheet3.xml", self._plain_sheet(self._about(), (24, 24, 40, 90)))
            book.writestr("xl/sharedStrings.xml", self._strings())

    def share(self, text: str) -> int:
        """The number of a text that cells point to."""
        return self._shared.setdefault(text, len(self._shared))

    def _strings(self) -> str:
        items = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in self._shared)
        return f'{_XML}<sst xmlns="{_MAIN}">{items}</sst>'

    # data -----------------------------------------------------------------------------------------------------------

    def _data(self, part: IO[bytes]) -> None:
        headings = list(self._headings())
        if len(headings) > _MAX_COLUMNS:
            raise TooLarge(f"A sheet has {_MAX_COLUMNS} columns; {len(headings)} are needed.", hint=_REMEDY)
        part.write(_sheet_start([min(40, max(10, len(text) + 2)) for text in headings]).encode())
        part.write(f"<row>{''.join(self._cell(text, _HEADING) for text in headings)}</row>".encode())
        count, size = 0, 0
        for dataset in self._datasets:
            rows = _Rows(self, dataset, self._columns, self._options)
            for batch in shown_rows(dataset):
                count += batch.num_rows
                if count > SHEET_ROWS:
                    raise TooLarge(f"A sheet has {SHEET_ROWS:,} rows, and there are more figures.", hint=_REMEDY)
                for chunk in rendered([batch], rows.render):
                    size += part.write(chunk)
                    if size > _MAX_PART:
                        raise TooLarge("The figures and their texts do not fit into a workbook.", hint=_REMEDY)
        last = f"{_letters(len(headings))}{count + 1}"
        part.write(f'</sheetData><autoFilter ref="A1:{last}"/></worksheet>'.encode())

    @property
    def is_mixed(self) -> bool:
        """Rows must say what they belong to, as there are several data sets."""
        return len(self._datasets) > 1

    def _headings(self) -> Iterator[str]:
        yield from LEADING if self.is_mixed else ()
        for name, column in self._columns.items():
            label = self._label(column)
            yield f"{name}: {label}" if self._options.labels == "both" and label else name
            if self._options.labels == "name" and column.component.form.is_coded:
                yield label or name

    def _label(self, column: Column) -> str:
        found = (one.labels.components.get(column.id, NO_TEXTS) for one in self._datasets)
        texts = next((one for one in found if one), column.component.names)
        return texts.text(self._options.languages, "")

    # the other sheets -----------------------------------------------------------------------------------------------

    def _codes(self) -> Iterator[tuple[str, ...]]:
        yield "COMPONENT", "CODE", "NAME", "PARENT"
        for column in self._columns.values():
            if column.component.form.is_coded:
                seen: set[str] = set()
                for dataset in self._datasets:
                    items = dataset.labels.codes.get(column.id, {})
                    for code in dataset.domains.get(column.id, ()):
                        if code not in seen and (item := items.get(code)) is not None:
                            seen.add(code)
                            yield column.id, code, item.name(self._options.languages), item.parent or ""

    def _about(self) -> Iterator[tuple[str, ...]]:
        said = described(self._message, self._datasets, self._columns, self._options)
        yield "ABOUT", "", "", ""
        prepared = self._message.header.prepared or datetime.now(UTC)
        facts = {"sender": said["sender"], "release": said["release"], "prepared": f"{prepared:%Y-%m-%dT%H:%M:%S%z}",
                 "address": self._options.address}  # fmt: skip
        for name, value in facts.items():
            if value is not None:
                yield name, str(value), "", ""
        for dataset, structure in zip(self._datasets, said["structures"], strict=True):
            title = (dataset.labels.structure or dataset.structure.names).text(self._options.languages, "")
            for name in ("urn", "dataStructure", "provider", "action", "validFrom", "validTo"):
                if name in structure:
                    yield name, "", title if name == "urn" else "", structure[name]
        for name, column in self._columns.items():
            yield column.role, name, self._label(column), said["components"][name]["concept"]

    def _plain_sheet(self, rows: Iterator[tuple[str, ...]], widths: Sequence[int]) -> str:
        parts = [_sheet_start(widths)]
        for number, row in enumerate(rows):
            style = 0 if number else _HEADING
            parts.append(f"<row>{''.join(self._cell(text, style) for text in row)}</row>")
        return "".join([*parts, "</sheetData></worksheet>"])

    def _cell(self, text: str, style: int) -> str:
        if text == "":
            return _EMPTY
        return f'<c t="s"{f" s={chr(34)}{style}{chr(34)}" if style else ""}><v>{self.share(text)}</v></c>'


class _Rows:
    """Renders the rows of one data set."""

    def __init__(self, book: _Workbook, dataset: Dataset, chosen: Mapping[str, Column], options: WriteOptions) -> None:
        self._book, self._dataset, self._options = book, dataset, options
        self._columns = chosen
        self._own = {one.id: one for one in shown_columns(dataset) if is_shown(dataset, one)}
        self._cells, self._renderer = Cells(), Renderer()
        self._lead = self._leading() if book.is_mixed else ""

    def _leading(self) -> str:
        ref = self._dataset.ref
        kind = STRUCTURES.get(ref.type, "datastructure")
        texts = (kind, f"{ref.agency}:{ref.id}({ref.version})", ACTIONS[self._dataset.action])
        return "".join(_shared(self._book.share(text)) for text in texts)

    def render(self, batch: pa.RecordBatch) -> bytes:
        """The rows of a batch."""
        pieces: list[Piece] = ["<row>", self._lead]
        for name, column in self._columns.items():
            own = self._own.get(name)
            has_name = self._options.labels == "name" and column.component.form.is_coded
            if own is None or array_of(batch, name) is None:
                pieces.append(_EMPTY * (2 if has_name else 1))
                continue
            pieces += self._cell(batch, own)
            if has_name:
                pieces += self._name(batch, own)
        return joined_bytes(self._renderer.rows([*pieces, "</row>"], batch.num_rows))

    def _cell(self, batch: pa.RecordBatch, column: Column) -> list[Piece]:
        if column.kind == "number":
            return _number(batch, column)
        if column.kind == "code":
            return [self._cells.coded(batch, column.id, self._make(column), absent=_EMPTY, slot="cell")]
        if column.kind == "text":
            return [self._cells.coded(batch, column.id, _inline, absent=_EMPTY, slot="cell")]
        if column.kind == "multi":
            each = self._both(column) if self._options.labels == "both" and column.component.form.is_coded else _as_is
            texts = joined_values(batch, column, each, lambda _: _as_is, "; ")
        else:
            texts = best_texts(batch, column, self._options.languages)
        return _texts(texts)

    def _name(self, batch: pa.RecordBatch, column: Column) -> list[Piece]:
        """The cell with the names of the codes."""
        if column.kind == "code":
            return [self._cells.coded(batch, column.id, self._shared_names(column), absent=_EMPTY, slot="name")]
        if column.id not in self._dataset.labels.codes:
            return [_EMPTY]
        names = joined_values(batch, column, self._names(column), lambda _: _as_is, "; ")
        return _texts(names)

    def _make(self, column: Column) -> Make:
        both = self._both(column) if self._options.labels == "both" and column.component.form.is_coded else _as_is
        return lambda values: strings(*(_shared(self._book.share(text)) for text in both(values).to_pylist()))

    def _shared_names(self, column: Column) -> Make:
        names = self._names(column)
        return lambda values: strings(
            *(_shared(self._book.share(text)) if text else _EMPTY for text in names(values).to_pylist())
        )

    def _names(self, column: Column) -> Make:
        items, languages = self._dataset.labels.codes.get(column.id, {}), self._options.languages
        return lambda values: pa.array(
            [code_name(items, code, languages) or "" for code in values.to_pylist()], pa.string()
        )

    def _both(self, column: Column) -> Make:
        names = self._names(column)
        return lambda values: pa.array(
            [
                f"{code}: {name}" if name else code
                for code, name in zip(values.to_pylist(), names(values).to_pylist(), strict=True)
            ],
            pa.string(),
        )


# -------------------------------------------------------------------------------------------------------------- cells


def _shared(number: int) -> str:
    return f'<c t="s"><v>{number}</v></c>'


def _as_is(values: Strings) -> Strings:
    return values


def _inline(values: Strings) -> Strings:
    """Texts as cells."""
    return pc.binary_join_element_wise(_TEXT[0], escaped(values), _TEXT[1], "")


def _texts(values: Strings | None) -> list[Piece]:
    return wrapped(None if values is None else by_distinct(values, escaped), *_TEXT, _EMPTY)


_BEFORE = (_EMPTY, _TEXT[0], f'<c s="{_WHOLE}"><v>', *(f'<c s="{n}"><v>' for n in range(1, _DECIMALS + 1)))
_AFTER = ("", _TEXT[1], "</v></c>")


def _number(batch: pa.RecordBatch, column: Column) -> list[Piece]:
    """Number cells that show their decimals; text cells where the digits need a text."""
    small = small_integers(batch, column, f'<c s="{_WHOLE}"><v>', "</v></c>", _EMPTY)
    if small is not None:
        return [small]
    rendered_texts = texts_of(batch, column)
    if rendered_texts is None:
        return [_EMPTY]
    decimals, texts = array_of(batch, column.decimals), array_of(batch, column.text)
    count = batch.num_rows
    places = np.zeros(count, np.int32) if decimals is None else _filled(decimals, 0).astype(np.int32)
    places += 2
    if texts is not None and texts.null_count < count:
        places[texts.is_valid().to_numpy(zero_copy_only=False)] = 1
    if rendered_texts.null_count:
        places[rendered_texts.is_null().to_numpy(zero_copy_only=False)] = 0
        rendered_texts = rendered_texts.fill_null("")
    return [Coded(places, strings(*_BEFORE)), Texts(rendered_texts), Coded(np.minimum(places, 2), strings(*_AFTER))]


def _filled(values: Strings, default: int) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    filled = values.fill_null(default) if values.null_count else values
    found: np.ndarray[tuple[int], np.dtype[np.int8]] = filled.to_numpy(zero_copy_only=False)
    return found


# ------------------------------------------------------------------------------------------------------------- escape

_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_SPECIAL = r"[&<>\x00-\x08\x0b-\x1f\x{FFFE}\x{FFFF}]|_x[0-9A-Fa-f]{4}_"


def escape(text: str) -> str:
    """A text for a cell: cut to what a cell holds; signs that XML has not are ``_xHHHH_`` (ECMA-376, ST_Xstring)."""
    if len(text) * 2 > _MAX_TEXT:
        text = _cut(text)
    return escape_xml(_FORBIDDEN.sub(lambda found: f"_x{ord(found[0]):04X}_", text))


def _cut(text: str) -> str:
    """The text, cut with an ellipsis where it has more UTF-16 units than a cell holds."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * _MAX_TEXT:
        return text
    return units[: 2 * (_MAX_TEXT - 1)].decode("utf-16-le", "ignore") + "…"


def escaped(values: Strings) -> Strings:
    """Texts for cells."""
    special = pc.match_substring_regex(values, _SPECIAL)
    long = pc.greater(pc.binary_length(values), _MAX_TEXT // 2)
    if not pc.any(pc.or_(special, long)).as_py():
        return values
    return pa.array([None if text is None else escape(text) for text in values.to_pylist()], pa.string())


# -------------------------------------------------------------------------------------------------------------- frame

_REMEDY = "Narrow the query, or ask for SDMX-CSV or Parquet, which have no such limit."
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEETS = ("data", "codes", "about")


def _letters(number: int) -> str:
    """The letters of a column, counted from 1."""
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


def _sheet_start(widths: Sequence[int]) -> str:
    """A sheet up to its first row, whose heading stays in sight."""
    columns = "".join(
        f'<col min="{place}" max="{place}" width="{width}" customWidth="1"/>' for place, width in enumerate(widths, 1)
    )
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"{f'<cols>{columns}</cols>' if columns else ''}<sheetData>"
    )


def _styles() -> str:
    """Formats with 1 to 15 decimals, whole numbers, the heading."""
    formats = "".join(f'<numFmt numFmtId="{163 + n}" formatCode="0.{"0" * n}"/>' for n in range(1, _DECIMALS + 1))
    decimals = "".join(
        f'<xf numFmtId="{163 + n}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        for n in range(1, _DECIMALS + 1)
    )
    plain = '<xf numFmtId="0" fontId="0" fillId="0" borderId="0"{}/>'
    return (
        f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="{_DECIMALS}">{formats}</numFmts>'
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        "<borders><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
        f"<cellStyleXfs>{plain.format('')}</cellStyleXfs>"
        f"<cellXfs>{plain.format(' xfId=' + chr(34) + '0' + chr(34))}{decimals}"
        '<xf numFmtId="1" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )


def _frame() -> dict[str, str]:
    """The parts that are the same in every workbook."""
    book = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    kinds = {"/xl/workbook.xml": "sheet.main", "/xl/styles.xml": "styles", "/xl/sharedStrings.xml": "sharedStrings"}
    kinds |= {f"/xl/worksheets/sheet{n}.xml": "worksheet" for n in range(1, len(_SHEETS) + 1)}
    overrides = "".join(
        f'<Override PartName="{name}" ContentType="{book}.{kind}+xml"/>' for name, kind in kinds.items()
    )
    targets = [f"worksheets/sheet{n}.xml" for n in range(1, len(_SHEETS) + 1)]
    relations = [("worksheet", target) for target in targets]
    relations += [("styles", "styles.xml"), ("sharedStrings", "sharedStrings.xml")]
    sheets = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(_SHEETS, 1))
    return {
        "[Content_Types].xml": (
            f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f"{overrides}</Types>"
        ),
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": (
            f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": _relations(relations),
        "xl/styles.xml": _styles(),
    }


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    found = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, 1)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{found}</Relationships>'


_FRAME: Final = _frame()
