/* SPDX-License-Identifier: GPL-2.0-or-later */
/* place.c - see place.h; the rule is store.h's. */
#include "runtime/store/place.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/namespace.h"

#define STATE_FOLDER "/var/lib/cnic" /* file-hierarchy(7); of StateDirectory= in systemd.exec(5) */

static const char *absolute(struct rt_session *session, const char *path)
{
	char here[PATH_MAX];
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	path = cni_strndup(session->arena, path, len);
	if (*path == '/' || !*path || !getcwd(here, sizeof(here)))
		return path;
	return cni_printf(session->arena, "%s/%s", here, path);
}

static int place_of_namespace(struct rt_session *session, const char **path)
{
	const char *unreadable;
	int rc = rt_namespace_folder(session->arena, STATE_FOLDER, path, &unreadable);
	struct cni_diag *diag;

	if (!rc)
		return 0;
	diag = cni_diag(session->diags, CNI713, (struct cni_span){ 0 },
			"whether this is the machine's own network namespace cannot be seen: %s: %s", unreadable,
			strerror(-rc));
	cni_diag_help(session->diags, diag, "say where revisions are kept: --state-dir " STATE_FOLDER);
	return rc;
}

int rt_place(struct rt_session *session, const char **path)
{
	const char *given = session->options->state_dir;

	if (!given)
		given = getenv("CNIC_STATE_DIR");
	if (!given || (!*given && !session->options->state_dir))
		return place_of_namespace(session, path);
	*path = absolute(session, given);
	return 0;
}
