"""Generic data messages (2.1): components are ``Value`` elements with id and value."""

from __future__ import annotations

from sdmx_service.errors import UnreadableFile
from sdmx_service.formats.sdmx_ml.data_events import DataEvents, pairs_of
from sdmx_service.formats.sdmx_ml.data_opening import Opening
from sdmx_service.formats.sdmx_ml.data_rows import Value
from sdmx_service.model.message import Resolve


class GenericEvents(DataEvents):
    """Generic messages (2.1): components are ``Value`` elements with id and value."""

    def __init__(self, opening: Opening, resolve: Resolve) -> None:
        self._current: list[str] = []
        self._series: list[str] | None = None
        self._series_at = (0, 0)
        self._is_series_open = False
        self._line = 0
        self._measure = self._at_observation = ""
        super().__init__(opening, resolve)
        self.starts |= {
            "Value": self._value,
            "ObsDimension": self._observation_dimension,
            "ObsValue": self._observation_value,
            "Obs": self._start_observation,
            "Series": self._start_series,
            "Group": self._start_group,
        }
        self.ends |= {"Obs": self._end_observation, "Series": self._end_series, "Group": self._end_observation}

    def _start_dataset(self, name: str, attributes: list[str]) -> None:
        super()._start_dataset(name, attributes)
        self._take_structure()

    def _take_structure(self) -> None:
        """Learn what the structure calls what a message need not name."""
        assert self._dataset is not None
        measures = [one.id for one in self.structure.measures]
        self._measure = measures[0] if len(measures) == 1 else "OBS_VALUE"
        self._at_observation = self._dataset.use.dimension_at_observation or "TIME_PERIOD"
        self._current = []
        self._line = self.line

    def _end_dataset(self) -> None:
        self._give_to_dataset()
        super()._end_dataset()

    def _value(self, _: str, attributes: list[str]) -> None:
        if len(attributes) == 4 and attributes[0] == "id" and attributes[2] == "value":
            self._current += (attributes[1], attributes[3])
            return
        said = dict(pairs_of(attributes))
        if "id" not in said:
            raise UnreadableFile(f"Line {self.line}: a Value has no id.")
        if "value" in said:
            self._current += (said["id"], said["value"])

    def _observation_dimension(self, _: str, attributes: list[str]) -> None:
        said = dict(pairs_of(attributes))
        if "value" in said:
            self._current += (said.get("id", self._at_observation), said["value"])

    def _observation_value(self, _: str, attributes: list[str]) -> None:
        if len(attributes) == 2 and attributes[0] == "value":
            self._current += (self._measure, attributes[1])
            return
        said = dict(pairs_of(attributes))
        if "value" in said:
            self._current += (said.get("id", self._measure), said["value"])

    def _give_to_dataset(self) -> None:
        """What stands in the data set before its first group, series or observation."""
        if self._series is None and self._current:
            self.rows.add(self._current, self._line)
        self._current = []

    def _start_group(self, _: str, __: list[str]) -> None:
        self._give_to_dataset()
        self._line = self.line

    def _start_series(self, _: str, __: list[str]) -> None:
        self._give_to_dataset()
        rows = self.rows
        self._series = self._current = []
        self._is_series_open = True
        self._series_at = (rows.place, self.line)

    def _close_series_key(self) -> None:
        if self._series is not None and self._is_series_open:
            self._is_series_open = False
            context: dict[str, Value] = dict(pairs_of(self._series))
            for name in context:
                self.rows.column(name, self.line)
            self.rows.begin(context)

    def _start_observation(self, _: str, __: list[str]) -> None:
        if self._series is None:
            self._give_to_dataset()
        elif self._is_series_open:
            self._close_series_key()
        self._current = []
        self._line = self.line

    def _end_observation(self) -> None:
        self.rows.add(self._current, self._line)
        self._current = []

    def _end_series(self) -> None:
        self._close_series_key()
        rows, (start, line) = self.rows, self._series_at
        if rows.place == start and (self._series or self._is_deletion):
            rows.add([], line)
        self._series = None
        self._current = []
        rows.begin({})
