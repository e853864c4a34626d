/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile.c - `cnic compile`: what a policy becomes, for an empty router. */
#include "compiler/emit/emit.h"
#include "runtime/commands/pipeline.h"
#include "runtime/json/desired.h"
#include "runtime/json/envelope.h"

static void as_text(struct rt_session *session, const struct cni_state *state)
{
	const bool nft = !session->options->has_emit || session->options->emit == RT_EMIT_NFT;
	struct cni_text text = { .arena = session->arena };

	cni_text_puts(&text, "");
	(nft ? cni_emit_nft : cni_emit_ip)(&text, state);
	if (session->options->json)
		rt_session_json(session, nft ? "nft" : "ip", rt_json_textn(text.data, text.len));
	else
		session->out = text;
}

enum rt_exit rt_compile(struct rt_session *session)
{
	const struct rt_options *options = session->options;
	const struct cni_model *model = rt_pipeline_model(session);
	const struct cni_state *state = model ? rt_pipeline_state(session, model) : NULL;

	if (!state)
		return RT_ERROR;
	if (options->json && (!options->has_emit || options->emit == RT_EMIT_JSON))
		rt_session_json(session, "state", rt_json_desired(session->arena, state));
	else
		as_text(session, state);
	return RT_OK;
}
