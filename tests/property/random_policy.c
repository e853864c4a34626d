/* SPDX-License-Identifier: GPL-2.0-or-later */
/* random_policy.c - see random_policy.h. What a valid policy must have (an express or classic interconnect that some
 * route uses, an address of the tunnel's own family under it, …) is had by construction; what random matches do to each
 * other, such as one route covering another, is left to chance and to the checks. */
#include "tests/property/random_policy.h"

#include <string.h>

#include "compiler/arena.h"
#include "compiler/text.h"

enum { MAX_LINKS = 4, MAX_TUNNELS = 4, MAX_SETS = 5, MAX_SERVICES = 3, MAX_TARGETS = MAX_LINKS + MAX_TUNNELS };
enum link_kind { INTERNET, CLASSIC, PNI, PEERING, EXPRESS, N_LINK_KINDS };

static const char *const kind_words[N_LINK_KINDS] = { "internet", "classic", "pni", "peering", "express" };

struct link {
	enum link_kind kind;
	bool bgp, v6;
};

struct target { /* what a path may name */
	char name[8];
	bool internet; /* may masquerade */
	bool must; /* a route has to use it */
};

struct generator {
	struct cni_arena *arena;
	struct rng *rng;
	struct policy_text policy;
	struct link links[MAX_LINKS];
	unsigned int n_links;
	struct target targets[MAX_TARGETS];
	unsigned int n_targets;
	unsigned int n_sets, n_services;
	bool services_tcp_only[MAX_SERVICES];
};

static unsigned int below(struct generator *g, unsigned int n)
{
	return rng_below(g->rng, n);
}

static bool percent(struct generator *g, unsigned int p)
{
	return rng_percent(g->rng, p);
}

static const char *one_of(struct generator *g, const char *const *words, unsigned int n)
{
	return words[below(g, n)];
}

#define ONE_OF(g, words) one_of((g), (words), sizeof(words) / sizeof((words)[0]))

static void __attribute__((format(printf, 3, 4))) line(struct generator *g, bool droppable, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	*cni_push(g->arena, g->policy.items, g->policy.n_items) =
		(struct policy_line){ .text = cni_vprintf(g->arena, format, args), .droppable = droppable };
	va_end(args);
}

/* ---- options, links, tunnels ---- */

static void options(struct generator *g)
{
	static const char *const masks[] = { "0xffff", "0xffff", "0xff", "0x00ff0000", "0x7ff8", "0xfff00000" };
	static const char *const tables[] = { "20000", "300", "4000000" };

	if (percent(g, 50))
		return;
	line(g, true, "options { mark-mask %s; table %s; established %s; return %s; }\n", ONE_OF(g, masks),
	     ONE_OF(g, tables), percent(g, 50) ? "follow" : "keep", percent(g, 70) ? "symmetric" : "none");
}

static void add_target(struct generator *g, const char *name, bool internet, bool must)
{
	struct target *target = &g->targets[g->n_targets++];

	*target = (struct target){ .internet = internet, .must = must };
	strncpy(target->name, name, sizeof(target->name) - 1);
}

static void link_line(struct generator *g, unsigned int i)
{
	struct link *link = &g->links[i];
	struct cni_text text = { .arena = g->arena };
	static const char *const tracks[] = { "track off; ", "track { every 1s; down 3; up 5; } ", "" };
	const bool express = link->kind == EXPRESS, interconnect = express || link->kind == CLASSIC;
	const unsigned int len = interconnect ? 31 : percent(g, 25) ? 24 : percent(g, 50) ? 30 : 31;

	cni_text_printf(&text, "link l%u { kind %s; device w%u%s; address 198.51.%u.2/%u", i, kind_words[link->kind], i,
			!express && percent(g, 25) ? " vlan 100" : "", 100 + i, len);
	if (link->v6)
		cni_text_printf(&text, ", 2001:db8:f%u::1/127", i);
	cni_text_puts(&text, "; ");
	if (len == 24)
		cni_text_printf(&text, "gateway 198.51.%u.9; ", 100 + i);
	if (link->bgp)
		cni_text_puts(&text, "bgp { local-as 64512; peer-as 13335; } ");
	cni_text_puts(&text, express ? tracks[below(g, 2)] : ONE_OF(g, tracks));
	if (express)
		cni_text_printf(&text, "health legacy { target 172.64.240.25%u; } ", 2 + i % 2);
	line(g, true, "%s}\n", text.data);
}

static void links(struct generator *g)
{
	static const enum link_kind kinds[] = { INTERNET, INTERNET, CLASSIC, CLASSIC, PNI, PEERING, EXPRESS };
	bool express = false;

	g->n_links = 1 + below(g, MAX_LINKS);
	for (unsigned int i = 0; i < g->n_links; i++) {
		struct link *link = &g->links[i];

		link->kind = kinds[below(g, 7)];
		if (link->kind == EXPRESS && express) /* one legacy target is enough */
			link->kind = INTERNET;
		express |= link->kind == EXPRESS;
		link->bgp = link->kind != INTERNET && link->kind != EXPRESS && percent(g, 40);
		link->v6 = link->kind != EXPRESS && percent(g, 50);
		link_line(g, i);
		if (link->kind != CLASSIC)
			add_target(g, cni_printf(g->arena, "l%u", i), link->kind == INTERNET, link->kind == EXPRESS);
	}
}

/* One tunnel over link `first`, and over a second one of the same sort where there is one. */
static void tunnel(struct generator *g, unsigned int i, unsigned int first)
{
	const struct link *link = &g->links[first];
	bool ip6 = link->v6 && percent(g, 30);
	struct cni_text text = { .arena = g->arena };
	unsigned int second = first;

	for (unsigned int l = 0; l < g->n_links && percent(g, 80); l++)
		if (l != first && g->links[l].bgp == link->bgp && g->links[l].v6 >= ip6 &&
		    (g->links[l].kind == INTERNET) == (link->kind == INTERNET) && g->links[l].kind != EXPRESS)
			second = l;
	cni_text_printf(&text, "tunnel t%u { kind %s; over l%u", i, ip6 ? "ip6gre" : "gre", first);
	if (second != first)
		cni_text_printf(&text, " then l%u", second);
	if (second == first && !ip6 && link->kind == INTERNET && percent(g, 50))
		cni_text_printf(&text, "; local 198.51.%u.2; remote 203.0.113.%u", 100 + first, 200 + i);
	else if (ip6)
		cni_text_printf(&text, "; local 2001:db8:aaaa::%u; remote 2001:db8:bbbb::%u", 1 + i, 1 + i);
	else
		cni_text_printf(&text, "; local 198.51.99.%u; remote 203.0.113.%u", 130 + i, 200 + i);
	cni_text_printf(&text, "; address 10.100.%u.1/31", i);
	if (percent(g, 50))
		cni_text_printf(&text, ", 2001:db8:ffff:%u::1/127", i);
	else if (percent(g, 20))
		cni_text_puts(&text, "; family ipv6");
	cni_text_puts(&text, percent(g, 50) ? "; health { direction bidirectional; type request; } track { every 1s; } "
					    : "; health off; track off; ");
	if (percent(g, 15))
		cni_text_puts(&text, "mss 1300; ");
	line(g, true, "%s}\n", text.data);
	add_target(g, cni_printf(g->arena, "t%u", i), false, link->kind == CLASSIC);
}

static void tunnels(struct generator *g)
{
	unsigned int n = 0;

	/* a classic link is there for its tunnel */
	for (unsigned int l = 0; l < g->n_links; l++)
		if (g->links[l].kind == CLASSIC && n < MAX_TUNNELS)
			tunnel(g, n++, l);
	while (n < MAX_TUNNELS && percent(g, 45)) {
		unsigned int l = below(g, g->n_links);

		if (g->links[l].kind == EXPRESS)
			break;
		tunnel(g, n++, l);
	}
}

/* ---- sets and services ---- */

enum family_use { USE_V4 = 1, USE_V6 = 2, USE_BOTH = 3 };

/* A member of a set, from so small a world that sets overlap. */
static const char *member(struct generator *g, enum family_use use)
{
	static const char *const v4[] = { "10.1.0.0/16",
					  "10.1.0.0/17",
					  "10.1.2.0/24",
					  "10.1.2.3",
					  "10.2.0.0/15",
					  "10.3.4.0/22",
					  "10.0.0.0/8",
					  "198.18.0.0/15",
					  "198.18.7.0/24",
					  "198.18.7.128/25",
					  "198.19.255.255",
					  "192.168.77.0/24",
					  "172.16.0.0/12",
					  "8.8.8.8",
					  "9.9.0.0-9.9.3.7",
					  "10.1.2.200-10.1.3.5",
					  "198.18.6.250-198.18.7.3",
					  "100.64.0.0/10",
					  "128.0.0.0/2",
					  "10.2.3.4/31",
					  "127.255.255.255-128.0.0.0",
					  "0.0.0.0/1" };
	static const char *const v6[] = { "2001:db8:10::/48",
					  "2001:db8:10:1::/64",
					  "2001:db8:10:1::7",
					  "2001:db8:20::/44",
					  "2001:db8:20::-2001:db8:20::ffff",
					  "2620:fe::/48",
					  "2620:fe::fe",
					  "2001:db8:10:1:ffff::-2001:db8:10:2::5",
					  "2400::/12" };

	if (use == USE_V4 || (use == USE_BOTH && percent(g, 60)))
		return ONE_OF(g, v4);
	return ONE_OF(g, v6);
}

static void sets(struct generator *g)
{
	g->n_sets = below(g, MAX_SETS + 1);
	for (unsigned int i = 0; i < g->n_sets; i++) {
		struct cni_text text = { .arena = g->arena };

		/* both families are in each, so that any two sets agree on one */
		cni_text_printf(&text, "define s%u = { %s, %s", i, member(g, USE_V4), member(g, USE_V6));
		for (unsigned int n = below(g, 5); n; n--)
			cni_text_printf(&text, ", %s", member(g, USE_BOTH));
		if (i && percent(g, 25))
			cni_text_printf(&text, ", s%u", below(g, i));
		line(g, true, "%s };\n", text.data);
	}
}

static const char *ports(struct generator *g)
{
	static const char *const ranges[] = {
		"53",	"80",	 "443", "5060-5061", "10000-20000", "1-1023",	   "1024-65535",
		"0-79", "65535", "1",	"5061-5070", "440-450",	    "{ 80, 443 }", "{ 25, 587-588, 465 }"
	};

	return ONE_OF(g, ranges);
}

static const char *service_parts(struct generator *g)
{
	static const char *const protocols[] = { "tcp", "tcp", "udp", "udp", "sctp", "dccp", "udplite" };
	struct cni_text text = { .arena = g->arena };

	for (unsigned int i = 0, n = 1 + below(g, 3); i < n; i++)
		cni_text_printf(&text, "%s%s %s", i ? ", " : "", ONE_OF(g, protocols), ports(g));
	return text.data;
}

static void services(struct generator *g)
{
	g->n_services = below(g, MAX_SERVICES + 1);
	for (unsigned int i = 0; i < g->n_services; i++)
		line(g, true, "service v%u = { %s };\n", i, service_parts(g));
}

/* ---- policies ---- */

static void addresses(struct generator *g, struct cni_text *text, const char *word, enum family_use use)
{
	cni_text_printf(text, " %s%s ", percent(g, 15) ? "not " : "", word);
	if (use == USE_BOTH && g->n_sets && percent(g, 60))
		cni_text_printf(text, "s%u", below(g, g->n_sets));
	else if (percent(g, 60))
		cni_text_puts(text, member(g, use));
	else
		cni_text_printf(text, "{ %s, %s }", member(g, use), member(g, use));
}

/* At most one match of protocol and ports: two would often contradict each other. */
static void transport(struct generator *g, struct cni_text *text, enum family_use use)
{
	static const char *const protocols[] = { "gre", "esp", "tcp", "udp", "sctp", "{ tcp, udp }", "89" };
	static const char *const port_protocols[] = { "tcp", "udp", "sctp" };
	static const char *const icmp[] = { "echo-request", "8", "0", "{ 3, 11 }", "13" };
	static const char *const icmpv6[] = { "echo-request", "128", "{ 1, 3, 4 }", "2" };
	const char *turn = percent(g, 15) ? "not " : "";

	switch (below(g, 7)) {
	case 0:
		cni_text_printf(text, " %sproto %s", turn, ONE_OF(g, protocols));
		break;
	case 1:
	case 2:
		if (g->n_services && percent(g, 70))
			cni_text_printf(text, " %sservice v%u", turn, below(g, g->n_services));
		else
			cni_text_printf(text, " %sservice { %s }", turn, service_parts(g));
		break;
	case 3: {
		const char *protocol = ONE_OF(g, port_protocols);

		cni_text_printf(text, " %s%s dport %s", turn, protocol, ports(g));
		if (percent(g, 30))
			cni_text_printf(text, " %s sport %s", protocol, ports(g));
		break;
	}
	case 4:
		cni_text_printf(text, " %s%s sport %s", turn, ONE_OF(g, port_protocols), ports(g));
		break;
	default:
		if (use == USE_V4)
			cni_text_printf(text, " %sicmp %s", turn, ONE_OF(g, icmp));
		else if (use == USE_V6)
			cni_text_printf(text, " %sicmpv6 %s", turn, ONE_OF(g, icmpv6));
	}
}

static void match(struct generator *g, struct cni_text *text)
{
	static const char *const dscps[] = { "ef", "cs1", "af41", "0", "63", "{ af21, af31, 10 }" };
	static const enum family_use uses[] = { USE_BOTH, USE_BOTH, USE_BOTH, USE_V4, USE_V6 };
	enum family_use use = uses[below(g, 5)];
	size_t before = text->len;

	if (percent(g, 40))
		addresses(g, text, "from", use);
	if (percent(g, 55))
		addresses(g, text, "to", use);
	if (percent(g, 55))
		transport(g, text, use);
	if (percent(g, 20))
		cni_text_printf(text, " %sdscp %s", percent(g, 15) ? "not " : "", ONE_OF(g, dscps));
	if (text->len == before) /* matching everything is for the last route */
		addresses(g, text, "to", use);
}

static const char *const elses[] = { "drop", "drop", "reject", "main" };

/* `first`: a target that must be in it, or NULL. */
static void path(struct generator *g, struct cni_text *text, const struct target *first)
{
	bool weighted = percent(g, 35);
	unsigned int start = below(g, g->n_targets ? g->n_targets : 1);
	unsigned int n = 1 + below(g, 3);

	if (!first && (!g->n_targets || percent(g, 25))) {
		static const char *const plain[] = { "drop", "reject", "via main", "via main masquerade" };

		cni_text_printf(text, " %s", ONE_OF(g, plain));
		return;
	}
	if (first)
		start = (unsigned int)(first - g->targets);
	if (n > g->n_targets)
		n = g->n_targets;
	cni_text_puts(text, " via");
	for (unsigned int i = 0; i < n; i++) {
		const struct target *target = &g->targets[(start + i) % g->n_targets];

		cni_text_printf(text, "%s %s", !i ? "" : weighted ? "," : " then", target->name);
		if (weighted && n > 1)
			cni_text_printf(text, " weight %u", percent(g, 80) ? 1 + below(g, 6) : 1 + below(g, 256));
		if (target->internet && percent(g, 50))
			cni_text_puts(text, " masquerade");
	}
	cni_text_printf(text, " else %s", ONE_OF(g, elses));
}

static void policy(struct generator *g, unsigned int i, unsigned int n_policies, bool local)
{
	unsigned int n_routes = 1 + below(g, 12);
	struct cni_text text = { .arena = g->arena };
	bool last_matches_all = percent(g, 25);

	cni_text_printf(&text, "policy p%u on %s", i, local ? "local" : cni_printf(g->arena, "lan%u", i));
	if (percent(g, 20))
		cni_text_printf(&text, ", \"x%u.5\"", i);
	line(g, false, "%s {\n", text.data);
	for (unsigned int r = 0, must = 0; r < n_routes || must < g->n_targets; r++) {
		const struct target *target = NULL;

		/* the targets that some route must use are spread over the policies */
		while (must < g->n_targets && !(g->targets[must].must && must % n_policies == i))
			must++;
		if (must < g->n_targets)
			target = &g->targets[must++];
		else if (r >= n_routes)
			break;
		text = (struct cni_text){ .arena = g->arena };
		cni_text_printf(&text, "\troute r%u", r);
		match(g, &text);
		path(g, &text, target);
		line(g, true, "%s;\n", text.data);
	}
	if (last_matches_all) {
		text = (struct cni_text){ .arena = g->arena };
		cni_text_puts(&text, "\troute rest");
		path(g, &text, NULL);
		line(g, false, "%s;\n}\n", text.data);
	} else {
		line(g, false, "\telse %s;\n}\n", ONE_OF(g, elses));
	}
}

struct policy_text random_policy(struct cni_arena *arena, struct rng *rng)
{
	struct generator g = { .arena = arena, .rng = rng };
	unsigned int n_policies = 1 + below(&g, 3);
	unsigned int local = below(&g, 5); /* which of them is the router's own; often none */

	options(&g);
	sets(&g);
	services(&g);
	if (percent(&g, 60))
		line(&g, true, "lan h0 { device lan0; prefix 10.1.0.0/16, 2001:db8:10::/48; }\n");
	if (percent(&g, 30))
		line(&g, true, "lan h1 { prefix 192.168.77.0/24; }\n");
	links(&g);
	tunnels(&g);
	for (unsigned int i = 0; i < n_policies; i++)
		policy(&g, i, n_policies, i == local);
	return g.policy;
}

/* A route's own line starts with a tab, and can be dropped. */
const char *policy_text_change(struct cni_arena *arena, const struct policy_text *policy, uint64_t seed)
{
	struct policy_text other = { .n_items = policy->n_items };
	struct rng rng = { .state = seed };

	other.items = cni_new_array(arena, struct policy_line, other.n_items);
	memcpy(other.items, policy->items, other.n_items * sizeof(*other.items));
	for (size_t i = 0; i < other.n_items; i++) {
		const bool drop = rng_percent(&rng, 40);

		other.items[i].dropped |= drop && other.items[i].droppable && other.items[i].text[0] == '\t';
	}
	return policy_text_join(arena, &other);
}

const char *policy_text_join(struct cni_arena *arena, const struct policy_text *policy)
{
	struct cni_text text = { .arena = arena };

	cni_text_puts(&text, "");
	for (size_t i = 0; i < policy->n_items; i++)
		if (!policy->items[i].dropped)
			cni_text_puts(&text, policy->items[i].text);
	return text.data;
}
