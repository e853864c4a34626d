/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_json.c - the explanation as JSON; see runtime/commands/explain.h. What is not given or not there is null. */
#include <string.h>

#include "compiler/emit/describe.h"
#include "compiler/emit/emit.h"
#include "runtime/commands/explain.h"
#include "runtime/json/envelope.h"

static json_t *address(bool has, struct cni_addr addr)
{
	char text[CNI_ADDR_TEXT];

	return has ? json_string(cni_addr_format(addr, text)) : json_null();
}

static json_t *number(bool has, unsigned int n)
{
	return has ? json_integer(n) : json_null();
}

static json_t *packet(const struct cni_question *q)
{
	const struct cni_packet *p = &q->packet;
	const unsigned int known = p->known;

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "device", q->asked->device, "from",
			 address(known & CNI_HAS_FROM, p->from), "to", address(known & CNI_HAS_TO, p->to), "proto",
			 number(known & CNI_HAS_PROTO, p->proto), "sport", number(known & CNI_HAS_SPORT, p->sport),
			 "dport", number(known & CNI_HAS_DPORT, p->dport), "dscp",
			 number(known & CNI_HAS_DSCP, p->dscp), "icmp_type",
			 number(known & CNI_HAS_ICMP_TYPE, p->icmp_type));
}

static json_t *names(const struct rt_explain *e)
{
	const struct cni_model *m = e->question->model;
	json_t *list = json_array();

	for (size_t i = 0; i < m->n_targets; i++)
		if (e->question->down[i])
			json_array_append_new(list, json_string(m->targets[i].name));
	return list;
}

static json_t *target(const struct rt_explain *e, size_t index)
{
	return index == CNI_NONE ? json_null() : json_string(e->question->model->targets[index].name);
}

static json_t *decision(const struct rt_explain *e)
{
	static const char *const words[] = { [CNI_VERDICT_NONE] = "via",
					     [CNI_VERDICT_MAIN] = "main",
					     [CNI_VERDICT_DROP] = "drop",
					     [CNI_VERDICT_REJECT] = "reject" };
	const struct cni_decision *d = &e->question->decision;
	json_t *json = json_object(), *targets = json_array();

	for (size_t i = 0; i < d->n_targets; i++)
		json_array_append_new(targets, target(e, d->targets[i]));
	json_object_set_new(json, "policy", json_string(d->policy->name));
	json_object_set_new(json, "route", rt_json_text(d->route ? d->route->name : NULL));
	json_object_set_new(json, "never_steered", json_boolean(d->never_steered));
	json_object_set_new(json, "outcome", json_string(words[d->verdict]));
	json_object_set_new(json, "targets", targets);
	rt_json_place(json, e->sources, rt_span_of_decision(e));
	return json;
}

static json_t *near(const struct rt_explain *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < e->question->n_near; i++) {
		const struct cni_near *n = &e->question->near[i];
		json_t *first = json_array();

		for (size_t r = 0; r < n->n_routes && r < CNI_NEAR_SHOWN; r++) {
			json_t *route = json_object(), *wants = json_array();

			for (size_t w = 0; w < n->routes[r].n_wants; w++)
				json_array_append_new(wants,
						      rt_json_text(cni_span_text(e->arena, e->sources,
										 n->routes[r].wants[w], SIZE_MAX)));
			json_object_set_new(route, "route", json_string(n->routes[r].route->name));
			json_object_set_new(route, "wants", wants);
			rt_json_place(route, e->sources, n->routes[r].route->ast->name.span);
			json_array_append_new(first, route);
		}
		json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:o}", "fields", n->fields, "fail",
						      (json_int_t)n->n_parts, "routes", (json_int_t)n->n_routes,
						      "first", first));
	}
	return list;
}

static json_t *described(const struct rt_explain *e, const struct cni_text *text, struct cni_span span)
{
	json_t *json = json_object();

	json_object_set_new(json, "text", rt_json_text(text->data));
	rt_json_place(json, e->sources, span);
	return json;
}

static json_t *rule(const struct rt_explain *e, const struct cni_st_rule *r)
{
	struct cni_text text = { .arena = e->arena };

	if (!r)
		return json_null();
	cni_describe_rule(&text, r);
	return described(e, &text, rt_span_of_rule(e, r));
}

static json_t *route(const struct rt_explain *e, const struct cni_st_route *r)
{
	struct cni_text text = { .arena = e->arena };

	if (!r)
		return json_null();
	cni_describe_route(&text, r);
	return described(e, &text, rt_span_of_route(e, r));
}

static json_t *nft(const struct rt_explain *e, const struct cni_way *way)
{
	json_t *list = json_array();

	for (size_t i = 0; i < way->passage.n_met; i++) {
		const struct cni_met *met = &way->passage.met[i];
		struct cni_text text = { .arena = e->arena };
		json_t *json;

		cni_emit_nft_rule(&text, e->answer.state, &met->chain->rules[met->rule]);
		json = described(e, &text, rt_span_of_met(e, met));
		json_object_set_new(json, "chain", json_string(met->chain->name));
		json_array_append_new(list, json);
	}
	return list;
}

static json_t *leaving(const struct rt_explain *e, const struct cni_way *way)
{
	json_t *list = json_array();

	for (size_t i = 0; i < way->n_leaving; i++) {
		const struct cni_leaving *l = &way->leaving[i];

		json_array_append_new(list, json_pack("{s:o, s:s, s:o, s:i, s:o, s:b, s:o}", "target",
						      target(e, l->target), "device", l->hop->device, "via",
						      address(l->hop->has_via, l->hop->via), "weight",
						      (int)l->hop->weight, "mss", number(l->mss, l->mss), "masquerade",
						      l->masquerades, "source", address(l->has_source, l->source)));
	}
	return list;
}

static json_t *kernel(const struct rt_explain *e, size_t i)
{
	const struct rt_asked *asked = e->kernel ? &e->kernel[i] : NULL;

	if (!asked || !asked->asked)
		return json_null();
	return json_pack("{s:b, s:o, s:o, s:o, s:o}", "agrees", asked->agrees, "error",
			 asked->route.error ? json_string(strerror(-asked->route.error)) : json_null(), "device",
			 rt_json_text(asked->device), "via", address(asked->route.has_via, asked->route.via), "table",
			 number(!asked->route.error, asked->route.table));
}

static json_t *way_json(const struct rt_explain *e, size_t i)
{
	static const char *const fates[] = {
		[CNI_FATE_ACCEPT] = "routed", [CNI_FATE_DROP] = "dropped", [CNI_FATE_REJECT] = "rejected"
	};
	static const char *const kinds[] = {
		[CNI_FIB_MAIN] = "main",
		[CNI_FIB_LOCAL] = "local",
		[CNI_FIB_UNICAST] = "unicast",
		[CNI_FIB_BLACKHOLE] = "blackhole",
		[CNI_FIB_UNREACHABLE] = "unreachable",
		[CNI_FIB_FOREIGN] = "foreign",
	};
	const struct cni_way *way = &e->answer.ways[i];
	const bool is_routed = way->passage.fate == CNI_FATE_ACCEPT;
	json_t *json = json_object();

	json_object_set_new(json, "weight", number(way->weight, way->weight));
	json_object_set_new(json, "of", number(way->weight, e->answer.sum));
	json_object_set_new(json, "first", target(e, way->member));
	json_object_set_new(json, "fate", json_string(fates[way->passage.fate]));
	json_object_set_new(json, "mark", json_integer(way->passage.mark));
	json_object_set_new(json, "path", rt_json_text(way->path ? way->path->name : NULL));
	json_object_set_new(json, "path_is", rt_json_text(way->path ? way->path->comment : NULL));
	json_object_set_new(json, "routing", is_routed ? json_string(kinds[way->fib.kind]) : json_null());
	json_object_set_new(json, "rule", is_routed ? rule(e, way->fib.rule) : json_null());
	json_object_set_new(json, "route", is_routed ? route(e, way->fib.route) : json_null());
	json_object_set_new(json, "leaves_by", leaving(e, way));
	json_object_set_new(json, "nft", nft(e, way));
	json_object_set_new(json, "fault", rt_json_text(way->passage.fault));
	json_object_set_new(json, "kernel", kernel(e, i));
	return json;
}

void rt_json_explain(json_t *json, const struct rt_explain *e)
{
	json_t *ways = json_array();

	for (size_t i = 0; i < e->answer.n_ways; i++)
		json_array_append_new(ways, way_json(e, i));
	json_object_set_new(json, "live", json_boolean(e->kernel));
	json_object_set_new(json, "packet", packet(e->question));
	json_object_set_new(json, "down", names(e));
	json_object_set_new(json, "decision", decision(e));
	json_object_set_new(json, "near", near(e));
	json_object_set_new(json, "ways", ways);
	json_object_set_new(json, "chosen",
			    e->answer.chosen == CNI_NONE ? json_null() : json_integer((json_int_t)e->answer.chosen));
	json_object_set_new(json, "agrees", json_boolean(e->agrees));
}
