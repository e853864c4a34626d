/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state_json.c - the tables of a state's records; see state_json.h. */
#include "runtime/json/state_json.h"

#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "runtime/json/record.h"

#define VERSION 1
#define END                                                                                                            \
	{                                                                                                              \
		.name = NULL                                                                                           \
	}

static const char *const link_types[] = { "other", "gre", "ip6gre", "vlan", NULL };
static const char *const families[] = { "ipv4", "ipv6", NULL };
static const char *const route_types[] = { "unicast", "blackhole", "unreachable", "other", NULL };
static const char *const hook_types[] = { "none", "filter", "route", "nat", NULL };
static const char *const expr_ops[] = {
	[CNI_X_META] = "meta",	     [CNI_X_META_SET] = "meta-set",	[CNI_X_CT] = "ct",
	[CNI_X_CT_SET] = "ct-set",   [CNI_X_PAYLOAD] = "payload",	[CNI_X_FIB] = "fib",
	[CNI_X_CMP] = "cmp",	     [CNI_X_BITWISE] = "bitwise",	[CNI_X_BYTEORDER] = "byteorder",
	[CNI_X_HASH] = "hash",	     [CNI_X_LOOKUP] = "lookup",		[CNI_X_IMMEDIATE] = "immediate",
	[CNI_X_VERDICT] = "verdict", [CNI_X_COUNTER] = "counter",	[CNI_X_TCPOPT_SET] = "tcpopt-set",
	[CNI_X_NOTRACK] = "notrack", [CNI_X_MASQUERADE] = "masquerade", [CNI_X_SNAT] = "snat",
	[CNI_X_REJECT] = "reject",   [CNI_X_OTHER] = "other",		NULL,
};

static bool is_device(const char *name)
{
	return *name && strlen(name) < CNI_IFNAME;
}

/* ---- devices ---- */

static const char *check_link(struct cni_arena *arena, void *record, const json_t *object)
{
	struct cni_st_link *link = record;

	(void)arena;
	(void)object;
	if (link->type == CNI_DEV_VLAN && !link->parent)
		link->parent = "";
	return is_device(link->name) ? NULL : "name: no device has such a one";
}

static const struct rt_field link_fields[] = {
	RT_FIELD(cni_st_link, name, RT_F_NAME),	      RT_FIELD(cni_st_link, owned, RT_F_BOOL),
	RT_WORD(cni_st_link, type, link_types),	      RT_FIELD(cni_st_link, kind, RT_F_NAME),
	RT_FIELD(cni_st_link, up, RT_F_BOOL),	      RT_FIELD(cni_st_link, mtu, RT_F_U32),
	RT_FIELD(cni_st_link, local, RT_F_ADDR),      RT_FIELD(cni_st_link, remote, RT_F_ADDR),
	RT_FIELD(cni_st_link, ttl, RT_F_U8),	      RT_FIELD(cni_st_link, tos, RT_F_U8),
	RT_FIELD(cni_st_link, has_key, RT_F_BOOL),    RT_FIELD(cni_st_link, csum, RT_F_BOOL),
	RT_FIELD(cni_st_link, seq, RT_F_BOOL),	      RT_FIELD(cni_st_link, pmtudisc, RT_F_BOOL),
	RT_FIELD(cni_st_link, ignore_df, RT_F_BOOL),  RT_FIELD(cni_st_link, key, RT_F_U32),
	RT_FIELD(cni_st_link, encap_limit, RT_F_U16), RT_FIELD(cni_st_link, parent, RT_F_TEXT),
	RT_FIELD(cni_st_link, vlan, RT_F_U16),	      RT_FIELD(cni_st_link, ifindex, RT_F_I32),
	RT_FIELD(cni_st_link, carrier, RT_F_BOOL),    RT_FIELD(cni_st_link, rx_bytes, RT_F_U64),
	RT_FIELD(cni_st_link, tx_bytes, RT_F_U64),    RT_FIELD(cni_st_link, rx_packets, RT_F_U64),
	RT_FIELD(cni_st_link, tx_packets, RT_F_U64),  RT_FIELD(cni_st_link, rx_errors, RT_F_U64),
	RT_FIELD(cni_st_link, tx_errors, RT_F_U64),   END,
};

static const struct rt_record link_record = { sizeof(struct cni_st_link), link_fields, NULL, check_link, NULL };

/* A setting's key is the name that it has in cni_setting_info. */
static bool write_setting(const void *record, json_t *object)
{
	const struct cni_st_setting *setting = record;

	return !json_object_set_new(object, "key", json_string(cni_setting_info[setting->key].name));
}

static const char *read_setting(struct cni_arena *arena, void *record, const json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "key"));
	struct cni_st_setting *setting = record;

	(void)arena;
	for (int key = 0; name && key < CNI_N_SETTINGS; key++)
		if (!strcmp(cni_setting_info[key].name, name)) {
			setting->key = (enum cni_setting_key)key;
			return strlen(setting->device) < CNI_IFNAME ? NULL : "device: too long";
		}
	return "key: no setting that cnic knows";
}

static const struct rt_field setting_fields[] = {
	RT_FIELD(cni_st_setting, device, RT_F_NAME),
	RT_FIELD(cni_st_setting, value, RT_F_I32),
	RT_FIELD(cni_st_setting, has_former, RT_F_BOOL),
	RT_FIELD(cni_st_setting, former, RT_F_I32),
	END,
};
static const char *const setting_extra[] = { "key", NULL };
static const struct rt_record setting_record = { sizeof(struct cni_st_setting), setting_fields, write_setting,
						 read_setting, setting_extra };

static const char *check_addr(struct cni_arena *arena, void *record, const json_t *object)
{
	(void)arena;
	(void)object;
	return is_device(((const struct cni_st_addr *)record)->device) ? NULL : "device: no device has such a name";
}

static const struct rt_field addr_fields[] = {
	RT_FIELD(cni_st_addr, device, RT_F_NAME),
	RT_FIELD(cni_st_addr, address, RT_F_PREFIX),
	RT_FIELD(cni_st_addr, owned, RT_F_BOOL),
	END,
};
static const struct rt_record addr_record = { sizeof(struct cni_st_addr), addr_fields, NULL, check_addr, NULL };

/* ---- routing ---- */

static const char *check_rule(struct cni_arena *arena, void *record, const json_t *object)
{
	const struct cni_st_rule *rule = record;

	(void)arena;
	(void)object;
	return (rule->has_from && rule->from.addr.family != rule->family) ||
			       (rule->has_to && rule->to.addr.family != rule->family)
		       ? "family: its addresses are of another"
		       : NULL;
}

static const struct rt_field rule_fields[] = {
	RT_WORD(cni_st_rule, family, families),	    RT_FIELD(cni_st_rule, priority, RT_F_U32),
	RT_FIELD(cni_st_rule, has_from, RT_F_BOOL), RT_FIELD(cni_st_rule, has_to, RT_F_BOOL),
	RT_FIELD(cni_st_rule, from, RT_F_PREFIX),   RT_FIELD(cni_st_rule, to, RT_F_PREFIX),
	RT_FIELD(cni_st_rule, iif, RT_F_TEXT),	    RT_FIELD(cni_st_rule, mark, RT_F_U32),
	RT_FIELD(cni_st_rule, mask, RT_F_U32),	    RT_FIELD(cni_st_rule, ipproto, RT_F_U8),
	RT_FIELD(cni_st_rule, invert, RT_F_BOOL),   RT_FIELD(cni_st_rule, jump, RT_F_U32),
	RT_FIELD(cni_st_rule, table, RT_F_U32),	    RT_FIELD(cni_st_rule, owned, RT_F_BOOL),
	RT_FIELD(cni_st_rule, other, RT_F_BOOL),    END,
};
static const struct rt_record rule_record = { sizeof(struct cni_st_rule), rule_fields, NULL, check_rule, NULL };

static const char *check_hop(struct cni_arena *arena, void *record, const json_t *object)
{
	const struct cni_st_hop *hop = record;

	(void)arena;
	(void)object;
	if (!is_device(hop->device))
		return "device: no device has such a name";
	return hop->weight >= 1 && hop->weight <= 256 ? NULL : "weight: not from 1 to 256";
}

static const struct rt_field hop_fields[] = {
	RT_FIELD(cni_st_hop, has_via, RT_F_BOOL), RT_FIELD(cni_st_hop, via, RT_F_ADDR),
	RT_FIELD(cni_st_hop, device, RT_F_NAME),  RT_FIELD(cni_st_hop, weight, RT_F_U16),
	RT_FIELD(cni_st_hop, onlink, RT_F_BOOL),  RT_FIELD(cni_st_hop, linkdown, RT_F_BOOL),
	RT_FIELD(cni_st_hop, dead, RT_F_BOOL),	  END,
};
static const struct rt_record hop_record = { sizeof(struct cni_st_hop), hop_fields, NULL, check_hop, NULL };

static const char *check_route(struct cni_arena *arena, void *record, const json_t *object)
{
	const struct cni_st_route *route = record;

	(void)arena;
	(void)object;
	if (route->to.addr.family != route->family)
		return "to: of another family";
	return (route->type == CNI_RT_UNICAST) == !!route->n_hops ? NULL : "hops: only unicast routes have them";
}

static const struct rt_field route_fields[] = {
	RT_FIELD(cni_st_route, table, RT_F_U32),       RT_WORD(cni_st_route, family, families),
	RT_FIELD(cni_st_route, to, RT_F_PREFIX),       RT_FIELD(cni_st_route, metric, RT_F_U32),
	RT_FIELD(cni_st_route, owned, RT_F_BOOL),      RT_WORD(cni_st_route, type, route_types),
	RT_FIELD(cni_st_route, has_source, RT_F_BOOL), RT_FIELD(cni_st_route, source, RT_F_ADDR),
	RT_LIST(cni_st_route, hops, hop_record),       END,
};
static const struct rt_record route_record = { sizeof(struct cni_st_route), route_fields, NULL, check_route, NULL };

/* ---- nftables ---- */

static const char *check_counter(struct cni_arena *arena, void *record, const json_t *object)
{
	(void)arena;
	(void)object;
	return *((const struct cni_st_counter *)record)->name ? NULL : "name: none";
}

static const struct rt_field counter_fields[] = {
	RT_FIELD(cni_st_counter, name, RT_F_NAME),   RT_FIELD(cni_st_counter, comment, RT_F_TEXT),
	RT_FIELD(cni_st_counter, packets, RT_F_U64), RT_FIELD(cni_st_counter, bytes, RT_F_U64),
	RT_FIELD(cni_st_counter, handle, RT_F_U64),  END,
};
static const struct rt_record counter_record = { sizeof(struct cni_st_counter), counter_fields, NULL, check_counter,
						 NULL };

static const char *check_expr(struct cni_arena *arena, void *record, const json_t *object)
{
	const struct cni_expr *expr = record;
	bool named = expr->op == CNI_X_LOOKUP || expr->op == CNI_X_COUNTER || expr->op == CNI_X_OTHER ||
		     (expr->op == CNI_X_VERDICT && (expr->key == NFT_GOTO || expr->key == NFT_JUMP));
	bool has_data = expr->op == CNI_X_CMP || expr->op == CNI_X_BITWISE || expr->op == CNI_X_IMMEDIATE;

	(void)arena;
	(void)object;
	if (expr->reg > 15 || expr->sreg > 15)
		return "reg: there are 16";
	if (has_data && (!expr->len || expr->len > sizeof(expr->a)))
		return "len: not from 1 to 16";
	return named && !expr->name ? "name: none" : NULL;
}

static const struct rt_field expr_fields[] = {
	RT_WORD(cni_expr, op, expr_ops),       RT_FIELD(cni_expr, key, RT_F_I32),    RT_FIELD(cni_expr, reg, RT_F_U8),
	RT_FIELD(cni_expr, sreg, RT_F_U8),     RT_FIELD(cni_expr, offset, RT_F_U16), RT_FIELD(cni_expr, len, RT_F_U16),
	RT_FIELD(cni_expr, modulus, RT_F_U32), RT_FIELD(cni_expr, seed, RT_F_U32),   RT_FIELD(cni_expr, a, RT_F_BYTES),
	RT_FIELD(cni_expr, b, RT_F_BYTES),     RT_FIELD(cni_expr, name, RT_F_TEXT),  END,
};
static const struct rt_record expr_record = { sizeof(struct cni_expr), expr_fields, NULL, check_expr, NULL };

static const struct rt_field nft_rule_fields[] = {
	RT_LIST(cni_st_rule_nft, exprs, expr_record),
	RT_FIELD(cni_st_rule_nft, handle, RT_F_U64),
	END,
};
static const struct rt_record nft_rule_record = { sizeof(struct cni_st_rule_nft), nft_rule_fields, NULL, NULL, NULL };

static const char *check_chain(struct cni_arena *arena, void *record, const json_t *object)
{
	(void)arena;
	(void)object;
	return *((const struct cni_st_chain *)record)->name ? NULL : "name: none";
}

static const struct rt_field chain_fields[] = {
	RT_FIELD(cni_st_chain, name, RT_F_NAME),
	RT_WORD(cni_st_chain, type, hook_types),
	RT_FIELD(cni_st_chain, hook, RT_F_U32),
	RT_FIELD(cni_st_chain, priority, RT_F_I32),
	RT_LIST(cni_st_chain, rules, nft_rule_record),
	RT_FIELD(cni_st_chain, handle, RT_F_U64),
	END,
};
static const struct rt_record chain_record = { sizeof(struct cni_st_chain), chain_fields, NULL, check_chain, NULL };

/* ---- all of it ---- */

static const struct rt_field state_fields[] = {
	RT_FIELD(cni_state, generation, RT_F_U32),
	RT_LIST(cni_state, links, link_record),
	RT_LIST(cni_state, settings, setting_record),
	RT_LIST(cni_state, addrs, addr_record),
	RT_LIST(cni_state, rules, rule_record),
	RT_LIST(cni_state, routes, route_record),
	RT_FIELD(cni_state, has_table, RT_F_BOOL),
	RT_LIST(cni_state, counters, counter_record),
	RT_LIST(cni_state, sets, rt_set_record),
	RT_LIST(cni_state, chains, chain_record),
	END,
};

static bool write_state(const void *record, json_t *object)
{
	const struct cni_state *state = record;

	return !json_object_set_new(object, "forwarding",
				    json_pack("[b,b]", state->has_forwarding[CNI_V4], state->has_forwarding[CNI_V6]));
}

static const char *read_state(struct cni_arena *arena, void *record, const json_t *object)
{
	const json_t *forwarding = json_object_get(object, "forwarding");
	struct cni_state *state = record;

	(void)arena;
	if (json_array_size(forwarding) != CNI_N_FAMILIES)
		return "forwarding: not one for each family";
	for (size_t f = 0; f < CNI_N_FAMILIES; f++)
		state->has_forwarding[f] = json_is_true(json_array_get(forwarding, f));
	return NULL;
}

/* "ok" and "diagnostics" are the envelope's (envelope.h) */
static const char *const state_extra[] = { "cnic", "version", "ok", "diagnostics", "forwarding", NULL };
static const struct rt_record state_record = { sizeof(struct cni_state), state_fields, write_state, read_state,
					       state_extra };

json_t *rt_state_to_json(const struct cni_state *state)
{
	json_t *body = rt_record_write(&state_record, state);
	json_t *all = json_pack("{s:s, s:i}", "cnic", "snapshot", "version", VERSION);

	if (!body || !all || json_object_update(all, body)) {
		json_decref(all);
		all = NULL;
	}
	json_decref(body);
	return all;
}

static const char *check_head(const json_t *all)
{
	const char *kind = json_string_value(json_object_get(all, "cnic"));

	if (!kind || strcmp(kind, "snapshot"))
		return "it has no \"cnic\": \"snapshot\"";
	if (json_integer_value(json_object_get(all, "version")) != VERSION)
		return "its version is not 1";
	return NULL;
}

struct cni_state *rt_state_from_json(struct cni_arena *arena, const char *name, const char *text, size_t len,
				     struct cni_diags *diags)
{
	struct cni_state *state = cni_new(arena, struct cni_state);
	const struct cni_span nowhere = { 0 };
	json_error_t error;
	json_t *all = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	const char *wrong;

	if (!all) {
		cni_diag(diags, CNI711, nowhere, "%s:%d:%d: %s", name, error.line, error.column, error.text);
		return NULL;
	}
	wrong = check_head(all);
	if (!wrong)
		wrong = rt_record_read(arena, &state_record, all, state);
	json_decref(all);
	if (wrong) {
		cni_diag(diags, CNI711, nowhere, "%s: %s", name, wrong);
		return NULL;
	}
	cni_state_sort(state);
	return state;
}
