"""Figures of stored usage objects, found wherever a dialect or a row of a provider has them."""

import pytest

from penstock.providers.kinds import CACHE_READ, REASONING
from penstock.providers.told import told


@pytest.mark.parametrize(
    ("usage", "cached", "reasoning"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 8}, "completion_tokens_details": {"reasoning_tokens": 3}}, 8, 3),
        ({"input_tokens_details": {"cached_tokens": 8}, "output_tokens_details": {"reasoning_tokens": 3}}, 8, 3),
        ({"cache_read_input_tokens": 8, "output_tokens_details": {"thinking_tokens": 3}}, 8, 3),
        ({"prompt_cache_hit_tokens": 8, "reasoning_tokens": 3}, 8, 3),
        ({"num_cached_tokens": 0}, 0, None),
        ({"prompt_tokens_details": 8, "cache_read_input_tokens": True, "reasoning_tokens": "3"}, None, None),
        ([], None, None),
        (None, None, None),
    ],
)
def test_a_figure_is_found_whatever_it_is_called(usage, cached, reasoning):
    assert (told(usage, CACHE_READ), told(usage, REASONING)) == (cached, reasoning)
