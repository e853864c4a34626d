/* SPDX-License-Identifier: GPL-2.0-or-later */
/* twin.c - see twin.h. */
#include "runtime/twin/twin.h"

#include <string.h>

#include "runtime/commands/pipeline.h"
#include "runtime/json/envelope.h"
#include "runtime/twin/wanted.h"
#include "runtime/twin/world.h"

#define SIDES 2

static const char *const side_words[SIDES] = { "before", "after" };
static const char *const side_keys[SIDES] = { "old", "new" };
static const char *const type_words[RT_TWIN_DEVICE_TYPES] = {
	[CNI_DEV_GRE] = "gre", [CNI_DEV_IP6GRE] = "ip6gre", [CNI_DEV_VLAN] = "vlan"
};

static const struct cni_span nowhere;

/* One class on one side. */
struct answer {
	struct rt_twin_wanted wanted;
	const struct rt_twin_seen *seen; /* NULL: it was not tried */
	const char *not_tried; /* why not */
	const char *instead; /* of what was seen the model says this; NULL: it agrees */
};

struct trying {
	const struct rt_twin_day *day;
	struct cni_arena *arena;
	struct answer *answers[SIDES]; /* by class */
	bool stands_in[RT_TWIN_DEVICE_TYPES];
};

/* ---- asking ---- */

static const bool *down_of(struct cni_arena *arena, const struct rt_twin_day *day, const struct cni_model *model)
{
	bool *down = cni_new_array(arena, bool, model ? model->n_targets + 1 : 1);

	for (size_t t = 0; model && t < model->n_targets; t++)
		for (size_t i = 0; i < day->n_down; i++)
			down[t] |= !strcmp(model->targets[t].name, day->down[i]);
	return down;
}

static struct rt_twin_wanted wanted_of(struct trying *t, size_t side, const struct cni_change *change, const bool *down)
{
	const struct rt_twin_question question = {
		.model = t->day->models[side],
		.policy = side ? change->group->after : change->group->before,
		.fate = &t->day->comparison->fates.items[side ? change->after : change->before],
		.label = side ? change->witness_line.after : change->witness_line.before,
		.device = change->group->devices[0],
		.packet = &change->witness,
		.down = down,
	};

	return rt_twin_wanted(t->arena, &question);
}

/* What is asked, and of which class. */
struct jobs {
	struct rt_twin_job *items;
	size_t n_items;
	size_t *classes;
	size_t n_classes;
};

static struct jobs collect(struct trying *t, size_t side)
{
	const struct cni_changes *changes = t->day->changes;
	const bool *down = down_of(t->arena, t->day, t->day->models[side]);
	struct jobs jobs = { 0 };

	for (size_t i = 0; i < changes->n_items; i++) {
		struct answer *answer = &t->answers[side][i];

		answer->wanted = wanted_of(t, side, &changes->items[i], down);
		answer->not_tried = i < RT_TWIN_CLASSES ? answer->wanted.untried : "one of too many";
		if (answer->not_tried)
			continue;
		*cni_push(t->arena, jobs.items, jobs.n_items) =
			(struct rt_twin_job){ changes->items[i].witness, changes->items[i].group->devices[0],
					      answer->wanted.end == RT_TWIN_SILENT || answer->wanted.may_be_silent };
		*cni_push(t->arena, jobs.classes, jobs.n_classes) = i;
	}
	return jobs;
}

static bool try_side(struct trying *t, size_t side)
{
	const struct jobs jobs = collect(t, side);
	struct rt_twin_world world = { .session = t->day->session,
				       .model = t->day->models[side],
				       .down = t->day->down,
				       .n_down = t->day->n_down,
				       .jobs = jobs.items,
				       .n_jobs = jobs.n_items };

	if (!jobs.n_items)
		return true;
	if (world.model)
		world.wanted = rt_pipeline_state(t->day->session, world.model);
	if ((world.model && !world.wanted) || !rt_twin_run(&world))
		return false;
	for (size_t i = 0; i < jobs.n_items; i++) {
		struct answer *answer = &t->answers[side][jobs.classes[i]];

		if (world.seen[i].end == RT_TWIN_UNTRIED) {
			answer->not_tried = "there was no time";
			continue;
		}
		answer->seen = &world.seen[i];
		answer->instead = rt_twin_judge(t->arena, &answer->wanted, &jobs.items[i].packet, answer->seen);
	}
	for (size_t i = 0; i < RT_TWIN_DEVICE_TYPES; i++)
		t->stands_in[i] |= world.stands_in[i];
	return true;
}

/* ---- telling ---- */

static const char *described(struct trying *t, size_t side, size_t class)
{
	const struct answer *answer = &t->answers[side][class];

	return answer->seen ? rt_twin_describe(t->arena, &t->day->changes->items[class].witness, answer->seen)
			    : cni_printf(t->arena, "not tried: %s", answer->not_tried);
}

static const char *sentence(struct trying *t, size_t side, size_t class)
{
	const struct answer *answer = &t->answers[side][class];

	if (!answer->instead)
		return described(t, side, class);
	return cni_printf(t->arena, "DIFFERS: %s; the model says %s", described(t, side, class), answer->instead);
}

static bool is_tried(const struct trying *t, size_t class)
{
	return t->answers[0][class].seen && t->answers[1][class].seen;
}

static bool agrees(const struct trying *t, size_t class)
{
	return is_tried(t, class) && !t->answers[0][class].instead && !t->answers[1][class].instead;
}

static void tell_class(struct trying *t, size_t class)
{
	struct cni_change *change = &t->day->changes->items[class];
	json_t *json = json_object();

	for (size_t side = 0; side < SIDES; side++) {
		if (t->answers[side][class].instead) {
			struct cni_text packet = { .arena = t->arena };

			cni_header_print(&packet, &change->witness);
			cni_diag(t->day->session->diags, CNI791, nowhere, "%s, on %s %s: the kernel: %s; the model: %s",
				 side_words[side], change->group->devices[0], packet.data, described(t, side, class),
				 t->answers[side][class].instead);
		}
		json_object_set_new(json, side_keys[side], rt_json_text(described(t, side, class)));
	}
	json_object_set_new(json, "agrees", is_tried(t, class) ? json_boolean(agrees(t, class)) : json_null());
	json_object_set_new(json_array_get(json_object_get(t->day->json, "classes"), class), "twin", json);
	if (agrees(t, class))
		change->note = cni_printf(t->arena, "agreed: %s -> %s", described(t, 0, class), described(t, 1, class));
	else
		change->note = cni_printf(t->arena, "before %s\n           after %s", sentence(t, 0, class),
					  sentence(t, 1, class));
}

static const char *sum_up(struct trying *t)
{
	const size_t n = t->day->changes->n_items;
	struct cni_text text = { .arena = t->arena };
	json_t *kinds = json_array();
	size_t n_tried = 0, n_agreed = 0;

	for (size_t i = 0; i < n; i++) {
		n_tried += is_tried(t, i);
		n_agreed += agrees(t, i);
	}
	cni_text_printf(&text, "Kernel twin: of %zu class%s, %zu tried, %zu agreed", n, n == 1 ? "" : "es", n_tried,
			n_agreed);
	for (size_t i = 0; i < RT_TWIN_DEVICE_TYPES; i++)
		if (t->stands_in[i]) {
			cni_text_printf(&text, "%s%s", json_array_size(kinds) ? ", " : "; stand-ins for ",
					type_words[i]);
			json_array_append_new(kinds, json_string(type_words[i]));
		}
	json_object_set_new(t->day->json, "twin",
			    json_pack("{s:I, s:I, s:o}", "tried", (json_int_t)n_tried, "agreed", (json_int_t)n_agreed,
				      "stand_ins", kinds));
	return text.data;
}

/* Those that the limits left out; what no kernel forwards is told beside the class alone. */
static void tell_left_out(struct trying *t)
{
	struct cni_diags *diags = t->day->session->diags;
	size_t n = 0;

	for (size_t i = 0; i < t->day->changes->n_items; i++)
		n += !is_tried(t, i) && !t->answers[0][i].wanted.untried && !t->answers[1][i].wanted.untried;
	if (n)
		cni_diag_help(diags,
			      cni_diag(diags, CNI792, nowhere, "%zu class%s of packets %s not tried in the kernel twin",
				       n, n == 1 ? "" : "es", n == 1 ? "was" : "were"),
			      "%d classes are tried, for a minute on each side", RT_TWIN_CLASSES);
}

const char *rt_twin(const struct rt_twin_day *day)
{
	struct trying t = { .day = day, .arena = day->session->arena };

	for (size_t side = 0; side < SIDES; side++)
		t.answers[side] = cni_new_array(t.arena, struct answer, day->changes->n_items + 1);
	for (size_t side = 0; side < SIDES; side++)
		if (!try_side(&t, side))
			return NULL;
	for (size_t i = 0; i < day->changes->n_items; i++)
		tell_class(&t, i);
	tell_left_out(&t);
	return sum_up(&t);
}
