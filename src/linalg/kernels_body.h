/* The body of linalg/kernels.h, included once per instruction set by kernels_avx*.c, which define
 *   vec, LANES, V_*          a register of LANES floats and its operations
 *   WIDEST, MOST_ROWS        bounds of a register tile
 *   COLUMNS(n)               vectors to take next when n remain
 *   TILES(X)                 X(V, R) for each width V, R rows deep: R V accumulators + V + 1 must fit the register file
 *   transpose_square              a LANES x LANES block, rows to columns */
#define INLINE static inline __attribute__((always_inline))

/* A register tile: R rows by V vectors of C, all of k in one go. R and V are constants at every call. Every element of C is
 * one chain of fused multiply-adds in the order of k, so how C is cut into tiles does not show in its bits. */
INLINE void tile(const int R, const int V, int k, const float *a, ptrdiff_t a_row, ptrdiff_t a_col, const float *b,
                 ptrdiff_t b_row, float *c, ptrdiff_t c_row, bool add)
{
    vec acc[MOST_ROWS][WIDEST];
#pragma GCC unroll 32
    for (int i = 0; i < R; i++)
#pragma GCC unroll 32
        for (int j = 0; j < V; j++) acc[i][j] = V_ZERO;
    for (int l = 0; l < k; l++) {
        vec x[WIDEST];
#pragma GCC unroll 32
        for (int j = 0; j < V; j++) x[j] = V_LOAD(b + j * LANES);
#pragma GCC unroll 32
        for (int i = 0; i < R; i++) {
            vec s = V_SET(a[i * a_row]);
#pragma GCC unroll 32
            for (int j = 0; j < V; j++) acc[i][j] = V_FMA(s, x[j], acc[i][j]);
        }
        a += a_col;
        b += b_row;
    }
#pragma GCC unroll 32
    for (int i = 0; i < R; i++)
#pragma GCC unroll 32
        for (int j = 0; j < V; j++) {
            float *to = c + i * c_row + j * LANES;
            V_STORE(to, add ? V_ADD(V_LOAD(to), acc[i][j]) : acc[i][j]);
        }
}

/* m rows of a strip V vectors wide. */
#define STRIP(V, R)                                                                                                         \
    static void strip_##V(int m, int k, const float *a, ptrdiff_t a_row, ptrdiff_t a_col, const float *b, ptrdiff_t b_row,  \
                          float *c, ptrdiff_t c_row, bool add)                                                              \
    {                                                                                                                       \
        int i = 0;                                                                                                          \
        for (; i + R <= m; i += R) tile(R, V, k, a + i * a_row, a_row, a_col, b, b_row, c + i * c_row, c_row, add);         \
        for (; i + 2 <= m; i += 2) tile(2, V, k, a + i * a_row, a_row, a_col, b, b_row, c + i * c_row, c_row, add);         \
        for (; i < m; i++) tile(1, V, k, a + i * a_row, a_row, a_col, b, b_row, c + i * c_row, c_row, add);                 \
    }
TILES(STRIP)

static void product(int m, int n, int k, const float *a, ptrdiff_t a_row, ptrdiff_t a_col, const float *b, ptrdiff_t b_row,
                    float *c, ptrdiff_t c_row, bool add)
{
    enum { DEPTH = 384 }; /* of k at a time: a strip of B then stays in the second-level cache */
    for (int l = 0; l < k || l == 0; l += DEPTH) {
        int depth = k - l < DEPTH ? k - l : DEPTH, v;
        for (int j = 0; j < n; j += v * LANES) {
            v = COLUMNS((n - j) / LANES);
            const float *from = a + l * a_col, *by = b + l * b_row + j;
            switch (v) {
#define CASE(V, R)                                                                                                          \
    case V: strip_##V(m, depth, from, a_row, a_col, by, b_row, c + j, c_row, add || l); break;
                TILES(CASE)
            }
        }
    }
}

static void tile_max(int rows, int width, const float *x, float *top)
{
    for (int j = 0; j < width; j += LANES) {
        vec m = V_LOAD(top + j);
        for (int i = 0; i < rows; i++) m = V_MAX(V_LOAD(x + i * TILE + j), m);
        V_STORE(top + j, m);
    }
}

/* exp by Cody and Waite: x = n ln 2 + r, a polynomial of degree 6 in r (Cephes), n added to the exponent. */
INLINE vec exponential(vec x)
{
    const vec magic = V_SET(12582912.f); /* 1.5 * 2^23: adding it rounds to an integer, left in the low bits */
    vec t = V_FMA(x, V_SET(1.44269504088896341f), magic), n = V_SUB(t, magic);
    vec r = V_FMA(n, V_SET(-0.693359375f), x);
    r = V_FMA(n, V_SET(2.12194440e-4f), r);
    vec p = V_FMA(V_SET(1.9875691500e-4f), r, V_SET(1.3981999507e-3f));
    p = V_FMA(p, r, V_SET(8.3334519073e-3f));
    p = V_FMA(p, r, V_SET(4.1665795894e-2f));
    p = V_FMA(p, r, V_SET(1.6666665459e-1f));
    p = V_FMA(p, r, V_SET(5.0000001201e-1f));
    p = V_FMA(V_MUL(p, r), r, V_ADD(r, V_SET(1.f)));
    return V_SCALE(p, t);
}

static void tile_exp(int rows, int width, float *x, const float *shift, float *sum)
{
    for (int j = 0; j < width; j += LANES) {
        vec s = V_ZERO, m = V_LOAD(shift + j); /* a block's sum of its own: less rounding over many keys */
        for (int i = 0; i < rows; i++) {
            /* the second operand of a maximum is what comes back when one is NaN: NaN stays NaN */
            vec e = exponential(V_MAX(V_SET(-60.f), V_SUB(V_LOAD(x + i * TILE + j), m)));
            V_STORE(x + i * TILE + j, e);
            s = V_ADD(s, e);
        }
        V_STORE(sum + j, V_ADD(V_LOAD(sum + j), s));
    }
}

static void tile_softmax_back(int rows, int width, const float *e, const float *r, float *d)
{
    for (int j = 0; j < width; j += LANES) {
        vec m = V_LOAD(r + j);
        for (int i = 0; i < rows; i++) {
            float *to = d + i * TILE + j;
            V_STORE(to, V_MUL(V_LOAD(e + i * TILE + j), V_SUB(V_LOAD(to), m)));
        }
    }
}

static void relu_sum(int rows, int width, const float *s, ptrdiff_t ld, const float *r, float *sum)
{
    for (int j = 0; j < width; j += LANES) {
        vec a = V_LOAD(sum + j);
        for (int i = 0; i < rows; i++) a = V_FMA(V_MAX(V_LOAD(s + i * ld + j), V_ZERO), V_SET(r[i]), a);
        V_STORE(sum + j, a);
    }
}

/* sin of r in [-pi/2, pi/2], a polynomial of degree 11, with the sign of (-1)^k for k in the low bits of t. */
INLINE vec sine(vec r, vec t)
{
    vec x = V_MUL(r, r);
    vec p = V_FMA(V_SET(-2.3889859e-8f), x, V_SET(2.7525562e-6f));
    p = V_FMA(p, x, V_SET(-1.9840874e-4f));
    p = V_FMA(p, x, V_SET(8.3333310e-3f));
    p = V_FMA(p, x, V_SET(-1.6666667e-1f));
    return V_FLIP(V_FMA(V_MUL(p, x), r, r), t);
}

/* x - k pi by three parts of pi. */
INLINE vec less_pi(vec x, vec k)
{
    x = V_FMA(k, V_SET(-3.140625f), x);
    x = V_FMA(k, V_SET(-9.67502593994140625e-4f), x);
    return V_FMA(k, V_SET(-1.509957990978376e-7f), x);
}

static void wave_sum(int rows, int width, const float *s, ptrdiff_t ld, const float *r, float *sum, float *more)
{
    const vec magic = V_SET(12582912.f), inverse = V_SET(0.318309886183790672f), half = V_SET(0.5f);
    for (int j = 0; j < width; j += LANES) {
        vec a = V_LOAD(sum + j), b = V_LOAD(more + j);
        for (int i = 0; i < rows; i++) {
            vec x = V_LOAD(s + i * ld + j), y = V_SET(r[i]);
            vec t = V_FMA(x, inverse, magic), u = V_ADD(V_FMA(x, inverse, half), magic);
            a = V_FMA(sine(less_pi(x, V_SUB(t, magic)), t), y, a);
            /* x = (k - 1/2) pi + r: cos x = (-1)^k cos(r - pi/2) = (-1)^k sin r */
            b = V_FMA(sine(less_pi(x, V_SUB(V_SUB(u, magic), half)), u), y, b);
        }
        V_STORE(sum + j, a);
        V_STORE(more + j, b);
    }
}

static void tile_weigh(int rows, int width, float *x, const float *shift, float *sum)
{
    const vec least = exponential(V_SET(-60.f));
    for (int j = 0; j < width; j += LANES) {
        vec s = V_ZERO, m = V_LOAD(shift + j);
        for (int i = 0; i < rows; i++) {
            vec e = V_SUB(exponential(V_MAX(V_SET(-60.f), V_SUB(V_LOAD(x + i * TILE + j), m))), least);
            V_STORE(x + i * TILE + j, e);
            s = V_ADD(s, e);
        }
        V_STORE(sum + j, V_ADD(V_LOAD(sum + j), s));
    }
}

static void tile_transpose(int n, int columns, const float *x, ptrdiff_t row, float *out)
{
    int whole = n / LANES * LANES, width = padded(n);
    for (int j = 0; j < columns; j += LANES) {
        for (int i = 0; i < whole; i += LANES) transpose_square(x + i * row + j, row, out + j * TILE + i, TILE);
        if (whole == width) continue;
        float edge[PAD * LANES] __attribute__((aligned(64)));
        for (int i = 0; i < width - whole; i++)
            V_STORE(edge + i * LANES, whole + i < n ? V_LOAD(x + (whole + i) * row + j) : V_ZERO);
        for (int i = whole; i < width; i += LANES)
            transpose_square(edge + (i - whole) * LANES, LANES, out + j * TILE + i, TILE);
    }
}

static void row_dots(int rows, int width, const float *scale, float *x, ptrdiff_t x_row, const float *y, ptrdiff_t y_row,
                     float *dot)
{
    for (int i = 0; i < rows; i++, x += x_row, y += y_row) {
        vec s = V_SET(scale[i]), sum = V_ZERO;
        for (int j = 0; j < width; j += LANES) {
            vec v = V_MUL(V_LOAD(x + j), s);
            V_STORE(x + j, v);
            sum = V_FMA(v, V_LOAD(y + j), sum);
        }
        dot[i] = V_SUM(sum);
    }
}

/* 1 for the columns in use, 0 for the padding, of the last PAD columns of a row. */
static const float *edge_of(int columns)
{
    static const float one_zero[2 * PAD] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    return one_zero + (padded(columns) - columns);
}

static void norm(int rows, int columns, const float *x, const float *a, ptrdiff_t a_row, const float *scale,
                 const float *shift, float *normalised, float *inverse, float *y)
{
    const int ld = padded(columns), last = ld - PAD;
    const float *edge = edge_of(columns), share = 1 / (float)columns;
    for (int i = 0; i < rows; i++, x += ld, normalised += ld) {
        vec sum = V_ZERO, square = V_ZERO;
        for (int j = 0; j < ld; j += LANES) {
            vec v = V_LOAD(x + j);
            if (a) v = V_ADD(v, V_LOAD(a + j));
            V_STORE(normalised + j, v);
            sum = V_ADD(sum, v);
        }
        vec mean = V_SET(V_SUM(sum) * share);
        for (int j = 0; j < ld; j += LANES) {
            vec v = V_SUB(V_LOAD(normalised + j), mean);
            if (j >= last) v = V_MUL(v, V_LOADU(edge + j - last));
            V_STORE(normalised + j, v);
            square = V_FMA(v, v, square);
        }
        inverse[i] = 1 / __builtin_sqrtf(V_SUM(square) * share + 1e-5f);
        vec r = V_SET(inverse[i]);
        for (int j = 0; j < ld; j += LANES) {
            vec h = V_MUL(V_LOAD(normalised + j), r);
            V_STORE(normalised + j, h);
            if (y) V_STORE(y + j, V_FMA(h, V_LOAD(scale + j), V_LOAD(shift + j)));
        }
        if (a) a += a_row;
        if (y) y += ld;
    }
}

static void norm_back(int rows, int columns, const float *normalised, const float *inverse, const float *scale,
                      const float *dy, float *dx, float *dscale, float *dshift)
{
    const int ld = padded(columns), last = ld - PAD;
    const float *edge = edge_of(columns), share = 1 / (float)columns;
    for (int i = 0; i < rows; i++, normalised += ld, dy += ld, dx += ld) {
        vec sum = V_ZERO, inner = V_ZERO;
        for (int j = 0; j < ld; j += LANES) {
            vec d = V_LOAD(dy + j), h = V_LOAD(normalised + j), g = V_MUL(d, V_LOAD(scale + j));
            sum = V_ADD(sum, g);
            inner = V_FMA(g, h, inner);
            V_STORE(dscale + j, V_FMA(d, h, V_LOAD(dscale + j)));
            V_STORE(dshift + j, V_ADD(d, V_LOAD(dshift + j)));
        }
        vec r = V_SET(inverse[i]), m = V_SET(V_SUM(sum) * share), c = V_SET(-V_SUM(inner) * share);
        for (int j = 0; j < ld; j += LANES) {
            vec g = V_SUB(V_MUL(V_LOAD(dy + j), V_LOAD(scale + j)), m);
            g = V_MUL(r, V_FMA(V_LOAD(normalised + j), c, g));
            if (j >= last) g = V_MUL(g, V_LOADU(edge + j - last));
            V_STORE(dx + j, g);
        }
    }
}

static void row_affine(int rows, int ld, const float *x, const float *scale, const float *shift, float *y)
{
    for (int i = 0; i < rows; i++, x += ld, y += ld)
        for (int j = 0; j < ld; j += LANES) V_STORE(y + j, V_FMA(V_LOAD(x + j), V_LOAD(scale + j), V_LOAD(shift + j)));
}

/* The second operand of a maximum is what comes back when one is NaN: NaN stays. */
static void row_bias(int rows, int ld, const float *b, bool relu, float *y)
{
    for (int i = 0; i < rows; i++, y += ld)
        for (int j = 0; j < ld; j += LANES) {
            vec v = V_ADD(V_LOAD(y + j), V_LOAD(b + j));
            V_STORE(y + j, relu ? V_MAX(V_ZERO, v) : v);
        }
}

static void column_sum(int rows, int ld, const float *x, float *sum)
{
    for (int j = 0; j < ld; j += LANES) {
        vec s = V_ZERO;
        for (int i = 0; i < rows; i++) s = V_ADD(s, V_LOAD(x + (ptrdiff_t)i * ld + j));
        V_STORE(sum + j, V_ADD(V_LOAD(sum + j), s));
    }
}

static void relu_back(int rows, int ld, const float *y, float scale, float *dy, float *sum)
{
    const vec by = V_SET(scale);
    for (int j = 0; j < ld; j += LANES) {
        vec s = V_ZERO;
        for (int i = 0; i < rows; i++) {
            float *to = dy + (ptrdiff_t)i * ld + j;
            vec d = V_WHERE(V_LOAD(y + (ptrdiff_t)i * ld + j), V_MUL(V_LOAD(to), by));
            V_STORE(to, d);
            s = V_ADD(s, d);
        }
        V_STORE(sum + j, V_ADD(V_LOAD(sum + j), s));
    }
}

#define KERNELS(NAME)                                                                                                       \
    {                                                                                                                       \
        NAME, product, tile_max, tile_exp, tile_softmax_back, relu_sum, wave_sum, tile_weigh, tile_transpose, row_dots,     \
            norm, norm_back, row_affine, row_bias, column_sum, relu_back                                                    \
    }
