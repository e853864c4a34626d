/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drift.c - `cnic drift`: where the kernel differs from the policy. What it asks the kernel by cannot write, and it
 * takes no lock. */
#include "runtime/commands/against.h"

#include <string.h>

#include "compiler/emit/emit.h"
#include "runtime/commands/drift_meaning.h"
#include "runtime/commands/pipeline.h"
#include "runtime/json/envelope.h"
#include "runtime/json/plan_json.h"
#include "runtime/netlink/read_only.h"
#include "runtime/netlink/snapshot.h"
#include "runtime/proof/prove.h"

/* The files of the command line, or the last revision. */
static bool load(struct rt_session *session, struct rt_against *against)
{
	if (!session->options->n_operands)
		return rt_against_last(session, "name the policy: cnic drift FILE", against);
	against->model = rt_pipeline_model(session);
	return against->model;
}

/* ---- telling ---- */

static const struct {
	const char *word, *name;
} whats[] = {
	[RT_DRIFT_MISSING] = { "missing", "missing" },
	[RT_DRIFT_CHANGED] = { "changed", "changed" },
	[RT_DRIFT_EXTRA] = { "not of this policy", "extra" },
};

static struct cni_place place_of(const struct rt_session *session, const struct rt_difference *d)
{
	return cni_span_is_set(d->span) ? cni_place_of(session->sources, d->span.begin) : (struct cni_place){ 0 };
}

/* Of a base chain its rules are shown: it has one. */
static const char *side(struct cni_arena *arena, const struct rt_difference *d, const void *record,
			const struct cni_state *state)
{
	struct cni_text text = { .arena = arena };

	cni_emit_record(&text, d->object, record, state);
	return text.data;
}

static void write_changed(struct cni_text *out, const struct rt_difference *d, const struct cni_plan *plan)
{
	const struct cni_st_setting *setting = d->after;

	if (!d->is)
		cni_text_puts(out, d->text); /* what stands in the way says so itself */
	else if (d->object == CNI_SETTING)
		cni_text_printf(out, "%s, should be %d", d->is, setting->value);
	else if (d->object == CNI_BASE_RULES)
		cni_text_printf(out, "%s, should be %s", side(out->arena, d, d->before, plan->observed),
				strchr(side(out->arena, d, d->after, plan->desired), ' ') + 1);
	else if (!strcmp(d->is, d->should))
		cni_text_printf(out, "%s: its %s are not those of the policy", d->is,
				d->object == CNI_SET ? "elements" : "rules");
	else
		cni_text_printf(out, "%s, should be %s", d->is, strchr(d->should, ' ') + 1);
}

static void write_text(struct rt_session *session, const struct rt_drift *drift, const char *from)
{
	struct cni_text *out = &session->out;

	for (size_t i = 0; i < drift->n_items; i++) {
		const struct rt_difference *d = &drift->items[i];
		struct cni_place place = place_of(session, d);

		cni_text_printf(out, "%-18s  ", whats[d->what].word);
		if (d->what == RT_DRIFT_CHANGED)
			write_changed(out, d, drift->plan);
		else
			cni_text_puts(out, d->text);
		if (place.source)
			cni_text_printf(out, "  [%s:%u]", place.source->name, place.line);
		cni_text_puts(out, "\n");
	}
	if (drift->n_items)
		cni_text_printf(out, "%zu difference%s from %s", drift->n_items, drift->n_items == 1 ? "" : "s", from);
	else
		cni_text_printf(out, "no difference from %s", from);
	if (drift->n_ignored)
		cni_text_printf(out, "; %zu ignored", drift->n_ignored);
	cni_text_puts(out, "\n");
}

static json_t *difference_json(struct rt_session *session, const struct rt_drift *drift, const struct rt_difference *d)
{
	struct cni_place place = place_of(session, d);
	json_t *json = json_object();

	json_object_set_new(json, "what", json_string(whats[d->what].name));
	json_object_set_new(json, "object", json_string(rt_object_name(d->object)));
	json_object_set_new(json, "text", rt_json_text(d->text));
	json_object_set_new(json, "is", rt_json_side(session->arena, d->object, d->before, drift->plan->observed));
	json_object_set_new(json, "should", rt_json_side(session->arena, d->object, d->after, drift->plan->desired));
	json_object_set_new(json, "file", rt_json_text(place.source ? place.source->name : NULL));
	json_object_set_new(json, "line", place.line ? json_integer(place.line) : json_null());
	return json;
}

static void write_json(struct rt_session *session, const struct rt_drift *drift, const struct rt_revision *revision)
{
	json_t *list = json_array();

	for (size_t i = 0; i < drift->n_items; i++)
		json_array_append_new(list, difference_json(session, drift, &drift->items[i]));
	rt_session_json(session, "drift", list);
	rt_session_json(session, "ignored", json_integer((json_int_t)drift->n_ignored));
	rt_session_json(session, "against",
			json_pack("{s:o, s:b, s:b}", "revision",
				  revision ? json_integer(revision->number) : json_null(), "pending",
				  revision && revision->pending, "removed", revision && revision->removed));
}

static const char *name_of(struct cni_arena *arena, const struct rt_revision *revision)
{
	return revision ? cni_printf(arena, "revision %u%s%s", revision->number,
				     revision->pending ? ", which awaits its confirmation" : "",
				     revision->removed ? ", a router without a policy" : "")
			: "the policy";
}

enum rt_exit rt_drift(struct rt_session *session)
{
	rt_auto_netlink struct rt_netlink *nl = NULL;
	const struct rt_options *options = session->options;
	struct rt_against against = { 0 };
	struct cni_state *observed;
	struct cni_proof proof;
	struct rt_drift drift;
	bool differs;

	if (options->sets.n_items && !options->n_operands) {
		rt_fail(session, "drift: --set goes with FILE; a revision has its own");
		return RT_USAGE;
	}
	if (!load(session, &against) || rt_netlink_open(&nl, session->diags))
		return RT_ERROR;
	if (rt_netlink_read_only(nl))
		return rt_fail(session, "not enough memory");
	if (rt_snapshot(nl, session->arena, &observed, session->diags) ||
	    !rt_against_kernel(session, against.model, nl, observed, &drift))
		return RT_ERROR;
	if (options->prove && against.model && !rt_prove_live(session, against.model, nl, observed, &proof))
		return RT_ERROR;
	rt_drift_ignore(&drift, &options->ignore);
	differs = drift.n_items;
	if (options->json)
		write_json(session, &drift, against.revision);
	else
		write_text(session, &drift, name_of(session->arena, against.revision));
	/* of a router without a policy there is nothing to prove: whatever is left of ours is drift */
	if (options->prove && against.model)
		differs = rt_drift_by_meaning(session, &drift, &proof);
	return differs ? RT_CHANGES : RT_OK;
}
