#include "common/printable.h"

#include <string.h>

static void clean(char *text, size_t n, char kept)
{
    for (size_t i = 0; i < n; i++)
        if (((unsigned char)text[i] < ' ' || text[i] == '\177') && text[i] != kept)
            text[i] = '?';
}

void printable(char *text)
{
    clean(text, strlen(text), '\0');
}

void printable_lines(char *text, size_t n)
{
    clean(text, n, '\n');
}
