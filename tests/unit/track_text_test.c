/* SPDX-License-Identifier: GPL-2.0-or-later */
/* track_text_test.c - tracking as JSON and as Prometheus reads it: what is in it, and that it comes in pieces. */
#include "shown.h"

#include "runtime/track/json.h"
#include "runtime/track/metrics.h"

/* ---- JSON ---- */

/* What is at "a.b.0.c"; NULL: nothing. */
static const json_t *at(const json_t *json, const char *path)
{
	char key[64];

	for (; json && *path; path += strcspn(path, "."), path += *path == '.') {
		snprintf(key, sizeof(key), "%.*s", (int)strcspn(path, "."), path);
		json = json_is_array(json) ? json_array_get(json, strtoul(key, NULL, 10)) : json_object_get(json, key);
	}
	return json;
}

static void is_text(const json_t *json, const char *path, const char *text)
{
	assert_string_equal(json_string_value(at(json, path)), text);
}

static void is_number(const json_t *json, const char *path, double number)
{
	assert_true(json_is_number(at(json, path)));
	assert_true(json_number_value(at(json, path)) - number < 1e-12);
	assert_true(number - json_number_value(at(json, path)) < 1e-12);
}

static void state_as_json(void **state)
{
	struct rt_track_copy *copy = shown(2);
	size_t n, longest;
	const char *text = whole(copy, rt_track_json_more, &n, &longest);
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	(void)state;
	assert_non_null(json);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	is_text(json, "cnic", "track");
	is_number(json, "version", 1);
	is_text(json, "type", "state");
	is_text(json, "time", "2026-03-01T12:01:01.007Z");
	is_text(json, "started", "2026-03-01T12:00:00Z");
	is_number(json, "policy.revision", 12);
	is_number(json, "switches.max_seconds", 0.0008);
	is_number(json, "hooks.failed", 1);
	is_text(json, "targets.0.name", "t0");
	is_text(json, "targets.0.state", "up");
	is_text(json, "targets.1.state", "down");
	is_text(json, "targets.1.reason", "peer");
	is_text(json, "targets.0.since", "2026-03-01T12:00:00Z");
	assert_true(json_is_true(at(json, "targets.1.held")));
	assert_true(json_is_false(at(json, "targets.0.held")));
	is_number(json, "targets.1.changes", 1);
	is_text(json, "targets.0.probes.0.address", "192.0.2.10");
	is_text(json, "targets.0.probes.1.address", "2001:db8::1");
	is_number(json, "targets.0.probes.0.window.loss_ratio", 0.25);
	is_number(json, "targets.0.probes.0.rtt_min_seconds", 0.001);
	is_number(json, "targets.0.probes.0.rtt_max_seconds", 2);
	is_number(json, "targets.0.probes.0.rtt_last_seconds", 0.001234567);
	is_number(json, "targets.0.probes.0.jitter_seconds", 1e-9);
	is_number(json, "targets.0.probes.0.refused", 3);
	assert_true(json_is_null(at(json, "targets.1.probes.0.rtt_mean_seconds")));
	assert_true(json_is_null(at(json, "targets.1.probes.0.jitter_seconds")));
	is_text(json, "paths.0.active", "t0");
	assert_true(json_is_null(at(json, "paths.1.active")));
	json_decref(json);
	rt_track_copy_free(copy);
}

static void events_as_json(void **state)
{
	struct cni_text text = { .arena = cni_arena_new() };
	const struct rt_track_view view = {
		.name = "cf\xff", .device = "eth1", .state = RT_TRACK_DOWN, .reason = RT_TRACK_CARRIER
	};
	const struct rt_track_event event = { .time_ms = 1772366461007,
					      .target = &view,
					      .before = RT_TRACK_UP,
					      .took = 1500000,
					      .n_routes = 4,
					      .n_flows = 2,
					      .error = -12 };
	json_t *json;

	(void)state;
	rt_track_json_event(&text, &event);
	assert_ptr_equal(strchr(text.data, '\n'), text.data + text.len - 1);
	json = json_loads(text.data, JSON_REJECT_DUPLICATES, NULL);
	is_text(json, "type", "event");
	is_text(json, "time", "2026-03-01T12:01:01.007Z");
	is_text(json, "target", "cf\xef\xbf\xbd"); /* what is not UTF-8 does not spoil the document */
	is_text(json, "before", "up");
	is_text(json, "state", "down");
	is_text(json, "reason", "carrier");
	is_number(json, "switch_seconds", 0.0015);
	is_number(json, "routes", 4);
	is_number(json, "flows", 2);
	is_text(json, "error", "Cannot allocate memory");
	json_decref(json);
	cni_arena_free(text.arena);
}

static void without_targets(void **state)
{
	struct rt_track_copy *copy = rt_track_copy_new(NULL, 0, NULL, 0);
	size_t n, longest;
	json_t *json = json_loads(whole(copy, rt_track_json_more, &n, &longest), 0, NULL);

	(void)state;
	assert_int_equal(json_array_size(at(json, "targets")), 0);
	assert_true(json_is_array(at(json, "paths")));
	assert_true(json_is_null(at(json, "policy.revision")));
	assert_true(json_is_null(at(json, "switches.last_seconds")));
	assert_non_null(strstr(whole(copy, rt_metrics_more, &n, &longest), "\ncnic_track_policy_revision 0\n"));
	json_decref(json);
	rt_track_copy_free(copy);
}

/* ---- metrics ---- */

static void has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no line %s", line);
}

static void metrics(void **state)
{
	struct rt_track_copy *copy = shown(2);
	size_t n, longest;
	const char *text = whole(copy, rt_metrics_more, &n, &longest);

	(void)state;
	has(text, "\n# HELP cnic_track_up ");
	has(text, "\n# TYPE cnic_track_up gauge\ncnic_track_up{target=\"t0\",device=\"eth0\"} 1\n"
		  "cnic_track_up{target=\"t1\",device=\"eth1\"} 0\n");
	has(text, "\ncnic_track_reason{target=\"t1\",device=\"eth1\",reason=\"peer\"} 1\n");
	has(text, "\ncnic_track_state_since_timestamp_seconds{target=\"t0\",device=\"eth0\"} 1772366400\n");
	has(text,
	    "\n# TYPE cnic_track_probes_lost_total counter\n"
	    "cnic_track_probes_lost_total{target=\"t0\",device=\"eth0\",address=\"192.0.2.10\",level=\"peer\"} 25\n"
	    "cnic_track_probes_lost_total{target=\"t0\",device=\"eth0\",address=\"2001:db8::1\",level=\"beyond\"} 3\n"
	    "cnic_track_probes_lost_total{target=\"t1\",device=\"eth1\",address=\"2001:db8::1\",level=\"beyond\"} "
	    "3\n#");
	/* what was never answered has no round trip */
	has(text,
	    " gauge\ncnic_track_rtt_max_seconds{target=\"t0\",device=\"eth0\",address=\"192.0.2.10\",level=\"peer\"} "
	    "2.000000000\n#");
	has(text, "} 0.25\n");
	has(text, "\ncnic_track_jitter_seconds{target=\"t0\",device=\"eth0\",address=\"192.0.2.10\",level=\"peer\"} "
		  "0.000000001\n#");
	has(text, "\ncnic_track_path_up{path=\"t1 else drop\",mark=\"0x2\"} 0\n");
	has(text, " gauge\ncnic_track_path_active{path=\"t0 then t1 else drop\",mark=\"0x1\",target=\"t0\"} 1\n#");
	has(text, "\ncnic_track_switch_max_seconds 0.000800000\n");
	has(text, "\ncnic_track_hook_failures_total 1\n");
	rt_track_copy_free(copy);
}

static void labels(void **state)
{
	const struct rt_track_view view = { .name = "q\"b\\n\n\xff\xc3\xa9", .device = "e" };
	struct rt_track_copy *copy = rt_track_copy_new(&view, 1, NULL, 0);
	size_t n, longest;

	(void)state;
	has(whole(copy, rt_metrics_more, &n, &longest),
	    "\ncnic_track_unknown{target=\"q\\\"b\\\\n\\n\xef\xbf\xbd\xc3\xa9\",device=\"e\"} 1\n");
	rt_track_copy_free(copy);
}

/* A thousand targets are written in pieces that are short, and none of it twice. */
static void pieces(void **state)
{
	struct rt_track_copy *copy = shown(1000);
	size_t n, longest, n_names = 0, n_lines = 0;
	const char *text = whole(copy, rt_track_json_more, &n, &longest), *p;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	(void)state;
	assert_int_equal(json_array_size(at(json, "targets")), 1000);
	is_text(json, "targets.999.name", "t999");
	assert_int_equal(json_array_size(at(json, "paths")), 2);
	json_decref(json);
	assert_true(n > strlen(text) / RT_TRACK_PIECE / 2);
	assert_true(longest < RT_TRACK_PIECE + 2048);

	text = whole(copy, rt_metrics_more, &n, &longest);
	assert_true(n > strlen(text) / RT_TRACK_PIECE / 2);
	assert_true(longest < RT_TRACK_PIECE + 2048);
	/* each is explained once, and its samples stand together */
	for (p = text; (p = strstr(p, "# TYPE ")); p++) {
		char name[80];

		snprintf(name, sizeof(name), "\n# TYPE %.*s ", (int)strcspn(p + 7, " "), p + 7);
		assert_null(strstr(p, name));
		n_names++;
	}
	for (p = text; (p = strstr(p, "\ncnic_track_up{")); p++)
		n_lines++;
	assert_int_equal(n_lines, 1000);
	assert_true(n_names > 30);
	rt_track_copy_free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_as_json), cmocka_unit_test(events_as_json), cmocka_unit_test(without_targets),
		cmocka_unit_test(metrics),	 cmocka_unit_test(labels),	   cmocka_unit_test(pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
