/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_live.c - one packet through what is installed, and the kernel's own answer beside it; see explain.h. What asks
 * the kernel cannot write. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "compiler/state/down.h"
#include "runtime/commands/explain.h"
#include "runtime/commands/pipeline.h"
#include "runtime/commands/status.h"
#include "runtime/netlink/read_only.h"
#include "runtime/netlink/snapshot.h"

/* ---- the router ---- */

struct router {
	const struct cni_state *observed;
	const struct cni_state *desired; /* with the numbers that paths have there */
};

static bool look(struct rt_session *session, const struct cni_model *model, struct rt_netlink *nl,
		 struct router *router)
{
	struct cni_state *observed;
	struct cni_prior prior;

	if (rt_netlink_read_only(nl)) {
		rt_fail(session, "not enough memory");
		return false;
	}
	if (rt_snapshot(nl, session->arena, &observed, session->diags))
		return false;
	prior = rt_pipeline_prior(observed, nl);
	router->desired = rt_pipeline_desired(session, model, &prior);
	if (router->desired)
		router->observed = rt_snapshot_for(nl, session->arena, observed, router->desired, session->diags);
	return router->desired && router->observed;
}

static const struct cni_st_link *link_of(const struct cni_state *state, const char *name)
{
	for (size_t i = 0; i < state->n_links; i++)
		if (!strcmp(state->links[i].name, name))
			return &state->links[i];
	return NULL;
}

/* What the kernel takes for down now, or the tracker. */
static const bool *down_now(struct rt_session *session, const struct cni_model *model, const struct cni_state *state)
{
	bool *down = cni_new_array(session->arena, bool, model->n_targets + 1);

	for (size_t i = 0; i < model->n_targets; i++) {
		const struct cni_st_link *link = link_of(state, model->targets[i].ifname);

		down[i] = !link || !link->up || !link->carrier ||
			  (model->targets[i].track.mode == CNI_TRACK_ON &&
			   cni_is_down_for(state, model->options.table, model->targets[i].name));
	}
	return down;
}

static bool is_up_now(const struct cni_st_hop *hop, const void *arg)
{
	(void)arg;
	return rt_hop_is_up(hop);
}

/* ---- the kernel's own answer ---- */

static const char *device_name(const struct cni_state *state, unsigned int ifindex)
{
	for (size_t i = 0; i < state->n_links; i++)
		if ((unsigned int)state->links[i].ifindex == ifindex)
			return state->links[i].name;
	return NULL;
}

/* Tables that rules of cnic's lead to. */
static bool is_ours(const struct cni_state *state, uint32_t table)
{
	for (size_t i = 0; i < state->n_rules; i++)
		if (state->rules[i].owned && state->rules[i].table == table)
			return true;
	return false;
}

static bool is_hop(const struct rt_asked *asked, const struct cni_st_hop *hop)
{
	return asked->device && !strcmp(asked->device, hop->device) &&
	       (!asked->route.has_via || !hop->has_via || cni_addr_equal(asked->route.via, hop->via));
}

static bool leads_to_target(const struct rt_explain *e, const struct rt_asked *asked)
{
	const struct cni_decision *d = &e->question->decision;
	bool any = d->verdict != CNI_VERDICT_NONE; /* what becomes of the others is not cnic's to know */

	for (size_t i = 0; i < d->n_targets; i++)
		any |= asked->device && !strcmp(asked->device, e->question->model->targets[d->targets[i]].ifname);
	return any;
}

static bool kernel_agrees(const struct rt_explain *e, const struct cni_way *way, const struct rt_asked *asked)
{
	const int error = asked->route.error;
	bool any = false;

	switch (way->fib.kind) {
	case CNI_FIB_UNICAST:
		for (size_t i = 0; i < way->fib.n_hops; i++)
			any |= is_hop(asked, way->fib.hops[i]);
		return !error && any;
	case CNI_FIB_BLACKHOLE:
		return error == -EINVAL;
	case CNI_FIB_UNREACHABLE:
		return error == -EHOSTUNREACH || error == -ENETUNREACH;
	case CNI_FIB_LOCAL:
		return !error && asked->route.type == RTN_LOCAL;
	case CNI_FIB_MAIN:
		return error || !is_ours(e->answer.state, asked->route.table);
	default:
		return !error && leads_to_target(e, asked);
	}
}

const char *rt_asked_text(struct cni_arena *arena, const struct rt_asked *asked)
{
	char text[CNI_ADDR_TEXT];
	const char *via = "";

	if (asked->route.error)
		return cni_printf(arena, "refuses it: %s%s", strerror(-asked->route.error),
				  asked->route.error == -EINVAL ? " (so it does for a blackhole)" : "");
	if (asked->route.has_via)
		via = cni_printf(arena, "via %s ", cni_addr_format(asked->route.via, text));
	return cni_printf(arena, "%s%sdev %s table %u", asked->route.type == RTN_LOCAL ? "local " : "", via,
			  asked->device ? asked->device : "?", asked->route.table);
}

static bool ask_kernel(struct rt_session *session, struct rt_explain *e, struct rt_netlink *nl)
{
	const struct cni_question *q = e->question;
	struct cni_packet packet = q->packet;

	/* the router's own packets: the kernel looks up no address that is not its own */
	if (!q->iif && packet.known & CNI_HAS_FROM && !cni_has_address(e->answer.state, packet.from))
		packet.known &= ~(unsigned int)CNI_HAS_FROM;
	e->kernel = cni_new_array(session->arena, struct rt_asked, e->answer.n_ways);
	for (size_t i = 0; i < e->answer.n_ways; i++) {
		const struct cni_way *way = &e->answer.ways[i];
		struct rt_asked *asked = &e->kernel[i];
		int error;

		asked->agrees = true;
		if (way->passage.fate != CNI_FATE_ACCEPT)
			continue;
		error = rt_kernel_route(nl, &packet, q->iif, way->passage.mark, &asked->route);
		if (error) {
			rt_fail(session, "%s: %s", q->asked->device, strerror(-error));
			return false;
		}
		asked->asked = true;
		asked->device = device_name(e->answer.state, asked->route.ifindex);
		asked->agrees = kernel_agrees(e, way, asked);
	}
	return true;
}

/* ---- all of it ---- */

bool rt_explain_live(struct rt_session *session, const struct cni_model *model, struct rt_explain *e)
{
	rt_auto_netlink struct rt_netlink *nl = NULL;
	struct router router = { 0 };
	struct cni_diag *d;

	if (rt_netlink_open(&nl, session->diags) || !look(session, model, nl, &router))
		return false;
	e->desired = router.desired;
	e->question =
		cni_question_new(session->arena, model, down_now(session, model, router.observed), session->diags);
	if (!e->question)
		return false;
	if (e->question->iif && !(e->question->packet.known & CNI_HAS_FROM)) {
		d = cni_diag(session->diags, CNI413, e->question->asked->decl->span, "the packet must say `from`");
		cni_diag_help(session->diags, d, "the kernel routes no packet without a source");
		return false;
	}
	e->answer = cni_answer_of(session->arena, e->question, router.observed, is_up_now, NULL);
	return ask_kernel(session, e, nl);
}
