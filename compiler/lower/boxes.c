/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boxes.c - see boxes.h. Ports are keyed by their protocol in a region (region.h), and fields of their own in a box. */
#include "compiler/lower/boxes.h"

#define N_PROTOS 256
#define PORTS 0xffffu

/* ---- protocols and ports ---- */

/* A run of protocols without a limit on ports, or one protocol and a range of each port. */
struct service {
	struct cni_range4 proto, sport, dport;
	unsigned int limits;
};

typedef void each_service(const struct service *service, void *arg);

/* The ranges of a keyed view that are of one protocol begin at *at. */
static bool next_of_proto(const struct cni_ranges *keys, unsigned int proto, size_t *at, struct cni_range4 *range)
{
	const uint32_t first = proto << 16, last = first | PORTS;

	while (*at < keys->n_v4 && keys->v4[*at].hi < first)
		(*at)++;
	if (*at == keys->n_v4 || keys->v4[*at].lo > last)
		return false;
	range->lo = keys->v4[*at].lo > first ? keys->v4[*at].lo & PORTS : 0;
	range->hi = keys->v4[*at].hi < last ? keys->v4[*at].hi & PORTS : PORTS;
	return true;
}

static bool is_whole(struct cni_range4 range)
{
	return range.lo == 0 && range.hi == PORTS;
}

static void ports_of_proto(const struct cni_region *region, unsigned int proto, size_t source, size_t destination,
			   each_service *each, void *arg)
{
	struct service s = { .proto = { proto, proto } };

	for (; next_of_proto(&region->view[CNI_VIEW_SPORT], proto, &source, &s.sport); source++)
		for (size_t at = destination; next_of_proto(&region->view[CNI_VIEW_DPORT], proto, &at, &s.dport);
		     at++) {
			s.limits = LIMITS(COL_PROTO) | (is_whole(s.sport) ? 0 : LIMITS(COL_SPORT)) |
				   (is_whole(s.dport) ? 0 : LIMITS(COL_DPORT));
			each(&s, arg);
		}
}

static void services(const struct cni_region *region, each_service *each, void *arg)
{
	const struct cni_ranges *sports = &region->view[CNI_VIEW_SPORT], *dports = &region->view[CNI_VIEW_DPORT];
	struct service run = { .limits = LIMITS(COL_PROTO) };
	size_t source = 0, destination = 0;
	unsigned int last;
	bool open = false;

	if (!sports->n_v4 || !dports->n_v4)
		return;
	last = sports->v4[sports->n_v4 - 1].hi >> 16;
	for (unsigned int proto = sports->v4[0].lo >> 16; proto <= last; proto++) {
		struct cni_range4 sport, dport;
		const bool any = next_of_proto(sports, proto, &source, &sport) &&
				 next_of_proto(dports, proto, &destination, &dport);
		const bool whole = any && is_whole(sport) && is_whole(dport);

		if (open && !whole) {
			each(&run, arg);
			open = false;
		}
		if (whole) {
			run.proto.lo = open ? run.proto.lo : proto;
			run.proto.hi = proto;
			open = true;
		} else if (any) {
			ports_of_proto(region, proto, source, destination, each, arg);
		}
	}
	run.limits = run.proto.lo == 0 && run.proto.hi == N_PROTOS - 1 ? 0 : run.limits;
	if (open)
		each(&run, arg);
}

/* ---- counting ---- */

static void count(const struct service *service, void *arg)
{
	(void)service;
	++*(size_t *)arg;
}

/* By protocol, all types or none. */
static bool limits_types(const struct cni_region *region)
{
	const struct cni_ranges *types = &region->view[CNI_VIEW_TYPE];

	for (size_t i = 0; i < types->n_v4; i++)
		if ((types->v4[i].lo & 0xff) || (types->v4[i].hi & 0xff) != 0xff)
			return true;
	return false;
}

size_t boxes_count(const struct cni_region *region, size_t most)
{
	const size_t n_from = cni_ranges_count(&region->view[CNI_VIEW_FROM], region->family),
		     n_to = cni_ranges_count(&region->view[CNI_VIEW_TO], region->family);
	size_t n = 0;

	if (limits_types(region) || n_from > most || n_to > most)
		return most + 1;
	services(region, count, &n);
	return n > most || n * n_from * n_to > most ? most + 1 : n * n_from * n_to;
}

/* ---- making ---- */

struct making {
	struct lower *l;
	struct boxes *boxes;
	const struct cni_region *region;
	const char *then;
	bool limits[CNI_N_VIEWS];
};

static struct cni_range6 range_of(const struct cni_ranges *r, enum cni_family family, size_t i)
{
	if (family == CNI_V4)
		return (struct cni_range6){ r->v4[i].lo, r->v4[i].hi };
	return r->v6[i];
}

static struct cni_range6 widen(struct cni_range4 range)
{
	return (struct cni_range6){ range.lo, range.hi };
}

static void make(const struct service *service, void *arg)
{
	const struct making *m = arg;
	const enum cni_family family = m->region->family;
	const struct cni_ranges *from = &m->region->view[CNI_VIEW_FROM], *to = &m->region->view[CNI_VIEW_TO];

	for (size_t i = 0; i < cni_ranges_count(to, family); i++)
		for (size_t j = 0; j < cni_ranges_count(from, family); j++)
			*cni_push(m->l->scratch, m->boxes->items, m->boxes->n_items) = (struct box){
				.range = { [COL_FROM] = range_of(from, family, j),
					   [COL_TO] = range_of(to, family, i),
					   [COL_PROTO] = widen(service->proto),
					   [COL_SPORT] = widen(service->sport),
					   [COL_DPORT] = widen(service->dport) },
				.limits = service->limits | (m->limits[CNI_VIEW_FROM] ? LIMITS(COL_FROM) : 0) |
					  (m->limits[CNI_VIEW_TO] ? LIMITS(COL_TO) : 0),
				.then = m->then,
			};
}

void boxes_add(struct lower *l, struct boxes *boxes, const struct cni_region *region, const struct cni_region *all,
	       const char *then)
{
	struct making m = { l, boxes, region, then, { false } };

	for (enum cni_view v = CNI_VIEW_FROM; v <= CNI_VIEW_TO; v++)
		m.limits[v] = !cni_ranges_equal(&region->view[v], &all->view[v]);
	services(region, make, &m);
}
