#!/bin/bash
# Submits a search and the array of jobs that work for it. From the search's folder, on a file system that all
# nodes share, with the environment active in which the project is installed:
#   submit.sh 16 --trials 1000 --train train.csv --test test.csv --target money_room --id id
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
count=${1:?number of worker jobs, then the flags of search.run}
shift
search=$(sbatch --parsable "$here/search.sbatch" "$@")
search=${search%%;*} # a federation adds the cluster's name
workers=$(sbatch --parsable --array="1-$count" --dependency="after:$search" --job-name="workers-$search" \
    "$here/workers.sbatch" "$search")
echo "search: job $search, workers: job ${workers%%;*}, output: search-$search.out"
