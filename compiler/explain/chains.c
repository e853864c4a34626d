/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chains.c - see chains.h. 16 registers of 4 bytes; a value that is shorter than its registers is padded with zeros. */
#include "compiler/explain/chains.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "compiler/explain/jhash.h"

#define DEPTH 16 /* NFT_JUMP_STACK_SIZE */
#define STEPS 1000000 /* rules of one hook; a loop, which the kernel would have refused, ends here */
#define CONNTRACK_PRIORITY (-200) /* NF_IP_PRI_CONNTRACK: chains before it see no flow */
#define TCP 6
#define MSS_MAX UINT16_MAX
#define HEADERS 80

enum result { NEXT, LEAVE, DECIDED };

struct run {
	struct cni_passage *p;
	struct cni_arena *arena;
	uint8_t registers[64];
	struct cni_st_verdict verdict;
	enum cni_family family;
	uint8_t proto;
	bool early; /* the chain stands before conntrack */
	bool untracked;
	uint8_t bytes[HEADERS]; /* from the network header on */
	size_t transport, len;
};

/* ---- the packet as bytes ---- */

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void write_network(struct run *run, const struct cni_packet *packet)
{
	struct cni_addr from = { run->family, packet->known & CNI_HAS_FROM ? packet->from.v : 0 };
	uint8_t *b = run->bytes;

	if (run->family == CNI_V4) { /* RFC 791, 3.1 */
		b[0] = 0x45;
		b[1] = (uint8_t)(packet->dscp << 2);
		b[9] = run->proto;
		cni_addr_to_bytes(from, b + 12);
		cni_addr_to_bytes(packet->to, b + 16);
		run->transport = 20;
	} else { /* RFC 8200, 3 */
		put16(b, 0x6000u | (unsigned int)packet->dscp << 6);
		b[6] = run->proto;
		cni_addr_to_bytes(from, b + 8);
		cni_addr_to_bytes(packet->to, b + 24);
		run->transport = 40;
	}
}

static void write_transport(struct run *run, const struct cni_packet *packet)
{
	uint8_t *t = run->bytes + run->transport;

	run->len = run->transport + 8;
	if (run->proto == 1 || run->proto == 58) {
		t[0] = packet->icmp_type;
		return;
	}
	put16(t, packet->sport);
	put16(t + 2, packet->dport);
	if (run->proto == TCP) { /* RFC 9293, 3.1: five words and the option MSS, SYN */
		t[12] = 6 << 4;
		t[13] = 0x02;
		t[20] = 2;
		t[21] = 4;
		put16(t + 22, run->p->mss);
		run->len = run->transport + 24;
	}
}

static struct run run_new(struct cni_passage *p, struct cni_arena *arena)
{
	struct run run = { .p = p, .arena = arena, .family = p->packet->to.family };

	run.proto = p->packet->known & CNI_HAS_PROTO ? p->packet->proto : TCP;
	write_network(&run, p->packet);
	write_transport(&run, p->packet);
	return run;
}

/* ---- registers ---- */

static void store(struct run *run, unsigned int reg, const void *value, size_t len)
{
	const size_t room = (len + 3) & ~(size_t)3;

	if (reg * 4 + room > sizeof(run->registers))
		return;
	memset(run->registers + reg * 4, 0, room);
	memcpy(run->registers + reg * 4, value, len);
}

static void store32(struct run *run, unsigned int reg, uint32_t value)
{
	store(run, reg, &value, sizeof(value));
}

static uint32_t load32(const struct run *run, unsigned int reg)
{
	uint32_t value;

	memcpy(&value, run->registers + reg * 4, sizeof(value));
	return value;
}

/* Whether `len` bytes from `reg` on are registers: what a foreign hand wrote is not to be trusted. */
static bool are_registers(unsigned int reg, size_t len)
{
	return reg * 4 + len <= sizeof(((struct run *)0)->registers);
}

static enum result fault(struct run *run, const char *what)
{
	run->p->fault = what;
	return LEAVE;
}

/* ---- expressions ---- */

static enum result do_meta(struct run *run, const struct cni_expr *x)
{
	const char *device = x->key == NFT_META_IIFNAME ? run->p->iif : run->p->oif;
	const uint8_t nfproto = run->family == CNI_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	char name[CNI_IFNAME] = "";

	switch (x->key) {
	case NFT_META_NFPROTO:
		store(run, x->reg, &nfproto, 1);
		return NEXT;
	case NFT_META_L4PROTO:
		store(run, x->reg, &run->proto, 1);
		return NEXT;
	case NFT_META_MARK:
		store32(run, x->reg, run->p->mark);
		return NEXT;
	case NFT_META_IIFNAME:
	case NFT_META_OIFNAME:
		if (device)
			memcpy(name, device, strnlen(device, sizeof(name) - 1));
		store(run, x->reg, name, sizeof(name));
		return NEXT;
	}
	return fault(run, "meta");
}

static enum result do_meta_set(struct run *run, const struct cni_expr *x)
{
	if (x->key != NFT_META_MARK)
		return fault(run, "meta set");
	run->p->mark = load32(run, x->sreg);
	return NEXT;
}

static bool has_flow(const struct run *run)
{
	return !run->early && !run->untracked;
}

/* The flow is new: neither confirmed nor translated, and this is its first packet. */
static enum result do_ct(struct run *run, const struct cni_expr *x)
{
	const uint8_t original = 0; /* IP_CT_DIR_ORIGINAL */

	if (x->key == NFT_CT_STATE) {
		store32(run, x->reg,
			has_flow(run) ? NF_CT_STATE_BIT((uint32_t)IP_CT_NEW) : (uint32_t)NF_CT_STATE_INVALID_BIT);
		return NEXT;
	}
	if (!has_flow(run))
		return LEAVE;
	switch (x->key) {
	case NFT_CT_DIRECTION:
		store(run, x->reg, &original, 1);
		return NEXT;
	case NFT_CT_STATUS:
		store32(run, x->reg, 0);
		return NEXT;
	case NFT_CT_MARK:
		store32(run, x->reg, run->p->ct_mark);
		return NEXT;
	}
	return fault(run, "ct");
}

static enum result do_ct_set(struct run *run, const struct cni_expr *x)
{
	if (x->key != NFT_CT_MARK)
		return fault(run, "ct set");
	if (has_flow(run))
		run->p->ct_mark = load32(run, x->sreg);
	return NEXT;
}

static enum result do_payload(struct run *run, const struct cni_expr *x)
{
	const size_t at = x->offset + (x->key == NFT_PAYLOAD_TRANSPORT_HEADER ? run->transport : 0);

	if (x->key != NFT_PAYLOAD_TRANSPORT_HEADER && x->key != NFT_PAYLOAD_NETWORK_HEADER)
		return fault(run, "payload");
	if (at + x->len > run->len)
		return LEAVE;
	store(run, x->reg, run->bytes + at, x->len);
	return NEXT;
}

bool cni_has_address(const struct cni_state *state, struct cni_addr addr)
{
	for (size_t i = 0; i < state->n_addrs; i++)
		if (cni_addr_equal(state->addrs[i].address.addr, addr))
			return true;
	return addr.family == CNI_V4 ? addr.v >> 24 == 127 : addr.v == 1;
}

/* RTN_* as routes of the local table say it: local, broadcast of a network that the router is on, or anything else. */
static uint32_t address_type(const struct cni_state *state, struct cni_addr addr)
{
	if (cni_has_address(state, addr))
		return RTN_LOCAL;
	if (addr.family == CNI_V4 && (addr.v == UINT32_MAX || !addr.v))
		return RTN_BROADCAST;
	for (size_t i = 0; i < state->n_addrs; i++) {
		const struct cni_prefix *p = &state->addrs[i].address;

		if (p->addr.family != addr.family)
			continue;
		if (addr.family == CNI_V4 && p->len < 31 && cni_addr_equal(cni_prefix_last(*p), addr))
			return RTN_BROADCAST;
		if (addr.family == CNI_V6 && p->len < 127 && cni_addr_equal(cni_prefix_first(*p), addr))
			return RTN_ANYCAST;
	}
	return RTN_UNICAST;
}

static enum result do_fib(struct run *run, const struct cni_expr *x)
{
	if (x->key != NFT_FIB_RESULT_ADDRTYPE || x->len != NFTA_FIB_F_DADDR)
		return fault(run, "fib");
	store32(run, x->reg, address_type(run->p->state, run->p->packet->to));
	return NEXT;
}

static enum result do_cmp(struct run *run, const struct cni_expr *x)
{
	const int order =
		are_registers(x->sreg, x->len) ? memcmp(run->registers + (size_t)x->sreg * 4, x->a, x->len) : 1;
	const bool holds[] = { [NFT_CMP_EQ] = !order,
			       [NFT_CMP_NEQ] = order != 0,
			       [NFT_CMP_LT] = order<0, [NFT_CMP_LTE] = order <= 0, [NFT_CMP_GT] = order> 0,
			       [NFT_CMP_GTE] = order >= 0 };

	if ((size_t)x->key >= sizeof(holds))
		return fault(run, "cmp");
	return holds[x->key] ? NEXT : LEAVE;
}

static enum result do_bitwise(struct run *run, const struct cni_expr *x)
{
	if (x->len > sizeof(x->a) || !are_registers(x->reg, x->len) || !are_registers(x->sreg, x->len))
		return fault(run, "bitwise");
	for (size_t i = 0; i < x->len; i++)
		run->registers[x->reg * 4 + i] = (run->registers[x->sreg * 4 + i] & x->a[i]) ^ x->b[i];
	return NEXT;
}

/* htonl(), without a header that compiler/ has no use for. */
static enum result do_byteorder(struct run *run, const struct cni_expr *x)
{
	const uint32_t value = load32(run, x->sreg);
	const uint8_t bytes[] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
				  (uint8_t)value };

	store(run, x->reg, bytes, sizeof(bytes));
	return NEXT;
}

/* nft_hash.c: the hash, scaled to the modulus. */
static enum result do_hash(struct run *run, const struct cni_expr *x)
{
	uint32_t hash = run->p->hash;

	if (!x->modulus || x->len % 4 || !are_registers(x->sreg, x->len))
		return fault(run, "hash");
	run->p->modulus = x->modulus;
	if (!run->p->has_hash)
		hash = (uint32_t)((uint64_t)cni_jhash(run->registers + (size_t)x->sreg * 4, x->len, x->seed) *
					  x->modulus >>
				  32);
	store32(run, x->reg, hash);
	return NEXT;
}

static const struct cni_st_set *find_set(const struct cni_state *state, const char *name)
{
	for (size_t i = 0; i < state->n_sets; i++)
		if (!strcmp(state->sets[i].name, name))
			return &state->sets[i];
	return NULL;
}

static bool is_within(const struct cni_st_set *set, const uint8_t *lo, const uint8_t *key)
{
	const uint8_t *hi = lo + set->key_len;

	for (size_t f = 0, at = 0; f < set->n_fields; f++) {
		const size_t len = cni_key_info[set->fields[f]].len;

		if (memcmp(lo + at, key + at, len) > 0 || memcmp(key + at, hi + at, len) > 0)
			return false;
		at += (len + 3) & ~(size_t)3;
	}
	return true;
}

static enum result do_lookup(struct run *run, const struct cni_expr *x)
{
	const struct cni_st_set *set = find_set(run->p->state, x->name);
	const uint8_t *key = run->registers + (size_t)x->sreg * 4;
	size_t i = 0;

	if (!set || set->unread || set->map != (x->key == 2) || !are_registers(x->sreg, set->key_len))
		return fault(run, "lookup");
	while (i < set->n_elems) {
		const uint8_t *lo = set->keys + i * cni_set_stride(set);

		if (set->interval ? is_within(set, lo, key) : !memcmp(lo, key, set->key_len))
			break;
		i++;
	}
	if ((i == set->n_elems) != (x->key == 1))
		return LEAVE;
	if (!set->map)
		return NEXT;
	run->verdict = set->verdicts[i];
	return DECIDED;
}

static enum result do_immediate(struct run *run, const struct cni_expr *x)
{
	store(run, x->reg, x->a, x->len);
	return NEXT;
}

static enum result decide(struct run *run, int32_t code, const char *chain)
{
	run->verdict = (struct cni_st_verdict){ .code = code, .chain = chain };
	return DECIDED;
}

static enum result do_verdict(struct run *run, const struct cni_expr *x)
{
	return decide(run, x->key, x->name);
}

static enum result do_counter(struct run *run, const struct cni_expr *x)
{
	(void)run;
	(void)x;
	return NEXT;
}

/* nft_exthdr.c: never raises an MSS. */
static enum result do_tcpopt_set(struct run *run, const struct cni_expr *x)
{
	const uint8_t *value = run->registers + (size_t)x->sreg * 4;
	const unsigned int mss = (unsigned int)value[0] << 8 | value[1];

	if (x->key != 2 || x->offset != 2 || x->len != 2 || !are_registers(x->sreg, x->len))
		return fault(run, "tcp option");
	if (run->proto == TCP && mss < run->p->mss)
		run->p->mss = mss;
	return NEXT;
}

static enum result do_notrack(struct run *run, const struct cni_expr *x)
{
	(void)x;
	run->untracked = true;
	return NEXT;
}

static enum result do_masquerade(struct run *run, const struct cni_expr *x)
{
	(void)x;
	run->p->masquerades = true;
	return decide(run, NF_ACCEPT, NULL);
}

static enum result do_snat(struct run *run, const struct cni_expr *x)
{
	if (!are_registers(x->sreg, run->family == CNI_V4 ? 4 : 16))
		return fault(run, "snat");
	run->p->has_source = true;
	run->p->source = cni_addr_from_bytes(run->family, run->registers + (size_t)x->sreg * 4);
	return decide(run, NF_ACCEPT, NULL);
}

static enum result do_reject(struct run *run, const struct cni_expr *x)
{
	(void)x;
	run->p->fate = CNI_FATE_REJECT;
	return decide(run, NF_DROP, NULL);
}

static enum result do_other(struct run *run, const struct cni_expr *x)
{
	return fault(run, x->name);
}

static enum result (*const expressions[])(struct run *run, const struct cni_expr *x) = {
	[CNI_X_META] = do_meta,	      [CNI_X_META_SET] = do_meta_set,	  [CNI_X_CT] = do_ct,
	[CNI_X_CT_SET] = do_ct_set,   [CNI_X_PAYLOAD] = do_payload,	  [CNI_X_FIB] = do_fib,
	[CNI_X_CMP] = do_cmp,	      [CNI_X_BITWISE] = do_bitwise,	  [CNI_X_BYTEORDER] = do_byteorder,
	[CNI_X_HASH] = do_hash,	      [CNI_X_LOOKUP] = do_lookup,	  [CNI_X_IMMEDIATE] = do_immediate,
	[CNI_X_VERDICT] = do_verdict, [CNI_X_COUNTER] = do_counter,	  [CNI_X_TCPOPT_SET] = do_tcpopt_set,
	[CNI_X_NOTRACK] = do_notrack, [CNI_X_MASQUERADE] = do_masquerade, [CNI_X_SNAT] = do_snat,
	[CNI_X_REJECT] = do_reject,   [CNI_X_OTHER] = do_other,
};

/* ---- chains ---- */

static const struct cni_st_chain *find_chain(const struct cni_state *state, const char *name)
{
	for (size_t i = 0; name && i < state->n_chains; i++)
		if (!strcmp(state->chains[i].name, name))
			return &state->chains[i];
	return NULL;
}

/* NFT_CONTINUE where the rule was left, or says nothing. */
static struct cni_st_verdict run_rule(struct run *run, const struct cni_st_chain *chain, size_t at)
{
	const struct cni_st_rule_nft *rule = &chain->rules[at];
	enum result result = NEXT;

	for (size_t i = 0; i < rule->n_exprs && result == NEXT; i++)
		result = expressions[rule->exprs[i].op](run, &rule->exprs[i]);
	if (result != LEAVE)
		*cni_push(run->arena, run->p->met, run->p->n_met) = (struct cni_met){ chain, at };
	return result == DECIDED ? run->verdict : (struct cni_st_verdict){ .code = NFT_CONTINUE };
}

/* What the kernel would have refused to load is dropped, and is a fault. */
static int32_t lost(struct run *run, const char *what)
{
	run->p->fault = what;
	return NF_DROP;
}

static int32_t run_chain(struct run *run, const struct cni_st_chain *chain)
{
	struct cni_met back[DEPTH];
	size_t depth = 0, rule = 0;

	for (unsigned int steps = 0; steps < STEPS && chain; steps++) {
		struct cni_st_verdict v = { .code = NFT_RETURN };

		if (rule < chain->n_rules)
			v = run_rule(run, chain, rule);
		switch (v.code) {
		case NFT_CONTINUE:
			rule++;
			break;
		case NFT_JUMP:
			if (depth == DEPTH)
				return lost(run, "jumps too deep");
			back[depth++] = (struct cni_met){ chain, rule + 1 };
			__attribute__((fallthrough));
		case NFT_GOTO:
			chain = find_chain(run->p->state, v.chain);
			rule = 0;
			break;
		case NFT_RETURN:
			if (!depth)
				return NF_ACCEPT;
			chain = back[--depth].chain;
			rule = back[depth].rule;
			break;
		default:
			return v.code;
		}
	}
	return lost(run, chain ? "chains that never end" : "a chain that is not there");
}

/* The base chain of a hook with the least priority from `from` on. */
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

struct cni_passage cni_passage_new(const struct cni_state *state, const struct cni_packet *packet, const char *iif)
{
	const bool is_tcp = !(packet->known & CNI_HAS_PROTO) || packet->proto == TCP;

	return (struct cni_passage){ .state = state, .packet = packet, .iif = iif, .mss = is_tcp ? MSS_MAX : 0 };
}

void cni_passage_run(struct cni_passage *p, struct cni_arena *arena, uint32_t hook)
{
	const bool before_conntrack = hook == NF_INET_PRE_ROUTING || hook == NF_INET_LOCAL_OUT;
	const struct cni_st_chain *chain;
	struct run run = run_new(p, arena);

	for (int64_t from = INT32_MIN; (chain = next_base(p->state, hook, from)); from = (int64_t)chain->priority + 1) {
		run.early = before_conntrack && chain->priority <= CONNTRACK_PRIORITY;
		if (chain->type == CNI_HOOK_NAT && run.untracked)
			continue;
		if (run_chain(&run, chain) != NF_ACCEPT) {
			if (p->fate == CNI_FATE_ACCEPT)
				p->fate = CNI_FATE_DROP;
			return;
		}
	}
}
