/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/vcz.h"

int vcz_need(const struct vcz *vcz, unsigned parts, struct err *err)
{
    for (unsigned i = 0; i < VCZ_NPARTS; i++)
        if ((parts & 1u << i) != 0 && vcz->faults[i].code != ERR_NONE)
            return err_set(err, vcz->faults[i].code, "%s", vcz->faults[i].msg);
    return 0;
}
