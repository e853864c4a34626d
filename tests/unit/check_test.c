/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_test.c - dead routes against every packet of a small world, the meaning of one packet, and that a check
 * whose prerequisite failed is silent. The codes themselves are tests/golden/bad.t's. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/check/evaluate.h"
#include "compiler/check/shadow.h"
#include "compiler/region/region.h"
#include "compiler/text.h"
#include "grammar/parse.h"

struct world {
	struct cni_arena *arena;
	struct cni_diags diags;
	struct cni_model *model;
};

static struct world compile(const char *text)
{
	struct world w = { .arena = cni_arena_new() };
	struct cni_sources sources = { 0 };
	struct cni_ast ast = { 0 };
	struct cni_ast_decl **tail = &ast.decls;
	const struct cni_source *source = cni_source_add(w.arena, &sources, "test", text, strlen(text));

	cni_diags_init(&w.diags, w.arena);
	cni_parse(w.arena, source, &w.diags, &tail);
	w.model = cni_resolve(w.arena, &ast, NULL, 0, &w.diags);
	cni_check(w.arena, w.model, &w.diags);
	return w;
}

static size_t count(const struct world *w, enum cni_code code)
{
	size_t n = 0;

	for (const struct cni_diag *d = w->diags.first; d; d = d->next)
		n += d->code == code;
	return n;
}

#define LAN "lan l { device eth2; prefix 10.1.0.0/24; }\n"
#define ISP "link isp { kind internet; device eth0; address 198.51.100.2/30; }\n"

/* ---- dead routes ---- */

static uint64_t seed = 1;

static unsigned int below(unsigned int n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned int)(seed >> 33) % n;
}

static void add_addresses(struct cni_text *t, const char *field)
{
	unsigned int a = below(4), b = a + below(4 - a);

	cni_text_printf(t, " %s%s ", below(4) ? "" : "not ", field);
	switch (below(4)) {
	case 0:
	case 2:
		cni_text_printf(t, "{ 20.0.0.%u, 2001:db8::/64 }", a);
		break;
	case 1:
		cni_text_printf(t, "2001:db8::%u", a);
		break;
	default:
		cni_text_printf(t, "20.0.0.%u-20.0.0.%u", a, b);
	}
}

static void add_match(struct cni_text *t)
{
	static const char *const protos[] = { "tcp", "udp" };
	unsigned int lo = below(4), hi = lo + below(4 - lo);

	if (!below(3))
		add_addresses(t, "from");
	if (!below(3))
		add_addresses(t, "to");
	if (!below(5))
		cni_text_printf(t, " %sproto { %s, gre }", below(3) ? "" : "not ", protos[below(2)]);
	if (!below(3))
		cni_text_printf(t, " %s%s dport { %u, %u }", below(3) ? "" : "not ", protos[below(2)], lo, hi);
	if (!below(3))
		cni_text_printf(t, " %s%s sport %u", below(3) ? "" : "not ", protos[below(2)], below(4));
	if (!below(2))
		cni_text_printf(t, " %sservice { tcp %u, udp %u-%u }", below(3) ? "" : "not ", below(4), lo, hi);
	if (!below(3))
		cni_text_printf(t, " %sicmp { %u, 3 }", below(3) ? "" : "not ", below(3));
	if (!below(4))
		cni_text_printf(t, " %sicmpv6 %u", below(3) ? "" : "not ", below(3));
	if (!below(5))
		cni_text_printf(t, " %sdscp %u", below(3) ? "" : "not ", below(3));
}

/* Which values the packets have that a route takes; the numbers of addresses are try_addresses()'s. */
struct seen {
	bool any, from[CNI_N_FAMILIES][5], to[CNI_N_FAMILIES][5], proto[256], dport[256][5], type[256][5];
};

/* Calls evaluate on a packet and notes which route took it. */
static void try_packet(const struct world *w, const struct cni_ranges *never, struct cni_packet *p, unsigned int from,
		       unsigned int to, struct seen *seen)
{
	static const bool up[1];

	for (p->dscp = 0; p->dscp < 4; p->dscp++) {
		struct cni_decision decision = cni_evaluate(w->arena, w->model, never, "eth2", p, up);
		struct seen *by;

		assert_int_equal(decision.asks, 0);
		if (!decision.route)
			continue;
		by = &seen[decision.route - w->model->policies->routes];
		by->any = by->proto[p->proto] = true;
		by->from[p->from.family][from] = by->to[p->from.family][to] = true;
		by->dport[p->proto][p->dport] = by->type[p->proto][p->icmp_type] = true;
	}
}

/* All values that the random matches can tell apart: those that they name, and one that they never do. */
static void try_addresses(const struct world *w, const struct cni_ranges *never, enum cni_family family,
			  struct seen *seen)
{
	const cni_u128 base = family == CNI_V4 ? 20 << 24 : (cni_u128)0x20010db8 << 96;
	static const uint8_t protos[] = { 6, 17, 47, 1, 58, 99 };
	struct cni_packet p = { 0 };

	p.known = CNI_HAS_FROM | CNI_HAS_TO | CNI_HAS_PROTO | CNI_HAS_SPORT | CNI_HAS_DPORT | CNI_HAS_DSCP |
		  CNI_HAS_ICMP_TYPE;
	for (unsigned int from = 0; from <= 4; from++)
		for (unsigned int to = 0; to <= 4; to++) {
			p.from = (struct cni_addr){ family, from == 4 && family == CNI_V6 ? 1 : base + from };
			p.to = (struct cni_addr){ family, to == 4 && family == CNI_V6 ? 1 : base + to };
			for (size_t i = 0; i < sizeof(protos); i++) {
				bool ports = protos[i] == 6 || protos[i] == 17,
				     types = protos[i] == 1 || protos[i] == 58;

				p.proto = protos[i];
				for (p.sport = 0; p.sport <= (ports ? 4 : 0); p.sport++)
					for (p.dport = 0; p.dport <= (ports ? 4 : 0); p.dport++)
						for (p.icmp_type = 0; p.icmp_type <= (types ? 4 : 0); p.icmp_type++)
							try_packet(w, never, &p, from, to, seen);
			}
		}
}

#define POLICIES 100
#define ROUTES 6

static void try_all(const struct world *w, struct seen *seen)
{
	const struct cni_ranges never = cni_never_steered(w->arena, w->model);

	try_addresses(w, &never, CNI_V4, seen);
	try_addresses(w, &never, CNI_V6, seen);
}

static bool is_reported_dead(const struct cni_diags *diags, const struct cni_route *route)
{
	for (const struct cni_diag *d = diags->first; d; d = d->next)
		if ((d->code == CNI401 || d->code == CNI402 || d->code == CNI404) &&
		    d->span.begin == route->ast->name.span.begin)
			return true;
	return false;
}

static size_t count_within(const struct cni_diags *diags, enum cni_code code, struct cni_span span)
{
	size_t n = 0;

	for (const struct cni_diag *d = diags->first; d; d = d->next)
		n += d->code == code && d->span.begin >= span.begin && d->span.end <= span.end;
	return n;
}

/* Whether packets have a value of lo..hi in one list, and in the other. */
static bool is_lost(const bool *alone, const bool *among, unsigned int lo, unsigned int hi)
{
	bool possible = false, alive = false;

	for (unsigned int i = lo; i <= hi && i < 5; i++) {
		possible |= alone[i];
		alive |= among[i];
	}
	return possible && !alive;
}

/* What add_addresses() writes as a list: of IPv4 one address, of IPv6 a network that has all but the last. */
static bool loses_address(const struct cni_ranges *ranges, const struct cni_items *written,
			  const bool alone[CNI_N_FAMILIES][5], const bool among[CNI_N_FAMILIES][5])
{
	unsigned int at = ranges->n_v4 ? ranges->v4[0].lo & 0xff : 0;

	return written->n_items == 2 &&
	       (is_lost(alone[CNI_V4], among[CNI_V4], at, at) || is_lost(alone[CNI_V6], among[CNI_V6], 0, 3));
}

/* How many fields of a living route name something that only other routes see. */
static size_t count_losses(const struct cni_match *m, const struct seen *alone, const struct seen *among)
{
	size_t n = loses_address(&m->from, &m->from_written, alone->from, among->from) +
		   loses_address(&m->to, &m->to_written, alone->to, among->to);
	bool lost = false;

	for (unsigned int p = 0; m->has_proto && !m->not_proto && p < 256; p++)
		lost |= (m->proto[p / 64] >> (p % 64) & 1) && alone->proto[p] && !among->proto[p];
	n += lost;
	for (size_t i = 0; i < m->n_ports; i++) {
		const struct cni_ports *ports = &m->ports[i].ports;

		lost = false;
		for (size_t k = 0; k < ports->n_items && !m->ports[i].negated; k++)
			lost |= is_lost(alone->dport[ports->items[k].proto], among->dport[ports->items[k].proto],
					ports->items[k].lo, ports->items[k].hi);
		n += lost && ports->n_items > 1;
	}
	for (size_t i = 0; i < m->n_icmp; i++) {
		const unsigned int proto = m->icmp[i].family == CNI_V4 ? 1 : 58;
		bool apart = !(m->icmp[i].types[0] >> 2 & 1); /* 2 and 3 are one */

		lost = false;
		for (unsigned int t = 0; t < 4 && !m->icmp[i].negated && proto == 1 && apart; t++)
			lost |= (m->icmp[i].types[0] >> t & 1) && is_lost(alone->type[proto], among->type[proto], t, t);
		n += lost;
	}
	return n;
}

/* The usual way; packet spaces at once, route by route; packet spaces for all routes of a policy together. */
static const struct cni_shadow_limits ways[] = {
	{ UINT64_C(1) << 22, UINT64_C(1) << 27, 1024, 1 << 16, 1000000 },
	{ 1, UINT64_C(1) << 27, 1024, 1 << 16, 1000000 },
	{ UINT64_C(1) << 22, UINT64_C(1) << 27, 0, 1 << 16, 1000000 },
	{ 1, UINT64_C(1) << 27, 1, 0, 1000000 },
	{ 1, 400, 1, 0, 1000000 }, /* areas are not complete, and members are left out */
};

struct random_policy {
	char *routes[ROUTES];
};

static struct world compile_routes(struct cni_arena *arena, char *const *routes, size_t n)
{
	struct cni_text text = { .arena = arena };

	cni_text_puts(&text, LAN ISP "policy p on eth2 {\n");
	for (size_t i = 0; i < n; i++)
		cni_text_puts(&text, routes[i]);
	cni_text_puts(&text, "else drop; }\n");
	return compile(text.data);
}

static struct random_policy random_policy(struct cni_arena *arena)
{
	struct random_policy policy;

	for (unsigned int r = 0; r < ROUTES; r++) {
		struct cni_text text = { .arena = arena };

		cni_text_printf(&text, "route r%u", r);
		add_match(&text);
		cni_text_puts(&text, " via isp masquerade else drop;\n");
		policy.routes[r] = text.data;
	}
	return policy;
}

static void fail_policy(const struct random_policy *policy, const struct cni_shadow_limits *way,
			const struct cni_route *route, const char *what)
{
	for (unsigned int r = 0; r < ROUTES; r++)
		print_message("%s", policy->routes[r]);
	fail_msg("way %zu: route %s is %s, but reported otherwise", (size_t)(way - ways), route->name, what);
}

/* What a way says of a policy, against all packets that its matches can tell apart. */
static void compare_way(const struct world *w, const struct cni_shadow_limits *way, const struct random_policy *policy,
			const struct seen *seen, const struct seen *alone)
{
	struct cni_diags diags;
	const struct cni_checker c = { w->arena, w->model, &diags };

	cni_diags_init(&diags, w->arena);
	cni_shadow_each(&c, way, cni_shadow_members, NULL);
	for (unsigned int r = 0; r < ROUTES; r++) {
		const struct cni_route *route = &w->model->policies->routes[r];
		size_t lost = seen[r].any ? count_losses(&route->match, &alone[r], &seen[r]) : 0;
		size_t told = count_within(&diags, CNI430, route->ast->span);

		if (is_reported_dead(&diags, route) == seen[r].any)
			fail_policy(policy, way, route, seen[r].any ? "alive" : "dead");
		if (told != lost && way->run > 400)
			fail_policy(policy, way, route, lost ? "losing more" : "losing less");
	}
}

static void finds_exactly_what_never_matches(void **state)
{
	unsigned int dead = 0, living = 0, losses = 0;

	(void)state;
	for (unsigned int i = 0; i < POLICIES; i++) {
		struct cni_arena *arena = cni_arena_new();
		const struct random_policy policy = random_policy(arena);
		struct world w = compile_routes(arena, policy.routes, ROUTES);
		struct seen seen[ROUTES] = { 0 }, alone[ROUTES] = { 0 };

		assert_int_equal(w.diags.n_errors, 0);
		try_all(&w, seen);
		for (unsigned int r = 0; r < ROUTES; r++) {
			struct world one = compile_routes(arena, &policy.routes[r], 1);

			try_all(&one, &alone[r]);
			cni_arena_free(one.arena);
			dead += !seen[r].any;
			living += seen[r].any;
			losses += seen[r].any && count_losses(&w.model->policies->routes[r].match, &alone[r], &seen[r]);
		}
		for (size_t k = 0; k < sizeof(ways) / sizeof(*ways); k++)
			compare_way(&w, &ways[k], &policy, seen, alone);
		cni_arena_free(w.arena);
		cni_arena_free(arena);
	}
	assert_true(dead > POLICIES / 2 && living > POLICIES && losses > POLICIES / 10);
}

static void says_which_limit_was_reached(void **state)
{
	static const struct cni_shadow_limits few = { 1, 1 << 20, 1, 1 << 16, 10000 };
	struct cni_arena *arena = cni_arena_new();
	struct cni_text text = { .arena = arena };
	struct cni_diags diags;
	struct world w;

	(void)state;
	cni_text_puts(&text, LAN ISP "policy p on eth2 {\n");
	for (unsigned int i = 0; i < 128; i++)
		cni_text_printf(&text, "route r%u from 20.0.%u.%u-20.0.%u.9 to 30.%u.%u.0-30.%u.9.9 drop;\n", i, i, i,
				i + 99, 255 - i, i * 77 % 256, 255 - i / 2);
	cni_text_puts(&text, "route all from 20.0.0.0/16 to 30.0.0.0/8 tcp dport 7-9 drop; else drop; }\n");
	w = compile(text.data);
	assert_int_equal(w.diags.n_errors, 0);
	cni_diags_init(&diags, w.arena);
	cni_shadow_each(&(struct cni_checker){ w.arena, w.model, &diags }, &few, cni_shadow_members, NULL);
	assert_int_equal(count_within(&diags, CNI403, w.model->policies->decl->span), 1);
	cni_arena_free(w.arena);
	cni_arena_free(arena);
}

static void takes_no_time_over_many_routes(void **state)
{
	struct cni_arena *arena = cni_arena_new();
	struct cni_text text = { .arena = arena };
	struct world w;

	(void)state;
	cni_text_puts(&text, LAN ISP "policy p on eth2 {\n");
	for (unsigned int i = 0; i < 1000; i++)
		cni_text_printf(&text, "route r%u to 20.0.%u.%u/30 via isp else drop;\n", i, i / 64, i % 64 * 4);
	cni_text_puts(&text, "route dead to 20.0.8.0/22 via isp else drop; else drop; }\n");
	w = compile(text.data);
	assert_int_equal(count(&w, CNI401), 1); /* by 256 routes together */
	assert_int_equal(count(&w, CNI403), 0); /* none was given up */
	cni_arena_free(w.arena);
	cni_arena_free(arena);
}

/* Disjoint in one field or another, in no order: no two of them need be compared. */
static void takes_no_time_over_disjoint_routes(void **state)
{
	static const char *const forms[] = { "to 20.%u.%u.%u", "from 21.%u.%u.%u", "proto gre from 23.%u.%u.%u",
					     "dscp ef to 22.%u.%u.%u tcp dport 80" };
	struct cni_arena *arena = cni_arena_new();
	struct cni_text text = { .arena = arena };
	struct world w;

	(void)state;
	cni_text_puts(&text, LAN ISP "policy p on eth2 {\n");
	for (unsigned int i = 0; i < 20000; i++) {
		unsigned int j = i * 7919 % 20000; /* every number once */
		char match[64];

		snprintf(match, sizeof(match), forms[i % 4], j >> 16, j >> 8 & 255, j & 255);
		cni_text_printf(&text, "route r%u %s via isp masquerade else drop;\n", i, match);
	}
	cni_text_puts(&text, "route dead to 20.0.1.4 via isp masquerade else drop; else drop; }\n");
	w = compile(text.data);
	assert_int_equal(w.diags.n_errors, 0);
	assert_int_equal(count(&w, CNI401), 1);
	assert_int_equal(count(&w, CNI403), 0);
	cni_arena_free(w.arena);
	cni_arena_free(arena);
}

static void stops_when_the_work_is_used_up(void **state)
{
	struct cni_arena *arena = cni_arena_new();
	struct cni_region all = cni_region_all(arena, CNI_V4);
	struct cni_regions left = { 0 };
	struct cni_work work = { .left = 10 };

	(void)state;
	*cni_push(arena, left.items, left.n_items) = all;
	for (uint32_t i = 0; i < 1000 && !work.spent; i++) {
		struct cni_ranges some = { 0 };
		struct cni_region less;

		cni_ranges_add(arena, &some, (struct cni_addr){ CNI_V4, i * 4 },
			       (struct cni_addr){ CNI_V4, i * 4 + 1 });
		less = cni_region_to(&all, &some);
		cni_regions_minus(arena, &left, &less, &work);
		assert_true(i < 10);
	}
	assert_true(work.spent);
	assert_int_equal(work.left, 0);
	cni_arena_free(arena);
}

static void names_the_routes_that_take_all(void **state)
{
	struct world w = compile(LAN ISP "policy p on eth2 {\n"
					 "route spare to 20.0.0.0/10 via isp masquerade else drop;\n"
					 "route a to 20.0.0.0/9 via isp masquerade else drop;\n"
					 "route b to 20.128.0.0/9 via isp masquerade else drop;\n"
					 "route c to 20.0.0.0/8 tcp dport 80 via isp masquerade else drop;\n"
					 "else drop; }\n");

	(void)state;
	assert_int_equal(count(&w, CNI401), 1);
	for (const struct cni_diag *d = w.diags.first; d; d = d->next)
		if (d->code == CNI401) {
			assert_non_null(strstr(d->message, "route `c`"));
			assert_non_null(strstr(d->related->message, "`a`"));
			assert_non_null(strstr(d->related->next->message, "`b`"));
			assert_null(d->related->next->next);
		}
	cni_arena_free(w.arena);
}

/* ---- expectations ---- */

#define TUNNELS                                                                                                        \
	LAN ISP "link lte { kind internet; device wwan0; address dhcp; }\n"                                            \
		"tunnel a { kind gre; over isp; local 198.51.100.2; remote 203.0.113.1; address 10.9.0.1/31; track "   \
		"off; }\n"                                                                                             \
		"tunnel b { kind gre; over isp then lte; local 198.51.100.9; remote 203.0.113.2; address "             \
		"10.9.0.3/31,\n"                                                                                       \
		" 2001:db8:9::3/127; track off; }\n"                                                                   \
		"policy p on eth2 {\n"                                                                                 \
		"route web tcp dport 443 via a then b else reject;\n"                                                  \
		"route ef dscp ef via b else drop;\n"                                                                  \
		"route ping icmp echo-request via b else main;\n"                                                      \
		"route share to 20.0.0.0/8 via a weight 3, b weight 1 else drop;\n"                                    \
		"route fixed to 21.0.0.0/8 drop;\n"                                                                    \
		"else main; }\n"

static void decides_as_the_policy_says(void **state)
{
	static const struct {
		const char *text;
		int code; /* 0: holds */
	} expects[] = {
		{ "from 10.1.0.5 to 30.0.0.1 tcp dport 443 via a", 0 },
		{ "from 10.1.0.5 to 30.0.0.1 tcp dport 443 via b", CNI411 },
		{ "to 30.0.0.1 tcp dport 443 via a", 0 },
		{ "from 10.1.0.5 to 30.0.0.1 tcp dport 443 when a down via b", 0 },
		{ "from 10.1.0.5 to 30.0.0.1 tcp dport 443 when a, b down reject", 0 },
		/* a tunnel is down with the last of its links */
		{ "from 10.1.0.5 to 30.0.0.1 tcp dport 443 when isp down via b", 0 },
		{ "from 10.1.0.5 to 30.0.0.1 tcp dport 443 when isp, lte down reject", 0 },
		{ "from 10.1.0.5 to 30.0.0.1 tcp dport 443 when a down drop", CNI411 },
		/* a carries no IPv6 */
		{ "from 2001:db8:1::1 to 2001:db8:2::1 tcp dport 443 via b", 0 },
		{ "from 2001:db8:1::1 to 2001:db8:2::1 tcp dport 443 never via a", 0 },
		/* `never` speaks of every day */
		{ "from 10.1.0.5 to 30.0.0.1 tcp dport 443 never via b", CNI411 },
		{ "from 10.1.0.5 to 30.0.0.1 tcp dport 443 never via isp", 0 },
		{ "from 10.1.0.5 to 30.0.0.1 tcp dport 443 when b down never via b", 0 },
		{ "from 10.1.0.5 to 20.0.0.1 udp dport 53 dscp be via a", 0 },
		{ "from 10.1.0.5 to 20.0.0.1 udp dport 53 dscp be via b", 0 },
		{ "from 10.1.0.5 to 20.0.0.1 udp dport 53 dscp be via isp", CNI411 },
		{ "from 10.1.0.5 to 20.0.0.1 udp dport 53 dscp be when a, b down drop", 0 },
		{ "from 10.1.0.5 to 21.0.0.1 udp dport 53 dscp be drop", 0 },
		{ "from 10.1.0.5 to 21.0.0.1 udp dport 53 dscp be main", CNI411 },
		{ "from 10.1.0.5 to 30.0.0.1 udp dport 53 dscp be main", 0 },
		{ "from 10.1.0.5 to 30.0.0.1 icmp echo-request dscp be via b", 0 },
		{ "from 10.1.0.5 to 30.0.0.1 icmp echo-reply dscp be main", 0 },
		/* never steered: a lan, our own, on-link, multicast, link-local, broadcast */
		{ "to 10.1.0.9 main", 0 },
		{ "to 10.1.0.9 drop", CNI411 },
		{ "to 198.51.100.9 main", 0 },
		{ "to 198.51.100.1 main", 0 },
		{ "to 10.9.0.2 main", 0 },
		{ "to 224.0.0.5 main", 0 },
		{ "to 169.254.1.1 main", 0 },
		{ "to 255.255.255.255 main", 0 },
		{ "to ff02::1 main", 0 },
		{ "to fe80::1 main", 0 },
		/* what is left out may be anything */
		{ "from 10.1.0.5 to 21.0.0.1 udp dport 53 drop", CNI411 },
		{ "from 10.1.0.5 to 21.0.0.1 udp dport 53 not dscp ef drop", 0 },
		{ "from 10.1.0.5 to 30.0.0.1 dscp be main", CNI411 },
		{ "from 10.1.0.5 to 30.0.0.1 tcp sport 9 dscp be main", CNI411 },
		{ "from 10.1.0.5 to 30.0.0.1 tcp sport 9 not tcp dport 443 dscp be main", 0 },
		{ "from 10.1.0.5 tcp dport 443 via a", CNI411 }, /* to the lan, say */
		/* many packets */
		{ "from 10.1.0.0/24 to 30.0.0.1 tcp dport 443 via a", 0 },
		{ "from 10.1.0.5 to not 30.0.0.1 via a", -1 },
		{ "from 10.1.0.5 to 30.0.0.1 tcp dport { 443, 80 } via a", CNI411 },
		{ "from 10.1.0.5 not to 30.0.0.1 tcp dport 443 via a", CNI411 },
		{ "to 40.0.0.0/8 tcp dport 443 via a", 0 },
		{ "to 40.0.0.0/8 tcp dport 443 when a down via b", 0 },
		{ "to 40.0.0.0/8 tcp dport 443 when isp, lte down reject", 0 },
		{ "to { 40.0.0.0/8, 2001:db8:7::/48 } tcp dport 443 via a", CNI411 }, /* a carries no IPv6 */
		{ "to { 40.0.0.0/8, 2001:db8:7::/48 } tcp dport 443 when a down via b", 0 },
		{ "to 2001:db8:7::/48 never via a", 0 },
		{ "to 40.0.0.0/8 never via isp", 0 },
		{ "to 40.0.0.0/8 never via b", CNI411 },
		{ "to 40.0.0.0/8 when b down never via b", 0 },
		{ "to 20.0.0.0/8 dscp be proto udp via a", 0 },
		{ "to 20.0.0.0/8 dscp be proto udp when a down via b", 0 },
		{ "to 21.0.0.0/8 dscp be proto gre drop", 0 },
		{ "to { 21.0.0.0/8, 22.0.0.0/8 } dscp be proto gre drop", CNI411 },
		{ "to { 10.1.0.0/24, 224.0.0.0/4 } main", 0 },
		/* on every day: `ping` goes on to main when b is down */
		{ "to 40.0.0.0/8 icmp echo-request dscp be via b", 0 },
		{ "to 40.0.0.0/8 icmp echo-request dscp be never via main", CNI411 },
		{ "to 40.0.0.1 icmp echo-request dscp be never via main", CNI411 },
		{ "to 20.0.0.0/8 proto tcp dscp be never via main", 0 },
		{ "proto tcp udp dport 53 via a", CNI415 },
		{ "to 20.0.0.0/8 from 2001:db8::/32 via a", CNI415 },
		{ "from 10.1.0.5 to 30.0.0.1 tcp dport 443 udp sport 9 via a", CNI415 },
		{ "from 10.1.0.5 to 30.0.0.1 proto udp tcp dport 443 via a", CNI415 },
		{ "from 10.1.0.5 to 2001:db8::1 tcp dport 443 via a", CNI415 },
		{ "from 10.1.0.5 to 30.0.0.1 icmpv6 echo-request via a", CNI415 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(expects) / sizeof(*expects); i++) {
		char text[2048];
		struct world w;

		snprintf(text, sizeof(text), TUNNELS "expect on eth2 %s;\n", expects[i].text);
		w = compile(text);
		if (expects[i].code < 0 ? !w.diags.n_errors
		    : expects[i].code	? !count(&w, (enum cni_code)expects[i].code) || w.diags.n_errors != 1
					: w.diags.n_errors > 0)
			fail_msg("expect %s: %zu errors, the first: CNI%03d %s", expects[i].text, w.diags.n_errors,
				 w.diags.first ? (int)w.diags.first->code : 0,
				 w.diags.first ? w.diags.first->message : "");
		cni_arena_free(w.arena);
	}
}

/* ---- the registry ---- */

static void prerequisites_silence(void **state)
{
	/* the unknown target makes the link look unused */
	struct world w =
		compile(LAN ISP "link cf { kind express; device eth1; address 192.0.2.11/31; track off; health off; }\n"
				"policy p on eth2 { route a via cg else drop; else drop; }\n");

	(void)state;
	assert_int_equal(w.diags.n_errors, 1);
	assert_int_equal(count(&w, CNI220), 0);
	cni_arena_free(w.arena);
	/* an IPsec tunnel has no GRE header to complain of, but a name */
	w = compile(LAN ISP
		    "tunnel gre0 { kind ipsec; over isp; local 198.51.100.2; remote 203.0.113.1; address 10.9.0.1/31;\n"
		    " ttl inherit; mtu 100; }\n"
		    "policy p on eth2 { route a via gre0 else drop; else drop; }\n");
	assert_int_equal(count(&w, CNI302), 1);
	assert_int_equal(count(&w, CNI304), 1);
	assert_int_equal(w.diags.n_errors + w.diags.n_warnings, 2);
	cni_arena_free(w.arena);
	/* one tunnel's mistake does not silence another's */
	w = compile(LAN ISP
		    "tunnel a { kind ipsec; over isp; local 198.51.100.2; remote 203.0.113.1; address 10.9.0.1/31; }\n"
		    "tunnel b { kind gre; over isp; local 198.51.100.2; remote 203.0.113.2; address 10.9.0.3/31;\n"
		    " track off; mtu 100; }\n"
		    "policy p on eth2 { route a via a then b else drop; else drop; }\n");
	assert_int_equal(count(&w, CNI302), 1);
	assert_int_equal(count(&w, CNI310), 1);
	cni_arena_free(w.arena);
}

static void profile_2026_allows_bgp_on_express(void **state)
{
	static const char *const profiles[] = { "", "profile 2024;\n", "profile 2026;\n" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char text[1024];
		struct world w;

		snprintf(text, sizeof(text),
			 "%s" LAN ISP
			 "link cf { kind express; device eth1; address 192.0.2.11/31; track off; health off;\n"
			 " bgp { local-as 64512; peer-as 13335; } }\n"
			 "policy p on eth2 { route a via cf else drop; else drop; }\n",
			 profiles[i]);
		w = compile(text);
		assert_int_equal(count(&w, CNI201), i < 2);
		assert_int_equal(w.diags.n_errors, i < 2);
		cni_arena_free(w.arena);
	}
}

static void codes_ascend(void **state)
{
	size_t n;
	const struct cni_code_info *codes = cni_code_table(&n);

	(void)state;
	for (size_t i = 1; i < n; i++)
		assert_true(codes[i - 1].code < codes[i].code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_exactly_what_never_matches),
		cmocka_unit_test(says_which_limit_was_reached),
		cmocka_unit_test(takes_no_time_over_many_routes),
		cmocka_unit_test(takes_no_time_over_disjoint_routes),
		cmocka_unit_test(stops_when_the_work_is_used_up),
		cmocka_unit_test(names_the_routes_that_take_all),
		cmocka_unit_test(decides_as_the_policy_says),
		cmocka_unit_test(prerequisites_silence),
		cmocka_unit_test(profile_2026_allows_bgp_on_express),
		cmocka_unit_test(codes_ascend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
