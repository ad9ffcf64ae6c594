"""`make bench`: how fast, against what the machine and the servers can do.

run           the program: which parts, how long, where the results go
measure       contenders by turns, and what their processes take
load          the load generator http_load, and what it said
servers       web servers on plain HTTP, with putslot behind them or a floor
peer          a script on PHP behind one
rows          a row of the table: figure, target, reached or not
machine       the machine, as far as figures depend on it
ground        the file system that is written to
report        JSON and Markdown
plot          SVG
publish       what a full run leaves in docs/

The parts, each with rows(bench), a generator of rows:

generator     how far the load generator is from being the bottleneck
uploads       PUT
slow          PUT by slow clients, beside fast ones
downloads     GET
slots         asking for a slot, by XMPP
growth        more and more stored slots; starts, idle processes
cleanup       putslot-cleanup, and what others feel of it

A row compares putslot with a floor: the least that any program could take in
its place. What is measured, each time, is in the row's own words.
"""
