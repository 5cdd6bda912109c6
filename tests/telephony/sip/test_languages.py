"""Accept-Language: best first, and nothing that is malformed or unwanted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.telephony.sip.languages import MOST, parse_languages


@pytest.mark.parametrize(
    ("values", "tags"),
    [
        ([], ()),
        (["da"], ("da",)),
        (["da, en-GB;q=0.8, en;q=0.7"], ("da", "en-GB", "en")),
        (["en;q=0.5", "fr;q=0.9"], ("fr", "en")),
        (["en ; q = 0.5 , fr"], ("fr", "en")),
        (["*, de;q=0.1"], ("de",)),
        (["sv;q=0, de"], ("de",)),
        (["de;q=1.5, d_, , 7;q=1, fr"], ("fr",)),
        (["de, de;q=0.2"], ("de",)),
    ],
)
def test_tags(values: list[str], tags: tuple[str, ...]) -> None:
    assert parse_languages(values) == tags


@given(st.lists(st.text(max_size=40), max_size=4))
def test_whatever_comes(values: list[str]) -> None:
    found = parse_languages(values)
    assert len(found) <= MOST
    assert all(tag and tag.isascii() for tag in found)


def test_a_header_without_end_is_not_read_to_its_end() -> None:
    assert len(parse_languages([",".join(f"x-{number}" for number in range(100_000))])) <= MOST
