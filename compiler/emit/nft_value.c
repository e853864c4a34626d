/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_value.c - constants, ranges and verdicts in nft's words. Numbers stand where nft's names need a file of
 * the system's (protocols, services). */
#include "compiler/emit/nft.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

struct word {
	uint32_t value;
	const char *name;
};

static const struct word nfprotos[] = { { NFPROTO_IPV4, "ipv4" }, { NFPROTO_IPV6, "ipv6" }, { 0, NULL } };
static const struct word l4protos[] = { { 1, "icmp" }, { 6, "tcp" }, { 17, "udp" }, { 58, "icmpv6" }, { 0, NULL } };
static const struct word directions[] = { { 0, "original" }, { 1, "reply" }, { 0, NULL } };
static const struct word fib_types[] = { { 0, "unspec" },    { 1, "unicast" },	   { 2, "local" },
					 { 3, "broadcast" }, { 4, "anycast" },	   { 5, "multicast" },
					 { 6, "blackhole" }, { 7, "unreachable" }, { 8, "prohibit" },
					 { 0, NULL } };
static const struct word tcp_flags[] = { { 1, "fin" },	{ 2, "syn" },  { 4, "rst" },   { 8, "psh" }, { 16, "ack" },
					 { 32, "urg" }, { 64, "ecn" }, { 128, "cwr" }, { 0, NULL } };
static const struct word ct_states[] = { { 1, "invalid" }, { 2, "established" }, { 4, "related" },
					 { 8, "new" },	   { 64, "untracked" },	 { 0, NULL } };
static const struct word ct_status[] = { { 1, "expected" }, { 2, "seen-reply" }, { 4, "assured" }, { 8, "confirmed" },
					 { 16, "snat" },    { 32, "dnat" },	 { 512, "dying" }, { 0, NULL } };

static const struct nft_type_info {
	const struct word *words;
	bool flags; /* the words are bits */
	bool host; /* 32 bits in host order */
} types[NFT_N_TYPES] = {
	[NFT_T_NFPROTO] = { nfprotos, false, false },
	[NFT_T_L4PROTO] = { l4protos, false, false },
	[NFT_T_CT_DIRECTION] = { directions, false, false },
	[NFT_T_FIB_TYPE] = { fib_types, false, true },
	[NFT_T_TCP_FLAGS] = { tcp_flags, true, false },
	[NFT_T_CT_STATE] = { ct_states, true, true },
	[NFT_T_CT_STATUS] = { ct_status, true, true },
	[NFT_T_HEX] = { NULL, false, true },
	[NFT_T_DEC] = { NULL, false, true },
};

static uint32_t number(enum nft_type type, const uint8_t *bytes, size_t len)
{
	uint32_t v = 0;

	if (types[type].host && len == sizeof(v)) {
		memcpy(&v, bytes, sizeof(v));
		return v;
	}
	for (size_t i = 0; i < len && i < sizeof(v); i++)
		v = v << 8 | bytes[i];
	return v;
}

/* Bits by their names, with `between` them; a number where one has no name. */
static void flags(struct cni_text *out, const struct word *words, uint32_t v, const char *between)
{
	const char *mark = "";
	uint32_t named = 0;

	for (const struct word *w = words; w->name; w++)
		named |= w->value;
	if (!v || (v & ~named)) {
		cni_text_printf(out, "0x%x", v);
		return;
	}
	for (const struct word *w = words; w->name; w++)
		if (v & w->value) {
			cni_text_printf(out, "%s%s", mark, w->name);
			mark = between;
		}
}

void cni_nft_flags(struct cni_text *out, enum nft_type type, const uint8_t *bytes, size_t len)
{
	flags(out, types[type].words, number(type, bytes, len), ",");
}

static void dscp(struct cni_text *out, uint32_t v)
{
	unsigned int class = v >> 3, drop = (v & 7) >> 1;

	if (!(v & 7))
		cni_text_printf(out, "cs%u", class);
	else if (class >= 1 && class <= 4 && drop && !(v & 1))
		cni_text_printf(out, "af%u%u", class, drop);
	else if (v == 46)
		cni_text_puts(out, "ef");
	else
		cni_text_printf(out, "0x%02x", v);
}

static void word(struct cni_text *out, const struct word *words, uint32_t v)
{
	for (const struct word *w = words; w->name; w++)
		if (w->value == v) {
			cni_text_puts(out, w->name);
			return;
		}
	cni_text_printf(out, "%u", v);
}

static bool is_address(enum nft_type type)
{
	return type == NFT_T_IPV4 || type == NFT_T_IPV6;
}

static struct cni_addr address(enum nft_type type, const uint8_t *bytes)
{
	return cni_addr_from_bytes(type == NFT_T_IPV4 ? CNI_V4 : CNI_V6, bytes);
}

static void prefix(struct cni_text *out, struct cni_addr addr, unsigned int bits)
{
	char text[CNI_ADDR_TEXT];

	if (bits == cni_width(addr.family))
		cni_text_puts(out, cni_addr_format(addr, text));
	else
		cni_text_puts(out, cni_prefix_format((struct cni_prefix){ addr, (uint8_t)bits }, text));
}

void cni_nft_prefix(struct cni_text *out, enum nft_type type, const uint8_t *bytes, unsigned int bits)
{
	uint8_t whole[16] = { 0 };

	memcpy(whole, bytes, (bits + 7) / 8);
	prefix(out, address(type, whole), bits);
}

static void ifname(struct cni_text *out, const uint8_t *bytes, size_t len)
{
	size_t n = strnlen((const char *)bytes, len);

	cni_text_puts(out, "\"");
	cni_text_add(out, (const char *)bytes, n);
	cni_text_puts(out, n == len && len < CNI_IFNAME ? "*\"" : "\"");
}

void cni_nft_value(struct cni_text *out, enum nft_type type, const uint8_t *bytes, size_t len)
{
	uint32_t v = number(type, bytes, len);

	switch (type) {
	case NFT_T_IPV4:
	case NFT_T_IPV6:
		prefix(out, address(type, bytes), 8 * (unsigned int)len);
		return;
	case NFT_T_IFNAME:
		ifname(out, bytes, len);
		return;
	case NFT_T_HEX:
	case NFT_T_HEX_BE:
		cni_text_printf(out, "0x%08x", v);
		return;
	case NFT_T_DSCP4:
		dscp(out, v >> 2 & 0x3f);
		return;
	case NFT_T_DSCP6:
		dscp(out, v >> 6 & 0x3f);
		return;
	case NFT_T_RAW:
		cni_text_puts(out, "0x");
		for (size_t i = 0; i < len; i++)
			cni_text_printf(out, "%02x", bytes[i]);
		return;
	default:
		break;
	}
	if (types[type].flags) {
		bool many = v & (v - 1);

		cni_text_puts(out, many ? "(" : "");
		flags(out, types[type].words, v, " | ");
		cni_text_puts(out, many ? ")" : "");
	} else if (types[type].words)
		word(out, types[type].words, v);
	else
		cni_text_printf(out, "%u", v);
}

int cni_nft_mask_bits(const uint8_t *mask, size_t len)
{
	size_t n = 0;
	unsigned int rest;

	while (n < len && mask[n] == 0xff)
		n++;
	if (n == len)
		return 8 * (int)n;
	rest = 0xff ^ mask[n];
	for (size_t i = n + 1; i < len; i++)
		if (mask[i])
			return -1;
	return rest & (rest + 1) ? -1 : 8 * (int)(n + 1) - __builtin_popcount(rest);
}

/* lo-hi as a prefix, if it is one: the bits that differ are the last ones, all 0 in lo and all 1 in hi. */
static bool as_prefix(struct cni_text *out, struct cni_addr lo, struct cni_addr hi)
{
	const cni_u128 host = lo.v ^ hi.v;
	unsigned int bits = cni_width(lo.family);

	if ((host & (host + 1)) || (lo.v & host))
		return false;
	if (host >> 64)
		bits -= 128 - (unsigned int)__builtin_clzll((uint64_t)(host >> 64));
	else if (host)
		bits -= 64 - (unsigned int)__builtin_clzll((uint64_t)host);
	prefix(out, lo, bits);
	return true;
}

void cni_nft_range(struct cni_text *out, enum nft_type type, const uint8_t *lo, const uint8_t *hi, size_t len)
{
	if (is_address(type) && as_prefix(out, address(type, lo), address(type, hi)))
		return;
	cni_nft_value(out, type, lo, len);
	if (memcmp(lo, hi, len)) {
		cni_text_puts(out, "-");
		cni_nft_value(out, type, hi, len);
	}
}

enum nft_type cni_nft_key_type(enum cni_key_type key)
{
	static const enum nft_type of[CNI_N_KEYS] = {
		[CNI_KEY_IPV4] = NFT_T_IPV4,	 [CNI_KEY_IPV6] = NFT_T_IPV6, [CNI_KEY_SERVICE] = NFT_T_PORT,
		[CNI_KEY_PROTO] = NFT_T_L4PROTO, [CNI_KEY_MARK] = NFT_T_HEX,  [CNI_KEY_IFNAME] = NFT_T_IFNAME,
	};

	return of[key];
}

void cni_nft_verdict(struct cni_text *out, int32_t code, const char *chain)
{
	switch (code) {
	case NFT_GOTO:
	case NFT_JUMP:
		cni_text_printf(out, "%s %s", code == NFT_GOTO ? "goto" : "jump", chain ? chain : "");
		return;
	case NFT_RETURN:
		cni_text_puts(out, "return");
		return;
	case NFT_CONTINUE:
		cni_text_puts(out, "continue");
		return;
	case NF_ACCEPT:
		cni_text_puts(out, "accept");
		return;
	case NF_DROP:
		cni_text_puts(out, "drop");
		return;
	default:
		cni_text_printf(out, "# verdict %d", code);
	}
}
