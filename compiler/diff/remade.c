/* SPDX-License-Identifier: GPL-2.0-or-later */
/* remade.c - which devices are made again, or lose what stands on them, on the way from one state to the other.
 *
 * The kernel changes endpoints, key, ttl and so on of a tunnel where it is, but never a device's type, nor the
 * number and parent of a VLAN. And two tunnels never share (local, remote, key), so when one takes over what
 * another has (also: when a tunnel is renamed), the other has to go first. */
#include <stdlib.h>
#include <string.h>

#include "compiler/diff/diff.h"

static void add(struct diff *d, const char *device, enum remake how)
{
	for (size_t i = 0; i < d->n_remade; i++)
		if (!strcmp(d->remade[i].device, device)) {
			if (d->remade[i].how < how)
				d->remade[i].how = how;
			return;
		}
	*cni_push(d->arena, d->remade, d->n_remade) = (struct remade){ device, how };
}

enum remake diff_remade(const struct diff *d, const char *device)
{
	for (size_t i = 0; i < d->n_remade; i++)
		if (!strcmp(d->remade[i].device, device))
			return d->remade[i].how;
	return REMAKE_NOT;
}

static bool is_tunnel(const struct cni_st_link *link)
{
	return link->type == CNI_DEV_GRE || link->type == CNI_DEV_IP6GRE;
}

static int by_endpoints(const void *a, const void *b)
{
	const struct cni_st_link *x = *(const struct cni_st_link *const *)a, *y = *(const struct cni_st_link *const *)b;

#define DIFFERS(field)                                                                                                 \
	do {                                                                                                           \
		if (x->field != y->field)                                                                              \
			return x->field < y->field ? -1 : 1;                                                           \
	} while (0)
	DIFFERS(type);
	DIFFERS(local.v);
	DIFFERS(remote.v);
	DIFFERS(has_key);
	if (x->has_key)
		DIFFERS(key);
#undef DIFFERS
	return 0;
}

static void find_endpoints(struct diff *d)
{
	const struct cni_st_link **taken = NULL;
	size_t n_taken = 0;

	for (size_t i = 0; i < d->observed->n_links; i++)
		if (is_tunnel(&d->observed->links[i]))
			*cni_push(d->arena, taken, n_taken) = &d->observed->links[i];
	if (!n_taken)
		return;
	qsort(taken, n_taken, sizeof(*taken), by_endpoints);
	for (size_t i = 0; i < d->desired->n_links; i++) {
		const struct cni_st_link *want = &d->desired->links[i], **has;

		if (!want->owned || !is_tunnel(want))
			continue;
		has = bsearch(&want, taken, n_taken, sizeof(*taken), by_endpoints);
		if (!has || !strcmp((*has)->name, want->name))
			continue;
		if ((*has)->owned) {
			add(d, want->name, REMAKE_SPLIT);
			add(d, (*has)->name, REMAKE_SPLIT);
		} else {
			struct cni_diag *diag = cni_diag(d->diags, CNI554, want->span,
							 "the endpoints of tunnel `%s` are taken", want->name);

			cni_diag_label(d->diags, diag, "device `%s` has the same local, remote and key", (*has)->name);
			cni_diag_help(d->diags, diag, "remove it: ip link delete %s", (*has)->name);
		}
	}
}

static void find_types(struct diff *d)
{
	for (size_t i = 0; i < d->desired->n_links; i++) {
		const struct cni_st_link *want = &d->desired->links[i];
		const struct cni_st_link *has = diff_find_link(d->observed, want->name);

		if (!has || !has->owned || !want->owned)
			continue;
		if (has->type != want->type ||
		    (want->type == CNI_DEV_VLAN && (has->vlan != want->vlan || strcmp(has->parent, want->parent))))
			add(d, want->name, REMAKE_REPLACE);
	}
}

/* A second IPv4 address of one subnet is a secondary one, which goes when the first one goes. */
static void find_readdressed(struct diff *d)
{
	for (size_t i = 0; i < d->observed->n_addrs; i++) {
		const struct cni_st_addr *has = &d->observed->addrs[i];

		if (!has->owned || has->address.addr.family != CNI_V4 || diff_find_addr(d->desired, has))
			continue;
		for (size_t j = 0; j < d->desired->n_addrs; j++) {
			const struct cni_st_addr *want = &d->desired->addrs[j];

			if (want->address.addr.family == CNI_V4 && want->address.len == has->address.len &&
			    !strcmp(want->device, has->device) && cni_prefix_has(has->address, want->address.addr))
				add(d, has->device, REMAKE_ADDRESS);
		}
	}
}

void diff_find_remade(struct diff *d)
{
	find_types(d);
	find_endpoints(d);
	find_readdressed(d);
}
