/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probes_test.c - the ways of answers to the far side's probes: the proof follows all of them, and misses any rule that is
 * taken away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/arena.h"
#include "compiler/proof/proof.h"
#include "runtime/proof/record.h"
#include "tests/unit/lowered.h"

#define NODES 4000000

#define LINKS                                                                                                          \
	"lan hq { device eth2; prefix 10.10.0.0/16, 2001:db8:10::/48; }\n"                                             \
	"link a { kind pni; device eth1; address 192.0.2.11/31, 2001:db8:a::1/127; }\n"                                \
	"link isp { kind internet; device eth0; address 198.51.100.2/30; }\n"
#define GRE(n, over, local, health)                                                                                    \
	"tunnel t" n " { kind gre; over " over "; local " local "; remote 203.0.113." n "; health " health             \
	" track off; address 10.100." n ".1/31, 2001:db8:ff:" n "::1/127; }\n"
#define VIA(target) "policy p on eth2 { route all via " target " else drop; }\n"
#define UNI(type, more) "{ direction unidirectional; type " type "; " more " }"
#define BI(type, more) "{ direction bidirectional; type " type "; " more " }"

struct bench {
	struct cni_arena *arena;
	struct cni_diags diags;
	const struct cni_model *model;
	struct cni_state *state;
	struct cni_messages messages;
};

static void compile(struct bench *b, const char *policy)
{
	struct lowered lowered;

	*b = (struct bench){ .arena = cni_arena_new() };
	cni_diags_init(&b->diags, b->arena);
	lowered = lower(b->arena, policy, NULL);
	b->model = lowered.model;
	b->state = lowered.state;
	assert_int_equal(rt_record(b->arena, b->state, &b->messages, &b->diags), 0);
}

static struct cni_proof prove(struct bench *b)
{
	assert_int_equal(rt_record(b->arena, b->state, &b->messages, &b->diags), 0);
	return cni_prove(b->arena, b->model, NULL, &b->messages, &(struct cni_proof_limits){ .max_nodes = NODES },
			 &b->diags);
}

static void is_proven(const char *policy)
{
	struct cni_proof proof;
	struct bench b;

	compile(&b, policy);
	proof = prove(&b);
	if (proof.answer == CNI_REFUTED)
		fail_msg("%s, %s, %s: should be `%s`, and would be `%s`, of %s", proof.example.what,
			 proof.example.where, proof.example.packet, proof.example.should, proof.example.is, policy);
	assert_int_equal(proof.answer, CNI_PROVEN);
	cni_arena_free(b.arena);
}

static void every_kind_is_proven(void **state)
{
	static const char *const healths[] = {
		BI("request", ""),
		BI("reply", ""),
		BI("request", "target 198.51.100.200;"),
		BI("reply", "target 2001:db8:7a::1;"),
		UNI("request", ""),
		UNI("reply", ""),
		UNI("request", "target 2001:db8:7a::1;"),
		UNI("reply", "target 198.51.100.200;"),
		"legacy { target 172.64.240.253; }",
		"legacy { target 2001:db8:7a::1; }",
	};
	static const char *const others[] = { "", "options { return none; }\n", "policy q on eth1 { else main; }\n" };
	static const char *const locals[] = { "192.0.2.11", "198.51.100.130" };
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(healths) / sizeof(*healths); i++)
		for (size_t j = 0; j < sizeof(others) / sizeof(*others); j++) {
			for (size_t k = 0; k < sizeof(locals) / sizeof(*locals); k++) {
				snprintf(text, sizeof(text), LINKS GRE("1", "a", "%s", "%s") VIA("t1") "%s", locals[k],
					 healths[i], others[j]);
				is_proven(text);
			}
			snprintf(text, sizeof(text),
				 LINKS "link b { kind peering; device eth3; address 192.0.2.21/31; health %s }\n" VIA(
					 "b") "%s",
				 healths[i], others[j]);
			is_proven(text);
		}
}

/* With BGP it is the daemon's table that the probe's target is led to, and it is closed. */
static void beside_bgp(void **state)
{
	static const char policy[] = "lan hq { device eth2; prefix 10.10.0.0/16; }\n"
				     "link a { kind classic; device eth1; address 192.0.2.11/31; bgp { local-as 64512; "
				     "peer-as 13335; } }\n" //
		GRE("1", "a", "198.51.100.130", UNI("request", "target 198.51.100.200;"))
			GRE("2", "a", "198.51.100.131", UNI("reply", "target 2001:db8:7a::1;")) VIA("t1 then t2");
	size_t n_answers = 0;
	struct bench b;

	(void)state;
	is_proven(policy);
	compile(&b, policy);
	for (size_t i = 0; i < b.state->n_rules; i++) {
		const struct cni_st_rule *rule = &b.state->rules[i];
		size_t n_outer = 0, n_guards = 0;

		if (!rule->has_from || rule->priority != b.model->options.rule_priority)
			continue;
		for (size_t j = 0; j < b.state->n_rules; j++)
			n_outer += b.state->rules[j].table == rule->table &&
				   b.state->rules[j].priority == rule->priority + 1;
		for (size_t j = 0; j < b.state->n_routes; j++)
			if (b.state->routes[j].table == rule->table && b.state->routes[j].family == rule->family) {
				assert_int_equal(b.state->routes[j].type, CNI_RT_UNREACHABLE);
				n_guards++;
			}
		assert_int_equal(n_outer, 1);
		assert_int_equal(n_guards, 1);
		n_answers++;
	}
	assert_int_equal(n_answers, 2);
	cni_arena_free(b.arena);
}

static void no_rule_may_be_missing(void **state)
{
	static const char *const chains[] = { "arrival.t1.", "arrival.t2.", "arrival.b.", "probes." };
	struct bench b;

	(void)state;
	compile(&b, LINKS "link b { kind peering; device eth3; address 192.0.2.21/31; health " UNI(
			    "reply", "") " }\n" GRE("1", "a", "192.0.2.11", UNI("request", ""))
			    GRE("2", "isp", "198.51.100.2", UNI("reply", "")) VIA("t1 then t2 then b"));
	assert_int_equal(prove(&b).answer, CNI_PROVEN);
	for (size_t i = 0; i < b.state->n_chains; i++)
		for (size_t j = 0; j < sizeof(chains) / sizeof(*chains); j++) {
			struct cni_st_chain *chain = &b.state->chains[i];
			const struct cni_st_chain whole = *chain;

			if (strncmp(chain->name, chains[j], strlen(chains[j])) != 0)
				continue;
			for (size_t r = 0; r < whole.n_rules; r++) {
				chain->rules = cni_new_array(b.arena, struct cni_st_rule_nft, whole.n_rules);
				chain->n_rules = whole.n_rules - 1;
				for (size_t k = 0, to = 0; k < whole.n_rules; k++)
					if (k != r)
						chain->rules[to++] = whole.rules[k];
				if (prove(&b).answer != CNI_REFUTED)
					fail_msg("rule %zu of %s", r, chain->name);
			}
			*chain = whole;
		}
	cni_arena_free(b.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_proven),
		cmocka_unit_test(beside_bgp),
		cmocka_unit_test(no_rule_may_be_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
