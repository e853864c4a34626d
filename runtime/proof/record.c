/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record.c - a transport that keeps what it is given, and says yes to all of it; see record.h. */
#include "runtime/proof/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "compiler/arena.h"
#include "compiler/plan.h"
#include "runtime/netlink/execute.h"
#include "runtime/proof/kept.h"

struct recorder {
	struct rt_transport transport;
	struct cni_arena *arena;
	struct rt_kept kept[RT_N_BUSES];
	const char **devices; /* that were asked for: the first has index 1 */
	size_t n_devices;
	uint64_t answer[64]; /* to what was sent last */
	size_t answer_len;
};

static struct nlmsghdr *add_answer(struct recorder *r, uint16_t type, uint32_t seq)
{
	struct nlmsghdr *answer = mnl_nlmsg_put_header((char *)r->answer + r->answer_len);

	answer->nlmsg_type = type;
	answer->nlmsg_seq = seq;
	return answer;
}

static void say_yes(struct recorder *r, uint32_t seq)
{
	struct nlmsghdr *answer = add_answer(r, NLMSG_ERROR, seq);

	mnl_nlmsg_put_extra_header(answer, sizeof(struct nlmsgerr)); /* error 0 */
	r->answer_len += answer->nlmsg_len;
}

/* Every device is there; it gets the next number when it is first asked for. */
static void tell_index(struct recorder *r, const struct nlmsghdr *request)
{
	struct nlmsghdr *answer = add_answer(r, RTM_NEWLINK, request->nlmsg_seq);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(answer, sizeof(*info));
	const struct nlattr *attr;
	const char *name = "";

	mnl_attr_for_each(attr, request, sizeof(struct ifinfomsg)) if (mnl_attr_get_type(attr) == IFLA_IFNAME) name =
		mnl_attr_get_str(attr);
	for (info->ifi_index = 1; (size_t)info->ifi_index <= r->n_devices; info->ifi_index++)
		if (!strcmp(r->devices[info->ifi_index - 1], name))
			break;
	if ((size_t)info->ifi_index > r->n_devices)
		*cni_push(r->arena, r->devices, r->n_devices) = cni_strdup(r->arena, name);
	r->answer_len += answer->nlmsg_len;
}

static int take(struct rt_transport *transport, enum rt_bus bus, const void *data, size_t len)
{
	struct recorder *r = (struct recorder *)transport;
	const struct nlmsghdr *message = data;

	r->answer_len = 0;
	memset(r->answer, 0, sizeof(r->answer));
	if (bus == RT_ROUTE && message->nlmsg_type == RTM_GETLINK)
		tell_index(r, message);
	else
		rt_keep(r->arena, &r->kept[bus], data, len);
	for (int left = (int)len; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		if (message->nlmsg_flags & NLM_F_ACK)
			say_yes(r, message->nlmsg_seq);
	return 0;
}

static ssize_t answer(struct rt_transport *transport, enum rt_bus bus, void *buffer, size_t size)
{
	struct recorder *r = (struct recorder *)transport;
	const size_t len = r->answer_len;

	(void)bus;
	(void)size;
	memcpy(buffer, r->answer, len);
	r->answer_len = 0;
	return (ssize_t)len;
}

static int read_nothing(struct rt_transport *transport, const char *path, int *value)
{
	(void)transport;
	(void)path;
	(void)value;
	return -ENOTSUP;
}

static int write_nothing(struct rt_transport *transport, const char *path, int value)
{
	(void)transport;
	(void)path;
	(void)value;
	return -ENOTSUP;
}

static void close_nothing(struct rt_transport *transport)
{
	(void)transport; /* the arena's */
}

static bool steers(const struct cni_step *step)
{
	return step->object == CNI_RULE || step->object == CNI_ROUTE || rt_is_nft(step);
}

/* The plan of a router that has nothing but its devices; those and their settings say nothing of which way a packet
 * takes. */
static const struct cni_plan *plan_anew(struct cni_arena *arena, const struct cni_state *desired)
{
	struct cni_state *nothing = cni_new(arena, struct cni_state), *steering = cni_new(arena, struct cni_state);
	struct cni_diags aside;
	struct cni_plan *plan;
	size_t n = 0;

	*steering = *desired;
	steering->n_links = steering->n_settings = steering->n_addrs = 0;
	cni_diags_init(&aside, arena);
	plan = cni_plan(arena, nothing, steering, &aside);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (steers(&plan->steps[i]))
			plan->steps[n++] = plan->steps[i];
	plan->n_steps = n;
	return aside.n_errors ? NULL : plan;
}

int rt_record(struct cni_arena *arena, const struct cni_state *desired, struct cni_messages *messages,
	      struct cni_diags *diags)
{
	const struct cni_plan *plan = plan_anew(arena, desired);
	struct recorder *r = cni_new(arena, struct recorder);
	rt_auto_netlink struct rt_netlink *nl = NULL;
	struct rt_execution run = { .diags = diags, .code = CNI506 };
	int rc;

	*r = (struct recorder){ { take, answer, read_nothing, write_nothing, close_nothing }, .arena = arena };
	nl = rt_netlink_new(&r->transport);
	run.nl = nl;
	rc = nl && plan ? rt_execute(&run, plan->steps, plan->n_steps) : nl ? -EINVAL : -ENOMEM;
	if (rc && !diags->n_errors)
		cni_diag(diags, CNI506, (struct cni_span){ 0 }, "the messages cannot be written: %s", strerror(-rc));
	*messages = (struct cni_messages){ .route = r->kept[RT_ROUTE].data,
					   .route_len = r->kept[RT_ROUTE].len,
					   .nft = r->kept[RT_NETFILTER].data,
					   .nft_len = r->kept[RT_NETFILTER].len,
					   .devices = r->devices,
					   .n_devices = r->n_devices,
					   .pins = desired->pins,
					   .n_pins = desired->n_pins };
	return rc;
}
