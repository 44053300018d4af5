"""What the balancer adds to a call, beside a bare one and LiteLLM's Router: `python -m benchmarks.overhead`.

Everything runs on this machine against one loopback server, by turns. Exits with 1 only when something broke. A
missed target is printed and no more, because the ratios still differ by some per cent from run to run.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError

from benchmarks import litellm_environment, redis_server, upstream
from benchmarks.task import PLENTY, Setup
from benchmarks.timing import Sample, alternate, milliseconds, ratio, table, verdict
from benchmarks.workers import Broken, Round, Worker

PLAIN, OURS, LITELLM = "benchmarks.plain", "benchmarks.ours", "benchmarks.litellm_router"
ROUTES, DEAD, OK = 6, 3, 200
MOST_MEGABYTES, MOST_OF_LITELLM, MOST_OF_LOOP, MOST_EXHAUSTED = 30, 1 / 6, 3, 200


@dataclass(frozen=True)
class Contestant:
    """`most` is the target: how many times a bare call it may take."""

    name: str
    module: str
    kind: str
    most: float | None = None
    on_redis: bool = False
    per_day: int = PLENTY


BARE = Contestant("requests.Session.post", PLAIN, "bare")
LOOP = Contestant("plain loop with a cooldown", PLAIN, "loop")
BALANCER = Contestant("balancer, disk", OURS, "balancer", 1.4)
BALANCER_REDIS = Contestant("balancer, Redis", OURS, "balancer", 1.4, on_redis=True)
CACHED = Contestant("balancer, disk, cached", OURS, "cached", 0.1)
EXHAUSTED = Contestant("balancer, every route used up", OURS, "exhausted", per_day=1)
ROUTER = Contestant("LiteLLM Router, default", LITELLM, "simple-shuffle")
ROUTER_COUNTS = Contestant("LiteLLM Router, usage-based-v2", LITELLM, "usage-based-routing-v2")
ROUTER_REDIS = Contestant(f"{ROUTER_COUNTS.name}, Redis", LITELLM, ROUTER_COUNTS.kind, on_redis=True)

CALLS = (BARE, BALANCER, BALANCER_REDIS, CACHED, EXHAUSTED, ROUTER, ROUTER_COUNTS, ROUTER_REDIS)
RIVALS = ((BALANCER, ROUTER), (BALANCER, ROUTER_COUNTS), (BALANCER_REDIS, ROUTER_REDIS))
FAILOVERS = (LOOP, BALANCER, BALANCER_REDIS, ROUTER, ROUTER_COUNTS)
IN_MEMORY = (BALANCER, BALANCER_REDIS, ROUTER, ROUTER_COUNTS, ROUTER_REDIS)


@dataclass(frozen=True)
class Bench:
    """What the contestants stand on. Without a Redis server or LiteLLM's Python, those that need it stay away."""

    server: upstream.Upstream
    folder: Path
    redis_url: str | None
    litellm: str | None
    quick: bool

    def able(self, contestants: Sequence[Contestant]) -> list[Contestant]:
        return [
            each
            for each in contestants
            if (self.redis_url or not each.on_redis) and (self.litellm or each.module != LITELLM)
        ]

    def start(self, contestant: Contestant, routes: Sequence[str]) -> Worker:
        """Its process on these routes, given as base URLs."""
        theirs = contestant.module == LITELLM
        redis_url = self.redis_url if contestant.on_redis and self.redis_url else ""
        if redis_url and theirs:
            redis_url = f"{redis_url.rpartition('/')[0]}/1"  # ours empties its database before each round
        setup = Setup(tuple(routes), str(self.folder), redis_url, contestant.per_day)
        python = self.litellm if theirs and self.litellm else sys.executable
        return Worker(contestant.module, contestant.kind, setup.to_json(), python=python)


def calls(bench: Bench) -> str:
    """How long one call takes while nothing goes wrong, and the answer that every route is used up."""
    contestants = bench.able(CALLS)
    rounds, per_round = (3, 10) if bench.quick else (15, 100)
    routes = {each: bench.server.routes(*[OK] * ROUTES) for each in contestants}
    with ExitStack() as running:
        workers = {e.name: running.enter_context(bench.start(e, list(routes[e].values()))) for e in contestants}
        seen = alternate({name: worker.run for name, worker in workers.items()}, rounds, per_round)
    hits = bench.server.hits()
    beyond = sum(hits.get(name, 0) for name in routes[EXHAUSTED]) - ROUTES * (rounds + 1)
    rows = [_call_row(each, seen[each.name], seen[BARE.name]) for each in contestants]
    notes = [
        f"- {ours.name} over {theirs.name}: {_against(seen[ours.name], seen[theirs.name])}"
        for ours, theirs in RIVALS
        if theirs in contestants
    ]
    if beyond:
        raise Broken(f"{EXHAUSTED.name}: {beyond} calls went out all the same")
    used_up = verdict(seen[EXHAUSTED.name].median * 1e3, MOST_EXHAUSTED, " ms")
    notes.append(f"- {EXHAUSTED.name}: {used_up}; no call went out")
    head = ("contestant", "median, ms", "p99, ms", "of a bare call", "")
    return "\n".join((f"## A call ({rounds} rounds of {per_round})\n", table(head, rows), "", *notes))


def _call_row(contestant: Contestant, sample: Sample, base: Sample) -> list[str]:
    times = ratio(sample, base)
    target = verdict(times, contestant.most) if contestant.most else ""
    return [contestant.name, milliseconds(sample.median), milliseconds(sample.p99), f"{times:.2f}x", target]


def _against(ours: Sample, theirs: Sample) -> str:
    times = ratio(ours, theirs)
    return f"{times:.3f}x, {verdict(times, MOST_OF_LITELLM)}"


def memory(bench: Bench) -> str:
    """What a process holds after it was set up and made one call, beyond an interpreter that knows requests."""
    routes = list(bench.server.routes(*[OK] * ROUTES).values())
    with bench.start(BARE, routes) as worker:
        base = worker.round(0, 0).resident
    rows = []
    for each in bench.able(IN_MEMORY):
        with bench.start(each, routes) as worker:
            added = (worker.flawless(0, 1).resident - base) / 1e6
        target = "" if each.module == LITELLM else verdict(added, MOST_MEGABYTES, " MB")
        rows.append([each.name, f"{added:.1f}", target])
    return "\n".join(("## Memory after the first call\n", table(("contestant", "MB added", ""), rows)))


def failover(bench: Bench, status: int) -> str:
    """The preferred half of the routes answers with `status`; every contestant learns it anew in each trial."""
    contestants = bench.able(FAILOVERS)
    trials, per_trial = (1, 20) if bench.quick else (7, 100)
    hits: dict[str, list[int]] = {each.name: [] for each in contestants}
    done: dict[str, list[Round]] = {each.name: [] for each in contestants}
    for _ in range(trials):
        for each in contestants:
            routes = bench.server.routes(*[status] * DEAD, *[OK] * (ROUTES - DEAD))
            with bench.start(each, list(routes.values())) as worker:
                done[each.name].append(worker.round(0, per_trial))
            counted = bench.server.hits()
            hits[each.name].append(sum(counted.get(name, 0) for name in list(routes)[:DEAD]))
    rows = [_failover_row(each, done, hits[each.name]) for each in contestants]
    head = ("contestant", "hits on dead routes", "served", "first call, ms", "of the loop's", "")
    title = f"## {DEAD} of {ROUTES} routes answer {status} ({trials} trials of {per_trial} calls)\n"
    return "\n".join((title, table(head, rows)))


def _failover_row(contestant: Contestant, done: dict[str, list[Round]], hits: Sequence[int]) -> list[str]:
    rounds = done[contestant.name]
    first, base = (Sample(tuple(r.seconds[:1] for r in done[name])) for name in (contestant.name, LOOP.name))
    served = 1 - sum(len(r.errors) for r in rounds) / sum(len(r.seconds) for r in rounds)
    times = ratio(first, base)
    target = ""
    if contestant.module == OURS:
        whole = "met" if served == 1 and set(hits) == {DEAD} else "missed"
        target = f"target {DEAD} hits, all served: {whole}; {verdict(times, MOST_OF_LOOP)}"
    counted = str(hits[0]) if len(set(hits)) == 1 else f"{min(hits)} to {max(hits)}"
    return [contestant.name, counted, f"{served:.1%}", milliseconds(first.median), f"{times:.2f}x", target]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few seconds: does it run, not how fast")
    parser.add_argument("--without-litellm", action="store_true", help="leave LiteLLM's Router out")
    asked = parser.parse_args()
    try:
        with ExitStack() as open_:
            litellm = None if asked.without_litellm else litellm_environment.python()
            folder = Path(open_.enter_context(tempfile.TemporaryDirectory(prefix="greenroom-overhead-")))
            redis_url = open_.enter_context(redis_server.running())
            bench = Bench(open_.enter_context(upstream.running()), folder, redis_url, litellm, asked.quick)
            print(f"Python {platform.python_version()}; {'Redis' if redis_url else 'no redis-server here'}\n")
            print(calls(bench), end="\n\n", flush=True)
            print(memory(bench), end="\n\n", flush=True)
            for status in (500, 429):
                print(failover(bench, status), end="\n\n", flush=True)
    except (Broken, CalledProcessError, OSError) as error:
        print(f"Broken: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
