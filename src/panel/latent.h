/* The characteristics of the synthetic panel. Private to panel/synthetic.c.
 * A latent is a circular blend cos(a) xi_k + sin(a) xi_{k+1} of independent anchors that its clock passes: of unit variance at all
 * times, persistent, and made for any period without the ones before. */
#ifndef PANEL_LATENT_H
#define PANEL_LATENT_H

#include <stddef.h>
#include <stdint.h>

/* A block of the generator has four words: four characteristics of each theme are made at a time. */
enum { LATENT_THEMES = 13, LATENT_WORDS = 4, LATENT_GROUP = LATENT_THEMES * LATENT_WORDS };

struct latent {
    int N, D, T;
    uint64_t seed;
    struct life *life;  /* [N] what occupies each slot */
    int *count;         /* [T] assets of each period */
    int n, period;      /* the period at hand */
    uint64_t *asset;    /* [N] its assets: slot << 20 | generation */
    uint64_t *index;    /* [N] workspace: where in a stream */
    uint32_t *words[3]; /* [4, N] */
    float *theme;       /* [LATENT_THEMES, N] */
    float *value;       /* [LATENT_GROUP, N] characteristics before ranking */
    double *column;     /* [N] */
    void *ranking;
};

void latent_create(struct latent *l, int N, int D, int T, uint64_t seed);
void latent_destroy(struct latent *l);

/* Whether the panel's characteristics 2p, 2p+1 are a pair that the state ties together. */
static inline int latent_pairs(int D)
{
    return D / 4 > 0 ? D / 4 : 1;
}
/* The state of period t, in (-1, 1), of mean zero: the correlation of every pair. */
double latent_state(const struct latent *l, int t);

/* Move to period t; returns how many assets it has. asset[0 .. n-1] are then set. */
int latent_move(struct latent *l, int t);
int64_t latent_id(uint64_t asset);
/* Rank-standardised characteristics [n, D] and size groups [n] of the period at hand. */
void latent_characteristics(struct latent *l, float *out, int8_t *size_groups);
/* Name of characteristic d, as "momentum_2"; out has room for 64. */
char *latent_name(int d, char *out);

/* Streams of the panel's seed. */
enum { STREAM_LIFE = 1, STREAM_STATE, STREAM_PHASE, STREAM_THEME, STREAM_OWN, STREAM_NOISE, STREAM_FACTOR, STREAM_RETURN };

#endif
