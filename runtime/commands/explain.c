/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain.c - `cnic explain`: where one packet goes, and why. Operands are files up to the word `on`, which begins the
 * packet. Without a router it is what would be installed on an empty one that is asked. */
#include "runtime/commands/explain.h"

#include <string.h>

#include "grammar/parse.h"
#include "runtime/commands/pipeline.h"

#define PACKET_NAME "<packet>"

/* ---- the command line ---- */

/* The first word of the packet: n_operands where there is none. A file of that name is ./on. */
static size_t find_packet(const struct rt_options *options)
{
	size_t i = 0;

	while (i < options->n_operands && strcmp(options->operands[i], "on") != 0 &&
	       strncmp(options->operands[i], "on ", 3) != 0)
		i++;
	return i;
}

static const char *packet_text(struct cni_arena *arena, const struct rt_options *options, size_t first)
{
	struct cni_text text = { .arena = arena };

	for (size_t i = first; i < options->n_operands; i++)
		cni_text_printf(&text, "%s%s", i > first ? " " : "", options->operands[i]);
	for (size_t i = 0; i < options->down.n_items; i++)
		cni_text_printf(&text, "%s%s", i ? ", " : " when ", options->down.items[i]);
	cni_text_puts(&text, options->down.n_items ? " down" : "");
	return text.data;
}

/* Puts the packet behind the policy's declarations. */
static void add_packet(struct rt_session *session, struct rt_policy *policy, const char *text)
{
	const struct cni_source *source =
		cni_source_add(session->arena, &policy->sources, PACKET_NAME, text, strlen(text));
	struct cni_ast_decl **end = &policy->ast.decls;

	while (*end)
		end = &(*end)->next;
	if (source)
		*end = cni_parse_packet(session->arena, source, &policy->diags);
	else
		cni_diag(&policy->diags, CNI52, (struct cni_span){ 0 },
			 PACKET_NAME ": all texts together have more than 4 GiB");
}

/* ---- where it is said ---- */

struct cni_span rt_span_of_rule(const struct rt_explain *e, const struct cni_st_rule *rule)
{
	for (size_t i = 0; i < e->desired->n_rules; i++)
		if (!cni_rule_cmp(&e->desired->rules[i], rule))
			return e->desired->rules[i].span;
	return (struct cni_span){ 0 };
}

struct cni_span rt_span_of_route(const struct rt_explain *e, const struct cni_st_route *route)
{
	for (size_t i = 0; i < e->desired->n_routes; i++)
		if (!cni_route_cmp(&e->desired->routes[i], route) && cni_route_same(&e->desired->routes[i], route))
			return e->desired->routes[i].span;
	return (struct cni_span){ 0 };
}

struct cni_span rt_span_of_path(const struct rt_explain *e, const struct cni_st_counter *path)
{
	for (size_t i = 0; i < e->desired->n_counters; i++)
		if (!cni_counter_cmp(&e->desired->counters[i], path) &&
		    cni_counter_same(&e->desired->counters[i], path))
			return e->desired->counters[i].span;
	return (struct cni_span){ 0 };
}

struct cni_span rt_span_of_met(const struct rt_explain *e, const struct cni_met *met)
{
	const struct cni_st_rule_nft *rule = &met->chain->rules[met->rule];

	for (size_t i = 0; i < e->desired->n_chains; i++) {
		const struct cni_st_chain *chain = &e->desired->chains[i];

		if (!strcmp(chain->name, met->chain->name) && met->rule < chain->n_rules &&
		    cni_nft_rule_same(&chain->rules[met->rule], rule))
			return chain->rules[met->rule].span;
	}
	return (struct cni_span){ 0 };
}

struct cni_span rt_span_of_mss(const struct rt_explain *e, const struct cni_leaving *leaving)
{
	return leaving->target == CNI_NONE
		       ? (struct cni_span){ 0 }
		       : cni_ast_field_span(e->question->model->targets[leaving->target].decl, "mss");
}

struct cni_span rt_span_of_decision(const struct rt_explain *e)
{
	const struct cni_decision *d = &e->question->decision;

	return d->route ? d->route->ast->name.span
	       : d->never_steered || !cni_span_is_set(d->policy->decl->otherwise_span)
		       ? d->policy->decl->name.span
		       : d->policy->decl->otherwise_span;
}

const char *rt_outcome_text(const struct rt_explain *e)
{
	static const char *const verdicts[] = {
		[CNI_VERDICT_MAIN] = "main", [CNI_VERDICT_DROP] = "drop", [CNI_VERDICT_REJECT] = "reject"
	};
	const struct cni_decision *d = &e->question->decision;
	const char *text = "via ";

	if (d->verdict != CNI_VERDICT_NONE)
		return verdicts[d->verdict];
	for (size_t i = 0; i < d->n_targets; i++)
		text = cni_printf(e->arena, "%s%s%s", text, i ? ", " : "",
				  e->question->model->targets[d->targets[i]].name);
	return text;
}

/* ---- differences ---- */

static enum rt_exit tell(struct rt_session *session, const struct rt_explain *e)
{
	const char *outcome = rt_outcome_text(e);
	const enum cni_family family = e->question->packet.to.family;
	enum rt_exit status = RT_OK;
	struct cni_diag *d;

	if (!e->agrees) {
		d = cni_diag(session->diags, CNI726, rt_span_of_decision(e),
			     "the policy says `%s`; what is installed does otherwise", outcome);
		cni_diag_help(session->diags, d, "`cnic drift` and `cnic plan` tell what differs");
		status = RT_CHANGES;
	}
	for (size_t i = 0; e->kernel && i < e->answer.n_ways; i++) {
		if (e->kernel[i].agrees)
			continue;
		d = cni_diag(session->diags, CNI728, rt_span_of_decision(e), "the kernel %s%s",
			     e->kernel[i].route.error ? "" : "routes it ",
			     rt_asked_text(session->arena, &e->kernel[i]));
		if (!e->answer.state->has_forwarding[family] && e->question->iif)
			cni_diag_help(session->diags, d, "%s is 0: nothing is forwarded",
				      family == CNI_V4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding");
		status = RT_CHANGES;
	}
	return status;
}

/* ---- the command ---- */

static bool explain_offline(struct rt_session *session, const struct cni_model *model, struct rt_explain *e)
{
	e->desired = rt_pipeline_state(session, model);
	e->question = e->desired ? cni_question_new(session->arena, model, NULL, session->diags) : NULL;
	if (!e->question)
		return false;
	e->answer = cni_answer_of(session->arena, e->question, e->desired, cni_question_is_up, e->question);
	return true;
}

static enum rt_exit explain(struct rt_session *session, const struct cni_model *model)
{
	struct rt_explain e = { .arena = session->arena, .sources = session->sources };

	if (!(session->options->live ? rt_explain_live : explain_offline)(session, model, &e))
		return RT_ERROR;
	e.agrees = cni_answer_agrees(e.question, &e.answer);
	rt_json_explain(session->json, &e);
	rt_explain_text(&session->out, &e, session->options->verbose);
	if (!e.kernel && !e.agrees)
		return rt_fail(session, "the rules do otherwise than the policy says: this is a fault of cnic's");
	return tell(session, &e);
}

enum rt_exit rt_explain_command(struct rt_session *session)
{
	const struct rt_options *options = session->options;
	const size_t first = find_packet(options);
	const struct cni_model *model;
	struct rt_policy *policy;

	if (!first || first == options->n_operands) {
		rt_fail(session, "explain: %s is missing", first ? "the packet (on DEVICE from … to …)" : "FILE");
		return RT_USAGE;
	}
	if (options->live && options->down.n_items) {
		rt_fail(session, "explain: --down asks what would be; --live what is");
		return RT_USAGE;
	}
	policy = rt_load(session->arena, options->operands, first, options->sets.items, options->sets.n_items);
	add_packet(session, policy, packet_text(session->arena, options, first));
	model = rt_pipeline_untested(session, policy);
	if (!model)
		return RT_ERROR;
	if (options->live && model->packet->n_down) {
		rt_fail(session, "explain: `when … down` asks what would be; --live what is");
		return RT_USAGE;
	}
	return explain(session, model);
}
