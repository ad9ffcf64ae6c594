#include "schema/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "schema/text.h"

#define MESSAGE_MAX 1024 /* bytes; what is longer ends in an ellipsis */
#define ESCAPE_LEN 4     /* "\x0a" */

static const struct {
	const char *name;
	int priority;
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", LOG_ERR},
    [LOG_LEVEL_WARN] = {"warning", LOG_WARNING},
    [LOG_LEVEL_INFO] = {"info", LOG_INFO},
    [LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
};

/* Set once by log_open, before there are threads. */
static const char *program = "putslot";
static enum log_level highest = LOG_LEVEL_INFO;
static bool to_syslog = false;

/* Of each thread, between log_hold and log_release; else NULL. */
static _Thread_local struct log_lines *held = NULL;

void
log_open(const char *name, enum log_level level, bool use_syslog)
{
	program = name;
	highest = level;
	to_syslog = use_syslog;
	if (to_syslog)
		openlog(name, LOG_PID, LOG_DAEMON);
}

/* The length of the character that text begins with; 0 when it must not stand
 * in a line: a control character, or no UTF-8. */
static size_t
fit_len(const char *text)
{
	uint32_t c = (unsigned char)*text;
	int n = 1;

	if (c >= 0x80)
		n = text_decode(text, &c);
	return n > 0 && c >= 0x20 && (c < 0x7f || c >= 0xa0) ? (size_t)n : 0;
}

/* len must be at least ESCAPE_LEN * strlen(text) + 1. */
static void
escape(const char *text, char *buf, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	while (*text != '\0' && n + ESCAPE_LEN < len) {
		size_t fit = fit_len(text);
		unsigned char c = (unsigned char)*text;

		if (fit > 0) {
			memcpy(buf + n, text, fit);
			n += fit;
			text += fit;
			continue;
		}
		text++;
		buf[n++] = '\\';
		buf[n++] = 'x';
		buf[n++] = digits[c >> 4];
		buf[n++] = digits[c & 15];
	}
	buf[n] = '\0';
}

/* stderr is unbuffered: what is written at once leaves in one write, whole
 * among other processes' lines. */
static void
write_held(void)
{
	if (held == NULL || held->len == 0)
		return;
	fwrite(held->text, 1, held->len, stderr);
	held->len = 0;
}

/* 1 the line is kept; 0 there is no place for it. */
static int
hold_line(enum log_level level, const char *line, const char *tail)
{
	size_t room = sizeof(held->text) - held->len;
	int n = snprintf(held->text + held->len, room, "%s: %s: %s%s\n",
	    program, levels[level].name, line, tail);

	if (n < 0 || (size_t)n >= room)
		return 0;
	held->len += (size_t)n;
	return 1;
}

/* glibc gives each fprintf a buffer of its own, although stderr has none. */
static void
write_stderr(enum log_level level, const char *line, const char *tail)
{
	if (held != NULL && level >= LOG_LEVEL_INFO &&
	    hold_line(level, line, tail))
		return;
	write_held();
	fprintf(
	    stderr, "%s: %s: %s%s\n", program, levels[level].name, line, tail);
}

static void write_line(enum log_level, const char *fmt, va_list)
    __attribute__((format(printf, 2, 0)));

static void
write_line(enum log_level level, const char *fmt, va_list args)
{
	char message[MESSAGE_MAX];
	char line[ESCAPE_LEN * MESSAGE_MAX + 1];
	const char *tail = "";
	int saved = errno;
	int len;

	if (level > highest)
		return;
	len = vsnprintf(message, sizeof(message), fmt, args);
	if (len < 0)
		message[0] = '\0';
	else if ((size_t)len >= sizeof(message))
		tail = "...";
	escape(message, line, sizeof(line));

	if (to_syslog)
		syslog(levels[level].priority, "%s%s", line, tail);
	else
		write_stderr(level, line, tail);
	errno = saved;
}

void
log_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_line(LOG_LEVEL_ERROR, fmt, args);
	va_end(args);
}

void
log_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_line(LOG_LEVEL_WARN, fmt, args);
	va_end(args);
}

void
log_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_line(LOG_LEVEL_INFO, fmt, args);
	va_end(args);
}

void
log_debug(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_line(LOG_LEVEL_DEBUG, fmt, args);
	va_end(args);
}

void
log_hold(struct log_lines *lines)
{
	write_held();
	held = lines;
}

void
log_release(void)
{
	write_held();
	held = NULL;
}
