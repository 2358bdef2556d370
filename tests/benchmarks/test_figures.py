import pytest

from infra.benchmarks.figures import median, microseconds_each, percentile


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(1, 101)]
    assert percentile(values, 0.5) == 50.0
    assert percentile(values, 0.99) == 99.0
    assert percentile(values, 1.0) == 100.0
    assert percentile([1.0, 2.0, 3.0], 0.5) == 2.0
    assert percentile([7.0], 0.99) == 7.0


def test_no_values_have_no_percentile_and_no_median() -> None:
    with pytest.raises(ValueError, match="no percentile"):
        percentile([], 0.5)
    with pytest.raises(ValueError, match="no percentile"):
        percentile([1.0], 0.0)
    with pytest.raises(ValueError, match="no median"):
        median([])


def test_a_median_does_not_care_for_one_bad_repetition() -> None:
    assert median([3.0, 100.0, 1.0]) == 3.0
    assert median([4.0, 1.0, 2.0, 3.0]) == 2.5


def test_processor_time_is_shared_among_payments() -> None:
    assert microseconds_each(0.5, 10_000) == 50.0
    assert microseconds_each(0.5, 0) == 500_000.0
