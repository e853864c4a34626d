/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect.c - proves each `expect` that speaks of one packet, and says what is missing from one that does not. */
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/evaluate.h"

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

/* Why an expect is not one packet. */
enum shape { ONE_PACKET, MANY_PACKETS, NO_PACKET };

static enum shape one_address(const struct cni_ranges *ranges, bool negated, struct cni_addr *addr)
{
	if (negated || ranges->n_v4 + ranges->n_v6 != 1)
		return MANY_PACKETS;
	*addr = ranges->n_v4 ? (struct cni_addr){ CNI_V4, ranges->v4->lo }
			     : (struct cni_addr){ CNI_V6, ranges->v6->lo };
	return (ranges->n_v4 ? ranges->v4->hi : ranges->v6->hi) == addr->v ? ONE_PACKET : MANY_PACKETS;
}

static enum shape one_bit(const uint64_t *bits, unsigned int words, bool negated, uint8_t *value)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < words; i++)
		if (bits[i]) {
			n += (unsigned int)__builtin_popcountll(bits[i]);
			*value = (uint8_t)(i * 64 + (unsigned int)__builtin_ctzll(bits[i]));
		}
	return negated || n != 1 ? MANY_PACKETS : ONE_PACKET;
}

/* The same field said twice must say the same. */
static enum shape say(struct cni_packet *p, unsigned int field, uint16_t *at, uint16_t value)
{
	if (p->known & field && *at != value)
		return NO_PACKET;
	p->known |= field;
	*at = value;
	return ONE_PACKET;
}

static enum shape say_proto(struct cni_packet *p, uint8_t proto)
{
	uint16_t was = p->proto;
	enum shape shape = say(p, CNI_HAS_PROTO, &was, proto);

	p->proto = (uint8_t)was;
	return shape;
}

static enum shape worse(enum shape a, enum shape b)
{
	return a > b ? a : b;
}

/* What is read of an expect. */
struct reading {
	struct cni_packet *packet;
	enum shape shape;
	bool is_many; /* some part is more than one */
	enum cni_match_kind many; /* the first such part */
};

static void take(struct reading *r, enum shape shape, enum cni_match_kind kind)
{
	if (shape == MANY_PACKETS && !r->is_many) {
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
	if (r->shape == ONE_PACKET && m->has_from && m->has_to && p->from.family != p->to.family)
		r->shape = NO_PACKET;
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
		r->shape = NO_PACKET;
}

static struct reading packet_of(const struct cni_match *m, struct cni_packet *p)
{
	struct reading r = { .packet = p, .shape = ONE_PACKET };
	uint8_t value = 0;

	read_addresses(m, &r);
	if (m->has_proto) {
		take(&r, one_bit(m->proto, 4, m->not_proto, &value), CNI_MATCH_PROTO);
		take(&r, say_proto(p, value), CNI_MATCH_PROTO);
	}
	for (size_t i = 0; i < m->n_ports; i++) {
		const struct cni_port_match *pm = &m->ports[i];

		if (pm->negated || pm->ports.n_items != 1 || pm->ports.items->lo != pm->ports.items->hi) {
			take(&r, MANY_PACKETS, pm->ast->kind);
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
	return r;
}

static struct cni_span match_span(const struct cni_ast_decl *decl, enum cni_match_kind kind)
{
	for (const struct cni_ast_match *m = decl->matches; m; m = m->next)
		if (m->kind == kind)
			return m->span;
	return decl->span;
}

/* The one packet that an expect speaks of; false (reported) when it is not one. */
static bool read_packet(const struct cni_checker *c, const struct cni_expect *e, struct cni_packet *packet)
{
	struct reading r;
	struct cni_diag *d;

	*packet = (struct cni_packet){ 0 };
	r = packet_of(&e->match, packet);
	switch (r.shape) {
	case MANY_PACKETS:
		d = cni_diag(c->diags, CNI412, match_span(e->decl, r.many),
			     "this `expect` speaks of more than one packet");
		cni_diag_help(c->diags, d,
			      "only single packets can be proven so far: one address, protocol and port each");
		return false;
	case NO_PACKET:
		cni_diag(c->diags, CNI415, e->decl->span, "there is no packet such as this `expect` describes");
		return false;
	default:
		return true;
	}
}

/* A tunnel is down when it is said to be, or when every link that it runs over is. */
static void set_down(const struct cni_checker *c, const struct cni_expect *e, bool *down)
{
	const struct cni_model *m = c->model;

	memset(down, 0, m->n_targets * sizeof(*down));
	for (size_t i = 0; i < e->n_down; i++)
		down[e->down[i]] = true;
	for (size_t i = m->n_links; i < m->n_targets && e->n_down; i++) {
		bool all = m->targets[i].tunnel.n_over > 0;

		for (size_t o = 0; o < m->targets[i].tunnel.n_over; o++)
			all &= down[m->targets[i].tunnel.over[o]];
		down[i] |= all;
	}
}

/* `never via X` holds whatever else is down: no route that decides may name X, unless X is said to be down. */
static bool may_take(const struct cni_checker *c, const struct cni_expect *e, const struct cni_decision *decision,
		     const bool *down)
{
	const struct cni_path *path = decision->route ? &decision->route->path : NULL;
	enum cni_family family = e->match.has_to && e->match.to.n_v6 ? CNI_V6 : CNI_V4;

	for (size_t i = 0; path && i < path->n_members; i++)
		if (path->members[i].target == e->target)
			return !down[e->target] && c->model->targets[e->target].carries[family];
	return false;
}

static bool is_met(const struct cni_checker *c, const struct cni_expect *e, const struct cni_decision *decision,
		   const bool *down)
{
	if (e->outcome != CNI_VERDICT_NONE)
		return (decision->verdict == e->outcome) != e->never;
	if (e->never)
		return !may_take(c, e, decision, down);
	for (size_t i = 0; i < decision->n_targets; i++)
		if (decision->targets[i] == e->target)
			return true;
	return false;
}

static const char *outcome_text(const struct cni_checker *c, const struct cni_decision *decision)
{
	static const char *const verdicts[] = { "", "main", "drop", "reject" };
	const char *text = "via ";

	if (decision->verdict != CNI_VERDICT_NONE)
		return verdicts[decision->verdict];
	for (size_t i = 0; i < decision->n_targets; i++)
		text = cni_printf(c->arena, "%s%s%s", text, i ? ", " : "",
				  c->model->targets[decision->targets[i]].name);
	return text;
}

static void report_unmet(const struct cni_checker *c, const struct cni_expect *e, const struct cni_decision *decision)
{
	const char *outcome = outcome_text(c, decision);
	struct cni_diag *d = cni_diag(c->diags, CNI411, e->decl->outcome_span, "this `expect` does not hold: %s%s",
				      e->never ? "the packet may take that way, now " : "the packet goes ", outcome);

	if (decision->route)
		cni_diag_related(c->diags, d, decision->route->ast->name.span, "route `%s` decides: %s",
				 decision->route->name, outcome);
	else if (decision->never_steered)
		cni_diag_related(
			c->diags, d, decision->policy->decl->name.span,
			"no policy decides: a lan, the router itself or a network that it is on is never steered");
	else if (decision->policy)
		cni_diag_related(c->diags, d, decision->policy->decl->otherwise_span,
				 "no route matches, `else` decides: %s", outcome);
}

static void report_asks(const struct cni_checker *c, const struct cni_expect *e, const struct cni_decision *decision)
{
	const char *missing = NULL;
	struct cni_diag *d;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (decision->asks & fields[i].field)
			missing = missing ? cni_printf(c->arena, "%s, `%s`", missing, fields[i].name)
					  : cni_printf(c->arena, "`%s`", fields[i].name);
	d = cni_diag(c->diags, CNI413, e->decl->span, "this `expect` must say %s: the decision depends on it", missing);
	if (decision->route)
		cni_diag_related(c->diags, d, decision->route->ast->name.span, "route `%s` looks at it",
				 decision->route->name);
}

bool cni_check_expects(const struct cni_checker *c, const struct cni_subject *s)
{
	struct cni_ranges never = cni_never_steered(c->arena, c->model);
	bool *down = cni_new_array(c->arena, bool, c->model->n_targets + 1), holds = true;

	(void)s;
	for (size_t i = 0; i < c->model->n_expects; i++) {
		const struct cni_expect *e = &c->model->expects[i];
		struct cni_decision decision;
		struct cni_packet packet;

		if (!read_packet(c, e, &packet)) {
			holds = false;
			continue;
		}
		set_down(c, e, down);
		decision = cni_evaluate(c->arena, c->model, &never, e->device, &packet, down);
		if (decision.asks)
			report_asks(c, e, &decision);
		else if (!is_met(c, e, &decision, down))
			report_unmet(c, e, &decision);
		else
			continue;
		holds = false;
	}
	return holds;
}
