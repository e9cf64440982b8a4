"""The benchmark: ``python -m bench``. Measures, judges against the budgets and writes ``docs/benchmarks.md``."""
