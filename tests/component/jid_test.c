#include <check.h>
#include <stdio.h>
#include <string.h>

#include "component/jid.h"
#include "tests/suite.h"

static const struct {
	const char *jid;
	const char *bare;
} good[] = {
    {"romeo@montague.tld/garden", "romeo@montague.tld"},
    {"romeo@montague.tld", "romeo@montague.tld"},
    {"gateway.montague.tld", "gateway.montague.tld"},
    {"gateway.montague.tld/x", "gateway.montague.tld"},
    {"Romeo@Montague.TLD/Garden", "Romeo@montague.tld"},
    {"romeo@montague.tld/a@b/c", "romeo@montague.tld"},
    {"montague.tld/a@b", "montague.tld"},
    {"romeo@montague.tld/with a blank", "romeo@montague.tld"},
    {"d'artagnan&\\20x@musketeers.lit", "d'artagnan&\\20x@musketeers.lit"},
    {"\xc3\xa8@\xc3\x88.lit", "\xc3\xa8@\xc3\x88.lit"},
    {"a@[::1]", "a@[::1]"},
    {"a@b/", "a@b"},
};

START_TEST(a_jid_loses_its_resource_and_the_case_of_its_domain)
{
	char bare[STORE_OWNER_MAX + 1];

	ck_assert_int_eq(jid_bare(good[_i].jid, bare), 1);
	ck_assert_str_eq(bare, good[_i].bare);
}
END_TEST

static const char *const bad[] = {
    "",
    "/",
    "@",
    "/resource",
    "@montague.tld",
    "romeo@",
    "romeo@/garden",
    "romeo@montague@capulet",
    "romeo montague.tld",
    "ro meo@montague.tld",
    "romeo@monta\ngue.tld",
    "ro\x7fmeo@montague.tld",
    "ro\xff@montague.tld",
};

START_TEST(an_unusable_jid_is_refused)
{
	char bare[STORE_OWNER_MAX + 1];

	ck_assert_int_eq(jid_bare(bad[_i], bare), 0);
	ck_assert_str_eq(bare, "");
}
END_TEST

static const struct {
	int local, domain, result;
} sizes[] = {
    {1023, 1023, 1},
    {1024, 1023, 0},
    {1023, 1024, 0},
    {0, 1023, 1},
    {0, 1024, 0},
    {5000, 5000, 0},
};

START_TEST(the_parts_have_the_length_that_rfc_7622_gives_them)
{
	char jid[16384];
	char bare[STORE_OWNER_MAX + 1];
	char *end = jid;

	memset(end, 'l', (size_t)sizes[_i].local);
	end += sizes[_i].local;
	if (sizes[_i].local > 0)
		*end++ = '@';
	memset(end, 'd', (size_t)sizes[_i].domain);
	end += sizes[_i].domain;
	memcpy(end, "/resource", sizeof("/resource"));
	ck_assert_int_eq(jid_bare(jid, bare), sizes[_i].result);
}
END_TEST

START_TEST(a_domain_has_its_own_addresses_and_no_others)
{
	ck_assert(jid_is_at("upload.example.org", "upload.example.org"));
	ck_assert(jid_is_at("a@Upload.example.org/b", "upload.example.org"));
	ck_assert(jid_is_at("upload.example.org/b", "upload.example.org"));
	ck_assert(!jid_is_at("example.org", "upload.example.org"));
	ck_assert(!jid_is_at("x.upload.example.org", "upload.example.org"));
	ck_assert(!jid_is_at("@upload.example.org", "upload.example.org"));
	ck_assert(!jid_is_at("upload.example.org@evil", "upload.example.org"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("jid");
	TCase *tc = tcase_create("jid");

	tcase_add_loop_test(tc,
	    a_jid_loses_its_resource_and_the_case_of_its_domain, 0,
	    COUNT(good));
	tcase_add_loop_test(tc, an_unusable_jid_is_refused, 0, COUNT(bad));
	tcase_add_loop_test(tc,
	    the_parts_have_the_length_that_rfc_7622_gives_them, 0,
	    COUNT(sizes));
	tcase_add_test(tc, a_domain_has_its_own_addresses_and_no_others);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
