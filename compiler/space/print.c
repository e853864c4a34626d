/* SPDX-License-Identifier: GPL-2.0-or-later */
/* print.c - boxes and packets in words of the language; see space.h. */
#include "compiler/space/space.h"

#include "compiler/resolve/resolve.h"

#define ICMP 1
#define ICMPV6 58

static void print_number(struct cni_text *text, const struct cni_word *words, cni_u128 value)
{
	for (const struct cni_word *w = words; w && w->name; w++)
		if (w->value == value) {
			cni_text_puts(text, w->name);
			return;
		}
	cni_text_printf(text, "%u", (unsigned int)value);
}

static void print_addresses(struct cni_text *text, enum cni_family family, const struct cni_range6 *range)
{
	struct cni_addr lo = { family, range->lo }, hi = { family, range->hi };
	char first[CNI_ADDR_TEXT], last[CNI_ADDR_TEXT];
	cni_u128 flip = range->lo ^ range->hi;
	uint8_t len = (uint8_t)cni_width(family);

	cni_addr_format(lo, first);
	if (!flip) {
		cni_text_puts(text, first);
	} else if (!(flip & (flip + 1)) && !(range->lo & flip)) {
		for (; flip; flip >>= 1)
			len--;
		cni_text_puts(text, cni_prefix_format((struct cni_prefix){ lo, len }, first));
	} else {
		cni_text_printf(text, "%s-%s", first, cni_addr_format(hi, last));
	}
}

static void print_range(struct cni_text *text, enum cni_family family, enum cni_header_field field,
			const struct cni_range6 *range)
{
	const struct cni_word *words = field == CNI_FIELD_PROTO ? cni_proto_words : NULL;

	if (field == CNI_FIELD_FROM || field == CNI_FIELD_TO) {
		print_addresses(text, family, range);
		return;
	}
	print_number(text, range->lo == range->hi ? words : NULL, range->lo);
	if (range->lo != range->hi)
		cni_text_printf(text, "-%u", (unsigned int)range->hi);
}

/* In the order in which people write them. */
static const struct {
	enum cni_header_field field;
	const char *word;
} fields[] = {
	{ CNI_FIELD_FROM, "from" },   { CNI_FIELD_TO, "to" },	    { CNI_FIELD_PROTO, "proto" },
	{ CNI_FIELD_SPORT, "sport" }, { CNI_FIELD_DPORT, "dport" }, { CNI_FIELD_TYPE, "type" },
	{ CNI_FIELD_DSCP, "dscp" },
};

void cni_box_print(struct cni_text *text, enum cni_family family, const struct cni_box *box)
{
	bool any = true;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		const struct cni_box_field *f = &box->field[fields[i].field];

		if (!f->n_items)
			continue;
		cni_text_printf(text, "%s%s%s ", any ? "" : " ", f->negated ? "not " : "", fields[i].word);
		any = false;
		for (size_t k = 0; k < f->n_items; k++) {
			cni_text_puts(text, k ? ", " : "");
			print_range(text, family, fields[i].field, &f->items[k]);
		}
		cni_text_puts(text, f->more ? ", ..." : "");
	}
	if (any)
		cni_text_puts(text, "any packet");
}

void cni_header_print(struct cni_text *text, const struct cni_header *packet)
{
	char from[CNI_ADDR_TEXT], to[CNI_ADDR_TEXT];
	unsigned int proto = (unsigned int)packet->field[CNI_FIELD_PROTO];
	bool has_ports = false;

	cni_text_printf(text, "from %s to %s ",
			cni_addr_format((struct cni_addr){ packet->family, packet->field[CNI_FIELD_FROM] }, from),
			cni_addr_format((struct cni_addr){ packet->family, packet->field[CNI_FIELD_TO] }, to));
	for (const struct cni_word *w = cni_port_proto_words; w->name; w++)
		has_ports |= w->value == proto;
	if (!has_ports && proto != (packet->family == CNI_V4 ? ICMP : ICMPV6))
		cni_text_puts(text, "proto ");
	print_number(text, cni_proto_words, proto);
	if (has_ports)
		cni_text_printf(text, " sport %u dport %u", (unsigned int)packet->field[CNI_FIELD_SPORT],
				(unsigned int)packet->field[CNI_FIELD_DPORT]);
	else if (proto == (packet->family == CNI_V4 ? ICMP : ICMPV6))
		cni_text_printf(text, " %u", (unsigned int)packet->field[CNI_FIELD_TYPE]);
	cni_text_printf(text, " dscp %u", (unsigned int)packet->field[CNI_FIELD_DSCP]);
}
