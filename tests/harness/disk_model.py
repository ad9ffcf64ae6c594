"""What a disk holds when the power fails: a directory tree by a trace of calls.

Strict as POSIX, not kind as ext4: what was written to a file is safe after an
fsync of that file, a name after an fsync of its directory, and of all the rest
any part may be there or not.

Which part it is, a function says: survivors(path, pending) returns those of the
changes to a file or directory, in their order, that reached the disk without
having been synced. A change of a file is (offset, data), or (offset, None) where
it was truncated; one of a directory is (name, what it stands for or None).
"""

from pathlib import Path

SECTOR = 512  # what a disk writes whole


class Thing:
    """A file or a directory: its safe content, and changes that are not."""

    def __init__(self, safe):
        self.safe = safe
        self.pending = []  # (where in the trace, change)

    def change(self, record, *change):
        self.pending.append((record.at, change))

    def sync(self, record):
        """Of what was done before the sync began."""
        kept = []
        for at, change in self.pending:
            if at < record.offset:
                self.apply(self.safe, *change)
            else:
                kept.append((at, change))
        self.pending = kept

    def after_cut(self, path, survivors):
        content = self.safe.copy()
        pending = [change for _, change in self.pending]
        for change in survivors(path, pending) if pending else ():
            self.apply(content, *change)
        return content


class File(Thing):
    def __init__(self, content=b""):
        super().__init__(bytearray(content))

    @staticmethod
    def apply(content, offset, data):
        if data is None:
            del content[offset:]
            data = b""
        if len(content) < offset + len(data):
            content.extend(bytes(offset + len(data) - len(content)))
        content[offset:offset + len(data)] = data


class Directory(Thing):
    def __init__(self):
        super().__init__({})  # name: File or Directory

    @staticmethod
    def apply(names, name, what):
        if what is None:
            names.pop(name, None)
        else:
            names[name] = what


# ---- what survives ----

def any_part(random, in_order=()):
    """Any part at all, often all or nothing. Of files below one of those paths
    it is a beginning of what was written: that is how file systems behave that
    let a file grow only when its data is there."""
    def survivors(path, pending):
        kind = random.randrange(4)
        beginning = pending[:random.randrange(len(pending) + 1)]
        if kind == 0:
            return []
        if kind == 1:
            return pending
        if any(path.startswith(str(place)) for place in in_order):
            return torn(beginning, pending, random)
        if kind == 3:
            beginning = [c for c in pending if random.random() < 0.5]
        return [shortened(c, random) if random.random() < 0.2 else c
                for c in beginning]
    return survivors


def torn(beginning, pending, random):
    """And some of the next."""
    return beginning + [shortened(change, random) for change in
                        pending[len(beginning):len(beginning) + 1]]


def shortened(change, random):
    """Of a write, some whole sectors."""
    where, what = change
    if not isinstance(what, bytes):
        return change
    return where, what[:random.randrange(len(what) // SECTOR + 1) * SECTOR]


def only(*places):
    """All changes of what lies below those paths, and no other."""
    def survivors(path, pending):
        return pending if path.startswith(tuple(map(str, places))) else []
    return survivors


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

    def _name(self, record, what):
        directory, _, name = record.path.rpartition("/")
        self.directories[directory].change(record, name, what)

    def take(self, record):
        """Does what a record of the trace says, where it succeeded."""
        if (record.result < 0 or not record.path.startswith(self.root)
                or record.path.endswith("-shm")):
            return
        getattr(self, "_" + record.name)(record)

    def _create(self, record):
        file = self.files[record.inode] = File()
        if not record.path.endswith(" (deleted)"):
            self._name(record, file)

    def _mkdir(self, record):
        directory = self.directories[record.path] = Directory()
        self._name(record, directory)

    def _link(self, record):
        self._name(record, self.files[record.inode])

    def _unlink(self, record):
        self._name(record, None)

    def _write(self, record):
        self.files[record.inode].change(record, record.offset, record.data)

    _pwrite = _write

    def _ftruncate(self, record):
        self.files[record.inode].change(record, record.offset, None)

    def _fsync(self, record):
        (self.directories.get(record.path)
         or self.files[record.inode]).sync(record)

    _fdatasync = _fsync

    def is_safe(self, path):
        """Whether nothing of the directory or file is still to be written; a
        file's name is its directory's affair. True of what never was."""
        if path in self.directories:
            return not self.directories[path].pending
        directory, _, name = path.rpartition("/")
        names = self.directories[directory].after_cut(
            directory, lambda _, pending: pending)
        return name not in names or not names[name].pending

    def cut(self, where, survivors):
        """Writes what is left after a power cut now into a directory."""
        self._write_out(self.root, self.directories[self.root], Path(where),
                        survivors)

    def _write_out(self, path, directory, where, survivors):
        for name, what in directory.after_cut(path, survivors).items():
            inner = f"{path}/{name}"
            if isinstance(what, Directory):
                (where / name).mkdir()
                self._write_out(inner, what, where / name, survivors)
            else:
                (where / name).write_bytes(what.after_cut(inner, survivors))
