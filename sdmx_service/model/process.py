"""Processes: steps, what goes in and out, and what follows (SDMX 3.1 package *process*)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sdmx_service.model.artefact import NO_TEXTS, Annotation, Identified, Maintainable, Texts
from sdmx_service.model.urn import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessObject:
    """What a step takes or makes."""

    reference: Ref
    local_id: str | None = None
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """What a step does, in words, and with which software."""

    local_id: str | None = None
    software_package: str | None = None
    software_language: str | None = None
    software_version: str | None = None
    descriptions: Texts = NO_TEXTS
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition(Identified):
    """That another step follows under a condition."""

    target_step: str
    conditions: Texts = NO_TEXTS
    local_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessStep(Identified):
    """A step; steps nest."""

    inputs: tuple[ProcessObject, ...] = ()
    outputs: tuple[ProcessObject, ...] = ()
    computation: Computation | None = None
    transitions: tuple[Transition, ...] = ()
    steps: tuple[ProcessStep, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Process(Maintainable):
    """A statistical process as steps."""

    type: ClassVar[str] = "Process"
    steps: tuple[ProcessStep, ...] = ()

    def _references(self) -> Iterator[Ref]:
        def walk(steps: tuple[ProcessStep, ...]) -> Iterator[Ref]:
            for step in steps:
                yield from (one.reference.maintainable for one in (*step.inputs, *step.outputs))
                yield from walk(step.steps)

        return walk(self.steps)
