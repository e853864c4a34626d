/* SPDX-License-Identifier: GPL-2.0-or-later */
/* literal.c - numbers, durations, percentages, addresses, prefixes and ranges: from their text to a value. */
#include <string.h>

#include "grammar/front.h"
#include "parse.tab.h"

struct literal {
	struct cni_front *front;
	struct cni_span span;
	struct cni_ast_value *value;
	bool reported;
};

static void report(struct literal *l, enum cni_code code, const char *why, const char *help)
{
	struct cni_diag *diag;

	if (l->reported)
		return;
	l->reported = true;
	diag = cni_mistake(l->front, code, l->span, "`%s` %s", cni_quote(l->front, l->span), why);
	if (help)
		cni_diag_help(l->front->diags, diag, "%s", help);
}

static int digit(char c, unsigned int base)
{
	int v = c >= '0' && c <= '9'   ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : 16;

	return v < (int)base ? v : -1;
}

/* Digits of `base` from *at on; false if there is none. More than 64 bits are reported. */
static bool digits(struct literal *l, const char **at, const char *end, unsigned int base, uint64_t *n)
{
	const char *begin = *at;

	for (*n = 0; *at < end && digit(**at, base) >= 0; ++*at)
		if (__builtin_mul_overflow(*n, base, n) || __builtin_add_overflow(*n, (uint64_t)digit(**at, base), n)) {
			report(l, CNI12, "is more than 64 bits hold", NULL);
			*n = 0;
		}
	return *at > begin;
}

static bool number(struct literal *l, const char **at, const char *end, uint64_t *n)
{
	if (end - *at > 2 && (*at)[0] == '0' && ((*at)[1] == 'x' || (*at)[1] == 'X')) {
		*at += 2;
		return digits(l, at, end, 16, n);
	}
	return digits(l, at, end, 10, n);
}

static bool try_number(struct literal *l, const char *at, const char *end)
{
	struct cni_ast_value *v = l->value;

	if (!number(l, &at, end, &v->lo))
		return false;
	v->hi = v->lo;
	if (at < end && *at == '-') {
		at++;
		if (!number(l, &at, end, &v->hi) || at != end)
			return false;
	}
	v->kind = CNI_VALUE_NUMBER;
	return at == end;
}

static const struct {
	const char *name;
	uint64_t ms;
} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };

static bool try_duration(struct literal *l, const char *at, const char *end)
{
	struct cni_ast_value *v = l->value;

	if (!digits(l, &at, end, 10, &v->lo))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		size_t len = strlen(units[i].name);

		if (len != (size_t)(end - at) || memcmp(at, units[i].name, len))
			continue;
		if (__builtin_mul_overflow(v->lo, units[i].ms, &v->lo) || v->lo > UINT32_MAX) {
			report(l, CNI13, "is more than a duration holds",
			       "the longest is 2^32 - 1 ms: 49 days, or 1193h");
			v->lo = 1000;
		}
		v->hi = v->lo;
		v->kind = CNI_VALUE_DURATION;
		return true;
	}
	return false;
}

static bool try_percent(struct literal *l, const char *at, const char *end)
{
	struct cni_ast_value *v = l->value;
	uint64_t whole, part = 0;

	if (!digits(l, &at, end, 10, &whole))
		return false;
	if (at < end && *at == '.') {
		uint64_t scale = 100;

		for (at++; at < end && digit(*at, 10) >= 0; at++, scale /= 10) {
			if (!scale && *at != '0')
				report(l, CNI20, "is finer than a percentage can be", "it has three decimals at most");
			part += (uint64_t)digit(*at, 10) * scale;
		}
	}
	if (at + 1 != end || *at != '%')
		return false;
	if (whole > 100 || (whole == 100 && part)) {
		report(l, CNI20, "is more than the whole", "a percentage is 0% to 100%");
		whole = 1;
	}
	v->lo = v->hi = whole * 1000 + part;
	v->kind = CNI_VALUE_PERCENT;
	return true;
}

/* Address, prefix or range of addresses. What looks like one and is none is reported. */
static bool try_address(struct literal *l, const char *at, const char *end)
{
	const char *slash = memchr(at, '/', (size_t)(end - at));
	const char *dash = memchr(at, '-', (size_t)(end - at));
	const char *stop = slash ? slash : dash ? dash : end;
	struct cni_ast_value *v = l->value;
	uint64_t len;

	v->kind = slash ? CNI_VALUE_PREFIX : dash ? CNI_VALUE_RANGE : CNI_VALUE_ADDR;
	if (!cni_addr_parse(at, (size_t)(stop - at), &v->prefix.addr)) {
		v->prefix.addr = (struct cni_addr){ CNI_V4, 0 };
		v->last = v->prefix.addr;
		report(l, CNI14, "is no address",
		       "IPv4 is four numbers 0 to 255 without leading zeros, IPv6 eight groups of up to four "
		       "hexadecimal digits, of which `::` stands for those that are zero");
		return true;
	}
	v->last = v->prefix.addr;
	if (slash) {
		unsigned int width = cni_width(v->prefix.addr.family);

		at = slash + 1;
		if (end - at > 3 || !digits(l, &at, end, 10, &len) || at != end || len > width) {
			report(l, CNI15, "has no valid prefix length",
			       width == 32 ? "an IPv4 prefix length is 0 to 32" : "an IPv6 prefix length is 0 to 128");
			len = width;
		}
		v->prefix.len = (uint8_t)len;
	} else if (dash && !cni_addr_parse(dash + 1, (size_t)(end - dash - 1), &v->last)) {
		v->last = v->prefix.addr;
		report(l, CNI14, "is no range of addresses", "a range is written FIRST-LAST, with two whole addresses");
	} else if (v->last.family != v->prefix.addr.family) {
		v->last = v->prefix.addr;
		report(l, CNI16, "mixes IPv4 and IPv6", NULL);
	}
	return true;
}

/* Dotted, or with a colon; a percentage may have a point, too. */
static bool looks_like_address(const char *text, size_t len)
{
	return memchr(text, ':', len) || (memchr(text, '.', len) && text[len - 1] != '%') || memchr(text, '/', len);
}

int cni_literal(struct cni_front *front, const char *text, size_t len, struct cni_span span,
		struct cni_ast_value **value)
{
	struct literal l = { front, span, cni_node(front, sizeof(struct cni_ast_value)), false };
	const char *end = text + len;

	*value = l.value;
	l.value->span = span;
	if (looks_like_address(text, len) && try_address(&l, text, end))
		return TOKEN_ADDRESS;
	if (try_number(&l, text, end))
		return TOKEN_NUMBER;
	if (try_duration(&l, text, end) || try_percent(&l, text, end))
		return TOKEN_QUANTITY;
	report(&l, CNI11, "is neither a number nor an address nor a duration",
	       "durations are written 500ms, 1s, 2m or 1h; a name does not begin with a digit");
	l.value->kind = CNI_VALUE_NUMBER;
	l.value->lo = l.value->hi = 1;
	return TOKEN_NUMBER;
}
