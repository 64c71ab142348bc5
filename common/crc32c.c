/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crc32c.h"

#include "common/bytes.h"
#include "common/cpu.h"

#include <string.h>

/* For each value of the four bits that are shifted out of the sum: what is added (XOR) to the sum.
 * The reflected polynomial is 0x82f63b78. */
static const uint32_t nibble[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t crc32c_portable(uint32_t sum, const uint8_t *data, size_t n)
{
    sum = ~sum;
    for (size_t i = 0; i < n; i++) {
        sum ^= data[i];
        sum = sum >> 4 ^ nibble[sum & 15];
        sum = sum >> 4 ^ nibble[sum & 15];
    }
    return ~sum;
}

/* The instruction takes a word of which the first byte is the lowest: see common/bytes.h. */
#if defined(__x86_64__)
#define HAVE_INSTRUCTION 1
#define CRC32C_TARGET    __attribute__((target("sse4.2")))

CRC32C_TARGET static inline uint32_t crc_of_8(uint32_t sum, uint64_t at8)
{
    return (uint32_t)__builtin_ia32_crc32di(sum, at8);
}

CRC32C_TARGET static inline uint32_t crc_of_1(uint32_t sum, uint8_t at1)
{
    return __builtin_ia32_crc32qi(sum, at1);
}
#elif defined(__aarch64__)
#define HAVE_INSTRUCTION 1
#define CRC32C_TARGET

/* Written as assembly, because gcc and clang need different declarations before they accept the
 * intrinsic. */
static inline uint32_t crc_of_8(uint32_t sum, uint64_t at8)
{
    __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(sum) : "r"(at8));
    return sum;
}

static inline uint32_t crc_of_1(uint32_t sum, uint8_t at1)
{
    __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(sum) : "r"(at1));
    return sum;
}
#endif

#ifdef HAVE_INSTRUCTION
CRC32C_TARGET static uint32_t by_instruction(uint32_t sum, const uint8_t *data, size_t n)
{
    uint64_t word;

    sum = ~sum;
    for (; n >= sizeof word; data += sizeof word, n -= sizeof word) {
        memcpy(&word, data, sizeof word);
        sum = crc_of_8(sum, word);
    }
    for (; n > 0; data++, n--)
        sum = crc_of_1(sum, *data);
    return ~sum;
}
#endif

uint32_t crc32c_more(uint32_t sum, const uint8_t *data, size_t n)
{
#ifdef HAVE_INSTRUCTION
    if (cpu_uses(CPU_CRC32C))
        return by_instruction(sum, data, n);
#endif
    return crc32c_portable(sum, data, n);
}

uint32_t crc32c(const uint8_t *data, size_t n)
{
    return crc32c_more(0, data, n);
}
