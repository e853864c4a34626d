/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drift.c - `cnic drift`: where the kernel differs from the policy. What it asks the kernel by cannot write, and it
 * takes no lock. */
#include "runtime/drift/drift.h"

#include <string.h>

#include "compiler/emit/emit.h"
#include "runtime/commands/pipeline.h"
#include "runtime/json/envelope.h"
#include "runtime/json/plan_json.h"
#include "runtime/netlink/read_only.h"
#include "runtime/netlink/snapshot.h"
#include "runtime/store/store.h"

/* ---- what to compare with ---- */

struct against {
	const struct rt_revision *revision; /* NULL: the files of the command line */
	const struct cni_model *model; /* NULL, of a revision that removed everything */
};

/* The last revision that is meant to be in the kernel: one that is still being applied is not yet. */
static bool find_revision(struct rt_session *session, struct rt_store *store, const struct rt_revision **found)
{
	struct rt_revision *revisions;
	size_t n;

	*found = NULL;
	if (rt_revision_list(store, &revisions, &n))
		return false;
	while (n && revisions[n - 1].pending && !revisions[n - 1].deadline)
		n--;
	if (!n) {
		struct cni_diag *diag = cni_diag(session->diags, CNI727, (struct cni_span){ 0 },
						 "no policy was applied here that could be compared with");

		cni_diag_help(session->diags, diag, "name the policy: cnic drift FILE");
		return false;
	}
	*found = rt_revision_read(store, revisions[n - 1].number);
	return *found;
}

/* What a policy that was confirmed is warned about was said when it was applied. */
static void forget_warnings(struct rt_session *session)
{
	session->diags = cni_new(session->arena, struct cni_diags);
	cni_diags_init(session->diags, session->arena);
}

static bool load_revision(struct rt_session *session, struct against *against)
{
	struct rt_store *store;

	if (rt_store_open(session, &store))
		return false;
	if (!store) {
		struct cni_diag *diag = cni_diag(session->diags, CNI727, (struct cni_span){ 0 },
						 "no revisions are kept of this network namespace");

		cni_diag_help(session->diags, diag, "name the policy: cnic drift FILE");
		return false;
	}
	if (!find_revision(session, store, &against->revision))
		return false;
	if (against->revision->removed)
		return true;
	against->model = rt_pipeline_resolve(session, rt_load_origin(session->arena, &against->revision->origin));
	if (against->model)
		forget_warnings(session);
	return against->model;
}

static bool load(struct rt_session *session, struct against *against)
{
	if (!session->options->n_operands)
		return load_revision(session, against);
	against->model = rt_pipeline_model(session);
	return against->model;
}

/* ---- comparing ---- */

/* A path of the policy before stays while it has flows, and is gone with the first apply that finds it without. That
 * it waits for that apply is no drift: of the two ways to see such paths, the one that leaves less to tell is right. */
static bool compare(struct rt_session *session, const struct against *against, struct rt_netlink *nl,
		    const struct cni_state *observed, struct rt_drift *drift)
{
	struct cni_prior prior = rt_pipeline_prior(observed, nl);
	const struct cni_state *desired = rt_pipeline_desired(session, against->model, &prior);
	struct rt_drift with_former;

	if (desired)
		observed = rt_snapshot_for(nl, session->arena, observed, desired, session->diags);
	if (!desired || !observed)
		return false;
	*drift = rt_drift_of(session->arena, observed, desired);
	if (!drift->n_items || !against->model)
		return true;
	prior.keep_former = true;
	desired = rt_pipeline_desired(session, against->model, &prior);
	if (!desired)
		return false;
	with_former = rt_drift_of(session->arena, observed, desired);
	if (with_former.n_items < drift->n_items)
		*drift = with_former;
	return true;
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
	struct against against = { 0 };
	struct cni_state *observed;
	struct rt_drift drift;

	if (options->sets.n_items && !options->n_operands) {
		rt_fail(session, "drift: --set goes with FILE; a revision has its own");
		return RT_USAGE;
	}
	if (!load(session, &against) || rt_netlink_open(&nl, session->diags))
		return RT_ERROR;
	if (rt_netlink_read_only(nl))
		return rt_fail(session, "not enough memory");
	if (rt_snapshot(nl, session->arena, &observed, session->diags) ||
	    !compare(session, &against, nl, observed, &drift))
		return RT_ERROR;
	rt_drift_ignore(&drift, &options->ignore);
	if (options->json)
		write_json(session, &drift, against.revision);
	else
		write_text(session, &drift, name_of(session->arena, against.revision));
	return drift.n_items ? RT_CHANGES : RT_OK;
}
