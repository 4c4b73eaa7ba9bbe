"""How the worker's loops share out what is due."""

from healthbook.rounds import ABREAST, TOGETHER, together


def test_many_buckets_are_taken_some_at_a_time_and_few_one_by_one() -> None:
    for count in (0, 1, ABREAST, 2 * ABREAST, 5 * ABREAST + 3, 256):
        shared = together(list(range(count)))
        assert sorted(bucket for some in shared for bucket in some) == list(range(count))
        assert all(len(some) <= TOGETHER for some in shared)
        assert len(shared) >= min(count, ABREAST)
    assert max(len(some) for some in together(list(range(256)))) == TOGETHER
