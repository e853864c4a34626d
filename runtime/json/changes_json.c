/* SPDX-License-Identifier: GPL-2.0-or-later */
/* changes_json.c - see changes_json.h. */
#include "runtime/json/changes_json.h"

#include "compiler/arena.h"
#include "compiler/emit/changes.h"
#include "runtime/json/envelope.h"

static const char *const field_words[CNI_N_FIELDS] = {
	[CNI_FIELD_FROM] = "from",   [CNI_FIELD_TO] = "to",	  [CNI_FIELD_PROTO] = "proto",
	[CNI_FIELD_SPORT] = "sport", [CNI_FIELD_DPORT] = "dport", [CNI_FIELD_DSCP] = "dscp",
	[CNI_FIELD_TYPE] = "type",
};

static const char *const verdict_words[] = { [CNI_VERDICT_NONE] = "main",
					     [CNI_VERDICT_MAIN] = "main",
					     [CNI_VERDICT_DROP] = "drop",
					     [CNI_VERDICT_REJECT] = "reject" };

static json_t *value_json(enum cni_family family, enum cni_header_field field, cni_u128 value)
{
	char text[CNI_ADDR_TEXT];

	if (field == CNI_FIELD_FROM || field == CNI_FIELD_TO)
		return json_string(cni_addr_format((struct cni_addr){ family, value }, text));
	return json_integer((json_int_t)value);
}

static json_t *count_json(struct cni_arena *arena, const struct cni_count *count)
{
	struct cni_text text = { .arena = arena };

	cni_count_decimal(&text, count);
	return json_string(text.data);
}

static json_t *fate_json(const struct cni_fate *fate)
{
	json_t *members = json_array();

	for (size_t i = 0; i < fate->n_members; i++) {
		const struct cni_fate_member *m = &fate->members[i];
		json_t *member = json_pack("{s:o, s:i, s:b}", "name", rt_json_text(m->name), "weight", (int)m->weight,
					   "masquerade", m->masquerade);

		for (enum cni_trait t = 0; t < CNI_N_TRAITS; t++)
			if (m->traits[t])
				json_object_set_new(member, cni_trait_words[t], rt_json_text(m->traits[t]));
		json_array_append_new(members, member);
	}
	return json_pack("{s:o, s:s, s:b, s:o}", "text", rt_json_text(fate->text), "verdict",
			 verdict_words[fate->verdict], "weighted", fate->weighted, "members", members);
}

static json_t *boxes_json(struct cni_arena *arena, const struct cni_boxes *boxes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < boxes->n_items; i++) {
		struct cni_text text = { .arena = arena };
		json_t *box = json_object();

		cni_box_print(&text, boxes->family, &boxes->items[i]);
		json_object_set_new(box, "text", json_string(text.data));
		for (enum cni_header_field f = 0; f < CNI_N_FIELDS; f++) {
			const struct cni_box_field *field = &boxes->items[i].field[f];
			json_t *ranges = json_array();

			for (size_t k = 0; k < field->n_items; k++)
				json_array_append_new(
					ranges, json_pack("[o, o]", value_json(boxes->family, f, field->items[k].lo),
							  value_json(boxes->family, f, field->items[k].hi)));
			if (field->n_items)
				json_object_set_new(box, field_words[f],
						    json_pack("{s:b, s:O, s:b}", "not", field->negated, "ranges",
							      ranges, "more", field->more));
			json_decref(ranges);
		}
		json_array_append_new(list, box);
	}
	return list;
}

static json_t *witness_json(struct cni_arena *arena, const struct cni_header *packet)
{
	struct cni_text text = { .arena = arena };
	json_t *json = json_object();

	cni_header_print(&text, packet);
	json_object_set_new(json, "text", json_string(text.data));
	for (enum cni_header_field f = 0; f < CNI_N_FIELDS; f++)
		json_object_set_new(json, field_words[f], value_json(packet->family, f, packet->field[f]));
	return json;
}

static void add_trait(const char *member, enum cni_trait trait, const char *before, const char *after, void *list)
{
	json_array_append_new(list, json_pack("{s:o, s:s, s:o, s:o}", "member", rt_json_text(member), "trait",
					      cni_trait_words[trait], "before", rt_json_text(before), "after",
					      rt_json_text(after)));
}

static json_t *line_json(const struct cni_comparison *c, const struct cni_change *change, bool after,
			 unsigned int label, const struct cni_sources *sources)
{
	const struct cni_addr to = { change->family, change->witness.field[CNI_FIELD_TO] };
	const struct cni_label_place place =
		cni_label_place(c->arena, after ? c->after : c->before,
				after ? change->group->after : change->group->before, label, to);
	json_t *json = json_pack("{s:o}", "name", rt_json_text(place.name));

	rt_json_place(json, sources, place.span);
	return json;
}

static json_t *change_json(const struct cni_comparison *c, const struct cni_change *change,
			   const struct cni_sources *before, const struct cni_sources *after)
{
	const struct cni_fate *old = &c->fates.items[change->before], *new = &c->fates.items[change->after];
	json_t *json = json_object(), *devices = json_array(), *traits = json_array(), *lines = json_array();

	for (size_t i = 0; i < change->group->n_devices; i++)
		json_array_append_new(devices, rt_json_text(change->group->devices[i]));
	cni_fate_traits(old, new, add_trait, traits);
	for (size_t i = 0; i < change->n_lines; i++)
		json_array_append_new(lines,
				      json_pack("{s:o, s:o}", "before",
						line_json(c, change, false, change->lines[i].before, before), "after",
						line_json(c, change, true, change->lines[i].after, after)));
	json_object_set_new(json, "devices", devices);
	json_object_set_new(json, "family", json_integer(change->family == CNI_V4 ? 4 : 6));
	json_object_set_new(json, "before", fate_json(old));
	json_object_set_new(json, "after", fate_json(new));
	json_object_set_new(json, "traits", traits);
	json_object_set_new(json, "loses_last_path", json_boolean(change->loses));
	json_object_set_new(json, "boxes", boxes_json(c->arena, &change->boxes));
	json_object_set_new(json, "more_boxes", json_boolean(change->boxes.more));
	json_object_set_new(json, "packets", count_json(c->arena, &change->packets));
	json_object_set_new(json, "sources", count_json(c->arena, &change->sources));
	json_object_set_new(json, "destinations", count_json(c->arena, &change->destinations));
	json_object_set_new(json, "witness", witness_json(c->arena, &change->witness));
	json_object_set_new(json, "lines", lines);
	return json;
}

json_t *rt_json_changes(const struct cni_comparison *c, const struct cni_changes *changes,
			const struct cni_sources *before, const struct cni_sources *after)
{
	json_t *list = json_array();

	for (size_t i = 0; i < changes->n_items; i++)
		json_array_append_new(list, change_json(c, &changes->items[i], before, after));
	return list;
}
