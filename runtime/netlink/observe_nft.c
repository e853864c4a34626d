/* SPDX-License-Identifier: GPL-2.0-or-later */
/* observe_nft.c - the table `inet cnic`: counters, sets, chains and their rules. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#include "compiler/emit/nft.h"
#include "runtime/netlink/expr.h"
#include "runtime/netlink/nft.h"
#include "runtime/netlink/observe.h"
#include "runtime/netlink/seal.h"
#include "runtime/netlink/snapshot.h"

/* Of so many chains, each is asked for its rules: every part of a whole dump walks all rules from the start. */
#define CHAINS_AT_ONCE 16384

/* `chain`: whose rules; NULL: of the whole table. */
static int dump(struct rt_observation *obs, uint16_t type, uint16_t flags, const char *chain, rt_each *each)
{
	uint64_t space[64] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(space);
	struct nfgenmsg *family;

	request->nlmsg_type = rt_nft_type(type);
	request->nlmsg_flags = flags;
	family = mnl_nlmsg_put_extra_header(request, sizeof(*family));
	family->nfgen_family = NFPROTO_INET;
	/* the first attribute of every kind of object is its table */
	mnl_attr_put_strz(request, NFTA_TABLE_NAME, CNI_TABLE);
	if (chain)
		mnl_attr_put_strz(request, NFTA_RULE_CHAIN, chain);
	return rt_request(obs->nl, RT_NETFILTER, request, each, obs);
}

/* Older kernels dump the objects of all tables. False: not one of ours. */
static bool is_ours(const struct nlmsghdr *message, uint16_t type, struct rt_attrs *attrs)
{
	return message->nlmsg_type == rt_nft_type(type) && rt_nft_is_ours(message, attrs);
}

static int read_table(const struct nlmsghdr *message, void *arg)
{
	struct rt_observation *obs = arg;
	struct rt_attrs attrs;

	if (is_ours(message, NFT_MSG_NEWTABLE, &attrs))
		obs->state->has_table = true;
	return 0;
}

/* ---- counters ---- */

static int read_counter(const struct nlmsghdr *message, void *arg)
{
	struct rt_observation *obs = arg;
	struct cni_st_counter *counter;
	struct rt_attrs attrs, data;

	if (!is_ours(message, NFT_MSG_NEWOBJ, &attrs) || rt_be32(attrs.at[NFTA_OBJ_TYPE], 0) != NFT_OBJECT_COUNTER)
		return 0;
	if (!strcmp(rt_string(attrs.at[NFTA_OBJ_NAME]), RT_SEAL)) {
		obs->state->has_seal = true;
		obs->state->sealed = rt_seal_read(rt_comment(obs->arena, attrs.at[NFTA_OBJ_USERDATA]));
		return 0;
	}
	rt_attrs_nested(&data, attrs.at[NFTA_OBJ_DATA]);
	counter = cni_push(obs->arena, obs->state->counters, obs->state->n_counters);
	counter->name = cni_strdup(obs->arena, rt_string(attrs.at[NFTA_OBJ_NAME]));
	counter->comment = rt_comment(obs->arena, attrs.at[NFTA_OBJ_USERDATA]);
	counter->handle = rt_be64(attrs.at[NFTA_OBJ_HANDLE], 0);
	counter->packets = rt_be64(data.at[NFTA_COUNTER_PACKETS], 0);
	counter->bytes = rt_be64(data.at[NFTA_COUNTER_BYTES], 0);
	return 0;
}

/* ---- sets ---- */

static bool read_field(struct cni_st_set *set, uint32_t type)
{
	for (size_t key = 0; key < CNI_N_KEYS; key++)
		if (cni_key_info[key].nft_type == type && set->n_fields < CNI_KEY_FIELDS) {
			set->fields[set->n_fields++] = (enum cni_key_type)key;
			return true;
		}
	return false;
}

/* The type of a concatenation is those of its fields, six bits each, the first in the highest. False: a key that
 * cnic never writes. */
static bool read_fields(struct cni_st_set *set, uint32_t type)
{
	unsigned int len = 0;
	bool known = true;

	for (int shift = 24; shift >= 0; shift -= 6)
		if (type >> shift)
			known &= read_field(set, type >> shift & 0x3f);
	for (size_t i = 0; i < set->n_fields; i++) {
		unsigned int bytes = cni_key_info[set->fields[i]].len;

		len += set->n_fields > 1 ? (bytes + 3) / 4 * 4 : bytes;
	}
	return known && len && len == set->key_len;
}

static int read_set(const struct nlmsghdr *message, void *arg)
{
	const uint32_t usual = NFT_SET_INTERVAL | NFT_SET_MAP | NFT_SET_CONCAT;
	struct rt_observation *obs = arg;
	struct cni_st_set *set;
	struct rt_attrs attrs;
	uint32_t flags;

	if (!is_ours(message, NFT_MSG_NEWSET, &attrs))
		return 0;
	flags = rt_be32(attrs.at[NFTA_SET_FLAGS], 0);
	if (flags & NFT_SET_ANONYMOUS)
		return 0; /* a part of its rule, with which it comes and goes */
	set = cni_push(obs->arena, obs->state->sets, obs->state->n_sets);
	set->name = cni_strdup(obs->arena, rt_string(attrs.at[NFTA_SET_NAME]));
	set->handle = rt_be64(attrs.at[NFTA_SET_HANDLE], 0);
	set->key_len = (uint16_t)rt_be32(attrs.at[NFTA_SET_KEY_LEN], 0);
	set->interval = flags & NFT_SET_INTERVAL;
	set->map = flags & NFT_SET_MAP;
	/* a set of someone else's kind in our table has no fields, and so equals none of ours */
	if (!read_fields(set, rt_be32(attrs.at[NFTA_SET_KEY_TYPE], 0)) || flags & ~usual ||
	    cni_set_is_boxes(set) != !!(flags & NFT_SET_CONCAT) ||
	    (set->map && rt_be32(attrs.at[NFTA_SET_DATA_TYPE], 0) != NFT_DATA_VERDICT))
		set->n_fields = 0;
	return 0;
}

/* ---- chains and rules ---- */

static int read_chain(const struct nlmsghdr *message, void *arg)
{
	struct rt_observation *obs = arg;
	struct cni_st_chain *chain;
	struct rt_attrs attrs, hook;
	const char *type;

	if (!is_ours(message, NFT_MSG_NEWCHAIN, &attrs))
		return 0;
	chain = cni_push(obs->arena, obs->state->chains, obs->state->n_chains);
	chain->name = cni_strdup(obs->arena, rt_string(attrs.at[NFTA_CHAIN_NAME]));
	chain->handle = rt_be64(attrs.at[NFTA_CHAIN_HANDLE], 0);
	type = rt_string(attrs.at[NFTA_CHAIN_TYPE]);
	for (enum cni_hook_type t = CNI_HOOK_FILTER; attrs.at[NFTA_CHAIN_HOOK] && t <= CNI_HOOK_NAT; t++)
		if (!strcmp(type, cni_nft_chain_type(t)))
			chain->type = t;
	rt_attrs_nested(&hook, attrs.at[NFTA_CHAIN_HOOK]);
	chain->hook = rt_be32(hook.at[NFTA_HOOK_HOOKNUM], 0);
	chain->priority = (int32_t)rt_be32(hook.at[NFTA_HOOK_PRIORITY], 0);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return cni_chain_cmp(a, b);
}

static void read_exprs(struct cni_arena *arena, const struct nftnl_rule *from, struct cni_st_rule_nft *rule)
{
	struct nftnl_expr_iter *iter = nftnl_expr_iter_create(from);
	struct nftnl_expr *expr;

	while (iter && (expr = nftnl_expr_iter_next(iter)))
		rt_expr_decode(arena, expr, cni_push(arena, rule->exprs, rule->n_exprs));
	if (iter)
		nftnl_expr_iter_destroy(iter);
}

static int read_rule(const struct nlmsghdr *message, void *arg)
{
	struct rt_observation *obs = arg;
	struct cni_st_chain key, *chain;
	struct cni_st_rule_nft *rule;
	struct nftnl_rule *parsed;
	struct rt_attrs attrs;

	if (!is_ours(message, NFT_MSG_NEWRULE, &attrs))
		return 0;
	key.name = rt_string(attrs.at[NFTA_RULE_CHAIN]);
	chain = obs->state->n_chains ? bsearch(&key, obs->state->chains, obs->state->n_chains, sizeof(key), by_name)
				     : NULL;
	if (!chain)
		return -EINTR; /* made since the chains were read */
	parsed = nftnl_rule_alloc();
	if (!parsed)
		return -ENOMEM;
	rule = cni_push(obs->arena, chain->rules, chain->n_rules);
	rule->handle = rt_be64(attrs.at[NFTA_RULE_HANDLE], 0);
	/* libnftnl fails at an expression that is newer than itself: not one of ours */
	if (nftnl_rule_nlmsg_parse(message, parsed) < 0)
		*cni_push(obs->arena, rule->exprs, rule->n_exprs) =
			(struct cni_expr){ .op = CNI_X_OTHER, .name = "unknown" };
	else
		read_exprs(obs->arena, parsed, rule);
	nftnl_rule_free(parsed);
	return 0;
}

/* ---- what nobody has changed ---- */

/* While only our own batches have moved the generation id. */
static const struct rt_trust *trust_in(const struct rt_observation *obs)
{
	const struct rt_trust *trust = obs->trust;

	return trust && trust->known && trust->generation == obs->state->generation ? trust : NULL;
}

static const struct cni_st_chain *find_chain(const struct cni_state *state, const struct cni_st_chain *chain)
{
	return state && state->n_chains ? bsearch(chain, state->chains, state->n_chains, sizeof(*chain), by_name)
					: NULL;
}

#define KINDS_MAX 256 /* of chains: more are read */

struct kinds {
	uint64_t items[KINDS_MAX];
	size_t n;
};

/* The same for chains whose rules have the same expressions, whatever they compare with and lead to. */
static uint64_t kind_of(const struct cni_st_chain *chain)
{
	uint64_t kind = chain->n_rules;

	for (size_t i = 0; i < chain->n_rules; i++) {
		const struct cni_st_rule_nft *rule = &chain->rules[i];

		for (size_t j = 0; j < rule->n_exprs; j++) {
			const struct cni_expr *x = &rule->exprs[j];
			const uint64_t parts[] = {
				(uint64_t)x->op, (uint32_t)x->key, x->reg, x->sreg, x->offset, x->len
			};

			for (size_t k = 0; k < sizeof(parts) / sizeof(*parts); k++)
				kind = (kind ^ parts[k]) * UINT64_C(1099511628211); /* FNV-1a's prime */
		}
	}
	return kind;
}

static bool was_met(struct kinds *kinds, uint64_t kind)
{
	for (size_t i = 0; i < kinds->n; i++)
		if (kinds->items[i] == kind)
			return true;
	if (kinds->n < KINDS_MAX)
		kinds->items[kinds->n++] = kind;
	return false;
}

/* The same chain of the same content, as it was read before, or sent. NULL: it is to be read. */
static const struct cni_st_chain *known_chain(const struct rt_observation *obs, const struct cni_st_chain *chain,
					      struct kinds *kinds)
{
	const struct rt_trust *trust = trust_in(obs);
	const struct cni_st_chain *known;

	if (!trust || cni_chain_flips(chain))
		return NULL;
	known = find_chain(trust->known, chain);
	if (known)
		return known->handle == chain->handle ? known : NULL;
	known = find_chain(trust->made, chain);
	return known && was_met(kinds, kind_of(known)) ? known : NULL;
}

static int observe_rules(struct rt_observation *obs)
{
	struct kinds kinds = { .n = 0 };
	int rc = 0;

	if (obs->state->n_chains <= CHAINS_AT_ONCE)
		return dump(obs, NFT_MSG_GETRULE, NLM_F_DUMP, NULL, read_rule);
	for (size_t i = 0; !rc && i < obs->state->n_chains; i++) {
		struct cni_st_chain *chain = &obs->state->chains[i];
		const struct cni_st_chain *known = known_chain(obs, chain, &kinds);

		if (known) {
			chain->rules = known->rules;
			chain->n_rules = known->n_rules;
		} else {
			rc = dump(obs, NFT_MSG_GETRULE, NLM_F_DUMP, chain->name, read_rule);
		}
	}
	return rc;
}

/* ---- elements ---- */

static int by_set_name(const void *a, const void *b)
{
	return cni_set_cmp(a, b);
}

/* The same set of the same content, as it was read before. NULL: none is known. */
static const struct cni_st_set *find_known(const struct rt_observation *obs, const struct cni_st_set *set)
{
	const struct rt_trust *trust = trust_in(obs);
	const struct cni_st_set *known;

	if (!trust || !trust->known->n_sets)
		return NULL;
	known = bsearch(set, trust->known->sets, trust->known->n_sets, sizeof(*set), by_set_name);
	return known && known->handle == set->handle ? known : NULL;
}

/* Maps of marks and of devices are small, and asked for what they hold (compiler/lower/). */
static bool may_be_large(const struct cni_st_set *set)
{
	return set->fields[0] != CNI_KEY_MARK && set->fields[0] != CNI_KEY_IFNAME;
}

static int observe_elements(struct rt_observation *obs, struct cni_st_set *set)
{
	const bool sealed = obs->trust && obs->trust->seal && obs->state->sealed == obs->state->generation;
	const struct cni_st_set *known = may_be_large(set) ? find_known(obs, set) : NULL;

	if (known) {
		*set = *known;
		return 0;
	}
	set->unread = sealed && may_be_large(set);
	return set->unread ? 0 : rt_observe_elements(obs, set);
}

int rt_observe_nft(struct rt_observation *obs)
{
	static const struct {
		uint16_t type;
		rt_each *each;
	} dumps[] = { { NFT_MSG_GETOBJ, read_counter },
		      { NFT_MSG_GETSET, read_set },
		      { NFT_MSG_GETCHAIN, read_chain } };
	int rc = dump(obs, NFT_MSG_GETTABLE, 0, NULL, read_table);

	if (rc || !obs->state->has_table)
		return rc == -ENOENT ? 0 : rc;
	for (size_t i = 0; !rc && i < sizeof(dumps) / sizeof(*dumps); i++)
		rc = dump(obs, dumps[i].type, NLM_F_DUMP, NULL, dumps[i].each);
	if (!rc && obs->state->n_chains)
		qsort(obs->state->chains, obs->state->n_chains, sizeof(*obs->state->chains), by_name);
	if (!rc)
		rc = observe_rules(obs);
	for (size_t i = 0; !rc && i < obs->state->n_sets; i++)
		if (obs->state->sets[i].n_fields)
			rc = observe_elements(obs, &obs->state->sets[i]);
	return rc;
}
