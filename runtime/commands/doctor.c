/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor.c - `cnic doctor`: what on this router will bite; it changes nothing. */
#include "runtime/doctor/doctor.h"

#include <string.h>

#include "runtime/commands/pipeline.h"
#include "runtime/commands/table.h"
#include "runtime/json/envelope.h"
#include "runtime/netlink/snapshot.h"
#include "runtime/store/store.h"

#define MARK_MASK 0x0000ffff /* the default of options.mark_mask (compiler/model.h) */

/* The last confirmed revision; NULL with the reason, or with diagnostics. */
static const struct cni_model *last_confirmed(struct rt_session *session, const char **reason)
{
	const struct rt_revision *last = NULL;
	struct rt_store *store;

	if (!rt_store_open(session, &store) && store)
		last = rt_revision_last(store);
	*reason = session->diags->n_errors ? "no policy: the revisions cannot be read"
					   : "no policy: none is confirmed, and none was named";
	if (last && !last->removed)
		last = rt_revision_read(store, last->number);
	if (!last || last->removed)
		return NULL;
	*reason = cni_printf(session->arena, "revision %u has errors", last->number);
	return rt_pipeline_resolve(session, rt_load_origin(session->arena, &last->origin));
}

/* Warnings of a policy without errors are check's to tell. */
static void forget_warnings(struct rt_session *session)
{
	cni_diags_init(session->diags, session->arena);
}

static void read_policy(struct rt_session *session, struct rt_doctor *d)
{
	if (session->options->n_operands) {
		d->no_policy = "the policy has errors";
		d->model = rt_pipeline_model(session);
	} else {
		d->model = last_confirmed(session, &d->no_policy);
	}
	d->mark_mask = d->model ? d->model->options.mark_mask : MARK_MASK;
	if (d->model)
		forget_warnings(session);
}

/* What may not be read makes checks unknown, and is no finding. */
static void read_kernel(struct rt_doctor *d, struct rt_netlink **nl)
{
	struct rt_foreign *foreign;
	struct cni_state *state;
	struct cni_diags diags;
	int rc;

	cni_diags_init(&diags, d->arena);
	if (rt_netlink_open(nl, &diags) || rt_snapshot(*nl, d->arena, &state, &diags)) {
		d->blind = diags.first->message;
		return;
	}
	d->nl = *nl;
	d->observed = state;
	rc = rt_foreign_read(*nl, d->arena, &foreign);
	if (rc)
		d->blind = cni_printf(d->arena, "reading the nftables of others failed: %s", strerror(-rc));
	else
		d->foreign = foreign;
}

static void lower(struct rt_session *session, struct rt_doctor *d)
{
	struct cni_prior prior;

	if (!d->model)
		return;
	prior = rt_pipeline_prior(d->observed, d->nl);
	d->desired = rt_pipeline_desired(session, d->model, &prior);
	d->no_policy = "the policy does not fit this router";
	if (d->desired)
		forget_warnings(session);
}

static void show(struct rt_session *session, const struct rt_checkup *checkups)
{
	static const struct rt_column columns[] = { { "check", false }, { "result", false }, { "looked at", false } };
	struct rt_table table = { .columns = columns, .n_columns = 3 };
	json_t *list = json_array();

	for (size_t i = 0; i < rt_n_checks; i++) {
		const struct rt_checkup *up = &checkups[i];
		const char *verdict = rt_verdict_name(up->verdict);

		rt_table_add(&table, session->arena, up->name);
		rt_table_add(&table, session->arena, verdict);
		rt_table_add(&table, session->arena, up->detail);
		json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", up->name, "result", verdict, "detail",
						      rt_json_text(up->detail)));
	}
	rt_session_json(session, "checks", list);
	if (session->options->diagnostics == RT_FORMAT_TEXT)
		rt_table_print(&table, &session->out, "This router");
}

enum rt_exit rt_doctor(struct rt_session *session)
{
	struct rt_doctor d = { .arena = session->arena, .root = "" };
	rt_auto_netlink struct rt_netlink *nl = NULL;
	struct rt_checkup *checkups;

	session->is_checker = true;
	read_policy(session, &d);
	read_kernel(&d, &nl);
	lower(session, &d);
	d.diags = session->diags;
	rt_examine(&d, &checkups);
	show(session, checkups);
	return session->diags->n_errors ? RT_ERROR : RT_OK;
}
