/* SPDX-License-Identifier: GPL-2.0-or-later */
/* observe_setting.c - settings that only /proc/sys/net shows, and what they were before cnic. */
#include "runtime/netlink/observe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A kernel without IPv6 lacks the path: then there is no such setting. */
static int read_path(struct rt_observation *obs, const char *device, enum cni_setting_key key)
{
	char path[128];
	int value, rc;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(path, sizeof(path), cni_setting_info[key].path, device);
#pragma GCC diagnostic pop
	rc = obs->nl->transport->read_setting(obs->nl->transport, path, &value);
	if (rc == -ENOENT)
		return 0;
	if (rc)
		return rc;
	*cni_push(obs->arena, obs->state->settings, obs->state->n_settings) =
		(struct cni_st_setting){ .device = device, .key = key, .value = value };
	return 0;
}

static int read_forwarding(struct rt_observation *obs)
{
	static const char *const path[CNI_N_FAMILIES] = { "ipv4/ip_forward", "ipv6/conf/all/forwarding" };

	for (int family = 0; family < CNI_N_FAMILIES; family++) {
		int value = 0, rc = obs->nl->transport->read_setting(obs->nl->transport, path[family], &value);

		if (rc && rc != -ENOENT)
			return rc;
		obs->state->has_forwarding[family] = value;
	}
	return 0;
}

int rt_observe_settings(struct rt_observation *obs)
{
	int rc = read_forwarding(obs);

	for (int key = 0; !rc && key < CNI_N_SETTINGS; key++) {
		const struct cni_setting_info *info = &cni_setting_info[key];

		if (!strchr(info->path, '%')) {
			rc = read_path(obs, "", (enum cni_setting_key)key);
			continue;
		}
		rc = read_path(obs, "all", (enum cni_setting_key)key);
		for (size_t i = 0; !rc && !info->devconf && i < obs->state->n_links; i++)
			rc = read_path(obs, obs->state->links[i].name, (enum cni_setting_key)key);
	}
	return rc;
}

static void read_former(struct rt_observation *obs, const char *device, const char *text)
{
	for (size_t i = 0; i < obs->state->n_settings; i++) {
		struct cni_st_setting *setting = &obs->state->settings[i];
		const char *name = cni_setting_info[setting->key].name, *at = text;

		if (strcmp(setting->device, device))
			continue;
		while (at && (strncmp(at, name, strlen(name)) || at[strlen(name)] != '=')) {
			at = strchr(at, ' ');
			at = at ? at + 1 : NULL;
		}
		setting->has_former = at;
		setting->former = at ? atoi(at + strlen(name) + 1) : 0;
	}
}

void rt_observe_former(struct rt_observation *obs)
{
	for (size_t i = 0; i < obs->state->n_sets; i++) {
		const struct cni_st_set *set = &obs->state->sets[i];

		if (strcmp(set->name, "former") || !set->comments || set->key_len != CNI_IFNAME)
			continue;
		for (size_t e = 0; e < set->n_elems; e++) {
			char device[CNI_IFNAME + 1] = "";

			memcpy(device, set->keys + e * cni_set_stride(set), CNI_IFNAME);
			read_former(obs, strcmp(device, "-") ? device : "", set->comments[e]);
		}
	}
}
