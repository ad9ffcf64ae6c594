"""A site: one directory, the daemons that live in it, and their ports."""

import grp
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = TOP / os.environ.get("PUTSLOT_BUILD", "build")

PROGRAMS = ("putslot-component", "putslot.fcgi", "putslot-cleanup",
            "tests/harness/grant")

START = 30  # seconds that a daemon gets to be ready
STOP = 15  # seconds that it gets to end after SIGTERM

# Below what the kernel gives to outgoing connections, so that no client can
# take a port between our choice and the daemon's bind.
PORTS = range(20000, 32000)

SANITIZER = re.compile(r"(Address|Leak|Thread)Sanitizer|runtime error:")

AS_ROOT = os.geteuid() == 0


def wait_for(condition, what, deadline=START):
    """Polls until condition() is true, and returns what it returned."""
    end = time.monotonic() + deadline
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"no {what} within {deadline} s")
        time.sleep(0.02)


def accepts(address):
    """Whether something listens on a ("host", port) or a socket's path."""
    family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
    with socket.socket(family) as probe:
        probe.settimeout(1)
        try:
            probe.connect(address if family == socket.AF_INET
                          else str(address))
        except OSError:
            return False
    return True


class Usage(NamedTuple):
    """What a process has: seconds of CPU so far, KiB of memory of its own in
    RAM, descriptors (None: not for us to see) and threads."""

    cpu: float
    memory: int
    descriptors: int | None
    threads: int


class Daemon:
    """A process in a process group of its own, its output in a log file."""

    def __init__(self, name, process, log, log_start, exit_status):
        self.name = name
        self.process = process
        self.log = log
        self.log_start = log_start  # what is before is a former instance's
        self.exit_status = exit_status  # of an orderly end; None: any

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def usage(self):
        proc = Path(f"/proc/{self.pid}")
        # What follows the name, which may have anything in it.
        stat = (proc / "stat").read_text().rpartition(") ")[2].split()
        status = (proc / "status").read_text()
        try:
            descriptors = len(os.listdir(proc / "fd"))
        except PermissionError:
            # The programs are not dumpable: only root may look.
            descriptors = None
        return Usage((int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"),
                     int(re.search(r"RssAnon:\s+(\d+)", status)[1]),
                     descriptors, int(stat[17]))

    def signal(self, number):
        """To the daemon alone, not to its children."""
        self.process.send_signal(number)

    def stop(self):
        """SIGTERM, then SIGKILL to the group. Its exit status."""
        if self.alive():
            self.process.terminate()
        try:
            status = self.process.wait(STOP)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"{self.name} ignored SIGTERM for {STOP} s")
        self._kill_group()
        return status

    def kill(self):
        """As a crash would end it."""
        self._kill_group()
        self.process.wait()

    def _kill_group(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def log_text(self):
        """What this instance has written."""
        with open(self.log, "rb") as log:
            log.seek(self.log_start)
            return log.read().decode(errors="replace")

    def wait_log(self, pattern, deadline=START):
        """Waits until the log holds a match of the regular expression."""
        return wait_for(lambda: re.search(pattern, self.log_text(), re.M),
                        f"{pattern!r} in the log of {self.name}", deadline)


class Site:
    """The directory, and everything that runs in it.

    bin holds copies of the programs under test. group is the group that they
    share, web_user the user of the web server and of putslot.fcgi, cleanup_user
    that of putslot-cleanup, and component_user that of the component, another
    one when the tests run as root, as in a real installation. The directory
    is in parent, or among the temporary ones.
    """

    def __init__(self, name, parent=None):
        self.directory = Path(tempfile.mkdtemp(prefix=f"putslot-{name}-",
                                               dir=parent))
        self.directory.chmod(0o755)  # the web server is another user
        self.daemons = []
        self.umask = -1  # of what is started; -1: that of the tests
        self._stopped = []
        self._ports = []
        me = pwd.getpwuid(os.geteuid()).pw_name
        my_group = grp.getgrgid(os.getegid()).gr_name
        self.group = "www-data" if AS_ROOT else my_group
        self.web_user = "www-data" if AS_ROOT else me
        self.component_user = "nobody" if AS_ROOT else me
        self.cleanup_user = self.web_user
        self.more_groups = {}  # of a user: a list
        self.make_directory("log")
        self.bin = self.make_directory("bin")
        self._copy_programs()

    # ---- files ----

    def _copy_programs(self):
        """The programs under test, where every user may run them: a build in
        somebody's home directory is for nobody else."""
        for name in PROGRAMS:
            shutil.copy(BUILD / name, self.bin)

    def path(self, *parts):
        return self.directory.joinpath(*parts)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: a program may be about to read it.
        with tempfile.NamedTemporaryFile("w", dir=path.parent,
                                         delete=False) as new:
            new.write(text)
        os.chmod(new.name, mode)
        os.replace(new.name, path)
        return path

    def make_directory(self, name, mode=0o755, user=None, group=None):
        path = self.path(name)
        path.mkdir(parents=True)
        if AS_ROOT and (user or group):
            shutil.chown(path, user, group)
        path.chmod(mode)
        return path

    def give(self, path, user, mode):
        if AS_ROOT:
            shutil.chown(path, user, self.group)
        path.chmod(mode)

    # ---- ports ----

    def port(self):
        """A TCP port on 127.0.0.1 that stays this site's own.

        Sites run beside each other, and a daemon may be restarted on its
        port: an abstract socket, which ends with this process, reserves it.
        """
        offset = os.getpid() * 37 % len(PORTS)
        for i in range(len(PORTS)):
            port = PORTS[(offset + i) % len(PORTS)]
            reserved = socket.socket(socket.AF_UNIX)
            try:
                reserved.bind(f"\0putslot-tests-{port}")
                with socket.create_server(("127.0.0.1", port)):
                    pass
            except OSError:
                reserved.close()
                continue
            self._ports.append(reserved)
            return port
        raise OSError("no free port")

    # ---- processes ----

    def as_user(self, user, argv):
        """The command line that runs argv as that user in the group."""
        argv = [str(word) for word in argv]
        if not AS_ROOT or user in (None, "root"):
            return argv
        more = ",".join(str(group) for group in self.more_groups.get(user, ()))
        return ["setpriv", f"--reuid={user}", f"--regid={self.group}",
                f"--groups={more}" if more else "--clear-groups", *argv]

    def start(self, name, argv, ready, user=None, env=None, exit_status=None):
        """Starts a daemon in the foreground and waits for ready().

        exit_status is what SIGTERM shall make it end with; None: any.
        """
        log = self.path("log", name)
        with open(log, "ab") as output:
            log_start = output.tell()
            process = subprocess.Popen(
                self.as_user(user, argv), stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, cwd=self.directory,
                env=dict(os.environ, **(env or {})), start_new_session=True,
                umask=self.umask)
        daemon = Daemon(name, process, log, log_start, exit_status)
        self.daemons.append(daemon)

        def ended_or_ready():
            if not daemon.alive():
                raise ChildProcessError(
                    f"{name} ended with {process.returncode} at its start: "
                    + daemon.log_text()[-2000:])
            return ready()

        try:
            wait_for(ended_or_ready, f"sign of life of {name}")
        except Exception:
            self.kill_daemon(daemon)
            raise
        return daemon

    def stop(self, daemon):
        """Ends a daemon before the site does; a wrong end is an error."""
        self.daemons.remove(daemon)
        self._stopped.append(daemon)
        status = daemon.stop()
        if daemon.exit_status not in (None, status):
            raise ChildProcessError(
                f"{daemon.name} ended with {status}: "
                + daemon.log_text()[-2000:])

    def kill_daemon(self, daemon):
        """Ends a daemon as a crash would."""
        self.daemons.remove(daemon)
        self._stopped.append(daemon)
        daemon.kill()

    def run(self, argv, user=None, env=None, status=0, **more):
        """Runs a program to its end; its output, with its errors.

        Another exit status than status (None: any) is an error.
        """
        done = subprocess.run(
            self.as_user(user, argv), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=120, cwd=self.directory,
            env=dict(os.environ, **(env or {})), umask=self.umask, **more)
        if status not in (None, done.returncode) or SANITIZER.search(
                done.stdout):
            raise ChildProcessError(
                f"{argv[0]} ended with {done.returncode}: {done.stdout}")
        return done.stdout

    # ---- the end ----

    def close(self):
        """Stops everything; raises if anything was not as it should be."""
        wrong = [f"{d.name} has ended by itself with {d.process.returncode}"
                 for d in self.daemons if not d.alive()]
        for daemon in reversed(list(self.daemons)):
            try:
                self.stop(daemon)
            except (ChildProcessError, TimeoutError) as error:
                wrong.append(str(error))
        for log in self._logs():
            if SANITIZER.search(log.read_text(errors="replace")):
                wrong.append(f"a sanitizer's report in {log}")
        if wrong:
            raise ChildProcessError("; ".join(wrong))

    def kill(self):
        """Ends what still runs, without ceremony."""
        for daemon in self.daemons:
            daemon.kill()
        self.daemons.clear()

    def _logs(self):
        return sorted(p for p in self.path("log").rglob("*") if p.is_file())

    def show_logs(self):
        for log in self._logs():
            text = log.read_text(errors="replace")
            if text.strip():
                print(f"---- end of {log.name}\n{text[-3000:]}")

    def delete(self):
        shutil.rmtree(self.directory)
