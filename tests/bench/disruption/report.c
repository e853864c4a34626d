/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c - what became of the stream, as lines of "key value". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "stream.h"

struct counts {
	uint64_t sent, lost, lost_between, astray, mixed, twice, late, by[2];
};

static bool is_lost(unsigned int fate)
{
	return (fate & (FATE_SENT | FATE_SEEN)) == FATE_SENT;
}

/* `between`: no update was on its way when the packet was sent. `policy` was the one in force then. */
static void count(struct counts *counts, const struct class *class, unsigned int fate, bool between,
		  unsigned int policy)
{
	const unsigned int by = fate & (FATE_BY(0) | FATE_BY(1));

	counts->sent += !!(fate & FATE_SENT);
	counts->lost += is_lost(fate);
	counts->lost_between += between && is_lost(fate);
	counts->astray += !!(fate & FATE_ASTRAY);
	counts->mixed += !!(fate & FATE_MIXED);
	counts->twice += !!(fate & FATE_TWICE);
	for (unsigned int p = 0; p < 2; p++)
		counts->by[p] += by == FATE_BY(p);
	counts->late += between && class->kind != KIND_PINNED && by && !(by & FATE_BY(policy));
}

static void count_all(const struct stream *s, struct counts *all, struct counts *classes)
{
	unsigned int update = 0;
	uint32_t n = s->next;

	for (uint32_t number = 0; number < n; number++) {
		const unsigned int fate = s->fate[number];
		bool between;

		while (update < s->n_updates && number >= s->updates[update].last)
			update++;
		between = update == s->n_updates || number < s->updates[update].first;
		count(all, &s->classes[fate & FATE_CLASS], fate, between, update % 2);
		count(&classes[fate & FATE_CLASS], &s->classes[fate & FATE_CLASS], fate, between, update % 2);
	}
}

static int compare_updates(const void *a, const void *b)
{
	const struct update *x = a, *y = b;

	return (x->ns > y->ns) - (x->ns < y->ns);
}

static void say_times(struct stream *s)
{
	unsigned int n = s->n_updates;

	qsort(s->updates, n, sizeof(*s->updates), compare_updates);
	printf("updates %u\nfailed %u\nmedian_ms %.1f\nworst_ms %.1f\n", n, s->n_failed,
	       n ? (double)s->updates[n / 2].ns / 1e6 : 0., n ? (double)s->updates[n - 1].ns / 1e6 : 0.);
}

void report(struct stream *s, bool by_class)
{
	struct counts all = { 0 }, classes[MAX_CLASSES] = { 0 };
	uint64_t drops = machine_drops(s);

	count_all(s, &all, classes);
	printf("sent %" PRIu64 "\nrate %.0f\n", all.sent, (double)all.sent * 1e9 / (double)s->ns_sending);
	printf("lost %" PRIu64 "\nlost_between %" PRIu64 "\nastray %" PRIu64 "\nmixed %" PRIu64 "\n", all.lost,
	       all.lost_between, all.astray, all.mixed);
	printf("twice %" PRIu64 "\nlate %" PRIu64 "\n", all.twice, all.late);
	printf("by_first %" PRIu64 "\nby_second %" PRIu64 "\n", all.by[0], all.by[1]);
	printf("machine_drops %" PRIu64 "\nrefused %" PRIu64 "\nstrange %" PRIu64 "\nworst_gap_ms %.1f\n", drops,
	       s->n_refused, s->n_strange, (double)s->ns_worst_gap / 1e6);
	say_times(s);
	for (int c = 0; by_class && c < s->n_classes; c++)
		printf("# %-10s sent %" PRIu64 " lost %" PRIu64 " (%" PRIu64 " between) astray %" PRIu64
		       " mixed %" PRIu64 " twice %" PRIu64 " late %" PRIu64 " first %" PRIu64 " second %" PRIu64 "\n",
		       s->classes[c].name, classes[c].sent, classes[c].lost, classes[c].lost_between, classes[c].astray,
		       classes[c].mixed, classes[c].twice, classes[c].late, classes[c].by[0], classes[c].by[1]);
}
