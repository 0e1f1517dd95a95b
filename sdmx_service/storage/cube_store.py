"""The cubes of a store: their tables, made and widened, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sdmx_service.errors import StorageFault
from sdmx_service.model.selection import Cube
from sdmx_service.model.structure import DataStructure
from sdmx_service.storage.directory import Directory, read_directory, touched
from sdmx_service.storage.engine import Engine, Session
from sdmx_service.storage.layout import CubeLayout, lay_out, widen
from sdmx_service.storage.masking import Mask, MaskedKeys, masks_table
from sdmx_service.storage.quoting import identifier, literal, literals
from sdmx_service.storage.release_store import ReleaseStore


class CubeStore(ReleaseStore):
    """The part of a store that knows its cubes."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._layouts: dict[Cube, CubeLayout] | None = None
        self._directories: dict[Cube, tuple[int, Directory]] = {}

    def _forget_readings(self) -> None:
        """A cube is another one now: readings that were kept of it are no more."""

    def open_cube(self, structure: DataStructure) -> Cube:
        """Create or widen the cube of the structure."""
        cube = Cube.of(structure)
        known = self._known_layouts().get(cube)
        if known is not None and _is_wide_enough(known, structure):
            return cube
        with self._engine.lock(), self._engine.transaction() as session:
            layouts = read_layouts(session)
            old = layouts.get(cube)
            if old is None:
                number = max((one.number for one in layouts.values()), default=0) + 1
                layout = lay_out(number, structure)
                self._create(session, layout)
                if (rules := self._masks.rules().get(cube)) is not None:
                    MaskedKeys(session, Mask(layout, {}, rules)).renew()
            elif (wider := self._wider(old, structure, session)) is None:
                self._drop(session, old)
                self._create(session, lay_out(old.number, structure))
            elif wider is not old:
                self._widen(session, old, wider)
        with self._guard:
            self._layouts = None
            self._directories.pop(cube, None)
        self._forget_readings()
        self._masks.forget()
        return cube

    def check_cube(self, structure: DataStructure) -> None:
        """Whether ``open_cube`` would take the structure."""
        known = self._known_layouts().get(Cube.of(structure))
        if known is not None:
            with self._engine.transaction() as session:
                self._wider(known, structure, session)

    @staticmethod
    def _wider(old: CubeLayout, structure: DataStructure, session: Session) -> CubeLayout | None:
        """The layout with what the structure brings; None where it contradicts one in which nothing was ever stored."""
        try:
            return widen(old, structure)
        except StorageFault:
            tables = (old.table("series"), old.observations.name, old.attachments.name)
            if any(session.rows(f"SELECT 1 FROM {identifier(table)} LIMIT 1") for table in tables):
                raise
            return None

    @staticmethod
    def _drop(session: Session, layout: CubeLayout) -> None:
        tables = (layout.table("series"), layout.observations.name, layout.attachments.name, layout.table("periods"))
        for table in tables:
            session.execute(f"DROP TABLE {identifier(table)}")
        session.execute(f"DROP TABLE IF EXISTS {identifier(masks_table(layout))}")
        session.execute(f"DELETE FROM masking WHERE _cube = {literal(layout.number)}")
        session.execute(f"DELETE FROM cubes WHERE _number = {literal(layout.number)}")
        session.execute(f"DELETE FROM agreements WHERE _cube = {literal(layout.number)}")

    def _create(self, session: Session, layout: CubeLayout) -> None:
        for statement in layout.statements():
            session.execute(statement)
        self._add_keys(session, layout)
        cube = layout.cube
        listed = literals([layout.number, cube.agency, cube.id, cube.major, layout.to_json()])
        session.execute(f"INSERT INTO cubes VALUES ({listed})")

    def _add_keys(self, session: Session, layout: CubeLayout) -> None:
        """Keys and indexes of a new cube, where the database profits."""

    @staticmethod
    def _widen(session: Session, old: CubeLayout, wider: CubeLayout) -> None:
        types = wider.observations.types
        for name in types.keys() - old.observations.types.keys():
            session.execute(
                f"ALTER TABLE {identifier(wider.observations.name)} ADD COLUMN {identifier(name)} {types[name]}"
            )
        body = literal(wider.to_json())
        session.execute(f"UPDATE cubes SET _columns = {body} WHERE _number = {literal(wider.number)}")

    def cubes(self) -> Sequence[Cube]:
        """The cubes there are."""
        with self._engine.transaction() as session:
            return list(read_layouts(session))

    def _known_layouts(self) -> dict[Cube, CubeLayout]:
        with self._guard:
            layouts = self._layouts
        if layouts is None:
            with self._engine.transaction() as session:
                layouts = read_layouts(session)
            with self._guard:
                self._layouts = layouts
        return layouts

    def _layout(self, cube: Cube) -> CubeLayout | None:
        found = self._known_layouts().get(cube)
        if found is None:  # another process may have created it
            with self._guard:
                self._layouts = None
            found = self._known_layouts().get(cube)
        return found

    def _directory(self, layout: CubeLayout, release: int) -> Directory:
        """What was known at a release, or later: numbers never change."""
        with self._guard:
            known = self._directories.get(layout.cube)
        if known is not None and known[0] >= release:
            return known[1]
        with self._guard:
            self._layouts = None  # another process may have widened a cube before it published
        directory = read_directory(self._engine.read, layout)
        with self._guard:
            self._directories[layout.cube] = (release, directory)
        return directory

    def periods(self, cube: Cube) -> Sequence[str]:
        """Every period text ever stored."""
        layout = self._layout(cube)
        if layout is None or layout.time is None:
            return []
        directory = self._directory(layout, self.pointer().release)
        return [directory.periods[number] for number in directory.chronological]

    def mask_version(self, cube: Cube) -> str:
        """What is hidden of a cube, as a short text."""
        layout = self._layout(cube)
        return "" if layout is None else self._masks.of(layout, {}).version

    def touched(self, cube: Cube, release: int) -> Mapping[str, Sequence[int]]:
        """Per dataflow the releases that changed it."""
        layout = self._layout(cube)
        return {} if layout is None else touched(self._engine.read, layout, release)


def _is_wide_enough(layout: CubeLayout, structure: DataStructure) -> bool:
    try:
        return widen(layout, structure) is layout
    except StorageFault:
        return False


def read_layouts(session: Session) -> dict[Cube, CubeLayout]:
    """The layouts of all cubes, as they are within a transaction."""
    rows = session.rows("SELECT _number, _agency, _id, _major, _columns FROM cubes ORDER BY _number")
    found = [
        CubeLayout.from_json(number, Cube(agency=agency, id=id_, major=major), columns)
        for number, agency, id_, major, columns in rows
    ]
    return {layout.cube: layout for layout in found}
