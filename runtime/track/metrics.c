/* SPDX-License-Identifier: GPL-2.0-or-later */
/* metrics.c - a table of metrics, each of the tracker, of its targets, of their probes or of paths; see metrics.h. */
#include "runtime/track/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "runtime/json/envelope.h"

enum scope { TRACKER, SHOWN, TARGET, PROBE, PATH };

enum kind { /* of what is at `at` of the scope's struct */
	    COUNT, /* uint64_t */
	    NUMBER, /* unsigned int; of the revision 0 is none */
	    FLAG, /* bool */
	    TIME, /* int64_t, seconds since 1970 */
	    SECONDS, /* uint64_t, ns; 0: not known */
	    /* the rest look at the whole struct */
	    JITTER,
	    LOSS,
	    IS_UP,
	    IS_UNKNOWN,
	    REASON,
	    CARRIED,
	    ACTIVE
};

#define OF(type, member) offsetof(struct rt_track_##type, member)

static const struct metric {
	const char *name, *type;
	enum scope scope;
	enum kind kind;
	size_t at;
	const char *help;
} metrics[] = {
	{ "cnic_track_up", "gauge", TARGET, IS_UP, 0,
	  "Whether the link or tunnel is up; 0 while nothing is known, too." },
	{ "cnic_track_unknown", "gauge", TARGET, IS_UNKNOWN, 0, "Whether nothing was judged since the tracker came." },
	{ "cnic_track_reason", "gauge", TARGET, REASON, 0, "Why the state is what it is; always 1." },
	{ "cnic_track_held", "gauge", TARGET, FLAG, OF(view, held),
	  "Whether the state would change, but for hold or for flapping." },
	{ "cnic_track_state_since_timestamp_seconds", "gauge", TARGET, TIME, OF(view, since),
	  "Since when the state is what it is." },
	{ "cnic_track_state_changes_total", "counter", TARGET, NUMBER, OF(view, flaps),
	  "Changes of state since the tracker came." },

	{ "cnic_track_probe_up", "gauge", PROBE, FLAG, OF(probe, up), "Whether the address answers." },
	{ "cnic_track_probes_sent_total", "counter", PROBE, COUNT, OF(probe, n_sent), "Probes that were sent." },
	{ "cnic_track_probes_answered_total", "counter", PROBE, COUNT, OF(probe, n_answered),
	  "Probes that were answered in time." },
	{ "cnic_track_probes_lost_total", "counter", PROBE, COUNT, OF(probe, n_lost),
	  "Probes that were not answered in time." },
	{ "cnic_track_replies_refused_total", "counter", PROBE, COUNT, OF(probe, n_refused),
	  "Replies that answer no probe: wrong identifier, sequence or source, or cut short." },
	{ "cnic_track_replies_late_total", "counter", PROBE, COUNT, OF(probe, n_late),
	  "Replies that came after their time." },
	{ "cnic_track_loss_ratio", "gauge", PROBE, LOSS, 0, "Lost of the probes of the window." },
	{ "cnic_track_rtt_min_seconds", "gauge", PROBE, SECONDS, OF(probe, rtt_min),
	  "Shortest round trip of the window." },
	{ "cnic_track_rtt_mean_seconds", "gauge", PROBE, SECONDS, OF(probe, rtt_mean),
	  "Mean round trip of the window." },
	{ "cnic_track_rtt_max_seconds", "gauge", PROBE, SECONDS, OF(probe, rtt_max),
	  "Longest round trip of the window." },
	{ "cnic_track_rtt_last_seconds", "gauge", PROBE, SECONDS, OF(probe, rtt_last), "The last round trip." },
	{ "cnic_track_jitter_seconds", "gauge", PROBE, JITTER, 0, "Jitter of round trips, as RFC 3550, 6.4.1." },

	{ "cnic_track_path_up", "gauge", PATH, CARRIED, 0, "Whether a target carries the path; 0: its else speaks." },
	{ "cnic_track_path_active", "gauge", PATH, ACTIVE, 0, "Which target carries the path; always 1." },

	{ "cnic_track_start_timestamp_seconds", "gauge", TRACKER, TIME, OF(totals, since), "When the tracker came." },
	{ "cnic_track_policy_revision", "gauge", TRACKER, NUMBER, OF(totals, revision),
	  "The revision that is followed; 0: files." },
	{ "cnic_track_policy_loads_total", "counter", TRACKER, COUNT, OF(totals, n_loads),
	  "Policies that were loaded." },
	{ "cnic_track_policy_load_failures_total", "counter", TRACKER, COUNT, OF(totals, n_load_errors),
	  "Policies that could not be loaded." },
	{ "cnic_track_switches_total", "counter", TRACKER, COUNT, OF(totals, n_switches),
	  "Changes of routes that the kernel was asked for." },
	{ "cnic_track_switches_refused_total", "counter", TRACKER, COUNT, OF(totals, n_refused),
	  "Changes of routes that the kernel refused." },
	{ "cnic_track_switch_last_seconds", "gauge", TRACKER, SECONDS, OF(totals, switch_last),
	  "What the last change of routes took, from the decision to the kernel's acknowledgement." },
	{ "cnic_track_switch_max_seconds", "gauge", TRACKER, SECONDS, OF(totals, switch_max),
	  "What the longest change of routes took." },
	{ "cnic_track_stray_replies_total", "counter", TRACKER, COUNT, OF(totals, n_strays),
	  "ICMP replies from nobody who was asked." },
	{ "cnic_track_hooks_total", "counter", SHOWN, COUNT, OF(shown, n_hooks), "Commands of on-change that ended." },
	{ "cnic_track_hook_failures_total", "counter", SHOWN, COUNT, OF(shown, n_hooks_failed),
	  "Commands of on-change that failed or were killed." },
	{ "cnic_track_log_dropped_total", "counter", SHOWN, COUNT, OF(shown, n_unlogged),
	  "Lines that the journal or syslog did not take at once." },
	{ "cnic_track_readers_cut_off_total", "counter", SHOWN, COUNT, OF(shown, n_cut_off),
	  "Readers at the tracker's socket that were too slow." },
};

#define N_METRICS (sizeof(metrics) / sizeof(*metrics))

/* ---- labels ---- */

/* The value of a label: \, " and newlines are escaped, and what is not UTF-8 becomes U+FFFD, or one device's name would
 * spoil the whole document. */
static void add_value(struct cni_text *out, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0, n; i < len; i += n ? n : 1) {
		n = rt_utf8_length((const unsigned char *)text + i, len - i);
		if (!n)
			cni_text_puts(out, "\xef\xbf\xbd");
		else if (text[i] == '\n')
			cni_text_puts(out, "\\n");
		else if (text[i] == '\\' || text[i] == '"')
			cni_text_printf(out, "\\%c", text[i]);
		else
			cni_text_add(out, text + i, n);
	}
}

static void add_label(struct cni_text *out, const char *name, const char *value)
{
	if (!value)
		return;
	cni_text_puts(out, out->data[out->len - 1] == '{' ? "" : ",");
	cni_text_puts(out, name);
	cni_text_puts(out, "=\"");
	add_value(out, value);
	cni_text_puts(out, "\"");
}

/* ---- samples ---- */

/* False: it has none. */
static bool format(const struct metric *m, const void *object, char text[32])
{
	const struct rt_track_view *view = object;
	const struct rt_track_probe *probe = object;
	const struct rt_track_path *path = object;
	const void *at = (const char *)object + m->at;
	uint64_t ns = 0;

	switch (m->kind) {
	case COUNT:
		snprintf(text, 32, "%" PRIu64, *(const uint64_t *)at);
		return true;
	case NUMBER:
		snprintf(text, 32, "%u", *(const unsigned int *)at);
		return true;
	case FLAG:
		snprintf(text, 32, "%d", *(const bool *)at);
		return true;
	case TIME:
		snprintf(text, 32, "%" PRId64, *(const int64_t *)at);
		return true;
	case SECONDS:
		ns = *(const uint64_t *)at;
		break;
	case JITTER:
		ns = probe->jitter;
		break;
	case LOSS:
		snprintf(text, 32, "%.6g", probe->window_sent ? (double)probe->window_lost / probe->window_sent : 0);
		return probe->window_sent;
	case IS_UP:
	case IS_UNKNOWN:
		snprintf(text, 32, "%d", view->state == (m->kind == IS_UP ? RT_TRACK_UP : RT_TRACK_UNKNOWN));
		return true;
	case CARRIED:
		snprintf(text, 32, "%d", path->active != NULL);
		return true;
	case ACTIVE:
	case REASON:
		snprintf(text, 32, "1");
		return m->kind == REASON || path->active;
	}
	snprintf(text, 32, "%" PRIu64 ".%09" PRIu64, ns / 1000000000, ns % 1000000000);
	return ns || (m->kind == JITTER && probe->rtt_mean);
}

static void sample(struct cni_text *out, const struct metric *m, const void *object, const struct rt_track_view *view,
		   const struct rt_track_path *path)
{
	const struct rt_track_probe *probe = m->scope == PROBE ? object : NULL;
	char number[32], address[CNI_ADDR_TEXT], mark[16];

	if (!format(m, object, number))
		return;
	cni_text_puts(out, m->name);
	if (view || path)
		cni_text_puts(out, "{");
	if (view) {
		add_label(out, "target", view->name);
		add_label(out, "device", view->device);
	}
	if (probe) {
		add_label(out, "address", cni_addr_format(probe->target, address));
		add_label(out, "level", probe->is_peer ? "peer" : "beyond");
	}
	if (m->kind == REASON)
		add_label(out, "reason", rt_track_reason_words[view->reason]);
	if (path) {
		/* long names are cut, and may be the same: a mark is of one path */
		snprintf(mark, sizeof(mark), "0x%" PRIx32, path->mark);
		add_label(out, "path", path->name);
		add_label(out, "mark", mark);
	}
	if (m->kind == ACTIVE)
		add_label(out, "target", path->active);
	cni_text_puts(out, view || path ? "} " : " ");
	cni_text_puts(out, number);
	cni_text_puts(out, "\n");
}

static size_t n_items(const struct metric *m, const struct rt_track_copy *copy)
{
	switch (m->scope) {
	case TRACKER:
	case SHOWN:
		return 1;
	case TARGET:
	case PROBE:
		return copy->n_views;
	case PATH:
		return copy->n_paths;
	}
	return 0;
}

static void samples(struct cni_text *out, const struct metric *m, const struct rt_track_copy *copy, size_t item)
{
	const struct rt_track_view *view = &copy->views[item];

	switch (m->scope) {
	case TRACKER:
		sample(out, m, &copy->totals, NULL, NULL);
		break;
	case SHOWN:
		sample(out, m, &copy->shown, NULL, NULL);
		break;
	case TARGET:
		sample(out, m, view, view, NULL);
		break;
	case PROBE:
		for (size_t i = 0; i < view->n_probes; i++)
			sample(out, m, &view->probes[i], view, NULL);
		break;
	case PATH:
		sample(out, m, &copy->paths[item], NULL, &copy->paths[item]);
		break;
	}
}

bool rt_metrics_more(struct rt_track_text *text, struct cni_text *out)
{
	const struct rt_track_copy *copy = text->copy;
	size_t begun = out->len;

	if (!text->part && !text->item)
		cni_text_puts(out,
			      "# HELP cnic_build_info The version of cnic; always 1.\n# TYPE cnic_build_info gauge\n"
			      "cnic_build_info{version=\"" CNIC_VERSION "\"} 1\n");
	for (; text->part < N_METRICS; text->part++, text->item = 0) {
		const struct metric *m = &metrics[text->part];

		if (!text->item && n_items(m, copy))
			cni_text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, m->type);
		for (; text->item < n_items(m, copy); text->item++) {
			if (text->item && out->len - begun >= RT_TRACK_PIECE)
				return true;
			samples(out, m, copy, text->item);
		}
	}
	return false;
}
