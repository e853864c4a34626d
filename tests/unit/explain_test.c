/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_test.c - the parts of an explanation by themselves: the kernel's hash, rules and tables, reasons of the routes
 * above, and quotations from the policy. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "compiler/explain/explain.h"
#include "compiler/explain/jhash.h"
#include "compiler/text.h"
#include "grammar/parse.h"

/* lookup3.c's own vectors, and an empty key. */
static void hashes_as_the_kernel_does(void **state)
{
	static const char text[] = "Four score and seven years ago";

	(void)state;
	assert_int_equal(cni_jhash((const uint8_t *)text, 0, 0), 0xdeadbeef);
	assert_int_equal(cni_jhash((const uint8_t *)text, sizeof(text) - 1, 0), 0x17770551);
	assert_int_equal(cni_jhash((const uint8_t *)text, sizeof(text) - 1, 1), 0xcd628161);
}

static void quotes_on_one_line(void **state)
{
	static const char text[] = "a  b # no \"c\"\n\t\td \"#e\" ;";
	struct cni_arena *arena = cni_arena_new();
	struct cni_sources sources = { 0 };
	const uint32_t base = cni_source_add(arena, &sources, "x", text, strlen(text))->base;
	const struct cni_span all = { base, base + (uint32_t)strlen(text) };

	(void)state;
	assert_string_equal(cni_span_text(arena, &sources, all, 100), "a b d \"#e\" ;");
	assert_string_equal(cni_span_text(arena, &sources, all, 3), "a b…");
	assert_string_equal(cni_span_text(arena, &sources, (struct cni_span){ 0 }, 3), "");
	cni_arena_free(arena);
}

/* ---- rules and tables ---- */

#define MARK 7

static bool is_up(const struct cni_st_hop *hop, const void *down)
{
	return strcmp(hop->device, down) != 0;
}

static void walks_rules_and_tables(void **state)
{
	static struct cni_st_hop a[] = { { .device = "a", .weight = 1 } }, b[] = { { .device = "b", .weight = 1 } };
	/* as sorted: by family and priority; by table, family, prefix and metric */
	static struct cni_st_rule rules[] = {
		{ .priority = 0, .table = 255 },
		{ .priority = 10,
		  .has_from = true,
		  .from = { { CNI_V4, 0x0a010000 }, 24 },
		  .table = 30,
		  .owned = true },
		{ .priority = 20, .mark = 0, .mask = 0xff, .jump = 40 },
		{ .priority = 30, .mark = MARK, .mask = 0xff, .table = 10, .owned = true },
		{ .priority = 40, .iif = "eth9", .table = 77 },
		{ .priority = 50, .table = 254 },
	};
	static const size_t n_rules = sizeof(rules) / sizeof(*rules);
	static struct cni_st_route routes[] = {
		{ .table = 10, .metric = 10, .hops = a, .n_hops = 1, .owned = true },
		{ .table = 10, .metric = 20, .hops = b, .n_hops = 1, .owned = true },
		{ .table = 10, .metric = CNI_GUARD_METRIC, .type = CNI_RT_BLACKHOLE, .owned = true },
		{ .table = 10, .to = { { CNI_V4, 0xc0000200 }, 24 }, .type = CNI_RT_UNREACHABLE, .owned = true },
	};
	static struct cni_st_addr own[] = { { .device = "lo", .address = { { CNI_V4, 0xc6336401 }, 32 } } };
	const struct cni_state s = {
		.rules = rules, .n_rules = n_rules, .routes = routes, .n_routes = 4, .addrs = own, .n_addrs = 1
	};
	static const struct {
		uint32_t to, mark;
		const char *iif, *down;
		enum cni_fib_kind kind;
		uint32_t priority;
		const char *device;
	} cases[] = {
		{ 0x08080808, MARK, "eth2", "-", CNI_FIB_UNICAST, 30, "a" },
		{ 0x08080808, MARK, "eth2", "a", CNI_FIB_UNICAST, 30, "b" },
		{ 0xc0000205, MARK, "eth2", "-", CNI_FIB_UNREACHABLE, 30, NULL }, /* the longer prefix */
		{ 0x08080808, 0, "eth2", "-", CNI_FIB_MAIN, 50, NULL },
		{ 0x08080808, 0, "eth9", "-", CNI_FIB_FOREIGN, 40, NULL },
		{ 0xc6336401, MARK, "eth2", "-", CNI_FIB_LOCAL, 0, NULL },
	};
	struct cni_arena *arena = cni_arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct cni_packet packet = { .known = CNI_HAS_TO, .to = { CNI_V4, cases[i].to } };
		const struct cni_fib_answer answer = cni_fib(arena, &(struct cni_fib_query){ .state = &s,
											     .packet = &packet,
											     .iif = cases[i].iif,
											     .mark = cases[i].mark,
											     .is_up = is_up,
											     .arg = cases[i].down });

		assert_int_equal(answer.kind, cases[i].kind);
		assert_int_equal(answer.rule->priority, cases[i].priority);
		assert_int_equal(answer.n_hops, cases[i].device != NULL);
		if (cases[i].device)
			assert_string_equal(answer.hops[0]->device, cases[i].device);
	}
	cni_arena_free(arena);
}

/* ---- reasons ---- */

/* 1,000 routes that want another destination, and one that wants much else. */
static void sums_up_what_is_alike(void **state)
{
	struct cni_arena *arena = cni_arena_new();
	struct cni_text text = { .arena = arena };
	struct cni_sources sources = { 0 };
	struct cni_diags diags;
	struct cni_ast ast = { 0 };
	struct cni_ast_decl **tail = &ast.decls;
	const struct cni_packet packet = { .known = CNI_HAS_FROM | CNI_HAS_TO | CNI_HAS_PROTO | CNI_HAS_DPORT,
					   .from = { CNI_V4, 0x0a010005 },
					   .to = { CNI_V4, 0x08080808 },
					   .proto = 17,
					   .dport = 53 };
	const struct cni_model *model;
	struct cni_near *near;

	(void)state;
	cni_text_puts(&text, "link isp { kind internet; device eth0; address 198.51.100.2/30; }\npolicy p on eth2 {\n"
			     "route x to 192.0.2.1 tcp dport 80 from 10.2.0.0/16 not from 10.2.3.0/24 drop;\n");
	for (unsigned int i = 0; i < 1000; i++)
		cni_text_printf(&text, "route r%u to 20.%u.%u.0/24 udp dport 53 drop;\n", i, i / 256, i % 256);
	cni_text_puts(&text, "route all via isp else drop;\n}\n");
	cni_diags_init(&diags, arena);
	cni_parse(arena, cni_source_add(arena, &sources, "x", text.data, text.len), &diags, &tail);
	model = cni_resolve(arena, &ast, NULL, 0, &diags);
	assert_int_equal(diags.n_errors, 0);
	assert_int_equal(cni_near(arena, model->policies, 1001, &packet, &near), 2);
	assert_int_equal(near[0].n_parts, 1);
	assert_int_equal(near[0].n_routes, 1000);
	assert_string_equal(near[0].fields, "`to`");
	assert_string_equal(near[0].routes[2].route->name, "r2");
	assert_string_equal(cni_span_text(arena, &sources, near[0].routes[2].wants[0], 100), "to 20.0.2.0/24");
	assert_int_equal(near[1].n_parts, 3);
	assert_string_equal(near[1].fields, "`from`, `to`, `dport`");
	assert_int_equal(near[1].routes[0].n_wants, 4); /* `from` is written in two parts */
	cni_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_as_the_kernel_does),
		cmocka_unit_test(quotes_on_one_line),
		cmocka_unit_test(walks_rules_and_tables),
		cmocka_unit_test(sums_up_what_is_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
