/* SPDX-License-Identifier: Apache-2.0 */
#include "common/nearest.h"

#include "common/printable.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Longer names are not compared: nobody types them. */
#define LEN_MAX 64

/* The cost of one slip: a letter changed, missing, added, or exchanged with its neighbour. A letter
 * in the wrong case costs less. A wrong digit costs too much to be a slip: chr1 is not meant to be
 * chr2, nor NA12891 to be NA12892. */
#define SLIP       4
#define SLIP_CASE  1
#define SLIP_DIGIT 64

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static unsigned alone(char c)
{
    return is_digit(c) ? SLIP_DIGIT : SLIP;
}

static unsigned change(char a, char b)
{
    if (a == b)
        return 0;
    if (is_digit(a) || is_digit(b))
        return SLIP_DIGIT;
    return strncasecmp(&a, &b, 1) == 0 ? SLIP_CASE : SLIP;
}

static bool swapped(const char *a, const char *b)
{
    return a[-1] == b[0] && a[0] == b[-1] && !is_digit(a[0]) && !is_digit(a[-1]);
}

/* The optimal string alignment distance. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
    unsigned rows[3][LEN_MAX + 1];

    for (size_t i = 0; i <= na; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *over = rows[(i + 1) % 3];

        row[0] = i > 0 ? above[0] + alone(a[i - 1]) : 0;
        for (size_t j = 1; j <= nb; j++) {
            row[j] = row[j - 1] + alone(b[j - 1]);
            if (i == 0)
                continue;
            row[j] = least(row[j], above[j] + alone(a[i - 1]));
            row[j] = least(row[j], above[j - 1] + change(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && swapped(a + i - 1, b + j - 1))
                row[j] = least(row[j], over[j - 2] + SLIP);
        }
    }
    return rows[na % 3][nb];
}

/* The distance up to which a name is near. Two letters could stand for any name, so a short name
 * allows less; eight letters may have two slips. */
static unsigned allowed(size_t len)
{
    unsigned slips = len < 3 ? 0 : len < 6 ? 1 : len < 10 ? 2 : 3;

    return slips * SLIP + SLIP - 1;
}

void nearest_begin(struct nearest *nearest, const char *wanted, size_t len)
{
    *nearest = (struct nearest){.wanted = wanted, .len = len, .best = allowed(len)};
}

void nearest_consider(struct nearest *nearest, const char *prefix, const char *name, size_t len)
{
    const size_t longer = len > nearest->len ? len - nearest->len : nearest->len - len;
    unsigned far;

    if (nearest->len > LEN_MAX || len > LEN_MAX || len == 0 || longer * SLIP > nearest->best)
        return;
    far = distance(nearest->wanted, nearest->len, name, len);
    /* Of two names at the same distance the longer one is taken, because people leave out letters
     * more often than they add any: umount stands for unmount rather than for mount. */
    if (far > nearest->best || (far == nearest->best && len <= nearest->found_len))
        return;
    nearest->best = far;
    nearest->found_len = len;
    snprintf(nearest->name, sizeof nearest->name, "%s%.*s", prefix, (int)len, name);
}

const char *nearest_hint(const struct nearest *nearest, char hint[NEAREST_HINT_MAX])
{
    hint[0] = '\0';
    if (nearest->name[0] != '\0')
        snprintf(hint, NEAREST_HINT_MAX, "; did you mean '%s'?", nearest->name);
    printable(hint, strlen(hint));
    return hint;
}
