/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/store/stream_in.h"

#include "common/crc32c.h"
#include "common/size.h"

int stream_in_more(struct stream_in *in, struct err *err)
{
    const size_t n = (size_t)size_min(sizeof in->bytes, in->spec->length - in->stored);

    if (in->spec->read(in->spec->arg, in->stored, in->bytes, n, err) != 0)
        return -1;
    if (in->spec->crc32c_of_stored)
        in->crc32c = crc32c_more(in->crc32c, in->bytes, n);
    in->stored += n;
    in->at = 0;
    in->n = n;
    return 0;
}
