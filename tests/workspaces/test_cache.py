"""The cache of callers: short, bounded, and never older than a change of this process."""

from datetime import timedelta

from hitchpost.workspaces.cache import Cache
from tests.support.clock import ManualClock


def test_what_was_read_stands_for_one_second_from_the_beginning_of_its_read(clock: ManualClock) -> None:
    cache: Cache[str] = Cache(clock)
    reading = cache.reading()
    clock.forward(timedelta(seconds=0.4))
    cache.fill("key", "Ada", reading)
    clock.forward(timedelta(seconds=0.5))
    assert cache.get("key", "") == "Ada"
    clock.forward(timedelta(seconds=0.1))
    assert cache.get("key", "") == ""


def test_C4_a_read_that_began_before_a_change_is_not_remembered_after_it(clock: ManualClock) -> None:
    cache: Cache[str] = Cache(clock)
    reading = cache.reading()
    cache.forget()
    cache.fill("key", "from before the revocation", reading)
    assert cache.get("key", "") == ""


def test_a_change_forgets_everything_at_once(clock: ManualClock) -> None:
    cache: Cache[str] = Cache(clock)
    cache.fill("key", "Ada", cache.reading())
    cache.forget()
    assert cache.get("key", "") == ""


def test_C11_guessed_keys_do_not_fill_the_memory_nor_push_out_who_calls_often(clock: ManualClock) -> None:
    cache: Cache[str] = Cache(clock, most=10)
    cache.fill("Ada's", "Ada", cache.reading())
    for guess in range(100):
        assert cache.get("Ada's", "") == "Ada"
        cache.fill(f"guess {guess}", "nobody", cache.reading())
    assert sum(cache.get(f"guess {guess}", "") != "" for guess in range(100)) == 9
