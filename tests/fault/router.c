/* SPDX-License-Identifier: GPL-2.0-or-later */
/* router.c - see router.h. */
#include "tests/fault/router.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "runtime/commands/pipeline.h"
#include "runtime/netlink/snapshot.h"
#include "runtime/transaction.h"
#include "tests/fault/compare.h"

void bail_out(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("Bail out! ", stdout);
	vprintf(format, args);
	puts("");
	va_end(args);
	exit(2);
}

double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void shell(const char *command)
{
	if (system(command))
		bail_out("%s", command);
}

/* Without addresses and timers of their own, so that nothing moves but what cnic moves. */
static const char *const lab[] = {
	"ip link set lo up",
	"for c in default all; do echo 0 >/proc/sys/net/ipv6/conf/$c/accept_dad;"
	" echo 0 >/proc/sys/net/ipv6/conf/$c/router_solicitations; done",
	"for i in 0 1 2 3; do ip link add eth$i type veth peer name far$i;"
	" ip link set far$i addrgenmode none up; ip link set eth$i addrgenmode none up; done",
	"ip address add 10.10.0.1/16 dev eth2; ip address add 10.1.0.1/24 dev eth2;"
	" ip address add 2001:db8:10::1/48 dev eth2 nodad",
	"ip address add 198.51.100.2/30 dev eth0; ip route add default via 198.51.100.1",
	/* not cnic's, and in its way */
	"ip rule add priority 77 from 203.0.113.0/24 lookup 77",
	"ip route add 192.0.2.128/25 via 198.51.100.1",
	"nft 'add table inet other; add chain inet other c { type filter hook forward priority 0; }'",
};

void router_enter(void)
{
	if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNET : CLONE_NEWNET))
		bail_out("no network namespace to be had");
	for (size_t i = 0; i < sizeof(lab) / sizeof(*lab); i++)
		shell(lab[i]);
}

struct cni_state *router_look(struct rt_netlink *nl, struct cni_arena *arena)
{
	struct cni_diags diags;
	struct cni_state *state = NULL;

	cni_diags_init(&diags, arena);
	rt_forget_devices(nl);
	if (rt_snapshot(nl, arena, &state, &diags))
		bail_out("the state cannot be read: %s", diags.first ? diags.first->message : "");
	return state;
}

struct attempt attempt_new(struct rt_netlink *nl, const char *file, bool flows)
{
	struct attempt a = { .arena = cni_arena_new() };
	struct rt_options *options = cni_new(a.arena, struct rt_options);
	const struct cni_model *model = NULL;
	struct cni_state *observed;

	options->quiet = true;
	options->operands = cni_new_array(a.arena, const char *, 1);
	options->operands[0] = file;
	options->n_operands = 1;
	a.session = rt_session_new(a.arena, options);
	rt_forget_devices(nl);
	if (file) {
		model = rt_pipeline_model(a.session);
		if (!model) {
			attempt_print(&a);
			bail_out("%s is no policy", file);
		}
	}
	if (!rt_snapshot(nl, a.arena, &observed, a.session->diags))
		a.plan = rt_pipeline_plan(a.session, model, observed, flows ? nl : NULL);
	return a;
}

void attempt_free(struct attempt *a)
{
	if (a->session)
		json_decref(a->session->json);
	cni_arena_free(a->arena);
	*a = (struct attempt){ 0 };
}

void attempt_print(const struct attempt *a)
{
	for (const struct cni_diag *d = a->session ? a->session->diags->first : NULL; d; d = d->next)
		if (d->severity == CNI_ERROR)
			printf("#   CNI%d %s%s%s\n", (int)d->code, d->message, d->label ? ": " : "",
			       d->label ? d->label : "");
}

#define TRIES 3 /* a flow may end between two looks, and its way is then to go */

const char *router_converge(struct rt_netlink *nl, struct cni_arena *arena, const char *file, bool flows,
			    const struct cni_state *bare)
{
	const char *why = "a second apply finds something to do";

	for (int i = 0; i < TRIES; i++) {
		struct attempt a = attempt_new(nl, file, flows);
		struct rt_result result = { .outcome = RT_UNTOUCHED };
		const bool done = a.plan && !a.plan->n_steps;

		if (!a.plan)
			why = "there is no plan";
		else if (done)
			why = file ? differs_foreign(arena, bare, a.plan->observed)
				   : differs(arena, bare, a.plan->observed);
		else if (rt_apply(nl, a.arena, a.plan, a.session->diags, &result) || result.n_leftovers)
			why = "refused";
		if (!a.plan || (!done && (result.outcome != RT_DONE || result.n_leftovers)))
			attempt_print(&a);
		attempt_free(&a);
		if (done)
			break;
		if (!flows && i)
			break; /* nothing but a flow's end excuses a third look */
	}
	return why;
}
