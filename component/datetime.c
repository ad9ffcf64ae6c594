#include "component/datetime.h"

#include <ctype.h>
#include <stdbool.h>
#include <time.h>

#define LAST_SECOND INT64_C(253402300799) /* of the year 9999 */

/* Reads exactly n digits with a value in [min, max], and moves on. */
static bool
read_number(const char **text, int n, const int range[2], int *out)
{
	int value = 0;

	for (; n > 0; n--, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		value = value * 10 + (**text - '0');
	}
	*out = value;
	return value >= range[0] && value <= range[1];
}

static bool
read_char(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01. */
static int64_t
days_before(int year, int month, int day)
{
	int64_t y = year - 1;
	int64_t days = y * 365 + y / 4 - y / 100 + y / 400 - 719162;

	for (int m = 1; m < month; m++)
		days += days_in_month(year, m);
	return days + day - 1;
}

static bool
read_date(const char **text, int64_t *days)
{
	int year, month, day;

	if (!read_number(text, 4, (const int[]){1, 9999}, &year) ||
	    !read_char(text, '-') ||
	    !read_number(text, 2, (const int[]){1, 12}, &month) ||
	    !read_char(text, '-') ||
	    !read_number(text, 2, (const int[]){1, 31}, &day) ||
	    day > days_in_month(year, month))
		return false;
	*days = days_before(year, month, day);
	return true;
}

static bool
read_time(const char **text, int *seconds)
{
	int hour, minute, second;

	if (!read_number(text, 2, (const int[]){0, 23}, &hour) ||
	    !read_char(text, ':') ||
	    !read_number(text, 2, (const int[]){0, 59}, &minute) ||
	    !read_char(text, ':') ||
	    !read_number(text, 2, (const int[]){0, 60}, &second))
		return false;
	if (read_char(text, '.')) {
		if (!isdigit((unsigned char)**text))
			return false;
		while (isdigit((unsigned char)**text))
			(*text)++;
	}
	*seconds = hour * 3600 + minute * 60 + (second == 60 ? 59 : second);
	return true;
}

/* The time zone definition: seconds east of UTC. */
static bool
read_zone(const char **text, int *offset)
{
	int sign = **text == '-' ? -1 : 1;
	int hour, minute;

	*offset = 0;
	if (read_char(text, 'Z'))
		return true;
	if (!(read_char(text, '+') || read_char(text, '-')) ||
	    !read_number(text, 2, (const int[]){0, 23}, &hour) ||
	    !read_char(text, ':') ||
	    !read_number(text, 2, (const int[]){0, 59}, &minute))
		return false;
	*offset = sign * (hour * 3600 + minute * 60);
	return true;
}

int
datetime_parse(const char *text, int64_t *out)
{
	int64_t days;
	int seconds, offset;

	if (!read_date(&text, &days) || !read_char(&text, 'T') ||
	    !read_time(&text, &seconds) || !read_zone(&text, &offset) ||
	    *text != '\0')
		return 0;
	*out = days * 86400 + seconds - offset;
	return 1;
}

char *
datetime_format(int64_t seconds, char buf[DATETIME_TEXT_MAX])
{
	time_t t = (time_t)(seconds < 0             ? 0
			    : seconds > LAST_SECOND ? LAST_SECOND
						    : seconds);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(buf, DATETIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf;
}
