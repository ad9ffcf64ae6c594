#include "fcgi/http_date.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Own names, own parser: strftime and strptime speak the locale's language,
 * and strptime takes much that is no HTTP date. */
static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday",
    "Thursday", "Friday", "Saturday", NULL};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", NULL};

/* The forms, in strptime's notation; %e is a day padded with a blank. */
static const char *const forms[] = {
    "%a, %d %b %Y %H:%M:%S GMT", /* IMF-fixdate */
    "%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
    "%a %b %e %H:%M:%S %Y",      /* asctime */
};

struct date {
	int year, month, day; /* month from 0 */
	int hour, minute, second;
	bool short_year; /* of two digits */
};

char *
http_date_format(int64_t when, char buf[HTTP_DATE_LEN + 1])
{
	time_t seconds = (time_t)when;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || tm.tm_year > 9999 - 1900)
		memset(&tm, 0, sizeof(tm));
	snprintf(buf, HTTP_DATE_LEN + 1,
	    "%.3s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday % 7],
	    (unsigned)tm.tm_mday % 100, months[tm.tm_mon % 12],
	    (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
	    (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
	return buf;
}

static bool
read_digits(const char **p, int count, int *value)
{
	for (*value = 0; count > 0; count--, ++*p) {
		if (**p < '0' || **p > '9')
			return false;
		*value = *value * 10 + (**p - '0');
	}
	return true;
}

/* Reads one of the names, or its first len letters. Case counts (5.6.7). */
static bool
read_name(const char **p, const char *const *names, size_t len, int *index)
{
	for (*index = 0; names[*index]; ++*index) {
		const char *name = names[*index];
		size_t n = len ? len : strlen(name);

		if (strncmp(*p, name, n) == 0) {
			*p += n;
			return true;
		}
	}
	return false;
}

/* Reads what one conversion of a form stands for. */
static bool
read_field(const char **p, char conversion, struct date *date)
{
	int weekday;

	switch (conversion) {
	case 'a':
		return read_name(p, days, 3, &weekday);
	case 'A':
		return read_name(p, days, 0, &weekday);
	case 'b':
		return read_name(p, months, 0, &date->month);
	case 'd':
		return read_digits(p, 2, &date->day);
	case 'e':
		if (**p != ' ')
			return read_digits(p, 2, &date->day);
		++*p;
		return read_digits(p, 1, &date->day);
	case 'y':
		date->short_year = true;
		return read_digits(p, 2, &date->year);
	case 'Y':
		return read_digits(p, 4, &date->year);
	case 'H':
		return read_digits(p, 2, &date->hour);
	case 'M':
		return read_digits(p, 2, &date->minute);
	case 'S':
		return read_digits(p, 2, &date->second);
	default:
		return false;
	}
}

static bool
read_form(const char *text, const char *form, struct date *date)
{
	for (; *form; form++) {
		if (*form == '%') {
			if (!read_field(&text, *++form, date))
				return false;
		} else if (*text++ != *form) {
			return false;
		}
	}
	return *text == '\0';
}

/* Seconds since 1970; false if the calendar has no such day. */
static bool
resolve(const struct date *date, int64_t *when)
{
	struct tm tm = {.tm_year = date->year - 1900,
	    .tm_mon = date->month,
	    .tm_mday = date->day,
	    .tm_hour = date->hour,
	    .tm_min = date->minute,
	    .tm_sec = date->second};

	if (date->hour > 23 || date->minute > 59 || date->second > 60)
		return false;
	*when = timegm(&tm);
	/* A leap second may have moved the day, so compare before midnight. */
	tm = (struct tm){.tm_year = date->year - 1900,
	    .tm_mon = date->month,
	    .tm_mday = date->day};
	timegm(&tm);
	return tm.tm_mday == date->day;
}

/* 5.6.7: a two-digit year that appears to be more than 50 years in the future
 * is the most recent one in the past with those digits. */
static void
add_century(struct date *date, int64_t now)
{
	time_t seconds = (time_t)now;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm))
		return;
	int this_year = tm.tm_year + 1900;

	date->year += this_year / 100 * 100;
	if (date->year > this_year + 50)
		date->year -= 100;
}

int
http_date_parse(const char *text, int64_t now, int64_t *when)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct date date = {0};
		int64_t result;

		if (!read_form(text, forms[i], &date))
			continue;
		if (date.short_year)
			add_century(&date, now);
		if (!resolve(&date, &result))
			return 0;
		*when = result;
		return 1;
	}
	return 0;
}
