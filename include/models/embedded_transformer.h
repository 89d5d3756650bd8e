/* The class that serves a linear_transformer with an embedding; not in the registry, reached through linear_transformer's options. */
#ifndef MODELS_EMBEDDED_TRANSFORMER_H
#define MODELS_EMBEDDED_TRANSFORMER_H

#include "models/model.h"

extern const struct model_class embedded_transformer_class;

#endif
