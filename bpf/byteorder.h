/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Byte order and inlining, for the kernel and for the user-space builds of the same functions. */
#ifndef SEGUE_BPF_BYTEORDER_H
#define SEGUE_BPF_BYTEORDER_H

#include <linux/types.h>

#define SG_INLINE inline __attribute__((always_inline))
#define SG_NOINLINE __attribute__((noinline))

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define sg_htons(x) ((__be16)__builtin_bswap16((__u16)(x)))
#define sg_htonl(x) ((__be32)__builtin_bswap32((__u32)(x)))
#else
#define sg_htons(x) ((__be16)(x))
#define sg_htonl(x) ((__be32)(x))
#endif
#define sg_ntohs(x) ((__u16)sg_htons(x))
#define sg_ntohl(x) ((__u32)sg_htonl(x))

#endif
