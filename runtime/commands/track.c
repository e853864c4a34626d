/* SPDX-License-Identifier: GPL-2.0-or-later */
/* track.c - `cnic track`: probes what the policy tracks, and takes what is down out of the routing. */
#include <errno.h>

#include "runtime/commands/pipeline.h"
#include "runtime/track/confine.h"
#include "runtime/track/seen.h"

/* Frees the tracker. */
static enum rt_exit run(struct rt_session *session, struct rt_tracker *tracker, struct rt_seen *seen)
{
	int rc;

	rt_seen_open(seen, tracker);
	rt_session_tell(session);
	rc = rt_track_confine(session->diags);
	if (!rc)
		rc = rt_tracker_run(tracker);
	rt_seen_close(seen);
	rt_tracker_free(tracker);
	return rc ? RT_ERROR : RT_OK;
}

enum rt_exit rt_track(struct rt_session *session)
{
	struct rt_tracker *tracker = NULL;
	const char *misused = rt_seen_misused(session->arena, session->options);
	enum rt_exit status = RT_ERROR;
	struct rt_seen *seen;
	int rc;

	if (misused) {
		rt_fail(session, "track: %s", misused);
		return RT_USAGE;
	}
	if (session->options->sets.n_items && !session->options->n_operands) {
		rt_fail(session, "track: --set goes with FILE; a revision has its own");
		return RT_USAGE;
	}
	seen = rt_seen_new(session->options, session->diags);
	rc = rt_tracker_open(&tracker, session->options, session->diags);
	if (!rc) {
		status = run(session, tracker, seen);
	} else if (rc == -EINVAL && session->options->n_operands) {
		/* what is wrong with files is told as every command tells it */
		cni_diags_init(session->diags, session->arena);
		(void)rt_pipeline_model(session);
	}
	rt_seen_free(seen);
	return status;
}
