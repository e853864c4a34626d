/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile.c - `cnic compile`: what a policy becomes, for an empty router or a saved one. */
#include "compiler/emit/emit.h"
#include "runtime/commands/pipeline.h"
#include "runtime/commands/saved_state.h"
#include "runtime/json/desired.h"
#include "runtime/json/envelope.h"

static void nft(struct cni_text *out, const struct cni_model *model, const struct cni_state *state,
		const struct cni_sources *sources)
{
	(void)model;
	(void)sources;
	cni_emit_nft(out, state);
}

static void ip(struct cni_text *out, const struct cni_model *model, const struct cni_state *state,
	       const struct cni_sources *sources)
{
	(void)model;
	(void)sources;
	cni_emit_ip(out, state);
}

static const struct {
	const char *key; /* in the envelope */
	void (*emit)(struct cni_text *out, const struct cni_model *model, const struct cni_state *state,
		     const struct cni_sources *sources);
} texts[] = {
	[RT_EMIT_NFT] = { "nft", nft },
	[RT_EMIT_IP] = { "ip", ip },
	[RT_EMIT_BIRD] = { "bird", cni_emit_bird },
};

static void as_text(struct rt_session *session, const struct cni_model *model, const struct cni_state *state)
{
	const enum rt_emit emit = session->options->has_emit ? session->options->emit : RT_EMIT_NFT;
	struct cni_text text = { .arena = session->arena };

	cni_text_puts(&text, "");
	texts[emit].emit(&text, model, state, session->sources);
	if (session->options->json)
		rt_session_json(session, texts[emit].key, rt_json_textn(text.data, text.len));
	else
		session->out = text;
}

static void stats_text(struct cni_text *out, const struct cni_decision_cost *cost)
{
	static const char *const families[] = {
		[CNI_V4] = "IPv4", [CNI_V6] = "IPv6", [CNI_N_FAMILIES] = "both families"
	};

	cni_text_printf(out, "policy %s, %s: %zu routes", cost->policy, families[cost->family], cost->n_routes);
	if (cost->n_layers)
		cni_text_printf(out, " in %zu layer%s: %zu map%s with %zu elements,", cost->n_layers,
				cost->n_layers == 1 ? "" : "s", cost->n_maps, cost->n_maps == 1 ? "" : "s",
				cost->n_elements);
	else
		cni_text_puts(out, ":");
	cni_text_printf(out, " %zu rule%s; a new flow meets %zu at most", cost->n_rules, cost->n_rules == 1 ? "" : "s",
			cost->most);
	if (cost->n_routes)
		cni_text_printf(out, ", %.1f on average over the routes", (double)cost->sum / (double)cost->n_routes);
	cni_text_puts(out, "\n");
}

static json_t *stats_json(const struct cni_decision_cost *cost)
{
	static const int number[] = { [CNI_V4] = 4, [CNI_V6] = 6, [CNI_N_FAMILIES] = 0 };

	return json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "policy", cost->policy, "family",
			 cost->family == CNI_N_FAMILIES ? json_null() : json_integer(number[cost->family]), "routes",
			 (json_int_t)cost->n_routes, "layers", (json_int_t)cost->n_layers, "maps",
			 (json_int_t)cost->n_maps, "elements", (json_int_t)cost->n_elements, "rules",
			 (json_int_t)cost->n_rules, "met_at_most", (json_int_t)cost->most, "met_on_average",
			 cost->n_routes ? (double)cost->sum / (double)cost->n_routes : 0.0);
}

static void stats(struct rt_session *session, const struct cni_state *state)
{
	json_t *list = json_array();

	for (size_t i = 0; i < state->n_costs; i++) {
		stats_text(&session->out, &state->costs[i]);
		json_array_append_new(list, stats_json(&state->costs[i]));
	}
	rt_session_json(session, "decisions", list);
}

/* On an empty router, or on one that a file tells of: what has a number there keeps it. */
static const struct cni_state *desired(struct rt_session *session, const struct cni_model *model)
{
	const char *file = session->options->state;
	const struct cni_state *observed = file ? rt_saved_state(session, file) : NULL;
	const struct cni_prior prior = rt_pipeline_prior(observed, NULL);

	return file && !observed ? NULL : rt_pipeline_desired(session, model, &prior);
}

enum rt_exit rt_compile(struct rt_session *session)
{
	const struct rt_options *options = session->options;
	const struct cni_model *model = rt_pipeline_model(session);
	const struct cni_state *state = model ? desired(session, model) : NULL;

	if (!state)
		return RT_ERROR;
	if (options->stats)
		stats(session, state);
	else if (options->json && (!options->has_emit || options->emit == RT_EMIT_JSON))
		rt_session_json(session, "state", rt_json_desired(session->arena, state));
	else
		as_text(session, model, state);
	return RT_OK;
}
