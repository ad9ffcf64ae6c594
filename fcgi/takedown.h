/*
 * Take-down: a file that the web server serves by itself must go when its row
 * says so, and no request passes here to notice. So a thread watches the
 * database's files, by inotify: whoever deletes a row or ends its time, with
 * the sqlite3 shell as well, writes to them. About a second later the bodies
 * of doomed tokens and of slots whose time is over are withdrawn (see
 * bodies_withdraw). Rows and tokens are left to cleanup, and a file whose time
 * just runs out, too, unless something else is written after that: an idle
 * program does not wake up.
 */
#ifndef FCGI_TAKEDOWN_H
#define FCGI_TAKEDOWN_H

struct bodies;
struct config;
struct takedown;

/* Begins to watch. Call it before walls_raise, with the database open. NULL:
 * there is no public directory, or nothing can be watched (logged): public
 * files then go with the next run of cleanup. */
struct takedown *takedown_open(const struct config *, struct bodies *);

/* Starts the thread, which looks once for what happened before. Call it after
 * walls_raise. Accepts NULL. */
void takedown_start(struct takedown *);

/* Ends the thread, if it was started, and frees. Accepts NULL. */
void takedown_close(struct takedown *);

#endif
