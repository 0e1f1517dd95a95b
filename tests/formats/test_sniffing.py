"""What sniffers see of a file."""

from __future__ import annotations

import io

import pytest

from sdmx_service.formats.sniffing import HEAD_SIZE, Head, peek


def test_a_head_is_the_beginning_and_the_file_is_wound_back() -> None:
    file = io.BytesIO(b"x" * (HEAD_SIZE + 10))
    file.seek(5)
    assert len(peek(file).start) == HEAD_SIZE
    assert file.tell() == 0


def test_names_and_types_are_folded() -> None:
    head = Head(start=b"", name="A/B.Tar.GZ", media_type="Application/Vnd.SDMX.data+csv; version=2.1.0")
    assert (head.suffix, head.declared) == (".gz", "application/vnd.sdmx.data+csv")
    assert (Head(start=b"").suffix, Head(start=b"").declared) == ("", "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_follows_the_byte_order_mark(encoding: str) -> None:
    head = Head(start="é,b\n".encode(encoding))
    assert (head.text, head.first_line, head.is_text) == ("é,b\n", "é,b", True)


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ('<?xml version="1.0"?>\n<!-- a > b --><m:Data xmlns:m="u"><x/>', ("Data", ' xmlns:m="u"')),
        ("<Data/>", ("Data", "")),
        ("<!DOCTYPE d [<!ENTITY a 'b'>]><d>", ("d", "")),
        ('<!DOCTYPE d SYSTEM "x"><d>', ("d", "")),
        ("a,b", None),
        ("<", None),
        ("", None),
    ],
)
def test_the_root_of_xml_is_seen(text: str, root: tuple[str, str] | None) -> None:
    assert Head(start=text.encode()).xml_root == root


def test_zips_that_cannot_be_listed_have_no_members() -> None:
    head = peek(io.BytesIO(b"PK\x03\x04 cut off"))
    assert (head.members, head.is_archive) == ((), True)
