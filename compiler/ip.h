/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ip.h - addresses, prefixes, and canonical sets of address ranges of both families.
 *
 * An address is an integer in host order, so that ranges compare and count; IPv4 uses the low 32 bits. */
#ifndef CNI_IP_H
#define CNI_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cni_arena;

typedef unsigned __int128 cni_u128;

enum cni_family { CNI_V4, CNI_V6, CNI_N_FAMILIES }; /* also the index of arrays that hold one item a family */

struct cni_addr {
	enum cni_family family;
	cni_u128 v;
};

struct cni_prefix {
	struct cni_addr addr; /* may have host bits: an interface address is one of these */
	uint8_t len; /* 0..32 or 0..128 */
};

/* Closed ranges: both ends belong. */
struct cni_range4 {
	uint32_t lo, hi;
};

struct cni_range6 {
	cni_u128 lo, hi;
};

/* A set of addresses. Canonical (after cni_ranges_normalise): ascending, disjoint, not adjacent. */
struct cni_ranges {
	struct cni_range4 *v4;
	size_t n_v4;
	struct cni_range6 *v6;
	size_t n_v6;
};

#define CNI_ADDR_TEXT 48 /* room for any text that the functions below write: address, "/128", NUL */

static inline unsigned int cni_width(enum cni_family family)
{
	return family == CNI_V4 ? 32 : 128;
}

/* The host part of a prefix of length `len`: all ones. */
static inline cni_u128 cni_host_mask(enum cni_family family, unsigned int len)
{
	unsigned int bits = cni_width(family) - len;

	return bits == 128 ? ~(cni_u128)0 : (((cni_u128)1 << bits) - 1);
}

static inline bool cni_addr_equal(struct cni_addr a, struct cni_addr b)
{
	return a.family == b.family && a.v == b.v;
}

/* Reads exactly text[0..len): "192.0.2.1", "2001:db8::1" (RFC 4291, 2.2; no zone). False when it is none. */
bool cni_addr_parse(const char *text, size_t len, struct cni_addr *addr);
const char *cni_addr_format(struct cni_addr addr, char text[CNI_ADDR_TEXT]); /* RFC 5952; returns text */
const char *cni_prefix_format(struct cni_prefix prefix, char text[CNI_ADDR_TEXT]); /* always with /len */
/* Network order, as in a header: 4 or 16 bytes; returns how many. */
size_t cni_addr_to_bytes(struct cni_addr addr, uint8_t bytes[16]);
struct cni_addr cni_addr_from_bytes(enum cni_family family, const uint8_t *bytes);

struct cni_addr cni_prefix_first(struct cni_prefix prefix);
struct cni_addr cni_prefix_last(struct cni_prefix prefix);
bool cni_prefix_has(struct cni_prefix prefix, struct cni_addr addr);
bool cni_prefix_equal(struct cni_prefix a, struct cni_prefix b);
/* The other host of a /31, /30 or /127 (RFC 3021, RFC 6164). False for any other length, or where `prefix`
 * names the network or broadcast address of a /30. */
bool cni_prefix_peer(struct cni_prefix prefix, struct cni_addr *peer);

/* Adds lo..hi (same family, lo <= hi); canonical only after cni_ranges_normalise(). */
void cni_ranges_add(struct cni_arena *arena, struct cni_ranges *ranges, struct cni_addr lo, struct cni_addr hi);
void cni_ranges_add_prefix(struct cni_arena *arena, struct cni_ranges *ranges, struct cni_prefix prefix);
void cni_ranges_add_all(struct cni_arena *arena, struct cni_ranges *ranges, const struct cni_ranges *more);
void cni_ranges_normalise(struct cni_ranges *ranges); /* in place: sort, merge overlaps and neighbours */
/* Sorts, and returns how many ranges of a family lie within one other, equal ones but for one; the first of them, at most
 * `max`, go to `found`. */
size_t cni_ranges_inner(struct cni_ranges *ranges, enum cni_family family, struct cni_range6 *found, size_t max);

/* All below take canonical sets. */
bool cni_ranges_has(const struct cni_ranges *ranges, struct cni_addr addr);
bool cni_ranges_covers(const struct cni_ranges *outer, const struct cni_ranges *inner); /* inner within outer */
bool cni_ranges_overlap(const struct cni_ranges *a, const struct cni_ranges *b);
bool cni_ranges_equal(const struct cni_ranges *a, const struct cni_ranges *b);
struct cni_ranges cni_ranges_minus(struct cni_arena *arena, const struct cni_ranges *a, const struct cni_ranges *b);
struct cni_ranges cni_ranges_and(struct cni_arena *arena, const struct cni_ranges *a, const struct cni_ranges *b);
static inline bool cni_ranges_is_empty(const struct cni_ranges *ranges)
{
	return !ranges->n_v4 && !ranges->n_v6;
}
static inline size_t cni_ranges_count(const struct cni_ranges *ranges, enum cni_family family)
{
	return family == CNI_V4 ? ranges->n_v4 : ranges->n_v6;
}

/* Splits lo..hi into the fewest prefixes, ascending; calls `each` for every one. */
void cni_range_to_prefixes(struct cni_addr lo, struct cni_addr hi, void (*each)(struct cni_prefix prefix, void *arg),
			   void *arg);

#endif
