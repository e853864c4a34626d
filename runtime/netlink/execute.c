/* SPDX-License-Identifier: GPL-2.0-or-later */
/* execute.c - steps to messages, and messages to the kernel; see execute.h. */
#include "runtime/netlink/execute.h"

#include <errno.h>
#include <string.h>

#include "compiler/arena.h"
#include "runtime/netlink/encode.h"
#include "runtime/netlink/report.h"

#ifndef ERESTART
#define ERESTART 85
#endif

/* ---- one step over rtnetlink or /proc/sys ---- */

static int write_path(struct rt_netlink *nl, const char *path, int value, struct rt_refusal *refusal)
{
	nl->n_changes++;
	refusal->error = nl->transport->write_setting(nl->transport, path, value);
	refusal->message = 0;
	return refusal->error;
}

static int execute_route(struct rt_netlink *nl, const struct cni_step *step, struct rt_refusal *refusal)
{
	const struct rt_encoder *encoder = &rt_encoders[step->object];
	rt_auto_batch struct rt_batch batch = { 0 };
	struct rt_writer w = { .nl = nl, .batch = &batch };
	char room[128];
	const char *path;

	if (step->object == CNI_SETTING) {
		if (!step->after)
			return 0; /* goes with its device */
		path = rt_setting_path(step->after, room);
		if (path)
			return write_path(nl, path, ((const struct cni_st_setting *)step->after)->value, refusal);
		encoder->change(&w, step->before, step->after);
	} else if (step->before && step->after && encoder->change && step->op == CNI_CHANGE) {
		encoder->change(&w, step->before, step->after);
	} else {
		if (step->before)
			encoder->del(&w, step->before);
		if (step->after)
			encoder->add(&w, step->after);
	}
	if (step->object == CNI_LINK)
		rt_forget_devices(nl);
	return rt_exchange(nl, RT_ROUTE, &batch, refusal);
}

/* ---- steps over nftables, as one batch ---- */

typedef void write_step(struct rt_writer *w, const struct cni_step *step);

static void remove_rules(struct rt_writer *w, const struct cni_step *step)
{
	const struct cni_st_chain *chain = step->before;

	if (chain && (step->object == CNI_BASE_RULES || (step->object == CNI_CHAIN && chain->n_rules)))
		rt_nft_flush(w, chain);
}

static void remove_set(struct rt_writer *w, const struct cni_step *step)
{
	if (step->object != CNI_SET || !step->before)
		return;
	if (step->op == CNI_CHANGE && step->after)
		rt_nft_empty(w, step->before);
	else
		rt_nft_set(w, step->before, false);
}

static void remove_chain(struct rt_writer *w, const struct cni_step *step)
{
	if (step->object == CNI_CHAIN && step->before && !(step->op == CNI_CHANGE && step->after))
		rt_nft_chain(w, step->before, false);
}

static void remove_counter(struct rt_writer *w, const struct cni_step *step)
{
	if (step->object == CNI_COUNTER && step->before)
		rt_nft_counter(w, step->before, false);
}

static void remove_table(struct rt_writer *w, const struct cni_step *step)
{
	if (step->object == CNI_TABLE_NFT && step->before && !step->after)
		rt_nft_table(w, false);
}

static void add_table(struct rt_writer *w, const struct cni_step *step)
{
	if (step->object == CNI_TABLE_NFT && step->after && !step->before)
		rt_nft_table(w, true);
}

static void add_counter(struct rt_writer *w, const struct cni_step *step)
{
	if (step->object == CNI_COUNTER && step->after)
		rt_nft_counter(w, step->after, true);
}

static void add_set(struct rt_writer *w, const struct cni_step *step)
{
	if (step->object == CNI_SET && step->after && !(step->op == CNI_CHANGE && step->before))
		rt_nft_set(w, step->after, true);
}

static void add_chain(struct rt_writer *w, const struct cni_step *step)
{
	if (step->object == CNI_CHAIN && step->after && !(step->op == CNI_CHANGE && step->before))
		rt_nft_chain(w, step->after, true);
}

static void add_elements(struct rt_writer *w, const struct cni_step *step)
{
	if (step->object == CNI_SET && step->after)
		rt_nft_elements(w, step->after);
}

/* The rules of a chain with a fixed name are a step of their own. */
static void add_rules(struct rt_writer *w, const struct cni_step *step)
{
	const struct cni_st_chain *chain = step->after;

	if (chain && (step->object == CNI_BASE_RULES || (step->object == CNI_CHAIN && !cni_chain_flips(chain))))
		rt_nft_rules(w, chain);
}

/* Nothing is removed while something refers to it, and nothing referred to before it is there: rules, then the sets
 * that lead to chains, then the chains; and the other way round. */
static write_step *const passes[] = { add_table,   remove_rules, remove_set, remove_chain, remove_counter,
				      add_counter, add_set,	 add_chain,  add_elements, add_rules };

static void write_batch(struct rt_writer *w, const struct cni_step *steps, size_t n, uint32_t generation)
{
	bool gone = false;

	rt_nft_begin(w, generation);
	for (size_t i = 0; i < n; i++) {
		w->tag = i;
		remove_table(w, &steps[i]);
		gone |= steps[i].object == CNI_TABLE_NFT && !steps[i].after;
	}
	/* with the table goes all that is in it */
	for (size_t pass = 0; !gone && pass < sizeof(passes) / sizeof(*passes); pass++)
		for (size_t i = 0; i < n; i++) {
			w->tag = i;
			passes[pass](w, &steps[i]);
		}
	rt_nft_end(w);
}

static int execute_nft(struct rt_netlink *nl, const struct cni_step *steps, size_t n, uint32_t generation,
		       size_t *refused, struct rt_refusal *refusal)
{
	rt_auto_batch struct rt_batch batch = { 0 };
	struct rt_writer w = { .nl = nl, .batch = &batch };
	int rc;

	write_batch(&w, steps, n, generation);
	if (batch.n == 2)
		return 0; /* the frames only */
	rc = rt_exchange(nl, RT_NETFILTER, &batch, refusal);
	nl->n_batches += !rc;
	*refused = batch.failed;
	if (rc && !batch.error && refusal->message < batch.n && batch.tags[refusal->message] != RT_NO_TAG)
		*refused = batch.tags[refusal->message];
	return rc;
}

/* ---- all of them ---- */

static bool is_gone(const struct cni_step *step, int error)
{
	return !step->after && (error == -ENOENT || error == -ENODEV || error == -ESRCH || error == -EADDRNOTAVAIL);
}

/* Of a device, the first message may have been taken and the second refused. To write a setting's former value again
 * does no harm whatever came of it. Where the answer did not come for anything else, to remove what was perhaps never
 * made might hit someone else's. */
static bool may_be_done(const struct cni_step *step, const struct rt_refusal *refusal)
{
	return step->object == CNI_SETTING || (refusal->message != SIZE_MAX && refusal->message > 0);
}

int rt_execute(struct rt_execution *run, const struct cni_step *steps, size_t n)
{
	int first = 0;

	run->n_done = run->n_refused = 0;
	for (size_t i = 0, next; i < n; i = next) {
		struct rt_refusal refusal = { .message = SIZE_MAX };
		size_t refused = 0;
		int rc;

		next = i + 1;
		while (rt_is_nft(&steps[i]) && next < n && rt_is_nft(&steps[next]))
			next++;
		if (rt_is_nft(&steps[i]))
			rc = execute_nft(run->nl, steps + i, next - i, run->generation, &refused, &refusal);
		else
			rc = execute_route(run->nl, &steps[i], &refusal);
		if (rc && is_gone(&steps[i], rc) && !rt_is_nft(&steps[i]))
			rc = 0;
		if (!rc) {
			run->n_done = first ? run->n_done : next;
			continue;
		}
		run->n_refused += next - i;
		if (!first && !rt_is_nft(&steps[i]) && may_be_done(&steps[i], &refusal))
			run->n_done = next;
		first = first ? first : rc;
		if (run->diags && rc != -ERESTART)
			rt_report(run->diags, run->code, &steps[i + refused], &refusal);
		if (!run->keep_going)
			break;
	}
	return first;
}

uint32_t rt_generation_after(uint32_t generation, size_t n)
{
	while (n--)
		generation = generation + 1 ? generation + 1 : 1; /* it is never 0 */
	return generation;
}

struct cni_step *rt_inverse(struct cni_arena *arena, const struct cni_step *steps, size_t n)
{
	static const enum cni_op inverse[] = {
		[CNI_ADD] = CNI_DELETE, [CNI_CHANGE] = CNI_CHANGE, [CNI_REPLACE] = CNI_REPLACE, [CNI_DELETE] = CNI_ADD
	};
	struct cni_step *to = cni_new_array(arena, struct cni_step, n);

	for (size_t i = 0; i < n; i++) {
		const struct cni_step *from = &steps[n - 1 - i];

		to[i] = *from;
		to[i].op = inverse[from->op];
		to[i].before = from->after;
		to[i].after = from->before;
	}
	return to;
}
