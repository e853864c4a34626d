/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emit_nft_test.c - rules, sets and chains as nft text: every idiom that lowering uses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/emit/emit.h"

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

/* ---- rules ---- */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST32(v) (uint8_t)(v), (uint8_t)((v) >> 8), (uint8_t)((v) >> 16), (uint8_t)((v) >> 24)
#else
#define HOST32(v) (uint8_t)((v) >> 24), (uint8_t)((v) >> 16), (uint8_t)((v) >> 8), (uint8_t)(v)
#endif
#define META(k, r)                                                                                                     \
	{                                                                                                              \
		.op = CNI_X_META, .key = (k), .reg = (r)                                                               \
	}
#define CT(k)                                                                                                          \
	{                                                                                                              \
		.op = CNI_X_CT, .key = (k)                                                                             \
	}
#define PAYLOAD(k, o, l, r)                                                                                            \
	{                                                                                                              \
		.op = CNI_X_PAYLOAD, .key = (k), .offset = (o), .len = (l), .reg = (r)                                 \
	}
#define NH(o, l) PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, o, l, 0)
#define TH(o, l) PAYLOAD(NFT_PAYLOAD_TRANSPORT_HEADER, o, l, 0)
#define CMP(k, l, ...)                                                                                                 \
	{                                                                                                              \
		.op = CNI_X_CMP, .key = (k), .len = (l), .a = { __VA_ARGS__ }                                          \
	}
#define EQ(l, ...) CMP(NFT_CMP_EQ, l, __VA_ARGS__)
#define NEQ(l, ...) CMP(NFT_CMP_NEQ, l, __VA_ARGS__)
#define AND(l, ...)                                                                                                    \
	{                                                                                                              \
		.op = CNI_X_BITWISE, .len = (l), .a = { __VA_ARGS__ }                                                  \
	}
#define V4 META(NFT_META_NFPROTO, 0), EQ(1, NFPROTO_IPV4)
#define V6 META(NFT_META_NFPROTO, 0), EQ(1, NFPROTO_IPV6)
#define L4(n) META(NFT_META_L4PROTO, 0), EQ(1, n)
#define LOOKUP(how, set)                                                                                               \
	{                                                                                                              \
		.op = CNI_X_LOOKUP, .key = (how), .name = (set)                                                        \
	}
#define VERDICT(v, to)                                                                                                 \
	{                                                                                                              \
		.op = CNI_X_VERDICT, .key = (v), .name = (to)                                                          \
	}
#define SET_MARK                                                                                                       \
	{                                                                                                              \
		.op = CNI_X_META_SET, .key = NFT_META_MARK                                                             \
	}
#define IMMEDIATE(l, ...)                                                                                              \
	{                                                                                                              \
		.op = CNI_X_IMMEDIATE, .len = (l), .a = { __VA_ARGS__ }                                                \
	}

static const struct rule_text {
	const char *text;
	struct cni_expr exprs[24];
} idioms[] = {
	{ "counter name \"path.3\" meta mark set meta mark & 0xffff0000 | 0x00000003",
	  { { .op = CNI_X_COUNTER, .name = "path.3" },
	    META(NFT_META_MARK, 0),
	    { .op = CNI_X_BITWISE, .len = 4, .a = { HOST32(0xffff0000u) }, .b = { HOST32(3u) } },
	    SET_MARK } },
	{ "meta mark set 0x00000007 return", { IMMEDIATE(4, HOST32(7u)), SET_MARK, VERDICT(NFT_RETURN, NULL) } },
	{ "ct mark set meta mark & 0x0000ffff ^ 0x00000001",
	  { META(NFT_META_MARK, 0),
	    { .op = CNI_X_BITWISE, .len = 4, .a = { HOST32(0xffffu) }, .b = { HOST32(1u) } },
	    { .op = CNI_X_CT_SET, .key = NFT_CT_MARK } } },
	{ "meta nfproto ipv4 tcp option maxseg size set 1436",
	  { V4, IMMEDIATE(2, 1436 >> 8, 1436 & 255), { .op = CNI_X_TCPOPT_SET, .key = 2, .offset = 2, .len = 2 } } },
	{ "meta nfproto ipv4 ip saddr 10.0.0.1 ip daddr != 10.0.0.0/8 return",
	  { V4, NH(12, 4), EQ(4, 10, 0, 0, 1), NH(16, 1), NEQ(1, 10), VERDICT(NFT_RETURN, NULL) } },
	{ "meta nfproto ipv4 ip daddr 10.16.0.0/12 accept",
	  { V4, NH(16, 4), AND(4, 255, 240, 0, 0), EQ(4, 10, 16, 0, 0), VERDICT(NF_ACCEPT, NULL) } },
	{ "meta nfproto ipv4 ip daddr 10.0.0.1-10.0.0.9 drop",
	  { V4, NH(16, 4), CMP(NFT_CMP_GTE, 4, 10, 0, 0, 1), CMP(NFT_CMP_LTE, 4, 10, 0, 0, 9),
	    VERDICT(NF_DROP, NULL) } },
	{ "meta nfproto ipv6 ip6 daddr 2001:db8::/32 return",
	  { V6, NH(24, 4), EQ(4, 0x20, 1, 0x0d, 0xb8), VERDICT(NFT_RETURN, NULL) } },
	{ "meta nfproto ipv6 ip6 saddr fe80::/10 return",
	  { V6, NH(8, 16), AND(16, 255, 192), EQ(16, 0xfe, 0x80), VERDICT(NFT_RETURN, NULL) } },
	{ "@nh,128,32 0x0a000001 return", { NH(16, 4), EQ(4, 10, 0, 0, 1), VERDICT(NFT_RETURN, NULL) } },
	{ "meta nfproto ipv4 ip daddr @saas return", { V4, NH(16, 4), LOOKUP(0, "saas"), VERDICT(NFT_RETURN, NULL) } },
	{ "meta nfproto ipv4 ip saddr != @saas return",
	  { V4, NH(12, 4), LOOKUP(1, "saas"), VERDICT(NFT_RETURN, NULL) } },
	{ "meta nfproto ipv4 meta l4proto 47 ip saddr . ip daddr @outer return",
	  { V4, L4(47), NH(12, 4), PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 16, 4, 1), LOOKUP(0, "outer"),
	    VERDICT(NFT_RETURN, NULL) } },
	{ "meta l4proto udp th dport 5060-5061 jump path.3",
	  { L4(17), TH(2, 2), CMP(NFT_CMP_GTE, 2, 5060 >> 8, 5060 & 255), CMP(NFT_CMP_LTE, 2, 5061 >> 8, 5061 & 255),
	    VERDICT(NFT_JUMP, "path.3") } },
	{ "meta l4proto udp th sport @ports return",
	  { L4(17), TH(0, 2), LOOKUP(0, "ports"), VERDICT(NFT_RETURN, NULL) } },
	{ "meta l4proto udp th dport >= 1024 return",
	  { L4(17), TH(2, 2), CMP(NFT_CMP_GTE, 2, 4, 0), VERDICT(NFT_RETURN, NULL) } },
	{ "meta nfproto ipv4 ip dscp ef return",
	  { V4, NH(1, 1), AND(1, 0xfc), EQ(1, 0xb8), VERDICT(NFT_RETURN, NULL) } },
	{ "meta nfproto ipv6 ip6 dscp != af41 return",
	  { V6, NH(0, 2), AND(2, 0x0f, 0xc0), NEQ(2, 34 >> 2, 34 << 6 & 255), VERDICT(NFT_RETURN, NULL) } },
	{ "meta nfproto ipv4 ip dscp 0x2d return",
	  { V4, NH(1, 1), AND(1, 0xfc), EQ(1, 0x2d << 2), VERDICT(NFT_RETURN, NULL) } },
	{ "meta nfproto ipv4 meta l4proto icmp icmp type 8 return",
	  { V4, L4(1), TH(0, 1), EQ(1, 8), VERDICT(NFT_RETURN, NULL) } },
	{ "meta nfproto ipv6 meta l4proto icmpv6 icmpv6 type 128-129 notrack",
	  { V6, L4(58), TH(0, 1), CMP(NFT_CMP_GTE, 1, 128), CMP(NFT_CMP_LTE, 1, 129), { .op = CNI_X_NOTRACK } } },
	{ "meta l4proto tcp tcp flags & (syn | rst) == syn iifname vmap @clamp",
	  { L4(6), TH(13, 1), AND(1, 6), EQ(1, 2), META(NFT_META_IIFNAME, 0), LOOKUP(2, "clamp") } },
	{ "ct direction original ct mark & 0x0000ffff vmap @known",
	  { CT(NFT_CT_DIRECTION), EQ(1, 0), CT(NFT_CT_MARK), AND(4, HOST32(0xffffu)), LOOKUP(2, "known") } },
	{ "ct state established,related ct status & snat == 0x0 return",
	  { CT(NFT_CT_STATE), AND(4, HOST32(6u)), NEQ(4, 0), CT(NFT_CT_STATUS), AND(4, HOST32(16u)), EQ(4, 0),
	    VERDICT(NFT_RETURN, NULL) } },
	{ "meta mark & 0x00ff0000 != 0x00000000 return",
	  { META(NFT_META_MARK, 0), AND(4, HOST32(0xff0000u)), NEQ(4, 0), VERDICT(NFT_RETURN, NULL) } },
	{ "meta mark & 0x00ff0000 @marks oifname != @tunnels masquerade",
	  { META(NFT_META_MARK, 0),
	    AND(4, HOST32(0xff0000u)),
	    LOOKUP(0, "marks"),
	    META(NFT_META_OIFNAME, 0),
	    LOOKUP(1, "tunnels"),
	    { .op = CNI_X_MASQUERADE } } },
	{ "meta mark & 0x00ff0000 . oifname @masq masquerade",
	  { META(NFT_META_MARK, 0),
	    AND(4, HOST32(0xff0000u)),
	    META(NFT_META_OIFNAME, 1),
	    LOOKUP(0, "masq"),
	    { .op = CNI_X_MASQUERADE } } },
	{ "fib daddr type local return",
	  { { .op = CNI_X_FIB, .key = NFT_FIB_RESULT_ADDRTYPE, .len = NFTA_FIB_F_DADDR },
	    EQ(4, HOST32(2u)),
	    VERDICT(NFT_RETURN, NULL) } },
	{ "iifname \"cf1\" meta nfproto ipv4 snat ip to 192.0.2.1",
	  { META(NFT_META_IIFNAME, 0),
	    EQ(16, 'c', 'f', '1'),
	    V4,
	    IMMEDIATE(4, 192, 0, 2, 1),
	    { .op = CNI_X_SNAT, .key = NFPROTO_IPV4 } } },
	{ "oifname \"cf*\" reject with icmpx admin-prohibited",
	  { META(NFT_META_OIFNAME, 0),
	    EQ(2, 'c', 'f'),
	    { .op = CNI_X_REJECT, .key = NFT_REJECT_ICMPX_ADMIN_PROHIBITED } } },
	{ "meta nfproto ipv4 meta l4proto tcp jhash ip saddr . ip daddr . meta l4proto . th sport . th dport mod 4 "
	  "seed 0x1 < 3 goto path.3",
	  { V4,
	    L4(6),
	    PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 12, 4, 4),
	    PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 16, 4, 5),
	    META(NFT_META_L4PROTO, 6),
	    PAYLOAD(NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2, 7),
	    PAYLOAD(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, 8),
	    { .op = CNI_X_HASH, .sreg = 4, .len = 20, .modulus = 4, .seed = 1 },
	    { .op = CNI_X_BYTEORDER },
	    CMP(NFT_CMP_LT, 4, 0, 0, 0, 3),
	    VERDICT(NFT_GOTO, "path.3") } },
	{ "meta nfproto ipv6 jhash ip6 saddr . ip6 daddr . meta l4proto mod 4 seed 0x1 == 3 goto path.3",
	  { V6,
	    PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 8, 16, 4),
	    PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, 24, 16, 8),
	    META(NFT_META_L4PROTO, 12),
	    { .op = CNI_X_HASH, .sreg = 4, .len = 36, .modulus = 4, .seed = 1 },
	    EQ(4, HOST32(3u)),
	    VERDICT(NFT_GOTO, "path.3") } },
	{ "(meta mark & 0x000000ff) & 0x0000000f == 0x00000001",
	  { META(NFT_META_MARK, 0), AND(4, HOST32(0xffu)), AND(4, HOST32(0xfu)), EQ(4, HOST32(1u)) } },
	{ "meta l4proto != 47 # xfrm",
	  { META(NFT_META_L4PROTO, 0), NEQ(1, 47), { .op = CNI_X_OTHER, .name = "xfrm" } } },
};
#define N_IDIOMS (sizeof(idioms) / sizeof(*idioms))

static struct cni_st_rule_nft rule_of(const struct rule_text *r)
{
	static const struct cni_expr none;
	size_t n = 0;

	while (memcmp(&r->exprs[n], &none, sizeof(none)))
		n++;
	return (struct cni_st_rule_nft){ .exprs = (struct cni_expr *)r->exprs, .n_exprs = n };
}

static struct cni_st_set sets[] = {
	{ .name = "clamp",
	  .fields = { CNI_KEY_IFNAME },
	  .n_fields = 1,
	  .map = true,
	  .key_len = 16,
	  .keys = (uint8_t *)"cf1\0\0\0\0\0\0\0\0\0\0\0\0\0"
			     "eth1.100\0\0\0\0\0\0\0\0",
	  .verdicts = (struct cni_st_verdict[]){ { NFT_JUMP, "path.3" }, { NF_ACCEPT, NULL } },
	  .n_elems = 2 },
	{ .name = "former",
	  .fields = { CNI_KEY_IFNAME },
	  .n_fields = 1,
	  .key_len = 16,
	  .keys = (uint8_t *)"eth0\0\0\0\0\0\0\0\0\0\0\0\0",
	  .comments = (const char *[]){ "rp_filter=1" },
	  .n_elems = 1 },
	{ .name = "known",
	  .fields = { CNI_KEY_MARK },
	  .n_fields = 1,
	  .map = true,
	  .key_len = 4,
	  .keys = (uint8_t[]){ HOST32(0x10003u) },
	  .verdicts = (struct cni_st_verdict[]){ { NFT_GOTO, "path.3" } },
	  .n_elems = 1 },
	{ .name = "marks",
	  .fields = { CNI_KEY_MARK },
	  .n_fields = 1,
	  .key_len = 4,
	  .keys = (uint8_t[]){ HOST32(3u), HOST32(0x30000u) },
	  .n_elems = 2 },
	{ .name = "masq",
	  .fields = { CNI_KEY_MARK, CNI_KEY_IFNAME },
	  .n_fields = 2,
	  .key_len = 20,
	  .keys = (uint8_t[]){ HOST32(3u), 'e', 't', 'h', '0', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
	  .n_elems = 1 },
	{ .name = "outer",
	  .fields = { CNI_KEY_IPV4, CNI_KEY_IPV4 },
	  .n_fields = 2,
	  .key_len = 8,
	  .keys = (uint8_t[]){ 192, 0, 2, 1, 203, 0, 113, 200 },
	  .n_elems = 1 },
	{ .name = "ports",
	  .fields = { CNI_KEY_SERVICE },
	  .n_fields = 1,
	  .interval = true,
	  .key_len = 2,
	  .keys = (uint8_t[]){ 0, 53, 0, 53, 0x13, 0xc4, 0x13, 0xc5 },
	  .n_elems = 2 },
	{ .name = "protos",
	  .fields = { CNI_KEY_PROTO, CNI_KEY_SERVICE },
	  .n_fields = 2,
	  .key_len = 8,
	  .keys = (uint8_t[]){ 6, 0, 0, 0, 0, 22, 0, 0 },
	  .n_elems = 1 },
	{ .name = "saas",
	  .fields = { CNI_KEY_IPV4 },
	  .n_fields = 1,
	  .interval = true,
	  .key_len = 4,
	  .keys = (uint8_t[]){ 1, 2, 3, 4, 1, 2, 3, 9, 10, 0, 0, 0, 10, 255, 255, 255, 192, 0, 2, 1, 192, 0, 2, 1 },
	  .n_elems = 3 },
	{ .name = "six",
	  .fields = { CNI_KEY_IPV6 },
	  .n_fields = 1,
	  .interval = true,
	  .key_len = 16,
	  .keys =
		  (uint8_t[32]){
			  [16] = 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 },
	  .n_elems = 1 },
	{ .name = "tunnels", .fields = { CNI_KEY_IFNAME }, .n_fields = 1, .key_len = 16 },
};

static struct cni_state *sample(struct cni_arena *arena)
{
	struct cni_state *s = cni_new(arena, struct cni_state);
	struct cni_st_chain *c;

	s->has_table = true;
	*cni_push(arena, s->counters, s->n_counters) =
		(struct cni_st_counter){ .name = "path.3", .comment = "cf1 then \"cf2\" else drop" };
	*cni_push(arena, s->counters, s->n_counters) = (struct cni_st_counter){ .name = "route.office.voip" };
	s->sets = sets;
	s->n_sets = sizeof(sets) / sizeof(*sets);
	c = cni_push(arena, s->chains, s->n_chains);
	c->name = "idioms";
	for (size_t i = 0; i < N_IDIOMS; i++)
		*cni_push(arena, c->rules, c->n_rules) = rule_of(&idioms[i]);
	*cni_push(arena, s->chains, s->n_chains) = (struct cni_st_chain){
		.name = "output", .type = CNI_HOOK_ROUTE, .hook = NF_INET_LOCAL_OUT, .priority = -150
	};
	*cni_push(arena, s->chains, s->n_chains) = (struct cni_st_chain){ .name = "path.3" };
	*cni_push(arena, s->chains, s->n_chains) = (struct cni_st_chain){
		.name = "prerouting", .type = CNI_HOOK_FILTER, .hook = NF_INET_PRE_ROUTING, .priority = -149
	};
	return s;
}

static void test_rules(void **state)
{
	const struct cni_state *s = sample(*state);

	for (size_t i = 0; i < N_IDIOMS; i++) {
		struct cni_text text = { .arena = *state };
		const struct cni_st_rule_nft rule = rule_of(&idioms[i]);

		cni_emit_nft_rule(&text, s, &rule);
		assert_string_equal(text.data, idioms[i].text);
	}
}

static void test_nft(void **state)
{
	static const char expected[] = "table inet cnic {\n"
				       "\tcounter path.3 {\n"
				       "\t\tcomment \"cf1 then 'cf2' else drop\"\n"
				       "\t}\n"
				       "\tcounter route.office.voip {\n"
				       "\t}\n"
				       "\tmap clamp {\n"
				       "\t\ttype ifname : verdict\n"
				       "\t\tsize 2\n"
				       "\t\telements = { \"cf1\" : jump path.3, \"eth1.100\" : accept }\n"
				       "\t}\n"
				       "\tset former {\n"
				       "\t\ttype ifname\n"
				       "\t\telements = { \"eth0\" comment \"rp_filter=1\" }\n"
				       "\t}\n"
				       "\tmap known {\n"
				       "\t\ttype mark : verdict\n"
				       "\t\tsize 1\n"
				       "\t\telements = { 0x00010003 : goto path.3 }\n"
				       "\t}\n"
				       "\tset marks {\n"
				       "\t\ttype mark\n"
				       "\t\tsize 2\n"
				       "\t\telements = { 0x00000003, 0x00030000 }\n"
				       "\t}\n"
				       "\tset masq {\n"
				       "\t\ttype mark . ifname\n"
				       "\t\tsize 1\n"
				       "\t\telements = { 0x00000003 . \"eth0\" }\n"
				       "\t}\n"
				       "\tset outer {\n"
				       "\t\ttype ipv4_addr . ipv4_addr\n"
				       "\t\tsize 1\n"
				       "\t\telements = { 192.0.2.1 . 203.0.113.200 }\n"
				       "\t}\n"
				       "\tset ports {\n"
				       "\t\ttype inet_service\n"
				       "\t\tflags interval\n"
				       "\t\telements = { 53, 5060-5061 }\n"
				       "\t}\n"
				       "\tset protos {\n"
				       "\t\ttype inet_proto . inet_service\n"
				       "\t\tsize 1\n"
				       "\t\telements = { tcp . 22 }\n"
				       "\t}\n"
				       "\tset saas {\n"
				       "\t\ttype ipv4_addr\n"
				       "\t\tflags interval\n"
				       "\t\telements = { 1.2.3.4-1.2.3.9, 10.0.0.0/8, 192.0.2.1 }\n"
				       "\t}\n"
				       "\tset six {\n"
				       "\t\ttype ipv6_addr\n"
				       "\t\tflags interval\n"
				       "\t\telements = { ::/0 }\n"
				       "\t}\n"
				       "\tset tunnels {\n"
				       "\t\ttype ifname\n"
				       "\t}\n"
				       "\tchain output {\n"
				       "\t\ttype route hook output priority mangle; policy accept;\n"
				       "\t}\n"
				       "\tchain path.3 {\n"
				       "\t}\n"
				       "\tchain prerouting {\n"
				       "\t\ttype filter hook prerouting priority -149; policy accept;\n"
				       "\t}\n"
				       "}\n";
	struct cni_state *s = sample(*state);
	struct cni_text text = { .arena = *state };

	s->chains++; /* all but the idioms, which test_rules has */
	s->n_chains--;
	cni_emit_nft(&text, s);
	assert_string_equal(text.data, expected);
	text.len = 0;
	cni_emit_nft(&text, &(struct cni_state){ 0 });
	assert_int_equal(text.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rules, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nft, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
