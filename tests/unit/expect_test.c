/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect_test.c - `expect`s over spaces against every packet of a small world, their counter-examples, and which of them
 * others imply. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/check/expect.h"
#include "compiler/check/one_packet.h"
#include "compiler/text.h"
#include "grammar/parse.h"

struct world {
	struct cni_arena *arena;
	struct cni_sources sources;
	struct cni_diags diags;
	struct cni_model *model;
};

/* Of `packet`, which may be NULL, in the model's packet. */
static struct world *resolve(const char *text, const char *packet)
{
	struct cni_arena *arena = cni_arena_new();
	struct world *w = cni_new(arena, struct world);
	struct cni_ast ast = { 0 };
	struct cni_ast_decl **tail = &ast.decls;

	w->arena = arena;
	cni_diags_init(&w->diags, arena);
	cni_parse(arena, cni_source_add(arena, &w->sources, "test", text, strlen(text)), &w->diags, &tail);
	if (packet)
		*tail = cni_parse_packet(arena, cni_source_add(arena, &w->sources, "packet", packet, strlen(packet)),
					 &w->diags);
	w->model = cni_resolve(arena, &ast, NULL, 0, &w->diags);
	for (const struct cni_diag *d = w->diags.first; d; d = d->next)
		fail_msg("CNI%03d %s, in %s %s", (int)d->code, d->message, text, packet ? packet : "");
	return w;
}

/* ---- random policies and expects ---- */

static uint64_t seed = 1;

static unsigned int below(unsigned int n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned int)(seed >> 33) % n;
}

#define ONE_OF(list) (list)[below(sizeof(list) / sizeof(*(list)))]

static void add_match(struct cni_text *text)
{
	static const char *const from[] = { "", "", " from 10.1.0.1", " from 10.1.0.0/30", " not from 10.1.0.4/30" };
	static const char *const to[] = { "", " to 20.0.0.1", " to 20.0.0.0/30", " to { 20.0.0.1, 20.0.0.6 }",
					  " not to 20.0.0.2-20.0.0.5" };
	static const char *const rest[] = { "",
					    "",
					    " tcp dport 80",
					    " udp dport { 80, 81 }",
					    " tcp sport 80-81",
					    " not tcp dport 80",
					    " proto tcp",
					    " dscp ef",
					    " not dscp ef",
					    " icmp echo-request" };

	cni_text_printf(text, "%s%s%s", ONE_OF(from), ONE_OF(to), ONE_OF(rest));
}

static const char *random_text(struct cni_arena *arena)
{
	static const char *const paths[] = { "via isp else drop",
					     "via lte then isp else main",
					     "via isp weight 2, lte weight 1 else reject",
					     "via lte else main",
					     "via main",
					     "drop",
					     "reject" };
	static const char *const ends[] = { "drop", "main", "reject" };
	static const char *const days[] = { "", "", " when isp down", " when isp, lte down" };
	static const char *const outcomes[] = { "via isp",	  "via lte", "never via isp", "never via lte",
						"never via main", "drop",    "main",	      "reject" };
	struct cni_text text = { .arena = arena };

	cni_text_puts(&text, "lan l { device eth2; prefix 10.1.0.0/24; }\n"
			     "link isp { kind internet; device eth0; address 198.51.100.2/30; }\n"
			     "link lte { kind internet; device eth1; address 198.51.100.6/30, 2001:db8::2/127; }\n"
			     "policy p on eth2 {\n");
	for (unsigned int i = 0, n = 1 + below(4); i < n; i++) {
		cni_text_printf(&text, "route r%u", i);
		add_match(&text);
		cni_text_printf(&text, " %s;\n", ONE_OF(paths));
	}
	cni_text_printf(&text, "else %s;\n}\nexpect on eth2", ONE_OF(ends));
	add_match(&text);
	cni_text_printf(&text, "%s %s;\n", ONE_OF(days), ONE_OF(outcomes));
	return text.data;
}

/* ---- the reading of one packet ---- */

static bool takes(const struct cni_expect *e, const struct cni_decision *d)
{
	bool takes = e->outcome != CNI_VERDICT_NONE && d->verdict == e->outcome;

	for (size_t i = 0; i < d->n_targets; i++)
		takes |= d->targets[i] == e->target;
	return takes;
}

/* `never`: on no day on which at least those are down that the expect names. */
static bool is_so(const struct world *w, const struct cni_ranges *never, const struct cni_packet *packet)
{
	const struct cni_expect *e = w->model->expects;

	for (unsigned int more = 0; more < (e->never ? 4 : 1); more++) {
		bool down[2] = { more & 1, more & 2 };
		struct cni_decision d;

		for (size_t i = 0; i < e->n_down; i++)
			down[e->down[i]] = true;
		d = cni_evaluate(w->arena, w->model, never, e->device, packet, down);
		assert_int_equal(d.asks, 0);
		if (takes(e, &d) == e->never)
			return false;
	}
	return true;
}

static bool speaks_of(const struct world *w, const struct cni_packet *packet)
{
	struct cni_failed_part *parts;

	return !cni_failed_parts(w->arena, &w->model->expects->match, packet, &parts);
}

/* Every packet of the world; false: for one that the expect speaks of it is not so. */
static bool all_are_so(const struct world *w, const struct cni_ranges *never)
{
	static const uint8_t protos[] = { 6, 17, 1 }, dscps[] = { 0, 46 };
	static const uint16_t sports[] = { 80, 9 }, dports[] = { 80, 81, 9 };

	for (unsigned int i = 0; i < 8 * 9 * 3 * 2 * 3 * 2; i++) {
		const unsigned int to = i / 8 % 9, rest = i / 72;
		const struct cni_packet packet = {
			.known = 127,
			.from = { CNI_V4, 0x0a010000 + i % 8 },
			.to = { CNI_V4, to == 8 ? 0x0a010007 : 0x14000000 + to }, /* the last one is in the lan */
			.proto = protos[rest % 3],
			.sport = sports[rest / 3 % 2],
			.dport = dports[rest / 6 % 3],
			.dscp = dscps[rest / 18],
			.icmp_type = 8,
		};

		if (speaks_of(w, &packet) && !is_so(w, never, &packet))
			return false;
	}
	return true;
}

/* The packet of "such as: …", read by the same grammar. */
static void breaks_by_its_witness(const char *text, const struct cni_diags *diags)
{
	const char *such_as = diags->first->related->message;
	const unsigned int decides = CNI_HAS_FROM | CNI_HAS_TO | CNI_HAS_PROTO | CNI_HAS_DSCP;
	enum cni_match_kind many;
	struct cni_packet packet;
	struct cni_ranges never;
	struct world *w;

	assert_int_equal(strncmp(such_as, "such as: ", 9), 0);
	w = resolve(text, such_as + 9);
	never = cni_never_steered(w->arena, w->model);
	assert_int_equal(cni_one_packet(&w->model->packet->match, &packet, &many), CNI_ONE_PACKET);
	assert_int_equal(packet.known & decides, decides);
	packet.known = 127; /* ports of a protocol without any are 0 */
	if (!speaks_of(w, &packet) || is_so(w, &never, &packet))
		fail_msg("%s is no counter-example, in %s", such_as, text);
	cni_arena_free(w->arena);
}

static void many_packets_are_judged_as_each_of_them(void **state)
{
	unsigned int n_held = 0, n_broken = 0;

	(void)state;
	for (unsigned int i = 0; i < 1500; i++) {
		struct cni_arena *arena = cni_arena_new();
		const char *text = random_text(arena);
		struct world *w = resolve(text, NULL);
		struct cni_ranges never = cni_never_steered(w->arena, w->model);
		struct cni_expects *expects = cni_expects_new(w->arena, w->model);
		const bool holds = cni_expect_holds(expects, w->model->expects, &w->diags);

		cni_expects_free(expects);
		assert_int_equal(holds, !w->diags.first);
		if (holds && !all_are_so(w, &never))
			fail_msg("some packet breaks what is said to hold, in %s", text);
		if (!holds && w->diags.first->code == CNI411 && w->diags.first->related &&
		    !strncmp(w->diags.first->related->message, "such as", 7))
			breaks_by_its_witness(text, &w->diags);
		else if (!holds)
			assert_true(w->diags.first->code == CNI411 ? !all_are_so(w, &never)
								   : w->diags.first->code == CNI415);
		n_held += holds;
		n_broken += !holds;
		cni_arena_free(w->arena);
		cni_arena_free(arena);
	}
	print_message("# %u hold, %u do not\n", n_held, n_broken);
	assert_true(n_held > 100 && n_broken > 300);
}

/* ---- which are implied ---- */

static void finds_those_that_others_imply(void **state)
{
	static const struct {
		const char *one, *other;
		const char *implied; /* which of the two */
	} pairs[] = {
		{ "from 10.1.0.1 to 20.0.0.1 via isp", "from 10.1.0.1 to 20.0.0.1 via isp", "2" },
		{ "from 10.1.0.1 to 20.0.0.1 via isp", "to 20.0.0.1 via isp", "1" },
		{ "from 10.1.0.1 to 20.0.0.1 via isp", "from 10.1.0.2 to 20.0.0.1 via isp", "" },
		{ "from 10.1.0.0/24 to 20.0.0.1 via isp", "from 10.1.0.1 to 20.0.0.1 tcp dport 80 via isp", "2" },
		{ "to 20.0.0.0/8 via isp", "to 20.0.0.0/9 via isp", "2" },
		{ "to 20.0.0.0/8 via isp", "to 20.0.0.0/9 via lte", "" },
		{ "to 20.0.0.0/8 via isp", "to 20.0.0.0/9 when lte down via isp", "" },
		{ "to 20.0.0.0/8 when lte down via isp", "to 20.0.0.0/9 when lte down via isp", "2" },
		/* never is on every day */
		{ "to 20.0.0.0/8 never via isp", "to 20.0.0.0/9 when lte down never via isp", "2" },
		{ "to 20.0.0.0/9 never via isp", "to 20.0.0.0/9 when isp down never via isp", "2" },
		{ "to 20.0.0.0/9 when isp down never via isp", "to 20.0.0.0/9 never via isp", "1" },
		{ "to 20.0.0.0/8 never via main", "to 20.0.0.0/9 when isp down never via main", "2" },
		{ "to 20.0.0.0/8 drop", "to 20.0.0.0/9 proto tcp drop", "2" },
		{ "to 20.0.0.0/8 drop", "to 20.0.0.0/9 proto tcp reject", "" },
		{ "to { 20.0.0.0/8, 2001:db8:9::/48 } drop", "to 2001:db8:9::1 drop", "2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		char text[2048], got[3] = "";
		struct cni_expects *expects;
		struct world *w;

		snprintf(text, sizeof(text),
			 "lan l { device eth2; prefix 10.1.0.0/24; }\n"
			 "link isp { kind internet; device eth0; address 198.51.100.2/30; }\n"
			 "link lte { kind internet; device eth1; address 198.51.100.6/30; }\n"
			 "policy p on eth2 { route r via isp else drop; }\nexpect on eth2 %s;\nexpect on eth2 %s;\n",
			 pairs[i].one, pairs[i].other);
		w = resolve(text, NULL);
		expects = cni_expects_new(w->arena, w->model);
		cni_expects_redundant(expects, &w->diags);
		cni_expects_free(expects);
		for (const struct cni_diag *d = w->diags.first; d; d = d->next) {
			assert_int_equal(d->code, CNI416);
			strcat(got, d->span.begin == w->model->expects[0].decl->span.begin ? "1" : "2");
		}
		if (strcmp(got, pairs[i].implied) != 0)
			fail_msg("implied: `%s`, not `%s`, of %s", got, pairs[i].implied, text);
		cni_arena_free(w->arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_packets_are_judged_as_each_of_them),
		cmocka_unit_test(finds_those_that_others_imply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
