/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meant.c - what the policy does with a packet, read off the model: the other side of the proof. */
#include <stdlib.h>
#include <string.h>

#include "compiler/meaning/meaning.h"
#include "compiler/proof/fate.h"
#include "compiler/state.h"

#define GRE 47
#define ICMP 1
#define ICMPV6 58
#define TCP 6

static struct cni_map text_map(struct meant *m, const char *text)
{
	return cni_map_all(m->spaces, texts_number(m->texts, text));
}

const struct cni_policy *meant_policy(const struct cni_model *model, const char *device)
{
	for (size_t i = 0; i < model->n_policies; i++) {
		if (!device && model->policies[i].local)
			return &model->policies[i];
		for (size_t j = 0; device && j < model->policies[i].n_devices; j++)
			if (!strcmp(model->policies[i].devices[j], device))
				return &model->policies[i];
	}
	return NULL;
}

/* ---- targets ---- */

/* What something else configures carries traffic once it is configured. */
static bool is_there(const struct meant *m, const struct cni_target *t, enum cni_family family)
{
	if (!t->carries[family])
		return false;
	if (t->kind == CNI_TARGET_TUNNEL || t->iface[family].has_peer || !t->link.dhcp || !m->observed)
		return true;
	for (size_t i = 0; i < m->observed->n_routes; i++) {
		const struct cni_st_route *r = &m->observed->routes[i];

		if (r->table != 254 /* RT_TABLE_MAIN */ || r->family != family || r->to.len || r->owned)
			continue;
		for (size_t j = 0; j < r->n_hops; j++)
			if (!strcmp(r->hops[j].device, t->ifname))
				return true;
	}
	return false;
}

/* Whether a path or an outer packet can take it: not while the tracker says that it is down. */
static bool is_up(const struct meant *m, size_t target, enum cni_family family)
{
	return !m->down[target] && is_there(m, &m->model->targets[target], family);
}

static const char *target_text(const struct meant *m, const struct cni_target *t, enum cni_family family,
			       unsigned int weight)
{
	const bool needs = t->iface[family].has_peer && hop_needs_via(m->model, t->ifname);

	return hop_text(m->arena, t->ifname, needs ? &t->iface[family].peer : NULL, weight);
}

/* ---- paths ---- */

/* One packet's way: what of a path is the same for all of its members. */
struct asking {
	struct meant *m;
	enum cni_family family;
	const struct cni_path *path;
	const struct cni_route *route; /* NULL: a policy's own `else` */
	unsigned int mss; /* that it has already from the target that it came in by */
};

static struct leaving leaving_by(const struct asking *a, bool masquerade, unsigned int mss)
{
	struct leaving leaving = { .masquerade = masquerade, .mss = a->m->is_syn ? smaller_mss(a->mss, mss) : 0 };

	if (a->route && a->route->has_source && a->route->source.family == a->family) {
		leaving.has_source = true;
		leaving.source = a->route->source;
	}
	return leaving;
}

static void put_member(struct cni_text *text, const struct asking *a, const struct cni_member *member,
		       unsigned int weight)
{
	const struct cni_target *t = &a->m->model->targets[member->target];
	const struct leaving leaving = leaving_by(a, member->masquerade, t->mss[a->family]);

	cni_text_puts(text, target_text(a->m, t, a->family, weight));
	cni_text_puts(text, leaving_text(a->m->arena, &leaving));
}

/* Of a path that is left to main the masquerading stays where main takes a member's device. */
static bool masquerades_on(const struct cni_path *path, size_t target)
{
	for (size_t i = 0; i < path->n_members; i++)
		if (path->members[i].target == target && path->members[i].masquerade)
			return true;
	return false;
}

/* Ordinary routing, which may lead to any device; tunnels are not masqueraded on. */
static const char *main_text(const struct asking *a, bool masquerade, bool is_all)
{
	const struct cni_model *model = a->m->model;
	struct cni_text text = { .arena = a->m->arena };
	struct leaving leaving = leaving_by(a, masquerade, 0);

	cni_text_printf(&text, "main%s", leaving_text(text.arena, &leaving));
	for (size_t i = 0; is_all && i < model->n_targets; i++) {
		const struct cni_target *t = &model->targets[i];

		leaving = leaving_by(a, (masquerade && t->kind == CNI_TARGET_LINK) || masquerades_on(a->path, i),
				     t->mss[a->family]);
		cni_text_printf(&text, "; %s%s", t->ifname, leaving_text(text.arena, &leaving));
	}
	return text.data;
}

static const char *verdict_text(const struct asking *a, enum cni_verdict verdict, bool is_all)
{
	switch (verdict) {
	case CNI_VERDICT_DROP:
		return "drop";
	case CNI_VERDICT_REJECT:
		return "reject";
	default:
		return main_text(a, a->path->masquerade && is_all, is_all);
	}
}

static int by_device(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Members that share a tier, but for one: in order of their devices, as the other side has them. */
static bool put_others(struct cni_text *text, const struct asking *a, const struct cni_member *without)
{
	const struct cni_model *model = a->m->model;
	const char **devices = cni_new_array(a->m->arena, const char *, a->path->n_members);
	unsigned int divisor = 0;
	size_t n = 0;

	for (size_t i = 0; i < a->path->n_members; i++) {
		const struct cni_member *member = &a->path->members[i];

		if (member == without || !is_up(a->m, member->target, a->family))
			continue;
		devices[n++] = model->targets[member->target].ifname;
		divisor = greatest_divisor(member->weight, divisor);
	}
	if (n)
		qsort(devices, n, sizeof(*devices), by_device);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < a->path->n_members; j++) {
			const struct cni_member *member = &a->path->members[j];

			if (member == without || strcmp(model->targets[member->target].ifname, devices[i]) != 0 ||
			    !is_up(a->m, member->target, a->family))
				continue;
			cni_text_puts(text, i ? ", " : "");
			put_member(text, a, member, n > 1 ? member->weight / divisor : 0);
			break;
		}
	return n;
}

static const char *ordered_text(const struct asking *a)
{
	struct cni_text text = { .arena = a->m->arena };
	bool any = false;

	for (size_t i = 0; i < a->path->n_members; i++) {
		if (!is_up(a->m, a->path->members[i].target, a->family))
			continue;
		cni_text_puts(&text, any ? " then " : "");
		put_member(&text, a, &a->path->members[i], 0);
		any = true;
	}
	if (!any)
		return verdict_text(a, a->path->otherwise, true);
	cni_text_printf(&text, " else %s", verdict_text(a, a->path->otherwise, false));
	return text.data;
}

/* A flow has one member by its hash; when that is down, its share goes to the others. */
static const char *weighted_text(const struct asking *a)
{
	struct cni_text text = { .arena = a->m->arena };

	cni_text_puts(&text, "");
	for (size_t i = 0; i < a->path->n_members; i++) {
		const struct cni_member *member = &a->path->members[i];
		const struct cni_target *t = &a->m->model->targets[member->target];
		struct cni_text one = { .arena = a->m->arena }, others = one;
		const bool leads = is_up(a->m, member->target, a->family);

		if (!t->carries[a->family])
			continue;
		if (leads)
			put_member(&one, a, member, 0);
		if (put_others(&others, a, member)) {
			cni_text_puts(&one, leads ? " then " : "");
			cni_text_puts(&one, others.data);
		}
		if (one.len)
			cni_text_printf(&one, " else %s", verdict_text(a, a->path->otherwise, false));
		else
			cni_text_puts(&one, verdict_text(a, a->path->otherwise, true));
		cni_text_printf(&text, "%u %s\n", member->weight, one.data);
	}
	return text.len ? shares_text(a->m->arena, text.data) : verdict_text(a, a->path->otherwise, true);
}

static const char *path_text(const void *arg)
{
	const struct asking *a = arg;

	if (a->path->verdict != CNI_VERDICT_NONE)
		return verdict_text(a, a->path->verdict, true);
	return a->path->weighted && a->path->n_members > 1 ? weighted_text(a) : ordered_text(a);
}

/* A text for SYNs, which alone are clamped, and one for all else. */
static struct cni_map by_syn(struct meant *m, enum cni_family family, const char *(*text)(const void *arg),
			     const void *arg)
{
	const struct cni_space tcp = cni_space_value(m->spaces, family, CNI_FIELD_PROTO, TCP);
	struct cni_map others, syns;

	m->is_syn = false;
	others = text_map(m, text(arg));
	m->is_syn = true;
	syns = text_map(m, text(arg));
	return cni_map_ite(m->spaces, tcp, syns, others);
}

static struct cni_map path_map(const struct asking *a)
{
	return by_syn(a->m, a->family, path_text, a);
}

/* ---- policies ---- */

/* What a SYN is clamped to because of where it came in. */
static unsigned int mss_of_arrival(const struct meant *m, enum cni_family family, const char *device)
{
	unsigned int mss = 0;

	for (size_t i = 0; device && i < m->model->n_targets; i++)
		if (!strcmp(m->model->targets[i].ifname, device))
			mss = smaller_mss(mss, m->model->targets[i].mss[family]);
	return mss;
}

/* Probes that are sent back as they came; those to a link's address by that link. */
static struct cni_map reply_probes(struct meant *m, enum cni_family family, const char *device)
{
	for (size_t i = 0; device && i < m->model->n_targets; i++) {
		const size_t by = strcmp(m->model->targets[i].ifname, device) ? CNI_NONE : meant_answering(m, i);

		if (by != CNI_NONE)
			return texts_concat(m->texts, m->spaces, text_map(m, "untracked "),
					    meant_return(m, family, by, device));
	}
	return text_map(m, "untracked");
}

/* Routes whose packets come to the same are one class. */
static unsigned int class_of(struct meant *m, struct cni_map **classes, size_t *n, struct cni_map then)
{
	for (size_t i = *n; i-- > 0;)
		if ((*classes)[i].node == then.node)
			return (unsigned int)i;
	*cni_push(m->arena, *classes, *n) = then;
	return (unsigned int)*n - 1;
}

static struct classes policy_classes(struct asking *a, const struct cni_policy *policy)
{
	struct meant *m = a->m;
	const size_t n = policy->n_routes;
	const struct cni_path otherwise = { .verdict = policy->otherwise };
	unsigned int *labels = cni_new_array(m->arena, unsigned int, n + 2);
	struct classes all = { 0 };
	struct cni_map *then = NULL;
	struct cni_labels used;

	labels[CNI_LABEL_NEVER] = class_of(m, &then, &all.n, path_map(a));
	if (policy->otherwise != CNI_VERDICT_NONE)
		a->path = &otherwise;
	labels[n + 1] = class_of(m, &then, &all.n, path_map(a));
	for (size_t i = 0; i < n; i++) {
		a->route = &policy->routes[i];
		a->path = &a->route->path;
		labels[i + 1] = class_of(m, &then, &all.n, path_map(a));
	}
	all.of = cni_meaning_labelled(m->spaces, policy, &m->never, a->family, labels);
	used = classes_labels(m->classing, all.of);
	all.n = used.n_items;
	all.labels = used.items;
	for (size_t i = 0; i < all.n; i++)
		then[i] = then[used.items[i]]; /* ascending: none is lost */
	all.then = then;
	return all;
}

struct classes meant_map(struct meant *m, enum cni_family family, const char *device)
{
	const struct cni_policy *policy = meant_policy(m->model, device);
	const struct cni_path none = { .verdict = CNI_VERDICT_MAIN };
	struct asking a = { m, family, &none, NULL, mss_of_arrival(m, family, device) };
	const struct classes all = policy ? policy_classes(&a, policy) : classes_plain(path_map(&a));

	return classes_ite(m->classing, meant_untracked(m, family, device),
			   classes_plain(reply_probes(m, family, device)), all);
}

/* ---- flows that stay on a backup ---- */

static bool is_probed(const struct meant *m, const struct cni_path *path)
{
	for (size_t i = 0; i < path->n_members; i++)
		if (m->model->targets[path->members[i].target].track.mode == CNI_TRACK_ON)
			return true;
	return false;
}

static void add_staying(const struct asking *a, struct staying **all, size_t *n)
{
	struct meant *m = a->m;
	const struct cni_path *path = a->path;
	const struct cni_map before = path_map(a);
	struct cni_path other = *path;
	struct asking asking = *a;

	other.members = cni_new_array(m->arena, struct cni_member, path->n_members);
	asking.path = &other;
	for (size_t first = 1; first < path->n_members; first++) {
		size_t at = 0;

		other.members[at++] = path->members[first];
		for (size_t i = 0; i < path->n_members; i++)
			if (i != first)
				other.members[at++] = path->members[i];
		*cni_push(m->arena, *all, *n) = (struct staying){ before, path_map(&asking),
								  m->model->targets[path->members[first].target].name };
	}
}

struct staying *meant_staying(struct meant *m, enum cni_family family, const char *device, size_t *n)
{
	const struct cni_policy *policy = meant_policy(m->model, device);
	struct asking a = { m, family, NULL, NULL, mss_of_arrival(m, family, device) };
	struct staying *all = NULL;

	*n = 0;
	for (size_t i = 0; i < policy->n_routes && m->model->options.failback != CNI_FAILBACK_FLUSH; i++) {
		a.route = &policy->routes[i];
		a.path = &a.route->path;
		if (a.path->n_members > 1 && !a.path->weighted && is_probed(m, a.path))
			add_staying(&a, &all, n);
	}
	return all;
}

/* Whether a route translates some of its packets: then it keeps the flows that it has. */
static bool translates(const struct cni_route *route)
{
	bool any = route->has_source || route->path.masquerade;

	for (size_t i = 0; i < route->path.n_members; i++)
		any |= route->path.members[i].masquerade;
	return any;
}

unsigned int meant_label(struct meant *m, const char *device, const struct cni_header *packet)
{
	const struct cni_policy *policy = meant_policy(m->model, device);
	const struct cni_addr to = { packet->family, packet->field[CNI_FIELD_TO] };
	size_t i = 0;

	if (!policy || cni_ranges_has(&m->never, to))
		return CNI_LABEL_NEVER;
	while (i < policy->n_routes &&
	       !cni_space_has(m->spaces, cni_space_match(m->spaces, packet->family, &policy->routes[i].match), packet))
		i++;
	return (unsigned int)i + 1;
}

struct cni_space meant_translated(struct meant *m, enum cni_family family, const char *device)
{
	const struct cni_policy *policy = meant_policy(m->model, device);
	unsigned int *labels = cni_new_array(m->arena, unsigned int, cni_meaning_n_labels(policy));
	bool any = false;

	for (size_t i = 0; policy && i < policy->n_routes; i++)
		any |= labels[i + 1] = translates(&policy->routes[i]);
	if (!any)
		return cni_space_none();
	return cni_map_where(m->spaces, cni_meaning_labelled(m->spaces, policy, &m->never, family, labels), 1);
}

struct cni_space meant_steered(struct meant *m, enum cni_family family)
{
	return cni_space_not(m->spaces, cni_space_ranges(m->spaces, family, CNI_FIELD_TO, &m->never));
}

size_t meant_answering(const struct meant *m, size_t target)
{
	const struct cni_target *t = &m->model->targets[target];
	const bool is_link = t->kind == CNI_TARGET_LINK;
	const struct cni_addr probed = t->tunnel.local;

	if (m->model->options.ret == CNI_RETURN_NONE || t->health.has_target ||
	    (is_link ? t->health.type != CNI_HEALTH_REPLY : t->health.mode != CNI_HEALTH_UNI))
		return CNI_NONE;
	for (size_t i = 0; i < m->model->n_links; i++) {
		const struct cni_target *link = &m->model->targets[i];
		const struct cni_iface *iface = &link->iface[probed.family];

		if (is_link ? i == target : iface->has_address && cni_addr_equal(iface->address.addr, probed))
			return meant_policy(m->model, link->ifname) ? CNI_NONE : i;
	}
	return CNI_NONE;
}

struct cni_space meant_answered_outside(struct meant *m, enum cni_family family, size_t target)
{
	const struct cni_target *t = &m->model->targets[target];
	struct cni_space all = cni_space_none();

	if (t->kind == CNI_TARGET_TUNNEL && t->tunnel.local.family == family && meant_answering(m, target) != CNI_NONE)
		all = cni_space_value(m->spaces, family, CNI_FIELD_TO, t->tunnel.local.v);
	all = cni_space_minus(m->spaces, all, cni_space_ranges(m->spaces, family, CNI_FIELD_FROM, &m->never));
	return cni_space_minus(m->spaces, all, meant_untracked(m, family, t->ifname));
}

/* Neighbours are answered directly, and unidirectional probes outside the tunnel that they came through. */
struct cni_space meant_arrivals(struct meant *m, enum cni_family family, size_t target)
{
	const struct cni_target *t = &m->model->targets[target];
	const struct cni_addr probed = t->health.has_target ? t->health.target : t->tunnel.local;
	struct cni_space all = cni_space_ranges(m->spaces, family, CNI_FIELD_FROM, &m->never);

	if (t->kind == CNI_TARGET_TUNNEL && t->health.mode == CNI_HEALTH_UNI && probed.family == family)
		all = cni_space_or(m->spaces, all, cni_space_value(m->spaces, family, CNI_FIELD_TO, probed.v));
	all = cni_space_or(m->spaces, all, meant_untracked(m, family, t->ifname));
	return cni_space_not(m->spaces, all);
}

/* ---- probes that conntrack must not see ---- */

struct cni_space meant_untracked(struct meant *m, enum cni_family family, const char *device)
{
	struct cni_space all = cni_space_none();

	for (size_t i = 0; device && i < m->model->n_targets; i++) {
		const struct cni_target *t = &m->model->targets[i];
		struct cni_addr ours = t->iface[family].address.addr;
		struct cni_space here;

		if (t->health.type != CNI_HEALTH_REPLY || strcmp(t->ifname, device) != 0)
			continue;
		if (t->health.has_target)
			ours = t->health.target;
		else if (t->kind == CNI_TARGET_TUNNEL && t->health.mode == CNI_HEALTH_UNI)
			ours = t->tunnel.local;
		else if (!t->iface[family].has_address)
			continue;
		if (ours.family != family)
			continue;
		here = cni_space_value(m->spaces, family, CNI_FIELD_FROM, ours.v);
		here = cni_space_and(
			m->spaces, here,
			cni_space_value(m->spaces, family, CNI_FIELD_PROTO, family == CNI_V4 ? ICMP : ICMPV6));
		/* echo reply: RFC 792; RFC 4443, 4.2 */
		here = cni_space_and(m->spaces, here,
				     cni_space_value(m->spaces, family, CNI_FIELD_TYPE, family == CNI_V4 ? 0 : 129));
		all = cni_space_or(m->spaces, all, here);
	}
	return all;
}

/* ---- the router's own ---- */

/* By what target or tunnel's links, and from where. */
struct leading {
	struct meant *m;
	enum cni_family family;
	const struct cni_target *target;
	unsigned int mss; /* from the target that it came in by */
};

static const char *return_text(const void *arg)
{
	const struct leading *l = arg;
	struct leaving leaving = { .mss = smaller_mss(l->target->mss[l->family], l->mss) };

	if (!is_there(l->m, l->target, l->family))
		return "drop";
	leaving.mss = l->m->is_syn ? leaving.mss : 0;
	return cni_printf(l->m->arena, "%s%s else drop", target_text(l->m, l->target, l->family, 0),
			  leaving_text(l->m->arena, &leaving));
}

struct cni_map meant_return(struct meant *m, enum cni_family family, size_t target, const char *device)
{
	const struct leading l = { m, family, &m->model->targets[target], mss_of_arrival(m, family, device) };

	return by_syn(m, family, return_text, &l);
}

/* Packets from one of our addresses, of one protocol (0: any), take the links of a tunnel. */
struct own {
	struct cni_addr from;
	uint8_t proto;
	const struct cni_target *target;
};

static struct cni_space from_space(struct meant *m, enum cni_family family, struct own own)
{
	struct cni_space here = cni_space_value(m->spaces, family, CNI_FIELD_FROM, own.from.v);

	if (own.from.family != family)
		return cni_space_none();
	if (own.proto)
		here = cni_space_and(m->spaces, here, cni_space_value(m->spaces, family, CNI_FIELD_PROTO, own.proto));
	return here;
}

static struct own outer_of(const struct cni_target *t)
{
	return (struct own){ t->tunnel.local, t->tunnel.local_is_link ? GRE : 0, t };
}

/* Whether answers to its probes have a way of their own; which leads by the links, or back by the target. */
static bool answers_of(const struct cni_target *t, struct own *own, bool *by_links)
{
	const struct cni_health *health = &t->health;

	*by_links = t->kind == CNI_TARGET_TUNNEL && health->mode == CNI_HEALTH_UNI;
	*own = (struct own){ health->target, 0, t };
	if (!*by_links)
		return health->has_target;
	if (!health->has_target) {
		own->from = t->tunnel.local;
		own->proto = t->tunnel.local.family == CNI_V4 ? ICMP : ICMPV6;
	}
	return health->has_target || !(t->tunnel.underlay_bgp || t->tunnel.local_is_link);
}

/* When all are down, all are tried. */
static const char *links_text(const void *arg)
{
	const struct leading *l = arg;
	const struct cni_tunnel *tunnel = &l->target->tunnel;
	struct cni_text text = { .arena = l->m->arena };
	bool any = false;

	for (size_t i = 0; i < tunnel->n_over; i++)
		any |= is_up(l->m, tunnel->over[i], l->family);
	for (size_t i = 0; i < tunnel->n_over && !tunnel->underlay_bgp /* a daemon fills the table */; i++) {
		const struct cni_target *link = &l->m->model->targets[tunnel->over[i]];
		const struct leaving leaving = { .mss = l->m->is_syn ? link->mss[l->family] : 0 };

		if (any ? !is_up(l->m, tunnel->over[i], l->family) : !is_there(l->m, link, l->family))
			continue;
		cni_text_printf(&text, "%s%s%s", text.len ? " then " : "", target_text(l->m, link, l->family, 0),
				leaving_text(l->m->arena, &leaving));
	}
	if (!text.len)
		return "reject";
	cni_text_puts(&text, " else reject");
	return text.data;
}

static struct cni_map links_map(struct meant *m, enum cni_family family, const struct cni_target *target)
{
	const struct leading l = { m, family, target, 0 };

	return by_syn(m, family, links_text, &l);
}

struct cni_space meant_own(struct meant *m, enum cni_family family)
{
	struct cni_space all = cni_space_none();

	for (size_t i = 0; i < m->model->n_targets; i++) {
		const struct cni_target *t = &m->model->targets[i];
		struct own own;
		bool by_links;

		if (t->kind == CNI_TARGET_TUNNEL)
			all = cni_space_or(m->spaces, all, from_space(m, family, outer_of(t)));
		if (answers_of(t, &own, &by_links))
			all = cni_space_or(m->spaces, all, from_space(m, family, own));
	}
	return all;
}

/* Answers come before outer packets, and among each the first that is written. */
struct cni_map meant_own_map(struct meant *m, enum cni_family family)
{
	struct cni_map all = text_map(m, "main");

	for (size_t i = m->model->n_links; i < m->model->n_targets; i++)
		all = cni_map_ite(m->spaces, from_space(m, family, outer_of(&m->model->targets[i])),
				  text_map(m, "reject"), all);
	for (size_t i = m->model->n_targets; i-- > m->model->n_links;) {
		const struct cni_target *t = &m->model->targets[i];
		struct cni_space here = from_space(m, family, outer_of(t));

		if (t->tunnel.underlay_bgp || t->tunnel.remote.family != family)
			continue; /* a daemon fills the table */
		here = cni_space_and(m->spaces, here,
				     cni_space_value(m->spaces, family, CNI_FIELD_TO, t->tunnel.remote.v));
		all = cni_map_ite(m->spaces, here, links_map(m, family, t), all);
	}
	for (size_t i = m->model->n_targets; i--;) {
		struct own own;
		bool by_links;

		if (!answers_of(&m->model->targets[i], &own, &by_links))
			continue;
		all = cni_map_ite(m->spaces, from_space(m, family, own),
				  by_links ? links_map(m, family, own.target) : meant_return(m, family, i, NULL), all);
	}
	return all;
}

struct cni_space meant_outer(struct meant *m, enum cni_family family)
{
	struct cni_space all = cni_space_none();

	for (size_t i = m->model->n_links; i < m->model->n_targets; i++) {
		const struct cni_tunnel *tunnel = &m->model->targets[i].tunnel;
		struct cni_space here = from_space(m, family, (struct own){ tunnel->local, GRE, NULL });

		if (tunnel->local.family == family)
			all = cni_space_or(
				m->spaces, all,
				cni_space_and(m->spaces, here,
					      cni_space_value(m->spaces, family, CNI_FIELD_TO, tunnel->remote.v)));
	}
	return all;
}
