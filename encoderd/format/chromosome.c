/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/chromosome.h"

#include <string.h>
#include <strings.h>

#define HUMAN_AUTOSOMES 22

/* The chromosomes after the autosomes, in the order of their numbers. Other species have the first
 * four. */
static const char *const special_names[] = {"X", "Y", "XY", "MT", "PAR1", "PAR2"};
#define NSPECIAL       6
#define NSPECIAL_OTHER 4

/* What a name says, before the species is considered. */
enum { NO_NUMBER = -1, SPECIAL = 1000 };

static bool is_word(const char *at, size_t len, const char *word)
{
    return len == strlen(word) && strncasecmp(at, word, len) == 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "X", "y", "MT", "m": names that may have the prefix "chr"; PAR1 and PAR2 may not. */
static int special_of(const char *at, size_t len)
{
    for (int i = 0; i < NSPECIAL_OTHER; i++)
        if (is_word(at, len, special_names[i]))
            return SPECIAL + i;
    return is_word(at, len, "M") ? SPECIAL + 3 : NO_NUMBER;
}

/* One or two digits; or "0X", "0Y", "0M", which Oxford's programs write. */
static int number_of(const char *at, size_t len)
{
    if (len == 1)
        return at[0] - '0';
    if (len == 2 && is_digit(at[1]))
        return (at[0] - '0') * 10 + (at[1] - '0');
    return len == 2 && at[0] == '0' ? special_of(at + 1, 1) : NO_NUMBER;
}

static int parse(const struct str *contig)
{
    const char *at = contig->at;
    size_t len = contig->len;

    if (is_word(at, len, "PAR1") || is_word(at, len, "PAR2"))
        return SPECIAL + NSPECIAL_OTHER + (at[3] - '1');
    if (len > 3 && strncasecmp(at, "chr", 3) == 0) {
        at += 3;
        len -= 3;
    }
    if (len > 0 && is_digit(at[0]))
        return number_of(at, len);
    return special_of(at, len);
}

/* "0" to "95", without a zero before it. */
static struct str digits_of(int number)
{
    static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031"
                                "3233343536373839404142434445464748495051525354555657585960616263"
                                "6465666768697071727374757677787980818283848586878889909192939495";
    const size_t at = (size_t)number * 2;

    return number < 10 ? (struct str){pairs + at + 1, 1} : (struct str){pairs + at, 2};
}

bool chromosome_of(const struct str *contig, unsigned nautosomes, struct chromosome *out)
{
    const int last = nautosomes != 0 ? (int)nautosomes : HUMAN_AUTOSOMES;
    const int nspecial = nautosomes != 0 ? NSPECIAL_OTHER : NSPECIAL;
    int number = parse(contig);

    *out = (struct chromosome){-1, *contig};
    if (number == NO_NUMBER)
        return true;
    if (number >= SPECIAL)
        number = last + 1 + (number - SPECIAL);
    if (number > last + nspecial)
        return false;
    out->code = number;
    if (number <= last)
        out->text = digits_of(number);
    else
        out->text.len = strlen(out->text.at = special_names[number - last - 1]);
    return true;
}
