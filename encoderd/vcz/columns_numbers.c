/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/columns_impl.h"

#include "common/size.h"
#include "encoderd/zarr/meta/floats.h"
#include "encoderd/zarr/meta/ints.h"

int column_ints(struct column *column, uint64_t begin, uint64_t n, int64_t *out, struct err *err)
{
    const struct dtype *dtype = &column->array->meta.dtype;

    if (column->size == 0 || dtype->kind == DTYPE_FLOAT)
        return err_set(err, ERR_DATA, "array %s holds no whole numbers", column->array->name);
    while (n > 0) {
        const uint8_t *data = NULL;
        uint64_t rows = 0;

        if (column_slab_rows(column, begin, n, &data, &rows, err) != 0)
            return -1;
        zarr_ints(dtype, data, rows * column->row_values, out);
        out += rows * column->row_values;
        begin += rows;
        n -= rows;
    }
    return 0;
}

#define READ_DOUBLES(type)                                                                         \
    for (uint64_t i = 0; i < n; i++) {                                                             \
        type v_;                                                                                   \
                                                                                                   \
        memcpy(&v_, data + i * sizeof v_, sizeof v_);                                              \
        out[i] = v_ == (type)VCZ_INT_MISSING ? missing                                             \
                 : v_ == (type)VCZ_INT_FILL  ? fill                                                \
                                             : (double)v_;                                          \
    }                                                                                              \
    break

static void read_signed(size_t size, const uint8_t *data, uint64_t n, double *out)
{
    const double missing = column_from_bits(COLUMN_MISSING_BITS);
    const double fill = column_from_bits(COLUMN_FILL_BITS);

    switch (size) {
    case 1:
        READ_DOUBLES(int8_t);
    case 2:
        READ_DOUBLES(int16_t);
    case 4:
        READ_DOUBLES(int32_t);
    default:
        READ_DOUBLES(int64_t);
    }
}

static void read_unsigned(const struct dtype *dtype, const uint8_t *data, uint64_t n, double *out)
{
    for (uint64_t i = 0; i < n; i++)
        out[i] = (double)(uint64_t)zarr_int(dtype, data + i * dtype->size);
}

static void read_floats(const struct dtype *dtype, const uint8_t *data, uint64_t n, double *out)
{
    uint8_t kinds[1024];

    for (uint64_t done = 0; done < n;) {
        const size_t step = (size_t)size_min(n - done, sizeof kinds);

        zarr_floats(dtype, data + done * dtype->size, step, out + done, kinds);
        for (size_t i = 0; i < step; i++)
            if (kinds[i] != ZARR_FLOAT_VALUE)
                out[done + i] = column_from_bits(kinds[i] == ZARR_FLOAT_FILL ? COLUMN_FILL_BITS
                                                                             : COLUMN_MISSING_BITS);
        done += step;
    }
}

int column_doubles(struct column *column, uint64_t begin, uint64_t n, double *out, struct err *err)
{
    const struct dtype *dtype = &column->array->meta.dtype;

    if (column->size == 0)
        return err_set(err, ERR_DATA, "array %s holds no numbers", column->array->name);
    while (n > 0) {
        const uint8_t *data = NULL;
        uint64_t rows = 0, values;

        if (column_slab_rows(column, begin, n, &data, &rows, err) != 0)
            return -1;
        values = rows * column->row_values;
        if (dtype->kind == DTYPE_FLOAT)
            read_floats(dtype, data, values, out);
        else if (dtype->kind == DTYPE_INT)
            read_signed(column->size, data, values, out);
        else
            read_unsigned(dtype, data, values, out);
        out += values;
        begin += rows;
        n -= rows;
    }
    return 0;
}
