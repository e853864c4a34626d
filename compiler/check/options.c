/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c - settings that drop packets or steer too many of them. */
#include "compiler/check/check.h"

static bool has_link(const struct cni_model *m, enum cni_link_kind kind)
{
	for (size_t i = 0; i < m->n_links; i++)
		if (cni_is_link(&m->targets[i], kind))
			return true;
	return false;
}

static bool steers(const struct cni_model *m)
{
	for (size_t i = 0; i < m->n_targets; i++)
		if (m->targets[i].used)
			return true;
	return false;
}

/* Where it is written, else the policy that suffers. */
static struct cni_span rp_filter_span(const struct cni_model *m)
{
	struct cni_span span = m->options.rp_filter_span;

	return cni_span_is_set(span) ? span : m->policies[0].decl->name.span;
}

bool cni_check_rp_filter(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_model *m = c->model;
	struct cni_diag *d;

	(void)s;
	if (!m->n_policies || !steers(m))
		return true;
	if (m->options.rp_filter == CNI_RP_KEEP) {
		d = cni_diag(c->diags, CNI420, rp_filter_span(m),
			     "`rp-filter keep`: where it is strict, what comes back to steered flows is dropped");
		cni_diag_help(c->diags, d, "rp-filter auto;");
		return false;
	}
	if (m->options.rp_filter == CNI_RP_LOOSE && !has_link(m, CNI_INTERNET)) {
		d = cni_diag(c->diags, CNI421, rp_filter_span(m),
			     "`rp-filter loose` without an internet link: with no default route in main, answers are "
			     "dropped");
		cni_diag_help(c->diags, d, "rp-filter auto;");
		return false;
	}
	return true;
}

bool cni_check_known_flows(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_options *options = &c->model->options;
	struct cni_diag *d;

	(void)s;
	if (options->known_flows == CNI_KNOWN_BY_MARK || options->established != CNI_ESTABLISHED_KEEP)
		return true;
	d = cni_diag(c->diags, CNI424, options->known_flows_span,
		     "`established keep` knows flows by their mark, and `known-flows classify` does not look at it");
	cni_diag_help(c->diags, d, "known-flows mark; or established follow;");
	return false;
}

static bool has_backup(const struct cni_model *m, const struct cni_path *path)
{
	for (size_t i = 0; i < path->n_members && path->n_members > 1; i++)
		if (m->targets[path->members[i].target].track.mode == CNI_TRACK_ON)
			return true;
	return false;
}

bool cni_check_failback(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_model *m = c->model;

	(void)s;
	if (m->options.known_flows == CNI_KNOWN_BY_MARK || m->options.failback == CNI_FAILBACK_FLUSH)
		return true;
	for (size_t p = 0; p < m->n_policies; p++)
		for (size_t r = 0; r < m->policies[p].n_routes; r++) {
			struct cni_diag *d;

			if (!has_backup(m, &m->policies[p].routes[r].path))
				continue;
			d = cni_diag(c->diags, CNI425, m->options.known_flows_span,
				     "`known-flows classify` takes flows back at once when a better target comes back");
			cni_diag_related(c->diags, d, m->policies[p].routes[r].ast->path.span, "of this path");
			cni_diag_help(c->diags, d, "known-flows mark; or on-failback flush;");
			return false;
		}
	return true;
}

/* A policy that takes packets to anywhere takes those between networks of the router too, unless `lan` names them. */
bool cni_check_lan_missing(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_model *m = c->model;

	(void)s;
	for (size_t p = 0; p < m->n_policies && !m->n_lans; p++)
		for (size_t r = 0; r < m->policies[p].n_routes && m->policies[p].n_devices; r++) {
			const struct cni_route *route = &m->policies[p].routes[r];
			struct cni_diag *d;

			if (route->path.verdict == CNI_VERDICT_MAIN || (route->match.has_to && !route->match.not_to))
				continue;
			d = cni_diag(c->diags, CNI423, m->policies[p].decl->name.span,
				     "no `lan` is declared: route `%s` takes traffic between local networks too",
				     route->name);
			cni_diag_related(c->diags, d, route->ast->name.span, "it matches any destination");
			cni_diag_help(c->diags, d, "lan NAME { device …; prefix …; }");
			return false;
		}
	return true;
}
