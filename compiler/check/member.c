/* SPDX-License-Identifier: GPL-2.0-or-later */
/* member.c - what a living route names, and never sees since earlier routes take all of it: a prefix of its lists and
 * sets, some of its ports, a protocol, a code point, a type of ICMP. An overlap that leaves every member some packet is
 * nobody's mistake: order is the language's way.
 *
 * Most members show a packet that is left at once. For the others, all together, it is found out what is left, and
 * which of their values are in it. */
#include "compiler/check/leaves.h"
#include "compiler/check/shadow.h"

#define FEW 256 /* members that are tried one by one */
#define SHOWN 3

struct member {
	enum cni_family family; /* of FROM and TO; else IPv4, as in a region */
	struct cni_range6 range;
	struct cni_span span; /* where the route names it, or what holds it */
	struct cni_span written; /* where it is written, if that is elsewhere */
	bool dead;
};

struct field {
	struct cni_shadow *sh;
	struct cni_arena *arena;
	size_t route;
	enum cni_view view;
	struct member *members;
	size_t n_members;
};

static bool is_address(enum cni_view view)
{
	return view == CNI_VIEW_FROM || view == CNI_VIEW_TO;
}

/* Whether the member can be in packets of that family. */
static bool is_of(const struct field *f, const struct member *m, enum cni_family family)
{
	return !is_address(f->view) || m->family == family;
}

/* The array of a view's ranges that a member belongs to, as in a region. */
static void add_range(const struct field *f, struct cni_ranges *ranges, const struct member *m)
{
	cni_ranges_add(f->arena, ranges, (struct cni_addr){ m->family, m->range.lo },
		       (struct cni_addr){ m->family, m->range.hi });
}

/* ---- which are left ---- */

/* The part of the route that the suspects of one family make. */
static struct cni_ranges suspects_of(const struct field *f, enum cni_family family)
{
	struct cni_ranges ranges = { 0 };

	for (size_t i = 0; i < f->n_members; i++)
		if (f->members[i].dead && is_of(f, &f->members[i], family))
			add_range(f, &ranges, &f->members[i]);
	cni_ranges_normalise(&ranges);
	return ranges;
}

static bool meets(const struct cni_ranges *ranges, const struct member *m)
{
	size_t lo = 0, hi = cni_ranges_count(ranges, m->family);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		cni_u128 first = m->family == CNI_V4 ? ranges->v4[mid].lo : ranges->v6[mid].lo;
		cni_u128 last = m->family == CNI_V4 ? ranges->v4[mid].hi : ranges->v6[mid].hi;

		if (last < m->range.lo)
			lo = mid + 1;
		else if (first > m->range.hi)
			hi = mid;
		else
			return true;
	}
	return false;
}

static void acquit(struct field *f, enum cni_family family, const struct cni_ranges *alive)
{
	for (size_t i = 0; i < f->n_members; i++)
		if (is_of(f, &f->members[i], family) && meets(alive, &f->members[i]))
			f->members[i].dead = false;
}

/* A member that no packet of the route can have, whatever the others do, is none of our business; nor is one that is
 * never steered. False: all are cleared. */
static bool accuse(struct field *f)
{
	bool any = false, possible[CNI_N_FAMILIES];

	for (enum cni_family family = 0; family < CNI_N_FAMILIES; family++)
		possible[family] = !cni_region_is_empty(&f->sh->areas[family][f->route]);
	for (size_t i = 0; i < f->n_members; i++) {
		struct member *m = &f->members[i];
		struct cni_ranges one = { 0 };

		add_range(f, &one, m);
		for (enum cni_family family = 0; family < CNI_N_FAMILIES; family++)
			m->dead |= possible[family] && is_of(f, m, family) &&
				   meets(&f->sh->areas[family][f->route].view[f->view], m);
		m->dead &= f->view != CNI_VIEW_TO || !cni_ranges_covers(&f->sh->never_steered, &one);
		any |= m->dead;
	}
	return any;
}

/* Whether a packet of the member that is left is easily found. */
static bool glimpse(struct field *f, const struct member *m, enum cni_family family, struct cni_work *work)
{
	struct cni_shadow_routes takers = { 0 };
	struct cni_ranges one = { 0 };
	struct cni_region region;

	add_range(f, &one, m);
	region = cni_region_cut(f->arena, &f->sh->areas[family][f->route], f->view, &one, work);
	for (int last = 0; last < 2 && !work->spent && !cni_region_is_empty(&region); last++) {
		struct cni_region narrow = cni_region_narrow(f->arena, &region, last);

		if (cni_shadow_left(f->sh, f->arena, &narrow, &takers, work).n_items && !work->spent)
			return true;
	}
	return false;
}

static bool any_dead(const struct field *f)
{
	for (size_t i = 0; i < f->n_members; i++)
		if (f->members[i].dead)
			return true;
	return false;
}

static void try_each(struct field *f, struct cni_work *work)
{
	for (size_t i = 0; i < f->n_members && f->n_members <= FEW; i++)
		for (enum cni_family family = 0; family < CNI_N_FAMILIES && f->members[i].dead; family++)
			if (is_of(f, &f->members[i], family) && glimpse(f, &f->members[i], family, work))
				f->members[i].dead = false;
}

static void by_regions(struct field *f, enum cni_family family, struct cni_work *work)
{
	struct cni_ranges suspects = suspects_of(f, family), alive = { 0 };
	struct cni_shadow_routes takers = { 0 };
	struct cni_region region = cni_region_cut(f->arena, &f->sh->areas[family][f->route], f->view, &suspects, work);
	struct cni_regions left;

	if (work->spent || cni_region_is_empty(&region))
		return;
	left = cni_shadow_left(f->sh, f->arena, &region, &takers, work);
	for (size_t i = 0; i < left.n_items && !work->spent; i++)
		cni_ranges_add_all(f->arena, &alive, &left.items[i].view[f->view]);
	if (work->spent)
		return;
	cni_ranges_normalise(&alive);
	acquit(f, family, &alive);
}

static struct cni_shadow_part part_of(const struct field *f)
{
	struct cni_shadow_part part = { .view = f->view };

	for (enum cni_family family = 0; family < CNI_N_FAMILIES; family++)
		part.ranges[family] = suspects_of(f, family);
	return part;
}

/* False: the limit of nodes was reached. */
static bool by_spaces(struct field *f)
{
	size_t mark = cni_spaces_mark(cni_shadow_spaces(f->sh));
	const struct cni_shadow_part part = part_of(f);
	struct cni_shadow_cover cover = cni_shadow_cover(f->sh, f->arena, f->route, &part);

	for (enum cni_family family = 0; family < CNI_N_FAMILIES && !cover.failed; family++) {
		struct cni_ranges alive =
			cni_shadow_values(f->sh, f->arena, family, cover.left[family], f->view, &part.ranges[family]);

		cover.failed = cni_spaces_failed(f->sh->spaces);
		if (!cover.failed)
			acquit(f, family, &alive);
	}
	cni_spaces_release(f->sh->spaces, mark, -1);
	return !cover.failed;
}

static bool judge(struct field *f)
{
	uint64_t allowed = f->sh->part_left < f->sh->limits->proof ? f->sh->part_left : f->sh->limits->proof;
	struct cni_work work = { .left = allowed };

	if (!accuse(f))
		return true;
	try_each(f, &work);
	for (enum cni_family family = 0; family < CNI_N_FAMILIES && !work.spent && any_dead(f); family++)
		by_regions(f, family, &work);
	f->sh->part_left -= allowed - work.left;
	return !work.spent || !any_dead(f) || by_spaces(f);
}

/* ---- what is said ---- */

static const char *word_of(enum cni_view view)
{
	static const char *const words[CNI_N_VIEWS] = {
		[CNI_VIEW_FROM] = "sources",	   [CNI_VIEW_TO] = "destinations",
		[CNI_VIEW_SPORT] = "source ports", [CNI_VIEW_DPORT] = "destination ports",
		[CNI_VIEW_TYPE] = "ICMP types",	   [CNI_VIEW_DSCP] = "code points",
	};

	return words[view];
}

/* The fewest that take it, and what of the route is left. */
static void explain_by_spaces(struct field *f, struct cni_diag *d)
{
	struct cni_shadow *sh = f->sh;
	const struct cni_shadow_part part = part_of(f);
	const size_t mark = cni_spaces_mark(cni_shadow_spaces(sh));
	struct cni_shadow_cover cover = cni_shadow_cover(sh, f->arena, f->route, &part);

	cni_shadow_least(sh, &cover);
	if (!cover.failed)
		cni_shadow_name(sh, d, &cover);
	cover = cni_shadow_cover(sh, f->arena, f->route, NULL);
	if (!cover.failed)
		cni_shadow_show(sh, d, f->route, cover.left);
	cni_spaces_release(sh->spaces, mark, -1);
}

/* All that take part of it. */
static void name_by_regions(struct field *f, struct cni_diag *d)
{
	struct cni_work work = { .left = f->sh->limits->proof };
	struct cni_shadow_routes takers = { 0 };
	struct cni_shadow_cover cover = { 0 };

	for (enum cni_family family = 0; family < CNI_N_FAMILIES; family++) {
		struct cni_ranges suspects = suspects_of(f, family);
		struct cni_region region =
			cni_region_cut(f->arena, &f->sh->areas[family][f->route], f->view, &suspects, &work);

		if (!cni_region_is_empty(&region))
			cni_shadow_left(f->sh, f->arena, &region, &takers, &work);
	}
	cni_shadow_sort(&takers);
	for (size_t i = 0; i < takers.n_items; i++)
		cni_push(f->arena, cover.takers, cover.n_takers)->route = takers.items[i];
	cni_shadow_name(f->sh, d, &cover);
}

static void report(struct field *f)
{
	struct cni_shadow *sh = f->sh;
	const struct cni_route *route = &sh->policy->routes[f->route];
	struct cni_text list = { .arena = f->arena };
	const struct member *first = f->members;
	struct cni_diag *d;
	size_t n = 0;

	while (!first->dead)
		first++;
	for (const struct member *m = first; m < f->members + f->n_members; m++)
		if (m->dead && n++ < SHOWN)
			cni_text_printf(&list, "%s%s", n > 1 ? "; " : "",
					cni_shadow_words(f->arena, m->family, f->view, m->range));
	if (n == 1)
		d = cni_diag(sh->c->diags, CNI430, first->span,
			     "route `%s` never sees packets %s: earlier routes take them all", route->name, list.data);
	else
		d = cni_diag(sh->c->diags, CNI430, first->span,
			     "route `%s` never sees %zu of the %zu %s that it names: %s%s", route->name, n,
			     f->n_members, word_of(f->view), list.data, n > SHOWN ? "; ..." : "");
	if (cni_span_is_set(first->written))
		cni_diag_related(sh->c->diags, d, first->written, "written here");
	if (cni_diags_keep(sh->c->diags) && cni_shadow_is_large(sh, f->arena, f->route))
		name_by_regions(f, d);
	else if (cni_diags_keep(sh->c->diags))
		explain_by_spaces(f, d);
	cni_diag_help(sh->c->diags, d, "put `%s` above them if it is to have these, or take them out of it",
		      route->name);
}

/* ---- what a route names ---- */

static void add_address(const struct cni_leaf *leaf, void *arg)
{
	struct field *f = arg;

	*cni_push(f->arena, f->members, f->n_members) =
		(struct member){ leaf->family, leaf->range, leaf->use, leaf->written, false };
}

static void add_key(struct field *f, uint32_t lo, uint32_t hi, struct cni_span span)
{
	*cni_push(f->arena, f->members, f->n_members) = (struct member){ CNI_V4, { lo, hi }, span, { 0 }, false };
}

/* Runs of bits, each value `shift` bits wide. */
static void add_bits(struct field *f, const uint64_t *bits, unsigned int n, uint32_t base, unsigned int shift,
		     struct cni_span span)
{
	for (unsigned int i = 0, end; i < n; i = end) {
		for (end = i; end < n && bits[end / 64] >> (end % 64) & 1;)
			end++;
		if (end > i)
			add_key(f, base + (i << shift), base + (end << shift) - 1, span);
		else
			end++;
	}
}

static struct cni_span span_of(const struct cni_route *route, enum cni_match_kind kind)
{
	for (const struct cni_ast_match *m = route->ast->matches; m; m = m->next)
		if (m->kind == kind && !m->negated)
			return m->span;
	return route->ast->name.span;
}

/* One field at a time: a route may name it in several matches, each a field of its own. False: nodes were too few. */
static bool check_field(struct field *f)
{
	bool found = f->n_members < 2 || judge(f);

	if (found && f->n_members > 1 && any_dead(f))
		report(f);
	f->members = NULL;
	f->n_members = 0;
	return found;
}

static bool check_addresses(struct field *f, enum cni_view view, const struct cni_items *written)
{
	f->view = view;
	cni_leaves(f->arena, f->sh->c->model, written, add_address, f);
	return check_field(f);
}

static bool check_protos(struct field *f, const struct cni_route *route)
{
	f->view = CNI_VIEW_SPORT; /* which has them all */
	if (route->match.has_proto && !route->match.not_proto)
		add_bits(f, route->match.proto, 256, 0, 16, span_of(route, CNI_MATCH_PROTO));
	return check_field(f);
}

static bool check_ports(struct field *f, const struct cni_port_match *m)
{
	f->view = m->source ? CNI_VIEW_SPORT : CNI_VIEW_DPORT;
	for (size_t i = 0; i < m->ports.n_items && !m->negated; i++) {
		const struct cni_port_range *r = &m->ports.items[i];

		add_key(f, (uint32_t)r->proto << 16 | r->lo, (uint32_t)r->proto << 16 | r->hi, m->ast->span);
	}
	return check_field(f);
}

static bool check_types(struct field *f, const struct cni_icmp_match *m)
{
	f->view = CNI_VIEW_TYPE;
	if (!m->negated)
		add_bits(f, m->types, 256, (m->family == CNI_V4 ? 1u : 58u) << 8, 0, m->ast->span);
	return check_field(f);
}

static bool check_dscp(struct field *f, const struct cni_route *route)
{
	f->view = CNI_VIEW_DSCP;
	if (route->match.has_dscp && !route->match.not_dscp)
		add_bits(f, &route->match.dscp, 64, 0, 0, span_of(route, CNI_MATCH_DSCP));
	return check_field(f);
}

static bool check_fields(struct field *f)
{
	const struct cni_route *route = &f->sh->policy->routes[f->route];
	const struct cni_match *m = &route->match;
	bool found = check_addresses(f, CNI_VIEW_FROM, &m->from_written) &&
		     check_addresses(f, CNI_VIEW_TO, &m->to_written) && check_protos(f, route) && check_dscp(f, route);

	for (size_t i = 0; found && i < m->n_ports; i++)
		found = check_ports(f, &m->ports[i]);
	for (size_t i = 0; found && i < m->n_icmp; i++)
		found = check_types(f, &m->icmp[i]);
	return found;
}

static size_t count_bits(const uint64_t *bits, size_t n_words)
{
	size_t n = 0;

	for (size_t i = 0; i < n_words; i++)
		n += (size_t)__builtin_popcountll(bits[i]);
	return n;
}

/* Whether it names more than one of anything; as a rule it does not. */
static bool names_several(const struct cni_match *m)
{
	bool several = cni_shadow_addresses(m) > (size_t)m->has_from + m->has_to || m->from_written.n_items > 1 ||
		       m->to_written.n_items > 1 || count_bits(m->proto, 4) > 1 || count_bits(&m->dscp, 1) > 1;

	for (size_t i = 0; i < m->n_ports; i++)
		several |= m->ports[i].ports.n_items > 1;
	for (size_t i = 0; i < m->n_icmp; i++)
		several |= count_bits(m->icmp[i].types, 4) > 1;
	return several;
}

/* Large sets are gone through only when something can be taken of them. */
static bool is_untouched(struct cni_shadow *sh, struct cni_arena *arena, size_t route)
{
	return cni_shadow_addresses(&sh->policy->routes[route].match) > FEW &&
	       !cni_shadow_above(sh, arena, route).n_items;
}

void cni_shadow_members(struct cni_shadow *sh, size_t route)
{
	const struct cni_route *r = &sh->policy->routes[route];
	struct field f = { .sh = sh, .route = route };

	if (sh->members_unknown || !names_several(&r->match))
		return;
	f.arena = cni_arena_new();
	if (!sh->complete || (!is_untouched(sh, f.arena, route) && !check_fields(&f))) {
		sh->members_unknown = true;
		cni_diag(sh->c->diags, CNI403, r->ast->name.span,
			 "whether all that route `%s`, or one below, names can match was not found out", r->name);
	}
	cni_arena_free(f.arena);
}
