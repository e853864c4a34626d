/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c - the table: a row for each class of probes, a column for each phase, with what was not as it should be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prober.h"

struct count {
	uint32_t sent, answered, astray, forged, twice;
	struct way elsewhere; /* one of the ways of those that are astray */
	uint64_t lost_since, longest_ns; /* when the first unanswered one of a row was sent, and the longest row */
};

static bool same_way(struct way a, struct way b)
{
	return a.port == b.port && a.outer == b.outer;
}

static bool is_right(const struct class *class, enum wanted wanted, struct way way)
{
	return (wanted != WANT_SECOND && same_way(way, class->want[0])) ||
	       (wanted != WANT_FIRST && same_way(way, class->want[1]));
}

static void count_probe(const struct prober *p, const struct probe *probe, struct count *count)
{
	count->sent++;
	if (!probe->way.port) {
		if (!count->lost_since)
			count->lost_since = probe->sent_ns;
		if (probe->way.outer)
			count->elsewhere = probe->way;
		return;
	}
	if (count->lost_since && probe->sent_ns - count->lost_since > count->longest_ns)
		count->longest_ns = probe->sent_ns - count->lost_since;
	count->lost_since = 0;
	count->answered++;
	count->forged += probe->is_forged;
	count->twice += probe->is_twice;
	if (!is_right(&p->classes[probe->class], p->phases[probe->phase].wanted, probe->way)) {
		count->astray++;
		count->elsewhere = probe->way;
	}
}

static const char *way_text(const struct prober *p, struct way way, char text[2 * NAME_LEN])
{
	snprintf(text, 2 * NAME_LEN, "%s%s%s", way.port ? p->ports[way.port - 1].name : "-", way.outer ? "/" : "",
		 way.outer ? p->ports[way.outer - 1].name : "");
	return text;
}

/* Whether those that were not answered had no way. */
static bool may_lose(const struct class *class, enum wanted wanted)
{
	return wanted == WANT_EITHER || (wanted == WANT_SECOND && !class->want[1].port);
}

/* "600", or "590/600 50ms !3 by net": 590 of 600 were answered, none for 50 ms, three of them by a wrong way. False: those
 * that were answered were not answered as they should have been. */
static bool put_cell(const struct prober *p, const struct count *count, char cell[128])
{
	char text[2 * NAME_LEN];
	int len = 0;

	if (count->answered == count->sent)
		len = snprintf(cell, 128, "%u", count->sent);
	else if (count->longest_ns)
		len = snprintf(cell, 128, "%u/%u %lums", count->answered, count->sent,
			       (unsigned long)(count->longest_ns / 1000000));
	else
		len = snprintf(cell, 128, "%u/%u", count->answered, count->sent);
	if (count->astray)
		len += snprintf(cell + len, 128 - (size_t)len, " !%u by %s", count->astray,
				way_text(p, count->elsewhere, text));
	if (count->forged)
		len += snprintf(cell + len, 128 - (size_t)len, " !%u forged", count->forged);
	if (count->twice)
		snprintf(cell + len, 128 - (size_t)len, " !%u twice", count->twice);
	return !count->astray && !count->forged && !count->twice;
}

static const char *ways_text(const struct prober *p, const struct class *class, char text[4 * NAME_LEN + 4])
{
	char a[2 * NAME_LEN], b[2 * NAME_LEN];

	if (same_way(class->want[0], class->want[1]))
		snprintf(text, 4 * NAME_LEN + 4, "%s", way_text(p, class->want[0], a));
	else
		snprintf(text, 4 * NAME_LEN + 4, "%s, %s", way_text(p, class->want[0], a),
			 way_text(p, class->want[1], b));
	return text;
}

/* True: no more of them is lost than the machine has lost itself, of probes and answers in all. */
static bool only_by_machine(const struct prober *p, const struct count (*counts)[MAX_PHASES], int phase)
{
	uint64_t n = 0;

	for (int i = 0; i < p->n_classes; i++)
		if (!may_lose(&p->classes[i], p->phases[phase].wanted))
			n += counts[i][phase].sent - counts[i][phase].answered;
	if (n)
		printf("# %s: %lu lost, of which the machine may have lost %lu\n", p->phases[phase].name,
		       (unsigned long)n, (unsigned long)p->phases[phase].n_machine);
	return n <= p->phases[phase].n_machine;
}

bool report(const struct prober *p)
{
	struct count(*counts)[MAX_PHASES] = calloc((size_t)p->n_classes, sizeof(*counts));
	const uint64_t drops = socket_drops(p);
	bool all_right = p->n_probes && !drops;

	if (!counts)
		die("calloc");
	for (uint32_t i = 0; i < p->n_probes; i++)
		count_probe(p, &p->probes[i], &counts[p->probes[i].class][p->probes[i].phase]);
	printf("%-36s %4s %-16s", "probe", "/s", "answered by");
	for (int j = 0; j < p->n_phases; j++)
		printf(" %*s", p->phases[j].wanted == WANT_EITHER ? 16 : 8, p->phases[j].name);
	puts("");
	for (int i = 0; i < p->n_classes; i++) {
		char text[4 * NAME_LEN + 4], cell[128];
		bool is_whole = true;

		printf("%-36s %4u %-16s", p->classes[i].name, p->classes[i].rate, ways_text(p, &p->classes[i], text));
		for (int j = 0; j < p->n_phases; j++) {
			all_right &= put_cell(p, &counts[i][j], cell);
			is_whole &= counts[i][j].answered == counts[i][j].sent ||
				    may_lose(&p->classes[i], p->phases[j].wanted);
			printf(" %*s", p->phases[j].wanted == WANT_EITHER ? 16 : 8, cell);
		}
		puts(is_whole ? "" : "  <");
	}
	for (int j = 0; j < p->n_phases; j++)
		all_right &= only_by_machine(p, (const struct count(*)[MAX_PHASES])counts, j);
	printf("# %u probes; the prober was late by up to %lu ms, and had no room for %lu packets\n", p->n_probes,
	       (unsigned long)(p->late_ns / 1000000), (unsigned long)drops);
	free(counts);
	return all_right;
}
