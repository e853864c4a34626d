/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seal.c - see seal.h. */
#include "runtime/netlink/seal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/netlink/encode.h"
#include "runtime/netlink/execute.h"

#define PLACE_MAX 64

/* " BOOT NAMESPACE"; empty where it cannot be told. */
static const char *place(char text[PLACE_MAX])
{
	char boot[37] = ""; /* a UUID: proc(5), /proc/sys/kernel/random/boot_id */
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	const ssize_t len = fd < 0 ? -1 : read(fd, boot, sizeof(boot) - 1);
	struct stat ns;

	if (fd >= 0)
		close(fd);
	*text = '\0';
	if (len == sizeof(boot) - 1 && !stat("/proc/thread-self/ns/net", &ns))
		snprintf(text, PLACE_MAX, " %s %" PRIuMAX, boot, (uintmax_t)ns.st_ino);
	return text;
}

int rt_seal(struct rt_netlink *nl, uint32_t generation, bool is_sealed)
{
	char comment[16 + PLACE_MAX], here[PLACE_MAX];
	const struct cni_st_counter seal = { .name = RT_SEAL, .comment = comment };
	rt_auto_batch struct rt_batch batch = { 0 };
	struct rt_writer w = { .nl = nl, .batch = &batch };
	struct rt_refusal refusal;
	int rc;

	snprintf(comment, sizeof(comment), "%u%s", rt_generation_after(generation, 1), place(here));
	rt_nft_begin(&w, generation);
	if (is_sealed)
		rt_nft_counter(&w, &seal, false);
	rt_nft_counter(&w, &seal, true);
	rt_nft_end(&w);
	rc = rt_exchange(nl, RT_NETFILTER, &batch, &refusal);
	nl->n_batches += !rc;
	return rc;
}

uint32_t rt_seal_read(const char *comment)
{
	char here[PLACE_MAX], *end;
	const unsigned long generation = strtoul(comment ? comment : "", &end, 10);

	return generation <= UINT32_MAX && *place(here) && !strcmp(end, here) ? (uint32_t)generation : 0;
}
