"""Exports of providers, in the formats that they document; figures are made up."""

import json
from pathlib import Path

import pytest

from penstock.cli.billing.exports import EXPORTS, Said, read
from penstock.core.errors import Invalid
from penstock.model.money import NANO

DAY = 20_393  # 2025-11-01
START = DAY * 86_400

OPENAI_USAGE = """\
start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,\
service_tier,input_tokens,output_tokens,input_cached_tokens,input_uncached_tokens,input_text_tokens
1761955200,1762041600,2025-11-01T00:00:00+00:00,2025-11-02T00:00:00+00:00,proj_1,10.0,user-1,key_1,\
gpt-4o-2024-08-06,FALSE,default,59200.0,10646.0,5760.0,53440.0,53440.0
1761955200,1762041600,2025-11-01T00:00:00+00:00,2025-11-02T00:00:00+00:00,proj_2,1,user-1,key_2,\
gpt-4o-2024-08-06,FALSE,default,100,20,,100,100
1762041600,1762128000,2025-11-02T00:00:00+00:00,2025-11-03T00:00:00+00:00,,,,,,,,,,,,
"""
OPENAI_COSTS = """\
start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id,organization_id
1761955200,1762041600,2025-11-01T00:00:00+00:00,2025-11-02T00:00:00+00:00,0.5617712500000000,usd,\
"gpt-4o-2024-08-06, input",,org-1
1761955200,1762041600,2025-11-01T00:00:00+00:00,2025-11-02T00:00:00+00:00,0.1,usd,"gpt-4o-2024-08-06, output",,org-1
1762041600,1762128000,2025-11-02T00:00:00+00:00,2025-11-03T00:00:00+00:00,,,,,org-1
"""
ANTHROPIC_USAGE = """\
usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,\
usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,\
usage_output_tokens,web_search_count
2025-11-01,claude-sonnet-4-5-20250929,key,Default,standard,≤ 200k,1000,7,8,500,90,0
"""
ANTHROPIC_COSTS = """\
usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,cost_type
2025-11-01,Claude Sonnet 4.5,Default,key,message,≤ 200k,input_no_cache,0.05,token
2025-11-01,Claude Sonnet 4.5,Default,key,message,≤ 200k,output,1.20,token
"""
OPENAI_PAGE = {
    "object": "page",
    "data": [
        {
            "object": "bucket",
            "start_time": START + 3600,
            "end_time": START + 7200,
            "results": [
                {
                    "object": "organization.usage.completions.result",
                    "input_tokens": 1000,
                    "output_tokens": 500,
                    "input_cached_tokens": 800,
                    "num_model_requests": 5,
                    "project_id": None,
                    "model": "gpt-4o-mini-2024-07-18",
                }
            ],
        },
        {"object": "bucket", "start_time": START + 86_400, "end_time": START + 2 * 86_400, "results": []},
    ],
    "has_more": False,
}
OPENAI_COST_PAGE = {
    "data": [
        {
            "start_time": START,
            "results": [{"amount": {"value": 0.06, "currency": "usd"}, "line_item": None, "project_id": None}],
        }
    ],
}
ANTHROPIC_PAGE = {
    "data": [
        {
            "starting_at": "2025-11-01T00:00:00Z",
            "ending_at": "2025-11-02T00:00:00Z",
            "results": [
                {
                    "uncached_input_tokens": 1500,
                    "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
                    "cache_read_input_tokens": 200,
                    "output_tokens": 500,
                    "model": "claude-sonnet-4-5-20250929",
                }
            ],
        }
    ],
    "has_more": False,
    "next_page": None,
}
ANTHROPIC_COST_PAGE = {
    "data": [
        {
            "starting_at": "2025-11-01T00:00:00Z",
            "results": [{"currency": "USD", "amount": "123.78912", "model": "claude-haiku-4-5", "cost_type": "tokens"}],
        }
    ],
}


def exported(tmp_path: Path, provider: str, text: str) -> list[Said]:
    path = tmp_path / "usage"
    path.write_text(text, encoding="utf-8-sig")
    return [*read(path, EXPORTS[provider])]


@pytest.mark.parametrize(
    ("provider", "text", "expected"),
    [
        (
            "openai",
            OPENAI_USAGE,
            [
                ("gpt-4o-2024-08-06", {"calls": 10, "tokens_in": 59200, "tokens_out": 10646, "cache_read": 5760}),
                ("gpt-4o-2024-08-06", {"calls": 1, "tokens_in": 100, "tokens_out": 20}),
            ],
        ),
        ("openai", OPENAI_USAGE.replace(",", "\t"), [("gpt-4o-2024-08-06", {"calls": 10}), ("", {})]),
        ("openai", OPENAI_COSTS, [("gpt-4o-2024-08-06", {"cost": 561771250}), ("gpt-4o-2024-08-06", {"cost": 10**8})]),
        (
            "anthropic",
            ANTHROPIC_USAGE,
            [("claude-sonnet-4-5-20250929", {"tokens_in": 1000, "cache_read": 500, "tokens_out": 90})],
        ),
        (
            "anthropic",
            ANTHROPIC_COSTS,
            [("Claude Sonnet 4.5", {"cost": 5 * NANO // 100}), ("Claude Sonnet 4.5", {"cost": 12 * NANO // 10})],
        ),
        (
            "openai",
            json.dumps(OPENAI_PAGE),
            [("gpt-4o-mini-2024-07-18", {"calls": 5, "tokens_in": 1000, "tokens_out": 500, "cache_read": 800})],
        ),
        ("openai", json.dumps(OPENAI_COST_PAGE, indent=2), [("", {"cost": 6 * NANO // 100})]),
        (
            "anthropic",
            json.dumps([ANTHROPIC_PAGE], indent=2),
            [("claude-sonnet-4-5-20250929", {"tokens_in": 1500, "cache_read": 200, "tokens_out": 500})],
        ),
        ("anthropic", json.dumps(ANTHROPIC_COST_PAGE), [("claude-haiku-4-5", {"cost": 1_237_891_200})]),
    ],
)
def test_every_documented_format_is_read(tmp_path: Path, provider: str, text: str, expected: list[tuple[str, dict]]):
    found = exported(tmp_path, provider, text)
    assert {said.day for said in found} == {DAY}
    if "\t" in text:
        assert len(found) == 2
    else:
        assert [(said.model, said.figures) for said in found] == expected


def test_pages_may_stand_a_line_each(tmp_path: Path):
    text = "\n".join(map(json.dumps, (OPENAI_PAGE, OPENAI_PAGE, OPENAI_COST_PAGE))) + "\n\n"
    assert [said.figures.get("calls") for said in exported(tmp_path, "openai", text)] == [5, 5, None]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (OPENAI_USAGE.replace("59200.0", "59x"), "usage:2: input_tokens: is no number: '59x'"),
        (OPENAI_USAGE.replace(",100,20,", ",100,-20,"), "usage:3: output_tokens: must be a whole number, not -20"),
        (OPENAI_USAGE.replace("10.0", "10.5"), "usage:2: num_model_requests: must be a whole number"),
        (OPENAI_USAGE.replace("10.0", "1e99"), "usage:2: num_model_requests: is no number"),
        (OPENAI_USAGE.replace("1761955200,176", "soon,176", 1), "usage:2: start_time: is no day: 'soon'"),
        (OPENAI_USAGE + "1,2\n", "usage:5: has 2 columns, and the heading has 16"),
        ("a,b\n1,2\n", "usage:1: is no heading of such an export: it must have start_time or start_time_iso"),
        (ANTHROPIC_USAGE, "usage:1: is no heading"),
        ("", "usage:1: is no heading"),
        ("{", "usage: is no JSON"),
        ('{"data": []}\n{"da', "usage:2: is no JSON"),
        ('{"error": "no"}', "usage:1: is no page"),
        ('{"data": [{"results": [{"input_tokens": 5}]}]}', "usage:1: result 1: start_time: is no day"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, told: str):
    with pytest.raises(Invalid) as raised:
        exported(tmp_path, "openai", text)
    assert raised.value.message.startswith(told)


def test_what_is_no_text_is_refused(tmp_path: Path):
    (tmp_path / "usage").write_bytes(b"start_time,model,input_tokens\n1761955200,\xff\xfe,1\n")
    with pytest.raises(Invalid, match="no text in UTF-8"):
        list(read(tmp_path / "usage", EXPORTS["openai"]))
