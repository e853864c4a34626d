/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json.c - see json.h. */
#include "runtime/track/json.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compiler/arena.h"
#include "runtime/json/envelope.h"

#define NS_PER_SECOND 1e9
#define DIGITS 9 /* of a number of seconds: what a double holds of a nanosecond */

static json_t *time_of(int64_t seconds)
{
	char text[64];
	time_t when = (time_t)seconds;
	struct tm utc;

	if (!gmtime_r(&when, &utc) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc))
		return json_null();
	return json_string(text);
}

static json_t *time_of_ms(int64_t ms)
{
	json_t *whole = time_of(ms / 1000), *json;
	const char *text = json_string_value(whole);

	if (!text)
		return whole;
	json = json_sprintf("%.*s.%03dZ", (int)strlen(text) - 1, text, (int)(ms % 1000));
	json_decref(whole);
	return json;
}

/* 0 is nothing that was measured. */
static json_t *seconds(uint64_t ns)
{
	return ns ? json_real((double)ns / NS_PER_SECOND) : json_null();
}

static json_t *probe(const struct rt_track_probe *p)
{
	char address[CNI_ADDR_TEXT];
	json_t *json = json_pack("{s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "address",
				 cni_addr_format(p->target, address), "peer", (int)p->is_peer, "up", (int)p->up,
				 "in_a_row", (json_int_t)p->in_a_row, "sent", (json_int_t)p->n_sent, "answered",
				 (json_int_t)p->n_answered, "lost", (json_int_t)p->n_lost, "refused",
				 (json_int_t)p->n_refused, "late", (json_int_t)p->n_late);
	json_t *window = json_pack("{s:I, s:I, s:o}", "sent", (json_int_t)p->window_sent, "lost",
				   (json_int_t)p->window_lost, "loss_ratio",
				   p->window_sent ? json_real((double)p->window_lost / p->window_sent) : json_null());

	json_object_set_new(json, "window", window);
	json_object_set_new(json, "rtt_min_seconds", seconds(p->rtt_min));
	json_object_set_new(json, "rtt_mean_seconds", seconds(p->rtt_mean));
	json_object_set_new(json, "rtt_max_seconds", seconds(p->rtt_max));
	json_object_set_new(json, "rtt_last_seconds", seconds(p->rtt_last));
	json_object_set_new(json, "jitter_seconds",
			    p->rtt_mean ? json_real((double)p->jitter / NS_PER_SECOND) : json_null());
	return json;
}

static json_t *target(const struct rt_track_view *view)
{
	json_t *probes = json_array();

	for (size_t i = 0; i < view->n_probes; i++)
		json_array_append_new(probes, probe(&view->probes[i]));
	return json_pack("{s:o, s:o, s:s, s:s, s:o, s:b, s:I, s:o}", "name", rt_json_text(view->name), "device",
			 rt_json_text(view->device), "state", rt_track_state_words[view->state], "reason",
			 rt_track_reason_words[view->reason], "since", time_of(view->since), "held", (int)view->held,
			 "changes", (json_int_t)view->flaps, "probes", probes);
}

static json_t *path(const struct rt_track_path *way)
{
	return json_pack("{s:o, s:I, s:o}", "path", rt_json_text(way->name), "mark", (json_int_t)way->mark, "active",
			 rt_json_text(way->active));
}

/* ---- the state, in pieces ---- */

static int append(const char *data, size_t len, void *out)
{
	cni_text_add(out, data, len);
	return 0;
}

/* Takes the document over. */
static void dump(struct cni_text *out, json_t *json)
{
	if (!json || json_dump_callback(json, append, out, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS)))
		abort(); /* no memory: as the arena does */
	json_decref(json);
}

static json_t *head(const char *type)
{
	return json_pack("{s:s, s:i, s:s}", "cnic", "track", "version", RT_TRACK_JSON_VERSION, "type", type);
}

/* All but the two long lists. */
static void begin(struct cni_text *out, const struct rt_track_copy *copy)
{
	const struct rt_track_totals *t = &copy->totals;
	json_t *json = head("state");

	json_object_set_new(json, "time", time_of_ms(copy->time_ms));
	json_object_set_new(json, "started", time_of(t->since));
	json_object_set_new(json, "policy",
			    json_pack("{s:o, s:I, s:I}", "revision",
				      t->revision ? json_integer(t->revision) : json_null(), "loads",
				      (json_int_t)t->n_loads, "errors", (json_int_t)t->n_load_errors));
	json_object_set_new(json, "switches",
			    json_pack("{s:I, s:I, s:o, s:o}", "count", (json_int_t)t->n_switches, "refused",
				      (json_int_t)t->n_refused, "last_seconds", seconds(t->switch_last), "max_seconds",
				      seconds(t->switch_max)));
	json_object_set_new(json, "hooks",
			    json_pack("{s:I, s:I}", "run", (json_int_t)copy->shown.n_hooks, "failed",
				      (json_int_t)copy->shown.n_hooks_failed));
	dump(out, json);
	out->len--; /* the object goes on */
	cni_text_puts(out, ",\"targets\":[");
}

static bool full(const struct cni_text *out, size_t begun)
{
	return out->len - begun >= RT_TRACK_PIECE;
}

bool rt_track_json_more(struct rt_track_text *text, struct cni_text *out)
{
	enum { HEAD, TARGETS, PATHS };
	const struct rt_track_copy *copy = text->copy;
	size_t begun = out->len;

	if (text->part == HEAD) {
		begin(out, copy);
		text->part = TARGETS;
	}
	for (; text->part == TARGETS && text->item < copy->n_views; text->item++) {
		if (full(out, begun))
			return true;
		cni_text_puts(out, text->item ? "," : "");
		dump(out, target(&copy->views[text->item]));
	}
	if (text->part == TARGETS) {
		cni_text_puts(out, "],\"paths\":[");
		text->part = PATHS;
		text->item = 0;
	}
	for (; text->item < copy->n_paths; text->item++) {
		if (full(out, begun))
			return true;
		cni_text_puts(out, text->item ? "," : "");
		dump(out, path(&copy->paths[text->item]));
	}
	cni_text_puts(out, "]}\n");
	return false;
}

/* ---- what is one short line ---- */

void rt_track_json_event(struct cni_text *out, const struct rt_track_event *event)
{
	const struct rt_track_view *view = event->target;
	json_t *json = head("event");

	json_object_set_new(json, "time", time_of_ms(event->time_ms));
	json_object_set_new(json, "target", rt_json_text(view->name));
	json_object_set_new(json, "device", rt_json_text(view->device));
	json_object_set_new(json, "before", json_string(rt_track_state_words[event->before]));
	json_object_set_new(json, "state", json_string(rt_track_state_words[view->state]));
	json_object_set_new(json, "reason", json_string(rt_track_reason_words[view->reason]));
	json_object_set_new(json, "held", json_boolean(view->held));
	json_object_set_new(json, "switch_seconds", seconds(event->took));
	json_object_set_new(json, "routes", json_integer(event->n_routes));
	json_object_set_new(json, "flows", json_integer(event->n_flows));
	json_object_set_new(json, "error", event->error ? json_string(strerror(-event->error)) : json_null());
	dump(out, json);
	cni_text_puts(out, "\n");
}

void rt_track_json_error(struct cni_text *out, const char *error)
{
	json_t *json = head("error");

	json_object_set_new(json, "error", rt_json_text(error));
	dump(out, json);
	cni_text_puts(out, "\n");
}
