#!/usr/bin/env bash
# A study longer than the time limit where jobs may not requeue themselves: links that follow each other.
#   slurm/chain.sh LINKS STUDY.yaml [SBATCH options of study.sbatch ...]
# Each link resumes the one before if that did not finish (afternotok); once one finishes, the rest are cancelled by SLURM, and after
# a real error by the link itself. Prints the job numbers; what is to follow the study waits for any link's success:
#   sbatch --dependency=$(slurm/chain.sh 6 jobs/main.yaml | tail -n 1) analyze.sbatch
set -eu
links=${1:?number of links} study=${2:?a study file}
shift 2
export REQUEUE=no CHAIN=1
name=aipm-chain-$$-$(date +%s) last='' any=''
for ((i = 1; i <= links; i++)); do
    id=$(sbatch --parsable --job-name="$name" --no-requeue ${last:+--dependency=afternotok:$last --kill-on-invalid-dep=yes} "$@" "${STUDY_SBATCH:-slurm/study.sbatch}" "$study")
    last=${id%%;*}
    any=$any${any:+?}afterok:$last
    echo "link $i: job $last"
done
echo "$any"
