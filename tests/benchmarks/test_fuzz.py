"""A few hundred damaged files, always the same: each is read, or refused with an error of ours."""

import pytest
from fuzzing.cases import READ, REFUSED, case_of, outcome_of
from fuzzing.readers import READERS

pytestmark = pytest.mark.journey

CASES = {
    "wav": 70, "flac": 40, "ogg": 30, "aiff": 30, "mp3": 30, "midi": 150, "musicxml": 10, "abc": 10, "index": 40,
    "shard": 25, "models": 60,
}  # fmt: skip


@pytest.mark.parametrize("reader", CASES)
def test_a_damaged_file_is_read_or_refused(reader, tmp_path):
    target = READERS[reader](tmp_path)
    outcomes = {
        number: outcome_of(target.read, case_of(target.seeds, target.text, 7, number))
        for number in range(CASES[reader])
    }
    assert {number: what for number, what in outcomes.items() if what not in (READ, REFUSED)} == {}


@pytest.mark.parametrize("reader", CASES)
def test_a_whole_file_is_read(reader, tmp_path):
    target = READERS[reader](tmp_path)
    assert [outcome_of(target.read, seed) for seed in target.seeds].count(READ) > 0


def test_the_damage_follows_from_the_seed_and_changes_the_file():
    seeds = [bytes(range(256)) * 4]
    one, same, other = (case_of(seeds, False, 1, number) for number in (3, 3, 4))
    assert one == same != other
    assert sum(case_of(seeds, False, 1, number) != seeds[0] for number in range(50)) > 45


def test_an_exception_that_is_not_ours_is_named():
    assert outcome_of(lambda content: content[9], b"") == "IndexError: index out of range"
