#!/usr/bin/env bash
# Everything aipm needs on Debian 12: installs what is missing when it may (root or passwordless sudo), else says what to ask for.
# --quiet: print nothing when nothing is missing. --gnuplot: only gnuplot, which draws the figures of aipm report.
set -u
packages=(gcc make pkg-config libopenmpi-dev openmpi-bin libhdf5-openmpi-dev libscalapack-openmpi-dev liblapacke-dev
          libopenblas-dev libcunit1-dev libyaml-dev zlib1g-dev libzstd-dev libjansson-dev procps)
have() {
    command -v mpicc >/dev/null && command -v pgrep >/dev/null && command -v mpirun >/dev/null && command -v gcc >/dev/null && command -v pkg-config >/dev/null &&
        pkg-config --exists hdf5-openmpi scalapack-openmpi lapacke openblas cunit yaml-0.1 zlib libzstd jansson
}
if [ "${1:-}" = --gnuplot ]; then
    packages=(gnuplot-nox)
    have() { command -v gnuplot >/dev/null; }
fi
if have; then
    [ "${1:-}" = --gnuplot ] && exit 0
    [ "${1:-}" = --quiet ] || echo "all there: mpicc, HDF5, ScaLAPACK, LAPACKE, OpenBLAS, CUnit, libyaml, zlib, libzstd, jansson"
    exit 0
fi
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null && { [ -z "$as_root" ] || sudo -n true 2>/dev/null; }; then
    echo "installing: ${packages[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    $as_root apt-get -o DPkg::Lock::Timeout=300 update -qq >&2 &&
        $as_root apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${packages[@]}" >&2
    have && exit 0
    echo "the packages above did not install: see the messages of apt-get" >&2
    exit 1
fi
if [ "${1:-}" = --gnuplot ]; then
    echo "gnuplot is not installed and this user may not install it (Debian: gnuplot-nox): figures will not be drawn" >&2
    exit 1
fi
cat >&2 <<T
aipm needs these, and this user may not install them:
  Debian/Ubuntu   apt-get install ${packages[*]}
  Spack           spack install openmpi hdf5+mpi+hl netlib-scalapack openblas libyaml zlib zstd jansson cunit; spack load (the same)
  modules         module load gcc openmpi hdf5/parallel scalapack openblas   (names differ by site); libyaml and cunit from Spack
pkg-config must then find: hdf5-openmpi scalapack-openmpi lapacke openblas cunit yaml-0.1 zlib libzstd jansson (README, "Without root").
T
exit 1
