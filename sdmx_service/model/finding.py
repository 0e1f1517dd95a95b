"""Findings: what a check has to say about a sender's file. Errors stop; findings accumulate.

A finding is a value. Findings of one cause are one ``FindingGroup`` with its places as columns, so that a million bad
rows do not make a million objects; a group unfolds into single findings only when somebody reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pyarrow as pa


class Severity(Enum):
    """Errors refuse the submission; warnings and infos do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingKind:
    """An entry of the catalogue: what a code means and what to do about it.

    ``message`` is a template over the group's constants and the columns of its places.
    """

    code: str
    title: str
    severity: Severity
    message: str
    explanation: str
    remedy: str


def _kind(code: str, severity: Severity, title: str, message: str, explanation: str, remedy: str) -> FindingKind:
    return FindingKind(
        code=code, title=title, severity=severity, message=message, explanation=explanation, remedy=remedy
    )


_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

CATALOGUE: Mapping[str, FindingKind] = {
    kind.code: kind
    for kind in (
        _kind("F101", _INFO, "Rows left out on purpose", "{rows_were} left out on purpose: {reason}.",
              "The mapping says that these rows are not data of their own, for example totals of a list.",
              "Nothing, if that is right. Otherwise correct the mapping's skip rule."),
        _kind("F102", _ERROR, "Column not found", "The column {column!r} was not found in the header {value!r}.",
              "The mapping reads a column by its header text, and no header of the sheet has that text.",
              "Send the layout the mapping was made for, or add the new header text to the mapping."),
        _kind("F103", _ERROR, "Sheet not found", "No sheet fits {expected!r}; the file has {value!r}.",
              "The mapping reads sheets by name.", "Send the layout the mapping was made for, or correct the mapping."),
        _kind("F104", _ERROR, "Cell cannot be read as a number", "{value!r} is not a number.",
              "A value cell holds a text that is neither a number nor a symbol the mapping knows.",
              "Correct the cell, or tell the mapping what the symbol means."),
        _kind("F105", _INFO, "Read over", "{value}",
              "The file carries something that is no data of the structure, such as columns of other names.",
              "Nothing, if it is not data. Otherwise correct the names of the columns."),
        _kind("F106", _ERROR, "Column not unique", "The column {column!r} fits several columns: {value}.",
              "Several headers of the sheet fit what the mapping calls one column, so that it is not clear "
              "which is meant.",
              "Give the columns different headers, or name the column by its letter in the mapping."),
        _kind("F107", _ERROR, "Cell or sheet name not as expected", "{value!r} does not fit {expected!r}.",
              "The mapping takes a text, such as the country or the year, from this cell or from the sheet's name.",
              "Send the layout the mapping was made for, or correct the mapping."),
        _kind("F108", _WARNING, "Row not read", "No table of the mapping reads this row.",
              "Each table of the mapping reads rows with certain values only, and this row has others.",
              "Nothing, if the row is not to be read. Otherwise add its values to the mapping."),
        _kind("F109", _ERROR, "No data", "The file holds no rows of data.",
              "The file was read, and nothing in it is an observation, an attribute or a deletion.",
              "Send the file with its rows; where a mapping reads it, see what its rules leave out."),
        _kind("F110", _WARNING, "Message with an error", "The message itself says: {value}",
              "A message may carry errors and notes of the one who made it beside its data.",
              "See whether the data are whole."),
        _kind("F111", _ERROR, "Table that no structure carries", "{reason}",
              "The file was recognised, and what its table shows has no place in any data structure of this service: "
              "to take it in under other codes would say something that the figures do not say.",
              "Nothing needs correcting; the file stays outside. If its figures are wanted here, a structure has to "
              "be extended first."),
        _kind("F112", _WARNING, "Hidden, and read", "A hidden {what} of the sheet was read like any other.",
              "The workbook does not show it, and its figures count nevertheless: hidden rows may be of an earlier "
              "version, or only filtered away.",
              "Nothing, if it belongs to the table. Otherwise delete it before sending."),
        _kind("F113", _INFO, "Encoding found out", "The text was read as {value}; for example {example!r}.",
              "The file does not say how its letters are encoded, and it is not in UTF-8.",
              "Nothing, if the example reads well. Otherwise send UTF-8, or name the encoding."),
        _kind("F114", _WARNING, "Encoding uncertain",
              "The text was read as {value}, where it says {example!r}; in {others}.",
              "The file does not say how its letters are encoded, is not in UTF-8, and several encodings fit.",
              "If the first reading is wrong, send UTF-8, or name the encoding."),
        _kind("F120", _WARNING, "Above the observations, not mapped",
              "{component}: {value!r} belongs to no single observation, and is not mapped.",
              "A mapping makes observations, and this row of the message has not every dimension: it carries an "
              "attribute of a group or of the whole data set.",
              "Nothing, if the attribute is not needed. Otherwise send it with the observations."),
        _kind("F150", _ERROR, "Workbook contradicts itself",
              "The {what} is {value!r} here, and {expected!r} elsewhere.",
              "A questionnaire says in two places for whom and what it is, and the two differ: one was written over.",
              "Restore the cell, or ask for a new workbook."),
        _kind("F151", _ERROR, "Row not recognised", "{value!r} is no code or name of {component}.",
              "A row that the sender added is known by the code or the name in it, in any language of the code list.",
              "Write the code; the nearest is suggested."),
        _kind("F152", _ERROR, "Label changed", "The row is that of {expected}, and its label is {value!r}.",
              "Key and label of a row differ, so that it is not clear whose figures these are.",
              "Restore the label; write the figures of another code into a row of its own."),
        _kind("F153", _ERROR, "Merged figures", "The merged cell covers {count_cells} figures.",
              "A figure in a merged cell may be meant for any of the cells that it covers.",
              "Unmerge the cells; put the figure into one of them, and a footnote that says what it includes."),
        _kind("F154", _ERROR, "Figure with two readings", "{value!r} may be {readings}.",
              "A text of digits is read as a number only if it can be only one.",
              "Write it as a number, without a thousands mark; write one status."),
        _kind("F155", _INFO, "Emptied cell left as it is",
              "The cell held {value!r} and is empty now; the figure stays.",
              "A blank cell of a questionnaire says nothing, so that a figure is never deleted by mistake.",
              "To take the figure back, write the word that the cover names in the cell."),
        _kind("F156", _WARNING, "Cell not read", "{value!r} stands where the questionnaire asks for nothing.",
              "A column without key, or a row above the table, has something in it.",
              "Move it to a cell of the table, or to the sheet of footnotes."),
        _kind("F157", _WARNING, "Footnote without text", "The footnote {value!r} has no text.",
              "A mark beside a figure is not on the sheet of footnotes.", "Add it there."),
        _kind("F158", _ERROR, "Unit changed under figures filled in before",
              "The sheet is in {value!r} now, and {unchanged} figures filled in before in {expected!r} are unchanged.",
              "The unit holds for every figure of the sheet.",
              "Restore the unit, or give every figure of the sheet in the new one."),
        _kind("F159", _WARNING, "Period changed under figures filled in before",
              "The sheet is about {value!r} now; {unchanged} figures filled in before for {expected!r} are unchanged.",
              "The period holds for every figure of the sheet.", "See whether these figures are those of that period."),
        _kind("F160", _ERROR, "Sheet without period", "The sheet has figures, and does not say of which period.",
              "The period of the sheet is asked for above the table.", "Fill that cell."),
        _kind("F161", _INFO, "Kept as text", "{question}: {value}",
              "An answer of the cover or the metadata sheet for which the structure has no attribute. It is kept with "
              "the submission; it is not part of the figures.", "Nothing."),
        _kind("F162", _ERROR, "Not one of the answers", "{value!r} is none of the answers to {question!r}.",
              "The question has a list of answers.", "Choose one of the list; the nearest is suggested."),
        _kind("F163", _WARNING, "Table without sheet", "The workbook has no sheet with the keys of {value!r}.",
              "The sheet of a table was removed, or its hidden first row was; nothing of it was read.",
              "Nothing, if the table is not to be sent. Otherwise copy the figures into a new workbook."),
        _kind("F170", _ERROR, "Workbook of a mapping is not whole", "{reason}.",
              "A workbook of a mapping has the sheets and columns that an export writes; their order does not matter.",
              "Export the mapping again, and edit that workbook."),
        _kind("F171", _ERROR, "Cell of a mapping cannot be taken", "{value!r}: {reason}.",
              "A cell says what a map cannot mean: an unknown kind or code, an expression that cannot be read, a "
              "period that is none, two rows that contradict each other.", "Correct the cell."),
        _kind("F172", _ERROR, "Mapping cannot be taken", "{what}: {reason}",
              "The layout or a map of the workbook contradicts itself or the structures here.",
              "Correct what is named; the components of a structure map stand in the sheet Components."),
        _kind("F180", _ERROR, "Not valid by the schema", "{said}",
              "The message was judged by its schema, as was asked: the official one, and for the data of a structure "
              "the one that the structure makes.", "Correct the place; row is the line, column the path."),
        _kind("F181", _WARNING, "Not judged by a schema", "The file was not judged by a schema: {reason}.",
              "It was asked for, and cannot be done for this file.",
              "Nothing; all other checks were made. Send SDMX-ML or SDMX-JSON where a schema is to judge."),
        _kind("F201", _ERROR, "Value not mapped", "{component}: {value!r} has no mapping in {map}.",
              "The representation map has no row for this value of the file.",
              "Correct the value, or add a row to the map; the nearest known values are suggested."),
        _kind("F202", _INFO, "Several rows of a map fit",
              "{component}: {value!r} fits several rows of {map}: {taken} is taken, the first; others give {others}.",
              "Expressions of the representation map overlap. The standard takes the first row that fits.",
              "Nothing, if the order of the map means it so. Otherwise narrow the expressions."),
        _kind("F250", _ERROR, "Not in this period",
              "{component}: {value!r} lies outside what {constraint} allows: {expected}.",
              "A constraint of the structure or dataflow holds for certain periods: a range of time, or codes that are "
              "valid for some periods only.",
              "Leave out the rows of other periods, or use the codes that are valid for them."),
        _kind("F251", _ERROR, "Not together here", "{value} are not allowed together by {constraint}.",
              "Each code may be sent, and a constraint of the structure or dataflow leaves this combination of them "
              "out.",
              "See what is expected: correct the code that is wrong, or send the row to the dataflow it belongs to."),
        _kind("F252", _ERROR, "Not this provider's period",
              "{component}: {value!r} lies outside what {constraint} lets this provider send: {expected}.",
              "The constraint of the provision agreement, or of the provider, holds for certain periods: a range of "
              "time, or codes that are valid for some periods only.",
              "Leave out the rows of other periods. If the constraint is to cover them, ask the agency that maintains "
              "it."),
        _kind("F253", _ERROR, "Not this provider's to send together",
              "{value} are not for this provider to send together; {constraint} does not cover it.",
              "The constraint of the provision agreement, or of the provider, covers certain combinations of codes.",
              "Send only what the constraint covers. If it is to cover more, ask the agency that maintains it."),
        _kind("F254", _WARNING, "A deletion of something mandatory",
              "The deletion names {component}, which is mandatory: it is taken away, and the figures stay without it.",
              "A row of a deletion that names values deletes these alone, not the figure; an attribute of a series or "
              "group goes from all its figures.",
              "To delete a figure, send its key and leave everything else empty."),
        _kind("F255", _WARNING, "A deletion of all there is",
              "The deletion names no key: {what} of {provider} in {dataflow} is taken away ({stored}).",
              "A row of a deletion takes away all that has its values of the key; one without any, all that its "
              "provider has in the dataflow by the time it is published.",
              "Nothing, if it is meant so. Otherwise send the keys of what is to go."),
        _kind("F260", _ERROR, "Nothing to keep as it was sent",
              "{value!r} says that the figure stays as it was sent, and none of that key is held of this provider.",
              "The symbol stands in cells whose figures are held and not shown: confidential ones, and those that are "
              "shown rounded. Nothing of the kind is stored, or it was taken back since.",
              "Write the figure, with the mark for confidential figures; or empty the cell."),
        _kind("F270", _ERROR, "Figure outside the header", "{value!r} stands right of the last column with a header.",
              "The row has more cells than the header has names. Mostly a thousands mark or a decimal comma cuts a "
              "figure in two, or a name with a comma does it, so that all cells behind stand one column too far.",
              "Put quotes around the cell that holds the separator, or leave the mark out; give the column a header if "
              "it is one."),
        _kind("F271", _ERROR, "Formula without result", "{value!r} is a formula, and the file holds no result of it.",
              "Programs that write workbooks often leave it to the reader to calculate; nothing is calculated here.",
              "Open the workbook in a spreadsheet program and save it again, or write the figure."),
        _kind("F272", _WARNING, "Column left out",
              "The column {value!r} was not read: its header is nearly one of those that are.",
              "The mapping reads columns whose whole header fits, and here something stands beside it.",
              "Correct the header if the figures belong to the table; a mark of a status stands beside the figures. "
              "Nothing, if they do not belong to it."),
        _kind("F273", _INFO, "Column of figures not read", "The column {value!r} was not read.",
              "It holds numbers and stands among or behind the columns that become rows: a total or a share, perhaps.",
              "Nothing, if it is not wanted. Otherwise see that the header is the one that the mapping reads."),
        _kind("F274", _WARNING, "Sheet left out", "The sheet {value!r} has a header that is read, and was left out.",
              "The mapping reads one sheet: the first that has the header.",
              "Put all rows on one sheet, or send the sheets as files of their own. Nothing, if it is not to be read."),
        _kind("F275", _ERROR, "Heading changed", "The column is that of {expected}, and its heading is {value!r}.",
              "Key and heading of a column of a questionnaire differ, so that it is not clear whose figures these are.",
              "Restore the heading; write the figures into the column that they belong to."),
        _kind("F276", _WARNING, "Row ends early",
              "The row has {cells} cells and ends before the column of {expected!r}: what it lacks is read as blank.",
              "A row of a text file has fewer cells than the header, and a figure or part of its key is among those "
              "that it lacks. Where a separator is missing in the middle, all cells behind it stand one column too far "
              "left, perhaps under another year.",
              "Write a separator for each column, for empty cells too, and see that each cell stands where it belongs. "
              "Nothing, if only empty cells at the end were left out."),
        _kind("F280", _ERROR, "Component is another one now",
              "{component} is not what it was when the figures were accepted: {reason}.",
              "The structure changed while the submission waited for publication, and the values that it brings for "
              "this component have no place in it as they were kept.",
              "Send the figures again as the structure asks for them now, or withdraw them."),
        _kind("F281", _ERROR, "Dataflow follows another structure now",
              "The figures were accepted for {value!r}, and the dataflow {dataflow} follows {expected!r} now.",
              "The dataflow was moved to another structure, or to another major version, while the submission waited "
              "for publication; published, its figures would be where nobody looks.",
              "Send the figures again in that structure, or withdraw them."),
        _kind("F282", _ERROR, "Not a validity", "{value!r} cannot be a bound of validity: {reason}.",
              "A data set may say from when to when it holds (validFrom, validTo), as dates and times.",
              "Correct it, or leave it out."),
        _kind("F283", _WARNING, "Does not hold now",
              "The figures of {dataflow} are said to hold {said}, and are shown from their publication on.",
              "The last data set of the message has a validity to which now does not belong. Validity does not move "
              "the time of publication, and what is published takes the place of what was there.",
              "Nothing, if it is meant so. Figures that are to come out later are scheduled; older ones are not sent."),
        _kind("F284", _ERROR, "History in another order",
              "A data set of {dataflow} of {value} follows one of {before}.",
              "Data sets with validity tell a history, and are applied in the order of the message: an older state "
              "would take the place of a newer one.",
              "Put them in the order in which they held."),
        _kind("F302", _ERROR, "Dimension without value", "The dimension {component} has no value.",
              "Every dimension must have a value in an observation; a row that carries an attribute, those it "
              "belongs to.", "Fill the cell; use the code for total where no breakdown is meant."),
        _kind("F303", _ERROR, "Mandatory attribute missing",
              "The mandatory attribute {component} has no value, neither in the file nor from before.",
              "The data structure requires it.", "Fill the column, or set a constant in the mapping."),
        _kind("F304", _ERROR, "Wrong type", "{component}: {value!r} is not what the structure asks for: {expected}.",
              "The value does not have the type or facets (length, pattern, range, decimals) of the component.",
              "Correct the value."),
        _kind("F305", _ERROR, "Mandatory measure missing",
              "The mandatory measure {component} has no value, neither in the file nor from before.",
              "The data structure requires it.", "Send a value, or a missing mark with a status."),
        _kind("F306", _ERROR, "Contradicting attribute", "{component} has different values in one {level}: {values}.",
              "An attribute of the data set, a group or a series has one value there, and the file gives several.",
              "Make them equal."),
        _kind("F307", _INFO, "Whole number written otherwise", "{component}: {value!r} is kept as a whole number.",
              "The structure asks for an integer, and the value is one, written with decimals or an exponent.",
              "Nothing; write it without, since the schema of the structure does not take it so."),
        _kind("F401", _ERROR, "Unknown code", "{component}: {value!r} is not a code of {codelist}.",
              "The code list of the component does not have this code.",
              "Use a code of the list; the nearest is suggested."),
        _kind("F402", _ERROR, "Code not allowed here", "{component}: {value!r} is not allowed by {constraint}.",
              "The code exists, but a constraint of the structure or dataflow leaves it out.",
              "Use an allowed code, or send the row to the dataflow it belongs to."),
        _kind("F403", _ERROR, "Not a time period", "{component}: {value!r} cannot be taken as a time period: {reason}.",
              "Times are SDMX time periods such as 2024, 2024-Q1, 2024-06, 2024-06-30.", "Correct the period."),
        _kind("F501", _ERROR, "Duplicate key", "The same key occurs more than once: rows {rows}.",
              "An observation may be sent once per message and action.", "Remove the repetition."),
        _kind("F502", _ERROR, "Not this provider's to send",
              "{component}: {value!r} is not for this provider to send; {constraint} does not cover it.",
              "The constraint of the provision agreement, or of the provider, does not cover it.",
              "Send only your own data. If the constraint is to cover it, ask the agency that maintains it."),
        _kind("F503", _ERROR, "No provision agreement",
              "{value} has no provision agreement for {expected}; it has {agreed}.",
              "Providers send figures under an agreement for each dataflow; this one has none for the dataflow of "
              "the file.", "See that provider and dataflow are those you mean. If they are, ask the agency that "
              "maintains the dataflow for an agreement."),
        _kind("F601", _ERROR, "Rule broken", "{message}",
              "A rule that belongs to the dataflow does not hold for the figures sent.", "Check the figures named."),
    )
}  # fmt: skip
"""Every built-in finding code; rules bring their own codes (``V01`` ...), see the rule files beside the structures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding, as the receipt shows it; ``row`` is 1-based as the sender sees it."""

    code: str
    severity: Severity
    message: str
    rule: str | None = None
    file: str | None = None
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    key: Mapping[str, str] = field(default_factory=dict)
    value: str | None = None
    expected: str | None = None
    suggestion: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The finding in the shape of docs (``interfaces``)."""
        return {
            "code": self.code, "severity": self.severity.value, "rule": self.rule, "file": self.file,
            "sheet": self.sheet, "row": self.row, "column": self.column, "key": dict(self.key), "value": self.value,
            "expected": self.expected, "suggestion": self.suggestion, "message": self.message,
        }  # fmt: skip


PLACE_COLUMNS = ("file", "sheet", "row", "column", "value", "expected", "suggestion")
KEY_PREFIX = "key."
"""Columns of ``FindingGroup.places`` that begin so carry the key: ``key.REF_AREA``."""


_LONGEST = 500
"""Characters of a value that a message shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingGroup:
    """All findings of one cause.

    Attributes:
        code: catalogue code, or a rule's own.
        template: message template; placeholders are names of ``constants`` and of columns of ``places`` (``{key}`` is
            the key as text). ``{value!r}`` quotes.
        constants: what is the same for all: any of ``PLACE_COLUMNS`` and whatever the template names.
        places: one row per finding: any of ``PLACE_COLUMNS``, key columns, further template columns. May have no
            columns; then ``count`` says how many.
    """

    code: str
    severity: Severity
    template: str
    rule: str | None = None
    constants: Mapping[str, Any] = field(default_factory=dict)
    places: pa.Table = field(default_factory=lambda: pa.table({}))
    count: int = 1

    @classmethod
    def of(
        cls, code: str, *, places: pa.Table | None = None, count: int | None = None, **constants: Any
    ) -> FindingGroup:
        """A group of a catalogue code."""
        kind = CATALOGUE[code]
        table = pa.table({}) if places is None else places
        number = count if count is not None else (table.num_rows if places is not None else 1)
        return cls(
            code=code, severity=kind.severity, template=kind.message, constants=constants, places=table, count=number
        )

    def findings(self, limit: int | None = None) -> Iterator[Finding]:
        """The single findings, at most ``limit``."""
        if self.places.num_columns == 0:
            yield self._finding({})
            return
        wanted = self.places.num_rows if limit is None else min(limit, self.places.num_rows)
        for batch in self.places.slice(0, wanted).to_batches(max_chunksize=4096):
            for row in batch.to_pylist():
                yield self._finding(row)

    def _finding(self, row: Mapping[str, Any]) -> Finding:
        merged = {
            "count": self.count,
            "rows_were": "1 row was" if self.count == 1 else f"{self.count} rows were",
            **self.constants,
            **{name: value for name, value in row.items() if value is not None},
        }
        key = {name[len(KEY_PREFIX) :]: str(value) for name, value in merged.items() if name.startswith(KEY_PREFIX)}
        words = _Words({**merged, "key": ".".join(key.values())})
        if "value" in words:
            words["value"] = _short(words["value"])
        return Finding(
            code=self.code,
            severity=self.severity,
            message=self.template.format_map(words),
            rule=self.rule,
            file=_text(merged.get("file")),
            sheet=_text(merged.get("sheet")),
            row=merged.get("row"),
            column=_text(merged.get("column")),
            key=key,
            value=_text(merged.get("value")),
            expected=_text(merged.get("expected")),
            suggestion=_text(merged.get("suggestion")),
        )

    def to_json(self) -> dict[str, Any]:
        """The whole group, columns as lists, so that it can be kept and read back (``from_json``)."""
        return {
            "code": self.code, "severity": self.severity.value, "template": self.template, "rule": self.rule,
            "constants": dict(self.constants), "places": self.places.to_pydict(), "count": self.count,
        }  # fmt: skip

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> FindingGroup:
        """The group that ``to_json`` wrote."""
        return cls(
            code=document["code"], severity=Severity(document["severity"]), template=document["template"],
            rule=document["rule"], constants=document["constants"], places=pa.table(document["places"]),
            count=document["count"],
        )  # fmt: skip


class _Words(dict[str, Any]):
    """Template words; one that is not there shows as itself, so that a message never fails."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _short(value: Any) -> Any:
    """A value as a message shows it: of a very long text the beginning; the finding itself has the whole."""
    if not isinstance(value, str) or len(value) <= _LONGEST:
        return value
    return f"{value[:_LONGEST]}... ({len(value)} characters)"


def count_findings(groups: Iterable[FindingGroup]) -> dict[str, int]:
    """How many findings per severity, as the receipt shows it."""
    counts = {severity.value: 0 for severity in Severity}
    for group in groups:
        counts[group.severity.value] += group.count
    return counts
