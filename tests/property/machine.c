/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine.c - see machine.h. Registers are 16 words of 4 bytes; a value shorter than its words is padded with zeros. */
#include "tests/property/machine.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <string.h>

enum { MAX_DEPTH = 16, CONNTRACK_PRIORITY = -200 };

/* An expression leaves the rule, goes on to the next expression, or decides. */
enum step { STEP_NEXT, STEP_BREAK, STEP_VERDICT };

struct registers {
	uint8_t bytes[64];
	struct cni_st_verdict verdict;
};

/* ---- packets as bytes ---- */

void machine_packet_init(struct machine_packet *mp, const struct packet *packet)
{
	uint8_t *b = mp->bytes, *t;

	*mp = (struct machine_packet){
		.family = packet->src.family, .proto = packet->proto, .src = packet->src, .dst = packet->dst
	};
	if (mp->family == CNI_V4) { /* RFC 791, 3.1 */
		b[0] = 0x45;
		b[1] = (uint8_t)(packet->dscp << 2);
		b[8] = 64;
		b[9] = packet->proto;
		cni_addr_to_bytes(packet->src, b + 12);
		cni_addr_to_bytes(packet->dst, b + 16);
		mp->transport = 20;
	} else { /* RFC 8200, 3 */
		b[0] = (uint8_t)(0x60 | packet->dscp >> 2);
		b[1] = (uint8_t)(packet->dscp << 6);
		b[6] = packet->proto;
		b[7] = 64;
		cni_addr_to_bytes(packet->src, b + 8);
		cni_addr_to_bytes(packet->dst, b + 24);
		mp->transport = 40;
	}
	t = b + mp->transport;
	mp->len = mp->transport + 8;
	if (packet_has_ports(packet->proto)) {
		t[0] = (uint8_t)(packet->sport >> 8);
		t[1] = (uint8_t)packet->sport;
		t[2] = (uint8_t)(packet->dport >> 8);
		t[3] = (uint8_t)packet->dport;
	} else if (packet->proto == 1 || packet->proto == 58) {
		t[0] = packet->icmp_type;
	}
	if (packet->proto == 17)
		t[5] = 8; /* the length: RFC 768 */
	if (packet->proto == 136)
		t[7] = 1; /* a checksum is compulsory: RFC 3828 */
	if (packet->proto == 6) { /* RFC 9293, 3.1; the option: 3.2 */
		const uint8_t mss[] = { 2, 4, (uint8_t)(packet->mss >> 8), (uint8_t)packet->mss };

		t[12] = packet->syn ? 6 << 4 : 5 << 4;
		t[13] = packet->syn ? 0x02 : 0x10;
		memcpy(t + 20, mss, packet->syn ? sizeof(mss) : 0);
		mp->len = mp->transport + (packet->syn ? 24 : 20);
	}
}

static uint8_t *mss_option(const struct machine_packet *mp)
{
	uint8_t *t = (uint8_t *)mp->bytes + mp->transport;

	return mp->proto == 6 && t[12] >> 4 > 5 ? t + 20 : NULL;
}

unsigned int machine_packet_mss(const struct machine_packet *mp)
{
	const uint8_t *option = mss_option(mp);

	return option ? (unsigned int)option[2] << 8 | option[3] : 0;
}

/* ---- expressions ---- */

static void store(struct registers *regs, unsigned int reg, const void *value, size_t len)
{
	size_t room = (len + 3) & ~(size_t)3;

	if (reg * 4 + room > sizeof(regs->bytes))
		return;
	memset(regs->bytes + reg * 4, 0, room);
	memcpy(regs->bytes + reg * 4, value, len);
}

static void store_u32(struct registers *regs, unsigned int reg, uint32_t value)
{
	store(regs, reg, &value, sizeof(value));
}

static uint32_t load_u32(const struct registers *regs, unsigned int reg)
{
	uint32_t value;

	memcpy(&value, regs->bytes + reg * 4, sizeof(value));
	return value;
}

static enum step fault(struct machine *m, const char *what)
{
	m->fault = what;
	return STEP_BREAK;
}

static enum step do_meta(struct machine *m, const struct machine_packet *mp, const struct cni_expr *x,
			 struct registers *regs)
{
	const char *device = x->key == NFT_META_IIFNAME ? mp->iif : mp->oif;
	char name[CNI_IFNAME] = "";
	uint8_t byte;

	switch (x->key) {
	case NFT_META_NFPROTO:
		byte = mp->family == CNI_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
		store(regs, x->reg, &byte, 1);
		return STEP_NEXT;
	case NFT_META_L4PROTO:
		store(regs, x->reg, &mp->proto, 1);
		return STEP_NEXT;
	case NFT_META_MARK:
		store_u32(regs, x->reg, mp->mark);
		return STEP_NEXT;
	case NFT_META_IIFNAME:
	case NFT_META_OIFNAME:
		if (device)
			strncpy(name, device, sizeof(name) - 1);
		store(regs, x->reg, name, sizeof(name));
		return STEP_NEXT;
	}
	return fault(m, "meta key");
}

static enum step do_ct(struct machine *m, const struct machine_packet *mp, const struct cni_expr *x,
		       struct registers *regs)
{
	const struct flow *flow = mp->untracked ? NULL : mp->flow;
	uint8_t direction = mp->reply ? IP_CT_DIR_REPLY : IP_CT_DIR_ORIGINAL;
	enum ip_conntrack_info info = flow && flow->replied ? IP_CT_ESTABLISHED : IP_CT_NEW;

	if (x->key == NFT_CT_STATE) {
		store_u32(regs, x->reg,
			  flow		  ? NF_CT_STATE_BIT(info)
			  : mp->untracked ? NF_CT_STATE_UNTRACKED_BIT
					  : NF_CT_STATE_INVALID_BIT);
		return STEP_NEXT;
	}
	if (!flow)
		return STEP_BREAK;
	switch (x->key) {
	case NFT_CT_DIRECTION:
		store(regs, x->reg, &direction, 1);
		return STEP_NEXT;
	case NFT_CT_STATUS:
		store_u32(regs, x->reg, flow->status);
		return STEP_NEXT;
	case NFT_CT_MARK:
		store_u32(regs, x->reg, flow->mark);
		return STEP_NEXT;
	}
	return fault(m, "ct key");
}

static enum step do_payload(struct machine *m, const struct machine_packet *mp, const struct cni_expr *x,
			    struct registers *regs)
{
	size_t at = x->offset;

	if (x->key == NFT_PAYLOAD_TRANSPORT_HEADER)
		at += mp->transport;
	else if (x->key != NFT_PAYLOAD_NETWORK_HEADER)
		return fault(m, "payload base");
	if (at + x->len > mp->len)
		return STEP_BREAK;
	store(regs, x->reg, mp->bytes + at, x->len);
	return STEP_NEXT;
}

static bool has_address(const struct cni_state *state, struct cni_addr addr)
{
	for (size_t i = 0; i < state->n_addrs; i++)
		if (cni_addr_equal(state->addrs[i].address.addr, addr))
			return true;
	return false;
}

uint32_t machine_addr_type(const struct cni_state *state, struct cni_addr addr)
{
	unsigned int top = (unsigned int)(addr.v >> (cni_width(addr.family) - 8));
	bool on_link = false;

	if (has_address(state, addr) || (addr.family == CNI_V6 && addr.v == 1))
		return RTN_LOCAL;
	for (size_t i = 0; i < state->n_addrs; i++) {
		const struct cni_prefix *p = &state->addrs[i].address;

		if (p->addr.family != addr.family || !cni_prefix_has(*p, addr))
			continue;
		on_link = true;
		if (addr.family == CNI_V4 && p->len < 31 && cni_addr_equal(cni_prefix_last(*p), addr))
			return RTN_BROADCAST;
		if (addr.family == CNI_V6 && p->len < 127 && cni_addr_equal(cni_prefix_first(*p), addr))
			return RTN_ANYCAST;
	}
	if (addr.family == CNI_V4) {
		if (top == 127)
			return RTN_LOCAL;
		if ((uint32_t)addr.v == UINT32_MAX || !addr.v) /* ipv4_is_lbcast(), ipv4_is_zeronet() */
			return RTN_BROADCAST;
		return top >= 224 && top < 240 ? RTN_MULTICAST : RTN_UNICAST;
	}
	if (top == 0xff)
		return RTN_MULTICAST;
	/* IPv6 asks the routes: what main cannot reach is no unicast address here */
	return on_link || addr.v >> 118 == 0x3fa ? RTN_UNICAST : RTN_UNREACHABLE;
}

static enum step do_cmp(const struct cni_expr *x, const struct registers *regs)
{
	int order = memcmp(regs->bytes + x->sreg * 4, x->a, x->len);
	bool holds = false;

	switch (x->key) {
	case NFT_CMP_EQ:
		holds = order == 0;
		break;
	case NFT_CMP_NEQ:
		holds = order != 0;
		break;
	case NFT_CMP_LT:
		holds = order < 0;
		break;
	case NFT_CMP_LTE:
		holds = order <= 0;
		break;
	case NFT_CMP_GT:
		holds = order > 0;
		break;
	case NFT_CMP_GTE:
		holds = order >= 0;
		break;
	}
	return holds ? STEP_NEXT : STEP_BREAK;
}

static void do_bitwise(const struct cni_expr *x, struct registers *regs)
{
	for (size_t i = 0; i < x->len; i++)
		regs->bytes[x->reg * 4 + i] = (uint8_t)((regs->bytes[x->sreg * 4 + i] & x->a[i]) ^ x->b[i]);
}

static const struct cni_st_set *find_set(const struct cni_state *state, const char *name)
{
	for (size_t i = 0; i < state->n_sets; i++)
		if (!strcmp(state->sets[i].name, name))
			return &state->sets[i];
	return NULL;
}

/* Every field of the key is within its range. */
static bool is_within(const struct cni_st_set *set, const uint8_t *lo, const uint8_t *key)
{
	const uint8_t *hi = lo + set->key_len;

	for (size_t f = 0, at = 0; f < set->n_fields; f++) {
		size_t len = cni_key_info[set->fields[f]].len;

		if (memcmp(lo + at, key + at, len) > 0 || memcmp(key + at, hi + at, len) > 0)
			return false;
		at += (len + 3) & ~(size_t)3;
	}
	return true;
}

static size_t find_element(const struct cni_st_set *set, const uint8_t *key)
{
	for (size_t i = 0; i < set->n_elems; i++) {
		const uint8_t *lo = set->keys + i * cni_set_stride(set);

		if (set->interval ? is_within(set, lo, key) : !memcmp(lo, key, set->key_len))
			return i;
	}
	return SIZE_MAX;
}

static enum step do_lookup(struct machine *m, const struct cni_expr *x, struct registers *regs)
{
	const struct cni_st_set *set = find_set(m->state, x->name);
	size_t i;

	if (!set)
		return fault(m, "lookup in a set that is not there");
	if (set->map != (x->key == 2))
		return fault(m, "set and map mistaken for each other");
	i = find_element(set, regs->bytes + x->sreg * 4);
	if (x->key == 1)
		return i == SIZE_MAX ? STEP_NEXT : STEP_BREAK;
	if (i == SIZE_MAX)
		return STEP_BREAK;
	if (!set->map)
		return STEP_NEXT;
	regs->verdict = set->verdicts[i];
	return STEP_VERDICT;
}

static void do_tcpopt_set(struct machine_packet *mp, const struct cni_expr *x, const struct registers *regs)
{
	const uint8_t *value = regs->bytes + x->sreg * 4;
	uint8_t *option = mss_option(mp);

	if (!option || option[0] != x->key || x->offset != 2 || x->len != 2)
		return;
	/* nft_exthdr.c: never raises an MSS */
	if ((option[2] << 8 | option[3]) > (value[0] << 8 | value[1]))
		memcpy(option + 2, value, 2);
}

static enum step run_expr(struct machine *m, struct machine_packet *mp, const struct cni_expr *x,
			  struct registers *regs)
{
	switch (x->op) {
	case CNI_X_META:
		return do_meta(m, mp, x, regs);
	case CNI_X_META_SET:
		if (x->key != NFT_META_MARK)
			return fault(m, "meta key to set");
		mp->mark = load_u32(regs, x->sreg);
		return STEP_NEXT;
	case CNI_X_CT:
		return do_ct(m, mp, x, regs);
	case CNI_X_CT_SET:
		if (x->key != NFT_CT_MARK)
			return fault(m, "ct key to set");
		if (mp->flow && !mp->untracked)
			mp->flow->mark = load_u32(regs, x->sreg);
		return STEP_NEXT;
	case CNI_X_PAYLOAD:
		return do_payload(m, mp, x, regs);
	case CNI_X_FIB:
		if (x->key != NFT_FIB_RESULT_ADDRTYPE || (x->len != NFTA_FIB_F_DADDR && x->len != NFTA_FIB_F_SADDR))
			return fault(m, "fib");
		store_u32(regs, x->reg, machine_addr_type(m->state, x->len == NFTA_FIB_F_DADDR ? mp->dst : mp->src));
		return STEP_NEXT;
	case CNI_X_CMP:
		return do_cmp(x, regs);
	case CNI_X_BITWISE:
		do_bitwise(x, regs);
		return STEP_NEXT;
	case CNI_X_BYTEORDER:
		store_u32(regs, x->reg, htonl(load_u32(regs, x->sreg)));
		return STEP_NEXT;
	case CNI_X_HASH:
		m->modulus = x->modulus;
		if (!x->modulus)
			return fault(m, "hash without a modulus");
		store_u32(regs, x->reg, m->hash % x->modulus);
		return STEP_NEXT;
	case CNI_X_LOOKUP:
		return do_lookup(m, x, regs);
	case CNI_X_IMMEDIATE:
		store(regs, x->reg, x->a, x->len);
		return STEP_NEXT;
	case CNI_X_VERDICT:
		regs->verdict = (struct cni_st_verdict){ .code = x->key, .chain = x->name };
		return STEP_VERDICT;
	case CNI_X_COUNTER:
		for (size_t i = 0; i < m->state->n_counters; i++)
			if (!strcmp(m->state->counters[i].name, x->name))
				return STEP_NEXT;
		return fault(m, "a counter that is not there");
	case CNI_X_TCPOPT_SET:
		do_tcpopt_set(mp, x, regs);
		return STEP_NEXT;
	case CNI_X_NOTRACK:
		mp->untracked = true;
		return STEP_NEXT;
	case CNI_X_MASQUERADE:
		mp->masquerade = true;
		regs->verdict = (struct cni_st_verdict){ .code = NF_ACCEPT };
		return STEP_VERDICT;
	case CNI_X_SNAT:
		mp->snat = true;
		mp->snat_to = cni_addr_from_bytes(mp->family, regs->bytes + x->sreg * 4);
		if (x->key != (mp->family == CNI_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6))
			return fault(m, "snat to the other family");
		regs->verdict = (struct cni_st_verdict){ .code = NF_ACCEPT };
		return STEP_VERDICT;
	case CNI_X_REJECT:
		regs->verdict = (struct cni_st_verdict){ .code = NF_STOP }; /* told apart from a silent drop */
		return STEP_VERDICT;
	case CNI_X_OTHER:
		break;
	}
	return fault(m, "expression");
}

/* ---- chains ---- */

static const struct cni_st_chain *find_chain(const struct cni_state *state, const char *name)
{
	for (size_t i = 0; name && i < state->n_chains; i++)
		if (!strcmp(state->chains[i].name, name))
			return &state->chains[i];
	return NULL;
}

/* The verdict of one rule; NFT_CONTINUE when it was left or ran through. */
static struct cni_st_verdict run_rule(struct machine *m, struct machine_packet *mp, const struct cni_st_rule_nft *rule,
				      struct registers *regs)
{
	for (size_t i = 0; i < rule->n_exprs; i++) {
		enum step step = run_expr(m, mp, &rule->exprs[i], regs);

		if (step == STEP_BREAK)
			break;
		if (step == STEP_VERDICT)
			return regs->verdict;
	}
	return (struct cni_st_verdict){ .code = NFT_CONTINUE };
}

static void trace(struct machine *m, const struct cni_st_chain *chain, size_t rule, const char *word)
{
	if (m->trace)
		cni_text_printf(m->trace, "  %s rule %zu: %s\n", chain->name, rule, word);
}

static int run_chain(struct machine *m, struct machine_packet *mp, const struct cni_st_chain *chain)
{
	struct {
		const struct cni_st_chain *chain;
		size_t rule;
	} stack[MAX_DEPTH];
	struct registers regs = { 0 };
	size_t depth = 0, rule = 0;

	/* a chain of gotos that comes back would never end; the kernel refuses it when it is loaded */
	for (unsigned int steps = 0; steps < 100000; steps++) {
		struct cni_st_verdict v = { .code = NFT_RETURN };

		if (rule < chain->n_rules)
			v = run_rule(m, mp, &chain->rules[rule], &regs);
		switch (v.code) {
		case NFT_CONTINUE:
			rule++;
			break;
		case NFT_JUMP:
		case NFT_GOTO:
			trace(m, chain, rule, v.code == NFT_JUMP ? "jump" : "goto");
			if (v.code == NFT_JUMP) {
				if (depth == MAX_DEPTH) {
					m->fault = "jumps too deep";
					return NF_DROP;
				}
				stack[depth].chain = chain;
				stack[depth++].rule = rule + 1;
			}
			chain = find_chain(m->state, v.chain);
			rule = 0;
			if (!chain) {
				m->fault = "a chain that is not there";
				return NF_DROP;
			}
			break;
		case NFT_RETURN:
			trace(m, chain, rule, "return");
			if (!depth)
				return NF_ACCEPT;
			chain = stack[--depth].chain;
			rule = stack[depth].rule;
			break;
		default:
			trace(m, chain, rule, v.code == NF_ACCEPT ? "accept" : v.code == NF_DROP ? "drop" : "reject");
			return v.code;
		}
	}
	m->fault = "chains that never end";
	return NF_DROP;
}

/* The base chain of a hook with the least priority at or above `from`. */
static const struct cni_st_chain *next_base(const struct cni_state *state, uint32_t hook, int64_t from)
{
	const struct cni_st_chain *best = NULL;

	for (size_t i = 0; i < state->n_chains; i++) {
		const struct cni_st_chain *chain = &state->chains[i];

		if (chain->type != CNI_HOOK_NONE && chain->hook == hook && chain->priority >= from &&
		    (!best || chain->priority < best->priority))
			best = chain;
	}
	return best;
}

enum machine_verdict machine_run(struct machine *m, struct machine_packet *mp, uint32_t hook)
{
	const bool tracks = hook == NF_INET_PRE_ROUTING || hook == NF_INET_LOCAL_OUT;
	const struct cni_st_chain *chain;
	struct flow *flow = mp->flow;

	for (int64_t from = INT32_MIN; (chain = next_base(m->state, hook, from)); from = (int64_t)chain->priority + 1) {
		int verdict;

		if (chain->type == CNI_HOOK_NAT && (!flow || mp->untracked || flow->status & IPS_SRC_NAT_DONE))
			continue;
		mp->flow = tracks && chain->priority <= CONNTRACK_PRIORITY ? NULL : flow;
		verdict = run_chain(m, mp, chain);
		mp->flow = flow;
		if (verdict == NF_DROP)
			return MACHINE_DROP;
		if (verdict == NF_STOP)
			return MACHINE_REJECT;
	}
	return MACHINE_ACCEPT;
}
