/*
 * What the programs say to their administrator: one line per event, to
 * standard error or to syslog. Control characters and what is no UTF-8 are
 * escaped, so that nothing from outside can forge a line, and no reader of the
 * log stumbles over what a spoilt database holds. Any thread may log; a line
 * that is too long is cut, and ends in "...". Secrets and tokens are never
 * passed in: a slot is named by its id.
 */
#ifndef SCHEMA_LOG_H
#define SCHEMA_LOG_H

#include <stdbool.h>
#include <stddef.h>

#define LOG_LINES_MAX 32768 /* bytes */

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/* Call once, from main, before any thread starts. program must outlive the
 * process' logging. Lines above the level are dropped. */
void log_open(const char *program, enum log_level, bool to_syslog);

/* errno is kept, so that a caller may log before it looks at it. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Lines that are held; nobody else's business, and to begin with all zero. */
struct log_lines {
	size_t len;
	char text[LOG_LINES_MAX];
};

/* From log_hold on a thread's lines that report no trouble are kept in lines,
 * to be written in one piece by its log_release, by its next line that does, or
 * when there are too many. For moments in which others wait. lines must last
 * until log_release, which may also be called when nothing is held. */
void log_hold(struct log_lines *lines);
void log_release(void);

#endif
