/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lower_test.c - what lowering promises beyond meaning: ids and epochs that last, marks within the mask, names by
 * content, and limits that end in a diagnostic. (Meaning is tests/property's.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "compiler/emit/emit.h"
#include "tests/unit/lowered.h"

#define LINKS                                                                                                          \
	"lan l { device eth2; prefix 10.0.0.0/8; }"                                                                    \
	"link a { kind pni; device eth0; address 192.0.2.1/31; }"                                                      \
	"link b { kind pni; device eth1; address 192.0.2.3/31; }"
#define POLICY(options, routes) options LINKS "policy p on eth2 {" routes "}"
#define A POLICY("", "route x tcp dport 80 via a else drop; else drop;")
#define B POLICY("", "route x tcp dport 80 via b else drop; route y udp dport 53 via a else drop; else drop;")

static const char *text_of(struct cni_arena *arena, const struct cni_state *state)
{
	struct cni_text text = { .arena = arena };

	cni_emit_nft(&text, state);
	cni_emit_ip(&text, state);
	return text.data;
}

static unsigned int id_of(const struct cni_state *state, const char *comment)
{
	unsigned int id = 0;

	for (size_t i = 0; i < state->n_counters; i++)
		if (state->counters[i].comment && !strcmp(state->counters[i].comment, comment))
			sscanf(state->counters[i].name, "path.%u", &id);
	return id;
}

static unsigned int epoch_of(const struct cni_state *state)
{
	unsigned int epoch = 0;

	for (size_t i = 0; i < state->n_chains; i++)
		sscanf(state->chains[i].name, "steer.%u", &epoch);
	return epoch;
}

static int setup(void **state)
{
	*state = cni_arena_new();
	return 0;
}

static int teardown(void **state)
{
	cni_arena_free(*state);
	return 0;
}

static void ids_last(void **state)
{
	struct cni_arena *arena = *state;
	struct cni_state *a = lower(arena, A, NULL).state, *b = lower(arena, B, a).state, *c = lower(arena, A, b).state;
	unsigned int via_a = id_of(a, "a[eth0 192.0.2.0] else drop"), via_b = id_of(b, "b[eth1 192.0.2.2] else drop");

	assert_true(via_a && via_b);
	assert_int_equal(id_of(b, "a[eth0 192.0.2.0] else drop"), via_a);
	assert_int_equal(id_of(c, "a[eth0 192.0.2.0] else drop"), via_a);
	/* an id that the observed state has for another path is not given out */
	for (size_t i = 0; i < a->n_counters; i++)
		if (!strncmp(a->counters[i].name, "path.", 5))
			assert_int_not_equal(via_b, (unsigned int)strtoul(a->counters[i].name + 5, NULL, 10));
}

static void same_policy_same_bytes(void **state)
{
	struct cni_arena *arena = *state;
	struct cni_state *a = lower(arena, B, NULL).state;

	assert_string_equal(text_of(arena, a), text_of(arena, lower(arena, B, NULL).state));
	assert_string_equal(text_of(arena, a), text_of(arena, lower(arena, B, a).state));
}

static void another_policy_another_epoch(void **state)
{
	struct cni_arena *arena = *state;
	struct cni_state *now = lower(arena, A, NULL).state;

	assert_int_equal(epoch_of(now), 1);
	assert_true(now->stale.all);
	/* seven epochs, then the first again; each time its former marks must be forgotten */
	for (unsigned int i = 1; i <= 8; i++) {
		now = lower(arena, i % 2 ? B : A, now).state;
		assert_int_equal(epoch_of(now), i % 7 + 1);
		assert_false(now->stale.all);
		assert_int_equal(now->stale.mask, 0xffff);
		assert_int_equal(now->stale.epoch_mask, 0xe000);
		assert_int_equal(now->stale.epoch, (i % 7 + 1) << 13);
		/* B has a path more */
		assert_int_equal(now->stale.n_ids, i % 2);
	}
}

static void keep_stays_in_its_epoch(void **state)
{
	struct cni_arena *arena = *state;
	struct cni_state *a = lower(arena, A, NULL).state;
	struct cni_state *b =
		lower(arena,
		      POLICY("options { established keep; }", "route x tcp dport 80 via b else drop; else drop;"), a)
			.state;

	assert_int_equal(epoch_of(b), 1);
	assert_int_equal(b->stale.epoch_mask, 0);
	assert_int_equal(b->stale.n_ids, 1);
	assert_int_equal(b->stale.ids[0], id_of(b, "b[eth1 192.0.2.2] else drop"));
	assert_int_equal(b->stale.id_mask, 0x1fff);
}

static void known_flows_may_be_classified(void **state)
{
	struct cni_arena *arena = *state;
	struct cni_state *marks = lower(arena, A, NULL).state;
	struct cni_state *classified =
		lower(arena, POLICY("options { known-flows classify; }", "route x via a else drop; else drop;"), NULL)
			.state;

	assert_non_null(strstr(text_of(arena, marks), "vmap @known."));
	assert_null(strstr(text_of(arena, classified), "vmap @known."));
	assert_non_null(strstr(text_of(arena, classified), "vmap @return."));
}

/* Every write of a mark keeps all bits outside the mask and sets none there. */
static void marks_stay_in_the_mask(void **state)
{
	static const struct {
		const char *policy;
		uint32_t mask;
	} cases[] = {
		{ A, 0x0000ffff },
		{ POLICY("options { mark-mask 0x00ff0000; }", "route x via a weight 3, b weight 1 else drop;"),
		  0x00ff0000 },
		{ POLICY("options { mark-mask 0xfff00000; }", "route x via a then b else main;"), 0xfff00000 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cni_state *s = lower(*state, cases[i].policy, NULL).state;
		size_t writes = 0;

		for (size_t c = 0; c < s->n_chains; c++)
			for (size_t r = 0; r < s->chains[c].n_rules; r++)
				for (size_t x = 1; x < s->chains[c].rules[r].n_exprs; x++) {
					const struct cni_expr *e = &s->chains[c].rules[r].exprs[x];
					uint32_t keep, value;

					if (e->op != CNI_X_META_SET && e->op != CNI_X_CT_SET)
						continue;
					assert_int_equal(e[-1].op, CNI_X_BITWISE);
					memcpy(&keep, e[-1].a, 4);
					memcpy(&value, e[-1].b, 4);
					assert_int_equal(keep, ~cases[i].mask);
					assert_int_equal(value & ~cases[i].mask, 0);
					writes++;
				}
		assert_true(writes > 0);
		for (size_t r = 0; r < s->n_rules; r++)
			assert_int_equal(s->rules[r].mark & ~cases[i].mask, 0);
	}
}

static void too_many_paths(void **state)
{
	/* a mask of eight bits has room for 31: four members with nine sets of weights make 36, and four returns */
	static const char policy[] =
		"options { mark-mask 0xff; }" LINKS "link c { kind pni; device eth3; address 192.0.2.5/31; } link d { "
		"kind pni; device eth4; address 192.0.2.7/31; }"
		"policy p on eth2 {"
		"route r1 tcp dport 1 via a weight 1, b weight 2, c weight 3, d weight 11 else drop;"
		"route r2 tcp dport 2 via a weight 1, b weight 2, c weight 4, d weight 12 else drop;"
		"route r3 tcp dport 3 via a weight 1, b weight 2, c weight 5, d weight 13 else drop;"
		"route r4 tcp dport 4 via a weight 1, b weight 2, c weight 6, d weight 14 else drop;"
		"route r5 tcp dport 5 via a weight 1, b weight 2, c weight 7, d weight 15 else drop;"
		"route r6 tcp dport 6 via a weight 1, b weight 2, c weight 8, d weight 16 else drop;"
		"route r7 tcp dport 7 via a weight 1, b weight 2, c weight 9, d weight 17 else drop;"
		"route r8 tcp dport 8 via a weight 1, b weight 2, c weight 10, d weight 18 else drop; else drop; }";
	struct lowered lowered = lower(*state, policy, NULL);

	assert_null(lowered.state);
	assert_int_equal(lowered.diags->n_errors, 1);
	assert_int_equal(lowered.diags->first->code, CNI501);
}

static void too_complex(void **state)
{
	struct cni_text text = { .arena = *state };
	struct lowered lowered;

	cni_text_puts(&text, LINKS "policy p on eth2 { route x");
	for (int i = 0; i < 15; i++)
		cni_text_printf(&text, " not service { tcp %d, udp %d }", i + 1, i + 1);
	cni_text_puts(&text, " via a else drop; else drop; }");
	lowered = lower(*state, text.data, NULL);
	assert_int_equal(lowered.diags->n_errors, 1);
	assert_int_equal(lowered.diags->first->code, CNI503);
}

/* ---- large sets ---- */

static bool is_labelled(const struct cni_st_set *set, const char *label)
{
	return !strncmp(set->name, label, strlen(label));
}

/* Whether lo..hi of an element is within lo..hi of another set's. */
static bool is_within(const uint8_t *element, const uint8_t *outer, size_t len)
{
	return memcmp(outer, element, len) <= 0 && memcmp(element + len, outer + len, len) <= 0;
}

static const struct cni_st_set *set_of_chain(const struct cni_state *state, const char *chain)
{
	for (size_t c = 0; c < state->n_chains; c++)
		for (size_t s = 0; s < state->n_sets && !strcmp(state->chains[c].name, chain); s++)
			if (!strcmp(state->chains[c].rules[0].exprs[3].name, state->sets[s].name))
				return &state->sets[s];
	return NULL;
}

static void assert_ascending(const struct cni_st_set *set)
{
	const size_t len = set->key_len;

	for (size_t i = 1; i < set->n_elems; i++)
		assert_true(memcmp(set->keys + (2 * i - 1) * len, set->keys + 2 * i * len, len) < 0);
}

/* Ranges of one to seven addresses, eight apart, and one that reaches over most cuts. */
static const char *large_set(struct cni_arena *arena, unsigned int n, unsigned int without)
{
	struct cni_text text = { .arena = arena };

	cni_text_puts(&text, LINKS "define s = { 64.0.0.0-191.255.255.255");
	for (unsigned int i = 0; i < n; i++)
		if (i != without)
			cni_text_printf(&text, ", 20.0.%u.%u-20.0.%u.%u", i / 32, i % 32 * 8, i / 32,
					i % 32 * 8 + i % 7);
	cni_text_puts(&text,
		      ", 2001:db8::1 }; policy p on eth2 { route x to s not from s via a else drop; else drop; }");
	return text.data;
}

static void large_sets_are_cut(void **state)
{
	const struct cni_prior prior = { .shard_max = 4 };
	const struct cni_state *s = lower_with(*state, large_set(*state, 100, 100), &prior).state;
	size_t n_indexes = 0, n_members = 0;

	for (size_t i = 0; i < s->n_sets; i++) {
		const struct cni_st_set *index = &s->sets[i];

		if (!is_labelled(index, "s.4.index."))
			continue;
		n_indexes++;
		assert_ascending(index);
		for (size_t e = 0; e < index->n_elems; e++) {
			const struct cni_st_set *shard = set_of_chain(s, index->verdicts[e].chain);

			assert_non_null(shard);
			assert_in_range(shard->n_elems, 1, prior.shard_max);
			assert_ascending(shard);
			for (size_t m = 0; m < shard->n_elems; m++)
				assert_true(is_within(shard->keys + 8 * m, index->keys + 8 * e, 4));
			n_members += shard->n_elems;
		}
	}
	assert_int_equal(n_indexes, 2); /* of destinations and of sources */
	assert_in_range(n_members, 2 * 101, 2 * 101 + 2 * 31); /* a cut splits one range at most */
}

static void a_change_touches_one_piece(void **state)
{
	const struct cni_prior none = { .shard_max = 4 };
	const struct cni_state *a = lower_with(*state, large_set(*state, 1000, 1000), &none).state;
	const struct cni_prior prior = { .observed = a, .shard_max = 4 };
	const struct cni_state *b = lower_with(*state, large_set(*state, 1000, 500), &prior).state;
	size_t n_new = 0;

	for (size_t i = 0, j = 0; j < b->n_sets; j++) {
		while (i < a->n_sets && strcmp(a->sets[i].name, b->sets[j].name) < 0)
			i++;
		if (is_labelled(&b->sets[j], "s.4.shard."))
			n_new += i == a->n_sets || strcmp(a->sets[i].name, b->sets[j].name) != 0;
	}
	assert_int_equal(n_new, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ids_last, setup, teardown),
		cmocka_unit_test_setup_teardown(same_policy_same_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(another_policy_another_epoch, setup, teardown),
		cmocka_unit_test_setup_teardown(known_flows_may_be_classified, setup, teardown),
		cmocka_unit_test_setup_teardown(keep_stays_in_its_epoch, setup, teardown),
		cmocka_unit_test_setup_teardown(marks_stay_in_the_mask, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_paths, setup, teardown),
		cmocka_unit_test_setup_teardown(too_complex, setup, teardown),
		cmocka_unit_test_setup_teardown(large_sets_are_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(a_change_touches_one_piece, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
