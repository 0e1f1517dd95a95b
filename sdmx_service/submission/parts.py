"""What a sent file is made of: rows of data sets, each with its dataflow, provider and action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from sdmx_service.model.message import Action, Target
from sdmx_service.model.structure import Dataflow
from sdmx_service.model.urn import Ref


@dataclass(slots=True, kw_only=True)
class Part:
    """Rows of one data set with a complete target; batches have the schema as read.

    Attributes:
        letters: component -> letter of the sender's column; None for an SDMX message, whose columns are called by the
            components' ids.
        is_of_moment: the data set has validity: it is one of the states of a history.
    """

    target: Target
    dataflow: Dataflow
    provider: Ref
    action: Action
    batches: Iterator[pa.RecordBatch]
    letters: Mapping[str, str] | None = None
    is_of_moment: bool = False
