from penstock.storage import revisions
from penstock.storage.revisions import Step


def test_which_steps_are_due():
    steps = [Step(f"000{n}", when, "", "") for n, when in enumerate(["before", "after", "before", "after"], 1)]
    for at, finish, now, left in (
        (None, False, "1234", ""),
        ("0001", False, "23", "4"),
        ("0001", True, "234", ""),
        ("0003", False, "", "4"),
        ("0004", True, "", ""),
        ("0009", True, "", ""),  # of a newer version, which this one was found to be able to use
    ):
        told = revisions.due(steps, at, finish=finish)
        assert ["".join(step.revision[-1] for step in part) for part in told] == [now, left]


def test_what_must_be_known_is_the_most_that_any_step_needs():
    steps = [Step("0001", "before", "", ""), Step("0002", "after", "", "0001"), Step("0003", "before", "", "")]
    assert revisions.needs(steps) == "0001"
    assert revisions.needs(steps[:1]) == revisions.needs([]) == ""
