/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sets.c - `define`, the addresses of lans, and sets written in place: from values to canonical ranges. */
#include "compiler/resolve/resolve.h"

bool cni_charge_ranges(struct cni_resolver *r, struct cni_span span, const struct cni_ranges *ranges)
{
	/* twice the size, since vectors double */
	return cni_charge(r, span, 2 * (ranges->n_v4 * sizeof(*ranges->v4) + ranges->n_v6 * sizeof(*ranges->v6)));
}

static void add_bulk(struct cni_resolver *r, struct cni_gather *g, const struct cni_ranges *more, struct cni_span span)
{
	if (!g->only && cni_ranges_is_empty(&g->own)) {
		g->only = more;
		return;
	}
	if (g->only && cni_charge_ranges(r, span, g->only))
		cni_ranges_add_all(r->arena, &g->own, g->only);
	g->only = NULL;
	if (cni_charge_ranges(r, span, more))
		cni_ranges_add_all(r->arena, &g->own, more);
}

static void add_range(struct cni_resolver *r, struct cni_gather *g, struct cni_addr lo, struct cni_addr hi,
		      struct cni_span span)
{
	const struct cni_ranges none = { 0 };

	if (g->only)
		add_bulk(r, g, &none, span);
	cni_ranges_add(r->arena, &g->own, lo, hi);
}

bool cni_prefix_literal(struct cni_resolver *r, const struct cni_item *item, struct cni_prefix *prefix)
{
	char text[CNI_ADDR_TEXT], fixed[CNI_ADDR_TEXT], host[CNI_ADDR_TEXT];
	struct cni_diag *d;

	*prefix = item->value->prefix;
	prefix->addr = cni_prefix_first(*prefix);
	if (cni_addr_equal(prefix->addr, item->value->prefix.addr))
		return true;
	d = cni_bad_value(r, CNI130, item, "%s has host bits", cni_prefix_format(item->value->prefix, text));
	cni_diag_help(r->diags, d, "write %s for the network, or %s for the one address",
		      cni_prefix_format(*prefix, fixed), cni_addr_format(item->value->prefix.addr, host));
	return false;
}

static void add_addr(struct cni_resolver *r, struct cni_gather *g, struct cni_item *item)
{
	add_range(r, g, item->value->prefix.addr, item->value->prefix.addr, item->use->span);
}

static void add_prefix(struct cni_resolver *r, struct cni_gather *g, struct cni_item *item)
{
	struct cni_prefix prefix;

	cni_prefix_literal(r, item, &prefix);
	add_range(r, g, cni_prefix_first(prefix), cni_prefix_last(prefix), item->use->span);
}

static void add_written_range(struct cni_resolver *r, struct cni_gather *g, struct cni_item *item)
{
	struct cni_addr lo = item->value->prefix.addr, hi = item->value->last;
	char first[CNI_ADDR_TEXT], last[CNI_ADDR_TEXT];
	struct cni_diag *d;

	if (lo.v <= hi.v) {
		add_range(r, g, lo, hi, item->use->span);
		return;
	}
	d = cni_bad_value(r, CNI131, item, "the range ends before it begins");
	cni_diag_help(r->diags, d, "write %s-%s", cni_addr_format(hi, first), cni_addr_format(lo, last));
	add_range(r, g, hi, lo, item->use->span);
}

static void add_file(struct cni_resolver *r, struct cni_gather *g, struct cni_item *item)
{
	g->from_file = true;
	if (item->value->file)
		add_bulk(r, g, item->value->file, item->use->span);
	else
		g->broken = true;
}

static void resolve_set(struct cni_resolver *r, size_t index);

static void add_name(struct cni_resolver *r, struct cni_gather *g, struct cni_item *item)
{
	const char *text = item->value->text;
	const struct cni_name *set = cni_names_find(&r->sets, text), *lan = cni_names_find(&r->lans, text);

	if (set && lan) {
		struct cni_diag *d =
			cni_bad_value(r, CNI109, item, "`%s` is a set and a lan: which one is meant?", text);

		cni_diag_related(r->diags, d, set->span, "the set");
		cni_diag_related(r->diags, d, lan->span, "the lan");
	}
	if (set)
		item->set = &r->model->sets[set->index];
	else if (lan)
		item->lan = &r->model->lans[lan->index];
	if (!set && !lan)
		cni_names_need(r, &r->sets, &r->lans, CNI101, text, item->use->span);
	if (set)
		r->model->sets[set->index].used = true;
	if (set && (!g->nest ||
		    cni_nest(r, g->nest, &r->set_nest[set->index], set, "set", item->use->span, CNI105, resolve_set))) {
		g->from_file |= r->model->sets[set->index].from_file;
		g->broken |= r->set_nest[set->index].broken;
		add_bulk(r, g, &r->model->sets[set->index].ranges, item->use->span);
	} else if (lan) {
		add_bulk(r, g, &r->model->lans[lan->index].ranges, item->use->span);
	}
	g->broken |= !lan && !set;
}

static void (*const adders[])(struct cni_resolver *r, struct cni_gather *g, struct cni_item *item) = {
	[CNI_VALUE_WORD] = add_name,	       [CNI_VALUE_ADDR] = add_addr, [CNI_VALUE_PREFIX] = add_prefix,
	[CNI_VALUE_RANGE] = add_written_range, [CNI_VALUE_FILE] = add_file,
};

void cni_gather(struct cni_resolver *r, struct cni_gather *gather, const struct cni_ast_value *values,
		enum cni_separator separator)
{
	struct cni_item *items;
	size_t before = r->n_dropped, n = cni_items(r, values, separator, &items);

	gather->broken |= r->n_dropped != before;
	gather->written = (struct cni_items){ items, n };
	for (size_t i = 0; i < n; i++) {
		enum cni_value_kind kind = items[i].value->kind;

		if (kind < sizeof(adders) / sizeof(*adders) && adders[kind] &&
		    !(gather->literal && (kind == CNI_VALUE_WORD || kind == CNI_VALUE_FILE))) {
			adders[kind](r, gather, &items[i]);
			continue;
		}
		cni_wrong_kind(r, &items[i], gather->literal ? "`prefix`" : "a set",
			       gather->literal ? "prefixes, addresses and ranges"
					       : "prefixes, addresses, ranges and names of sets and lans");
		gather->broken = true;
	}
}

struct cni_ranges cni_gathered(struct cni_resolver *r, struct cni_gather *gather, struct cni_span span)
{
	if (!gather->only)
		cni_ranges_normalise(&gather->own);
	else
		gather->own = *gather->only;
	if (cni_ranges_is_empty(&gather->own) && !gather->from_file && !gather->broken && !r->spent) {
		cni_diag(r->diags, CNI132, span, "this set is empty");
		gather->broken = true;
	}
	return gather->own;
}

static void resolve_set(struct cni_resolver *r, size_t index)
{
	struct cni_set *set = &r->model->sets[index];
	struct cni_nest *nest = &r->set_nest[index];
	struct cni_gather gather = { .nest = nest };

	cni_gather(r, &gather, set->decl->values, CNI_COMMAS);
	gather.broken |= nest->broken;
	set->ranges = cni_gathered(r, &gather, set->decl->name.span);
	set->from_file = gather.from_file;
	set->written = gather.written;
	nest->broken = gather.broken;
}

void cni_resolve_sets(struct cni_resolver *r)
{
	for (size_t i = 0; i < r->model->n_sets; i++) {
		struct cni_nest root = { 0 };
		const struct cni_name *name = cni_names_find(&r->sets, r->model->sets[i].name);

		if (r->set_nest[i].state == CNI_NEST_TODO)
			cni_nest(r, &root, &r->set_nest[i], name, "set", name->span, CNI105, resolve_set);
	}
}
