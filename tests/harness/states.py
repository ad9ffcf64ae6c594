"""The states of a slot as docs/internals.md has them, by what exists."""

import sqlite3
from contextlib import closing

# (row: None, "awaits" or "stored"; file; doomed token)
STATES = {
    ("awaits", False, False): "S1",
    ("awaits", True, False): "S2",
    ("stored", True, False): "S3",
    (None, True, True): "S4",
    (None, False, True): "S5",
}


def slot_states(putslot):
    """{token: "S1" to "S5"} of all there is (S0 is not there); an error when
    something exists that the table does not have."""
    with closing(sqlite3.connect(putslot.database, timeout=10)) as db:
        rows = dict(db.execute(
            "SELECT token, iif(stored_at IS NULL, 'awaits', 'stored')"
            " FROM slot"))
        doomed = {token for token, in db.execute("SELECT token FROM doomed")}
    files = {name for name, path in putslot.files().items()
             if path.parent.name != "incoming"}
    found = {}
    for token in rows.keys() | doomed | files:
        things = rows.get(token), token in files, token in doomed
        if things not in STATES:
            raise AssertionError(
                f"{token}: row, file, doomed token are {things}")
        found[token] = STATES[things]
    return found
