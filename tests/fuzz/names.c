/*
 * A file's name on its way from a request to the header of a download: UTF-8,
 * file_name_make, the URLs of the component, how the web side reads them, and
 * Content-Disposition. Input: the name, in which a line may end.
 */
#include "component/file_name.h"

#include <stdbool.h>

#include "component/url.h"
#include "fcgi/disposition.h"
#include "fcgi/http.h"
#include "schema/text.h"
#include "tests/fuzz/fuzz.h"

#define BASE "https://upload.example.org/a%20b/"
#define TOKEN "abcdefghijklmnopqrstuvwxyz"
#define SECRET "234567abcdefghijklmnopqrst"

/* ---- UTF-8 and percent-encoding ---- */

/* The table 3-7 of the Unicode standard: the well-formed sequences, by the
 * first byte and the bounds of the second. */
static const struct {
	unsigned char first[2], second[2];
	int len;
} sequences[] = {
    {{0x01, 0x7f}, {0x00, 0xff}, 1},
    {{0xc2, 0xdf}, {0x80, 0xbf}, 2},
    {{0xe0, 0xe0}, {0xa0, 0xbf}, 3},
    {{0xe1, 0xec}, {0x80, 0xbf}, 3},
    {{0xed, 0xed}, {0x80, 0x9f}, 3},
    {{0xee, 0xef}, {0x80, 0xbf}, 3},
    {{0xf0, 0xf0}, {0x90, 0xbf}, 4},
    {{0xf1, 0xf3}, {0x80, 0xbf}, 4},
    {{0xf4, 0xf4}, {0x80, 0x8f}, 4},
};

/* The length of the sequence that p begins with; -1: ill-formed. */
static int
sequence_length(const unsigned char *p)
{
	for (size_t i = 0; i < sizeof(sequences) / sizeof(*sequences); i++) {
		int len = sequences[i].len;

		if (p[0] < sequences[i].first[0] ||
		    p[0] > sequences[i].first[1])
			continue;
		if (len > 1 && (p[1] < sequences[i].second[0] ||
				   p[1] > sequences[i].second[1]))
			return -1;
		for (int n = 2; n < len; n++)
			if (p[n] < 0x80 || p[n] > 0xbf)
				return -1;
		return len;
	}
	return -1;
}

static void
check_utf8(const char *text)
{
	const char *p = text;
	uint32_t c;
	int len = 1;

	while (*p && len > 0) {
		len = sequence_length((const unsigned char *)p);
		FUZZ_CLAIM(text_decode(p, &c) == len);
		p += len > 0 ? len : 0;
	}
	FUZZ_CLAIM(text_is_utf8(text) == (len > 0));
	FUZZ_CLAIM(text_is_utf8(text) || !text_is_clean(text));
}

/* Whether encoded, up to its end, is what percent-encoding makes of text. */
static bool
decodes_to(const char *encoded, const char *text)
{
	for (; *encoded && *text; text++) {
		unsigned int byte = (unsigned char)*encoded;

		if (byte == '%') {
			FUZZ_CLAIM(sscanf(encoded + 1, "%2X", &byte) == 1);
			encoded += 2;
		}
		encoded++;
		if (byte != (unsigned char)*text)
			return false;
	}
	return *encoded == *text;
}

static void
check_percent(const char *text)
{
	size_t most = 3 * strlen(text) + 1;
	char *encoded = malloc(most);

	FUZZ_CLAIM(encoded != NULL);
	size_t len = text_percent_encode(text, encoded, most);
	FUZZ_CLAIM(len == strlen(encoded));
	FUZZ_CLAIM(strspn(encoded, "abcdefghijklmnopqrstuvwxyz0123456789-._~%"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == len);
	FUZZ_CLAIM(decodes_to(encoded, text));
	/* one byte too few is too few */
	FUZZ_CLAIM(text_percent_encode(text, encoded, len) == 0);
	FUZZ_CLAIM(len == 0 || *encoded == '\0');
	free(encoded);
}

/* ---- the name that a slot gets ---- */

/* In UTF-8: the ends of lines and of paragraphs, and what turns the direction
 * of writing around. */
static const char *const unwanted[] = {"/", "\\", "\u2028", "\u2029", "\u202a",
    "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068",
    "\u2069"};

static void
check_safe(const char *name)
{
	FUZZ_CLAIM(*name != '\0' && strlen(name) <= STORE_NAME_MAX);
	FUZZ_CLAIM(text_is_clean(name));
	FUZZ_CLAIM(name[strspn(name, ".")] != '\0');
	for (size_t i = 0; i < sizeof(unwanted) / sizeof(*unwanted); i++)
		FUZZ_CLAIM(strstr(name, unwanted[i]) == NULL);
}

/* An ending that has nothing unwanted in it is kept. */
static void
check_ending(const char *asked, const char *name)
{
	const char *ending = strrchr(asked, '.');

	if (ending == NULL || ending == asked || strlen(ending) > 20 ||
	    !text_is_clean(ending) || ending[1] == '\0')
		return;
	for (size_t i = 0; i < sizeof(unwanted) / sizeof(*unwanted); i++)
		if (strstr(ending, unwanted[i]) != NULL)
			return;
	FUZZ_CLAIM(strlen(name) >= strlen(ending));
	FUZZ_CLAIM(strcmp(name + strlen(name) - strlen(ending), ending) == 0);
}

/* 1 and the name that was made of the text. */
static int
check_name(const char *asked, char name[STORE_NAME_MAX + 1])
{
	char again[STORE_NAME_MAX + 1];
	int made = file_name_make(asked, name);

	FUZZ_CLAIM(made == (*asked != '\0' && text_is_utf8(asked)));
	if (made != 1)
		return 0;
	check_safe(name);
	check_ending(asked, name);
	FUZZ_CLAIM(file_name_make(name, again) == 1);
	FUZZ_CLAIM(strcmp(again, name) == 0);
	return 1;
}

/* ---- its URLs ---- */

/* The web side finds in the URL what the component put there. */
static void
check_url(const char *url, enum http_target target, const char *name)
{
	char *params[] = {NULL, NULL};
	struct http_request request = {.params = params};

	FUZZ_CLAIM(strncmp(url, BASE, strlen(BASE)) == 0);
	for (const char *p = url; *p; p++)
		FUZZ_CLAIM(*p > ' ' && *p <= '~' && !strchr("\"<>#?", *p));
	FUZZ_CLAIM(decodes_to(strrchr(url, '/') + 1, name));

	FUZZ_CLAIM(asprintf(&params[0], "REQUEST_URI=%s", url) >= 0);
	http_parse(&request);
	FUZZ_CLAIM(request.target == target);
	FUZZ_CLAIM(strcmp(request.token, TOKEN) == 0);
	if (target == HTTP_TARGET_PUT_URL)
		FUZZ_CLAIM(strcmp(request.secret, SECRET) == 0);
	free(params[0]);
}

static void
check_urls(const char *name)
{
	char *put = url_put(BASE, TOKEN, SECRET, name);
	char *get = url_get(BASE, TOKEN, name);

	FUZZ_CLAIM(put != NULL && get != NULL);
	check_url(put, HTTP_TARGET_PUT_URL, name);
	check_url(get, HTTP_TARGET_GET_URL, name);
	free(put);
	free(get);
}

/* ---- the header of a download ---- */

/* Of any text: a row may have been changed by hand. */
static void
check_disposition(const char *name, bool is_inline)
{
	const char *type = is_inline ? "inline" : "attachment";
	char exact[DISPOSITION_MAX], buf[DISPOSITION_MAX];
	size_t len;

	disposition_format(is_inline, name, buf, sizeof(buf));
	len = strlen(type);
	FUZZ_CLAIM(strncmp(buf, type, len) == 0);
	for (const char *p = buf; *p; p++)
		FUZZ_CLAIM(*p >= ' ' && *p <= '~' && *p != '\\');
	if (*name == '\0' || strlen(name) > STORE_NAME_MAX) {
		FUZZ_CLAIM(buf[len] == '\0');
		return;
	}
	FUZZ_CLAIM(strncmp(buf + len, "; filename=\"", 12) == 0);
	const char *end = strchr(buf + len + 12, '"');
	FUZZ_CLAIM(end != NULL);
	if (strncmp(end, "\"; filename*=UTF-8''", 20) == 0)
		FUZZ_CLAIM(decodes_to(end + 20, name));
	else
		FUZZ_CLAIM(strcmp(end, "\"") == 0);
	/* a byte too few: without the name, rather than with half of it */
	len = strlen(buf);
	disposition_format(is_inline, name, exact, len + 1);
	FUZZ_CLAIM(strcmp(exact, buf) == 0);
	disposition_format(is_inline, name, exact, len);
	FUZZ_CLAIM(strcmp(exact, type) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *asked = fuzz_string(data, size);
	char name[STORE_NAME_MAX + 1];

	check_utf8(asked);
	check_percent(asked);
	check_disposition(asked, true);
	check_disposition(asked, false);
	if (check_name(asked, name) == 1) {
		check_urls(name);
		check_disposition(name, false);
	}
	free(asked);
	return 0;
}
