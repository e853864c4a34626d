/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_text.c - the explanation for a reader: a line a step, each with its place in the policy; see explain.h. */
#include <string.h>

#include "compiler/emit/describe.h"
#include "compiler/emit/emit.h"
#include "runtime/commands/explain.h"

#define LABEL 10 /* columns */
#define FEW 8 /* routes above that are all told */
#define TEXT_MAX 100 /* bytes of what is quoted from the policy */

static const struct cni_span nowhere;

static struct cni_text begin(const struct rt_explain *e)
{
	return (struct cni_text){ .arena = e->arena };
}

static void line(struct cni_text *out, const struct rt_explain *e, const char *label, const char *text,
		 struct cni_span span)
{
	struct cni_place place = { 0 };

	if (cni_span_is_set(span))
		place = cni_place_of(e->sources, span.begin);
	cni_text_printf(out, "%-*s %s", LABEL, label, text);
	if (place.source)
		cni_text_printf(out, "  [%s:%u]", place.source->name, place.line);
	cni_text_puts(out, "\n");
}

static const char *quote(const struct rt_explain *e, struct cni_span span)
{
	return cni_span_text(e->arena, e->sources, span, TEXT_MAX);
}

/* ---- the packet and the policy ---- */

static const char *down_text(const struct rt_explain *e)
{
	const struct cni_question *q = e->question;
	const char *text = NULL;

	for (size_t i = 0; i < q->model->n_targets; i++)
		if (q->down[i])
			text = text ? cni_printf(e->arena, "%s, %s", text, q->model->targets[i].name)
				    : q->model->targets[i].name;
	return text;
}

static void policy(struct cni_text *out, const struct rt_explain *e)
{
	const struct cni_decision *d = &e->question->decision;
	const char *down = down_text(e);

	line(out, e, "packet", quote(e, e->question->asked->decl->span), nowhere);
	if (down)
		line(out, e, "down", down, nowhere);
	line(out, e, "policy", d->policy->name, d->policy->decl->name.span);
	if (d->never_steered)
		line(out, e, "route",
		     "none is asked: a lan, the router itself or a network that it is on is never steered", nowhere);
	else if (!d->route)
		line(out, e, "route", cni_printf(e->arena, "else: no route matches (%zu)", d->policy->n_routes),
		     d->policy->decl->otherwise_span);
	else
		line(out, e, "route",
		     cni_printf(e->arena, "%s: %s", d->route->name, quote(e, d->route->ast->path.span)),
		     d->route->ast->name.span);
	line(out, e, "outcome", rt_outcome_text(e), nowhere);
}

/* ---- what a state does ---- */

static void mark(struct cni_text *out, const struct rt_explain *e, const struct cni_way *way)
{
	const uint32_t mask = e->question->model->options.mark_mask;
	const char *text = cni_printf(e->arena, "0x%x/0x%x", way->passage.mark & mask, mask);

	if (way->passage.fate == CNI_FATE_ACCEPT && !way->path)
		text = "none";
	else if (way->path)
		text = cni_printf(e->arena, "%s, %s: %s", text, way->path->name,
				  way->path->comment ? way->path->comment : "?");
	else
		return;
	line(out, e, "mark", text, way->path ? rt_span_of_path(e, way->path) : nowhere);
}

static const char *foreign(const struct cni_fib_answer *fib, struct cni_arena *arena)
{
	struct cni_text text = { .arena = arena };

	cni_text_puts(&text, "somebody else's decides: ");
	cni_describe_rule(&text, fib->rule);
	return text.data;
}

static void route(struct cni_text *out, const struct rt_explain *e, const struct cni_fib_answer *fib)
{
	struct cni_text rule = begin(e), to = begin(e);

	if (fib->kind == CNI_FIB_FOREIGN) {
		line(out, e, "rule", foreign(fib, e->arena), nowhere);
		return;
	}
	if (fib->kind == CNI_FIB_MAIN || fib->kind == CNI_FIB_LOCAL) {
		line(out, e, "rule",
		     fib->kind == CNI_FIB_MAIN ? "none of cnic's: main decides" : "to the router itself", nowhere);
		return;
	}
	cni_describe_rule(&rule, fib->rule);
	line(out, e, "rule", rule.data, rt_span_of_rule(e, fib->rule));
	cni_describe_route(&to, fib->route);
	line(out, e, "table", to.data, rt_span_of_route(e, fib->route));
}

static void leave(struct cni_text *out, const struct rt_explain *e, const struct cni_leaving *l, bool shares)
{
	const struct cni_question *q = e->question;
	const struct cni_target *t = l->target == CNI_NONE ? NULL : &q->model->targets[l->target];
	struct cni_text text = begin(e);
	char addr[CNI_ADDR_TEXT];

	cni_text_puts(&text, t ? t->name : "no target of the policy");
	if (l->hop->has_via)
		cni_text_printf(&text, ": next hop %s", cni_addr_format(l->hop->via, addr));
	cni_text_printf(&text, "%s device %s", l->hop->has_via ? "," : ":", l->hop->device);
	if (shares)
		cni_text_printf(&text, ", weight %u by the kernel's own hash", l->hop->weight);
	line(out, e, "leaves by", text.data, t ? t->decl->name.span : nowhere);
	if (l->mss)
		line(out, e, "MSS", cni_printf(e->arena, "%u at most", l->mss), rt_span_of_mss(e, l));
	if (l->has_source)
		line(out, e, "NAT", cni_printf(e->arena, "source becomes %s", cni_addr_format(l->source, addr)),
		     q->decision.route ? q->decision.route->ast->name.span : nowhere);
	else if (l->masquerades)
		line(out, e, "NAT", "masqueraded: source becomes the device's address",
		     q->decision.route ? q->decision.route->ast->name.span : nowhere);
}

static void rules(struct cni_text *out, const struct rt_explain *e, const struct cni_way *way)
{
	for (size_t i = 0; i < way->passage.n_met; i++) {
		const struct cni_met *met = &way->passage.met[i];
		struct cni_text text = begin(e);

		cni_text_printf(&text, "%s: ", met->chain->name);
		cni_emit_nft_rule(&text, e->answer.state, &met->chain->rules[met->rule]);
		line(out, e, "nft", text.data, rt_span_of_met(e, met));
	}
}

static void way_text(struct cni_text *out, const struct rt_explain *e, size_t i, bool verbose)
{
	static const char *const fates[] = {
		[CNI_FATE_DROP] = "dropped by nft", [CNI_FATE_REJECT] = "rejected by nft"
	};
	const struct cni_way *way = &e->answer.ways[i];

	if (way->weight)
		cni_text_printf(out, "\n%u of %u flows: %s first%s\n", way->weight, e->answer.sum,
				e->question->model->targets[way->member].name,
				i == e->answer.chosen ? "; this one is among them, by its hash" : "");
	if (verbose)
		rules(out, e, way);
	if (way->passage.fault)
		line(out, e, "nft", cni_printf(e->arena, "cannot be followed here: %s", way->passage.fault), nowhere);
	mark(out, e, way);
	if (way->passage.fate == CNI_FATE_ACCEPT)
		route(out, e, &way->fib);
	else
		line(out, e, "fate", fates[way->passage.fate], nowhere);
	for (size_t l = 0; l < way->n_leaving; l++)
		leave(out, e, &way->leaving[l], way->n_leaving > 1);
	if (e->kernel && e->kernel[i].asked)
		line(out, e, "kernel",
		     cni_printf(e->arena, "%s%s", rt_asked_text(e->arena, &e->kernel[i]),
				e->kernel[i].agrees ? "" : ", which is not the same"),
		     nowhere);
}

/* ---- the routes above ---- */

static const char *wants(const struct rt_explain *e, const struct cni_near_route *r)
{
	const char *text = "";

	for (size_t i = 0; i < r->n_wants; i++)
		text = cni_printf(e->arena, "%s%s`%s`", text, i ? ", " : "", quote(e, r->wants[i]));
	return text;
}

/* Of many routes only those that came nearest are told one by one. */
static void near(struct cni_text *out, const struct rt_explain *e)
{
	const struct cni_near *near = e->question->near;
	size_t total = 0;

	for (size_t i = 0; i < e->question->n_near; i++)
		total += near[i].n_routes;
	if (total)
		cni_text_puts(out, "\nThe routes above do not match:\n");
	for (size_t i = 0; i < e->question->n_near; i++) {
		const struct cni_near *n = &near[i];
		const size_t shown = total > FEW && n->n_parts > near->n_parts ? 0 : CNI_NEAR_SHOWN;

		for (size_t r = 0; r < n->n_routes && r < shown; r++)
			line(out, e, n->routes[r].route->name,
			     cni_printf(e->arena, "wants %s", wants(e, &n->routes[r])),
			     n->routes[r].route->ast->name.span);
		if (n->n_routes > shown)
			line(out, e, "others",
			     cni_printf(e->arena, "%zu want another %s", n->n_routes - shown, n->fields), nowhere);
	}
}

void rt_explain_text(struct cni_text *out, const struct rt_explain *e, bool verbose)
{
	policy(out, e);
	if (e->kernel)
		cni_text_puts(out, "\nWhat is installed:\n");
	for (size_t i = 0; i < e->answer.n_ways; i++)
		way_text(out, e, i, verbose);
	if (e->answer.n_ways > 1 && e->answer.chosen == CNI_NONE)
		cni_text_puts(out,
			      "\nWhich of them depends on the flow: give addresses, protocol and ports to know it.\n");
	near(out, e);
}
