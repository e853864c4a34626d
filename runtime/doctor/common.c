/* SPDX-License-Identifier: GPL-2.0-or-later */
/* common.c - what several checks need; see doctor.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/text.h"
#include "runtime/doctor/doctor.h"

#define FILE_MAX (1 << 20)

struct cni_diag *rt_finding(struct rt_doctor *doctor, enum cni_code code, struct cni_span span, const char *format, ...)
{
	va_list args;
	const char *text;

	va_start(args, format);
	text = cni_vprintf(doctor->arena, format, args);
	va_end(args);
	return cni_diag(doctor->diags, code, span, "%s", text);
}

/* ---- the policy and the router ---- */

void rt_policy_devices(const struct cni_model *model, void (*each)(const char *device, void *arg), void *arg)
{
	for (size_t i = 0; i < model->n_targets; i++) {
		const struct cni_target *target = &model->targets[i];

		each(target->ifname, arg);
		if (target->kind == CNI_TARGET_LINK && target->link.vlan)
			each(target->link.device, arg);
	}
	for (size_t p = 0; p < model->n_policies; p++)
		for (size_t i = 0; i < model->policies[p].n_devices; i++)
			each(model->policies[p].devices[i], arg);
}

struct search {
	const char *device;
	bool found;
};

static void compare(const char *device, void *arg)
{
	struct search *search = arg;

	search->found |= !strcmp(search->device, device);
}

bool rt_is_policy_device(const struct cni_model *model, const char *device)
{
	struct search search = { .device = device };

	rt_policy_devices(model, compare, &search);
	return search.found;
}

const struct cni_st_link *rt_find_link(const struct cni_state *state, const char *device)
{
	for (size_t i = 0; i < state->n_links; i++)
		if (!strcmp(state->links[i].name, device))
			return &state->links[i];
	return NULL;
}

static bool leaves_by(const struct cni_st_route *route, const char *device)
{
	for (size_t i = 0; i < route->n_hops; i++)
		if (!device || (route->hops[i].device && !strcmp(route->hops[i].device, device)))
			return true;
	return false;
}

const struct cni_st_route *rt_main_default(const struct cni_state *state, enum cni_family family, const char *device)
{
	for (size_t i = 0; i < state->n_routes; i++) {
		const struct cni_st_route *route = &state->routes[i];

		if (route->table == RT_TABLE_MAIN && route->family == family && !route->to.len && !route->owned &&
		    leaves_by(route, device))
			return route;
	}
	return NULL;
}

const char *rt_rule_words(struct cni_arena *arena, const struct cni_st_rule *rule, uint32_t priority)
{
	struct cni_text out = { .arena = arena };
	char text[CNI_ADDR_TEXT];

	cni_text_printf(&out, "priority %u%s from %s", priority, rule->invert ? " not" : "",
			rule->has_from ? cni_prefix_format(rule->from, text) : "all");
	if (rule->has_to)
		cni_text_printf(&out, " to %s", cni_prefix_format(rule->to, text));
	if (rule->iif)
		cni_text_printf(&out, " iif %s", rule->iif);
	if (rule->mask)
		cni_text_printf(&out, " fwmark 0x%x/0x%x", rule->mark, rule->mask);
	if (rule->ipproto)
		cni_text_printf(&out, " ipproto %u", rule->ipproto);
	if (rule->jump)
		cni_text_printf(&out, " goto %u", rule->jump);
	else if (rule->table)
		cni_text_printf(&out, " lookup %u", rule->table);
	return out.data;
}

/* ---- files ---- */

const char *rt_doctor_read(const struct rt_doctor *doctor, const char *path)
{
	int fd = open(cni_printf(doctor->arena, "%s%s", doctor->root, path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct cni_text text = { .arena = doctor->arena };
	char part[4096];
	ssize_t n = 0;

	if (fd < 0)
		return NULL;
	cni_text_puts(&text, "");
	while (text.len < FILE_MAX && (n = read(fd, part, sizeof(part))) > 0)
		cni_text_add(&text, part, (size_t)n);
	close(fd);
	errno = n > 0 ? EFBIG : errno;
	return n ? NULL : text.data;
}

bool rt_doctor_number(const struct rt_doctor *doctor, const char *path, long *number)
{
	const char *text = rt_doctor_read(doctor, path);
	char *end;

	if (!text)
		return false;
	*number = strtol(text, &end, 10);
	return end != text;
}
