/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prove.c - see prove.h. */
#include "runtime/proof/prove.h"

#include <time.h>

#include "compiler/space/space.h"
#include "runtime/proof/dump.h"
#include "runtime/proof/record.h"
#include "runtime/saved_plan/digest.h"

#define QUICK 500000 /* of cost_of(): what is not begun */
#define PATIENCE 0.9 /* seconds, where nobody asked */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool is_late(void *arg)
{
	return now() > *(const double *)arg;
}

/* About how many microseconds it takes, on one core of a machine of 2024: measured with tests/bench/policy. */
static size_t cost_of(const struct cni_state *state)
{
	size_t cost = 1000 * state->n_rules;

	for (size_t i = 0; i < state->n_sets; i++) {
		const struct cni_st_set *set = &state->sets[i];

		cost += set->n_elems * (cni_set_is_boxes(set) ? 65 : set->map ? 6 : 2);
	}
	for (size_t i = 0; i < state->n_chains; i++)
		cost += 10 * state->chains[i].n_rules;
	return cost;
}

/* Of all that would be sent. */
static const char *digest_of(struct rt_session *session, const struct cni_messages *messages)
{
	char two[2 * RT_DIGEST_TEXT - 1], *all = cni_new_array(session->arena, char, RT_DIGEST_TEXT);

	rt_digest_bytes(messages->route, messages->route_len, two);
	rt_digest_bytes(messages->nft, messages->nft_len, two + RT_DIGEST_TEXT - 1);
	rt_digest_bytes(two, sizeof(two) - 1, all);
	return all;
}

static json_t *proof_json(const struct cni_proof *proof, const struct cni_messages *messages, double seconds)
{
	return json_pack("{s:b, s:f, s:I, s:I, s:I, s:I, s:I}", "proven", 1, "seconds", seconds, "bytes",
			 (json_int_t)(messages->route_len + messages->nft_len), "maps", (json_int_t)proof->n_maps,
			 "flows", (json_int_t)proof->n_paths, "nodes", (json_int_t)proof->nodes, "memory",
			 (json_int_t)proof->bytes);
}

bool rt_prove_asked(struct rt_session *session, const struct cni_model *model, const struct cni_state *desired)
{
	const struct cni_proof_limits limits = { CNI_DEFAULT_NODES, NULL, NULL };
	const double start = now();
	struct cni_messages messages;
	struct cni_proof proof;
	json_t *json;

	if (rt_record(session->arena, desired, &messages, session->diags))
		return false;
	proof = cni_prove(session->arena, model, NULL, &messages, &limits, session->diags);
	if (proof.answer == CNI_TOO_LARGE)
		cni_diag(session->diags, CNI507, (struct cni_span){ 0 }, "the proof needs more than %d nodes",
			 CNI_DEFAULT_NODES);
	if (proof.answer != CNI_PROVEN)
		return false;
	rt_say(session,
	       "proven: %zu bytes of messages mean what the policy says, in %zu maps of packets and %zu flows' marks; "
	       "%.2f s, %zu nodes, %zu MB",
	       messages.route_len + messages.nft_len, proof.n_maps, proof.n_paths, now() - start, proof.nodes,
	       proof.bytes >> 20);
	json = proof_json(&proof, &messages, now() - start);
	json_object_set_new(json, "digest", json_string(digest_of(session, &messages)));
	rt_session_json(session, "proof", json);
	return true;
}

/* ---- before something is sent ---- */

static void leave_out(struct rt_session *session, struct rt_proved *proved)
{
	rt_detail(session, "not proven: %s", proved->why);
	rt_session_json(session, "proof",
			json_pack("{s:b, s:f, s:s}", "proven", 0, "seconds", proved->seconds, "why", proved->why));
}

bool rt_prove(struct rt_session *session, const struct cni_model *model, const struct cni_state *observed,
	      const struct cni_state *desired, struct rt_proved *proved)
{
	const double start = now();
	double deadline = start + PATIENCE;
	const struct cni_proof_limits limits = { CNI_DEFAULT_NODES, is_late, &deadline };
	struct cni_messages messages;
	struct cni_proof proof;

	*proved = (struct rt_proved){ 0 };
	if (!model)
		return true; /* a router without a policy */
	if (session->options->no_prove)
		proved->why = "--no-prove";
	else if (cost_of(desired) > QUICK)
		proved->why = cni_printf(session->arena, "that would take about %.1f s; `cnic check --prove` does it",
					 (double)cost_of(desired) / 1e6);
	if (proved->why) {
		leave_out(session, proved);
		return true;
	}
	if (rt_record(session->arena, desired, &messages, session->diags))
		return false;
	proof = cni_prove(session->arena, model, observed, &messages, &limits, session->diags);
	proved->proven = proof.answer == CNI_PROVEN;
	proved->seconds = now() - start;
	if (proved->proven) {
		rt_detail(session, "proven in %.2f s: the messages mean what the policy says", proved->seconds);
		rt_session_json(session, "proof", proof_json(&proof, &messages, proved->seconds));
	} else if (proof.answer != CNI_REFUTED) {
		proved->why = cni_printf(session->arena,
					 "not within %.1f s and %d nodes; `cnic check --prove` has more patience",
					 PATIENCE, CNI_DEFAULT_NODES);
		leave_out(session, proved);
	}
	return proof.answer != CNI_REFUTED;
}

bool rt_prove_live(struct rt_session *session, const struct cni_model *model, struct rt_netlink *nl,
		   const struct cni_state *observed, struct cni_proof *proof)
{
	const struct cni_proof_limits limits = { CNI_DEFAULT_NODES, NULL, NULL };
	struct cni_messages messages;

	if (rt_dump(nl, session->arena, observed, &messages, session->diags))
		return false;
	*proof = cni_prove(session->arena, model, observed, &messages, &limits, session->diags);
	if (proof->answer == CNI_TOO_LARGE)
		proof->unclear = cni_printf(session->arena, "the proof needs more than %d nodes", CNI_DEFAULT_NODES);
	return true;
}
