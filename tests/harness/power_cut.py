"""What must hold of putslot's programs when the power comes back."""

import re

from .alone import PUT_URL
from .cases import equal, true
from .cgi import cgi
from .lone_component import LoneComponent
from .states import slot_states

SUMMARY = re.compile(r"lost (\d+), wrong size (\d+), orphans (\d+), "
                     r"foreign 0, database 0, ")


def empty(putslot):
    putslot.site.run(["find", putslot.store, "-mindepth", "1", "-delete"])


def start_again(putslot):
    """Whether there are directories of bodies already."""
    putslot.site.run(["chown", "-R", f"{putslot.site.web_user}:"
                      f"{putslot.site.group}", putslot.store])
    putslot.site.run(["chmod", "-R", "u=rwX,g=rwX,o=", putslot.store])
    # Of a database that was being made it makes a new one.
    with LoneComponent(putslot) as component:
        true(component.online, "the component does not start")
    store = putslot.config["store"]
    return all(store[tree].exists() for tree in ("bodies", "public")
               if tree in store)


def check_mistakes(putslot):
    """--fsck counts what is there to be counted; (lost, wrong size,
    orphans)."""
    files = {token: path.stat().st_size
             for token, path in putslot.files().items()}
    rows = dict(putslot.sql("SELECT token, iif(stored_at IS NULL, NULL, size)"
                            " FROM slot"))
    doomed = {token for token, in putslot.sql("SELECT token FROM doomed")}
    stored = {t: size for t, size in rows.items() if size is not None}
    expected = (len(stored.keys() - files),
                sum(files.get(t, size) != size for t, size in stored.items()),
                len(files.keys() - rows - doomed))
    said = putslot.cleanup("--fsck", "--grace", "0s",
                           status=3 if any(expected) else 0)
    found = SUMMARY.search(said)
    equal(found and tuple(int(n) for n in found.groups()), expected,
          f"mistakes in {said!r}")
    return expected


def is_own(found, body, in_order):
    """Where a file can grow before its data is there, the disk has zeros, and
    nobody else's."""
    if in_order:
        return found == body
    return len(found) == len(body) and all(
        a in (0, b) for a, b in zip(found, body))


def check_served(putslot, bodies, in_order):
    """Whole, or not at all; of {token: body}."""
    files = putslot.files()
    living = dict(putslot.sql(
        "SELECT token, size FROM slot WHERE stored_at IS NOT NULL"
        " AND coalesce(expires_at, 1e12) > unixepoch()"))
    for token, body in bodies.items():
        answer = cgi(putslot, "GET", f"{PUT_URL}{token}/f")
        if token not in living or token not in files:
            equal(answer.status, 404, "GET of what is not there")
        elif files[token].stat().st_size != living[token]:
            equal(answer.status, 500, "GET of what is not whole")
        else:
            equal(answer.status, 200, "GET")
            true(is_own(answer.body, body, in_order),
                 "another body than the uploaded one")
            continue
        equal(answer.headers["content-type"].split(";")[0], "text/plain",
              "type of an error")
        true(len(body) < 9 or body[:9] not in answer.body,
             "a part of the body in an error")


def check_loss(putslot, bodies, in_order):
    """Uploads may be lost: what is left is served, and a repair brings the
    books in order. The mistakes that --fsck counted, or None."""
    if not start_again(putslot):
        return None
    mistakes = check_mistakes(putslot)
    check_served(putslot, bodies, in_order)
    putslot.cleanup("--fsck", "--repair", "--grace", "0s")
    equal(check_mistakes(putslot), (0, 0, 0), "mistakes after a repair")
    putslot.cleanup()
    states = set(slot_states(putslot).values())
    true(states <= {"S1", "S2", "S3"}, f"after a cleanup: {states}")
    check_served(putslot, bodies, in_order)
    new = b"after the power came back"
    token, secret = putslot.grant(len(new))
    equal(cgi(putslot, "PUT", f"{PUT_URL}{token}/{secret}/f", new).status, 201,
          "PUT")
    check_served(putslot, {token: new}, True)
    return mistakes
