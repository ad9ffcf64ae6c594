#include "schema/config_value_text.h"

#include <check.h>
#include <string.h>

#include "schema/config_value.h"
#include "tests/suite.h"

#define LABEL_63 \
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

/* A text and its normal form; NULL: refused. */
static const struct form {
	int (*function)(const char *, struct config_value *);
	const char *text, *normal;
} forms[] = {
    {config_value_text_clean, "No; ask \xe2\x82\xac #1",
	"No; ask \xe2\x82\xac #1"},
    {config_value_text_clean, "a\tb", NULL},
    {config_value_text_clean, "a\x1b[31m", NULL},
    {config_value_text_clean, "a\xff", NULL},
    {config_value_text_header, "GET, PUT; x=\"y\"", "GET, PUT; x=\"y\""},
    {config_value_text_header, "a\tb", NULL},
    {config_value_text_header, "a\x7f", NULL},
    {config_value_text_header, "caf\xc3\xa9", NULL},
    {config_value_text_path, "/var/lib/x", "/var/lib/x"},
    {config_value_text_path, "var/lib/x", NULL},
    {config_value_text_path, "./x", NULL},
    {config_value_text_domain, "upload.example.org", "upload.example.org"},
    {config_value_text_domain, "Upload.EXAMPLE.org", "upload.example.org"},
    {config_value_text_domain, "upload.ex\xc3\xa4mple.org",
	"upload.ex\xc3\xa4mple.org"},
    {config_value_text_domain, "localhost", "localhost"},
    {config_value_text_domain, LABEL_63 ".x", LABEL_63 ".x"},
    {config_value_text_domain, LABEL_63 "l.x", NULL},
    {config_value_text_domain, LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63,
	NULL},
    {config_value_text_domain, "a..b", NULL},
    {config_value_text_domain, ".a", NULL},
    {config_value_text_domain, "a.", NULL},
    {config_value_text_domain, "-a.b", NULL},
    {config_value_text_domain, "a-.b", NULL},
    {config_value_text_domain, "a_b.c", NULL},
    {config_value_text_domain, "a b.c", NULL},
    {config_value_text_domain, "user@a.b", NULL},
    {config_value_text_domain, "a.b/c", NULL},
    {config_value_text_domain, "a.b:5347", NULL},
    {config_value_text_domain, "a\xff.b", NULL},
    {config_value_text_url, "https://a.example", "https://a.example/"},
    {config_value_text_url, "https://a.example/", "https://a.example/"},
    {config_value_text_url, "https://a.example/x", "https://a.example/x/"},
    {config_value_text_url, "http://a.example/x/", "http://a.example/x/"},
    {config_value_text_url, "https://a.example:8443",
	"https://a.example:8443/"},
    {config_value_text_url, "https://[::1]:80/", "https://[::1]:80/"},
    {config_value_text_url, "https://a.example/%c3%A9/~x/(1)",
	"https://a.example/%c3%A9/~x/(1)/"},
    {config_value_text_url, "ftp://a.example/", NULL},
    {config_value_text_url, "HTTPS://a.example/", NULL},
    {config_value_text_url, "a.example/", NULL},
    {config_value_text_url, "https://", NULL},
    {config_value_text_url, "https:///x", NULL},
    {config_value_text_url, "https://:80/", NULL},
    {config_value_text_url, "https://a.example:/", NULL},
    {config_value_text_url, "https://a.example:0/", NULL},
    {config_value_text_url, "https://a.example:65536/", NULL},
    {config_value_text_url, "https://a.example:4294967376/", NULL},
    {config_value_text_url, "https://user@a.example/", NULL},
    {config_value_text_url, "https://a.example/?x", NULL},
    {config_value_text_url, "https://a.example/#x", NULL},
    {config_value_text_url, "https://a.example/a b", NULL},
    {config_value_text_url, "https://a.example/\"", NULL},
    {config_value_text_url, "https://a.example/%", NULL},
    {config_value_text_url, "https://a.example/%4", NULL},
    {config_value_text_url, "https://a.example/%4x", NULL},
    {config_value_text_url, "https://a.example/\xc3\xa9", NULL},
    {config_value_text_url, "https://[::1/", NULL},
    {config_value_text_url, "https://[]/", NULL},
    {config_value_text_url_path, "/", "/"},
    {config_value_text_url_path, "/_a/B-1.~", "/_a/B-1.~/"},
    {config_value_text_url_path, "/x/", "/x/"},
    {config_value_text_url_path, "x/", NULL},
    {config_value_text_url_path, "/a b", NULL},
    {config_value_text_url_path, "/a%20b", NULL},
    {config_value_text_url_path, "/x?y", NULL},
    {config_value_text_patterns, "*", "*"},
    {config_value_text_patterns, ",a@b\t@c , d,,", "a@b|@c|d"},
    {config_value_text_patterns, "a@b,*@c", NULL},
    {config_value_text_patterns, "*.example.org", NULL},
    {config_value_text_patterns, "a@", NULL},
    {config_value_text_patterns, "@", NULL},
    {config_value_text_patterns, "a@b@c", NULL},
    {config_value_text_patterns, "a@b/c", NULL},
    {config_value_text_patterns, " , ", NULL},
};

/* The value as one text: a list's elements joined with '|'. */
static void
join(const struct config_value *value, char *buf, size_t len)
{
	size_t used = 0;

	if (value->list == NULL) {
		snprintf(buf, len, "%s", value->text);
		return;
	}
	for (char **p = value->list; *p != NULL; p++)
		used += (size_t)snprintf(buf + used, len - used, "%s%s",
		    p == value->list ? "" : "|", *p);
}

START_TEST(a_text_is_refused_or_put_into_normal_form)
{
	const struct form *form = &forms[_i];
	struct config_value value = {.number = 0};
	char normal[300] = "";
	int result = form->function(form->text, &value);

	if (form->normal == NULL) {
		ck_assert_msg(result == 0, "\"%s\" was taken", form->text);
	} else {
		ck_assert_msg(result == 1, "\"%s\" was refused", form->text);
		join(&value, normal, sizeof(normal));
		ck_assert_str_eq(normal, form->normal);
	}
	config_value_free(&value);
	ck_assert_ptr_null(value.text);
	ck_assert_ptr_null(value.list);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config_value_text");
	TCase *tc = tcase_create("config_value_text");

	tcase_add_loop_test(
	    tc, a_text_is_refused_or_put_into_normal_form, 0, COUNT(forms));
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
