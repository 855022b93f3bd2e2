"""A backup file opens with its key, as it was written or not at all."""

import io

import pytest

from portal.operations import sealed_file
from portal.operations.sealed_file import BadFile, seal, unseal

KEY, OTHER = "k" * 40, "o" * 40
MANIFEST = {"engine": "sqlite", "counts": {"patient": 2}}
PIECES = [b"first", b"second" * 20, b"third"]


@pytest.fixture
def sealed():
    target = io.BytesIO()
    seal(target, KEY, MANIFEST, PIECES)
    return target.getvalue()


def read(content, *keys):
    manifest, pieces = unseal(io.BytesIO(content), keys or (KEY,))
    return manifest, b"".join(pieces)


def test_what_was_sealed_is_read_again_also_by_an_older_key(sealed):
    assert read(sealed) == (MANIFEST, b"".join(PIECES))
    assert read(sealed, OTHER, KEY) == (MANIFEST, b"".join(PIECES))


def test_nothing_of_it_can_be_read_without_the_key(sealed):
    assert b"second" not in sealed
    assert b"patient" not in sealed
    with pytest.raises(BadFile, match="another key"):
        read(sealed, OTHER)


def test_the_same_content_never_looks_the_same():
    first, second = io.BytesIO(), io.BytesIO()
    for target in (first, second):
        seal(target, KEY, MANIFEST, PIECES)
    assert first.getvalue()[-40:] != second.getvalue()[-40:]


def test_it_may_not_end_early_wherever_that_is(sealed):
    for length in range(len(sealed)):
        with pytest.raises(BadFile):
            read(sealed[:length])


def test_no_byte_of_it_may_change(sealed):
    for place in range(len(sealed)):
        with pytest.raises(BadFile):
            read(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :])


def test_pieces_cannot_be_swapped_left_out_or_added(sealed):
    pieces, rest = [], sealed[sealed_file.BEGINNING :]
    while rest:
        size = 4 + int.from_bytes(rest[:4], "big")
        pieces, rest = [*pieces, rest[:size]], rest[size:]
    manifest, one, two, three, last = pieces
    beginning = sealed[: sealed_file.BEGINNING]
    for order in ([manifest, two, one, three, last], [manifest, one, three, last], [*pieces, last], [*pieces, b"\0"]):
        with pytest.raises(BadFile):
            read(beginning + b"".join(order))


def test_a_newer_form_says_what_to_install(sealed, monkeypatch):
    monkeypatch.setattr(sealed_file, "FORMAT", 0)
    with pytest.raises(BadFile, match="newer portal"):
        read(sealed)


def test_any_other_file_is_told_apart():
    for content in (b"", b"SQLite format 3\0", b"portal-backup\n"):
        with pytest.raises(BadFile, match="no backup"):
            read(content)
