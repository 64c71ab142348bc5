#include "encoderd/encode_need.h"

/* Cells read by themselves, and so none has anything to wait for; how much it decodes is not known. */
enum need encode_need(const struct format_view *format, const struct encode_target *target,
                      const struct encode_cell *cell, struct encode_worker *worker,
                      struct cell_need *need, struct err *err)
{
    (void)format;
    (void)target;
    (void)cell;
    (void)worker;
    (void)err;
    need->nblocks = UINT64_MAX;
    return NEED_THERE;
}

void cell_need_clear(struct cell_need *need)
{
    (void)need;
}
