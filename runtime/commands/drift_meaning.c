/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drift_meaning.c - see drift_meaning.h. */
#include "runtime/commands/drift_meaning.h"

#include <linux/rtnetlink.h>

#include "compiler/proof/proof.h"
#include "runtime/json/envelope.h"

/* Whether a proof says what comes of it: of all that chooses a path, but of no device, address, setting or route in
 * main. */
static bool is_proven_of(const struct rt_difference *d)
{
	static const bool steers[CNI_N_OBJECTS] = {
		[CNI_RULE] = true, [CNI_ROUTE] = true, [CNI_TABLE_NFT] = true,	[CNI_COUNTER] = true,
		[CNI_SET] = true,  [CNI_CHAIN] = true, [CNI_BASE_RULES] = true,
	};
	const struct cni_st_route *route = d->after ? d->after : d->before;

	return steers[d->object] && (d->object != CNI_ROUTE || !route || route->table != RT_TABLE_MAIN);
}

static const struct {
	const char *name; /* in JSON */
	const char *text;
} answers[] = {
	[CNI_PROVEN] = { "proven", "what is installed does what the policy says (proven for all packets)" },
	[CNI_REFUTED] = { "refuted", "what is installed does not do what the policy says" },
	[CNI_TOO_LARGE] = { "not judged", "what is installed cannot be judged" },
	[CNI_NOT_JUDGED] = { "not judged", "what is installed cannot be judged" },
};

/* ", FILE:LINE" */
static const char *place_of(const struct rt_session *session, struct cni_span span)
{
	const struct cni_place place = cni_place_of(session->sources, span.begin);

	return place.source ? cni_printf(session->arena, ", %s:%u", place.source->name, place.line) : "";
}

static void write_text(struct rt_session *session, const struct cni_proof *proof, size_t n_shape, size_t n_left)
{
	const struct cni_counterexample *x = &proof->example;
	struct cni_text *out = &session->out;

	cni_text_puts(out, answers[proof->answer].text);
	if (proof->unclear)
		cni_text_printf(out, ": %s", proof->unclear);
	cni_text_puts(out, "\n");
	if (proof->answer == CNI_REFUTED) {
		cni_text_printf(out, "  %s, %s%s%s\n    the policy: %s\n    the router: %s\n", x->what, x->where,
				*x->packet ? ", " : "", x->packet, x->should, x->is);
		if (x->line)
			cni_text_printf(out, "    decided by: %s%s\n", x->line, place_of(session, x->span));
	}
	if (proof->answer == CNI_PROVEN && n_shape)
		cni_text_printf(out, "%zu difference%s in shape only\n", n_shape, n_shape == 1 ? " is" : "s are");
	if (n_left)
		cni_text_printf(out,
				"%zu difference%s of devices, settings, addresses or main, which no proof is about\n",
				n_left, n_left == 1 ? " is" : "s are");
}

static void write_json(struct rt_session *session, const struct cni_proof *proof)
{
	const struct cni_counterexample *x = &proof->example;
	json_t *example = json_null();

	if (proof->answer == CNI_REFUTED) {
		example = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?}", "what", x->what, "where", x->where, "packet",
				    x->packet, "should", x->should, "is", x->is, "line", x->line);
		rt_json_place(example, session->sources, x->span);
	}
	rt_session_json(session, "proof",
			json_pack("{s:s, s:o, s:s?, s:I, s:I}", "answer", answers[proof->answer].name, "counterexample",
				  example, "unclear", proof->unclear, "maps", (json_int_t)proof->n_maps, "nodes",
				  (json_int_t)proof->nodes));
}

bool rt_drift_by_meaning(struct rt_session *session, const struct rt_drift *drift, const struct cni_proof *proof)
{
	size_t n_shape = 0;

	for (size_t i = 0; i < drift->n_items; i++)
		n_shape += is_proven_of(&drift->items[i]);
	if (session->options->json)
		write_json(session, proof);
	else
		write_text(session, proof, n_shape, drift->n_items - n_shape);
	return proof->answer != CNI_PROVEN || drift->n_items > n_shape;
}
