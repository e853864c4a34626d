/* SPDX-License-Identifier: GPL-2.0-or-later */
/* against.c - see against.h. */
#include "runtime/commands/against.h"

#include "runtime/commands/pipeline.h"
#include "runtime/commands/revision.h"
#include "runtime/netlink/snapshot.h"

/* The last revision that is meant to be in the kernel: one that is still being applied is not yet. */
static bool find_revision(struct rt_session *session, struct rt_store *store, const char *help,
			  const struct rt_revision **found)
{
	struct rt_revision *revisions;
	size_t n;

	*found = NULL;
	if (rt_revision_list(store, &revisions, &n))
		return false;
	while (n && revisions[n - 1].pending && !revisions[n - 1].deadline)
		n--;
	if (!n) {
		struct cni_diag *diag = cni_diag(session->diags, CNI727, (struct cni_span){ 0 },
						 "no policy was applied here that could be compared with");

		cni_diag_help(session->diags, diag, "%s", help);
		return false;
	}
	*found = rt_revision_read(store, revisions[n - 1].number);
	return *found;
}

/* What a policy that was confirmed is warned about was said when it was applied. */
static void forget_warnings(struct rt_session *session)
{
	session->diags = cni_new(session->arena, struct cni_diags);
	cni_diags_init(session->diags, session->arena);
}

bool rt_against_last(struct rt_session *session, const char *help, struct rt_against *against)
{
	struct rt_store *store;

	if (rt_store_open(session, &store))
		return false;
	if (!store) {
		struct cni_diag *diag = cni_diag(session->diags, CNI727, (struct cni_span){ 0 }, RT_NO_STORE);

		cni_diag_help(session->diags, diag, "%s", help);
		return false;
	}
	if (!find_revision(session, store, help, &against->revision))
		return false;
	if (!rt_revision_model(session, against->revision, &against->model))
		return false;
	if (against->model)
		forget_warnings(session);
	return true;
}

/* A path of the policy before stays while it has flows, and is gone with the first apply that finds it without. That
 * it waits for that apply is no drift: of the two ways to see such paths, the one that leaves less to tell is right. */
bool rt_against_kernel(struct rt_session *session, const struct cni_model *model, struct rt_netlink *nl,
		       const struct cni_state *observed, struct rt_drift *drift)
{
	struct cni_prior prior = rt_pipeline_prior(observed, nl);
	const struct cni_state *desired = rt_pipeline_desired(session, model, &prior);
	struct rt_drift with_former;

	if (desired)
		observed = rt_snapshot_for(nl, session->arena, observed, desired, session->diags);
	if (!desired || !observed)
		return false;
	*drift = rt_drift_of(session->arena, observed, desired);
	if (!drift->n_items || !model)
		return true;
	prior.keep_former = true;
	desired = rt_pipeline_desired(session, model, &prior);
	if (!desired)
		return false;
	with_former = rt_drift_of(session->arena, observed, desired);
	if (with_former.n_items < drift->n_items)
		*drift = with_former;
	return true;
}

bool rt_against_held(struct rt_session *session, struct rt_netlink *nl, const struct cni_state *observed,
		     struct rt_against *against, const struct cni_sources **sources)
{
	const struct rt_session before = *session;
	struct rt_drift drift = { 0 };
	bool held;

	forget_warnings(session);
	held = rt_against_last(session, "", against) &&
	       rt_against_kernel(session, against->model, nl, observed, &drift) && !drift.n_items;
	*sources = session->sources;
	session->policy = before.policy;
	session->sources = before.sources;
	session->diags = before.diags;
	session->failure = before.failure;
	return held;
}
