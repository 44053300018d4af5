"""The operations door: password, one-time code, throttle, bearer token."""

from __future__ import annotations

import threading

from core.access import FAILURE_WINDOW, FREE_FAILURES, Access
from tests.fakes.clock import FrozenClock

PASSWORD = "correct-horse-battery"
TOKEN = "a-token-for-monitors"


def access(password: str | None = PASSWORD, token: str | None = TOKEN) -> tuple[Access, FrozenClock, list[str]]:
    clock, said = FrozenClock(), list[str]()
    return Access(password, token, clock, said.append), clock, said


def test_the_password_opens_and_nothing_else_does() -> None:
    door, _, said = access()
    assert not door.sign_in("").allowed
    assert not door.sign_in("wrong").allowed
    assert not door.sign_in("correct-horse-battery ").allowed
    assert not door.sign_in("пароль" * 100).allowed
    assert door.sign_in(PASSWORD).allowed
    assert not said


def test_without_a_password_a_printed_code_opens_once() -> None:
    door, _, said = access(password=None)
    code = said[0].rsplit(" ", 1)[1]
    assert door.sign_in(code).allowed
    assert not door.sign_in(code).allowed
    assert len(said) == 2, "a fresh code is printed when one is spent"
    assert door.sign_in(said[1].rsplit(" ", 1)[1]).allowed


def test_five_failures_close_the_door_for_a_while() -> None:
    door, clock, _ = access()
    for _ in range(FREE_FAILURES):
        assert door.sign_in("wrong").wait == 0
    verdict = door.sign_in(PASSWORD)
    assert not verdict.allowed
    assert 0 < verdict.wait <= FAILURE_WINDOW
    clock.advance(FAILURE_WINDOW + 1)
    assert door.sign_in(PASSWORD).allowed


def test_parallel_guesses_gain_nothing() -> None:
    door, _, _ = access()
    waits: list[float] = []
    threads = [threading.Thread(target=lambda: waits.append(door.sign_in("guess").wait)) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert waits.count(0) == FREE_FAILURES


def test_the_bearer_token() -> None:
    door, _, _ = access()
    assert door.bearer(f"Bearer {TOKEN}")
    assert door.bearer(f"bearer {TOKEN}")
    for wrong in (None, "", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", "Bearer nö", f"Bearer {TOKEN}x"):
        assert not door.bearer(wrong)


def test_without_a_token_one_is_made_and_printed() -> None:
    door, _, said = access(token=None)
    assert door.bearer(f"Bearer {said[-1].rsplit(' ', 1)[1]}")


def test_a_browser_stays_signed_in_for_a_while_and_no_longer() -> None:
    door, clock, _ = access()
    assert not door.is_admitted("mine")
    door.admit("mine")
    clock.advance(14 * 60)
    assert door.is_admitted("mine")
    assert not door.is_admitted("another")
    clock.advance(16 * 60)
    assert not door.is_admitted("mine")
    door.admit("mine")
    for _ in range(8 * 6):
        clock.advance(599)
        assert door.is_admitted("mine")
    clock.advance(599)
    assert not door.is_admitted("mine")
    door.admit("mine")
    door.dismiss("mine")
    assert not door.is_admitted("mine")


def test_looking_on_is_no_use() -> None:
    door, clock, _ = access()
    door.admit("mine")
    for _ in range(10):
        clock.advance(60)
        assert door.is_admitted("mine", in_use=False)
    clock.advance(6 * 60)
    assert not door.is_admitted("mine", in_use=False)


def test_guesses_do_not_lock_the_code_out() -> None:
    door, _, said = access(password=None)
    for _ in range(2 * FREE_FAILURES):
        assert not door.sign_in("wrong").allowed
    assert door.sign_in(said[0].rsplit(" ", 1)[1]).allowed
