/* SPDX-License-Identifier: GPL-2.0-or-later */
/* services.c - `service`, and ports behind their protocols: canonical lists of port ranges. */
#include <stdlib.h>

#include "compiler/resolve/resolve.h"

static int by_port(const void *a, const void *b)
{
	const struct cni_port_range *x = a, *y = b;

	return x->proto != y->proto ? x->proto - y->proto : x->lo - y->lo;
}

void cni_ports_normalise(struct cni_ports *ports)
{
	size_t n = 0;

	if (ports->n_items)
		qsort(ports->items, ports->n_items, sizeof(*ports->items), by_port);
	for (size_t i = 0; i < ports->n_items; i++) {
		struct cni_port_range next = ports->items[i], *last = n ? &ports->items[n - 1] : NULL;

		if (last && last->proto == next.proto && next.lo <= last->hi + 1) {
			if (next.hi > last->hi)
				last->hi = next.hi;
		} else {
			ports->items[n++] = next;
		}
	}
	ports->n_items = n;
}

void cni_add_ports(struct cni_resolver *r, struct cni_ports *ports, struct cni_ast_word protocol,
		   const struct cni_ast_value *values)
{
	struct cni_ast_value word = { .kind = CNI_VALUE_WORD, .span = protocol.span, .text = protocol.text };
	struct cni_item item = { .use = &word, .value = &word }, *items;
	size_t n = cni_items(r, values, CNI_ANY, &items);
	uint64_t proto, lo, hi;

	if (!cni_value_choice(r, &item, "a protocol with ports", cni_port_proto_words, &proto))
		return;
	for (size_t i = 0; i < n; i++)
		if (cni_value_span(r, &items[i], "a port", UINT16_MAX, &lo, &hi))
			*cni_push(r->arena, ports->items, ports->n_items) =
				(struct cni_port_range){ (uint8_t)proto, (uint16_t)lo, (uint16_t)hi };
}

static void resolve_service(struct cni_resolver *r, size_t index);

/* The ports of the service that a part names; NULL: none (reported). `nest` is NULL where all are resolved. */
static const struct cni_ports *named(struct cni_resolver *r, struct cni_nest *nest, const struct cni_ast_ports *part)
{
	const struct cni_ast_value *value = part->ports ? cni_deref(r, part->ports) : NULL;
	const struct cni_item item = { .use = part->ports, .value = value };
	const struct cni_name *name;
	const char *text;

	if (!value || !cni_value_word(r, &item, "a part without a protocol", &text))
		return NULL;
	name = cni_names_need(r, &r->services, NULL, CNI102, text, part->ports->span);
	if (name)
		r->model->services[name->index].used = true;
	if (!name || (nest && !cni_nest(r, nest, &r->service_nest[name->index], name, "service", part->ports->span,
					CNI106, resolve_service)))
		return NULL;
	return &r->model->services[name->index].ports;
}

static struct cni_ports gather(struct cni_resolver *r, struct cni_nest *nest, const struct cni_ast_ports *parts)
{
	struct cni_ports ports = { 0 };

	for (const struct cni_ast_ports *p = parts; p; p = p->next) {
		const struct cni_ports *more;

		if (p->protocol.text) {
			cni_add_ports(r, &ports, p->protocol, p->ports);
			continue;
		}
		more = named(r, nest, p);
		if (more && p == parts && !p->next)
			return *more; /* shared, not copied */
		if (!more || !cni_charge(r, p->span, 2 * more->n_items * sizeof(*more->items)))
			continue;
		for (size_t i = 0; i < more->n_items; i++)
			*cni_push(r->arena, ports.items, ports.n_items) = more->items[i];
	}
	cni_ports_normalise(&ports);
	return ports;
}

struct cni_ports cni_service_ports(struct cni_resolver *r, const struct cni_ast_ports *parts)
{
	return gather(r, NULL, parts);
}

static void resolve_service(struct cni_resolver *r, size_t index)
{
	struct cni_service *service = &r->model->services[index];
	struct cni_nest *nest = &r->service_nest[index];
	size_t before = r->diags->n_errors + r->n_dropped;

	service->ports = gather(r, nest, service->decl->service);
	nest->broken |= r->diags->n_errors + r->n_dropped != before;
	if (service->ports.n_items || nest->broken)
		return;
	cni_diag(r->diags, CNI132, service->decl->name.span, "this service is empty");
	nest->broken = true;
}

void cni_resolve_services(struct cni_resolver *r)
{
	for (size_t i = 0; i < r->model->n_services; i++) {
		struct cni_nest root = { 0 };
		const struct cni_name *name = cni_names_find(&r->services, r->model->services[i].name);

		if (r->service_nest[i].state == CNI_NEST_TODO)
			cni_nest(r, &root, &r->service_nest[i], name, "service", name->span, CNI106, resolve_service);
	}
}
