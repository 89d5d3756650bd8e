/* BLACS and ScaLAPACK ship no C header. Only src/parallel includes this. */
#ifndef PARALLEL_BLACS_H
#define PARALLEL_BLACS_H

#include <mpi.h>

int Csys2blacs_handle(MPI_Comm);
void Cfree_blacs_system_handle(int);
void Cblacs_gridmap(int *, int *, int, int, int);
void Cblacs_gridinfo(int, int *, int *, int *, int *);
void Cblacs_gridexit(int);
int numroc_(const int *, const int *, const int *, const int *, const int *);
void descinit_(int *, const int *, const int *, const int *, const int *, const int *, const int *, const int *, const int *,
               int *);
void pdsyevd_(const char *, const char *, const int *, double *, const int *, const int *, const int *, double *, double *,
              const int *, const int *, const int *, double *, const int *, int *, const int *, int *);
void pdsyevr_(const char *, const char *, const char *, const int *, double *, const int *, const int *, const int *,
              const double *, const double *, const int *, const int *, int *, int *, double *, double *, const int *,
              const int *, const int *, double *, const int *, int *, const int *, int *);
void pdsymm_(const char *, const char *, const int *, const int *, const double *, const double *, const int *, const int *,
             const int *, const double *, const int *, const int *, const int *, const double *, double *, const int *,
             const int *, const int *);
void pdgemm_(const char *, const char *, const int *, const int *, const int *, const double *, const double *, const int *,
             const int *, const int *, const double *, const int *, const int *, const int *, const double *, double *,
             const int *, const int *, const int *);
double pdlansy_(const char *, const char *, const int *, const double *, const int *, const int *, const int *, double *);
void Cpdgemr2d(int, int, const double *, int, int, const int *, double *, int, int, const int *, int);

#endif
