/* SPDX-License-Identifier: GPL-2.0-or-later */
/* map_test.c - which maps and rules many routes become; that they mean the same is for the property tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "compiler/emit/emit.h"
#include "tests/unit/lowered.h"

#define LINKS                                                                                                          \
	"lan l { device eth2; prefix 10.0.0.0/8; }\n"                                                                  \
	"link a { kind pni; device eth0; address 192.0.2.1/31; }\n"                                                    \
	"link b { kind pni; device eth1; address 192.0.2.3/31; }\n"

/* Each of `matches` a route, by a and b in turn, then all the rest. */
static struct cni_state *lowered(struct cni_arena *arena, const struct cni_prior *prior, const char *const *matches,
				 size_t n)
{
	char *text = cni_printf(arena, LINKS "policy p on eth2 {\n");

	for (size_t i = 0; i < n; i++)
		text = cni_printf(arena, "%sroute r%zu %s via %s else drop;\n", text, i, matches[i], i % 2 ? "b" : "a");
	text = cni_printf(arena, "%selse drop; }", text);
	return lower_with(arena, text, prior).state;
}

static const struct cni_st_set *find_set(const struct cni_state *state, const char *label, size_t nth)
{
	for (size_t i = 0; i < state->n_sets; i++)
		if (!strncmp(state->sets[i].name, label, strlen(label)) && !nth--)
			return &state->sets[i];
	return NULL;
}

static size_t count_sets(const struct cni_state *state, const char *label)
{
	size_t n = 0;

	while (find_set(state, label, n))
		n++;
	return n;
}

/* "10.0.0.0-10.0.0.255:r3" for every element: its range, and the route of its chain. */
static const char *ranges_of(struct cni_arena *arena, const struct cni_st_set *set)
{
	const char *text = "";

	assert_int_equal(set->n_fields, 1);
	for (size_t i = 0; i < set->n_elems; i++) {
		const uint8_t *key = set->keys + i * cni_set_stride(set);
		char lo[CNI_ADDR_TEXT], hi[CNI_ADDR_TEXT];
		int route = 0;

		assert_int_equal(sscanf(set->verdicts[i].chain, "route.p.r%d", &route), 1);
		cni_addr_format(cni_addr_from_bytes(CNI_V4, key), lo);
		cni_addr_format(cni_addr_from_bytes(CNI_V4, key + 4), hi);
		text = cni_printf(arena, "%s%s%s-%s:%d", text, i ? " " : "", lo, hi, route);
	}
	return text;
}

static const struct cni_decision_cost *cost_of(const struct cni_state *state, enum cni_family family)
{
	for (size_t i = 0; i < state->n_costs; i++)
		if (state->costs[i].family == family)
			return &state->costs[i];
	fail_msg("no cost of family %d", (int)family);
	return NULL;
}

#define N(list) (sizeof(list) / sizeof(*(list)))

/* Every address leads to the first route that has it, in one map, however the prefixes lie in each other. */
static void nested_prefixes(void **state)
{
	static const char *const matches[] = { "to 20.1.2.0/24", "to 20.1.0.0/16", "to 20.0.0.0/8",
					       "to 20.1.255.0-20.2.0.255" };
	const struct cni_prior prior = { .map_min = 2 };
	struct cni_state *s = lowered(*state, &prior, matches, N(matches));

	assert_int_equal(count_sets(s, "p.to."), 1);
	assert_string_equal(ranges_of(*state, find_set(s, "p.to.", 0)),
			    "20.0.0.0-20.0.255.255:2 20.1.0.0-20.1.1.255:1 20.1.2.0-20.1.2.255:0 "
			    "20.1.3.0-20.1.255.255:1 20.2.0.0-20.255.255.255:2");
	assert_int_equal(cost_of(s, CNI_V4)->n_routes, 4);
	assert_int_equal(cost_of(s, CNI_V6)->n_routes, 0);
}

/* Few routes are rules, in their order, for both families at once. */
static void few_are_rules(void **state)
{
	static const char *const matches[] = { "to 20.1.0.0/16", "to 20.2.0.0/16", "to 20.3.0.0/16", "to 20.4.0.0/16",
					       "to 20.5.0.0/16", "to 20.6.0.0/16", "to 20.7.0.0/16", "to 20.8.0.0/16" };
	struct cni_state *few = lowered(*state, &(struct cni_prior){ 0 }, matches, N(matches) - 1);
	struct cni_state *many = lowered(*state, &(struct cni_prior){ 0 }, matches, N(matches));

	assert_int_equal(count_sets(few, "p."), 0);
	assert_int_equal(cost_of(few, CNI_N_FAMILIES)->n_rules, 7);
	assert_int_equal(cost_of(few, CNI_N_FAMILIES)->sum, 1 + 2 + 3 + 4 + 5 + 6 + 7);
	assert_int_equal(count_sets(many, "p.to."), 1);
	assert_int_equal(cost_of(many, CNI_V4)->n_rules, 0);
	assert_int_equal(cost_of(many, CNI_V4)->sum, 8);
}

/* Packets without ports are not asked for them; what tells most apart comes first. */
static void ports_apart(void **state)
{
	static const char *const matches[] = { "from 10.1.0.0/16 to 20.1.0.0/16 tcp dport 80",
					       "from 10.1.0.0/16 to 20.2.0.0/16 tcp dport 80",
					       "from 10.1.0.0/16 to 20.3.0.0/16 udp dport 53",
					       "from 10.2.0.0/16 to 20.4.0.0/16", "from 10.2.0.0/16 to 20.5.0.0/16" };
	const struct cni_prior prior = { .map_min = 2 };
	struct cni_state *s = lowered(*state, &prior, matches, N(matches));
	const struct cni_st_set *one = find_set(s, "p.fields.", 0), *other = find_set(s, "p.fields.", 1);
	const struct cni_st_set *ports = one->n_fields > 2 ? one : other, *plain = one->n_fields > 2 ? other : one;

	assert_int_equal(count_sets(s, "p.fields."), 2);
	assert_int_equal(plain->n_fields, 2);
	assert_int_equal(plain->n_elems, 2);
	assert_int_equal(ports->n_fields, 4);
	assert_int_equal(ports->n_elems, 3);
	assert_int_equal(ports->fields[0], CNI_KEY_IPV4);
	assert_int_equal(ports->keys[0], 20); /* destinations differ most */
	assert_int_equal(cost_of(s, CNI_V4)->most, 2);
}

static void single_values_are_a_hash(void **state)
{
	static const char *const matches[] = { "from 10.0.0.1 to 20.0.0.1", "from 10.0.0.1 to 20.0.0.2",
					       "from 10.0.0.2 to 20.0.0.1" };
	const struct cni_prior prior = { .map_min = 2 };
	struct cni_state *s = lowered(*state, &prior, matches, N(matches));

	assert_false(find_set(s, "p.fields.", 0)->interval);
	assert_int_equal(find_set(s, "p.fields.", 0)->key_len, 8);
}

/* A route behind another that it overlaps is in another layer; one that overlaps none is in the first. */
static void overlaps_are_layers(void **state)
{
	static const char *const matches[] = { "from 10.1.0.0/16 to 20.1.0.0/16", "from 10.2.0.0/16 to 20.1.0.0/16",
					       "from 10.0.0.0/8 to 20.1.1.0/24", "from 10.3.0.0/16 to 20.2.0.0/16" };
	const struct cni_prior prior = { .map_min = 1 };
	struct cni_state *s = lowered(*state, &prior, matches, N(matches));

	assert_int_equal(cost_of(s, CNI_V4)->n_layers, 2);
	assert_int_equal(count_sets(s, "p.fields."), 2);
	assert_int_equal(find_set(s, "p.fields.", 0)->n_elems + find_set(s, "p.fields.", 1)->n_elems, 4);
}

/* Sources and destinations in turn overlap one another: no map can help. */
static void alternation_stays_rules(void **state)
{
	const char *matches[40];

	for (size_t i = 0; i < N(matches); i++)
		matches[i] = cni_printf(*state, i % 2 ? "from 10.%zu.0.0/16" : "to 20.%zu.0.0/16", i);
	assert_int_equal(count_sets(lowered(*state, &(struct cni_prior){ 0 }, matches, N(matches)), "p."), 0);
}

/* Many are cut by leading bits: an index, and a map a piece, each of which a packet asks once. */
static void pieces(void **state)
{
	const struct cni_prior prior = { .map_min = 2, .shard_max = 4 };
	const char *matches[64];
	struct cni_state *s;
	size_t n = 0;

	for (size_t i = 0; i < N(matches); i++)
		matches[i] =
			cni_printf(*state, "from 10.%zu.0.0/16 to 20.%zu.0.0/16 tcp dport %zu", i % 5, i, 1000 + i);
	s = lowered(*state, &prior, matches, N(matches));
	assert_int_equal(count_sets(s, "p.fields.index"), 1);
	for (size_t i = 0; i < count_sets(s, "p.fields."); i++) {
		const struct cni_st_set *set = find_set(s, "p.fields.", i);

		if (!strncmp(set->name, "p.fields.index", 14))
			continue;
		assert_in_range(set->n_elems, 1, prior.shard_max);
		n += set->n_elems;
	}
	assert_int_equal(n, N(matches));
	assert_int_equal(cost_of(s, CNI_V4)->most, 2);
	assert_int_equal(cost_of(s, CNI_V4)->n_elements, N(matches) + find_set(s, "p.fields.index", 0)->n_elems);
}

/* One more route touches its own piece, the index, and what leads there. */
static void a_small_change(void **state)
{
	const struct cni_prior none = { .map_min = 2, .shard_max = 4 };
	struct cni_prior prior = none;
	const char *matches[64];
	struct cni_state *before, *after;
	size_t n_new = 0;

	for (size_t i = 0; i < N(matches); i++)
		matches[i] = cni_printf(*state, "from 10.%zu.0.0/16 to 20.%zu.0.0/16", i % 5, 2 * i);
	before = lowered(*state, &none, matches, N(matches));
	prior.observed = before;
	matches[17] = "from 10.2.0.0/16 to 20.35.0.0/16";
	after = lowered(*state, &prior, matches, N(matches));
	for (size_t i = 0; i < after->n_sets; i++) {
		bool known = false;

		for (size_t j = 0; j < before->n_sets; j++)
			known |= !strcmp(before->sets[j].name, after->sets[i].name);
		n_new += !known && !strncmp(after->sets[i].name, "p.", 2);
	}
	assert_in_range(n_new, 1, 3);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = { TEST(nested_prefixes),
						   TEST(few_are_rules),
						   TEST(ports_apart),
						   TEST(single_values_are_a_hash),
						   TEST(overlaps_are_layers),
						   TEST(alternation_stays_rules),
						   TEST(pieces),
						   TEST(a_small_change) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
