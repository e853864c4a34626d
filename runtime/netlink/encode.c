/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode.c - which encoder a kind of record has, and what they share. */
#include "runtime/netlink/encode.h"

#include <libmnl/libmnl.h>

const struct rt_encoder rt_encoders[CNI_N_OBJECTS] = {
	[CNI_LINK] = { rt_link_add, rt_link_change, rt_link_del },
	[CNI_SETTING] = { .change = rt_setting_change },
	[CNI_ADDR] = { rt_addr_add, NULL, rt_addr_del },
	[CNI_RULE] = { rt_rule_add, NULL, rt_rule_del },
	[CNI_ROUTE] = { rt_route_add, rt_route_change, rt_route_del },
};

void rt_put_addr(struct nlmsghdr *message, uint16_t type, struct cni_addr addr)
{
	uint8_t bytes[16];
	size_t len = cni_addr_to_bytes(addr, bytes);

	mnl_attr_put(message, type, len, bytes);
}

void rt_writer_fail(struct rt_writer *w, int error)
{
	if (w->batch->error)
		return;
	w->batch->error = error;
	w->batch->failed = w->tag;
}
