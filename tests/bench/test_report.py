from bench.report import document, missed
from bench.table import Table

MACHINE = {"CPU": "one of those, 2 cores", "Python": "CPython 3.11.7"}


def tables() -> list[Table]:
    table = Table("Throughput", ("", "requests/s", ""))
    table.add("nginx", "52,500", "")
    table.add("Penstock, log on", "9", "MISSED")
    table.add("Penstock, log off", "20,000", "met")
    return [table]


def test_every_miss_is_listed() -> None:
    assert missed(tables()) == ["Throughput: Penstock, log on (MISSED)"]


def test_the_document_has_machine_quiet_tables_misses_and_notes() -> None:
    text = document(tables(), MACHINE, "The machine was quiet.", "The profile shows it.")
    for part in ("| CPU | one of those, 2 cores |", "The machine was quiet.", "| Penstock, log on | 9 | MISSED |"):
        assert part in text
    after = text.partition("## Where a budget is missed")[2]
    assert after.index("- Throughput: Penstock, log on (MISSED)") < after.index("The profile shows it.")
    assert "{{" not in text


def test_a_run_without_a_miss_says_so() -> None:
    table = Table("Throughput", ("", ""))
    table.add("Penstock", "met")
    assert "Every budget was met in this run." in document([table], MACHINE, "", None)
