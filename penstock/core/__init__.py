"""Words and tools: no I/O, no framework, nothing above imported."""
