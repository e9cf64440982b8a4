"""All checks together."""

import threading

from penstock.doctor import examine
from penstock.doctor.finding import ok


def test_checks_run_beside_one_another_and_are_told_in_their_order(subject):
    both = threading.Barrier(2)

    def check(name):
        def run(_):
            both.wait(5)  # neither goes on without the other
            yield ok(name, "It is good.")

        return run

    found = examine.run({"first": check("first"), "second": check("second")}, subject())
    assert [one.check for one in found] == ["first", "second"]


def test_a_check_that_hangs_is_a_problem_and_holds_nothing_up(subject):
    ever = threading.Event()

    def hang(_):
        ever.wait()
        yield ok("slow", "never")

    def quick(_):
        yield ok("quick", "It is good.")

    found = examine.run({"slow": hang, "quick": quick}, subject(), 0.1)
    ever.set()
    assert [(one.check, one.level) for one in found] == [("slow", "problem"), ("quick", "ok")]
    assert found[0].text == "There was no answer within 0.1 seconds."


def test_a_check_that_breaks_is_a_problem_of_its_own(subject):
    def broken(_):
        raise RuntimeError("oh")
        yield

    def good(_):
        yield ok("good", "It is good.")

    found = examine.run({"broken": broken, "good": good}, subject())
    assert [one.level for one in found] == ["problem", "ok"]
    assert "RuntimeError: oh" in found[0].text


def test_every_check_has_something_to_say_of_a_fresh_machine(subject):
    found = examine.examine(subject(port=0))
    assert {one.check for one in found} == {"port", "files", "disk", "database", "migrations", "key", "clock"}
    assert {one.level for one in found} <= {"ok", "warning"}
