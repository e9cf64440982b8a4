"""Bytes within a URL."""


def inline(url: str) -> tuple[str, str]:
    """Media type and base64 of a data URL; of any other, two empty texts."""
    if not url.startswith("data:"):
        return "", ""
    head, comma, data = url.partition(",")
    kind, _, coding = head[5:].partition(";")
    return (kind, data) if comma and coding.endswith("base64") else ("", "")
