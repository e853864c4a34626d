/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meaning_test.c - what counts as another fate and what does not, which labels decide, and what is never steered.
 * (Against the naive reading: tests/property's.) */
#include "tests/unit/resolve_run.h"

#include "compiler/meaning/compare.h"

#define NODES 200000
#define LANS "lan hq { device eth2; prefix 10.1.0.0/16; }\n"
#define LINK(name, device, peer) "link " name " { kind pni; device " device "; address 192.0.2." peer "/31; }\n"
#define TWO LINK("a", "eth0", "1") LINK("b", "eth1", "3")
#define ROUTE(text) "policy p on eth2 { route x " text "; else drop; }\n"
#define GRE(over, more)                                                                                                \
	"tunnel t { kind gre; over " over "; local 198.51.100.130; remote 203.0.113.200; address 10.100.0.9/31; "      \
	"track off; health off; " more "}\n"

static struct cni_changes compare_on(struct cni_comparison *c, const char *down)
{
	return cni_comparison_on(c, &down, down ? 1 : 0);
}

/* "BEFORE -> AFTER" of each class of IPv4, one a line; "" where no fate changes. */
static void expect_down(const char *before, const char *after, const char *down, const char *wanted)
{
	struct run old = good(before), new = good(after);
	struct cni_comparison *c = cni_comparison_new(new.arena, old.model, new.model, NODES);
	const struct cni_changes changes = compare_on(c, down);
	struct cni_text text = { .arena = new.arena };

	cni_text_puts(&text, "");
	assert_false(changes.failed);
	for (size_t i = 0; i < changes.n_items; i++)
		if (changes.items[i].family == CNI_V4)
			cni_text_printf(&text, "%s%s -> %s%s", text.len ? "\n" : "",
					c->fates.items[changes.items[i].before].text,
					c->fates.items[changes.items[i].after].text,
					changes.items[i].loses ? ", lost" : "");
	cni_comparison_free(c);
	if (strcmp(text.data, wanted) != 0)
		fail_msg("`%s`, not `%s`, from\n%sto\n%s", text.data, wanted, before, after);
	cni_arena_free(old.arena);
	cni_arena_free(new.arena);
}

static void expect(const char *before, const char *after, const char *wanted)
{
	expect_down(before, after, NULL, wanted);
}

static void the_same(void **state)
{
	static const char *const pairs[][2] = {
		/* the name of a link is on no packet */
		{ TWO ROUTE("via a else drop"),
		  LINK("z", "eth0", "1") LINK("b", "eth1", "3") ROUTE("via z else drop") },
		{ TWO ROUTE("via a weight 2, b weight 4 else drop"),
		  TWO ROUTE("via b weight 2, a weight 1 else drop") },
		{ TWO ROUTE("via a weight 7 else drop"), TWO ROUTE("via a else drop") },
		{ TWO ROUTE("from 10.1.0.0/16 via a else drop"),
		  TWO ROUTE("from { 10.1.128.0/17, 10.1.0.0/17 } via a else drop") },
		{ TWO ROUTE("via main"), TWO "policy p on eth2 { else main; }\n" },
		/* a device without a policy goes by main */
		{ TWO ROUTE("via main"), TWO "policy p on eth9 { route x via main; else main; }\n" },
		/* who is never steered needs no route */
		{ LANS TWO ROUTE("via a else drop"), LANS TWO
		  "policy p on eth2 { route own to 10.1.0.0/16 reject; route x via a else drop; else drop; }\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		expect(pairs[i][0], pairs[i][1], "");
		expect(pairs[i][1], pairs[i][0], "");
	}
}

static void not_the_same(void **state)
{
	(void)state;
	expect(TWO ROUTE("via a then b else drop"), TWO ROUTE("via b then a else drop"),
	       "a then b else drop -> b then a else drop");
	expect(TWO ROUTE("via a else drop"), TWO ROUTE("via a else reject"), "a else drop -> a else reject");
	expect(TWO ROUTE("via a else drop"), TWO ROUTE("drop"), "a else drop -> drop, lost");
	expect(TWO ROUTE("via a else drop"), TWO ROUTE("via main"), "a else drop -> main");
	expect(TWO ROUTE("via main"), TWO ROUTE("via main masquerade"), "main -> main masquerade");
	expect(TWO ROUTE("via a weight 1, b weight 2 else drop"), TWO ROUTE("via a weight 1, b weight 3 else drop"),
	       "a weight 1, b weight 2 else drop -> a weight 1, b weight 3 else drop");
	/* the same name, another thing */
	expect(TWO ROUTE("via a else drop"), LINK("a", "eth0", "5") LINK("b", "eth1", "3") ROUTE("via a else drop"),
	       "main -> a else drop\na else drop -> main\na else drop -> a else drop");
	expect(TWO GRE("a", "mss 1400; ") ROUTE("via t else drop"), TWO GRE("a", "") ROUTE("via t else drop"),
	       "t else drop -> t else drop");
	expect(TWO GRE("a", "") ROUTE("via t else drop"), TWO GRE("a then b", "") ROUTE("via t else drop"),
	       "t else drop -> t else drop");
	expect(TWO GRE("a", "key 7; ") "options { provider other; }\n" ROUTE("via t else drop"),
	       TWO GRE("a", "") "options { provider other; }\n" ROUTE("via t else drop"), "t else drop -> t else drop");
	/* a lan more, or less */
	expect(LANS TWO ROUTE("via a else drop"), TWO ROUTE("via a else drop"), "main -> a else drop");
}

static void days(void **state)
{
	static const char both[] = TWO ROUTE("via a then b else drop"), one[] = TWO ROUTE("via a else drop");
	static const char tunnel[] = TWO GRE("a", "") ROUTE("via t then b else drop");
	static const char alone[] = TWO GRE("a", "") ROUTE("via t else drop");

	(void)state;
	expect_down(both, one, "a", "b else drop -> drop, lost");
	expect_down(both, one, "b", "");
	/* a tunnel is not down with its last link: it takes packets nowhere */
	expect_down(tunnel, alone, "a", "t (cut off) then b else drop -> t (cut off) else drop, lost");
	expect_down(tunnel, alone, "b", "");
	expect_down(tunnel, alone, "t", "b else drop -> drop, lost");
}

static void lines(void **state)
{
	struct run old = good(LANS TWO "policy p on eth2, eth4 { route x from 10.1.0.0/24 via a else drop; "
				       "route y from 10.1.1.0/24 via a else drop; else drop; }\n");
	struct run new = good(LANS TWO "policy p on eth2, eth4 { route z via b else drop; else drop; }\n");
	struct cni_comparison *c = cni_comparison_new(new.arena, old.model, new.model, NODES);
	const struct cni_changes changes = compare_on(c, NULL);
	const struct cni_policy *before = &old.model->policies[0], *after = &new.model->policies[0];
	struct cni_span span;

	(void)state;
	assert_int_equal(c->n_groups, 1);
	assert_int_equal(c->groups[0].n_devices, 2);
	assert_int_equal(changes.n_items, 2); /* a -> b, drop -> b; IPv6, which b does not carry, is dropped by both */
	assert_int_equal(changes.items[0].n_lines, 2);
	assert_string_equal(cni_meaning_name(c->arena, before, changes.items[0].lines[0].before), "route x");
	assert_string_equal(cni_meaning_name(c->arena, before, changes.items[0].lines[1].before), "route y");
	assert_string_equal(cni_meaning_name(c->arena, after, changes.items[0].lines[1].after), "route z");
	assert_string_equal(cni_meaning_name(c->arena, before, changes.items[1].lines[0].before), "else");
	assert_true(cni_meaning_span(before, 1).begin == before->routes[0].ast->span.begin);
	assert_false(cni_span_is_set(cni_meaning_span(before, CNI_LABEL_NEVER)));
	assert_true(cni_count_is(&changes.items[0].sources, 512));
	assert_string_equal(cni_never_reason(c->arena, old.model, addr("10.1.7.7"), &span), "lan hq");
	assert_string_equal(cni_never_reason(c->arena, old.model, addr("192.0.2.2"), &span), "an address on b");
	assert_string_equal(cni_never_reason(c->arena, old.model, addr("224.0.0.1"), &span), "");
	assert_false(cni_span_is_set(span));
	cni_comparison_free(c);
	cni_arena_free(old.arena);
	cni_arena_free(new.arena);
}

static void without_a_policy(void **state)
{
	struct run run = good(TWO ROUTE("via a else drop"));
	struct cni_comparison *c = cni_comparison_new(run.arena, NULL, run.model, NODES);
	struct cni_changes changes = compare_on(c, NULL);

	(void)state;
	assert_int_equal(changes.n_items, 2); /* IPv6 is dropped: a has no address of it */
	assert_string_equal(c->fates.items[changes.items[0].before].text, "main");
	assert_string_equal(c->fates.items[changes.items[1].after].text, "drop");
	cni_comparison_free(c);
	c = cni_comparison_new(run.arena, NULL, NULL, NODES);
	changes = compare_on(c, "a");
	assert_int_equal(changes.n_items, 0);
	cni_comparison_free(c);
	cni_arena_free(run.arena);
}

/* The field that differs from route to route comes first. */
static void order(void **state)
{
	static const char *const policies[] = {
		TWO "policy p on eth2 { route x from 10.1.0.0/24 via a else drop; route y from 10.2.0.0/24 via a else "
		    "drop; "
		    "else drop; }\n",
		TWO "policy p on eth2 { route x from 10.1.0.0/24 to 10.9.0.0/16 via a else drop; "
		    "route y from 10.1.0.0/24 to 10.8.0.0/16 via a else drop; else drop; }\n",
	};
	static const enum cni_header_field first[] = { CNI_FIELD_FROM, CNI_FIELD_TO };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct run run = good(policies[i]);
		enum cni_header_field fields[CNI_N_FIELDS];

		cni_meaning_order((const struct cni_model *const[]){ run.model }, 1, fields);
		assert_int_equal(fields[0], first[i]);
		cni_arena_free(run.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same), cmocka_unit_test(not_the_same),	cmocka_unit_test(days),
		cmocka_unit_test(lines),    cmocka_unit_test(without_a_policy), cmocka_unit_test(order),
	};

	return cmocka_run_group_tests_name("meanings", tests, NULL, NULL);
}
