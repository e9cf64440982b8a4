"""The shape of HTTP headers throughout the house."""

Headers = list[tuple[bytes, bytes, bytes]]  # lower-case name, name as sent, value; in order of arrival
