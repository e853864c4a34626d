/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse_test.c - from text to ast: every construct, spans, mistakes and what recovery makes of them, limits. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/text.h"
#include "grammar/parse.h"

struct run {
	struct cni_arena *arena;
	struct cni_sources sources;
	struct cni_diags diags;
	const struct cni_source *source;
	struct cni_ast_decl *decls;
};

static struct run *begin(const char *text, size_t len)
{
	struct cni_arena *arena = cni_arena_new();
	struct run *run = cni_new(arena, struct run);

	run->arena = arena;
	cni_diags_init(&run->diags, arena);
	/* a text before it: bases are not 1 by accident */
	cni_source_add(arena, &run->sources, "before.cni", "# nothing\n", 10);
	run->source = cni_source_add(arena, &run->sources, "test.cni", text, len);
	return run;
}

static struct run *parse_bytes(const char *text, size_t len)
{
	struct run *run = begin(text, len);
	struct cni_ast_decl **tail = &run->decls;

	cni_parse(run->arena, run->source, &run->diags, &tail);
	assert_null(*tail);
	return run;
}

static struct run *parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void done(struct run *run)
{
	cni_arena_free(run->arena);
}

/* "LINE:COLUMN CODE" of each, in order of places. */
static const char *mistakes(struct run *run)
{
	struct cni_text text = { .arena = run->arena };

	cni_diags_sort(&run->diags);
	for (const struct cni_diag *d = run->diags.first; d; d = d->next) {
		struct cni_place place = cni_place_of(&run->sources, d->span.begin);

		cni_text_printf(&text, "%s%u:%u %d", d == run->diags.first ? "" : ", ", place.line, place.column, d->code);
	}
	return text.data ? text.data : "";
}

static struct run *good(const char *text)
{
	struct run *run = parse(text);

	assert_string_equal(mistakes(run), "");
	return run;
}

static size_t count(const struct run *run)
{
	size_t n = 0;

	for (const struct cni_ast_decl *d = run->decls; d; d = d->next)
		n++;
	return n;
}

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

/* The two policies of the language's description. */
static const char samples[] =
	"define office  = { 10.10.0.0/16, 2001:db8:10::/48 };      # a prefix set\n"
	"define saas    = file \"saas.prefixes\";\n"
	"service voip   = { udp 5060-5061, udp 10000-20000 };\n"
	"service bulk   = { tcp 445, tcp 873, tcp 2049 };\n"
	"lan hq { device eth2; prefix 10.10.0.0/16, 2001:db8:10::/48; }\n"
	"link cni-ams {\n"
	"	kind     classic;                  # express | classic | pni | peering | internet\n"
	"	device   eth1 vlan 100;\n"
	"	address  192.0.2.11/31;\n"
	"	bgp      { local-as 64512; peer-as 13335; }\n"
	"}\n"
	"link isp     { kind internet; device eth0; address 198.51.100.2/30; }\n"
	"tunnel cf1 {\n"
	"	kind     gre;\n"
	"	over     cni-ams then cni-lhr;\n"
	"	local    198.51.100.130;\n"
	"	remote   203.0.113.200;\n"
	"	address  10.100.0.9/31, 2001:db8:ffff::1/127;\n"
	"	health   { direction bidirectional; type request; }\n"
	"	track    { every 1s; down 3; up 5; loss 0.1% over 500ms; }\n"
	"}\n"
	"policy office on eth2, \"eth1.100\", local {\n"
	"	route voip   service voip                          via cf1 then cf2              else drop;\n"
	"	route ef     dscp ef                               via cf1 then cf2              else drop;\n"
	"	route saas   to saas                               via isp masquerade            else reject;\n"
	"	route sites  to { 10.20.0.0/16, 10.30.0.0/16 }     via cf1 weight 3, cf2 weight 1 else drop;\n"
	"	route rest   not from office                       via main masquerade;\n"
	"	route own    udp dport 5060 source 192.0.2.1       via cf1 else main;\n"
	"	route icmp1  icmp echo-request icmpv6 128          drop;\n"
	"	route web    tcp sport 1024-65535 dport {80, 443}  reject;\n"
	"	route other  proto { icmp, 47 } service { udp 53, voip } via cf1 else drop;\n"
	"	else drop;\n"
	"}\n"
	"expect on eth2 from 10.10.0.5 to 198.51.100.9 udp dport 5060   via cf1;\n"
	"expect on eth2 from office to 10.30.0.0/16                     never via isp;\n"
	"expect on \"eth2\" when cf1, cf2 down drop;\n"
	"expect on local to 192.0.2.1 via main;\n"
	"profile 2026;\n"
	"options { mark-mask 0xffff; established follow; }\n"
	"var uplink = \"eth1.100\";\n"
	"link cf      { kind express; device $uplink; health legacy { target 172.64.240.253; } track off; }\n"
	"include \"common/saas.cni\";\n";

static void every_construct(void **state)
{
	static const enum cni_decl_kind kinds[] = {
		CNI_DECL_DEFINE, CNI_DECL_DEFINE, CNI_DECL_SERVICE, CNI_DECL_SERVICE, CNI_DECL_LAN,	CNI_DECL_LINK,
		CNI_DECL_LINK,	 CNI_DECL_TUNNEL, CNI_DECL_POLICY,  CNI_DECL_EXPECT,  CNI_DECL_EXPECT,	CNI_DECL_EXPECT,
		CNI_DECL_EXPECT, CNI_DECL_PROFILE, CNI_DECL_OPTIONS, CNI_DECL_VAR,    CNI_DECL_LINK,	CNI_DECL_INCLUDE,
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
	static const char *const rows[] = { "", "1 2", ";", "drop", "x;", "{", "}", "1.2.3.4/33", "a}", "define a = 1;" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct run *run = begin(rows[i], strlen(rows[i]));

		assert_null(cni_parse_value(run->arena, run->source, &run->diags));
		assert_int_not_equal(run->diags.n_errors, 0);
		done(run);
	}
}

/* All mistakes of a text, at their places, each once; and how many declarations are left. */
static void recovery(void **state)
{
	static const struct {
		const char *text, *mistakes;
		size_t left;
	} rows[] = {
		{ "tunel cf1 { kind gre; x { } }\ndefine a = 1.1.1.1;\n", "1:1 1", 1 },
		{ "define a = { 10.0.0.0/8 10.1.0.0/16 };\nlan b { prefix 1.1.1.1; }", "1:25 1", 1 },
		{ "define a = 10.0.0.0/8\ndefine b = 1.1.1.1;", "1:12 2", 1 },
		{ "lan x { prefix 10.0.0.0/8 }\nlan y { prefix 1.1.1.1 }", "1:16 2, 2:16 2", 0 },
		{ "define drop = 1.1.1.1;\nlan via { a b; }\npolicy tcp on x { }", "1:8 3, 2:5 3, 3:8 3", 0 },
		{ "policy p on x {\nroute a to { b, c via cf1 else drop;\nroute b form x drop;\nroute c via x els drop;\n"
		  "route main via x;\nelse drp;\n}\ndefine x = 1.1.1.1;",
		  "2:12 4, 3:9 1, 4:15 1, 5:7 3, 6:6 1", 1 },
		{ "policy p onn x { route a drp; else drop; }\nprofile 2024;", "1:10 1, 1:26 1", 1 },
		{ "policy p on x { else drop; route a drop; route b drop; }\nprofile 2024;", "1:28 1", 1 },
		{ "policy p on x { route a via b then main; route b via c }\nprofile 2024;", "1:36 3, 1:54 2", 1 },
		{ "lan x {\nbgp { a 1;\nb 2; }\nlink y { kind a; }\nlan z { a b; }", "1:7 4", 2 },
		{ "lan a { b c; }\ntunnel t { kind gre;\nx { a b;", "2:10 4", 1 },
		{ "define s = { a; b };\ndefine t = { a, c;\ndefine u = { c };", "1:15 1, 2:12 4", 1 },
		{ "}\n};\ndefine a = 1.1.1.1; }", "1:1 5, 2:1 5, 3:21 5", 1 },
		{ "lan a { b c; };\nlan b { c d; }", "1:15 1", 2 },
		{ "include \"x;\nvar d = \"a\nvar e = 1s;", "1:9 6, 2:9 2, 2:9 6", 1 },
		{ "lan a { device eth1.100; x @; y 1; }\nlan b { c 'd'; }", "1:16 17, 1:28 9, 2:11 9, 2:13 9", 0 },
		{ "define a = 10.0.0.256;\ndefine b = 10.0.0.0/33;\ndefine c = ::/129;\ndefine d = 1:2;\ndefine e = "
		  "1.1.1.1-::;\ndefine f = 1.1.1.1-2;",
		  "1:12 14, 2:12 15, 3:12 15, 4:12 14, 5:12 16, 6:12 14", 0 },
		{ "var a = 5sec;\nvar b = 18446744073709551616;\nvar c = 1194h;\nvar d = 100.1%;\nvar e = 0.0001%;\nvar f = $ ;",
		  "1:9 11, 2:9 12, 3:9 13, 4:9 20, 5:9 20, 6:9 21", 0 },
		{ "var a = \"x\x01\";\nvar b = \"\xff\";\nvar c = \"\xc0\xaf\";\nvar d = \"\xed\xa0\x80\";\nvar e = \"\xc3\xa9\";\xc3",
		  "1:9 10, 2:9 10, 3:9 10, 4:9 10, 5:14 9", 1 },
		{ "expect on eth2 fro 1.1.1.1 drop;\nexpect on eth2, eth3 drop;\nexpect on eth2 not tcp dport 1 via x;",
		  "1:16 1, 2:15 1", 1 },
		{ "service s = { tcp 80 tcp 90 };\nservice t { tcp 80 };\nservice u = { };\nservice v = $w;",
		  "1:22 1, 2:11 1", 2 },
		{ "lan x { = ; {} a , b; c d; }\nlan y { a { b }; c d; }", "1:9 1, 1:13 1, 1:18 1, 2:13 2, 2:16 1", 0 },
		{ "options { a b; }\noptions x { a b; }\nprofile x;\nroute a drop;", "2:9 1, 3:9 1, 4:1 1", 1 },
		{ "# only a comment", "", 0 },
		{ "", "", 0 },
		{ "define a = 1.1.1.1", "1:12 2", 0 },
		{ "define", "1:7 1", 0 },
		{ "tunel a { b; }\ntunel c { d { e; } f; }\nlan g { h = { i; } j = { k; }; l { m; } }\nprofile 2024;",
		  "1:1 1, 2:1 1, 3:11 1, 3:22 1", 1 },
		{ "{}\n{};\nprofile 2024;", "1:1 1, 2:1 1", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct run *run = parse(rows[i].text);

		assert_string_equal(mistakes(run), rows[i].mistakes);
		if (count(run) != rows[i].left)
			fail_msg("%zu declarations are left of: %s", count(run), rows[i].text);
		done(run);
	}
}

static const struct cni_diag *only(struct run *run)
{
	assert_int_equal(run->diags.n_errors, 1);
	return run->diags.first;
}

static void wording(void **state)
{
	static const struct {
		const char *text, *message, *help;
	} rows[] = {
		{ "tunel a { }", "found `tunel`, expected `lan`, `link`, `tunnel`, `policy`, `define`, `service`, `include`, "
				 "`expect`, …",
		  "did you mean `tunnel`?" },
		{ "define a 1;", "found `1`, expected `=`", NULL },
		{ "define a = 1.1.1.1", "`;` is missing behind `1.1.1.1`", NULL },
		{ "policy a onn b { }", "found `onn`, expected `on`", "did you mean `on`?" },
		{ "lan main { a b; }", "`main` is a word of the language, and no name", NULL },
		{ "policy p on x { route a via b then main; else drop; }", "`main` is a word of the language, and no name",
		  "ordinary routing as the last resort is written `else main`" },
		{ "lan a { b c; };", "a block ends with its `}`: there is no `;` behind it", NULL },
		{ "define a = {", "this `{` is not closed", NULL },
		{ "var a = eth1.100;", "`eth1.100` needs quotes",
		  "write \"eth1.100\": a bare word has only letters, digits, `_` and `-`" },
		{ "lan a { , }", "found `,`, expected a word or `}`", NULL },
		{ "profile", "found the end of the text, expected a number", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct run *run = parse(rows[i].text);
		const struct cni_diag *d = only(run);

		assert_string_equal(d->message, rows[i].message);
		if (rows[i].help)
			assert_string_equal(d->help, rows[i].help);
		else
			assert_null(d->help);
		done(run);
	}
}

static char *repeat(const char *part, size_t n)
{
	size_t len = strlen(part);
	char *text = malloc(n * len + 1);

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		memcpy(text + i * len, part, len);
	text[n * len] = '\0';
	return text;
}

static char *joined(const char *a, char *b, const char *c, char *d, const char *e)
{
	char *text = malloc(strlen(a) + strlen(b) + strlen(c) + strlen(d) + strlen(e) + 1);

	assert_non_null(text);
	strcpy(text, a);
	strcat(text, b);
	strcat(text, c);
	strcat(text, d);
	strcat(text, e);
	free(b);
	free(d);
	return text;
}

static void expect_mistakes(char *text, const char *expected, size_t left)
{
	struct run *run = parse(text);

	assert_string_equal(mistakes(run), expected);
	assert_int_equal(count(run), left);
	done(run);
	free(text);
}

static void depth(void **state)
{
	(void)state;
	expect_mistakes(joined("define a = ", repeat("{", 64), "1.1.1.1", repeat("}", 64), ";profile 2024;"), "", 2);
	expect_mistakes(joined("define a = ", repeat("{", 65), "1.1.1.1", repeat("}", 65), ";profile 2024;"), "1:76 8", 1);
	expect_mistakes(joined("lan a ", repeat("{ b ", 64), ";", repeat("}", 64), "profile 2024;"), "", 2);
	expect_mistakes(joined("lan a ", repeat("{ b ", 65), ";", repeat("}", 65), "profile 2024;"), "1:263 8", 1);
	expect_mistakes(joined("lan a ", repeat("{ b ", 10000), ";", repeat("}", 10000), "profile 2024;"), "1:263 8", 1);
	expect_mistakes(joined("define a = ", repeat("{", 1000000), "", repeat("", 0), ""), "1:12 4, 1:76 8", 0);
	expect_mistakes(joined("", repeat("{", 1000000), "", repeat("", 0), ""), "1:1 1, 1:1 4, 1:65 8", 0);
}

static void size(void **state)
{
	struct run *run;
	char *text = repeat("define a = { 10.0.0.0/8, 10.1.0.0/16 };\n", 100000);

	(void)state;
	run = good(text);
	assert_int_equal(count(run), 100000);
	done(run);
	free(text);
	expect_mistakes(joined("define ", repeat("a", 4096), "= 1.1.1.1; var b = \"", repeat("c", 4096), "\";"), "", 2);
	expect_mistakes(joined("define ", repeat("a", 1000000), "= 1.1.1.1; var b = \"", repeat("c", 1000000), "\";"),
			"1:8 7, 1:1000027 7", 0);
	expect_mistakes(joined("var a = ", repeat("1", 1000000), ";", repeat("# comment", 100000), ""), "1:9 12", 0);
	expect_mistakes(joined("define a = { ", repeat("1.1.1.1,", 100000), "};", repeat("", 0), ""), "", 1);
}

static void too_many_mistakes(void **state)
{
	char *text = repeat("tunel x;\n", 100000);
	struct run *run = parse(text);
	size_t n = 0;

	(void)state;
	for (const struct cni_diag *d = run->diags.first; d; d = d->next)
		n++;
	assert_int_equal(n, 101);
	assert_int_equal(run->diags.n_errors, 101);
	assert_int_equal(((struct cni_diag *)((char *)run->diags.last - offsetof(struct cni_diag, next)))->code, CNI18);
	done(run);
	free(text);
}

static void bytes_that_are_no_text(void **state)
{
	static const char text[] = "define a\0 = 1.1.1.1;\n\0\x01\x7f\n# \0 \xff in a comment\nprofile 2024;";
	struct run *run = parse_bytes(text, sizeof(text) - 1);

	(void)state;
	assert_string_equal(mistakes(run), "1:9 9, 2:1 9");
	assert_string_equal(run->diags.first->message, "`?` has no place here");
	assert_int_equal(count(run), 1); /* the second mistake stands between two declarations */
	done(run);
}

/* ---- prefix files ---- */

static void prefixes(void **state)
{
	static const char text[] = "# networks\r\n10.0.0.0/8\r\n\n  10.128.0.0/9 # within\t\n11.0.0.0-11.255.255.255\n"
				   "192.0.2.1\n2001:db8::/32 # a: b\n10.1.1.1 # ::\n2001:db9::";
	struct run *run = begin(text, strlen(text));
	const struct cni_ranges *r = cni_parse_prefixes(run->arena, run->source, &run->diags);

	(void)state;
	assert_string_equal(mistakes(run), "");
	assert_int_equal(r->n_v4, 2);
	assert_int_equal(r->v4[0].lo, 0x0a000000);
	assert_int_equal(r->v4[0].hi, 0x0bffffff);
	assert_int_equal(r->v4[1].lo, 0xc0000201);
	assert_int_equal(r->n_v6, 1); /* 2001:db8::/32 ends where 2001:db9:: is */
	done(run);
}

static void bad_prefixes(void **state)
{
	static const char text[] = "10.0.0.1/8\n10.0.0.0/33\n10.0.0.0/\nx\n10.0.0.9-10.0.0.1\n10.0.0.1-::1\n"
				   "10.0.0.0/8 11.0.0.0/8\n10.0.0.0/8/9\n2001:db8::1/32\n/8\n-\n10.0.0.0/08x\n192.0.2.0/24\n";
	struct run *run = begin(text, strlen(text));
	const struct cni_ranges *r = cni_parse_prefixes(run->arena, run->source, &run->diags);
	char *many = repeat("x\n", 1000);

	(void)state;
	assert_string_equal(mistakes(run), "1:1 31, 2:1 30, 3:1 30, 4:1 30, 5:1 32, 6:1 32, 7:1 30, 8:1 30, 9:1 31, "
					   "10:1 30, 11:1 30, 12:1 30");
	assert_string_equal(run->diags.first->help, "the network is 10.0.0.0/8");
	assert_int_equal(r->n_v4, 1);
	done(run);

	run = begin(many, strlen(many));
	r = cni_parse_prefixes(run->arena, run->source, &run->diags);
	assert_true(cni_ranges_is_empty(r));
	assert_int_equal(run->diags.n_errors, 21);
	assert_string_equal(run->diags.first->next->message, "`x` is no address, prefix or range");
	done(run);
	free(many);
}

static void no_prefixes(void **state)
{
	struct run *run = begin("", 0);

	(void)state;
	assert_true(cni_ranges_is_empty(cni_parse_prefixes(run->arena, run->source, &run->diags)));
	done(run);
}

/* ---- layout ---- */

static char *format(const char *text)
{
	struct run *run = begin(text, strlen(text));
	struct cni_text out = { .arena = run->arena };
	char *copy;

	assert_true(cni_format(run->arena, run->source, &run->diags, &out));
	copy = strdup(out.data ? out.data : "");
	done(run);
	return copy;
}

/* Without white space: what a change of layout must leave alone. */
static char *squeezed(const char *text)
{
	char *to, *copy = strdup(text);

	for (to = copy; *text; text++)
		if (!strchr(" \t\r\n", *text))
			*to++ = *text;
	*to = '\0';
	return copy;
}

static void layout(void **state)
{
	static const struct {
		const char *text, *formatted;
	} rows[] = {
		{ "", "" },
		{ "\n\n# a\r\n\n\n\n# b  ", "# a\n\n# b\n" },
		{ "define  a={1.1.1.1,2.2.2.2 ,};profile 2024 ;", "define a = { 1.1.1.1, 2.2.2.2, };\nprofile 2024;\n" },
		{ "lan a{b c;d{e f;}}", "lan a { b c; d { e f; } }\n" },
		{ "lan a{b c;\nd{e f;}g;}", "lan a {\n\tb c;\n\td { e f; }\n\tg;\n}\n" },
		{ "lan a { # one\n# two\nb # three\nc; # four\n\n\n# five\n}# six",
		  "lan a { # one\n\t# two\n\tb # three\n\t\tc; # four\n\n\t# five\n} # six\n" },
		{ "policy p on a,\"b.c\"{route x to{1.1.1.1,2.2.2.2}via y else drop;else drop;}",
		  "policy p on a, \"b.c\" { route x to { 1.1.1.1, 2.2.2.2 } via y else drop; else drop; }\n" },
		{ "policy p on a {\n\n\nroute x\n  to { 1.1.1.1 }\n  via y\n  else drop;\n}",
		  "policy p on a {\n\troute x to { 1.1.1.1 } via y else drop;\n}\n" },
		{ "define a = {\n1.1.1.1, 2.2.2.2, # two\n\n3.3.3.3 };",
		  "define a = {\n\t1.1.1.1, 2.2.2.2, # two\n\n\t3.3.3.3\n};\n" },
		{ "policy p on a {\nroute x to {\n1.1.1.1,\n2.2.2.2 } via y else drop; }",
		  "policy p on a {\n\troute x to {\n\t\t1.1.1.1,\n\t\t2.2.2.2\n\t} via y else drop;\n}\n" },
		{ "options{}\nservice a={};", "options { }\nservice a = { };\n" },
		{ "expect on a from 2001:db8:1111:2222::/64 to 2001:db8:3333:4444::/64 tcp sport 1024-65535 dport 443 never "
		  "via b;",
		  "expect on a from 2001:db8:1111:2222::/64 to 2001:db8:3333:4444::/64 tcp sport 1024-65535 dport 443\n"
		  "\tnever via b;\n" },
		{ "define a = { 2001:db8:1111:2222::/64, 2001:db8:1111:2223::/64, 2001:db8:1111:2224::/64, "
		  "2001:db8:1111:2225::/64, ::1 };",
		  "define a = {\n\t2001:db8:1111:2222::/64, 2001:db8:1111:2223::/64, 2001:db8:1111:2224::/64,\n"
		  "\t2001:db8:1111:2225::/64, ::1\n};\n" },
		{ "var a=\"b  {;c\"; var d=$e;", "var a = \"b  {;c\";\nvar d = $e;\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *once = format(rows[i].text), *twice = format(once);

		assert_string_equal(once, rows[i].formatted);
		assert_string_equal(twice, once);
		free(once);
		free(twice);
	}
}

static void layout_of_samples(void **state)
{
	char *once = format(samples), *twice = format(once), *before = squeezed(samples), *after = squeezed(once);

	(void)state;
	assert_string_equal(twice, once);
	assert_string_equal(after, before);
	free(once);
	free(twice);
	free(before);
	free(after);
}

/* Any white space between the tokens of a text, any of its statements: the layout of a layout is itself. */
static void layout_of_random_spacing(void **state)
{
	static const char *const gaps[] = { " ", "\n", "\n\n\n", " # c\n", "\n# c\n", "\t" };
	static const char *const parts[] = {
		"lan", "a", "{", "b", "c,", "d;", "e", "{", "f", "1;", "}", "g", "h", "{", "}", "}", "policy", "p", "on", "x",
		"{", "route", "r", "to", "{", "1.1.1.1,", "2001:db8:1111:2222:3333:4444:5555:6666,", "{", "z", "}", "}", "udp",
		"dport", "{", "1,", "2", "}", "via", "m", "weight", "3,", "n", "else", "drop;", "else", "drop;", "}", "define",
		"q", "=", "{", "2001:db8:1111:2222:3333:4444:5555:6666,", "2001:db8:1111:2222:3333:4444:5555:7777,", "k", "};",
	};
	unsigned int random = 1;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct cni_arena *arena = cni_arena_new();
		struct cni_text text = { .arena = arena };
		unsigned int range = 1 + (unsigned int)i % 6; /* the first runs have blanks only */
		char *once, *twice, *before, *after;

		for (size_t k = 0; k < sizeof(parts) / sizeof(*parts); k++) {
			random = random * 1103515245 + 12345;
			cni_text_puts(&text, parts[k]);
			cni_text_puts(&text, (random >> 16) % 4 ? " " : gaps[(random >> 20) % range]);
		}
		once = format(text.data);
		twice = format(once);
		before = squeezed(text.data);
		after = squeezed(once);
		assert_string_equal(twice, once);
		assert_string_equal(after, before);
		free(once);
		free(twice);
		free(before);
		free(after);
		cni_arena_free(arena);
	}
}

static void no_layout_of_mistakes(void **state)
{
	struct run *run = begin("lan a {", 7);
	struct cni_text out = { .arena = run->arena };

	(void)state;
	assert_false(cni_format(run->arena, run->source, &run->diags, &out));
	assert_int_equal(run->diags.n_errors, 1);
	assert_int_equal(out.len, 0);
	done(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_construct),
		cmocka_unit_test(spans),
		cmocka_unit_test(words_in_blocks),
		cmocka_unit_test(literals),
		cmocka_unit_test(no_values),
		cmocka_unit_test(recovery),
		cmocka_unit_test(wording),
		cmocka_unit_test(depth),
		cmocka_unit_test(size),
		cmocka_unit_test(too_many_mistakes),
		cmocka_unit_test(bytes_that_are_no_text),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(bad_prefixes),
		cmocka_unit_test(no_prefixes),
		cmocka_unit_test(layout),
		cmocka_unit_test(layout_of_samples),
		cmocka_unit_test(layout_of_random_spacing),
		cmocka_unit_test(no_layout_of_mistakes),
	};

	return cmocka_run_group_tests_name("grammar", tests, NULL, NULL);
}
