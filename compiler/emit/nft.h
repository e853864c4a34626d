/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft.h - values in nft's words; what nft.c (declarations) and nft_rule.c (rules) share. */
#ifndef CNI_EMIT_NFT_H
#define CNI_EMIT_NFT_H

#include <stddef.h>
#include <stdint.h>

#include "compiler/state.h"
#include "compiler/text.h"

/* How the bytes of a register or of a set's key are written. */
enum nft_type {
	NFT_T_RAW, /* network order, hex */
	NFT_T_HEX, /* host order, 32 bits, hex: marks */
	NFT_T_HEX_BE, /* the same after byteorder */
	NFT_T_DEC, /* host order, 32 bits, decimal */
	NFT_T_DEC_BE,
	NFT_T_BYTE,
	NFT_T_PORT,
	NFT_T_IPV4,
	NFT_T_IPV6,
	NFT_T_IFNAME,
	NFT_T_NFPROTO,
	NFT_T_L4PROTO,
	NFT_T_DSCP4, /* within the IPv4 TOS byte */
	NFT_T_DSCP6, /* within the first 16 bits of IPv6 */
	NFT_T_TCP_FLAGS,
	NFT_T_CT_STATE,
	NFT_T_CT_STATUS,
	NFT_T_CT_DIRECTION,
	NFT_T_FIB_TYPE,
	NFT_N_TYPES
};

/* One value. An address or name shorter than its type is the prefix of one: 10.0.0.0/8, "cf*". */
void cni_nft_value(struct cni_text *out, enum nft_type type, const uint8_t *bytes, size_t len);
/* Bits as a list: "established,related". */
void cni_nft_flags(struct cni_text *out, enum nft_type type, const uint8_t *bytes, size_t len);
/* lo..hi: a prefix where it is one, else "lo-hi"; one value where both are the same. */
void cni_nft_range(struct cni_text *out, enum nft_type type, const uint8_t *lo, const uint8_t *hi, size_t len);
/* An address with `bits` of its front fixed. */
void cni_nft_prefix(struct cni_text *out, enum nft_type type, const uint8_t *bytes, unsigned int bits);
/* The number of leading ones if `mask` is a prefix mask of `len` bytes, else -1. */
int cni_nft_mask_bits(const uint8_t *mask, size_t len);
enum nft_type cni_nft_key_type(enum cni_key_type key);
/* The key of a set's element: "10.0.0.0/8", "tcp . 80". */
void cni_nft_element_key(struct cni_text *out, const struct cni_st_set *set, size_t i);
const char *cni_nft_chain_type(enum cni_hook_type type); /* "filter"; NULL for CNI_HOOK_NONE */
const char *cni_nft_hook(uint32_t hook); /* NF_INET_…: "prerouting"; "other" for what inet has not */
/* "accept", "goto path.3" */
void cni_nft_verdict(struct cni_text *out, int32_t code, const char *chain);

#endif
