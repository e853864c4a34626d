/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attrs.c - netlink attributes by type, with their sizes checked; see observe.h. */
#include "runtime/netlink/observe.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

static void take(struct rt_attrs *attrs, const struct nlattr *attr)
{
	uint16_t type = mnl_attr_get_type(attr);

	if (type < RT_ATTRS)
		attrs->at[type] = attr;
	else
		attrs->unknown = true;
}

void rt_attrs(struct rt_attrs *attrs, const struct nlmsghdr *message, size_t header)
{
	const struct nlattr *attr;

	*attrs = (struct rt_attrs){ 0 };
	if (mnl_nlmsg_get_payload_len(message) < header)
		return;
	mnl_attr_for_each(attr, message, header) take(attrs, attr);
}

void rt_attrs_nested(struct rt_attrs *attrs, const struct nlattr *nest)
{
	const struct nlattr *attr;

	*attrs = (struct rt_attrs){ 0 };
	if (!nest)
		return;
	mnl_attr_for_each_nested(attr, nest) take(attrs, attr);
}

void rt_attrs_few(const struct nlattr **at, size_t n, const struct nlattr *nest)
{
	const struct nlattr *attr;

	memset(at, 0, n * sizeof(*at));
	if (nest)
		mnl_attr_for_each_nested(attr, nest)
		{
			const uint16_t type = mnl_attr_get_type(attr);

			if (type < n)
				at[type] = attr;
		}
}

#define READ(type, from)                                                                                               \
	type value;                                                                                                    \
                                                                                                                       \
	if (!attr || mnl_attr_get_payload_len(attr) != sizeof(value))                                                  \
		return missing;                                                                                        \
	memcpy(&value, mnl_attr_get_payload(attr), sizeof(value));                                                     \
	return from(value)

uint8_t rt_u8(const struct nlattr *attr, uint8_t missing)
{
	READ(uint8_t, );
}

uint16_t rt_u16(const struct nlattr *attr, uint16_t missing)
{
	READ(uint16_t, );
}

uint32_t rt_u32(const struct nlattr *attr, uint32_t missing)
{
	READ(uint32_t, );
}

uint32_t rt_be32(const struct nlattr *attr, uint32_t missing)
{
	READ(uint32_t, ntohl);
}

uint64_t rt_be64(const struct nlattr *attr, uint64_t missing)
{
	READ(uint64_t, be64toh);
}

const char *rt_string(const struct nlattr *attr)
{
	return attr && !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) ? mnl_attr_get_str(attr) : "";
}

bool rt_addr(const struct nlattr *attr, enum cni_family family, struct cni_addr *addr)
{
	if (!attr || mnl_attr_get_payload_len(attr) != cni_width(family) / 8)
		return false;
	*addr = cni_addr_from_bytes(family, mnl_attr_get_payload(attr));
	return true;
}
