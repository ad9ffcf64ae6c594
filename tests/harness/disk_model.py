"""What a disk holds when the power fails: a directory tree by a trace of calls.

Strict as POSIX, not kind as ext4: what was written to a file is safe after an
fsync of that file, a name after an fsync of its directory, and of all the rest
any part may be there or not.
"""

from pathlib import Path

SECTOR = 512  # what a disk writes whole


class File:
    def __init__(self, content=b""):
        self.safe = bytearray(content)
        self.pending = []  # (offset, data); data None: truncated there

    def apply(self, content, offset, data):
        if data is None:
            del content[offset:]
            data = b""
        if len(content) < offset + len(data):
            content.extend(bytes(offset + len(data) - len(content)))
        content[offset:offset + len(data)] = data

    def sync(self):
        for change in self.pending:
            self.apply(self.safe, *change)
        self.pending.clear()

    def after_cut(self, random):
        content = bytearray(self.safe)
        for offset, data in some_of(self.pending, random):
            if data and random.random() < 0.2:
                data = data[:random.randrange(len(data) // SECTOR + 1)
                            * SECTOR]
            self.apply(content, offset, data)
        return bytes(content)


class Directory:
    def __init__(self):
        self.safe = {}  # name: File or Directory
        self.pending = []  # (name, what it stands for; None: nothing)

    @staticmethod
    def apply(names, name, what):
        if what is None:
            names.pop(name, None)
        else:
            names[name] = what

    def sync(self):
        for change in self.pending:
            self.apply(self.safe, *change)
        self.pending.clear()

    def after_cut(self, random):
        names = dict(self.safe)
        for change in some_of(self.pending, random):
            self.apply(names, *change)
        return names


def some_of(pending, random):
    """What of it reached the disk: often all or none, or a beginning."""
    kind = random.randrange(4)
    if kind == 0:
        return []
    if kind == 1:
        return pending
    if kind == 2:
        return pending[:random.randrange(len(pending) + 1)]
    return [change for change in pending if random.random() < 0.5]


class Disk:
    """A tree, with all that is there at the beginning safe."""

    def __init__(self, root):
        self.root = str(root)
        self.directories = {}  # path: Directory
        self.files = {}  # inode: File
        self._load(Path(root))

    def _load(self, path):
        directory = self.directories[str(path)] = Directory()
        for entry in path.iterdir():
            if entry.is_dir():
                directory.safe[entry.name] = self._load(entry)
            elif not entry.name.endswith("-shm"):
                file = File(entry.read_bytes())
                self.files[entry.stat().st_ino] = file
                directory.safe[entry.name] = file
        return directory

    def _name(self, path, what):
        directory, _, name = path.rpartition("/")
        self.directories[directory].pending.append((name, what))

    def take(self, record):
        """Does what a record of the trace says, where it succeeded."""
        if (record.result < 0 or not record.path.startswith(self.root)
                or record.path.endswith("-shm")):
            return
        getattr(self, "_" + record.name)(record)

    def _create(self, record):
        file = self.files[record.inode] = File()
        if not record.path.endswith(" (deleted)"):
            self._name(record.path, file)

    def _mkdir(self, record):
        directory = self.directories[record.path] = Directory()
        self._name(record.path, directory)

    def _link(self, record):
        self._name(record.path, self.files[record.inode])

    def _unlink(self, record):
        self._name(record.path, None)

    def _write(self, record):
        self.files[record.inode].pending.append((record.offset, record.data))

    _pwrite = _write

    def _ftruncate(self, record):
        self.files[record.inode].pending.append((record.offset, None))

    def _fsync(self, record):
        (self.directories.get(record.path) or self.files[record.inode]).sync()

    _fdatasync = _fsync

    def is_safe(self, path):
        """Whether nothing of the directory or file is still to be written; a
        file's name is its directory's affair. True of what never was."""
        if path in self.directories:
            return not self.directories[path].pending
        directory, _, name = path.rpartition("/")
        names = dict(self.directories[directory].safe)
        for change in self.directories[directory].pending:
            Directory.apply(names, *change)
        return name not in names or not names[name].pending

    def cut(self, where, random):
        """Writes what is left after a power cut now into a directory."""
        self._write_out(self.directories[self.root], Path(where), random)

    def _write_out(self, directory, where, random):
        for name, what in directory.after_cut(random).items():
            if isinstance(what, Directory):
                (where / name).mkdir()
                self._write_out(what, where / name, random)
            else:
                (where / name).write_bytes(what.after_cut(random))
