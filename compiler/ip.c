/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ip.c - text and bytes of addresses, and what one prefix says; see ip.h. */
#include "compiler/ip.h"

#include <stdio.h>
#include <string.h>

#define GROUPS 8 /* of 16 bits in an IPv6 address */

/* Dotted decimal, four parts without leading zeros (those were octal once). */
static bool parse_v4(const char *text, size_t len, uint32_t *out)
{
	uint32_t v = 0;
	size_t i = 0;

	for (int part = 0; part < 4; part++) {
		unsigned int n = 0;
		size_t begin;

		if (part && (i >= len || text[i++] != '.'))
			return false;
		begin = i;
		while (i < len && i - begin < 3 && text[i] >= '0' && text[i] <= '9')
			n = n * 10 + (unsigned int)(text[i++] - '0');
		if (i == begin || n > 255 || (i - begin > 1 && text[begin] == '0'))
			return false;
		v = v << 8 | n;
	}
	*out = v;
	return i == len;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One group of hexadecimal digits at text[*i]; moves *i behind it. */
static bool parse_group(const char *text, size_t len, size_t *i, uint16_t *group)
{
	size_t begin = *i;
	unsigned int n = 0;

	while (*i < len && *i - begin < 4 && hex_digit(text[*i]) >= 0)
		n = n << 4 | (unsigned int)hex_digit(text[(*i)++]);
	*group = (uint16_t)n;
	return *i > begin;
}

static bool parse_v6(const char *text, size_t len, cni_u128 *out)
{
	uint16_t groups[GROUPS];
	size_t n = 0, gap = SIZE_MAX, i = 0; /* gap: how many groups stand before the "::" */
	uint32_t v4;

	if (len >= 2 && text[0] == ':' && text[1] == ':') {
		gap = 0;
		i = 2;
	}
	while (i < len) {
		if (n == GROUPS)
			return false;
		if (n + 2 <= GROUPS && len - i >= 7 && parse_v4(text + i, len - i, &v4)) {
			groups[n++] = (uint16_t)(v4 >> 16);
			groups[n++] = (uint16_t)v4;
			i = len;
			break;
		}
		if (!parse_group(text, len, &i, &groups[n]))
			return false;
		n++;
		if (i == len)
			break;
		if (text[i++] != ':' || i == len)
			return false;
		if (text[i] == ':') {
			if (gap != SIZE_MAX)
				return false;
			gap = n;
			i++;
		}
	}
	if (gap == SIZE_MAX ? n != GROUPS : n >= GROUPS)
		return false;
	*out = 0;
	for (size_t g = 0; g < GROUPS; g++) {
		size_t missing = GROUPS - n; /* groups that the "::" stands for */

		*out <<= 16;
		if (g < gap)
			*out |= groups[g];
		else if (g >= gap + missing)
			*out |= groups[g - missing];
	}
	return true;
}

bool cni_addr_parse(const char *text, size_t len, struct cni_addr *addr)
{
	uint32_t v4;
	cni_u128 v6;

	if (parse_v4(text, len, &v4)) {
		*addr = (struct cni_addr){ CNI_V4, v4 };
		return true;
	}
	if (!parse_v6(text, len, &v6))
		return false;
	*addr = (struct cni_addr){ CNI_V6, v6 };
	return true;
}

/* There are millions to be written: by hand, at a quarter of what snprintf() takes. These return the end. */
static char *format_byte(char *text, unsigned int byte)
{
	if (byte >= 100)
		*text++ = (char)('0' + byte / 100);
	if (byte >= 10)
		*text++ = (char)('0' + byte / 10 % 10);
	*text++ = (char)('0' + byte % 10);
	return text;
}

static char *format_v4(char *text, uint32_t v)
{
	for (int shift = 24; shift > 0; shift -= 8) {
		text = format_byte(text, v >> shift & 255);
		*text++ = '.';
	}
	return format_byte(text, v & 255);
}

/* RFC 5952: the longest run of two or more zero groups becomes "::", the first of equals (4.2). */
static void longest_zeros(const uint16_t groups[GROUPS], size_t *begin, size_t *len)
{
	size_t run = 0;

	*begin = GROUPS;
	*len = 1;
	for (size_t g = 0; g < GROUPS; g++) {
		run = groups[g] ? 0 : run + 1;
		if (run > *len) {
			*len = run;
			*begin = g + 1 - run;
		}
	}
}

static char *format_v6(char *text, cni_u128 v)
{
	uint16_t groups[GROUPS];
	size_t gap, gap_len, len = 0;

	if (v >> 32 == 0xffff) /* IPv4-mapped: mixed notation (5) */
		return format_v4(stpcpy(text, "::ffff:"), (uint32_t)v);
	for (size_t g = 0; g < GROUPS; g++)
		groups[g] = (uint16_t)(v >> (16 * (GROUPS - 1 - g)));
	longest_zeros(groups, &gap, &gap_len);
	for (size_t g = 0; g < GROUPS; g++) {
		const char *before = g && g != gap + gap_len ? ":" : "";

		if (g != gap) {
			len += (size_t)snprintf(text + len, CNI_ADDR_TEXT - len, "%s%x", before, groups[g]);
			continue;
		}
		len += (size_t)snprintf(text + len, CNI_ADDR_TEXT - len, "::");
		g += gap_len - 1;
	}
	return text + len;
}

static char *format_addr(char *text, struct cni_addr addr)
{
	return addr.family == CNI_V4 ? format_v4(text, (uint32_t)addr.v) : format_v6(text, addr.v);
}

const char *cni_addr_format(struct cni_addr addr, char text[CNI_ADDR_TEXT])
{
	*format_addr(text, addr) = '\0';
	return text;
}

const char *cni_prefix_format(struct cni_prefix prefix, char text[CNI_ADDR_TEXT])
{
	char *end = format_addr(text, prefix.addr);

	*end++ = '/';
	*format_byte(end, prefix.len) = '\0';
	return text;
}

size_t cni_addr_to_bytes(struct cni_addr addr, uint8_t bytes[16])
{
	size_t n = cni_width(addr.family) / 8;

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(addr.v >> (8 * (n - 1 - i)));
	return n;
}

struct cni_addr cni_addr_from_bytes(enum cni_family family, const uint8_t *bytes)
{
	struct cni_addr addr = { .family = family };

	for (size_t i = 0; i < cni_width(family) / 8; i += 4)
		addr.v = addr.v << 32 | ((uint32_t)bytes[i] << 24 | (uint32_t)bytes[i + 1] << 16 |
					 (uint32_t)bytes[i + 2] << 8 | bytes[i + 3]);
	return addr;
}

struct cni_addr cni_prefix_first(struct cni_prefix prefix)
{
	prefix.addr.v &= ~cni_host_mask(prefix.addr.family, prefix.len);
	return prefix.addr;
}

struct cni_addr cni_prefix_last(struct cni_prefix prefix)
{
	prefix.addr.v |= cni_host_mask(prefix.addr.family, prefix.len);
	return prefix.addr;
}

bool cni_prefix_has(struct cni_prefix prefix, struct cni_addr addr)
{
	return addr.family == prefix.addr.family &&
	       ((addr.v ^ prefix.addr.v) & ~cni_host_mask(addr.family, prefix.len)) == 0;
}

bool cni_prefix_equal(struct cni_prefix a, struct cni_prefix b)
{
	return a.len == b.len && cni_addr_equal(a.addr, b.addr);
}

bool cni_prefix_peer(struct cni_prefix prefix, struct cni_addr *peer)
{
	unsigned int bits = cni_width(prefix.addr.family) - prefix.len;
	unsigned int host = (unsigned int)(prefix.addr.v & 3);

	*peer = prefix.addr;
	if (bits == 1) {
		peer->v ^= 1;
		return true;
	}
	if (bits == 2 && prefix.addr.family == CNI_V4 && (host == 1 || host == 2)) {
		peer->v ^= 3;
		return true;
	}
	return false;
}
