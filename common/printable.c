/* SPDX-License-Identifier: Apache-2.0 */
#include "common/printable.h"

#include <stdbool.h>
#include <stdint.h>

static void clean(uint8_t *text, size_t n, bool lines)
{
    for (size_t i = 0; i < n; i++) {
        const bool c1 = text[i] == 0xc2 && i + 1 < n && text[i + 1] >= 0x80 && text[i + 1] < 0xa0;

        if ((text[i] < 0x20 && !(lines && text[i] == '\n')) || text[i] == 0x7f)
            text[i] = '?';
        if (c1)
            text[i] = text[i + 1] = '?';
    }
}

void printable(char *text, size_t n)
{
    clean((uint8_t *)text, n, false);
}

void printable_lines(char *text, size_t n)
{
    clean((uint8_t *)text, n, true);
}
