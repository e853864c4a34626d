/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse_test.c - from text to ast: every construct, every span, every kind of value. */
#include "tests/unit/parse_run.h"

static const struct cni_ast_decl *nth(const struct run *run, size_t n)
{
	const struct cni_ast_decl *d = run->decls;

	while (n--)
		d = d->next;
	return d;
}

static void assert_span(const struct run *run, struct cni_span span, const char *text)
{
	size_t at = span.begin - run->source->base;

	assert_true(span.begin >= run->source->base && span.end <= run->source->base + run->source->len);
	assert_int_equal(span.end - span.begin, strlen(text));
	assert_memory_equal(run->source->text + at, text, strlen(text));
}

static void every_construct(void **state)
{
	static const enum cni_decl_kind kinds[] = {
		CNI_DECL_DEFINE, CNI_DECL_DEFINE, CNI_DECL_SERVICE, CNI_DECL_SERVICE, CNI_DECL_LAN,
		CNI_DECL_LINK,	 CNI_DECL_LINK,	  CNI_DECL_TUNNEL,  CNI_DECL_POLICY,  CNI_DECL_EXPECT,
		CNI_DECL_EXPECT, CNI_DECL_EXPECT, CNI_DECL_EXPECT,  CNI_DECL_PROFILE, CNI_DECL_OPTIONS,
		CNI_DECL_VAR,	 CNI_DECL_LINK,	  CNI_DECL_INCLUDE,
	};
	struct run *run = good(samples);
	const struct cni_ast_decl *d;
	const struct cni_ast_route *r;
	const struct cni_ast_field *f;

	(void)state;
	assert_int_equal(count(run), sizeof(kinds) / sizeof(*kinds));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		assert_int_equal(nth(run, i)->kind, kinds[i]);

	d = nth(run, 0);
	assert_string_equal(d->name.text, "office");
	assert_int_equal(d->values->kind, CNI_VALUE_LIST);
	assert_int_equal(d->values->list->kind, CNI_VALUE_PREFIX);
	assert_int_equal(d->values->list->prefix.len, 16);
	assert_false(d->values->list->after_comma);
	assert_true(d->values->list->next->after_comma);
	assert_int_equal(d->values->list->next->prefix.addr.family, CNI_V6);
	assert_span(run, d->values->span, "{ 10.10.0.0/16, 2001:db8:10::/48 }");

	d = nth(run, 1);
	assert_int_equal(d->values->kind, CNI_VALUE_FILE);
	assert_string_equal(d->values->text, "saas.prefixes");

	d = nth(run, 2);
	assert_string_equal(d->service->protocol.text, "udp");
	assert_int_equal(d->service->ports->lo, 5060);
	assert_int_equal(d->service->ports->hi, 5061);
	assert_int_equal(d->service->next->ports->hi, 20000);

	f = cni_ast_field(nth(run, 5)->fields, "device");
	assert_span(run, f->span, "device   eth1 vlan 100;");
	assert_string_equal(f->values->next->text, "vlan");
	assert_false(f->values->next->after_comma);
	assert_int_equal(f->values->next->next->lo, 100);
	f = cni_ast_field(nth(run, 5)->fields, "bgp");
	assert_true(f->has_block && !f->values);
	assert_string_equal(f->block->next->name.text, "peer-as");

	f = cni_ast_field(nth(run, 7)->fields, "over");
	assert_string_equal(f->values->next->text, "then");
	f = cni_ast_field(nth(run, 7)->fields, "track");
	assert_int_equal(f->block->values->kind, CNI_VALUE_DURATION);
	f = cni_ast_field(f->block, "loss");
	assert_int_equal(f->values->kind, CNI_VALUE_PERCENT);
	assert_int_equal(f->values->lo, 100);
	assert_int_equal(f->values->next->next->lo, 500);
	f = cni_ast_field(nth(run, 16)->fields, "health");
	assert_true(f->has_block);
	assert_string_equal(f->values->text, "legacy");
	assert_int_equal(cni_ast_field(nth(run, 16)->fields, "device")->values->kind, CNI_VALUE_VAR);

	d = nth(run, 8);
	assert_int_equal(d->devices->kind, CNI_VALUE_WORD);
	assert_int_equal(d->devices->next->kind, CNI_VALUE_STRING);
	assert_string_equal(d->devices->next->text, "eth1.100");
	assert_string_equal(d->devices->next->next->text, "local");
	assert_int_equal(d->otherwise, CNI_VERDICT_DROP);
	assert_span(run, d->otherwise_span, "else drop");
	r = d->routes;
	assert_int_equal(r->matches->kind, CNI_MATCH_SERVICE);
	assert_string_equal(r->matches->service->ports->text, "voip");
	assert_null(r->matches->service->protocol.text);
	assert_true(r->path.members->next->then);
	assert_int_equal(r->path.otherwise, CNI_VERDICT_DROP);
	assert_span(run, r->path.otherwise_span, "else drop");
	r = r->next->next;
	assert_true(r->path.members->masquerade);
	assert_int_equal(r->path.otherwise, CNI_VERDICT_REJECT);
	r = r->next;
	assert_int_equal(r->path.members->weight->lo, 3);
	assert_false(r->path.members->next->then);
	assert_span(run, r->path.members->next->span, "cf2 weight 1");
	r = r->next;
	assert_true(r->matches->negated);
	assert_span(run, r->matches->span, "not from office");
	assert_int_equal(r->path.verdict, CNI_VERDICT_MAIN);
	assert_true(r->path.masquerade);
	r = r->next;
	assert_string_equal(r->matches->protocol.text, "udp");
	assert_int_equal(r->matches->kind, CNI_MATCH_DPORT);
	assert_span(run, r->source->span, "192.0.2.1");
	assert_int_equal(r->path.otherwise, CNI_VERDICT_MAIN);
	r = r->next;
	assert_int_equal(r->matches->kind, CNI_MATCH_ICMP);
	assert_string_equal(r->matches->values->text, "echo-request");
	assert_int_equal(r->matches->next->kind, CNI_MATCH_ICMPV6);
	assert_int_equal(r->path.verdict, CNI_VERDICT_DROP);
	r = r->next;
	assert_int_equal(r->matches->kind, CNI_MATCH_SPORT);
	assert_int_equal(r->matches->next->kind, CNI_MATCH_DPORT);
	assert_string_equal(r->matches->next->protocol.text, "tcp");
	assert_int_equal(r->matches->next->values->list->next->lo, 443);
	r = r->next;
	assert_int_equal(r->matches->kind, CNI_MATCH_PROTO);
	assert_string_equal(r->matches->values->list->text, "icmp");
	assert_string_equal(r->matches->next->service->next->ports->text, "voip");
	assert_null(r->next);

	assert_string_equal(nth(run, 9)->target.text, "cf1");
	assert_true(nth(run, 10)->negated);
	assert_span(run, nth(run, 10)->outcome_span, "never via isp");
	assert_string_equal(nth(run, 11)->down->next->text, "cf2");
	assert_int_equal(nth(run, 11)->outcome, CNI_VERDICT_DROP);
	assert_int_equal(nth(run, 12)->outcome, CNI_VERDICT_MAIN);
	assert_int_equal(nth(run, 13)->values->lo, 2026);
	assert_int_equal(nth(run, 14)->fields->values->lo, 0xffff);
	assert_string_equal(nth(run, 17)->values->text, "common/saas.cni");
	done(run);
}

/* Every word and value has the span of its own text; blocks have those of their braces. */
static void walk_values(const struct run *run, const struct cni_ast_value *v)
{
	for (; v; v = v->next) {
		if (v->kind == CNI_VALUE_WORD)
			assert_span(run, v->span, v->text);
		assert_true(v->span.end > v->span.begin);
		walk_values(run, v->list);
	}
}

static void walk_fields(const struct run *run, const struct cni_ast_field *f)
{
	for (; f; f = f->next) {
		const char *last = run->source->text + (f->span.end - 1 - run->source->base);

		assert_span(run, f->name.span, f->name.text);
		assert_int_equal(f->span.begin, f->name.span.begin);
		assert_int_equal(*last, f->has_block ? '}' : ';');
		walk_values(run, f->values);
		walk_fields(run, f->block);
	}
}

static void spans(void **state)
{
	struct run *run = good(samples);
	uint32_t end = run->source->base;

	(void)state;
	for (const struct cni_ast_decl *d = run->decls; d; d = d->next) {
		const char *last = run->source->text + (d->span.end - 1 - run->source->base);

		assert_true(d->span.begin >= end);
		assert_true(*last == ';' || *last == '}');
		assert_span(run, d->name.span, d->name.text);
		end = d->span.end;
		walk_values(run, d->values);
		walk_values(run, d->devices);
		walk_fields(run, d->fields);
		for (const struct cni_ast_route *r = d->routes; r; r = r->next) {
			assert_span(run, r->name.span, r->name.text);
			for (const struct cni_ast_match *m = r->matches; m; m = m->next)
				walk_values(run, m->values);
			for (const struct cni_ast_member *m = r->path.members; m; m = m->next)
				assert_span(run, m->target.span, m->target.text);
		}
	}
	done(run);
}

/* Words of the language are words like others where fields and values stand. */
static void words_in_blocks(void **state)
{
	struct run *run = good("link a { source to main; drop file; file \"x\"; md5 file \"y\"; over via then else;\n"
			       "route from dport; bare; x { policy on; } }");
	const struct cni_ast_field *f = run->decls->fields;

	(void)state;
	assert_string_equal(f->name.text, "source");
	assert_string_equal(f->values->next->text, "main");
	f = f->next;
	assert_int_equal(f->values->kind, CNI_VALUE_WORD);
	f = f->next;
	assert_string_equal(f->name.text, "file");
	assert_int_equal(f->values->kind, CNI_VALUE_STRING);
	f = f->next;
	assert_int_equal(f->values->kind, CNI_VALUE_FILE);
	assert_string_equal(f->values->text, "y");
	f = cni_ast_field(f, "bare");
	assert_true(!f->values && !f->has_block);
	done(run);
}

static void literals(void **state)
{
	static const struct {
		const char *text;
		enum cni_value_kind kind;
		uint64_t lo, hi;
	} rows[] = {
		{ "0", CNI_VALUE_NUMBER, 0, 0 },
		{ "010", CNI_VALUE_NUMBER, 10, 10 },
		{ "0xFf", CNI_VALUE_NUMBER, 255, 255 },
		{ "18446744073709551615", CNI_VALUE_NUMBER, UINT64_MAX, UINT64_MAX },
		{ "5060-5061", CNI_VALUE_NUMBER, 5060, 5061 },
		{ "500ms", CNI_VALUE_DURATION, 500, 500 },
		{ "1s", CNI_VALUE_DURATION, 1000, 1000 },
		{ "2m", CNI_VALUE_DURATION, 120000, 120000 },
		{ "1h", CNI_VALUE_DURATION, 3600000, 3600000 },
		{ "4294967295ms", CNI_VALUE_DURATION, UINT32_MAX, UINT32_MAX },
		{ "0.1%", CNI_VALUE_PERCENT, 100, 100 },
		{ "12.345%", CNI_VALUE_PERCENT, 12345, 12345 },
		{ "100%", CNI_VALUE_PERCENT, 100000, 100000 },
		{ "1.5000%", CNI_VALUE_PERCENT, 1500, 1500 },
		{ "10.0.0.1", CNI_VALUE_ADDR, 0, 0 },
		{ "10.0.0.1/8", CNI_VALUE_PREFIX, 0, 0 }, /* host bits are the resolver's business */
		{ "::/0", CNI_VALUE_PREFIX, 0, 0 },
		{ "10.0.0.9-10.0.0.1", CNI_VALUE_RANGE, 0, 0 },
		{ "fe80::1-fe80::9", CNI_VALUE_RANGE, 0, 0 },
		{ "\"eth1.100\"", CNI_VALUE_STRING, 0, 0 },
		{ "$x", CNI_VALUE_VAR, 0, 0 },
		{ "abcd", CNI_VALUE_WORD, 0, 0 },
		{ "eth1.100", CNI_VALUE_STRING, 0, 0 }, /* only here: the shell takes the quotes away */
		{ "{ 1, { 2 }, }", CNI_VALUE_LIST, 0, 0 },
		{ "file \"x\"", CNI_VALUE_FILE, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct run *run = begin(rows[i].text, strlen(rows[i].text));
		const struct cni_ast_value *v = cni_parse_value(run->arena, run->source, &run->diags);

		assert_string_equal(mistakes(run), "");
		assert_non_null(v);
		assert_int_equal(v->kind, rows[i].kind);
		assert_true(v->lo == rows[i].lo && v->hi == rows[i].hi);
		assert_span(run, v->span, rows[i].text);
		done(run);
	}
}

static void no_values(void **state)
{
	static const char *const rows[] = {
		"", "1 2", ";", "drop", "x;", "{", "}", "1.2.3.4/33", "a}", "define a = 1;"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct run *run = begin(rows[i], strlen(rows[i]));

		assert_null(cni_parse_value(run->arena, run->source, &run->diags));
		assert_int_not_equal(run->diags.n_errors, 0);
		done(run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_construct), cmocka_unit_test(spans),	cmocka_unit_test(words_in_blocks),
		cmocka_unit_test(literals),	   cmocka_unit_test(no_values),
	};

	return cmocka_run_group_tests_name("parser", tests, NULL, NULL);
}
