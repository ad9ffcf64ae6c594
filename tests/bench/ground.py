"""Where the files lie that are written while measuring.

On a used ext4, creating a file takes twenty times longer where many have just
been deleted (freed inodes are passed over for a while), and others write to
it, too: which of two contenders is ahead is then chance. So there is a fresh
ext4 in a file where this can be had, mounted for this process and its children
alone, and gone with them. What is fsynced goes to the real disk all the same.
"""

import contextlib
import ctypes
import os
import subprocess
import tempfile
from pathlib import Path

CLONE_NEWNS = 0x00020000
SIZE = 40 << 30  # of the sparse file


def command(*argv):
    subprocess.run([str(word) for word in argv], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def mount_apart(image, directory):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    command("mount", "--make-rprivate", "/")
    with open(image, "wb") as file:
        file.truncate(SIZE)
    # Nothing is left for the kernel to initialise while we measure.
    command("mkfs.ext4", "-q", "-F", "-i", 8192,
            "-E", "lazy_itable_init=1,lazy_journal_init=1", image)
    command("mount", "-o", "loop,noinit_itable", image, directory)


@contextlib.contextmanager
def fresh():
    """A directory on a file system of its own, or one like any other: (path,
    whether it is the first)."""
    with tempfile.TemporaryDirectory(prefix="putslot-ground-") as top:
        directory = Path(top, "fresh")
        image = Path(top, "image")
        directory.mkdir()
        os.chmod(top, 0o755)  # for the web server's user
        mounted = False
        try:
            mount_apart(image, directory)
            mounted = True
        except (OSError, subprocess.CalledProcessError):
            pass
        image.unlink(missing_ok=True)
        try:
            yield directory, mounted
        finally:
            if mounted:
                command("umount", "--lazy", directory)
