import pytest

from bench.table import Table, markdown, plain


def example() -> Table:
    table = Table("Throughput", ("1 KB", "requests/s", ""))
    table.add("nginx", "52,500", "")
    table.add("Penstock, log on", "9", "MISSED")
    table.notes.append("A sentence.")
    return table


def test_markdown() -> None:
    assert markdown(example()) == (
        "## Throughput\n"
        "\n"
        "| 1 KB | requests/s |  |\n"
        "| --- | --: | --: |\n"
        "| nginx | 52,500 |  |\n"
        "| Penstock, log on | 9 | MISSED |\n"
        "\n"
        "- A sentence.\n"
    )


def test_plain_text_is_aligned() -> None:
    lines = plain(example()).splitlines()
    assert lines[2:6] == [
        "1 KB              requests/s",
        "----------------  ----------  ------",
        "nginx                 52,500",
        "Penstock, log on           9  MISSED",
    ]


def test_a_row_that_could_not_be_measured_stays_and_says_why() -> None:
    table = example()
    table.failed("LiteLLM", "pip install failed.")
    assert table.rows[-1] == ("LiteLLM", "", "NOT MEASURED")
    assert "pip install failed." in table.notes[-1]


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells under 3 headings"):
        example().add("nginx", "1")


def test_a_bar_in_a_cell_does_not_break_the_table() -> None:
    table = Table("T", ("a", "b"))
    table.add("x|y", "1")
    assert "| x\\|y | 1 |" in markdown(table)
