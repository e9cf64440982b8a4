"""Values that are not to be stored, told by paths (docs/logging.md), and taken out of JSON and of streams of it."""
