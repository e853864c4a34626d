/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proof_test.c - the decoder on messages that are whole, cut short, bent and strange; and the proof on states that do what
 * the policy says, and on the same with one thing changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>

#include "compiler/arena.h"
#include "compiler/lower.h"
#include "compiler/proof/proof.h"
#include "compiler/proof/ruleset.h"
#include "compiler/text.h"
#include "grammar/parse.h"
#include "runtime/proof/record.h"

#define NODES 2000000

static const char policy[] = "lan hq { device eth2; prefix 10.10.0.0/16, 2001:db8:10::/48; }\n"
			     "link a { kind pni; device eth1; address 192.0.2.11/31, 2001:db8:a::1/127; }\n"
			     "link b { kind internet; device eth3; address 198.51.100.2/30; }\n"
			     "define corp = { 203.0.113.0/25, 203.0.113.200, 2001:db8:cc::1-2001:db8:cc::9 };\n"
			     "policy p on eth2 {\n"
			     "	route web from 10.10.0.0/16 tcp dport { 80, 443-450 } via a then b else drop;\n"
			     "	route some to corp via a weight 3, b weight 1 masquerade else main;\n"
			     "	route pings icmp echo-request dscp ef via b masquerade else reject;\n"
			     "	else drop;\n"
			     "}\n";

struct bench {
	struct cni_arena *arena;
	struct cni_diags diags;
	struct cni_model *model;
	struct cni_state *state;
	struct cni_messages messages;
};

static int load(struct bench *b, const char *text)
{
	struct cni_sources sources = { 0 };
	struct cni_ast ast = { 0 };
	struct cni_ast_decl **tail = &ast.decls;

	b->arena = cni_arena_new();
	cni_diags_init(&b->diags, b->arena);
	cni_parse(b->arena, cni_source_add(b->arena, &sources, "p.cni", text, strlen(text)), &b->diags, &tail);
	b->model = cni_resolve(b->arena, &ast, NULL, 0, &b->diags);
	b->state = cni_lower(b->arena, b->model, &(struct cni_prior){ 0 }, &b->diags);
	return b->diags.n_errors || rt_record(b->arena, b->state, &b->messages, &b->diags);
}

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct bench));
	return load(*state, policy);
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	cni_arena_free(b->arena);
	free(b);
	return 0;
}

static const char *decode(struct bench *b, struct cni_arena *arena, enum proof_bus bus, const uint8_t *data, size_t len)
{
	struct ruleset to = { .devices = b->messages.devices, .n_devices = b->messages.n_devices };
	struct decoder d = { .arena = arena, .to = &to };

	/* of memory of its own, so that a look behind the end is seen */
	uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, data, len);
	proof_decode(&d, bus, (struct bytes){ copy, len });
	if (!d.error)
		proof_complete(&d);
	free(copy);
	return d.error;
}

/* ---- messages as they are sent ---- */

static void whole_messages_are_understood(void **state)
{
	struct bench *b = *state;
	struct ruleset to = { .devices = b->messages.devices, .n_devices = b->messages.n_devices };
	struct decoder d = { .arena = b->arena, .to = &to };

	proof_decode(&d, PROOF_ROUTE, (struct bytes){ b->messages.route, b->messages.route_len });
	proof_decode(&d, PROOF_NETFILTER, (struct bytes){ b->messages.nft, b->messages.nft_len });
	proof_complete(&d);
	assert_null(d.error);
	assert_true(to.has_table);
	assert_int_equal(to.n_chains, b->state->n_chains);
	assert_int_equal(to.n_sets, b->state->n_sets);
	assert_int_equal(to.n_counters, b->state->n_counters);
	assert_int_equal(to.n_rules, b->state->n_rules);
	assert_int_equal(to.n_routes, b->state->n_routes);
	for (size_t i = 0; i < to.n_sets; i++)
		for (size_t j = 0; j < b->state->n_sets; j++)
			if (!strcmp(to.sets[i]->name, b->state->sets[j].name))
				assert_int_equal(to.sets[i]->n_elems, b->state->sets[j].n_elems);
}

static size_t step_of(const uint8_t *at)
{
	struct nlmsghdr header;

	memcpy(&header, at, sizeof(header));
	return NLMSG_ALIGN(header.nlmsg_len);
}

static void cut_short_they_are_not(void **state)
{
	struct bench *b = *state;
	size_t boundary = step_of(b->messages.route);

	for (size_t len = 1; len < b->messages.route_len && len < 3000; len++) {
		struct cni_arena *arena = cni_arena_new();
		const char *error = decode(b, arena, PROOF_ROUTE, b->messages.route, len);

		if (len == boundary)
			boundary += step_of(b->messages.route + len);
		else
			assert_non_null(error);
		cni_arena_free(arena);
	}
}

/* No byte may lead the decoder astray; nor may it take what it does not know for something else. */
static void bent_they_do_no_harm(void **state)
{
	struct bench *b = *state;
	uint8_t *data = cni_alloc(b->arena, b->messages.nft_len);
	size_t n_refused = 0, n = 0;

	memcpy(data, b->messages.nft, b->messages.nft_len);
	for (size_t i = 0; i < b->messages.nft_len; i += 3, n++) {
		struct cni_arena *arena = cni_arena_new();

		data[i] ^= (uint8_t)(1 + i % 255);
		n_refused += decode(b, arena, PROOF_NETFILTER, data, b->messages.nft_len) != NULL;
		data[i] = b->messages.nft[i];
		cni_arena_free(arena);
	}
	assert_true(n_refused > n / 3);
}

/* ---- strange ones ---- */

struct message {
	struct nlmsghdr header;
	struct nfgenmsg family;
	uint8_t attrs[240];
};

static void begin(struct message *m, uint16_t type)
{
	*m = (struct message){ .header = { .nlmsg_len = sizeof(m->header) + sizeof(m->family),
					   .nlmsg_type = type,
					   .nlmsg_flags = NLM_F_CREATE | NLM_F_APPEND },
			       .family = { .nfgen_family = NFPROTO_INET } };
}

static void attr(struct message *m, uint16_t type, const void *data, size_t len)
{
	const struct nlattr header = { (uint16_t)(sizeof(header) + len), type };
	uint8_t *at = (uint8_t *)m + m->header.nlmsg_len;

	memcpy(at, &header, sizeof(header));
	memcpy(at + sizeof(header), data, len);
	m->header.nlmsg_len += NLA_ALIGN(header.nla_len);
}

static size_t add_frame(uint8_t *to, uint16_t type)
{
	struct message m;

	begin(&m, type);
	m.family.res_id = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8); /* in network order */
	memcpy(to, &m, m.header.nlmsg_len);
	return m.header.nlmsg_len;
}

/* Of a batch that holds nothing else. */
static const char *refusal(struct bench *b, struct message *m)
{
	uint8_t all[sizeof(*m) + 64];
	size_t len = add_frame(all, NFNL_MSG_BATCH_BEGIN);
	const char *error;

	memcpy(all + len, m, m->header.nlmsg_len);
	len += m->header.nlmsg_len;
	len += add_frame(all + len, NFNL_MSG_BATCH_END);
	error = decode(b, b->arena, PROOF_NETFILTER, all, len);
	return error ? error : "";
}

static void what_is_not_known_is_refused(void **state)
{
	const uint16_t nft = NFNL_SUBSYS_NFTABLES << 8;
	struct bench *b = *state;
	struct message m;

	begin(&m, nft | NFT_MSG_NEWTABLE);
	attr(&m, NFTA_TABLE_NAME, "cnic", 5);
	assert_string_equal(refusal(b, &m), "");
	attr(&m, NFTA_TABLE_FLAGS, "\0\0\0\1", 4);
	assert_string_equal(refusal(b, &m), "a table has attribute 2, which is not known here");

	begin(&m, nft | NFT_MSG_NEWTABLE);
	attr(&m, NFTA_TABLE_NAME, "filter", 7);
	assert_string_equal(refusal(b, &m), "a table is in table `filter`");
	attr(&m, NFTA_TABLE_NAME, "cnic", 5);
	assert_string_equal(refusal(b, &m), "a table has attribute 1 twice");

	begin(&m, nft | NFT_MSG_NEWFLOWTABLE);
	assert_string_equal(refusal(b, &m), "a message of type 2582 is not known");
	begin(&m, nft | NFT_MSG_NEWTABLE);
	m.family.nfgen_family = NFPROTO_IPV4;
	assert_string_equal(refusal(b, &m), "a message is of family 2");
	begin(&m, nft | NFT_MSG_NEWRULE);
	attr(&m, NFTA_RULE_TABLE, "cnic", 5);
	attr(&m, NFTA_RULE_CHAIN, "nowhere", 8);
	assert_string_equal(refusal(b, &m), "a rule is in the chain `nowhere`, which is not there");
	begin(&m, nft | NFT_MSG_NEWTABLE);
	attr(&m, NFTA_TABLE_NAME, "cnic", 5);
	m.header.nlmsg_len -= 4;
	assert_string_equal(refusal(b, &m), "an attribute of a table claims 9 of 8 bytes");
	begin(&m, nft | NFT_MSG_NEWTABLE);
	attr(&m, NFTA_TABLE_NAME, "cnic", 4);
	assert_string_equal(refusal(b, &m), ""); /* the kernel takes a text without its end */
	begin(&m, nft | NFT_MSG_NEWTABLE);
	attr(&m, NFTA_TABLE_NAME, "cnic\0x", 6);
	assert_string_equal(refusal(b, &m), "attribute 1 of a table is no text");
}

static void what_a_kernel_would_not_take_is_refused(void **state)
{
	const uint16_t nft = NFNL_SUBSYS_NFTABLES << 8;
	struct bench *b = *state;
	struct message m;

	begin(&m, nft | NFT_MSG_NEWTABLE);
	attr(&m, NFTA_TABLE_NAME, "cnic", 5);
	assert_string_equal(decode(b, b->arena, PROOF_NETFILTER, (const uint8_t *)&m, m.header.nlmsg_len),
			    "a message is in no batch");
	m.header.nlmsg_flags = 0;
	assert_string_equal(refusal(b, &m), "a message of type 2560 has flags 0x0");
	begin(&m, NFNL_MSG_BATCH_BEGIN);
	assert_string_equal(refusal(b, &m), "a batch begins or ends where it must not");
	begin(&m, nft | NFT_MSG_NEWRULE);
	m.header.nlmsg_flags = NLM_F_CREATE; /* it would stand in front of the others */
	assert_string_equal(refusal(b, &m), "a message of type 2566 has flags 0x400");
	begin(&m, nft | NFT_MSG_NEWSET);
	attr(&m, NFTA_SET_TABLE, "cnic", 5);
	attr(&m, NFTA_SET_NAME, "s", 2);
	attr(&m, NFTA_SET_FLAGS, "\0\0\0\0", 4);
	attr(&m, NFTA_SET_KEY_LEN, "\0\0\0\4", 4);
	assert_string_equal(refusal(b, &m), "a set lacks attribute 10");
	attr(&m, NFTA_SET_ID, "\0\0\0\1", 4);
	assert_string_equal(refusal(b, &m), "");
	attr(&m, NFTA_SET_DESC | NLA_F_NESTED, "\10\0\1\0\0\0\0\2", 8); /* NFTA_SET_DESC_SIZE */
	assert_string_equal(refusal(b, &m), "the set `s` has room for 2 elements, and gets 0");
}

/* ---- the proof ---- */

static enum cni_proven prove(struct bench *b, unsigned int nodes)
{
	cni_diags_init(&b->diags, b->arena);
	assert_int_equal(rt_record(b->arena, b->state, &b->messages, &b->diags), 0);
	return cni_prove(b->arena, b->model, NULL, &b->messages, &(struct cni_proof_limits){ .max_nodes = nodes },
			 &b->diags)
		.answer;
}

static void a_state_is_proven(void **state)
{
	assert_int_equal(prove(*state, NODES), CNI_PROVEN);
}

static void what_is_too_large_is_told(void **state)
{
	struct cni_arena *arena = cni_arena_new();
	struct cni_text text = { .arena = arena };
	struct bench large;

	(void)state;
	cni_text_puts(&text, policy);
	cni_text_puts(&text, "define many = { 1.1.1.1");
	for (unsigned int i = 0; i < 3000; i++) /* spread by a multiplier, so that they share few bits */
		cni_text_printf(&text, ", %u.%u.%u.0/24", 11 + i % 80, i * 37 % 251, i * 101 % 253);
	cni_text_puts(&text, " };\npolicy q on eth4 { route many to many via a else drop; else drop; }\n");
	assert_int_equal(load(&large, text.data), 0);
	assert_int_equal(prove(&large, 10000), CNI_TOO_LARGE);
	assert_int_equal(large.diags.n_errors, 0);
	for (unsigned int nodes = 10000; nodes < 100000; nodes += 3000) /* wherever it is noticed */
		assert_int_not_equal(prove(&large, nodes), CNI_REFUTED);
	assert_int_equal(prove(&large, NODES), CNI_PROVEN);
	cni_arena_free(large.arena);
	cni_arena_free(arena);
}

static bool at_once(void *arg)
{
	++*(int *)arg;
	return true;
}

static void impatience_is_no_proof(void **state)
{
	struct bench *b = *state;
	int n_asked = 0;
	const struct cni_proof_limits limits = { NODES, at_once, &n_asked };

	assert_int_equal(prove(b, NODES), CNI_PROVEN);
	assert_int_equal(cni_prove(b->arena, b->model, NULL, &b->messages, &limits, &b->diags).answer, CNI_TOO_LARGE);
	assert_true(n_asked);
	assert_int_equal(b->diags.n_errors, 0);
}

/* Each changes one thing, and takes it back when called again. */
typedef void change(struct cni_state *s);

#define SWAP(a, b)                                                                                                     \
	do {                                                                                                           \
		__typeof__(a) swapped = (a);                                                                           \
		(a) = (b);                                                                                             \
		(b) = swapped;                                                                                         \
	} while (0)

static struct cni_st_chain *chain(struct cni_state *s, const char *label, size_t n_rules)
{
	for (size_t i = 0; i < s->n_chains; i++)
		if (!strncmp(s->chains[i].name, label, strlen(label)) && s->chains[i].n_rules >= n_rules)
			return &s->chains[i];
	fail_msg("no chain %s", label);
	return NULL;
}

static struct cni_st_set *set(struct cni_state *s, const char *label)
{
	for (size_t i = 0; i < s->n_sets; i++)
		if (!strncmp(s->sets[i].name, label, strlen(label)))
			return &s->sets[i];
	fail_msg("no set %s", label);
	return NULL;
}

static void rules_in_another_order(struct cni_state *s)
{
	struct cni_st_chain *c = chain(s, "policy.p.", 2);

	SWAP(c->rules[c->n_rules - 1], c->rules[c->n_rules - 2]);
}

static void verdicts_of_a_map(struct cni_state *s)
{
	struct cni_st_set *known = set(s, "known.");

	SWAP(known->verdicts[0], known->verdicts[1]);
}

static void an_end_of_a_range(struct cni_state *s)
{
	set(s, "corp.4.")->keys[7] ^= 1;
}

static struct cni_st_route *guard(struct cni_state *s)
{
	for (size_t i = 0; i < s->n_routes; i++)
		if (s->routes[i].type == CNI_RT_BLACKHOLE)
			return &s->routes[i];
	fail_msg("no blackhole");
	return NULL;
}

static void an_answer_to_what_is_dropped(struct cni_state *s)
{
	static struct cni_st_route *changed;

	if (changed)
		changed->type = CNI_RT_BLACKHOLE;
	changed = changed ? NULL : guard(s);
	if (changed)
		changed->type = CNI_RT_UNREACHABLE;
}

static void next_hops_in_another_order(struct cni_state *s)
{
	for (size_t i = 1; i < s->n_routes; i++)
		if (s->routes[i].table == s->routes[i - 1].table && s->routes[i].n_hops && s->routes[i - 1].n_hops &&
		    s->routes[i].family == s->routes[i - 1].family) {
			SWAP(s->routes[i].hops, s->routes[i - 1].hops);
			return;
		}
	fail_msg("no fallback");
}

static void a_bit_of_a_mark(struct cni_state *s)
{
	s->rules[s->n_rules - 1].mark ^= 0x10;
}

static void a_priority(struct cni_state *s)
{
	SWAP(s->rules[0].table, s->rules[s->n_rules - 1].table);
}

static void an_operation(struct cni_state *s)
{
	struct cni_st_chain *c = chain(s, "route.p.some.", 4);

	for (size_t i = 0; i < c->n_rules; i++)
		for (size_t j = 0; j < c->rules[i].n_exprs; j++)
			if (c->rules[i].exprs[j].op == CNI_X_CMP && c->rules[i].exprs[j].len == 4)
				c->rules[i].exprs[j].a[3] ^= 1; /* a share */
}

static void one_changed_thing_is_seen(void **state)
{
	static const struct {
		const char *name;
		change *change;
	} changes[] = {
		{ "rules in another order", rules_in_another_order },
		{ "verdicts of a map", verdicts_of_a_map },
		{ "an end of a range", an_end_of_a_range },
		{ "an answer to what is dropped", an_answer_to_what_is_dropped },
		{ "next hops in another order", next_hops_in_another_order },
		{ "a bit of a mark", a_bit_of_a_mark },
		{ "tables of two rules", a_priority },
		{ "a share", an_operation },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		changes[i].change(b->state);
		if (prove(b, NODES) != CNI_REFUTED)
			fail_msg("not seen: %s", changes[i].name);
		assert_int_equal(b->diags.first->code, CNI506);
		/* a packet that a reader knows, and where the policy decides about it */
		assert_non_null(strstr(b->diags.first->message, ":10::5 ")
					? ""
					: strstr(b->diags.first->message, "from 10.10.0.5 "));
		assert_int_equal(cni_span_is_set(b->diags.first->span),
				 !strncmp(b->diags.first->message, "a new flow", 10));
		print_message("# %s: %s\n", changes[i].name, b->diags.first->message);
		changes[i].change(b->state);
	}
	assert_int_equal(prove(b, NODES), CNI_PROVEN);
}

/* What no packet can tell is no difference: here every condition is asked twice. */
static void another_shape_is_the_same(void **state)
{
	struct bench *b = *state;
	struct cni_st_chain *c = chain(b->state, "policy.p.", 2);
	struct cni_st_rule_nft *r = &c->rules[c->n_rules - 2];
	const struct cni_st_rule_nft before = *r;
	struct cni_expr *twice = cni_new_array(b->arena, struct cni_expr, 2 * r->n_exprs);

	for (size_t i = 0; i + 1 < r->n_exprs; i++)
		twice[i] = twice[r->n_exprs - 1 + i] = r->exprs[i];
	twice[2 * (r->n_exprs - 1)] = r->exprs[r->n_exprs - 1];
	*r = (struct cni_st_rule_nft){ twice, 2 * (r->n_exprs - 1) + 1, r->span, 0 };
	assert_int_equal(prove(b, NODES), CNI_PROVEN);
	*r = before;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_messages_are_understood),
		cmocka_unit_test(cut_short_they_are_not),
		cmocka_unit_test(bent_they_do_no_harm),
		cmocka_unit_test(what_is_not_known_is_refused),
		cmocka_unit_test(what_a_kernel_would_not_take_is_refused),
		cmocka_unit_test(a_state_is_proven),
		cmocka_unit_test(what_is_too_large_is_told),
		cmocka_unit_test(impatience_is_no_proof),
		cmocka_unit_test(one_changed_thing_is_seen),
		cmocka_unit_test(another_shape_is_the_same),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
