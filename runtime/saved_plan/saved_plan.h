/* SPDX-License-Identifier: GPL-2.0-or-later */
/* saved_plan.h - a plan that somebody has looked at, in a file: `plan -o FILE` writes it, `apply FILE` carries it out as
 * long as nothing that it depends on has moved.
 *
 *	{ "cnic": "plan", "version": 1,
 *	  "saved": { "directory", "operands": [PATH], "set": ["NAME=VALUE"], "texts": [ { "path", "size", "sha256" } ],
 *	             "state": SHA-256, "steps": SHA-256 },
 *	  "plan": … json/plan_json.h … }
 *
 * What is applied is a new plan, made from the same texts for the router as it is then. It is the one that was looked
 * at, since what the policy was read from, what the router holds of cnic, and the steps, in which all else on the
 * router has its say, have the digests that they had (digest.h). Flows begin and end all the time, and targets go down
 * and come back: which paths of the policy before stay for flows, and what the tracker took out of the routing, is no part
 * of it. */
#ifndef RT_SAVED_PLAN_H
#define RT_SAVED_PLAN_H

#include "compiler/model.h"
#include "compiler/plan.h"
#include "runtime/commands/session.h"
#include "runtime/load.h"

struct rt_saved_plan; /* lives in the session's arena */

/* Of the session's policy, of which `model` was made; mode 0600 where FILE is new. False with a failure. */
bool rt_saved_plan_write(struct rt_session *session, const char *path, const struct cni_model *model,
			 const struct cni_plan *plan);

/* Whether `path` is a regular file that begins as a JSON object does; no policy can. */
bool rt_saved_plan_is(const char *path);

/* NULL with CNI718 for anything but a whole one. */
const struct rt_saved_plan *rt_saved_plan_read(struct rt_session *session, const char *path);

/* Its policy, read again from where it was; NULL with CNI717 where the texts are not the same. */
struct rt_policy *rt_saved_plan_load(struct rt_session *session, const struct rt_saved_plan *saved);

/* Whether `plan`, made of that policy and of what is observed now, is the one that was saved. False with CNI717. */
bool rt_saved_plan_holds(struct rt_session *session, const struct rt_saved_plan *saved, const struct cni_model *model,
			 const struct cni_plan *plan);

#endif
