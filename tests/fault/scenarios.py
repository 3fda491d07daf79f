# SPDX-License-Identifier: Apache-2.0
"""The scenarios, by name: a world, the faults that hit it, and within what time all must be as it should be."""
import dataclasses
import pathlib
import time

import world as worlds  # first: it says where stack and wire are
from checker import Checker
from clients import ANSWERS, MAY_REPEAT
from faults import *  # noqa: F401,F403  pylint: disable=wildcard-import,unused-wildcard-import
from history import History
from wire import Refused


@dataclasses.dataclass
class Scenario:
    """`normal`: seconds after a fault is healed within which a fresh connection reads and writes again. `clients`: within
    which every client that was at work has been answered anew; a call that nobody answers ends after 3 s, and two of
    them end its connection. `answers`: refusals that are right here and nowhere else. `memory`: MiB that a server may
    have resident at most. `may_repeat`: codes with which a call may fail. `statuses`: how a server may end."""
    name: str
    about: str
    faults: tuple
    world: dict = dataclasses.field(default_factory=dict)
    normal: float = 5
    clients: float = 12
    answers: tuple = ()
    memory: int = 0
    may_repeat: tuple = MAY_REPEAT
    statuses: tuple = (0,)
    short: float = 4


FEW = {"learners": 1, "buyers": 1}
ATTACKS = (("reset", "100,000 streams begun and reset at once"), ("streams", "100,000 calls as fast as they are taken"),
           ("no-message", "1,100 calls whose message never comes"), ("half-message", "1,100 messages that are not finished"),
           ("watch", "1,100 Watch streams"), ("unread", "1,100 answers that nobody reads"),
           ("announce", "calls that announce 4 GiB and send it"), ("large", "200 messages of 4 MiB without their end"),
           ("connections", "20,000 connections that say nothing"))

SCENARIOS = {s.name: s for s in (
    Scenario("crash", "servers and connections to the database are killed", (KillServer, KillConnections)),
    Scenario("crash-tls", "the same over TLS, and answers of the database are lost with their connection",
             (KillServer, KillConnections, LoseAnswers), {"reach": "tls", "link": True}),
    Scenario("sequencer", "the server that gives events their positions is killed, and another takes over", (KillLeader,),
             {"replicas": 2}),
    Scenario("pause", "one of two servers is stopped and goes on later", (StopServer,), {"replicas": 2}),
    Scenario("database", "the database is killed, or ends, and is started again", (KillDatabase, TermDatabase)),
    Scenario("database-tls", "the same over TLS", (KillDatabase, TermDatabase), {"reach": "tls"}),
    Scenario("hang", "the database hangs", (StopDatabase,)),
    Scenario("network", "the network to the database cuts, delays and loses answers",
             (Cut, Delay, LoseAnswers, HalfClose), {"reach": "tcp", "link": True}),
    Scenario("network-mute", "the network to the database swallows", (Swallow,), {"reach": "tcp", "link": True}),
    Scenario("network-mute-long", "the network to the database swallows for longer than a statement may take", (SwallowLong,),
             {"reach": "tcp", "link": True}),
    Scenario("network-tls", "the network to the database cuts, delays and loses answers, over TLS",
             (Cut, Delay, LoseAnswers, HalfClose), {"reach": "tls", "link": True}),
    Scenario("clients", "the network to the clients swallows, cuts, delays and loses answers",
             (SwallowNear, CutNear, DelayNear, LoseAnswersNear, HalfCloseNear), {"near": True}),
    Scenario("locks", "somebody holds rows that calls want", (HoldLock,)),
    Scenario("locked-learner", "one learner's rows are held, and no other learner's", (LockLearner,),
             {"learners": 8}),
    Scenario("read-only", "the database is read-only for a while", (ReadOnly,)),
    Scenario("full-disk", "the database's disk is full for a while", (FullDisk,), {"disk": True}),
    Scenario("clocks", "the clock of one of two servers is off", (ServerClock,), {"replicas": 2, "clocks": ("server",)},
             answers=("CLOCK_SKEW", "TOKEN_EXPIRED", "TOKEN_INVALID")),
    Scenario("database-clock", "the database's clock is off", (DatabaseClock,), {"clocks": ("database",)}),
    Scenario("descriptors", "a crowd connects to a server that is short of descriptors", (FewDescriptors,)),
    # Core may lose a call that it has no memory for: then its server does not end before its own limit.
    Scenario("memory", "a server is short of memory", (LittleMemory,), statuses=(0, 1)),
    Scenario("rolling", "one of two servers behind the edge ends and is started again", (TermServer,),
             {"replicas": 2, "edge": True, "flags": ("--drain-notice-seconds", "3")}),
    *(Scenario(f"attack-{name}", f"{about}, through the edge", (attack(name),), {"edge": True, **FEW}, short=1,
                memory=128)
      for name, about in ATTACKS),
    *(Scenario(f"raw-{name}", f"{about}, with no edge in front", (attack(name),), FEW, short=1,
                may_repeat=MAY_REPEAT + ("RESOURCE_EXHAUSTED",))  # core ends anybody's calls when it is short of memory
      for name, about in ATTACKS),
    Scenario("everything", "any of these at any time, over TLS, with two servers",
             (KillServer, StopServer, KillDatabase, StopDatabase, KillConnections, Cut, Delay, LoseAnswers,
              HalfClose, HoldLock, ReadOnly), {"reach": "tls", "link": True, "replicas": 2}, short=14),
)}


@dataclasses.dataclass
class Result:
    """What a run saw."""
    name: str
    faults: dict
    outcomes: dict
    normal: list
    violations: list
    waits: list
    memory_mib: int
    log: pathlib.Path

    @property
    def injected(self):
        return sum(self.faults.values())


class Run:
    """One scenario for some seconds."""

    def __init__(self, scenario, seed, seconds, directory):
        self.scenario, self.seconds = scenario, seconds
        self.log = pathlib.Path(directory) / f"{scenario.name}-{seed}.jsonl"
        self.history = History(self.log)
        self.seed, self.violations, self.times, self.struck = seed, [], [], []

    def expect(self, truth, otherwise):
        if not truth:
            self.violations.append(otherwise)
            self.history.note("violation", text=otherwise)

    def await_clients(self, world, bound, what):
        """Until every client was answered anew."""
        before = [c.acknowledged for c in world.clients]
        until = time.monotonic() + bound
        while True:
            waiting = [c.name for c, n in zip(world.clients, before) if c.acknowledged == n and c.is_alive()]
            if not waiting:
                return
            if time.monotonic() > until:
                self.expect(False, f"{what}: not answered within {bound} s: {', '.join(waiting)}")
                return
            time.sleep(0.02)

    def strike(self, world, fault):
        least, most = fault.hold
        self.history.note("inject", fault=fault.name)
        began = self.history.now()
        try:
            fault.inject()
            time.sleep(world.random.uniform(least, most))
        finally:
            fault.heal()
        self.history.note("heal", fault=fault.name)
        self.struck.append((began, self.history.now()))
        took = world.new_probe().await_normal(self.scenario.normal)
        self.expect(took is not None, f"not normal {self.scenario.normal} s after {fault.name}")
        self.times.append(took if took is not None else self.scenario.normal)
        self.await_clients(world, self.scenario.clients, f"after {fault.name}")

    def trouble(self, world, faults):
        until = time.monotonic() + self.seconds
        self.await_clients(world, 20, "before any fault")
        turn = 0
        while time.monotonic() < until or turn < len(faults) and self.seconds > 0:
            fault = faults[turn] if turn < len(faults) else world.random.choice(faults)
            turn += 1
            self.strike(world, fault)
            if len(self.violations) > 20:
                return

    def replays(self, world):
        """The same request, the same answer, whatever happened since."""
        for kind in ("purchase", "top_up"):
            for operation in [o for o in self.history.of(kind) if o.fate == "ok"][-40:]:
                area, method, token, fields = operation.call
                try:
                    again = world.calm.call(area, method, token, **fields)
                except Refused as error:
                    self.expect(False, f"{error} to a request that was acknowledged: {operation}")
                    return
                same = again == operation.answer if kind == "purchase" else \
                    again.transaction_id == operation.answer.transaction_id
                self.expect(same, f"another answer to the same request: {operation}")

    def waits(self):
        """How long the reader waited, by attempt, while a fault was there."""
        return sorted(a[1] - a[0] for o in self.history.of("wallet") for a in o.attempts
                      if a[1] and any(begin <= a[0] <= end for begin, end in self.struck))

    def run(self):
        world = worlds.World(self.seed, self.history, record_seconds=1, courses=15 + int(2 * self.seconds),
                             **self.scenario.world)
        world.expect, world.answers = self.expect, ANSWERS + self.scenario.answers
        world.may_repeat = self.scenario.may_repeat
        with world:
            faults = [f(world) for f in self.scenario.faults]
            for client in world.clients:
                client.start()
            self.trouble(world, faults)
            for client in world.clients:
                client.stop()
            self.violations += world.violations()
            self.replays(world)
            self.violations += Checker(self.history, world.stack.sql).violations()
            memory = world.memory_kib(0, "VmHWM") >> 10
            self.expect(memory <= (self.scenario.memory or memory), f"{memory} MiB of memory")
            for wrong in world.end_servers(self.scenario.statuses):
                self.expect(False, wrong)
            counts = {f.name: f.count for f in faults}
        self.history.close()
        return Result(self.scenario.name, counts, self.history.outcomes(), self.times, self.violations,
                      self.waits(), memory, self.log)
