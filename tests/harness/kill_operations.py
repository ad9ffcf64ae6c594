"""What the programs do when they are killed, and what may be left of it."""

from .cases import equal, true
from .states import slot_states

LONG_AGO = 1000000000


class Operation:
    """prepare() makes what run(plan) works on; check() judges what is left, of
    which nobody knows whether run() came to its end."""

    extra = {}  # of every plan
    sound = True  # --fsck has nothing to say even before check()

    def __init__(self, bench):
        self.bench = bench

    def prepare(self):
        pass


class FirstStart(Operation):
    """The component makes the database, and grants the first slot."""

    name = "component's first start"
    sound = False  # there are no bodies yet

    def prepare(self):
        self.bench.anew()

    def run(self, plan):
        self.bench.ask(plan=plan)

    def check(self):
        bench = self.bench
        bench.use(bench.ask())
        left = list(bench.putslot.store.glob("putslot.db.*"))
        true(len(left) <= 1, f"temporary names of the database: {left}")
        for path in left:
            path.unlink()


class Grant(Operation):
    """A slot is granted, or nobody hears of it."""

    name = "grant"
    urls = None

    def run(self, plan):
        self.urls = self.bench.ask(plan=plan)

    def check(self):
        bench = self.bench
        slot = bench.use(self.urls or bench.ask())
        true(bench.get(slot), "GET finds nothing")


class GrantBatch(Operation):
    """Several at once, one of them bad: whoever hears of a slot has it."""

    name = "several grants"
    urls = ()

    def run(self, plan):
        with self.bench.component(plan) as component:
            self.urls = component.slots("juliet@example.org", (5, 0, 5, 5))
        self.bench.killed |= component.killed

    def check(self):
        bench = self.bench
        [[there]] = bench.putslot.sql(
            "SELECT count(*) FROM slot WHERE stored_at IS NULL")
        true(there >= len(self.urls), f"{there} slots, {self.urls}")
        for urls in self.urls:
            true(bench.get(bench.use(urls)), "GET finds nothing")


class Put(Operation):
    """201 and there, or to be done again."""

    name = "PUT"
    slot = status = None

    def prepare(self):
        self.slot = self.bench.slot()

    def run(self, plan):
        self.status = self.bench.put(self.slot, plan)

    def check(self):
        bench = self.bench
        true(self.status in (None, 201), f"PUT was answered {self.status}")
        if bench.random.random() < 0.5:
            self.check_state()
        again = bench.put(self.slot)
        if self.status == 201:
            equal(again, 409, "a second PUT")
        else:
            true(again in (201, 409), f"the PUT again: {again}")
        true(bench.get(self.slot), "GET finds nothing")
        true(bench.state(self.slot.token) == "S3", "it is not stored")
        bench.kept[self.slot.token] = self.slot

    def check_state(self):
        state = self.bench.state(self.slot.token)
        possible = ("S3",) if self.status == 201 else ("S1", "S2", "S3")
        true(state in possible, f"{state} after {self.status}")
        equal(self.bench.get(self.slot), state == "S3", "it is served")


class FirstPut(Put):
    """The directory of the bodies is made, too."""

    name = "first PUT"
    sound = False

    def prepare(self):
        self.bench.anew()
        super().prepare()


class NamedPut(Put):
    """As on a file system without nameless files."""

    name = "PUT without O_TMPFILE"
    extra = {"named": 1}


class PutOverLeftover(Put):
    """The file of an earlier PUT, which died before its commit, is there."""

    name = "PUT over a leftover"

    def prepare(self):
        super().prepare()
        self.bench.leave_body(self.slot, b"an earlier body")


class Evict(Operation):
    """A grant that makes room: both or neither."""

    name = "grant that evicts"
    owner = "one@example.org"
    urls = old = None

    def prepare(self):
        self.old = self.bench.stored(owner=self.owner, purpose="message")

    def run(self, plan):
        # From here on it may be gone.
        del self.bench.kept[self.old.token]
        self.urls = self.bench.ask(self.owner, plan)

    def check(self):
        bench = self.bench
        state = bench.state(self.old.token)
        true(state in (("S4",) if self.urls else ("S3", "S4")),
             f"{state} after {self.urls}")
        equal(bench.get(self.old), state == "S3", "the old one is served")
        [[others]] = bench.putslot.sql(
            "SELECT count(*) FROM slot WHERE owner = ? AND token <> ?",
            self.owner, self.old.token)
        equal(others, 0 if state == "S3" else 1, "new slots")
        bench.cleanup()
        equal(bench.state(self.old.token),
              "S3" if state == "S3" else "S0", "state after a cleanup")
        if self.urls:
            del bench.kept[bench.use(self.urls).token]
        equal(bench.cleanup("--erase", self.owner), 0, "status of --erase")


class Cleanup(Operation):
    """Of all kinds of things that are over."""

    name = "cleanup"
    over = ()
    incoming = None

    def prepare(self):
        bench = self.bench
        expired, deleted = bench.stored(), bench.stored()
        unused, leftover = bench.slot(), bench.slot()
        bench.leave_body(leftover, leftover.body)
        self.over = {expired.token: ("S3", "S4", "S5", "S0"),
                     deleted.token: ("S4", "S5", "S0"),
                     unused.token: ("S1", "S5", "S0"),
                     leftover.token: ("S2", "S4", "S5", "S0")}
        for slot in expired, deleted:
            del bench.kept[slot.token]
        for slot in expired, unused, leftover:
            bench.putslot.sql(
                "UPDATE slot SET issued_at = ?1, put_expires_at = ?1,"
                " put_ends_at = ?1, expires_at = ?1 WHERE token = ?2",
                LONG_AGO, slot.token)
        bench.putslot.sql("DELETE FROM slot WHERE token = ?", deleted.token)
        self.incoming = bench.leave_file(
            "incoming", "a" * 26, b"in flight", LONG_AGO)

    def run(self, plan):
        self.bench.cleanup(plan=plan)

    def check(self):
        bench = self.bench
        if bench.random.random() < 0.5:
            states = slot_states(bench.putslot)
            for token, possible in self.over.items():
                state = states.get(token, "S0")
                true(state in possible, f"{state} is none of {possible}")
        equal(bench.cleanup(), 0, "status of the next cleanup")
        states = slot_states(bench.putslot)
        for token in self.over:
            equal(states.get(token), None, "state after the next cleanup")
        true(not self.incoming.exists(), "the leftover in incoming/ is there")


class Erase(Operation):
    """Of an owner with uploads and slots."""

    name = "cleanup --erase"
    owner = "gone@example.org"

    def prepare(self):
        for _ in range(3):
            del self.bench.kept[self.bench.stored(owner=self.owner).token]
        self.bench.slot(owner=self.owner)

    def run(self, plan):
        self.bench.cleanup("--erase", self.owner, plan=plan)

    def check(self):
        equal(self.bench.cleanup("--erase", self.owner), 0, "status of --erase")
        for table in "slot", "usage":
            equal(self.bench.putslot.sql(
                f"SELECT count(*) FROM {table} WHERE owner = ?", self.owner),
                [(0,)], f"what is left in {table}")
        left = set(slot_states(self.bench.putslot).values())
        true(not left & {"S4", "S5"}, f"states {left}")


class Repair(Operation):
    """Counters that are wrong, an upload without its body, a body that nobody
    knows."""

    name = "cleanup --fsck --repair"
    sound = False

    def prepare(self):
        bench = self.bench
        lost, _ = bench.stored(), bench.stored()
        bench.putslot.files()[lost.token].unlink()
        del bench.kept[lost.token]
        orphan = bench.slot()
        bench.leave_body(orphan, b"whose?")
        bench.putslot.sql("DELETE FROM slot WHERE token = ?", orphan.token)
        bench.putslot.sql("DELETE FROM doomed WHERE token = ?", orphan.token)
        bench.putslot.sql("UPDATE usage SET stored_bytes = stored_bytes + 1")

    def run(self, plan):
        self.bench.cleanup("--fsck", "--repair", "--grace", "0s", plan=plan)

    def check(self):
        equal(self.bench.cleanup("--fsck", "--repair", "--grace", "0s"), 0,
              "status of the next repair")


OPERATIONS = (FirstStart, Grant, GrantBatch, FirstPut, Put, NamedPut,
              PutOverLeftover, Evict, Cleanup, Erase, Repair)
