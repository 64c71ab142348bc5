#include "common/io.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

int io_write_all(int fd, const void *data, size_t n, const char *what, struct err *err)
{
    const uint8_t *at = data;

    while (n > 0) {
        ssize_t put = write(fd, at, n);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return err_sys(err, ERR_SYSTEM, put < 0 ? errno : EIO, "cannot write %s", what);
        at += put;
        n -= (size_t)put;
    }
    return 0;
}
