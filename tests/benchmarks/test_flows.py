"""The rows that are measured: the same in every process, right on the shipped structure, and recognised in files."""

from pathlib import Path

import pytest

from benchmarks import flows, generator
from benchmarks.context import Context, WrongRowsError
from benchmarks.files import WRITTEN, suffix
from sdmx_service.model.columns import typed_schema

MANY = 2_000


def test_rows_are_as_typed_and_always_the_same() -> None:
    first = list(flows.batches(MANY))
    assert sum(batch.num_rows for batch in first) == MANY
    assert first[0].schema.equals(typed_schema(flows.structure()))
    assert first == list(flows.batches(MANY))
    assert first != list(flows.batches(MANY, seed=2))


def test_every_code_is_in_its_codelist() -> None:
    for id, values in flows.domains().items():
        if id != "TIME_PERIOD":
            assert set(values) <= set(flows.catalog().codes(flows.structure().component(id))), id


def test_values_are_mixed_as_said() -> None:
    batch = next(flows.batches(50_000))
    decimals = batch["OBS_VALUE.decimals"].drop_null().to_pylist()
    assert 0.18 < sum(decimals) / len(decimals) < 0.22
    assert 0.005 < batch["OBS_VALUE"].null_count / batch.num_rows < 0.015
    assert len(set(flows.areas())) == len(generator.AREAS) == 235


@pytest.mark.parametrize("format", WRITTEN)
def test_a_digest_tells_right_rows_from_wrong_ones(format: str, tmp_path: Path) -> None:
    path = tmp_path / f"flows{suffix(format)}"
    flows.write(flows.batches(MANY), format, path)
    context = Context(observations=MANY, folder=tmp_path)
    context.require(flows.digest_file(path), format)
    flows.write(flows.batches(MANY, seed=2), format, path)
    with pytest.raises(WrongRowsError):
        context.require(flows.digest_file(path), format)
    flows.write(flows.batches(MANY - 1), format, path)
    with pytest.raises(WrongRowsError):
        context.require(flows.digest_file(path), format)
