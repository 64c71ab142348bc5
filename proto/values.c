/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/values.h"

#include "common/bytes.h"

#include <string.h>

/* What follows the first byte of a value: perhaps a length, then content. */
struct form {
    enum value_type type;
    uint8_t length_size; /* bytes of a big-endian length, in bytes, elements or pairs */
    uint8_t content;     /* bytes that the length does not count */
};

/* First bytes 0xc0 to 0xdf: nil, (never used), false, true, bin, ext (one byte more, for its type),
 * float, uint, int, ext of 1 to 16 bytes, str, array, map. In all other values the first byte
 * itself contains the number or the length. */
static const struct form forms[32] = {
    {VALUE_OTHER, 0, 0},  {VALUE_OTHER, 0, 0},  {VALUE_BOOL, 0, 0},   {VALUE_BOOL, 0, 0},
    {VALUE_BIN, 1, 0},    {VALUE_BIN, 2, 0},    {VALUE_BIN, 4, 0},    {VALUE_OTHER, 1, 1},
    {VALUE_OTHER, 2, 1},  {VALUE_OTHER, 4, 1},  {VALUE_OTHER, 0, 4},  {VALUE_OTHER, 0, 8},
    {VALUE_NUMBER, 0, 1}, {VALUE_NUMBER, 0, 2}, {VALUE_NUMBER, 0, 4}, {VALUE_NUMBER, 0, 8},
    {VALUE_NUMBER, 0, 1}, {VALUE_NUMBER, 0, 2}, {VALUE_NUMBER, 0, 4}, {VALUE_NUMBER, 0, 8},
    {VALUE_OTHER, 0, 2},  {VALUE_OTHER, 0, 3},  {VALUE_OTHER, 0, 5},  {VALUE_OTHER, 0, 9},
    {VALUE_OTHER, 0, 17}, {VALUE_STR, 1, 0},    {VALUE_STR, 2, 0},    {VALUE_STR, 4, 0},
    {VALUE_ARRAY, 2, 0},  {VALUE_ARRAY, 4, 0},  {VALUE_MAP, 2, 0},    {VALUE_MAP, 4, 0},
};

/* A value as its first bytes describe it. */
struct head {
    struct value value;
    size_t size;    /* bytes of the head itself */
    uint64_t skip;  /* bytes of content that hold no further values */
    uint64_t nkids; /* values inside */
    bool is_signed;
};

static void count_content(struct head *head)
{
    if (head->value.type == VALUE_ARRAY)
        head->nkids = head->value.n;
    else if (head->value.type == VALUE_MAP)
        head->nkids = UINT64_C(2) * head->value.n;
    else
        head->skip += head->value.n;
}

/* Reads a head of one byte, which contains the number or the length. */
static void read_short_head(uint8_t first, struct head *out)
{
    if (first <= 0x7f) {
        out->value.type = VALUE_NUMBER;
        out->value.number = first;
    } else if (first >= 0xa0) {
        out->value.type = first < 0xc0 ? VALUE_STR : VALUE_OTHER; /* or a number below 0 */
        out->value.n = first < 0xc0 ? first & 0x1fu : 0;
    } else {
        out->value.type = first >= 0x90 ? VALUE_ARRAY : VALUE_MAP;
        out->value.n = first & 0xfu;
    }
}

/* False if the head is cut off, or is the one byte that msgpack never uses. */
static bool read_head(const uint8_t *p, size_t left, struct head *out)
{
    const uint8_t first = p[0];
    const struct form *form;

    *out = (struct head){.size = 1};
    if (first < 0xc0 || first > 0xdf) {
        read_short_head(first, out);
    } else {
        form = &forms[first - 0xc0];
        out->size += form->length_size;
        if (first == 0xc1 || left < out->size)
            return false;
        out->value.type = form->type;
        out->value.n = (uint32_t)get_uint(p + 1, form->length_size, true);
        out->value.number = first & 1u; /* if it is a bool */
        out->skip = form->content;
        out->is_signed = (first & 0xfcu) == 0xd0;
    }
    count_content(out);
    return true;
}

/* Call it only after checking that the content is there. */
static struct value take_value(const struct head *head, const uint8_t *content)
{
    struct value value = head->value;

    value.whole = 1;
    if (value.type == VALUE_NUMBER && head->skip > 0) {
        value.number = get_uint(content, head->skip, true);
        if (head->is_signed && (content[0] & 0x80) != 0)
            value.type = VALUE_OTHER;
    } else if (value.type == VALUE_STR || value.type == VALUE_BIN) {
        value.bytes = content;
    }
    return value;
}

/* A list on its way. */
struct parsing {
    struct value *values;
    uint32_t n;
    size_t depth;
    uint64_t due[VALUES_DEPTH_MAX + 1];  /* values still to come, for each level */
    uint32_t open[VALUES_DEPTH_MAX + 1]; /* whose they are */
};

/* Closes arrays and maps that are complete. False if nothing is left open. */
static bool more_is_due(struct parsing *parsing)
{
    while (parsing->depth > 0 && parsing->due[parsing->depth] == 0) {
        const uint32_t at = parsing->open[parsing->depth--];

        parsing->values[at].whole = parsing->n - at;
    }
    return parsing->due[parsing->depth] > 0;
}

static int open_container(struct parsing *parsing, uint64_t nkids, struct err *err)
{
    if (parsing->depth == VALUES_DEPTH_MAX)
        return err_set(err, ERR_PEER, "packet is nested deeper than %d", VALUES_DEPTH_MAX);
    parsing->depth++;
    parsing->due[parsing->depth] = nkids;
    parsing->open[parsing->depth] = parsing->n - 1;
    return 0;
}

int values_parse(const void *bytes, size_t len, struct value *values, struct err *err)
{
    struct parsing parsing = {.values = values, .due = {1}};
    const uint8_t *p = bytes;
    size_t pos = 0;
    struct head head;

    while (more_is_due(&parsing)) {
        parsing.due[parsing.depth]--;
        if (pos == len || !read_head(p + pos, len - pos, &head))
            return err_set(err, ERR_PEER, "packet is cut off or not msgpack at byte %zu", pos);
        pos += head.size;
        if (head.skip > len - pos || head.nkids > len - pos)
            return err_set(err, ERR_PEER, "packet promises more than it holds at byte %zu", pos);
        if (parsing.n == VALUES_MAX)
            return err_set(err, ERR_PEER, "packet holds more than %d values", VALUES_MAX);
        values[parsing.n++] = take_value(&head, p + pos);
        pos += head.skip;
        if (head.nkids > 0 && open_container(&parsing, head.nkids, err) != 0)
            return -1;
    }
    if (pos != len)
        return err_set(err, ERR_PEER, "packet has %zu bytes after its end", len - pos);
    return 0;
}

bool value_is_str(const struct value *value, const char *text, size_t len)
{
    return value->type == VALUE_STR && value->n == len && memcmp(value->bytes, text, len) == 0;
}
