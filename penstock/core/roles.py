"""What runs in a process: all of it, or the parts that its role names."""

from enum import Enum


class Part(Enum):
    """A part of the server. Its value: what stands at an address of it where another part runs."""

    CALLS = "This process takes no calls, for its role is {role}: send them to one of the role proxy."
    API = "This process does not serve the API, for its role is {role}: ask one of the role control."
    UPKEEP = ""  # has no address

    def absent(self, role: str) -> str:
        """What is said where a process of that role is asked for this part."""
        return self.value.format(role=role)


PARTS: dict[str, frozenset[Part]] = {
    "all": frozenset(Part),
    "proxy": frozenset({Part.CALLS}),
    "control": frozenset({Part.API}),
    "worker": frozenset({Part.UPKEEP}),
}
