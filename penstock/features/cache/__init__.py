"""Answers from memory: the stage on the line, what keeps an answer, and how one goes out again."""
