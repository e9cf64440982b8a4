"""Where cached answers are kept: in memory, in an SQLite file, in Redis; one index in memory for each."""
