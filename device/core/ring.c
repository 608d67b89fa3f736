/* ring.c: one slot of the frame ring, published so that no reader takes half of it for whole. */
#include "rearguard.h"

#include <stdatomic.h>
#include <string.h>

/* CRC-32 as zlib's: polynomial 0xEDB88320, four bits at a time, small table for small caches. */
static uint32_t crc32(uint32_t crc, const uint8_t *bytes, size_t length)
{
    static const uint32_t TABLE[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158,
        0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4,
        0xa00ae278, 0xbdbdf21c,
    };
    crc = ~crc;
    for (size_t i = 0; i < length; i++) {
        crc = TABLE[(crc ^ bytes[i]) & 15] ^ (crc >> 4);
        crc = TABLE[(crc ^ (bytes[i] >> 4)) & 15] ^ (crc >> 4);
    }
    return ~crc;
}

void rg_ring_publish(void *slot, uint64_t sequence, const void *payload, uint32_t length)
{
    uint8_t *bytes = slot;
    uint8_t number[8];
    for (int i = 0; i < 8; i++)
        number[i] = (uint8_t)(sequence >> (8 * i));
    uint32_t crc = crc32(crc32(0, number, 8), payload, length);

    atomic_store_explicit((_Atomic uint64_t *)slot, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    memcpy(bytes + 8, &crc, 4);
    memcpy(bytes + 12, &length, 4);
    memcpy(bytes + 16, payload, length);
    atomic_store_explicit((_Atomic uint64_t *)slot, sequence, memory_order_release);
}
