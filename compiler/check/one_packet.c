/* SPDX-License-Identifier: GPL-2.0-or-later */
/* one_packet.c - see one_packet.h. */
#include "compiler/check/one_packet.h"

#include "compiler/arena.h"

static const struct {
	unsigned int field;
	const char *name;
} fields[] = {
	{ CNI_HAS_FROM, "from" },
	{ CNI_HAS_TO, "to" },
	{ CNI_HAS_PROTO, "proto" },
	{ CNI_HAS_SPORT, "PROTOCOL sport" },
	{ CNI_HAS_DPORT, "PROTOCOL dport" },
	{ CNI_HAS_DSCP, "dscp" },
	{ CNI_HAS_ICMP_TYPE, "proto, or icmp TYPE" },
};

static enum cni_shape one_address(const struct cni_ranges *ranges, bool negated, struct cni_addr *addr)
{
	if (negated || ranges->n_v4 + ranges->n_v6 != 1)
		return CNI_MANY_PACKETS;
	*addr = ranges->n_v4 ? (struct cni_addr){ CNI_V4, ranges->v4->lo }
			     : (struct cni_addr){ CNI_V6, ranges->v6->lo };
	return (ranges->n_v4 ? ranges->v4->hi : ranges->v6->hi) == addr->v ? CNI_ONE_PACKET : CNI_MANY_PACKETS;
}

static enum cni_shape one_bit(const uint64_t *bits, unsigned int words, bool negated, uint8_t *value)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < words; i++)
		if (bits[i]) {
			n += (unsigned int)__builtin_popcountll(bits[i]);
			*value = (uint8_t)(i * 64 + (unsigned int)__builtin_ctzll(bits[i]));
		}
	return negated || n != 1 ? CNI_MANY_PACKETS : CNI_ONE_PACKET;
}

/* The same field said twice must say the same. */
static enum cni_shape say(struct cni_packet *p, unsigned int field, uint16_t *at, uint16_t value)
{
	if (p->known & field && *at != value)
		return CNI_NO_PACKET;
	p->known |= field;
	*at = value;
	return CNI_ONE_PACKET;
}

static enum cni_shape say_proto(struct cni_packet *p, uint8_t proto)
{
	uint16_t was = p->proto;
	enum cni_shape shape = say(p, CNI_HAS_PROTO, &was, proto);

	p->proto = (uint8_t)was;
	return shape;
}

static enum cni_shape worse(enum cni_shape a, enum cni_shape b)
{
	return a > b ? a : b;
}

/* What is read of a match. */
struct reading {
	struct cni_packet *packet;
	enum cni_shape shape;
	bool is_many; /* some part is more than one */
	enum cni_match_kind many; /* the first such part */
};

static void take(struct reading *r, enum cni_shape shape, enum cni_match_kind kind)
{
	if (shape == CNI_MANY_PACKETS && !r->is_many) {
		r->is_many = true;
		r->many = kind;
	}
	r->shape = worse(r->shape, shape);
}

static void read_addresses(const struct cni_match *m, struct reading *r)
{
	struct cni_packet *p = r->packet;

	if (m->has_from) {
		take(r, one_address(&m->from, m->not_from, &p->from), CNI_MATCH_FROM);
		p->known |= CNI_HAS_FROM;
	}
	if (m->has_to) {
		take(r, one_address(&m->to, m->not_to, &p->to), CNI_MATCH_TO);
		p->known |= CNI_HAS_TO;
	}
	if (r->shape == CNI_ONE_PACKET && m->has_from && m->has_to && p->from.family != p->to.family)
		r->shape = CNI_NO_PACKET;
}

static void read_icmp(const struct cni_icmp_match *im, struct reading *r)
{
	struct cni_packet *p = r->packet;
	uint16_t type = p->icmp_type;
	uint8_t value = 0;

	take(r, one_bit(im->types, 4, im->negated, &value), im->ast->kind);
	take(r, say_proto(p, im->family == CNI_V4 ? 1 : 58), im->ast->kind);
	take(r, say(p, CNI_HAS_ICMP_TYPE, &type, value), im->ast->kind);
	p->icmp_type = (uint8_t)type;
	if (p->known & (CNI_HAS_FROM | CNI_HAS_TO) && (p->known & CNI_HAS_TO ? p->to : p->from).family != im->family)
		r->shape = CNI_NO_PACKET;
}

enum cni_shape cni_one_packet(const struct cni_match *m, struct cni_packet *p, enum cni_match_kind *many)
{
	struct reading r = { .packet = p, .shape = CNI_ONE_PACKET };
	uint8_t value = 0;

	*p = (struct cni_packet){ 0 };
	read_addresses(m, &r);
	if (m->has_proto) {
		take(&r, one_bit(m->proto, 4, m->not_proto, &value), CNI_MATCH_PROTO);
		take(&r, say_proto(p, value), CNI_MATCH_PROTO);
	}
	for (size_t i = 0; i < m->n_ports; i++) {
		const struct cni_port_match *pm = &m->ports[i];

		if (pm->negated || pm->ports.n_items != 1 || pm->ports.items->lo != pm->ports.items->hi) {
			take(&r, CNI_MANY_PACKETS, pm->ast->kind);
			continue;
		}
		take(&r, say_proto(p, pm->ports.items->proto), pm->ast->kind);
		take(&r,
		     say(p, pm->source ? CNI_HAS_SPORT : CNI_HAS_DPORT, pm->source ? &p->sport : &p->dport,
			 pm->ports.items->lo),
		     pm->ast->kind);
	}
	if (m->has_dscp) {
		take(&r, one_bit(&m->dscp, 1, m->not_dscp, &p->dscp), CNI_MATCH_DSCP);
		p->known |= CNI_HAS_DSCP;
	}
	for (size_t i = 0; i < m->n_icmp; i++)
		read_icmp(&m->icmp[i], &r);
	*many = r.many;
	return r.shape;
}

const char *cni_fields_text(struct cni_arena *arena, unsigned int asks)
{
	const char *text = NULL;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (asks & fields[i].field)
			text = text ? cni_printf(arena, "%s, `%s`", text, fields[i].name)
				    : cni_printf(arena, "`%s`", fields[i].name);
	return text;
}

struct cni_span cni_match_span(const struct cni_ast_decl *decl, enum cni_match_kind kind)
{
	for (const struct cni_ast_match *m = decl->matches; m; m = m->next)
		if (m->kind == kind)
			return m->span;
	return decl->span;
}
