#include "common/printable.h"

void printable(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == '\177')
            *text = '?';
}
