/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/selection.h"

#include <stdlib.h>

void selection_close(struct selection *selection)
{
    free(selection->own_column);
    free(selection->own_id);
    free(selection->sorted_column);
    free(selection->sorted_sample);
    row_map_free(&selection->rows);
    notices_clear(&selection->notices);
    *selection = (struct selection){0};
}
