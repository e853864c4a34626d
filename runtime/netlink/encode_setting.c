/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode_setting.c - settings of devices: in a message about the device where the kernel takes them there. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "runtime/netlink/encode.h"

static bool by_message(const struct cni_st_setting *setting)
{
	return cni_setting_info[setting->key].devconf > 0 && *setting->device && strcmp(setting->device, "all");
}

const char *rt_setting_path(const struct cni_st_setting *setting, char room[128])
{
	const char *path = cni_setting_info[setting->key].path, *at = strstr(path, "%s");

	if (by_message(setting))
		return NULL;
	if (at)
		snprintf(room, 128, "%.*s%s%s", (int)(at - path), path, setting->device, at + 2);
	else
		snprintf(room, 128, "%s", path);
	return room;
}

void rt_setting_change(struct rt_writer *w, const void *before, const void *after)
{
	const struct cni_st_setting *setting = after;
	struct nlmsghdr *message = rt_batch_add(w->batch, w->tag, RTM_SETLINK, 0, sizeof(struct ifinfomsg));
	struct nlattr *spec, *inet, *conf;

	(void)before;
	mnl_attr_put_strz(message, IFLA_IFNAME, setting->device);
	spec = mnl_attr_nest_start(message, IFLA_AF_SPEC);
	inet = mnl_attr_nest_start(message, AF_INET);
	conf = mnl_attr_nest_start(message, IFLA_INET_CONF);
	mnl_attr_put_u32(message, (uint16_t)cni_setting_info[setting->key].devconf, (uint32_t)setting->value);
	mnl_attr_nest_end(message, conf);
	mnl_attr_nest_end(message, inet);
	mnl_attr_nest_end(message, spec);
}
