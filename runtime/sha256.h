/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sha256.h - Nettle's SHA-256 (FIPS 180-4), as text. */
#ifndef RT_SHA256_H
#define RT_SHA256_H

#include <nettle/base16.h>
#include <nettle/sha2.h>

#define RT_SHA256_TEXT (2 * SHA256_DIGEST_SIZE + 1) /* lower-case hexadecimal digits, and NUL */

static inline void rt_sha256_end(struct sha256_ctx *sha, char text[RT_SHA256_TEXT])
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_digest(sha, sizeof(digest), digest);
	base16_encode_update(text, sizeof(digest), digest);
	text[RT_SHA256_TEXT - 1] = '\0';
}

#endif
