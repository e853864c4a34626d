/* SPDX-License-Identifier: GPL-2.0-or-later */
/* routing.c - rules, tables and routes of others that stand before cnic's, or that cnic's lack. */
#include <dirent.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "compiler/lower.h"
#include "runtime/doctor/doctor.h"
#include "runtime/netlink/encode.h"
#include "runtime/netlink/observe.h"

#define UNDERLAY 16384 /* offset of the first table of outer packets, which daemons may fill (compiler/lower.h) */
#define TABLES (2 * UNDERLAY) /* that cnic may use from options.table on */

static const struct cni_span nowhere;

/* ---- the routes of one table ---- */

struct route {
	struct cni_prefix to;
	uint32_t metric;
	uint8_t protocol, type;
};

struct routes {
	struct cni_arena *arena;
	enum cni_family family;
	uint32_t table;
	struct route *items;
	size_t n_items;
};

static int read_route(const struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct routes *routes = arg;
	struct rt_attrs attrs;
	struct route *route;

	if (message->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return 0;
	rt_attrs(&attrs, message, sizeof(*header));
	if (rt_u32(attrs.at[RTA_TABLE], header->rtm_table) != routes->table || header->rtm_flags & RTM_F_CLONED)
		return 0;
	route = cni_push(routes->arena, routes->items, routes->n_items);
	route->to.addr.family = routes->family;
	rt_addr(attrs.at[RTA_DST], routes->family, &route->to.addr);
	route->to.len = header->rtm_dst_len;
	route->metric = rt_u32(attrs.at[RTA_PRIORITY], 0);
	route->protocol = header->rtm_protocol;
	route->type = header->rtm_type;
	return 0;
}

/* What cannot be read is empty. */
static struct routes routes_of(const struct rt_doctor *d, enum cni_family family, uint32_t table)
{
	struct routes routes = { .arena = d->arena, .family = family, .table = table };

	if (rt_request_table(d->nl, rt_af(family), table, read_route, &routes))
		routes.n_items = 0;
	return routes;
}

bool rt_has_route(const struct rt_doctor *d, enum cni_family family, uint32_t table, bool is_default)
{
	struct routes routes = routes_of(d, family, table);

	for (size_t i = 0; i < routes.n_items; i++)
		if (routes.items[i].type != RTN_THROW && (!is_default || !routes.items[i].to.len))
			return true;
	return false;
}

static const char *ip_of(enum cni_family family)
{
	return family == CNI_V6 ? "ip -6" : "ip";
}

/* ---- rules before ours ---- */

/* The last of our rules by mark of a family; NULL: there is none. */
static const struct cni_st_rule *last_of_ours(const struct cni_state *desired, enum cni_family family)
{
	const struct cni_st_rule *last = NULL;

	for (size_t i = 0; i < desired->n_rules; i++) {
		const struct cni_st_rule *rule = &desired->rules[i];

		if (cni_rule_is_by_mark(rule) && rule->family == family && (!last || rule->priority > last->priority))
			last = rule;
	}
	return last;
}

static bool steers_on(const struct cni_model *m, const char *device)
{
	for (size_t p = 0; p < m->n_policies; p++) {
		if (m->policies[p].local && !strcmp(device, "lo"))
			return true;
		for (size_t i = 0; i < m->policies[p].n_devices; i++)
			if (!strcmp(m->policies[p].devices[i], device))
				return true;
	}
	return false;
}

static bool is_of_a_lan(const struct rt_doctor *d, struct cni_prefix prefix)
{
	struct cni_ranges ranges = { 0 };

	cni_ranges_add_prefix(d->arena, &ranges, prefix);
	for (size_t i = 0; i < d->model->n_lans; i++)
		if (cni_ranges_overlap(&ranges, &d->model->lans[i].ranges))
			return true;
	return false;
}

/* Whether it looks at packets that the policy steers. Rules with a mark are marks.c's; one for a destination only
 * (`to … lookup main`) is how exceptions are written. */
static bool catches(const struct rt_doctor *d, const struct cni_st_rule *rule)
{
	if (rule->owned || rule->other || rule->mask || rule->ipproto || rule->table == RT_TABLE_LOCAL)
		return false;
	if ((rule->has_to && rule->to.len) || (rule->iif && !steers_on(d->model, rule->iif)))
		return false;
	return !rule->has_from || !rule->from.len || is_of_a_lan(d, rule->from);
}

/* Before those of main and default (32766, 32767: ip-rule(8)), and after ours. */
#define LATE 32000

/* The last priority of ours in a family that has so many paths that packets should pass over some; 0: it has not. */
static uint32_t last_of_many(const struct rt_doctor *d, enum cni_family family)
{
	const struct cni_st_rule *last = last_of_ours(d->desired, family);
	const uint32_t ids = cni_id_mask(d->mark_mask);
	size_t n = 0;

	for (size_t i = 0; i < d->desired->n_rules; i++)
		n += d->desired->rules[i].family == family && cni_rule_is_by_mark(&d->desired->rules[i]);
	return n < CNI_SKIP_MIN
		       ? 0
		       : cni_last_priority(d->model->options.rule_priority, (last->mark & ids) >> __builtin_ctz(ids));
}

/* One just like a path's is in nobody's way. */
static void look_among_ours(struct rt_doctor *d, const struct cni_st_rule *rule, uint32_t last)
{
	const uint32_t first = d->model->options.rule_priority;
	const bool is_like = !rule->other && cni_rule_is_by_mark(rule) && rule->mask == d->mark_mask;
	struct cni_diag *diag;

	if (rule->owned || is_like || rule->priority < first || rule->priority > last)
		return;
	diag = rt_finding(
		d, CNI754, nowhere,
		"the ip rule of priority %u is among cnic's, which are %u to %u: packets meet all of these, one "
		"by one",
		rule->priority, first, last);
	cni_diag_help(d->diags, diag, "give it a priority before or behind them; then: cnic apply");
}

const char *rt_look_rule_order(struct rt_doctor *d, enum rt_verdict *verdict)
{
	const uint32_t last[CNI_N_FAMILIES] = { last_of_many(d, CNI_V4), last_of_many(d, CNI_V6) };
	size_t n = 0;

	(void)verdict;
	for (size_t i = 0; i < d->observed->n_rules; i++) {
		const struct cni_st_rule *rule = &d->observed->rules[i];
		const struct cni_st_rule *ours = last_of_ours(d->desired, rule->family);
		const char *ip = ip_of(rule->family), *words = rt_rule_words(d->arena, rule, rule->priority);
		struct cni_diag *diag;

		n += !rule->owned;
		look_among_ours(d, rule, last[rule->family]);
		if (!ours || rule->priority >= ours->priority || !catches(d, rule) ||
		    !rt_has_route(d, rule->family, rule->table, true))
			continue;
		diag = rt_finding(
			d, CNI750, ours->span,
			"the ip rule `%s` comes before cnic's (up to priority %u), and its table has a default "
			"route: what it looks at is not steered",
			words, ours->priority);
		cni_diag_help(d->diags, diag, "%s rule add %s && %s rule del %s", ip,
			      rt_rule_words(d->arena, rule, ours->priority < LATE ? LATE : ours->priority + 1), ip,
			      words);
	}
	return cni_printf(d->arena, "%zu ip rule%s of others", n, n == 1 ? "" : "s");
}

/* ---- what looks like ours ---- */

static void look_at_protocol(struct rt_doctor *d)
{
	struct cni_diag *diag;

	for (size_t i = 0; i < d->observed->n_rules; i++) {
		const struct cni_st_rule *rule = &d->observed->rules[i];

		if (!rule->owned || !rule->other)
			continue;
		diag = rt_finding(d, CNI747, nowhere,
				  "the ip rule `%s` has protocol %d, cnic's own, but is of no kind that cnic makes: it "
				  "is left alone",
				  rt_rule_words(d->arena, rule, rule->priority), CNI_PROTO);
		cni_diag_help(d->diags, diag,
			      "have its maker give it another protocol; here: %s rule del priority %u protocol %d",
			      ip_of(rule->family), rule->priority, CNI_PROTO);
	}
	for (size_t i = 0; i < d->observed->n_routes; i++) {
		const struct cni_st_route *route = &d->observed->routes[i];
		char text[CNI_ADDR_TEXT];

		if (!route->owned || route->table != RT_TABLE_MAIN)
			continue;
		diag = rt_finding(d, CNI747, nowhere,
				  "the route %s in main has protocol %d, cnic's own, but cnic writes none there: %s",
				  cni_prefix_format(route->to, text), CNI_PROTO,
				  route->type == CNI_RT_OTHER ? "it is left alone" : "the next apply removes it");
		cni_diag_help(d->diags, diag,
			      "have its maker give it another protocol; here: %s route del %s proto %d metric %u",
			      ip_of(route->family), text, CNI_PROTO, route->metric);
	}
	for (size_t i = 0; i < d->observed->n_links; i++) {
		const struct cni_st_link *link = &d->observed->links[i];

		if (!link->owned || link->type != CNI_DEV_OTHER)
			continue;
		diag = rt_finding(d, CNI747, nowhere,
				  "device `%s` is in group %d, cnic's own, but cnic makes none of its kind: the next "
				  "apply removes it",
				  link->name, CNI_GROUP);
		cni_diag_help(d->diags, diag, "ip link set dev %s group default", link->name);
	}
}

/* ---- foreign routes in our tables ---- */

static void look_into_table(struct rt_doctor *d, const struct cni_st_rule *ours)
{
	static const char *const types[] = { [RTN_BLACKHOLE] = "blackhole ",
					     [RTN_UNREACHABLE] = "unreachable ",
					     [RTN_PROHIBIT] = "prohibit ",
					     [RTN_THROW] = "throw " };
	struct routes routes = routes_of(d, ours->family, ours->table);

	for (size_t i = 0; i < routes.n_items; i++) {
		const struct route *route = &routes.items[i];
		const char *type =
			route->type < sizeof(types) / sizeof(*types) && types[route->type] ? types[route->type] : "";
		struct cni_diag *diag;
		char text[CNI_ADDR_TEXT];

		if (route->protocol == CNI_PROTO)
			continue;
		diag = rt_finding(d, CNI748, ours->span,
				  "the route %s%s of someone else is in table %u, which is cnic's", type,
				  cni_prefix_format(route->to, text), ours->table);
		cni_diag_help(d->diags, diag, "%s route del %s%s table %u metric %u", ip_of(ours->family), type, text,
			      ours->table, route->metric);
	}
}

/* ---- names of tables ---- */

struct names {
	struct rt_doctor *doctor;
	struct name {
		unsigned int table;
		const char *name, *path;
	} * items;
	size_t n_items;
};

/* Lines of a number and a name; # begins a comment (ip-route(8)). */
static void read_names(struct names *names, const char *path)
{
	const char *text = rt_doctor_read(names->doctor, path);
	char name[64];

	while (text && *text) {
		size_t len = strcspn(text, "\n");
		int table = 0;

		/* the name must stand on the number's line */
		if (sscanf(cni_strndup(names->doctor->arena, text, len), "%i %63[^# \t]", &table, name) == 2 &&
		    table > 0)
			*cni_push(names->doctor->arena, names->items, names->n_items) =
				(struct name){ (unsigned int)table, cni_strdup(names->doctor->arena, name), path };
		text += len + (text[len] == '\n');
	}
}

static void read_all_names(struct names *names)
{
	static const char folder_name[] = "/etc/iproute2/rt_tables.d";
	struct cni_arena *arena = names->doctor->arena;
	DIR *folder = opendir(cni_printf(arena, "%s%s", names->doctor->root, folder_name));
	const struct dirent *entry;

	read_names(names, "/etc/iproute2/rt_tables");
	while (folder && (entry = readdir(folder)))
		if (*entry->d_name != '.')
			read_names(names, cni_printf(arena, "%s/%s", folder_name, entry->d_name));
	if (folder)
		closedir(folder);
}

static bool is_within(const struct name *name, uint32_t first)
{
	return name->table >= first && name->table - first < TABLES && strncmp(name->name, "cnic", 4) != 0;
}

static uint32_t free_tables(const struct names *names, uint32_t first)
{
	for (size_t i = 0; i < names->n_items; i++)
		if (is_within(&names->items[i], first))
			return free_tables(names, names->items[i].table + 1);
	return first;
}

static void look_at_names(struct rt_doctor *d)
{
	struct names names = { .doctor = d };
	uint32_t first = d->model->options.table;

	read_all_names(&names);
	for (size_t i = 0; i < names.n_items; i++) {
		const struct name *name = &names.items[i];
		struct cni_diag *diag;

		if (!is_within(name, first))
			continue;
		diag = rt_finding(d, CNI749, nowhere, "%s calls table %u `%s`, but cnic may use %u to %u", name->path,
				  name->table, name->name, first, first + TABLES - 1);
		cni_diag_help(d->diags, diag, "in the policy: options { table %u; }", free_tables(&names, first));
	}
}

const char *rt_look_tables(struct rt_doctor *d, enum rt_verdict *verdict)
{
	uint32_t first = d->model->options.table;
	size_t n = 0;

	(void)verdict;
	look_at_protocol(d);
	for (size_t i = 0; i < d->desired->n_rules; i++) {
		const struct cni_st_rule *rule = &d->desired->rules[i];

		if (!cni_rule_is_by_mark(rule) || rule->table < first || rule->table - first >= UNDERLAY)
			continue;
		look_into_table(d, rule);
		n++;
	}
	look_at_names(d);
	return cni_printf(d->arena, "what others have of protocol %d, group %d, and in %zu table%s of cnic's",
			  CNI_PROTO, CNI_GROUP, n, n == 1 ? "" : "s");
}

/* ---- main ---- */

static bool needs_main(const struct cni_model *m)
{
	for (size_t p = 0; p < m->n_policies; p++) {
		if (m->policies[p].otherwise == CNI_VERDICT_MAIN)
			return true;
		for (size_t r = 0; r < m->policies[p].n_routes; r++)
			if (m->policies[p].routes[r].path.verdict == CNI_VERDICT_MAIN ||
			    m->policies[p].routes[r].path.otherwise == CNI_VERDICT_MAIN)
				return true;
	}
	return false;
}

const char *rt_look_main(struct rt_doctor *d, enum rt_verdict *verdict)
{
	const struct cni_model *m = d->model;
	struct cni_diag *diag;

	(void)verdict;
	for (size_t i = 0; i < m->n_links; i++) {
		const struct cni_target *t = &m->targets[i];

		if (!t->link.dhcp || !t->carries[CNI_V4] || t->iface[CNI_V4].has_peer ||
		    rt_main_default(d->observed, CNI_V4, t->ifname))
			continue;
		diag = rt_finding(
			d, CNI752, t->decl->name.span,
			"main has no default route by `%s`, whose gateway `%s` is to follow: nothing leaves by it",
			t->ifname, t->name);
		cni_diag_help(d->diags, diag, "ip route add default via GATEWAY dev %s metric 1000", t->ifname);
	}
	if (!needs_main(m))
		return "the policy leaves nothing to main";
	if (!rt_main_default(d->observed, CNI_V4, NULL)) {
		diag = rt_finding(d, CNI751, nowhere,
				  "the policy leaves packets to main, which has no default route for IPv4");
		cni_diag_help(d->diags, diag, "ip route add default via GATEWAY dev DEVICE");
	}
	return "main's default route, to which the policy leaves packets";
}
