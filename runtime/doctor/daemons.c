/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemons.c - other programs that take away what they did not make. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/doctor/doctor.h"
#include "runtime/doctor/ini.h"

static const struct cni_span nowhere;

/* ---- what runs ---- */

/* The network namespace of a process, as the kernel writes it ("net:[4026531840]"); false with errno. */
static bool namespace_of(const struct rt_doctor *d, const char *process, char name[64])
{
	ssize_t len = readlink(cni_printf(d->arena, "%s/proc/%s/ns/net", d->root, process), name, 63);

	if (len < 0)
		return false;
	name[len] = '\0';
	return true;
}

enum running { RUNS_NOT, RUNS, RUNS_PERHAPS /* it cannot be told in which namespace */ };

/* A process of that name in our network namespace. `comm` as /proc shows it: at most 15 bytes. */
static enum running find_process(const struct rt_doctor *d, const char *comm, const char **pid)
{
	DIR *folder = opendir(cni_printf(d->arena, "%s/proc", d->root));
	char ours[64], theirs[64];
	enum running found = RUNS_NOT;
	const struct dirent *entry;

	if (!folder || !namespace_of(d, "self", ours)) {
		if (folder)
			closedir(folder);
		return RUNS_PERHAPS;
	}
	while (found != RUNS && (entry = readdir(folder))) {
		const char *name = entry->d_name, *text;

		if (strspn(name, "0123456789") != strlen(name))
			continue;
		text = rt_doctor_read(d, cni_printf(d->arena, "/proc/%s/comm", name));
		if (!text || strncmp(text, comm, strlen(comm)) != 0 || text[strlen(comm)] != '\n')
			continue;
		*pid = cni_strdup(d->arena, name);
		if (!namespace_of(d, name, theirs))
			found = RUNS_PERHAPS;
		else if (!strcmp(ours, theirs))
			found = RUNS;
	}
	closedir(folder);
	return found;
}

static const char *not_here(struct rt_doctor *d, const char *daemon, enum running running, enum rt_verdict *verdict)
{
	if (running == RUNS_NOT)
		return cni_printf(d->arena, "%s does not run in this network namespace", daemon);
	*verdict = RT_UNKNOWN;
	return cni_printf(d->arena, "/proc does not tell whether %s runs in this network namespace", daemon);
}

/* ---- systemd-networkd ---- */

/* Where its configuration is, the first taking precedence (networkd.conf(5)). */
static const char *const folders[] = { "/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd" };
#define N_FOLDERS (sizeof(folders) / sizeof(*folders))

struct dropins {
	const char **names;
	size_t n_names;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of drop-ins of all folders, once each, in the order in which they are read. */
static struct dropins dropin_names(const struct rt_doctor *d)
{
	struct dropins found = { 0 };
	size_t kept = 0;

	for (size_t i = 0; i < N_FOLDERS; i++) {
		DIR *folder = opendir(cni_printf(d->arena, "%s%s/networkd.conf.d", d->root, folders[i]));
		const struct dirent *entry;

		while (folder && (entry = readdir(folder))) {
			size_t len = strlen(entry->d_name);

			if (*entry->d_name != '.' && len > 5 && !strcmp(entry->d_name + len - 5, ".conf"))
				*cni_push(d->arena, found.names, found.n_names) = cni_strdup(d->arena, entry->d_name);
		}
		if (folder)
			closedir(folder);
	}
	if (found.n_names)
		qsort(found.names, found.n_names, sizeof(*found.names), by_name);
	for (size_t i = 0; i < found.n_names; i++)
		if (!kept || strcmp(found.names[kept - 1], found.names[i]) != 0)
			found.names[kept++] = found.names[i];
	found.n_names = kept;
	return found;
}

/* The file of that name in the first folder that has one: it hides the others. NULL: none has. */
static const char *first_of(const struct rt_doctor *d, const char *name, const char **path)
{
	for (size_t i = 0; i < N_FOLDERS; i++) {
		const char *text;

		*path = cni_printf(d->arena, "%s/%s", folders[i], name);
		text = rt_doctor_read(d, *path);
		if (text || errno != ENOENT)
			return text;
	}
	return NULL;
}

/* A switch that is on where nothing turns it off; *from is the last file that says so. */
static bool networkd_switch(const struct rt_doctor *d, const char *key, const char **from)
{
	struct dropins dropins = dropin_names(d);
	bool on = true;

	*from = "by default";
	for (size_t i = 0; i <= dropins.n_names; i++) {
		const char *name =
			i ? cni_printf(d->arena, "networkd.conf.d/%s", dropins.names[i - 1]) : "networkd.conf";
		const char *path, *text = first_of(d, name, &path);
		const char *value = text ? rt_ini_get(d->arena, text, "Network", key) : NULL;

		if (!value)
			continue;
		rt_ini_bool(value, &on);
		*from = cni_printf(d->arena, "by %s", path);
	}
	return on;
}

const char *rt_look_networkd(struct rt_doctor *d, enum rt_verdict *verdict)
{
	static const struct {
		const char *key, *takes;
		enum cni_code code;
	} switches[] = { { "ManageForeignRoutingPolicyRules", "every ip rule", CNI730 },
			 { "ManageForeignRoutes", "routes", CNI731 } };
	const char *pid = "", *from;
	enum running running = find_process(d, "systemd-network", &pid);

	if (running != RUNS)
		return not_here(d, "systemd-networkd", running, verdict);
	for (size_t i = 0; i < sizeof(switches) / sizeof(*switches); i++) {
		struct cni_diag *diag;

		if (!networkd_switch(d, switches[i].key, &from))
			continue;
		diag = rt_finding(d, switches[i].code, nowhere,
				  "systemd-networkd (process %s) removes %s that it did not make: %s=yes, %s", pid,
				  switches[i].takes, switches[i].key, from);
		cni_diag_help(d->diags, diag,
			      "mkdir -p /etc/systemd/networkd.conf.d && printf '[Network]\\n"
			      "ManageForeignRoutingPolicyRules=no\\nManageForeignRoutes=no\\n' "
			      ">/etc/systemd/networkd.conf.d/zz-cnic.conf && systemctl restart systemd-networkd");
	}
	return cni_printf(d->arena, "systemd-networkd runs (process %s)", pid);
}

/* ---- NetworkManager ---- */

struct managed {
	struct rt_doctor *doctor;
	const char *pid;
	const char *said; /* devices that were reported, each between spaces */
};

static void look_at_device(const char *device, void *arg)
{
	struct managed *m = arg;
	struct rt_doctor *d = m->doctor;
	const struct cni_st_link *link = rt_find_link(d->observed, device);
	const char *text =
		link ? rt_doctor_read(d, cni_printf(d->arena, "/run/NetworkManager/devices/%d", link->ifindex)) : NULL;
	const char *value = text ? rt_ini_get(d->arena, text, "device", "managed") : NULL;
	bool managed = false;
	struct cni_diag *diag;

	if (value)
		rt_ini_bool(value, &managed);
	if (!managed || strstr(m->said, cni_printf(d->arena, " %s ", device)))
		return;
	m->said = cni_printf(d->arena, "%s%s ", m->said, device);
	diag = rt_finding(d, CNI732, nowhere, "NetworkManager (process %s) manages `%s`, which the policy uses", m->pid,
			  device);
	cni_diag_help(d->diags, diag,
		      "printf '[keyfile]\\nunmanaged-devices+=interface-name:%s\\n' "
		      ">/etc/NetworkManager/conf.d/zz-cnic-%s.conf && nmcli general reload && nmcli device set %s "
		      "managed no",
		      device, device, device);
}

const char *rt_look_network_manager(struct rt_doctor *d, enum rt_verdict *verdict)
{
	struct managed managed = { .doctor = d, .pid = "", .said = " " };
	enum running running = find_process(d, "NetworkManager", &managed.pid);

	if (running != RUNS)
		return not_here(d, "NetworkManager", running, verdict);
	if (access(cni_printf(d->arena, "%s/run/NetworkManager/devices", d->root), R_OK | X_OK)) {
		*verdict = RT_UNKNOWN;
		return "NetworkManager runs, but /run/NetworkManager/devices does not show what it manages";
	}
	rt_policy_devices(d->model, look_at_device, &managed);
	return cni_printf(d->arena, "NetworkManager runs (process %s): which devices of the policy it manages",
			  managed.pid);
}
