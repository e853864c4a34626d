/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c - `options` and `profile`. */
#include "compiler/resolve/resolve.h"

#define MARK_BITS_MIN 8
#define SECOND 1000u
#define DRAIN_DEFAULT (5 * 60 * SECOND)

static void read_mask(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		      void *object)
{
	struct cni_item item;
	uint64_t mask, run;

	if (!cni_field_one(r, field, &item) ||
	    !cni_value_number(r, &item, "`mark-mask`", CNI124, row->lo, row->hi, &mask))
		return;
	run = mask >> __builtin_ctzll(mask); /* ones only, if there is no gap */
	if ((run & (run + 1)) || run < (1u << MARK_BITS_MIN) - 1)
		cni_bad_value(r, CNI141, &item, "`mark-mask` takes at least %d bits side by side", MARK_BITS_MIN);
	else
		cni_field_store(row, object, mask);
}

static const struct cni_word established[] = {
	{ "follow", CNI_ESTABLISHED_FOLLOW },
	{ "keep", CNI_ESTABLISHED_KEEP },
	{ 0 },
};
static const struct cni_word known_flows[] = {
	{ "mark", CNI_KNOWN_BY_MARK },
	{ "classify", CNI_KNOWN_CLASSIFIED },
	{ 0 },
};
static const struct cni_word returns[] = { { "symmetric", CNI_RETURN_SYMMETRIC }, { "none", CNI_RETURN_NONE }, { 0 } };
static const struct cni_word rp_filters[] = {
	{ "auto", CNI_RP_AUTO }, { "keep", CNI_RP_KEEP }, { "loose", CNI_RP_LOOSE }, { "off", CNI_RP_OFF }, { 0 },
};
static const struct cni_word providers[] = {
	{ "cloudflare", CNI_PROVIDER_CLOUDFLARE },
	{ "other", CNI_PROVIDER_OTHER },
	{ 0 },
};

static const struct cni_word failbacks[] = {
	{ "keep", CNI_FAILBACK_KEEP },
	{ "drain", CNI_FAILBACK_DRAIN },
	{ "flush", CNI_FAILBACK_FLUSH },
	{ 0 },
};

/* `keep`, `flush`, `drain`, `drain 10m` */
static void read_failback(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
			  void *object)
{
	struct cni_options *options = object;
	struct cni_item *items;
	const size_t n = cni_items(r, field->values, CNI_WORDS, &items);
	uint64_t mode, drain = DRAIN_DEFAULT;

	if (!n || n > 2) {
		cni_field_count(r, field, "`keep`, `flush`, or `drain` and a time: `drain 10m`");
		return;
	}
	if (!cni_value_choice(r, &items[0], "`on-failback`", row->words, &mode))
		return;
	if (n == 2 && mode != CNI_FAILBACK_DRAIN)
		cni_field_count(r, field, "a time behind `drain` alone: `drain 10m`");
	else if (n == 2 && !cni_value_duration(r, &items[1], "`drain`", row->lo, row->hi, &drain))
		return;
	options->failback = (enum cni_failback)mode;
	options->drain = mode == CNI_FAILBACK_DRAIN ? (unsigned int)drain : 0;
}

static const struct cni_field rows[] = {
	{ .name = "mark-mask", .read = read_mask, CNI_AT(struct cni_options, mark_mask), .lo = 1, .hi = UINT32_MAX },
	/* beyond local, main and default (253-255), with room for the numbers that are counted up from here */
	{ .name = "table",
	  .read = cni_read_number,
	  CNI_AT(struct cni_options, table),
	  .lo = 256,
	  .hi = UINT32_MAX - UINT16_MAX },
	/* before main's rule (32766) */
	{ .name = "rule-priority",
	  .read = cni_read_number,
	  CNI_AT(struct cni_options, rule_priority),
	  .lo = 1,
	  .hi = 32765 },
	{ .name = "established",
	  .read = cni_read_choice,
	  CNI_AT(struct cni_options, established),
	  .words = established },
	{ .name = "known-flows",
	  .read = cni_read_choice,
	  CNI_AT(struct cni_options, known_flows),
	  .words = known_flows },
	{ .name = "return", .read = cni_read_choice, CNI_AT(struct cni_options, ret), .words = returns },
	{ .name = "rp-filter", .read = cni_read_choice, CNI_AT(struct cni_options, rp_filter), .words = rp_filters },
	{ .name = "on-failback", .read = read_failback, .words = failbacks, .lo = SECOND, .hi = 24 * 3600 * SECOND },
	{ .name = "provider", .read = cni_read_choice, CNI_AT(struct cni_options, provider), .words = providers },
};
static const struct cni_block block = { "options block", rows, sizeof(rows) / sizeof(*rows) };

static void read_profile(struct cni_resolver *r, const struct cni_ast_decl *decl, const struct cni_ast_decl **seen)
{
	const struct cni_ast_value *value = decl->values ? cni_deref(r, decl->values) : NULL;
	const struct cni_item item = { .use = decl->values, .value = value };
	uint64_t year;

	if (*seen) {
		struct cni_diag *d = cni_diag(r->diags, CNI121, decl->span, "`profile` is given twice");

		cni_diag_related(r->diags, d, (*seen)->span, "first given here");
		return;
	}
	*seen = decl;
	if (!value || !cni_value_number(r, &item, "`profile`", CNI124, 2024, 2026, &year))
		return;
	if (year == 2025)
		cni_bad_value(r, CNI125, &item, "`profile` knows 2024 and 2026");
	else
		r->model->profile = (unsigned int)year;
}

void cni_resolve_options(struct cni_resolver *r)
{
	const struct cni_ast_field *seen[CNI_BLOCK_MAX] = { 0 };
	const struct cni_ast_decl *profile = NULL;

	r->model->profile = 2024;
	r->model->options.mark_mask = 0xffff;
	r->model->options.table = 20000;
	r->model->options.rule_priority = 1000;
	for (const struct cni_ast_decl *d = r->ast->decls; d; d = d->next) {
		if (d->kind == CNI_DECL_PROFILE)
			read_profile(r, d, &profile);
		if (d->kind == CNI_DECL_OPTIONS)
			cni_read_block(r, &block, d->fields, d->span, seen, &r->model->options);
		if (d->kind == CNI_DECL_OPTIONS && cni_ast_field(d->fields, "rp-filter"))
			r->model->options.rp_filter_span = cni_ast_field_span(d, "rp-filter");
		if (d->kind == CNI_DECL_OPTIONS && cni_ast_field(d->fields, "known-flows"))
			r->model->options.known_flows_span = cni_ast_field_span(d, "known-flows");
	}
}
