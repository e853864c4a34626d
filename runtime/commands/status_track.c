/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_track.c - see status_track.h. */
#include "runtime/commands/status_track.h"

#include <string.h>

#include "runtime/commands/against.h"
#include "runtime/commands/status.h"
#include "runtime/commands/table.h"
#include "runtime/confirm/back.h"
#include "runtime/track/ask.h"

/* ---- what it says ---- */

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "-";
}

static bool is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static const char *ratio(struct cni_arena *arena, const json_t *window)
{
	const json_t *loss = json_object_get(window, "loss_ratio");

	return json_is_number(loss) ? cni_printf(arena, "%.1f%%", json_number_value(loss) * 100) : "-";
}

static const char *ms(struct cni_arena *arena, const json_t *probe, const char *key)
{
	const json_t *seconds = json_object_get(probe, key);

	return json_is_number(seconds) ? cni_printf(arena, "%.2f", json_number_value(seconds) * 1000) : "-";
}

static void add_probe(struct rt_table *table, struct cni_arena *arena, const json_t *probe)
{
	static const char *const times[] = { "rtt_min_seconds", "rtt_mean_seconds", "rtt_max_seconds",
					     "jitter_seconds" };

	rt_table_add(table, arena, word(probe, "address"));
	rt_table_add(table, arena, is_true(probe, "up") ? "yes" : "no");
	rt_table_add(table, arena, ratio(arena, json_object_get(probe, "window")));
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
		rt_table_add(table, arena, ms(arena, probe, times[i]));
}

/* A row for each address; what is the target's own stands in the first. */
static void add_target(struct rt_table *table, struct cni_arena *arena, const json_t *target)
{
	const json_t *probes = json_object_get(target, "probes"), *probe;
	size_t i;

	json_array_foreach(probes, i, probe)
	{
		rt_table_add(table, arena, i ? "" : word(target, "name"));
		rt_table_add(table, arena,
			     i			       ? ""
			     : is_true(target, "held") ? cni_printf(arena, "%s, held", word(target, "state"))
						       : word(target, "state"));
		rt_table_add(table, arena, i ? "" : word(target, "since"));
		rt_table_add(table, arena, i ? "" : word(target, "reason"));
		add_probe(table, arena, probe);
	}
}

static void write_text(struct rt_session *session, const json_t *state)
{
	static const struct rt_column columns[] = { { "TARGET", false }, { "STATE", false },   { "SINCE", false },
						    { "WHY", false },	 { "ADDRESS", false }, { "ANSWERS", false },
						    { "LOSS", true },	 { "MIN ms", true },   { "MEAN ms", true },
						    { "MAX ms", true },	 { "JITTER ms", true } };
	struct rt_table table = { .columns = columns, .n_columns = sizeof(columns) / sizeof(*columns) };
	const json_t *targets = json_object_get(state, "targets"), *target;
	size_t i;

	json_array_foreach(targets, i, target) add_target(&table, session->arena, target);
	rt_table_print(&table, &session->out,
		       cni_printf(session->arena, "Tracking (since %s; loss and round trips of the last while)",
				  word(state, "started")));
}

static void tell(struct rt_session *session, json_t *state)
{
	static const char *const frame[] = { "cnic", "version", "type" };

	for (size_t i = 0; i < sizeof(frame) / sizeof(*frame); i++)
		json_object_del(state, frame[i]);
	json_object_set_new(state, "runs", json_true());
	write_text(session, state);
	rt_session_json(session, "track", state);
}

/* ---- none runs ---- */

/* Of the policy that this router is meant to have; what cannot be read of the revisions is `cnic history`'s to tell. */
static const struct cni_model *policy(struct rt_session *aside)
{
	struct rt_against against = { 0 };

	return rt_against_last(aside, "", &against) ? against.model : NULL;
}

static void tell_absence(struct rt_session *session, struct rt_status *status, const char *why)
{
	struct rt_session *aside = rt_session_aside(session);
	const struct cni_model *model = policy(aside);
	struct cni_text names = { .arena = session->arena };
	json_t *tracked = json_array();

	for (size_t i = 0; model && i < model->n_targets; i++) {
		if (model->targets[i].track.mode != CNI_TRACK_ON)
			continue;
		cni_text_printf(&names, "%s%s", names.len ? ", " : "", model->targets[i].name);
		json_array_append_new(tracked, json_string(model->targets[i].name));
	}
	if (why)
		*cni_push(session->arena, status->warnings, status->n_warnings) =
			cni_printf(session->arena, "the tracker cannot be asked: %s", why);
	else if (names.len)
		*cni_push(session->arena, status->warnings, status->n_warnings) =
			cni_printf(session->arena,
				   "no tracker runs, and the policy has track for %s: start `cnic track`", names.data);
	rt_session_json(session, "track", json_pack("{s:b, s:s?, s:o}", "runs", 0, "error", why, "tracked", tracked));
	cni_diags_init(aside->diags, session->arena);
	(void)rt_session_end(aside, RT_OK);
}

void rt_status_track(struct rt_session *session, struct rt_status *status)
{
	const char *why;
	json_t *state = rt_track_ask(session->arena, &why);

	if (state)
		tell(session, state);
	else
		tell_absence(session, status, why);
}
