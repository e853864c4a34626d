/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_rule.c - one rule in nft's words. The expressions are walked in order; for each register the text of what
 * it holds is kept, and printed when something uses it. */
#include "compiler/emit/emit.h"
#include "compiler/emit/nft.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>
#include <string.h>

#include "compiler/arena.h"

#define N_WORDS 16
#define TCPOPT_MAXSEG 2

struct value {
	const char *text; /* "ip daddr"; NULL: nothing, or the constant `bytes` */
	enum nft_type type;
	uint16_t len; /* bytes; 0: the register is empty */
	bool masked;
	uint8_t mask[16], flip[16]; /* (text & mask) ^ flip */
	uint8_t bytes[16];
};

struct walk {
	struct cni_text *out;
	const struct cni_state *state;
	struct value words[N_WORDS]; /* by the first word that a value fills */
	int nfproto, l4proto; /* what the rule has established so far; -1: nothing */
	size_t start; /* length of `out` before the rule */
};

struct named {
	int32_t key;
	const char *text;
	enum nft_type type;
	uint16_t len;
};

static const struct named metas[] = {
	{ NFT_META_MARK, "meta mark", NFT_T_HEX, 4 },
	{ NFT_META_IIFNAME, "iifname", NFT_T_IFNAME, CNI_IFNAME },
	{ NFT_META_OIFNAME, "oifname", NFT_T_IFNAME, CNI_IFNAME },
	{ NFT_META_NFPROTO, "meta nfproto", NFT_T_NFPROTO, 1 },
	{ NFT_META_L4PROTO, "meta l4proto", NFT_T_L4PROTO, 1 },
	{ NFT_META_LEN, "meta length", NFT_T_DEC, 4 },
	{ 0, NULL, NFT_T_RAW, 0 },
};

static const struct named cts[] = {
	{ NFT_CT_STATE, "ct state", NFT_T_CT_STATE, 4 },
	{ NFT_CT_STATUS, "ct status", NFT_T_CT_STATUS, 4 },
	{ NFT_CT_DIRECTION, "ct direction", NFT_T_CT_DIRECTION, 1 },
	{ NFT_CT_MARK, "ct mark", NFT_T_HEX, 4 },
	{ 0, NULL, NFT_T_RAW, 0 },
};

/* Fields that nft names. It adds a test of the protocol where a rule has none yet, so a name is used only behind
 * the test that it needs. */
static const struct header_field {
	int32_t base;
	int nfproto, l4proto; /* needed; -1: any */
	uint16_t offset, len;
	const char *text;
	enum nft_type type;
} header_fields[] = {
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV4, -1, 1, 1, "ip dscp", NFT_T_DSCP4 },
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV4, -1, 8, 1, "ip ttl", NFT_T_BYTE },
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV4, -1, 9, 1, "ip protocol", NFT_T_L4PROTO },
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV4, -1, 12, 4, "ip saddr", NFT_T_IPV4 },
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV4, -1, 16, 4, "ip daddr", NFT_T_IPV4 },
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV6, -1, 0, 2, "ip6 dscp", NFT_T_DSCP6 },
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV6, -1, 7, 1, "ip6 hoplimit", NFT_T_BYTE },
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV6, -1, 8, 16, "ip6 saddr", NFT_T_IPV6 },
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV6, -1, 24, 16, "ip6 daddr", NFT_T_IPV6 },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, -1, IPPROTO_TCP, 13, 1, "tcp flags", NFT_T_TCP_FLAGS },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, -1, IPPROTO_ICMP, 0, 1, "icmp type", NFT_T_BYTE },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, -1, IPPROTO_ICMPV6, 0, 1, "icmpv6 type", NFT_T_BYTE },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, -1, -1, 0, 2, "th sport", NFT_T_PORT },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, -1, -1, 2, 2, "th dport", NFT_T_PORT },
};

static const char *const bases[] = { [NFT_PAYLOAD_LL_HEADER] = "ll",
				     [NFT_PAYLOAD_NETWORK_HEADER] = "nh",
				     [NFT_PAYLOAD_TRANSPORT_HEADER] = "th" };

static bool is_address(enum nft_type type)
{
	return type == NFT_T_IPV4 || type == NFT_T_IPV6;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	static const uint8_t zero[16];

	return !memcmp(bytes, zero, len);
}

static struct value *word_at(struct walk *w, unsigned int reg)
{
	static struct value empty; /* never written: nothing is kept in a register that does not exist */

	return reg < N_WORDS ? &w->words[reg] : &empty;
}
