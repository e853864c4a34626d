/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire.c - see wire.h. */
#include "compiler/proof/wire.h"

#include <linux/netlink.h>
#include <stdarg.h>
#include <string.h>

void proof_fail(struct decoder *d, const char *format, ...)
{
	va_list args;

	if (d->error)
		return;
	va_start(args, format);
	d->error = cni_vprintf(d->arena, format, args);
	va_end(args);
}

bool proof_take(struct decoder *d, const char *what, struct bytes *in, void *header, size_t size)
{
	const size_t aligned = NLMSG_ALIGN(size);

	if (in->len < size) {
		proof_fail(d, "%s is cut short", what);
		return false;
	}
	memcpy(header, in->at, size);
	in->at += aligned < in->len ? aligned : in->len;
	in->len -= aligned < in->len ? aligned : in->len;
	return true;
}

/* The next attribute, whatever it is; false at the end, or at an error. */
static bool next_attr(struct decoder *d, const char *what, struct bytes *in, unsigned int *number,
		      struct bytes *payload)
{
	struct nlattr header;
	size_t step;

	if (d->error || !in->len)
		return false;
	if (in->len < sizeof(header)) {
		proof_fail(d, "%s ends within an attribute", what);
		return false;
	}
	memcpy(&header, in->at, sizeof(header));
	if (header.nla_len < sizeof(header) || header.nla_len > in->len) {
		proof_fail(d, "an attribute of %s claims %u of %zu bytes", what, header.nla_len, in->len);
		return false;
	}
	*number = header.nla_type & NLA_TYPE_MASK;
	*payload = (struct bytes){ in->at + sizeof(header), header.nla_len - sizeof(header) };
	step = NLA_ALIGN(header.nla_len);
	step = step < in->len ? step : in->len;
	in->at += step;
	in->len -= step;
	return true;
}

struct attrs proof_attrs(struct decoder *d, const char *what, struct bytes in, uint64_t known)
{
	struct attrs attrs = { .what = what };
	struct bytes payload;
	unsigned int number;

	while (next_attr(d, what, &in, &number, &payload)) {
		if (number >= MAX_ATTRS || !(known & ATTR(number)))
			proof_fail(d, "%s has attribute %u, which is not known here", what, number);
		else if (attrs.at[number].at)
			proof_fail(d, "%s has attribute %u twice", what, number);
		else
			attrs.at[number] = payload;
	}
	return attrs;
}

static bool has_size(struct decoder *d, const struct attrs *attrs, unsigned int number, size_t size)
{
	if (d->error)
		return false;
	if (!attrs->at[number].at)
		proof_fail(d, "%s lacks attribute %u", attrs->what, number);
	else if (attrs->at[number].len != size)
		proof_fail(d, "attribute %u of %s has %zu bytes, not %zu", number, attrs->what, attrs->at[number].len,
			   size);
	return !d->error;
}

uint32_t proof_be32(struct decoder *d, const struct attrs *attrs, unsigned int number)
{
	const uint8_t *at = attrs->at[number].at;

	if (!has_size(d, attrs, number, 4))
		return 0;
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

uint32_t proof_u32(struct decoder *d, const struct attrs *attrs, unsigned int number)
{
	uint32_t value = 0;

	if (has_size(d, attrs, number, sizeof(value)))
		memcpy(&value, attrs->at[number].at, sizeof(value));
	return value;
}

uint8_t proof_u8(struct decoder *d, const struct attrs *attrs, unsigned int number)
{
	return has_size(d, attrs, number, 1) ? *attrs->at[number].at : 0;
}

/* The kernel takes texts with and without their end (NLA_STRING). */
const char *proof_string(struct decoder *d, const struct attrs *attrs, unsigned int number)
{
	const struct bytes text = attrs->at[number];
	const uint8_t *end = text.at ? memchr(text.at, 0, text.len) : NULL;

	if (!text.at)
		proof_fail(d, "%s lacks attribute %u", attrs->what, number);
	else if (!text.len || (end && end != text.at + text.len - 1) || end == text.at)
		proof_fail(d, "attribute %u of %s is no text", number, attrs->what);
	if (d->error)
		return "";
	return end ? (const char *)text.at : cni_strndup(d->arena, (const char *)text.at, text.len);
}

bool proof_next(struct decoder *d, const char *what, struct bytes *list, unsigned int number, struct bytes *element)
{
	unsigned int got;

	if (!next_attr(d, what, list, &got, element))
		return false;
	if (got != number)
		proof_fail(d, "the list of %s holds attribute %u", what, got);
	return !d->error;
}
