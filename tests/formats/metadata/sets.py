"""Metadata sets made at random, for what each format can carry."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from sdmx_service.model.artefact import Link, Texts
from sdmx_service.model.message import Action
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet
from sdmx_service.model.representation import TextFormat
from sdmx_service.model.urn import Ref
from tests.formats.structure.artefacts import AGENCIES, ANNOTATIONS, IDS, NAMES, SOME_TEXTS, TEXT

XHTML = "http://www.w3.org/1999/xhtml"
MARKUP = st.sampled_from(
    [
        f'<p xmlns="{XHTML}">One &amp; <em class="x">two</em>, three &lt; four</p>',
        f'before <p xmlns="{XHTML}">in</p> between <ul xmlns="{XHTML}"><li>a</li><li>b<br/></li></ul> after',
        "no markup at all",
        f'<p xmlns="{XHTML}">é 漢\n  line</p>',
    ]
)
STRANGE = st.sampled_from(
    ["a;b", 'say "it"', "en:x;fr:y", "two\nlines", " ends ", "a,b", "-", "<p>not XHTML as read</p>", "12", "true", "1.50",
     "[x]", "a\rb", "a: b", "'", "=1+1", "\u200b"]
)  # fmt: skip
WORDS = TEXT | STRANGE
LANGUAGES = ("en", "fr", "pt-br", "zh")
TARGETS = st.sampled_from(
    [
        "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=AG:DF(1.0.0)",
        "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=AG:DSD(1.0+.0)",
        "urn:sdmx:org.sdmx.infomodel.codelist.Code=AG.SUB:CL(2.3).A",
        "urn:sdmx:org.sdmx.infomodel.categoryscheme.Category=AG:CS(1.0).A.B.C",
        "urn:sdmx:org.sdmx.infomodel.datastructure.Dimension=AG:DSD(1.0).FREQ",
        "urn:sdmx:org.sdmx.infomodel.registry.ProvisionAgreement=AG:PA(1.2.3-draft.1)",
        "urn:sdmx:org.sdmx.infomodel.base.DataProvider=AG:DATA_PROVIDERS(1.0).X",
    ]
)
WILD = st.sampled_from(
    ["urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=AG:*(*)", "urn:sdmx:org.sdmx.infomodel.base.Any=*:*(*)"]
)
MOMENTS = st.none() | st.sampled_from(["2024-01-01T00:00:00Z", "2023-06-30T12:00:00+02:00"])


def texts(least: int = 1) -> st.SearchStrategy[Texts]:
    return st.dictionaries(st.sampled_from(LANGUAGES), WORDS, min_size=least, max_size=3).map(Texts)


@st.composite
def values(draw: Any, depth: int = 2, *, full: bool = True) -> MetadataAttributeValue:
    """A value; ``full``: with all that not every format has."""
    kind = draw(st.sampled_from(["value", "texts", "markup", "typed", "none"] if depth else ["value", "texts"]))
    said: dict[str, Any] = {}
    if kind == "value":
        said["value"] = draw(WORDS)
    elif kind == "texts":
        said["texts"] = draw(texts())
    elif kind == "markup":
        said |= {"texts": Texts({"en": draw(MARKUP), "fr": draw(MARKUP)}), "data_type": "XHTML"}
    elif kind == "typed":
        text, data_type = draw(
            st.sampled_from([("true", "Boolean"), ("12", "Integer"), ("1.5", "Double"), ("1.50", "Double"), ("007", "Integer"),
                             ("-0", "Integer"), ("9" * 40, "Integer"), ("INF", "Double")])
        )  # fmt: skip
        said |= {"value": text, "data_type": data_type}
    inner = draw(st.lists(values(depth - 1, full=full), max_size=3)) if depth else []
    return MetadataAttributeValue(
        id=draw(IDS), annotations=draw(ANNOTATIONS) if full else (), attributes=tuple(inner), **said
    )


def flows(exact: bool) -> st.SearchStrategy[Ref]:
    versions = st.sampled_from(["1.0", "1.0.0", "1.2.3"] if exact else ["1.0", "1.0.0", "1.0+.0", "0.1.0+"])
    return st.builds(Ref, type=st.just("Metadataflow"), agency=AGENCIES, id=IDS, version=versions)


AGREEMENTS = st.builds(
    Ref, type=st.just("MetadataProvisionAgreement"), agency=AGENCIES, id=IDS, version=st.sampled_from(["1.0", "1.0.0"])
)
STRUCTURE = Ref(type="MetadataStructure", agency="AG", id="MSD", version="1.0.0")
DATES = {
    "reporting_begin": st.none() | st.sampled_from(["2024", "2024-01-31"]),
    "reporting_end": st.none() | st.just("2024-12"),
    "publication_year": st.none() | st.just("2025"),
    "publication_period": st.none() | st.sampled_from(["2025-Q1", "2025-03"]),
}
COMMON = {
    "id": IDS,
    "agency": AGENCIES,
    "version": st.sampled_from(["1.0", "1.0.0", "1.2.3-draft"]),
    "names": NAMES,
    "descriptions": SOME_TEXTS,
    "annotations": ANNOTATIONS,
    "action": st.none() | st.sampled_from(Action),
    "valid_from": MOMENTS,
    "valid_to": MOMENTS,
    "attributes": st.lists(values(), min_size=1, max_size=3).map(tuple),
    **DATES,
}
TARGET_LISTS = st.lists(TARGETS, min_size=1, max_size=3, unique=True).map(tuple)
LINKS = st.lists(
    st.builds(
        Link, rel=st.just("appendix"), url=st.just("https://example.org/a"), type=st.none() | st.just("text/html")
    ),
    max_size=2,
).map(tuple)

EVERYWHERE = st.builds(MetadataSet, described_by=flows(exact=True), targets=TARGET_LISTS, **COMMON)
"""What SDMX-ML of every version and SDMX-JSON have."""
SINCE_3_0 = st.builds(
    MetadataSet,
    described_by=flows(exact=False) | AGREEMENTS,
    structure=st.just(STRUCTURE),
    targets=TARGET_LISTS,
    links=LINKS,
    **COMMON,
)
OLD = st.builds(
    MetadataSet,
    described_by=AGREEMENTS | st.just(STRUCTURE),
    structure=st.just(STRUCTURE),
    targets=TARGET_LISTS,
    **COMMON,
)
"""What SDMX-ML 2.1 has besides."""
JSON_ONLY = st.builds(
    MetadataSet,
    described_by=flows(exact=False),
    targets=TARGET_LISTS,
    **COMMON
    | {
        "attributes": st.builds(
            MetadataAttributeValue, id=IDS, value=WORDS, text_format=st.builds(TextFormat, type=st.just("String"))
        ).map(lambda one: (one,))
    },
)


# --- SDMX-CSV -------------------------------------------------------------------------------------------------------


@st.composite
def csv_level(draw: Any, depth: int = 2) -> tuple[MetadataAttributeValue, ...]:
    """Values as a table can carry them: those of one id side by side, alike in kind, and none empty."""
    found = []
    for identity in draw(st.lists(IDS, min_size=1, max_size=2, unique=True)):
        kind = draw(st.sampled_from(["value", "texts", *(["heading"] if depth else [])]))
        for _ in range(draw(st.integers(1, 2))):
            inner = draw(csv_level(depth - 1)) if depth and (kind == "heading" or draw(st.booleans())) else ()
            said: dict[str, Any] = {}
            if kind == "value":
                said["value"] = draw(WORDS.filter(bool))
            elif kind == "texts":
                said["texts"] = draw(texts())
            found.append(MetadataAttributeValue(id=identity, attributes=inner, **said))
    return tuple(found)


CSV = st.builds(
    MetadataSet,
    id=IDS,
    agency=AGENCIES,
    version=st.sampled_from(["1.0", "1.0.0"]),
    described_by=flows(exact=False) | AGREEMENTS,
    targets=st.lists(TARGETS | WILD, max_size=3).map(tuple),
    attributes=csv_level(),
    action=st.none() | st.sampled_from(Action),
    is_partial_language=st.sampled_from([None, True, False]),
    **DATES,
)
