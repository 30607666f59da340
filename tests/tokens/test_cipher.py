"""A sealed text opens in its own place, as it was written, under its own key, and nowhere else."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hitchpost.ids import random_bytes
from hitchpost.tokens.cipher import Place, SealBroken, key_id_of, seal, unseal

KEY = bytes(random_bytes(32))
HOME = Place("-", "token_sets", "sealed", "grant-of-ada")
WORDS = st.text(st.characters(codec="utf-8"), max_size=12)
PLACES = st.builds(Place, WORDS, WORDS, WORDS, WORDS)


@given(PLACES, PLACES, st.binary(max_size=64))
def test_E3_a_text_sealed_for_one_place_opens_nowhere_else(here: Place, there: Place, clear: bytes) -> None:
    assume(here != there)
    sealed = seal(KEY, "k", here, clear)
    assert unseal(KEY, here, sealed) == clear
    with pytest.raises(SealBroken):
        unseal(KEY, there, sealed)


@given(st.tuples(WORDS, WORDS, WORDS, WORDS), st.integers(1, 3), st.integers(0, 12))
def test_E3_letters_that_move_from_one_part_of_the_place_to_the_next_make_another_place(
    parts: tuple[str, str, str, str], at: int, cut: int
) -> None:
    """`ab`, `c` and `a`, `bc` join to the same letters, and are not the same place."""
    moved = list(parts)
    moved[at - 1], moved[at] = parts[at - 1][:cut], parts[at - 1][cut:] + parts[at]
    assume(tuple(moved) != parts)
    sealed = seal(KEY, "k", Place(*parts), b"token")
    with pytest.raises(SealBroken):
        unseal(KEY, Place(*moved), sealed)


@pytest.mark.parametrize("part", ["owner", "table", "column", "row"])
def test_E3_each_part_of_the_place_counts(part: str) -> None:
    sealed = seal(KEY, "k", HOME, b"token")
    with pytest.raises(SealBroken):
        unseal(KEY, replace(HOME, **{part: "elsewhere"}), sealed)


@given(st.data())
def test_E1_a_text_that_was_changed_in_any_letter_fails_loudly(data: st.DataObject) -> None:
    sealed = seal(KEY, "k", HOME, b"the token of ada")
    at = data.draw(st.integers(0, len(sealed) - 1))
    letter = data.draw(st.sampled_from("Aa0_-=.!+/ \u00e9\n") | st.characters(codec="utf-8"))
    act = data.draw(st.sampled_from(["replace", "insert", "drop"]))
    changed = sealed[:at] + {"replace": letter, "insert": letter, "drop": ""}[act] + sealed[at + (act != "insert") :]
    assume(changed != sealed)
    with pytest.raises(SealBroken):
        unseal(KEY, HOME, changed)


@pytest.mark.parametrize("text", ["", ".", "v1", "v1.k", "v1.k.", "v1.k.QUJD", "v2.k.QUJD", "plain token", "v1.k.\udcff"])
def test_E1_what_is_no_sealed_text_fails_loudly(text: str) -> None:
    with pytest.raises(SealBroken) as failure:
        unseal(KEY, HOME, text)
    assert str(failure.value) == ""
    assert key_id_of(text) in ("", "k")


def test_E3_another_key_opens_nothing() -> None:
    with pytest.raises(SealBroken):
        unseal(random_bytes(32), HOME, seal(KEY, "k", HOME, b"token"))


def test_the_same_text_sealed_twice_looks_different_and_names_its_key() -> None:
    first, second = seal(KEY, "summer", HOME, b"token"), seal(KEY, "summer", HOME, b"token")
    assert first != second
    assert key_id_of(first) == "summer"
